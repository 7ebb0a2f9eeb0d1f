"""Claims that are known to be true or false, of each kind and kind of page, and how many the check tells apart.

    python benchmarks/claims.py --out FOLDER [--real shared/data/mmlb-dev/documents]

The claims are written by this script from documents that it makes, and with ``--real`` from sentences of real ones; it
knows nothing of how they are checked.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from claim_documents import Fact, Made, make_documents, number

from pagesight.indexing import PageIndex, PageRef, load_settings

TRUE = ("right", "right quote", "right region", "computed", "right name")

_NUMBER = r"(?<![\w.,])\d{1,3}(?:[.,]\d{3})*(?:[.,]\d+)?(?![\w]|[.,]\d)"
_SAID = {
    "en": [
        "{row} was {money} in {year}", "In {year}, {row} amounted to {money}", "{row} of {year} came to {money}",
        "{row} in {year}: {money}",
    ],
    "de": [
        "{row} lag {year} bei {money}", "{year} betrug {row} {money}", "{row} belief sich {year} auf {money}",
        "{row} {year}: {money}",
    ],
}  # fmt: skip
_MONEY = {
    "en": ["EUR {value} million", "{value} million euros", "€{value} million", "€{value}m"],
    "de": ["{value} Mio. EUR", "{value} Mio. Euro", "{value} Millionen Euro", "EUR {value} Mio."],
}
_OTHER_UNITS: dict[str, Any] = {
    "EUR million": {
        "en": ["USD {value} million", "EUR {value} billion", "EUR {value} thousand", "{value} %"],
        "de": ["{value} Mio. USD", "{value} Mrd. EUR", "{value} TEUR", "{value} %"],
    },
    "dB(A)": ["{value} kW", "{value} kg"], "kW": ["{value} MW", "{value} dB(A)"], "kg": ["{value} t", "{value} mm"],
    "mm": ["{value} cm", "{value} kg"],
}  # fmt: skip
_RISE = {
    "en": ("{row} rose by {change} from {before} to {after}", "{row} fell by {change} from {before} to {after}"),
    "de": ("{row} stieg von {before} auf {after} um {change}", "{row} sank von {before} auf {after} um {change}"),
}
_OFFICE = {"en": ["{name} is {office}", "The {office} is {name}"], "de": ["{name}: {office}", "{office} ist {name}"]}
_INSTEAD = {
    "en": ["never", "sharply", "under no condition", "twice as", "gladly", "no longer"],
    "de": ["niemals", "deutlich", "keinesfalls", "doppelt", "gern", "nicht mehr"],
}


@dataclass(frozen=True)
class Claim:
    """A claim with its citation, the ``kind`` it is of, and the pages that it was made from: "en table", "real"."""

    text: str
    kind: str
    source: str

    @property
    def true(self) -> bool:
        """Whether the check should let it pass."""
        return self.kind in TRUE


class Claims:
    """Writes the claims of one document that this project's benchmark made."""

    def __init__(self, made: Made, chance: random.Random):
        self._made, self._chance = made, chance

    def all(self) -> Iterator[Claim]:
        """Every kind for every fact that it can be made of."""
        for fact in self._made.facts:
            yield from self._of(fact)
        yield from self._quotes()
        yield from self._names()
        yield from self._computed()

    def _of(self, fact: Fact) -> Iterator[Claim]:
        value = fact.written
        yield self._claim("right", fact, self._sentence(fact, value))
        yield self._claim("wrong number", fact, self._sentence(fact, self._wrong(fact)))
        if fact.unit:
            other = _OTHER_UNITS[fact.unit]
            forms = other[fact.language] if isinstance(other, dict) else other
            unit = self._chance.choice(forms).format(value=value)
            yield self._claim("wrong unit", fact, self._sentence(fact, value, unit))
        for page in self._pages_without(value):
            yield self._claim("wrong page", replace(fact, page=page), self._sentence(fact, value))
        for kind, others in self._others(fact).items():
            for other_fact in self._chance.sample(others, min(1, len(others))):
                yield self._claim(kind, fact, self._sentence(fact, other_fact.written))
        if fact.box:
            yield self._claim("right region", fact, self._sentence(fact, value), _region(fact.box))
            yield self._claim("wrong region", fact, self._sentence(fact, value), self._elsewhere(fact))

    def _others(self, fact: Fact) -> dict[str, list[Fact]]:
        page = [other for other in self._made.facts if other.page == fact.page and other.value != fact.value]
        if fact.form == "prose":
            return {"number elsewhere": page}
        alike = [other for other in page if other.unit == fact.unit and other.place == fact.place]
        return {
            "swapped rows": [other for other in alike if other.column == fact.column],
            "swapped columns": [other for other in alike if other.row == fact.row],
            "number elsewhere": [other for other in page if other not in alike],
        }

    def _wrong(self, fact: Fact) -> str:
        on_page = {other.written for other in self._made.facts if other.page == fact.page}
        while True:
            changed = fact.value * self._chance.choice([0.5, 0.9, 0.98, 1.02, 1.1, 10]) + self._chance.choice([0, 1, 3])
            if (text := number(changed, fact.decimals, fact.language)) not in on_page:
                return text

    def _sentence(self, fact: Fact, value: str, unit: str | None = None) -> str:
        language = fact.language
        measured = unit or self._with_unit(fact, value)
        if fact.form == "prose":
            return fact.sentence.replace(_money_of(fact), measured).rstrip(".")
        if not fact.column.isdigit():
            said = {"en": "The {column} of the {row} is {measured}", "de": "{column} der {row}: {measured}"}[language]
            return said.format(
                column=fact.column.lower() if language == "en" else fact.column, row=fact.row, measured=measured
            )
        row = fact.row if not fact.place else {"en": "Sales in {}", "de": "Der Absatz in {}"}[language].format(fact.row)
        said = self._chance.choice(_SAID[language])
        if not said.startswith("{row}") and language == "en":
            row = row[0].lower() + row[1:]
        return said.format(row=row, year=fact.column, money=measured)

    def _with_unit(self, fact: Fact, value: str) -> str:
        if fact.form == "prose":
            return _money_of(fact).replace(fact.written, value)
        if fact.unit == "EUR million":
            return self._chance.choice(_MONEY[fact.language]).format(value=value)
        return f"{value} {fact.unit}".strip()

    def _pages_without(self, value: str) -> list[int]:
        pages = {fact.page for fact in self._made.facts}
        holding = {fact.page for fact in self._made.facts if fact.written == value}
        return self._chance.sample(sorted(pages - holding), min(1, len(pages - holding)))

    def _elsewhere(self, fact: Fact) -> list[int]:
        boxes = [other.box for other in self._made.facts if other.page == fact.page and other.box]
        assert fact.box
        away = [box for box in boxes if abs(box[1] - fact.box[1]) > 0.03]
        return _region(self._chance.choice(away))

    def _quotes(self) -> Iterator[Claim]:
        mark = {"en": "“{}”", "de": "„{}“"}[self._made.language]
        lead = {"en": "The report says: ", "de": "Im Bericht heißt es: "}[self._made.language]
        for page, sentence in self._made.texts:
            yield self._quote("right quote", page, lead + mark.format(sentence))
            words = sentence.split()
            at = self._chance.randrange(2, len(words) - 1)
            words.insert(at, self._chance.choice(_INSTEAD[self._made.language]))
            yield self._quote("invented quote", page, lead + mark.format(" ".join(words)))

    def _quote(self, kind: str, page: int, text: str) -> Claim:
        return Claim(f"{text} [{self._made.path.name} p. {page}]", kind, f"{self._made.language} {self._kind('prose')}")

    def _names(self) -> Iterator[Claim]:
        for page, office, name in self._made.people:
            form = self._chance.choice(_OFFICE[self._made.language])
            others = [other for at, _, other in self._made.people if at == page and other != name]
            for kind, shown in (("right name", name), ("wrong name", self._chance.choice(others))):
                text = form.format(name=shown, office=office)
                source = f"{self._made.language} {self._kind('table')}"
                yield Claim(f"{text} [{self._made.path.name} p. {page}].", kind, source)

    def _computed(self) -> Iterator[Claim]:
        rows: dict[tuple[int, str, str], list[Fact]] = defaultdict(list)
        for fact in self._made.facts:
            if fact.form == "table" and fact.column.isdigit():
                rows[fact.page, fact.place, fact.row].append(fact)
        for (_, place, _), facts in rows.items():
            after, before = facts[0], facts[1]
            change = abs(after.value - before.value)
            percent = 100 * change / before.value
            for kind, plain, part in (("computed", change, percent), ("wrong sum", change * 1.3 + 1, percent + 7)):
                unit = "" if place else {"en": " million euros", "de": " Mio. EUR"}[after.language]
                shown = self._chance.choice(
                    [number(plain, after.decimals, after.language) + unit, number(part, 1, after.language) + " %"]
                )
                said = _RISE[after.language][after.value < before.value]
                written = said.format(row=after.row, change=shown, before=before.written, after=after.written)
                yield self._claim(kind, after, written)

    def _claim(self, kind: str, fact: Fact, text: str, region: Sequence[int] | None = None) -> Claim:
        where = f", region {','.join(map(str, region))}" if region else ""
        source = f"{fact.language} {self._kind(fact.form)}"
        return Claim(f"{text} [{self._made.path.name} p. {fact.page}{where}].", kind, source)

    def _kind(self, form: str) -> str:
        return "scan" if self._made.scan else form


def _money_of(fact: Fact) -> str:
    return f"EUR {fact.written} million" if fact.language == "en" else f"{fact.written} Mio. EUR"


def _region(box: Sequence[float]) -> list[int]:
    left, top, right, bottom = (round(1000 * edge) for edge in box)
    return [max(top - 6, 0), max(left - 10, 0), bottom + 6, right + 10]


def real_claims(index: PageIndex, chance: random.Random) -> Iterator[Claim]:
    """Claims made of the sentences of real documents."""
    for document in index.documents():
        pages = {ref: index.text(ref) for ref in document.page_refs}
        for ref, text in pages.items():
            sentences = list(_sentences(text))
            for sentence in chance.sample(sentences, min(2, len(sentences))):
                yield from _of_sentence(ref, sentence, text, sentences, pages, chance)


def _sentences(text: str) -> Iterator[str]:
    """Whole sentences with a number that is no year and is written once on the page."""
    for sentence in re.split(r"(?<=[a-z%)]\.)\s+(?=[A-Z])", " ".join(text.split())):
        words = sentence.split()
        plain = sum(word.strip(",.;()").isalpha() for word in words)
        whole = sentence[:1].isupper() and sentence.endswith(".") and not re.search(r"[\[\]{}<>|]|\.{3}", sentence)
        if whole and 8 <= len(words) <= 35 and plain > 0.75 * len(words) and _numbers(sentence):
            yield sentence


def _numbers(text: str) -> list[str]:
    return [found for found in re.findall(_NUMBER, text) if not re.fullmatch(r"(19|20)\d\d", found)]


def _of_sentence(
    ref: PageRef, sentence: str, text: str, sentences: list[str], pages: dict[PageRef, str], chance: random.Random
) -> Iterator[Claim]:
    value = chance.choice(_numbers(sentence))
    yield _real("right", ref, sentence)
    yield _real("right quote", ref, f"It says: “{sentence}”")
    wrong = _other_number(value, text, chance)
    yield _real("wrong number", ref, _put(sentence, value, wrong))
    others = [
        one for other in sentences if other != sentence for one in _numbers(other) if one not in _numbers(sentence)
    ]
    if others:
        yield _real("number elsewhere", ref, _put(sentence, value, chance.choice(others)))
    if f"{value}%" in sentence or f"{value} percent" in sentence:
        unit = chance.choice([f"{value} million dollars", f"{value} kg"])
        yield _real("wrong unit", ref, re.sub(rf"{re.escape(value)}(%| percent)", unit, sentence, count=1))
    without = [other for other, said in pages.items() if value not in re.findall(_NUMBER, said)]
    if without:
        yield _real("wrong page", chance.choice(without), sentence)
    words = sentence.split()
    words[chance.randrange(2, len(words) - 1)] = chance.choice(_INSTEAD["en"])
    yield _real("invented quote", ref, f"It says: “{' '.join(words)}”")


def _put(sentence: str, value: str, other: str) -> str:
    return re.sub(rf"(?<![\w.,]){re.escape(value)}(?![\w]|[.,]\d)", other, sentence, count=1)


def _other_number(value: str, text: str, chance: random.Random) -> str:
    on_page = re.findall(_NUMBER, text)
    for _ in range(50):
        digits = list(value)
        at = chance.choice([place for place, one in enumerate(digits) if one.isdigit()])
        digits[at] = str(chance.choice([one for one in range(1, 10) if str(one) != digits[at]]))
        if (other := "".join(digits)) not in on_page:
            return other
    return f"{chance.randint(11, 99)}{value}"  # every other number of one digit is on the page


def _real(kind: str, ref: PageRef, text: str) -> Claim:
    return Claim(f"{text.rstrip('.')} [{ref.label}].", kind, "real")


def sampled(claims: Sequence[Claim], most: int, chance: random.Random) -> list[Claim]:
    """At most so many of each kind and kind of page."""
    groups: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        groups[claim.kind, claim.source].append(claim)
    return [claim for group in groups.values() for claim in chance.sample(group, min(most, len(group)))]


Doubted = Callable[[str], bool]


def table(claims: Sequence[Claim], doubted: Doubted, wrong: list[Claim]) -> list[str]:
    """A line for each kind: of how many claims how many were doubted, by kind of page; what went wrong is added."""
    counts: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for claim in claims:
        result = doubted(claim.text)
        counts[claim.kind][claim.source][0] += 1
        counts[claim.kind][claim.source][1] += result
        if result == claim.true:
            wrong.append(claim)
    lines = []
    for kind in sorted(counts, key=lambda kind: (kind not in TRUE, kind)):
        each = counts[kind]
        total, caught = (sum(count[place] for count in each.values()) for place in (0, 1))
        rest = "  ".join(f"{source} {count[1]}/{count[0]}" for source, count in sorted(each.items()))
        lines.append(
            f"{'true ' if kind in TRUE else 'false'} {kind:17} {caught:5}/{total:<5} {caught / total:6.1%}  {rest}"
        )
    for true in (True, False):
        of_it = [counts[kind][source] for kind in counts for source in counts[kind] if (kind in TRUE) == true]
        total, caught = sum(one[0] for one in of_it), sum(one[1] for one in of_it)
        lines.append(f"{'true' if true else 'false'} claims doubted: {caught}/{total}, {caught / max(total, 1):.1%}")
    return lines


def main() -> None:
    """Makes the documents and claims, checks them, and prints the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, required=True, help="folder for documents, index and claims")
    options.add_argument("--real", type=Path, help="folder of real documents")
    options.add_argument("--most", type=int, default=60, help="claims of each kind and kind of page")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--show", type=int, default=0, help="claims that were judged wrongly to be shown")
    given = options.parse_args()
    chance = random.Random(given.seed)
    folder = given.out / f"documents-{given.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    made = make_documents(folder, given.seed)
    with PageIndex.open(given.out / f"index-{given.seed}", settings=load_settings(encoder="lexical")) as index:
        index.add([one.path for one in made])
        claims = [claim for one in made for claim in Claims(one, chance).all()]
        if given.real:
            index.add(given.real)
            claims += real_claims(index, chance)
        claims = sampled(claims, given.most, chance)
        (given.out / "claims.jsonl").write_text("".join(json.dumps(vars(claim)) + "\n" for claim in claims))
        from pagesight.agent import check_claims

        wrong: list[Claim] = []
        print(
            "\n".join(
                table(claims, lambda text: any(c.outcome == "unsupported" for c in check_claims(index, text)), wrong)
            )
        )
        for claim in chance.sample(wrong, min(given.show, len(wrong))):
            reasons = [f"{one.outcome}: {one.reason}" for one in check_claims(index, claim.text)]
            print(f"\n{claim.kind} ({claim.source}): {claim.text}\n    {'; '.join(reasons)}", file=sys.stderr)


if __name__ == "__main__":
    main()

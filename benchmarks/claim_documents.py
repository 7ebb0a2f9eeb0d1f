"""Makes documents whose facts are known, as tables, prose and scans, in English and German, to make claims of."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image, ImageFilter
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

ROWS = {
    "en": """Net revenue|Cost of sales|Gross profit|Operating income|Research expenses|Interest paid|Net debt|Equity
        |Free cash flow|Capital expenditure|Personnel expenses|Tax expense|Inventories|Trade receivables|Order intake
        |Order backlog|Depreciation|Goodwill|Pension provisions|Dividends paid""",
    "de": """Umsatzerlöse|Herstellungskosten|Bruttoergebnis|Betriebsergebnis|Forschungsaufwand|Gezahlte Zinsen
        |Nettoverschuldung|Eigenkapital|Freier Cashflow|Investitionen|Personalaufwand|Steueraufwand|Vorräte
        |Forderungen|Auftragseingang|Auftragsbestand|Abschreibungen|Geschäftswert|Pensionsrückstellungen
        |Gezahlte Dividenden""",
}
PLACES = {
    "en": "Germany|France|Italy|Spain|Poland|Austria|Norway|Sweden|Ireland|Greece|Japan|Canada",
    "de": "Deutschland|Frankreich|Italien|Spanien|Polen|Österreich|Norwegen|Schweden|Irland|Griechenland|Japan|Kanada",
}
PRODUCTS = "Tarn 8|Tarn 16|Fjell 20|Brisa 5|Corvo 12|Linde 30|Maro 7|Vesta 25|Nera 9|Ostro 14"
MEASURES = {
    "en": [("Sound power level", "dB(A)"), ("Rated output", "kW"), ("Weight", "kg"), ("Height", "mm")],
    "de": [("Schallleistungspegel", "dB(A)"), ("Nennleistung", "kW"), ("Gewicht", "kg"), ("Höhe", "mm")],
}
PEOPLE = "Anna Berger|Jonas Lindqvist|Maria Rossi|Peter Novak|Claire Dubois|Erik Halvorsen|Sofia Marin|Tom Keller"
OFFICES = {
    "en": "Chief Executive Officer|Chief Financial Officer|Head of Research|Head of Sales|Chair of the Board",
    "de": "Vorstandsvorsitz|Finanzvorstand|Leitung Forschung|Leitung Vertrieb|Aufsichtsratsvorsitz",
}
WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "figures": "Consolidated key figures",
        "unit": "in EUR million",
        "regions": "Sales by country",
        "products": "Technical data",
        "model": "Model",
        "people": "Management",
        "prose": [
            "In {year}, {row} in {place} amounted to EUR {value} million.",
            "{row} in {place} came to EUR {value} million in {year}, after a quiet start to the year.",
            "The board noted that {row} for {place} stood at EUR {value} million at the end of {year}.",
        ],
        "filler": [
            "The market remained difficult, and customers took longer to decide.",
            "We are confident that the measures taken will bear fruit in the years to come.",
            "Delivery times returned to normal as suppliers added capacity.",
            "Our people once again showed great commitment under demanding conditions.",
        ],
    },
    "de": {
        "figures": "Kennzahlen des Konzerns",
        "unit": "in Mio. EUR",
        "regions": "Absatz nach Ländern",
        "products": "Technische Daten",
        "model": "Modell",
        "people": "Führung",
        "prose": [
            "Im Jahr {year} betrug die Größe {row} in {place} {value} Mio. EUR.",
            "{row} in {place} lag {year} bei {value} Mio. EUR, nach einem ruhigen Jahresbeginn.",
            "Der Vorstand stellte fest, dass {row} für {place} Ende {year} bei {value} Mio. EUR stand.",
        ],
        "filler": [
            "Der Markt blieb schwierig, und die Kunden entschieden später.",
            "Wir sind zuversichtlich, dass die Maßnahmen in den kommenden Jahren Früchte tragen.",
            "Die Lieferzeiten wurden wieder normal, da die Zulieferer mehr Kapazität schufen.",
            "Unsere Leute zeigten wieder großen Einsatz unter schwierigen Bedingungen.",
        ],
    },
}


@dataclass(frozen=True)
class Fact:
    """A value on a page: of ``row`` (a figure, a model), in ``column`` (a year, a measure), with its unit.

    ``box`` is where a table's cell stands, ``lines`` where a sentence does: left, top, right, bottom, 0-1 of the page.
    """

    form: str  # "table" or "prose"
    language: str
    page: int
    row: str
    column: str
    value: float
    unit: str
    decimals: int = 1
    place: str = ""
    sentence: str = ""
    lines: tuple[tuple[float, float, float, float], ...] = ()
    box: tuple[float, float, float, float] | None = None

    @property
    def written(self) -> str:
        """The value as the language writes it."""
        return number(self.value, self.decimals, self.language)


@dataclass
class Made:
    """A document and what stands in it; ``texts`` are its sentences by page, ``people`` (page, office, name)."""

    path: Path
    language: str
    scan: bool
    facts: list[Fact] = field(default_factory=list)
    texts: list[tuple[int, str]] = field(default_factory=list)
    people: list[tuple[int, str, str]] = field(default_factory=list)


def number(value: float, decimals: int, language: str) -> str:
    """1,234.5 or 1.234,5."""
    text = f"{value:,.{decimals}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "de" else text


def make_documents(folder: Path, seed: int = 1) -> list[Made]:
    """The documents, written into the folder: three a language, two of them also as scans."""
    made = []
    for language in ("en", "de"):
        for part in (1, 2, 3):
            document = _document(
                folder / f"report-{language}-{part}.pdf", language, random.Random(f"{seed}{language}{part}")
            )
            made += [document, _scan(document)] if part < 3 else [document]
    return made


def _document(path: Path, language: str, chance: random.Random) -> Made:
    made = Made(path, language, scan=False)
    canvas = Canvas(str(path), pagesize=A4)
    for page in range(1, 7):
        draw = (_figures_page, _prose_page, _products_page)[(page - 1) % 3]
        draw(canvas, made, page, chance)
        canvas.showPage()
    canvas.save()
    return made


def _figures_page(canvas: Canvas, made: Made, page: int, chance: random.Random) -> None:
    words = WORDS[made.language]
    names = [name.strip() for name in ROWS[made.language].split("|")]
    first = chance.choice([2019, 2020, 2021, 2022])
    years = [str(first + 2), str(first + 1), str(first)]
    rows = {name: [round(chance.uniform(3, 3000), 1) for _ in years] for name in chance.sample(names, 9)}
    _table(canvas, made, page, 780, words["figures"], words["unit"], "", years, rows, 1)
    places = chance.sample(PLACES[made.language].split("|"), 6)
    counts = {place: [float(chance.randint(1000, 99000)) for _ in years] for place in places}
    _table(canvas, made, page, 440, words["regions"], "", "", years, counts, 0)
    canvas.setFont("Helvetica-Bold", 13)
    canvas.drawString(60, 240, words["people"])
    offices, people = OFFICES[made.language].split("|"), chance.sample(PEOPLE.split("|"), 5)
    for place, (office, name) in enumerate(zip(offices, people, strict=True)):
        canvas.setFont("Helvetica", 10)
        canvas.drawString(60, 215 - 16 * place, office)
        canvas.drawString(260, 215 - 16 * place, name)
        made.people.append((page, office, name))


def _products_page(canvas: Canvas, made: Made, page: int, chance: random.Random) -> None:
    words = WORDS[made.language]
    measures = MEASURES[made.language]
    heads = [f"{name} ({unit})" for name, unit in measures]
    rows = {}
    for model in chance.sample(PRODUCTS.split("|"), 7):
        rows[model] = [
            float(chance.randint(35, 75)), round(chance.uniform(4, 40), 1), float(chance.randint(60, 290)),
            float(chance.randint(700, 1900)),
        ]  # fmt: skip
    canvas.setFont("Helvetica-Bold", 13)
    canvas.drawString(60, 780, words["products"])
    canvas.setFont("Helvetica-Bold", 7.5)
    canvas.drawString(60, 750, words["model"])
    for column, head in enumerate(heads):
        canvas.drawRightString(255 + 105 * column, 750, head)
    for line, (model, values) in enumerate(rows.items()):
        y = 730 - 17 * line
        canvas.setFont("Helvetica", 10)
        canvas.drawString(60, y, model)
        for column, value in enumerate(values):
            decimals = 1 if column == 1 else 0
            canvas.drawRightString(255 + 105 * column, y, number(value, decimals, made.language))
            name, unit = measures[column]
            box = _box(255 + 105 * column, y, number(value, decimals, made.language))
            made.facts.append(Fact("table", made.language, page, model, name, value, unit, decimals, box=box))


def _table(
    canvas: Canvas, made: Made, page: int, top: float, title: str, unit: str, corner: str, heads: list[str],
    rows: dict[str, list[float]], decimals: int,
) -> None:  # fmt: skip
    canvas.setFont("Helvetica-Bold", 13)
    canvas.drawString(60, top, title)
    canvas.setFont("Helvetica", 9)
    canvas.drawString(60, top - 18, unit)
    canvas.setFont("Helvetica-Bold", 10)
    for column, head in enumerate(heads):
        canvas.drawRightString(330 + 90 * column, top - 36, head)
    for line, (name, values) in enumerate(rows.items()):
        canvas.setFont("Helvetica", 10)
        canvas.drawString(60, top - 56 - 17 * line, name)
        for column, value in enumerate(values):
            text = number(value, decimals, made.language)
            canvas.drawRightString(330 + 90 * column, top - 56 - 17 * line, text)
            place = "" if unit else title
            box = _box(330 + 90 * column, top - 56 - 17 * line, text)
            money = unit and "EUR million"
            made.facts.append(
                Fact("table", made.language, page, name, heads[column], value, money, decimals, place, box=box)
            )


def _box(right: float, baseline: float, text: str) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a right-aligned text of 10 points, 0–1 of the page from its top left corner."""
    width, height = A4
    left = right - _wide(text)
    return left / width, 1 - (baseline + 8) / height, right / width, 1 - (baseline - 2) / height


def _wide(text: str) -> float:
    return float(stringWidth(text, "Helvetica", 10))


def _prose_page(canvas: Canvas, made: Made, page: int, chance: random.Random) -> None:
    words = WORDS[made.language]
    names = [name.strip() for name in ROWS[made.language].split("|")]
    pairs = chance.sample([(name, place) for name in names for place in PLACES[made.language].split("|")], 12)
    sentences, first = [], len(made.facts)
    for name, place in pairs:
        year, value = str(chance.randint(2019, 2024)), round(chance.uniform(3, 900), 1)
        written = number(value, 1, made.language)
        shown = name if made.language == "de" else name[0].lower() + name[1:]
        template = chance.choice(words["prose"])
        sentence = template.format(
            year=year, row=name if template.startswith("{row}") else shown, place=place, value=written
        )
        sentences += [sentence, chance.choice(words["filler"])]
        made.facts.append(Fact("prose", made.language, page, name, year, value, "EUR million", 1, place, sentence))
        made.texts.append((page, sentence))
    canvas.setFont("Helvetica", 10)
    y = 790.0
    lines: dict[str, list[tuple[float, float, float, float]]] = {}
    for start in range(0, len(sentences), 4):
        said = [sentence for sentence in sentences[start : start + 4] for _ in sentence.split()]
        for line in simpleSplit(" ".join(sentences[start : start + 4]), "Helvetica", 10, 470):
            canvas.drawString(60, y, line)
            words = line.split()
            for sentence, part in _parts(words, said[: len(words)]):
                lines.setdefault(sentence, []).append(
                    _box(60 + _wide(" ".join(words[: part.stop])), y, " ".join(words[part]))
                )
            said = said[len(words) :]
            y -= 14
        y -= 8
    for at in range(first, len(made.facts)):
        made.facts[at] = replace(made.facts[at], lines=tuple(lines[made.facts[at].sentence]))


def _parts(words: list[str], said: list[str]) -> Iterator[tuple[str, slice]]:
    """The words of a line that are of one sentence, for each sentence."""
    starts = [at for at in range(len(words)) if at == 0 or said[at] != said[at - 1]]
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        yield said[start], slice(start, end)


def _scan(document: Made) -> Made:
    """The same pages as pictures, a little blurred, as a scanner makes them."""
    path = document.path.with_name(document.path.name.replace("report-", "scan-"))
    with pypdfium2.PdfDocument(document.path) as pdf:
        pages: list[Image.Image] = []
        for number_ in range(3):
            picture = pdf[number_].render(scale=200 / 72).to_pil().convert("L")
            pages.append(picture.filter(ImageFilter.GaussianBlur(0.6)))
        pages[0].save(path, save_all=True, append_images=pages[1:], resolution=200)
    kept = [fact for fact in document.facts if fact.page <= 3]
    texts = [text for text in document.texts if text[0] <= 3]
    return Made(path, document.language, True, kept, texts, [one for one in document.people if one[0] <= 3])

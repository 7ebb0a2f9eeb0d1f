"""What the service tells in English has a German sentence in the page: what real claims, steps and encoders say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_index import small_settings
from test_claims import DOCUMENTS, FALSE, TRUE

from pagesight.agent import check_claims, create_page_agent, stream
from pagesight.agent.answers.claims import german_reasons
from pagesight.agent.reasoners.choose import choose_reasoner
from pagesight.agent.run.steps import Step
from pagesight.agent.servers import problems
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex, errors
from pagesight.indexing.encoders import lacking, paid_encoders
from pagesight.indexing.testing import made_index

SERVERS = Path(problems.__file__).parent
SOURCE = SERVERS / "web/source/src/german.ts"
REASONS = Path(german_reasons.__file__).with_suffix(".json")
#: Refusals that the page, whose token sees all and spends what it likes, never meets.
NOT_OF_THE_PAGE = {
    "Bad JSON", "Client gone", "Day's dollars spent", "Empty question", "Foreign origin", "Foreign page",
    "Known thread", "Limited token", "Missing scope", "Not a text", "Unknown host", "Within a boundary",
}  # fmt: skip


def patterns(table: str) -> list[str]:
    """The patterns of a table of german.ts, or of the reasons of claims, in its order, with what ends a piece."""
    if table == "REASONS":
        return [f"{one}(?:; |$)" for one, _ in json.loads(REASONS.read_text(encoding="utf-8"))]
    lines = SOURCE.read_text(encoding="utf-8").partition(f"const {table}: Said[] = [\n")[2].partition("\n];")[0]
    found = re.findall(r"^  \[/(.+)/, \".+\"\],$", lines, re.MULTILINE)
    assert len(found) == len(lines.splitlines())
    return [f"{one}(?:; |$)" for one in found]


def german_pieces(text: str, known: list[str]) -> list[str]:
    """The pieces of a text that the patterns take, in their order, and what none of them takes."""
    pieces = []
    while text and (found := next(filter(None, (re.match(one, text) for one in known)), None)):
        pieces.append(found[0].removesuffix("; "))
        text = text[found.end() :]
    return [*pieces, text]


def english_left(text: str, known: list[str]) -> str:
    """What no pattern takes."""
    return german_pieces(text, known)[-1]


@pytest.fixture(scope="module")
def index() -> Iterator[PageIndex]:
    with made_index(DOCUMENTS) as index:
        yield index


def test_the_reasons_of_claims_are_known_in_german(index: PageIndex) -> None:
    more = [
        "Net revenue was 123.4 [annual.pdf p. 3, region 0,0,10,10]",
        "It cites nothing: 12 %.",
        "Nothing [annual.pdf p. 3].",
    ]
    reasons = {claim.reason for text in [*TRUE, *FALSE, *more] for claim in check_claims(index, text)}
    assert len(reasons) > 30
    known = patterns("REASONS")
    assert [one for one in reasons if english_left(one, known)] == []
    assert english_left("the price was doubled", known) == "the price was doubled"
    ends = ["per year", "told each", "of 2022, not 2023"]
    german = {one: german_reasons.in_language_of("Der Umsatz ist gestiegen", one) for one in reasons}
    assert [one for one, said in german.items() if said == one] == []
    assert german["it cites no page"] == "der Satz nennt keine Seite"
    assert german_reasons.in_language_of("The sales are up", "it cites no page") == "it cites no page"
    apart = sorted({one for one in reasons if ";" not in one} | {f"8.4 is there, but {end}" for end in ends})
    for one, other in zip(apart, apart[::-1], strict=True):
        assert german_pieces(f"{one}; {other}", known) == [one, other, ""]


def test_the_steps_of_an_answer_are_known_in_german(index: PageIndex) -> None:
    reasoner = ScriptedReasoner(
        script=[
            calls("search_pages", query="net revenue"),
            calls("search_pages", query="net revenue"),
            calls("view_pages", pages=["annual.pdf p. 1"]),
            calls("view_pages", pages=["annual.pdf p. 99"]),
            calls("read_pages", pages=["annual.pdf p. 1"]),
            calls("list_documents"),
            "Net revenue was EUR 995.4 million in 2023 [annual.pdf p. 1].",
            "Net revenue was EUR 885.4 million in 2023 [annual.pdf p. 1].",
        ]
    )
    agent = create_page_agent(index, model=reasoner)
    steps = [item.text for item in stream(agent, "How high was the net revenue?") if isinstance(item, Step)]
    assert len(steps) >= 7
    known = [*patterns("STEPS"), *patterns("REASONS")]
    assert [one for one in steps if english_left(one, known)] == []


def test_what_is_missing_is_known_in_german() -> None:
    settings = small_settings(google_api_key=None)
    known = patterns("MISSING")
    told = [lacking(name, settings) for name in paid_encoders()]
    assert all(told)
    assert [one for one in [*told, choose_reasoner(None, settings).why] if english_left(one, known)] == []


def test_the_kinds_of_errors_are_known_in_german() -> None:
    kinds = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.PagesightError)]
    codes = {problems.problem_of(kind("no matter")).code for kind in kinds}
    said = "".join(path.read_text(encoding="utf-8") for path in SERVERS.glob("*.py"))
    titles = set(re.findall(r'Problem\(\s*\d+,\s*"([^"]+)"', said))
    assert len(codes) > 25
    assert "Too many questions" in titles
    assert titles >= NOT_OF_THE_PAGE
    codes |= {problems.Problem(400, title, "").code for title in titles - NOT_OF_THE_PAGE}
    codes |= set(re.findall(r'code="([a-z-]+)"', said)) | {problems.problem_of(ValueError()).code}
    table = SOURCE.read_text(encoding="utf-8").partition("const PROBLEMS")[2].partition("\n};")[0]
    assert codes - set(re.findall(r'^  "?([a-z-]+)"?: ', table, re.MULTILINE)) == set()

"""What pictures cost by a model's generation, how large they are sent for it, and when a region is looked at closer."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from conversations import QUESTION, agent_at
from gemini_server import GeminiServer
from langchain_core.messages import ToolMessage
from PIL import Image
from reportlab.lib.pagesizes import A4 as PORTRAIT
from reportlab.pdfgen import canvas
from small_index import small_settings

from pagesight.agent import ask
from pagesight.indexing import PageIndex
from pagesight.tools.gemini_service.picture_tokens import TOKENS, ByResolution, ByTiles, counts_by_resolution, rule_for
from pagesight.tools.messages.conversation import PageView
from pagesight.tools.messages.tool_reply import read_tool_reply
from pagesight.tools.transport import pictures
from pagesight.tools.transport.pictures import Pictures

A4 = (595.0, 842.0)
FINE, USUAL, SCAN = "fine-print.pdf p. 1", "fine-print.pdf p. 2", "scan.png p. 1"
WHOLE = [0, 0, 1000, 1000]
ULTRA_HIGH = "MEDIA_RESOLUTION_ULTRA_HIGH"


# The rules


@pytest.mark.parametrize(
    ("model", "by_resolution"),
    [
        ("google_genai:gemini-2.5-pro", False),
        ("gemini-3.8-flash", True),
        ("google_genai:models/gemini-4-hydrogen-001", True),
        ("publishers/google/models/gemini-3.6-flash", True),
        ("gemini-12-neon", True),
        ("GeminiReasoner:models/gemini-3.8-flash", True),
        ("Gemini-2.5-Flash", False),
        ("gemini-flash-latest", True),
        ("openai:gpt-5", False),
        ("offline", False),
    ],
)
def test_how_a_model_counts_pictures_is_read_from_its_name(model: str, by_resolution: bool) -> None:
    assert counts_by_resolution(model) is by_resolution


@pytest.mark.parametrize(
    ("size", "tokens"),
    [((384, 384), 258), ((385, 10), 258), ((768, 768), 258), ((769, 768), 516), ((1086, 1536), 1032), ((1, 1), 258)],
)
@pytest.mark.parametrize("model", ["gemini-2.5-flash-lite", "openai:gpt-5"])
def test_before_3_a_picture_costs_258_tokens_for_each_tile(model: str, size: tuple[int, int], tokens: int) -> None:
    rule = rule_for(model)
    assert rule.tokens(size) == tokens
    assert rule.pdf_page_tokens() == 258


@pytest.mark.parametrize("model", ["gemini-3.8-flash", "gemini-4-neon"])
@pytest.mark.parametrize(
    ("asked", "tokens", "of_a_pdf_page"),
    [("default", 1120, 560), ("low", 280, 280), ("medium", 560, 560), ("high", 1120, 1120)],
)
def test_from_3_on_a_picture_costs_by_resolution_whatever_its_size(
    model: str, asked: Any, tokens: int, of_a_pdf_page: int
) -> None:
    rule = rule_for(model, asked=asked)
    assert [rule.tokens(size) for size in ((1, 1), (768, 768), (9000, 9000))] == [tokens] * 3
    assert rule.tokens((1, 1), closer=True) == 2240
    assert rule.pdf_page_tokens() == of_a_pdf_page


@pytest.mark.parametrize(
    ("size", "tiles", "pixels"),
    [
        (A4, 4, (1085, 1536)),
        (A4, 6, (1536, 2174)),
        (A4, 1, (543, 768)),
        ((960.0, 540.0), 4, (1365, 768)),  # a slide a little smaller than could be, for half the tiles
        ((297.5, 842.0), 4, (768, 2174)),
        ((59.5, 42.1), 4, (331, 234)),  # 400 dots per inch and no more
    ],
)
def test_before_3_a_picture_fills_its_tiles(size: tuple[float, float], tiles: int, pixels: tuple[int, int]) -> None:
    dpi = ByTiles(tiles).dpi(size)
    assert (round(size[0] * dpi / 72), round(size[1] * dpi / 72)) == pixels


@pytest.mark.parametrize("size", [A4, (960.0, 540.0), (2000.0, 300.0)])
@pytest.mark.parametrize(("asked", "closer"), [("default", False), ("low", False), ("medium", False), ("high", True)])
def test_from_3_on_a_picture_has_48_by_48_pixels_for_each_token(
    size: tuple[float, float], asked: Any, closer: bool
) -> None:
    rule = ByResolution(asked)
    pixels = size[0] * size[1] * (rule.dpi(size, closer=closer) / 72) ** 2
    assert pixels / rule.tokens((1, 1), closer=closer) == pytest.approx(48 * 48)
    assert rule.dpi((59.5, 42.1)) == 400


def test_print_decides_whether_a_region_is_looked_at_closer() -> None:
    rule = ByResolution()
    lowest = 16 / rule.dpi(A4) * 72
    assert rule.wants_closer(A4, lowest - 0.1)
    assert not rule.wants_closer(A4, lowest + 0.1)
    assert not rule.wants_closer((595.0, 421.0), lowest - 0.1)  # half the page is larger as it is
    assert not rule.wants_closer((60.0, 60.0), 0.5)  # and at 400 dots per inch there is no more to see
    assert ByResolution("high").wants_closer(A4, 5)
    assert not ByResolution("low").wants_closer(A4, 5)
    assert not ByResolution(closer_regions=False).wants_closer(A4, 5)
    assert not ByTiles().wants_closer(A4, 1)


# On the wire


def print_page(sheet: canvas.Canvas, size: float) -> None:
    sheet.setFont("Helvetica", size)
    for row in range(30):
        sheet.drawString(
            72, 780 - 20 * row, f"Clause {row}: net revenue is stated without the results of branches sold."
        )
    sheet.showPage()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageIndex]:
    """A PDF with a page of fine print and one of usual print, and a scan of few pixels."""
    folder = tmp_path_factory.mktemp("sources")
    sheet = canvas.Canvas(str(folder / "fine-print.pdf"), pagesize=PORTRAIT)
    for size in (5, 12):
        print_page(sheet, size)
    sheet.save()
    Image.effect_noise((600, 800), 40).save(folder / "scan.png", dpi=(72, 72))
    with PageIndex.open(tmp_path_factory.mktemp("index") / "index", settings=small_settings()) as opened:
        opened.add(folder)
        yield opened


def look(server: GeminiServer, index: PageIndex, label: str, region: list[int] | None, **settings: Any) -> list[Any]:
    """The parts that hold pictures in the call after a page was looked at."""
    server.calls("view_pages", pages=[label], **({"region": region} if region else {}))
    server.says("Seen.")
    ask(agent_at(server, index, **settings), QUESTION)
    return server.model_requests[-1].media


@pytest.mark.parametrize("transport", ["bytes", "base64", "files", "auto"])
def test_a_region_of_small_print_is_looked_at_at_ultra_high_resolution(
    server: GeminiServer, index: PageIndex, transport: str
) -> None:
    [part] = look(server, index, FINE, WHOLE, transport=transport)
    assert part["mediaResolution"] == {"level": ULTRA_HIGH}
    [(_, data)] = server.model_requests[-1].pictures
    size = Image.open(io.BytesIO(data)).size
    assert size[0] * size[1] == pytest.approx(2240 * 48 * 48, rel=0.01)
    assert "mediaResolution" not in server.model_requests[-1].body["generationConfig"]


@pytest.mark.parametrize(
    ("label", "region", "settings"),
    [
        (FINE, None, {}),  # whole pages at the default
        (USUAL, WHOLE, {}),  # print that can be read as it is
        (FINE, [0, 0, 200, 1000], {}),  # a fifth of the page is large enough
        (SCAN, WHOLE, {}),  # no more pixels to show
        (FINE, WHOLE, {"closer_regions": False}),
        (FINE, WHOLE, {"media_resolution": "low"}),
        (FINE, WHOLE, {"model": "google_genai:gemini-2.5-flash-lite"}),
    ],
)
def test_other_pictures_have_the_resolution_of_the_call(
    server: GeminiServer, index: PageIndex, label: str, region: list[int] | None, settings: dict[str, Any]
) -> None:
    [part] = look(server, index, label, region, **settings)
    assert "mediaResolution" not in part


def test_a_file_that_was_gone_is_named_again_with_its_resolution(server: GeminiServer, index: PageIndex) -> None:
    server.calls("view_pages", pages=[FINE], region=WHOLE)
    server.says("Seen.")
    agent = agent_at(server, index, transport="files", max_retries=2)
    ask(agent, QUESTION)
    server.files.clear()
    server.calls("view_pages", pages=[FINE], region=WHOLE)
    server.says("Seen.")

    ask(agent, QUESTION)

    assert len(server.uploads) == 2
    [part] = [part for part in server.model_requests[-1].media if "fileData" in part]
    assert part["mediaResolution"] == {"level": ULTRA_HIGH}


@pytest.mark.parametrize(
    ("model", "form", "tokens"),
    [
        ("gemini-3.8-flash", "picture", [1120, 2240]),
        ("gemini-3.8-flash", "pdf", [560, 2240]),
        ("gemini-2.5-flash-lite", "picture", [1032, 1032]),
        ("gemini-2.5-flash-lite", "pdf", [258, 1032]),
    ],
)
def test_the_state_knows_what_its_pictures_cost(
    server: GeminiServer, index: PageIndex, model: str, form: str, tokens: list[int]
) -> None:
    server.calls_at_once([("view_pages", {"pages": [FINE]}), ("view_pages", {"pages": [FINE], "region": WHOLE})])
    server.says("Seen.")
    agent = agent_at(server, index, model=f"google_genai:{model}", pages_as=form)
    state = agent.invoke({"messages": [("user", QUESTION)]})
    replies = [message for message in state["messages"] if isinstance(message, ToolMessage)]
    assert [view.tokens for reply in replies for view in read_tool_reply(reply).views] == tokens


def test_a_page_that_is_too_large_a_pdf_goes_as_a_picture(index: PageIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    view = PageView(index.page(FINE))
    alone = Pictures(index, ByResolution(), form="pdf", webp=True).of(view)
    assert alone.mime_type == "application/pdf"
    monkeypatch.setattr(pictures, "_LARGEST_PDF", len(alone.data) - 1)
    assert Pictures(index, ByResolution(), form="pdf", webp=True).of(view).mime_type == "image/webp"


def test_ultra_high_is_for_single_parts_only() -> None:
    with pytest.raises(Exception, match="media_resolution"):
        small_settings(media_resolution="ultra_high")
    assert list(TOKENS.values()) == [280, 560, 1120, 2240]


def test_the_settings_model_decides_the_rule(index: PageIndex) -> None:
    from pagesight.agent.loop.speakers import picture_rule

    rule = picture_rule(index.settings, index.settings.gemini.gemini_model)
    assert rule == ByResolution()
    assert picture_rule(index.settings, "google_genai:gemini-2.5-flash-lite") == ByTiles(4)

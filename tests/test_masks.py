"""`locate` with masks: drawn, measured in the page's own units, and checked as what comes from outside."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
from conversations import QUESTION, WAYS, agent_at, asked
from gemini_server import GeminiServer
from langchain_core.messages import HumanMessage, ToolMessage
from PIL import Image, ImageDraw
from small_index import PHOTO, REPORT

from pagesight.indexing import PageIndex
from pagesight.tools.masks import BadMask, read_mask

BOX = [100, 200, 300, 600]  # ymin, xmin, ymax, xmax


def png(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def left_half(mode: str = "L", size: tuple[int, int] = (40, 20)) -> Image.Image:
    """A mask whose left half is marked."""
    image = Image.new("L", size, 0)
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2 - 1, size[1] - 1), fill=230)
    return image.convert(mode)


def found(mask: str | None, **other: Any) -> str:
    return json.dumps({"boxes": [{"label": "plot 7", "box_2d": BOX, "mask": mask}], **other})


def located(server: GeminiServer, index: PageIndex, answer: str, page: str = f"{REPORT} p. 2") -> ToolMessage:
    server.calls("locate", page=page, things=["plot 7"], outlines=True)
    server.says(answer)
    server.says("Done.")
    state = agent_at(server, index).invoke({"messages": [HumanMessage(QUESTION)]})
    [reply] = [message for message in state["messages"] if isinstance(message, ToolMessage)]
    return reply


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_a_mask_is_measured_in_points_and_drawn(server: GeminiServer, index: PageIndex, prefix: str) -> None:
    reply = located(server, index, found(prefix + png(left_half())))

    with index.opened(index.page(f"{REPORT} p. 2")) as document:
        width, height = document.size(2)
    [box] = reply.artifact["boxes"]
    across, down = 0.2 * width, 0.2 * height  # half of the box's width, all of its height
    assert box["outline"]["unit"] == "pt"
    assert box["outline"]["extent"] == pytest.approx([across, down], abs=0.1)
    assert box["outline"]["area"] == pytest.approx(across * down, abs=0.1)
    assert box["outline"]["share"] == pytest.approx(0.04, abs=1e-4)
    assert f"- plot 7: [{REPORT} p. 2, region 100,200,300,600]; its outline is {across:,.0f} × " in reply.text
    assert "4.0% of the page" in reply.text
    assert "segmentation mask" in server.model_requests[1].texts[0]

    drawn, page = Image.open(reply.artifact["picture"]), index.picture(index.page(f"{REPORT} p. 2"))
    blues = [_blueness(drawn, page, across) for across in (0.25, 0.35, 0.45, 0.55)]
    assert blues[:2] == [True, True]
    assert blues[2:] == [False, False]
    assert "base64" not in json.dumps(reply.artifact)  # no picture enters the state


def _blueness(drawn: Image.Image, page: Image.Image, across: float) -> bool:
    """Whether the column of the box's middle is tinted there."""
    place = round(across * page.width), round(0.2 * page.height)
    return drawn.getpixel(place) != page.convert("RGB").getpixel(place)


def test_a_mask_on_an_image_is_measured_in_its_pixels(server: GeminiServer, index: PageIndex) -> None:
    reply = located(server, index, found(png(left_half())), f"{PHOTO} p. 1")

    with index.opened(index.page(f"{PHOTO} p. 1")) as document:
        source = Image.open(document.path)
    [box] = reply.artifact["boxes"]
    assert box["outline"]["unit"] == "px"
    assert box["outline"]["extent"] == pytest.approx([0.2 * source.width, 0.2 * source.height], abs=0.1)


def test_masks_are_asked_for_only_where_they_are_wanted(server: GeminiServer, index: PageIndex) -> None:
    server.calls("locate", page=f"{REPORT} p. 2", things=["plot 7"])
    server.says(json.dumps({"boxes": [{"label": "plot 7", "box_2d": BOX}]}))
    server.says("Done.")
    agent_at(server, index).invoke({"messages": [HumanMessage(QUESTION)]})
    assert "mask" not in server.model_requests[1].texts[0]


BAD = {
    "no base64": "<start_of_mask>§",
    "no picture": base64.b64encode(b"not a picture").decode(),
    "no PNG": "data:image/jpeg;base64,AAAA",
    "cut off": png(left_half(size=(400, 400)))[:200],
    "empty": png(Image.new("L", (10, 10), 0)),
    "too faint": png(Image.new("L", (10, 10), 100)),
    "too large": png(Image.new("L", (5000, 2), 255)),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_mask_that_is_none_leaves_its_box(server: GeminiServer, index: PageIndex, kind: str) -> None:
    reply = located(server, index, found(BAD[kind]))
    [box] = reply.artifact["boxes"]
    assert box["region"] == BOX
    assert "outline" not in box
    assert f"[{REPORT} p. 2, region 100,200,300,600]; its mask cannot be used: " in reply.text


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_masks_of_every_kind_of_png_are_read(mode: str) -> None:
    deep = Image.fromarray(np.asarray(left_half()).astype(np.uint16) * 257)  # Pillow converts none to 16 bits
    image = deep if mode == "I;16" else left_half(mode)
    mask = read_mask(png(image))
    assert (mask.mode, mask.size) == ("L", (40, 20))
    assert mask.getbbox() == (0, 0, 20, 20)
    assert {mask.getpixel((5, 5)), mask.getpixel((30, 5))} == {255, 0}


def test_what_is_transparent_is_outside() -> None:
    image = Image.new("RGBA", (10, 10), (255, 255, 255, 0))
    image.paste((255, 255, 255, 255), (0, 0, 5, 10))
    assert read_mask(png(image)).getbbox() == (0, 0, 5, 10)


def test_a_mask_of_too_many_letters_is_refused() -> None:
    with pytest.raises(BadMask, match="letters"):
        read_mask("A" * 9_000_000)


@pytest.mark.parametrize(
    "answer",
    [
        "```json\n{}\n```".replace("{}", json.dumps([{"box_2d": BOX, "label": "plot 7"}])),
        json.dumps([{"box_2d": BOX, "label": "plot 7"}]),
        json.dumps({"boxes": [{"box_2d": BOX, "label": "plot 7"}, {"box_2d": [1, 2, 3], "label": "short"}, "x", None]}),
        json.dumps({"boxes": [{"box_2d": BOX, "label": "plot 7", "mask": 12}, {"box_2d": BOX, "label": "plot 7"}]}),
    ],
)
def test_a_bad_piece_of_the_reply_leaves_the_others(server: GeminiServer, index: PageIndex, answer: str) -> None:
    reply = located(server, index, answer)
    assert [box["region"] for box in reply.artifact["boxes"]] == [BOX]
    assert ("Left out, since these are no boxes: " in reply.text) == ('"boxes"' in answer)


# What the model was given counts as shown


@pytest.mark.parametrize("way", WAYS)
async def test_a_page_that_was_only_located_on_counts_as_shown(
    server: GeminiServer, index: PageIndex, way: str
) -> None:
    server.calls("locate", page=f"{REPORT} p. 2", things=["plot 7"])
    server.says(found(None))
    server.says(f"It is there [{REPORT} p. 2, region 100,200,300,600].")

    answer = await asked(way, agent_at(server, index))

    assert [citation.label for citation in answer.citations] == [f"{REPORT} p. 2"]
    assert answer.unverified == []
    assert answer.pages_viewed == [f"{REPORT} p. 2"]
    assert answer.usage["pictures"] == 1
    assert "not verified" not in answer.text
    assert server.replies_left == 0


async def test_a_page_that_could_not_be_located_on_is_not_shown(server: GeminiServer, index: PageIndex) -> None:
    server.calls("locate", page=f"{REPORT} p. 99", things=["plot 7"])
    server.says(f"It is there [{REPORT} p. 2].")
    server.says(f"It is there [{REPORT} p. 2].")
    answer = await asked("invoke", agent_at(server, index))
    assert [citation.label for citation in answer.unverified] == [f"{REPORT} p. 2"]

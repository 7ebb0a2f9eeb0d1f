"""Bad scans: each way makes pages worse, the same way each time, and retrieval is measured on them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageDraw
from small_index import write_pdf

from pagesight.agent.cli import main
from pagesight.indexing.errors import QuestionsError
from pagesight.indexing.evaluate.degrade import KINDS, Way, degrade, degraded_documents, parse_ways


def clear() -> Image.Image:
    picture = Image.new("RGB", (320, 400), "white")
    for row in range(10):
        ImageDraw.Draw(picture).text((20, 20 + 36 * row), f"Line {row} of the order 4711", fill="black", font_size=18)
    return picture


def apart(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, float) - np.asarray(other.convert("RGB"), float)).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_each_level_is_worse_and_the_same_each_time(kind: str) -> None:
    made = [degrade(clear(), [Way(kind, level)], seed=7) for level in (1, 2, 3)]
    assert all(one.size == (320, 400) for one in made)
    distances = [apart(clear(), one) for one in made]
    assert 0 < distances[0] < distances[1] < distances[2]
    assert apart(degrade(clear(), [Way(kind, 2)], seed=7), made[1]) == 0


def test_ways_are_done_one_after_the_other() -> None:
    both = degrade(clear(), parse_ways("blur:2, noise"), seed=1)
    assert apart(both, degrade(degrade(clear(), [Way("blur", 2)], seed=1), [Way("noise", 1)], seed=1)) < 20
    assert apart(both, degrade(clear(), parse_ways("noise"), seed=1)) > 1


@pytest.mark.parametrize(
    ("ways", "said"), [("smoke", "smoke.*blur, noise"), ("blur:4", "level '4' of blur"), ("", "''.*choose from")]
)
def test_what_is_no_way_is_said_with_those_that_are(ways: str, said: str) -> None:
    with pytest.raises(QuestionsError, match=said):
        parse_ways(ways)


def test_files_are_pictures_of_the_pages_byte_for_byte_the_same(tmp_path: Path) -> None:
    source = write_pdf(tmp_path / "order.pdf", [["Order 4711"], ["Delivery in May"]])
    ways = parse_ways("noise:1,skew")
    first, second = (degraded_documents([source], ways, tmp_path / name)[0] for name in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()
    made = pypdfium2.PdfDocument(str(first))
    assert [page.get_textpage().count_chars() for page in made] == [0, 0]
    made.close()
    first.write_bytes(b"kept")
    assert degraded_documents([source], ways, tmp_path / "one")[0].read_bytes() == b"kept"


def test_documents_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_pdf(tmp_path / folder / "order.pdf", [[folder]])
    with pytest.raises(QuestionsError, match="one name"):
        degraded_documents([tmp_path], parse_ways("blur"), tmp_path / "out")


def test_retrieval_is_measured_on_bad_scans(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pages = [["Order of the ferry", "Twelve cabins are ordered."], ["Delivery", "The harbour pays in May."]]
    source = write_pdf(tmp_path / "order.pdf", pages)
    questions = tmp_path / "q.jsonl"
    asked = [("When does the harbour pay?", 2), ("How many cabins are ordered?", 1)]
    lines = [json.dumps({"question": text, "document": "order.pdf", "pages": [page]}) for text, page in asked]
    questions.write_text("\n".join(lines))
    arguments = ["eval", "retrieval", "--questions", str(questions), "--run", "text", "--run", "ocr", "--json"]
    degraded = ["--degrade", "blur:1", "--out", str(tmp_path / "out")]
    assert main([*arguments, *degraded, "--documents", str(source)]) == 0
    text, ocr = json.loads(capsys.readouterr().out)["runs"]
    assert text["scopes"]["index"]["nDCG@5"]["mean"] == 0  # no text layer is left
    assert ocr["scopes"]["index"]["nDCG@5"]["mean"] == 1
    assert main([*arguments, *degraded]) == 1
    assert "--documents PATH" in capsys.readouterr().err

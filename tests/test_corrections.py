"""Words that were read wrongly are corrected: found, quoted and marked so from then on, wherever the index goes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_index import REPORT, make_index, open_index, small_settings, write_pdf

from pagesight.agent import ask, create_page_agent
from pagesight.agent.answers.claims.check_claims import check_claims
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import BadCorrection, UnknownPage
from pagesight.indexing.integrity.archive import export_index, import_index
from pagesight.indexing.integrity.repair import repair
from pagesight.indexing.integrity.verify import verify

PAGE = f"{REPORT} p. 2"
SCRIPT = "<script>window.hit=1</script>"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corrections")
    make_index(folder).close()
    return folder / "index"


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "index"))


@pytest.fixture
def index(folder: Path) -> Iterator[PageIndex]:
    with open_index(folder) as opened:
        yield opened


def lines(index: PageIndex, query: str) -> list[str]:
    """The best lines of the best page for a query."""
    hits = index.search(query, top_k=1)
    return hits[0].lines if hits else []


def test_it_is_searched_quoted_and_marked(index: PageIndex) -> None:
    page = index.page(PAGE)
    before = index.words(page)
    assert index.search("zirconium") == []
    correction = index.correct(page, "Net revenue rose", "Zirconium sales fell", by="anna")
    assert (correction.was, correction.now, correction.by) == ("Net revenue rose", "Zirconium sales fell", "anna")
    assert lines(index, "zirconium")[0] == "Zirconium sales fell to 4.2 billion euros in 2023."
    hit = index.search("zirconium")[0]
    assert hit.label == PAGE
    place = before.boxes[before.words.index("rose") - 2]
    assert hit.boxes[0] == pytest.approx(place.tolist(), abs=0.02)
    assert index.text(page).splitlines()[1].startswith("Zirconium sales fell")
    assert index.words(page).text == index.text(page)
    assert "rose" not in index.words(page).words


def test_answers_and_claims_go_by_it(index: PageIndex) -> None:
    agent = create_page_agent(index, model="offline", settings=index.settings)
    assert "5310" in ask(agent, "How many people worked for the group?").text  # and the page's words are kept now
    page = index.page(f"{REPORT} p. 3")
    index.correct(page, "5310", "5301")
    assert "5301 people worked" in ask(agent, "How many people worked for the group?").text
    old, new = (
        check_claims(index, f"At the end of the year {number} people worked for the group [{page.label}].")[0]
        for number in (5310, 5301)
    )
    assert (old.outcome == "supported", new.outcome) == (False, "supported")


def test_what_is_meant_is_asked_for(index: PageIndex) -> None:
    page = index.page(PAGE)
    with pytest.raises(BadCorrection, match="stands 3 times"):
        index.correct(page, "billion", "million")
    with pytest.raises(BadCorrection, match="no number 3"):
        index.correct(page, "revenue", "income", at=3)
    with pytest.raises(BadCorrection, match="no 'evenu'"):
        index.correct(page, "evenu", "x")  # a part of a word
    with pytest.raises(BadCorrection, match="says 'revenue' there already"):
        index.correct(page, "revenue", "revenue", at=1)
    with pytest.raises(BadCorrection, match="1 to 120 letters"):
        index.correct(page, "revenue", "x" * 121, at=1)
    with pytest.raises(BadCorrection, match="1 to 120 letters"):
        index.correct(page, "revenue", " \n\x00", at=1)
    assert index.corrections() == []
    index.correct(page, "2.3 billion", "2.4\nbillion")
    assert index.text(page).splitlines()[2] == "Europe 1.9 billion, Asia 2.4 billion"


def test_punctuation_beside_a_number_stays(index: PageIndex) -> None:
    page = index.page(PAGE)
    correction = index.correct(page, "2023", "2024")
    assert (correction.was, correction.now) == ("2023.", "2024.")
    assert index.text(page).splitlines()[1].endswith("euros in 2024.")


def test_it_is_undone_and_what_was_built_on_it_too(index: PageIndex) -> None:
    page = index.page(PAGE)
    before, vectors = index.text(page), index.multivector(page).vectors
    first = index.correct(page, "4.2 billion", "42 billion")
    index.correct(page, "42", "43")
    other = index.correct(page, "Europe", "Norway")
    assert [one.now for _, one in index.corrections([REPORT])] == ["42 billion", "43", "Norway"]
    assert [one.now for one in index.undo_correction(page, first.id)] == ["42 billion", "43"]
    assert index.text(page) == before.replace("Europe", "Norway")
    with pytest.raises(BadCorrection, match="undone already"):
        index.undo_correction(page, first.id)
    index.undo_correction(page, other.id)
    assert index.text(page) == before
    assert (index.multivector(page).vectors == vectors).all()
    assert index.corrections() == []
    index.close()
    assert verify(str(index.path), small_settings()).whole


def test_it_stays_when_the_document_is_indexed_again(index: PageIndex, folder: Path, tmp_path: Path) -> None:
    page = index.page(PAGE)
    index.correct(page, "Europe", "Norway")
    kept = next(iter((folder / "documents").glob(f"{page.document_id}*")))
    source = Path(shutil.copyfile(kept, tmp_path / REPORT))
    index.add(source)
    assert "Norway" in index.text(page)
    index.add(source, pages="2-3")  # which reads it anew
    assert "Norway" in index.text(page)
    assert lines(index, "Norway")
    assert index.corrections()[0][1].now == "Norway"


def test_what_is_made_anew_is_corrected(index: PageIndex, folder: Path) -> None:
    page = index.page(PAGE)
    index.correct(page, "Europe", "Norway")
    index.close()
    for path in folder.glob(f"multivectors/{page.document_id}/*.npy"):
        path.write_bytes(path.read_bytes()[:-9])
    shutil.rmtree(folder / "derived")
    assert not verify(str(folder), small_settings()).whole
    assert not repair(str(folder), small_settings()).left
    with open_index(folder) as opened:
        assert "Norway" in opened.text(page)
        assert lines(opened, "Norway")
        assert [one.now for _, one in opened.corrections()] == ["Norway"]


def test_it_goes_into_an_archive_and_comes_back_after_removal(index: PageIndex, folder: Path, tmp_path: Path) -> None:
    page = index.page(PAGE)
    index.correct(page, "Europe", "Norway")
    index.remove(REPORT)
    assert index.corrections() == []
    index.restore(REPORT)
    assert "Norway" in index.text(page)
    index.close()
    export_index(str(folder), tmp_path / "all.zip", small_settings())
    import_index(tmp_path / "all.zip", str(tmp_path / "other"), small_settings())
    with open_index(tmp_path / "other") as opened:
        assert lines(opened, "Norway")
        correction = opened.corrections()[0][1]
        opened.undo_correction(page, correction.id)
        assert "Europe" in opened.text(page)


def test_pages_of_the_same_batch_stay(index: PageIndex, folder: Path) -> None:
    others = [f"{REPORT} p. {number}" for number in (1, 3, 8)]
    before = [(index.text(index.page(label)), index.multivector(index.page(label)).vectors) for label in others]
    for label, was, now in ((f"{REPORT} p. 1", "shareholders", "owners"), (PAGE, "Europe", "the far North")):
        index.correct(index.page(label), was, now)
    assert "owners" in index.text(index.page(f"{REPORT} p. 1"))
    for label, (text, vectors) in list(zip(others, before, strict=True))[1:]:
        assert index.text(index.page(label)) == text
        assert (index.multivector(index.page(label)).vectors == vectors).all()
    index.close()
    assert verify(str(folder), small_settings()).damage == []


def test_another_process_sees_it_at_once(index: PageIndex, folder: Path) -> None:
    code = (
        "import sys\nfrom pagesight.indexing import PageIndex, load_settings\n"
        "with PageIndex.open(sys.argv[1], settings=load_settings(ocr=False), create=False) as index:\n"
        "    page = index.page(sys.argv[2])\n"
        "    print(index.search('norway')[0].lines[0], flush=True)\n    index.words(page)\n"
        "    sys.stdin.readline()\n"
        "    print(index.search('sweden')[0].lines[0], 'Sweden' in index.words(page).words, flush=True)\n"
    )
    index.correct(index.page(PAGE), "Europe", "Norway")
    arguments = [sys.executable, "-c", code, str(folder), PAGE]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline().startswith("Norway 1.9 billion")
        index.correct(index.page(PAGE), "Norway", "Sweden")
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline() == "Sweden 1.9 billion, Asia 2.3 billion True\n"


def test_hostile_words_stay_words(index: PageIndex) -> None:
    page = index.page(PAGE)
    index.correct(page, "Europe", f"{SCRIPT} ../../etc\x1b[2J\u202e", by="x" * 500)
    assert f"{SCRIPT} ../../etc[2J 1.9" in index.text(page)
    assert len(index.corrections()[0][1].by) == 64


def test_a_page_that_is_gone_is_told(index: PageIndex) -> None:
    page = index.page(PAGE)
    index.remove(REPORT)
    with pytest.raises(UnknownPage):
        index.correct(page, "Europe", "Norway")


def test_a_line_of_a_script_without_spaces_is_corrected_in_the_middle(tmp_path: Path) -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen import canvas

    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))
    sheet = canvas.Canvas(str(tmp_path / "cjk.pdf"))
    sheet.setFont("HeiseiMin-W3", 20)
    sheet.drawString(72, 700, "東京の人口は一千万人")
    sheet.save()
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        index.add(tmp_path / "cjk.pdf")
        page = index.page("cjk.pdf p. 1")
        index.correct(page, "一千万", "二千万")
        assert index.text(page) == "東京の人口は二千万人"


def test_a_page_of_words_that_become_fewer_leaves_nothing_behind(tmp_path: Path) -> None:
    write_pdf(tmp_path / "few.pdf", [["one tw o three"]])
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        index.add(tmp_path / "few.pdf")
        index.correct(index.page("few.pdf p. 1"), "tw o", "two")
        assert lines(index, "two") == ["one two three"]
    assert verify(str(tmp_path / "index"), small_settings()).damage == []

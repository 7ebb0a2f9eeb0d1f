"""Documents that are not simply a path: behind a password, some of their pages, from a program's memory."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import pytest
from documents import pdf
from reportlab.lib.pdfencrypt import StandardEncryption
from small_index import small_settings

from pagesight.agent.cli import main
from pagesight.indexing import AddReport, PageIndex, SettingsError, UnreadableDocument

SECRET = "correct horse 99"


def opened(folder: Path, **settings: object) -> PageIndex:
    return PageIndex.open(folder / "index", settings=small_settings(encoder="lexical", **settings))


def locked(path: Path, password: str = SECRET) -> Path:
    marks = [[("The vault holds 77 ingots", 72.0, 700.0, 24.0)]]
    return pdf(path, marks, encrypt=StandardEncryption(password, ownerPassword="other", strength=128))


def numbered(path: Path, count: int = 12) -> Path:
    return pdf(path, [[(f"chapter{number} text", 72.0, 700.0, 24.0)] for number in range(1, count + 1)])


def whole_text(index: PageIndex) -> dict[int, str]:
    (record,) = index.documents()
    return {ref.page: index.text(ref) for ref in record.page_refs if index.text(ref)}


# passwords


def test_a_protected_document_is_read_and_shown_with_its_password(tmp_path: Path) -> None:
    with opened(tmp_path, passwords=f"wrong\n{SECRET}") as index:
        assert index.add(locked(tmp_path / "vault.pdf")).failed == []
        hit = index.search("ingots")[0]
        assert (hit.label, hit.lines) == ("vault.pdf p. 1", ["The vault holds 77 ingots"])
        assert index.picture(hit.ref, long_side=300).getextrema()[0][0] < 100


def test_a_missing_or_wrong_password_is_one_failure_with_the_way_out(tmp_path: Path) -> None:
    paths = [locked(tmp_path / "vault.pdf"), pdf(tmp_path / "open.pdf")]
    with opened(tmp_path) as index:
        (failure,) = index.add(paths).failed
        assert "vault.pdf needs a password. Give it with `--password-file FILE`" in str(failure.error)
    with opened(tmp_path, passwords="wrong") as index:
        report = index.add(paths)
        assert "none of the 1 that were given opens it" in str(report.failed[0].error)
        assert [one.document for one in report.unchanged] == ["open.pdf"]


def test_what_is_kept_stays_locked_and_holds_no_password(tmp_path: Path) -> None:
    with opened(tmp_path, passwords=SECRET) as index:
        index.add(locked(tmp_path / "vault.pdf"))
    with opened(tmp_path) as index:
        with pytest.raises(UnreadableDocument, match="needs a password"):
            index.picture(index.page("vault.pdf p. 1"))
        files = [path for path in index.path.rglob("*") if path.is_file()]
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


def test_passwords_come_from_a_file_and_are_not_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, words = locked(tmp_path / "vault.pdf"), tmp_path / "words.txt"
    words.write_text(f"\nwrong\n{SECRET}\n")
    folder = f"--index={tmp_path / 'index'}"
    assert main(["index", str(path), folder, "--password-file", str(words), "--json", "--verbose"]) == 0
    assert main(["view", "vault.pdf p. 1", folder, f"--password={SECRET}", "--out", str(tmp_path / "a.png")]) == 0
    assert main(["view", "vault.pdf p. 1", folder, "--out", str(tmp_path / "b.png")]) == 1
    assert main(["index", str(path), folder, "--password-file", str(tmp_path / "none.txt")]) == 1
    said = "".join(capfd.readouterr())
    assert SECRET not in said
    assert "none.txt cannot be read" in said
    assert (tmp_path / "a.png").exists()


def test_no_process_that_reads_has_a_password_on_its_command_line(tmp_path: Path) -> None:
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("this system does not show what processes were started with")
    seen: list[bytes] = []
    with opened(tmp_path, passwords=SECRET) as index:
        listed = lambda _: seen.append(subprocess.run(["ps", "-eo", "args", "ewww"], capture_output=True).stdout)  # noqa: E731
        index.add(locked(tmp_path / "vault.pdf"), progress=listed)
    assert b"read_documents" in seen[0]
    assert SECRET.encode() not in b"".join(seen)


# pages


@pytest.mark.parametrize(
    ("pages", "wanted"),
    [("3-5", [3, 4, 5]), ("1,4-5,-1", [1, 4, 5, 12]), ("11-", [11, 12]), ("-2-", [11, 12]), ("2, 2,40", [2])],
)
def test_only_the_pages_that_are_wanted_are_read_under_their_own_numbers(
    tmp_path: Path, pages: str, wanted: list[int]
) -> None:
    asked: list[int] = []
    with opened(tmp_path) as index:
        report = index.add(numbered(tmp_path / "book.pdf"), pages=pages, approve=asked.append)
        assert (report.pages, asked) == (len(wanted), [len(wanted)])
        assert whole_text(index) == {number: f"chapter{number} text" for number in wanted}
        assert index.search(f"chapter{wanted[-1]}")[0].label == f"book.pdf p. {wanted[-1]}"


def test_other_pages_that_are_asked_for_later_take_their_place(tmp_path: Path) -> None:
    path = numbered(tmp_path / "book.pdf", 4)
    with opened(tmp_path) as index:
        index.add(path, pages="2")
        assert [one.document for one in index.add(path, pages="2").unchanged] == ["book.pdf"]
        index.add(path, pages="3-")
        assert [*whole_text(index)] == [3, 4]
        assert "none of those that were asked for (9)" in str(index.add(path, pages="9").failed[0].error)
        assert [*whole_text(index)] == [3, 4]
        index.add(path)
        assert [*whole_text(index)] == [1, 2, 3, 4]


@pytest.mark.parametrize("pages", ["", "x", "3-9-11", "0", "1,,2", "2-0", "--"])
def test_what_are_no_pages_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], pages: str) -> None:
    path = numbered(tmp_path / "book.pdf", 2)
    if not pages:
        pytest.skip("no pages are all pages")
    assert main(["index", str(path), f"--pages={pages}", f"--index={tmp_path / 'index'}"]) == 1
    assert "are no pages" in capsys.readouterr().err


def test_pages_are_chosen_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = numbered(tmp_path / "book.pdf", 5)
    assert main(["index", str(path), "--pages", "2-3", f"--index={tmp_path / 'index'}", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["pages"], told["added"][0]["pages"]) == (2, 5)


# from memory


def added(index: PageIndex, *given: object) -> AddReport:
    return index.add(list(given))  # type: ignore[arg-type]


def test_bytes_and_open_files_are_added_by_their_names(tmp_path: Path) -> None:
    content = numbered(tmp_path / "book.pdf", 2).read_bytes()
    with opened(tmp_path) as index:
        report = index.add(("2031/annual report.pdf", content))
        assert [(one.document, one.path) for one in report.added] == [("annual report.pdf", "2031/annual report.pdf")]
        held = io.BytesIO(numbered(tmp_path / "b.pdf", 1).read_bytes())
        with (tmp_path / "b.pdf").open("rb") as file:
            more = added(index, ("memory.pdf", held), file, ("again.pdf", bytearray(content)))
        assert [one.document for one in more.added] == ["memory.pdf"]
        assert [one.document for one in more.unchanged] == ["annual report.pdf"]
        (tmp_path / "book.pdf").unlink()
        assert index.picture(index.page("annual report.pdf p. 2"), long_side=200).height == 200


def test_other_bytes_under_the_same_name_take_its_place(tmp_path: Path) -> None:
    with opened(tmp_path) as index:
        index.add(("a.pdf", numbered(tmp_path / "one.pdf", 1).read_bytes()))
        report = index.add(("a.pdf", numbered(tmp_path / "two.pdf", 3).read_bytes()))
        assert [(one.document, one.pages) for one in report.replaced] == [("a.pdf", 3)]
        assert len(index.documents()) == 1


def test_bad_bytes_are_a_failure_by_their_name(tmp_path: Path) -> None:
    with opened(tmp_path) as index:
        report = index.add([("bad.pdf", b"%PDF-1.7 no more"), numbered(tmp_path / "good.pdf", 1)])
        (failure,) = report.failed
        assert failure.path == Path("bad.pdf")
        assert str(failure.error).startswith("bad.pdf is a damaged or truncated PDF")
        assert [one.document for one in report.added] == ["good.pdf"]


@pytest.mark.parametrize("given", [b"bytes alone", io.BytesIO(b"no name"), 7, ("", b"")])
def test_what_has_no_name_is_refused(tmp_path: Path, given: object) -> None:
    with opened(tmp_path) as index, pytest.raises(SettingsError, match="is no document"):
        added(index, given)


async def test_bytes_are_added_in_asyncio_too(tmp_path: Path) -> None:
    with opened(tmp_path) as index:
        report = await index.aadd(("a.pdf", numbered(tmp_path / "one.pdf", 1).read_bytes()))
        assert [one.document for one in report.added] == ["a.pdf"]

"""Finding documents: by content and not by name, each path's failure by itself."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest
from documents import as_bytes, pdf
from PIL import Image

from pagesight.indexing.documents.sources import find_documents, identify
from pagesight.indexing.errors import MissingPath, NoDocuments, UnreadableDocument


def messages(found) -> list[str]:
    return [str(failure.error) for failure in found.failures]


def test_a_document_is_known_by_the_hash_of_its_bytes(tmp_path):
    path = pdf(tmp_path / "a.pdf")
    [source] = find_documents([path]).sources
    assert source.document_id == hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    assert (source.path, source.kind, source.size) == (path, "pdf", path.stat().st_size)
    assert source.modified == path.stat().st_mtime_ns


def test_a_folder_is_searched_to_any_depth_in_order_without_what_is_hidden(tmp_path):
    for name in ("b.pdf", "a.PDF", "deep/er/c.pdf", ".hidden.pdf", ".git/d.pdf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        pdf(tmp_path / name)
    (tmp_path / "notes.log").write_text("notes")
    (tmp_path / "~$lease.docx").write_text("who has it open")
    found = find_documents([str(tmp_path)])
    names = [str(source.path.relative_to(tmp_path)) for source in found.sources]
    assert names == ["a.PDF", "b.pdf", str(Path("deep", "er", "c.pdf"))]
    assert sorted((one.path.name, one.kind) for one in found.skipped) == [
        (".git", "hidden"), (".hidden.pdf", "hidden"), ("notes.log", ".log"), ("~$lease.docx", "hidden"),
    ]  # fmt: skip
    assert not found.failures


def test_a_hidden_folder_that_is_given_itself_is_searched(tmp_path):
    (tmp_path / ".papers").mkdir()
    pdf(tmp_path / ".papers" / "a.pdf")
    assert len(find_documents([tmp_path / ".papers"]).sources) == 1


def test_a_file_that_is_reached_twice_is_found_once(tmp_path):
    path = pdf(tmp_path / "a.pdf")
    assert len(find_documents([path, tmp_path, path]).sources) == 1


def test_a_missing_path_fails_alone(tmp_path):
    pdf(tmp_path / "a.pdf")
    found = find_documents([tmp_path / "nowhere", tmp_path / "a.pdf"])
    [failure] = found.failures
    assert isinstance(failure.error, MissingPath)
    assert failure.path == tmp_path / "nowhere"
    assert "nowhere" in str(failure.error)
    assert len(found.sources) == 1


def test_a_folder_without_documents_says_what_it_holds(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.log").write_text("notes")
    found = find_documents([tmp_path / "empty", tmp_path / "notes"])
    assert all(isinstance(failure.error, NoDocuments) for failure in found.failures)
    empty, notes = messages(found)
    assert "it is empty" in empty
    assert ".log" in notes


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"])
def test_images_are_known_by_content(tmp_path, format):
    path = tmp_path / "picture.of-no-known-suffix"
    path.write_bytes(as_bytes(Image.new("RGB", (8, 8)), format))
    assert [source.kind for source in find_documents([path]).sources] == ["image"]


def test_a_pdf_may_start_late_and_have_any_name(tmp_path):
    path = tmp_path / "report"
    path.write_bytes(b"\r\n" * 200 + pdf(tmp_path / "a.pdf").read_bytes())
    assert identify(path) == "pdf"


def test_an_image_with_the_name_of_a_pdf_is_an_image(tmp_path):
    path = tmp_path / "scan.pdf"
    path.write_bytes(as_bytes(Image.new("RGB", (8, 8)), "PNG"))
    assert identify(path) == "image"


@pytest.mark.parametrize(
    ("content", "called"),
    [
        (b"<!DOCTYPE html><title>404</title>", "a web page (HTML)"),
        (b"PK\x03\x04rest", "ZIP archive"),
        (b"just some notes", "'just some notes'"),
        (b"\x00\x01\x02\x03", "00 01 02 03"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"", "empty (0 bytes)"),
        (b"   ", "a text"),
    ],
)
def test_what_is_no_pdf_in_spite_of_its_name_is_named(tmp_path, content, called):
    path = tmp_path / "report.pdf"
    path.write_bytes(content)
    found = find_documents([tmp_path])
    assert isinstance(found.failures[0].error, UnreadableDocument)
    [message] = messages(found)
    assert called in message
    assert "report.pdf" in message
    if content:
        assert "no PDF in spite of its name" in message


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes are made otherwise on Windows")
def test_a_named_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe.pdf")
    [failure] = find_documents([tmp_path / "pipe.pdf"]).failures
    assert isinstance(failure.error, UnreadableDocument)


def test_a_file_that_goes_away_before_it_is_hashed_is_unreadable(tmp_path):
    [source] = find_documents([pdf(tmp_path / "a.pdf")]).sources
    source.path.unlink()
    with pytest.raises(UnreadableDocument, match=r"a\.pdf"):
        _ = source.document_id


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root and Windows read all files")
def test_a_closed_file_and_folder_are_failures(tmp_path):
    pdf(tmp_path / "a.pdf").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    found = find_documents([tmp_path])
    assert len(found.failures) == 2


def test_a_loop_of_links_ends(tmp_path):
    pdf(tmp_path / "a.pdf")
    try:
        (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("links are not allowed here")
    assert len(find_documents([tmp_path]).sources) == 1

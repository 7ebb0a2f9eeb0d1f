"""Documents at ``s3://`` addresses, on a stand-in of the service (moto's); ``gs://`` as far as its way out goes."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
from documents import pdf
from small_index import small_settings

from pagesight.indexing import AddReport, PageIndex

SCANS = "reports/2031/data.zip"


@pytest.fixture
def bucket(tmp_path: Path, object_store: Any) -> str:
    """A bucket with three documents and an archive, on a server of this machine."""
    for key, words in {
        "reports/2031/ferry dues.pdf": "The ferry takes 412 kroner",
        "reports/2031/tolls.pdf": "The toll is six groats",
        "reports/lock.pdf": "The lock is closed on Sundays",
    }.items():
        content = pdf(tmp_path / "made.pdf", [[(words, 72, 700, 12)]]).read_bytes()
        object_store.put_object(Bucket="archive", Key=key, Body=content)
    object_store.put_object(Bucket="archive", Key=SCANS, Body=b"PK\3\4")
    return "s3://archive"


def added(folder: Path, *addresses: str, **settings: object) -> tuple[PageIndex, AddReport]:
    index = PageIndex.open(folder / "index", settings=small_settings(encoder="lexical", **settings))
    return index, index.add(list(addresses))


def test_one_file_of_a_bucket_is_known_by_its_address(tmp_path: Path, bucket: str) -> None:
    index, report = added(tmp_path, f"{bucket}/reports/2031/ferry dues.pdf")
    with index:
        assert (report.failed, report.pages) == ([], 1)
        (record,) = index.documents()
        assert (record.document, record.path) == ("ferry dues.pdf", f"{bucket}/reports/2031/ferry dues.pdf")
        hit = index.search("ferry kroner")[0]
        assert hit.lines == ["The ferry takes 412 kroner"]
        assert index.picture(hit.ref, long_side=200).height == 200
        assert [one.document for one in index.add([record.path]).unchanged] == ["ferry dues.pdf"]


def test_what_lies_under_an_address_is_taken_and_the_rest_is_counted(tmp_path: Path, bucket: str) -> None:
    index, report = added(tmp_path, f"{bucket}/reports/")
    with index:
        assert sorted(one.document for one in report.added) == ["ferry dues.pdf", "lock.pdf", "tolls.pdf"]
    assert (report.failed, report.kinds_passed_over()) == ([], {".zip": 1})


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/none.pdf", "there is nothing there"),
        ("/empty/", "there is nothing under it"),
        ("2/none.pdf", "cannot be fetched"),
        ("/" + SCANS, "it is a ZIP archive"),
    ],
)
def test_what_cannot_be_fetched_is_one_failure(tmp_path: Path, bucket: str, path: str, said: str) -> None:
    index, report = added(tmp_path, bucket + path, f"{bucket}/reports/lock.pdf")
    with index:
        assert [one.document for one in report.added] == ["lock.pdf"]
    (failure,) = report.failed
    assert said in str(failure.error)
    assert bucket + path in str(failure.error)


def test_size_has_a_limit(tmp_path: Path, bucket: str, object_store: Any) -> None:
    object_store.put_object(Bucket="archive", Key="large.pdf", Body=b"%PDF-" + bytes(1_000_001))
    index, report = added(tmp_path, f"{bucket}/large.pdf", file_megabytes=1)
    index.close()
    assert "has more than 1 MB. Set PAGESIGHT_FILE_MEGABYTES" in str(report.failed[0].error)


def test_wrong_keys_name_where_right_ones_come_from(
    tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    index, report = added(tmp_path, f"{bucket}/reports/lock.pdf")
    index.close()
    assert "Credentials are taken from AWS_ACCESS_KEY_ID" in str(report.failed[0].error)


@pytest.mark.parametrize(("scheme", "package"), [("s3", "s3fs"), ("gs", "gcsfs")])
def test_without_the_extra_the_way_out_is_named(
    tmp_path: Path, scheme: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = importlib.import_module("fsspec.registry")
    monkeypatch.delitem(loaded._registry, scheme, raising=False)  # what other tests have loaded
    monkeypatch.setitem(sys.modules, package, None)
    index, report = added(tmp_path, f"{scheme}://archive/a.pdf")
    index.close()
    assert f"{scheme}:// addresses are read by {package}, which is not installed" in str(report.failed[0].error)
    assert "remote]" in str(report.failed[0].error)

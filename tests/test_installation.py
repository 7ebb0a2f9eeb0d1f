"""The command that a hint names works from where pagesight was installed."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest

from pagesight.indexing.configuration.installation import install_command, package_command


def installed_from(folder: Path, monkeypatch: pytest.MonkeyPatch, origin: dict[str, object] | None) -> None:
    """Installs nothing: puts the notes of an installation of pagesight before all others."""
    notes = folder / "site" / "pagesight-9.dist-info"
    notes.mkdir(parents=True)
    (notes / "METADATA").write_text("Metadata-Version: 2.1\nName: pagesight\nVersion: 9\n")
    if origin is not None:
        (notes / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.setattr(sys, "path", [str(folder / "site")])


def what(command: str) -> list[str]:
    """The words of the command after those that name the installer and the environment."""
    words = shlex.split(command)
    last = words.index("--python") + 1 if "--python" in words else words.index("install")
    return words[last + 1 :]


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ({"url": "file://FOLDER/a%20clone", "dir_info": {"editable": True}}, ["-e", "FOLDER/a clone[mcp]"]),
        ({"url": "file://FOLDER/a%20clone", "dir_info": {}}, ["FOLDER/a clone[mcp]"]),
        ({"url": "file://FOLDER/gone", "dir_info": {}}, ["pagesight[mcp]"]),
        ({"url": "file://FOLDER/p.whl", "archive_info": {}}, ["pagesight[mcp] @ file://FOLDER/p.whl"]),
        ({"url": "https://h/p", "vcs_info": {"vcs": "git"}}, ["pagesight[mcp] @ git+https://h/p"]),
        (None, ["pagesight[mcp]"]),
    ],
)
def test_an_extra_comes_from_where_pagesight_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: dict[str, object] | None, expected: list[str]
) -> None:
    (tmp_path / "a clone").mkdir()
    (tmp_path / "p.whl").touch()
    placed = json.loads(json.dumps(origin).replace("FOLDER", str(tmp_path))) if origin else None
    installed_from(tmp_path, monkeypatch, placed)

    assert what(install_command("mcp")) == [word.replace("FOLDER", str(tmp_path)) for word in expected]


def test_without_uv_pip_is_named_unless_torch_is_to_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed_from(tmp_path, monkeypatch, None)
    (tmp_path / "site" / "pip.py").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    assert install_command("mcp") == f"{tmp_path}/python -m pip install 'pagesight[mcp]'"
    assert package_command("a", "b") == f"{tmp_path}/python -m pip install a b"
    assert install_command("colpali").startswith("pip install uv && uv pip install")

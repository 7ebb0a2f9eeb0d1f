"""`pagesight doctor`: what it says of a sound setup and of broken ones, and that its remedies are commands."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from small_index import write_pdf

from pagesight.agent.cli import main

FILES = ["office files", "texts and mails", "fonts"]
NAMES = ["core", "renderer", *FILES, "colpali extra", "GPU", "encoder", "reasoner", "prices", "index"]


@pytest.fixture
def doctor(capsys):
    """Runs `doctor --json`; returns the exit status and the checks by name."""

    def run(*arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
        capsys.readouterr()
        status = main(["doctor", "--json", *arguments])
        report = json.loads(capsys.readouterr().out)
        assert report["works"] is (status == 0)
        return status, {check["name"]: check for check in report["checks"]}

    return run


def test_a_sound_setup(doctor):
    status, checks = doctor()
    assert status == 0
    assert list(checks) == NAMES
    assert all(set(check) == {"name", "state", "says", "fix"} for check in checks.values())
    assert checks["core"]["state"] == "ok"
    assert "lexical" in checks["encoder"]["says"]
    assert checks["reasoner"]["says"].startswith("offline")
    assert "GOOGLE_API_KEY" in checks["reasoner"]["fix"]
    assert checks["index"]["fix"] == "pagesight index PATHS… --index .pagesight"


def test_what_other_kinds_of_files_need_is_looked_for(doctor, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    checks = doctor()[1]
    assert checks["office files"]["state"] == "absent"
    assert checks["office files"]["fix"].startswith("apt install libreoffice-writer")
    (tmp_path / "soffice").write_text("#!/bin/sh\n")
    (tmp_path / "soffice").chmod(0o755)
    assert doctor()[1]["office files"]["says"] == f"LibreOffice, {tmp_path / 'soffice'}"
    assert checks["fonts"]["state"] in ("ok", "absent")
    assert (checks["fonts"]["fix"] == "apt install fonts-noto-cjk") is (checks["fonts"]["state"] == "absent")


def test_it_lists_what_sets_each_setting(capsys, monkeypatch, own_folder):
    capsys.readouterr()
    monkeypatch.setenv("PAGESIGHT_TOP_K", "7")
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-a-test-key")
    (own_folder / ".env").write_text(
        "PAGESIGHT_TOP_K=6\nPAGESIGHT_DIM=64\nPAGESIGHT_INDEX=http://me:hidden@127.0.0.1:1/x\n"
    )
    main(["doctor", "--json", "--index", "nowhere"])
    out = capsys.readouterr().out
    assert json.loads(out)["settings"] == {
        "index": {
            "value": "http://127.0.0.1:1/x", "set_by": f"PAGESIGHT_INDEX in {own_folder / '.env'}",
        },
        "dim": {"value": 64, "set_by": f"PAGESIGHT_DIM in {own_folder / '.env'}"},
        "top_k": {"value": 7, "set_by": "PAGESIGHT_TOP_K in the environment"},
        "google_api_key": {"value": "**********", "set_by": "GOOGLE_API_KEY or GEMINI_API_KEY in the environment"},
    }  # fmt: skip
    assert "hidden" not in out
    main(["doctor", "--index", "nowhere"])
    assert f"    dim = 64 (PAGESIGHT_DIM in {own_folder / '.env'})\n" in capsys.readouterr().out


def test_for_people(capsys):
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    for name in NAMES:
        assert re.search(rf"^[✓–] {name}: \S", out, re.M)
    assert re.search(r"^    → pagesight index PATHS", out, re.M)


def test_it_does_not_load_torch(doctor, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it would fail
    assert doctor()[0] == 0


def test_with_a_key_gemini_would_answer(doctor, monkeypatch):
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-a-test-key")
    status, checks = doctor()
    assert status == 0
    assert checks["reasoner"]["says"].startswith("google_genai:")
    assert "AIza" not in json.dumps(checks)


def test_a_reasoner_without_its_key_is_broken(doctor, monkeypatch):
    monkeypatch.setenv("PAGESIGHT_REASONER", "google_genai:gemini-x")
    status, checks = doctor()
    assert status == 1
    assert checks["reasoner"]["state"] == "broken"
    assert "GOOGLE_API_KEY" in checks["reasoner"]["says"]


def test_a_missing_poppler_is_broken_only_where_it_is_set(doctor, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor()[1]["renderer"]["state"] == "ok"
    monkeypatch.setenv("PAGESIGHT_RENDERER", "poppler")
    status, checks = doctor()
    assert status == 1
    assert "poppler" in checks["renderer"]["fix"]


def test_an_unknown_encoder_is_broken(doctor, monkeypatch):
    monkeypatch.setenv("PAGESIGHT_ENCODER", "crystal-ball")
    status, checks = doctor()
    assert status == 1
    assert "crystal-ball" in checks["encoder"]["says"]


def test_the_command_for_a_missing_extra(doctor, monkeypatch):
    real = importlib.metadata.version

    def without_torch(name: str) -> str:
        if name == "torch":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", without_torch)
    extra = doctor()[1]["colpali extra"]
    assert extra["state"] == "absent"
    assert "torch is missing" in extra["says"]
    words = shlex.split(extra["fix"])
    assert words[-1].endswith("[colpali]")
    assert sys.executable in words
    assert Path(words[-1].removesuffix("[colpali]"), "pyproject.toml").exists()


def test_a_package_that_is_too_old_breaks_the_core(doctor, monkeypatch):
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.1" if name == "rich" else real(name))
    status, checks = doctor()
    assert status == 1
    assert "rich is 0.1, not <16,>=14" in checks["core"]["says"]
    assert "uv" in checks["core"]["fix"]


def test_the_index(doctor, own_folder):
    write_pdf(own_folder / "paper.pdf", [["One"], ["Two"]])
    assert main(["index", "paper.pdf"]) == 0
    status, checks = doctor()
    assert status == 0
    assert checks["index"]["says"] == ".pagesight: 1 document, 2 pages, encoder lexical"
    (own_folder / ".pagesight" / "index.json").write_text("{")
    status, checks = doctor()
    assert status == 1
    assert "damaged" in checks["index"]["says"]

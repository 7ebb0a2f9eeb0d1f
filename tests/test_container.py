"""The Containerfile, as far as it can be held without a builder; `make container-steps` runs its steps."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STAGES = runpy.run_path(str(ROOT / "containers" / "run_steps.py"))["stages"]()
BUILD, IMAGE = STAGES


def of(stage: list[tuple[str, str]], name: str) -> list[str]:
    return [rest for instruction, rest in stage if instruction == name]


def test_what_is_copied_is_there_and_every_room_is_copied() -> None:
    copied = [source for rest in of(BUILD, "COPY") for source in rest.split()[:-1]]
    assert not [source for source in copied if not (ROOT / source).exists()]
    assert {"agent/", "tools/", "indexing/", "samples/", "requirements/"} <= set(copied)


def test_packages_come_from_the_lock_and_none_from_elsewhere() -> None:
    steps = of(BUILD, "RUN")
    assert all(step.startswith("sh containers/install.sh ") for step in steps)
    script = (ROOT / "containers" / "install.sh").read_text()
    installs = [line for line in script.splitlines() if "pip install" in line]
    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-deps --no-build-isolation ." in line for line in installs)
    assert of(BUILD, "ARG") == ["EXTRAS=http"]
    assert (ROOT / "requirements" / "http.txt").exists()


def test_it_runs_as_a_user_with_a_volume_and_asks_for_tokens() -> None:
    assert of(IMAGE, "USER") == ["pagesight"]
    assert of(IMAGE, "VOLUME") == ["/data"]
    assert "-o pagesight" in of(IMAGE, "RUN")[0]
    assert "PAGESIGHT_INDEX=/data/index" in of(IMAGE, "ENV")[0]
    assert "--tokens" in of(IMAGE, "CMD")[0]
    order = [name for name, _ in IMAGE]
    assert order.index("USER") < order.index("ENTRYPOINT")


def test_the_script_of_its_steps_says_what_it_takes(tmp_path: Path) -> None:
    script = ROOT / "containers" / "install.sh"
    subprocess.run(["sh", "-n", script], check=True)
    for wrong in (["packages", tmp_path / "venv", "everything"], ["other", tmp_path / "venv"]):
        done = subprocess.run(["sh", script, *wrong], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 1
        assert "error: " in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("name", ["http.txt"])
def test_the_services_pins_are_those_of_the_whole_lock(name: str) -> None:
    def pins(file: str) -> set[str]:
        lines = (ROOT / "requirements" / file).read_text().splitlines()
        return {line.split()[0] for line in lines if "==" in line and not line.startswith((" ", "#"))}

    assert not pins(name) - pins("all.txt")

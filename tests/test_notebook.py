"""The notebook runs from top to bottom without a key, and stands in the repository as it ran."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="the notebook's tests need nbformat")
nbclient = pytest.importorskip("nbclient", reason="the notebook's tests need nbclient")

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
WALKTHROUGH = NOTEBOOKS / "walkthrough.ipynb"


def printed(notebook: object) -> str:
    """All text that the cells printed or showed."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]  # type: ignore[attr-defined]
    streams = [output.text for output in outputs if output.output_type == "stream"]
    shown = [str(output.data.get("text/plain", "")) for output in outputs if "data" in output]
    return "\n".join(streams + shown)


@pytest.fixture
def own_jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps what a kernel writes into the home folder (history, profiles) in this test's own."""
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(variable, str(tmp_path / "jupyter"))


@pytest.mark.slow
@pytest.mark.usefixtures("own_jupyter")
def test_it_runs_from_top_to_bottom_without_a_key() -> None:
    notebook = nbformat.read(WALKTHROUGH, as_version=4)
    # The client raises CellExecutionError at the first cell that fails, with its traceback.
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()
    said = printed(notebook)
    assert "No key is set" in said
    assert "34 pages of 6 documents" in said
    assert "sent as fileData" in said
    assert "54.5 dB(A)" in said  # from the scan, read by OCR and quoted without a model
    assert "Citation(label='datenblatt.pdf p. 2'" in said  # through the bigger graph


def test_it_is_committed_as_it_ran() -> None:
    notebook = nbformat.read(WALKTHROUGH, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
    assert sum("image/" in str(list(output.get("data", {}))) for cell in code for output in cell.outputs) >= 8
    assert WALKTHROUGH.stat().st_size < 3_000_000
    assert not re.search(r"/(home|root|Users|tmp|work)/", WALKTHROUGH.read_text(encoding="utf-8"))

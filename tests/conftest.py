"""What every test starts from: an empty folder, none of the caller's settings or keys, and no network but loopback."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

#: Variables that would change what the tests see: settings, keys, and services that libraries report to.
FOREIGN = ("PAGESIGHT_", "GOOGLE_", "GEMINI_", "OPENAI_", "ANTHROPIC_", "LANGSMITH_", "LANGCHAIN_", "MILVUS_")


def pytest_configure() -> None:
    """Clears the environment before anything is collected, also for the processes that tests start."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    os.environ["HF_HUB_OFFLINE"] = "1"
    # Importing pymilvus loads the `.env` found in any folder above it, the clone's too, into the environment.
    os.environ["PYTHON_DOTENV_DISABLED"] = "1"
    # A job in the background of a shell ignores Ctrl-C, and so would the processes that tests send it to.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test works in an empty folder of its own, so that no `.env` and no index of the caller's is found."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder

"""pytest in processes forked from one that has imported the libraries: what they cost is paid once, not for each run.

    python tests/warm_pytest.py serve SOCKET ARGUMENT...    until it is ended
    python tests/warm_pytest.py ask SOCKET                  runs pytest with the arguments; its exit status

For mutants.py, whose runs would take mostly to import numpy and LangGraph. The code under test is imported anew.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

_SECONDS = 240  # a run that takes longer hangs
_HANGS = 99
_LIBRARIES = ("numpy", "PIL.Image", "pydantic_settings", "typer", "rich.console", "faiss", "pypdfium2", "reportlab",
              "reportlab.pdfgen.canvas", "pyarrow", "pymilvus", "milvus_lite.adapter.grpc.server", "filelock", "pytest",
              "langchain_core.messages", "langgraph.prebuilt", "langchain_google_genai", "google.genai", "httpx",
              "pytest_socket", "pytest_asyncio", "tenacity")  # fmt: skip


def serve(place: str, arguments: list[str]) -> None:
    """Answers each who asks with the exit status of a run."""
    import importlib

    os.environ["PYTHON_DOTENV_DISABLED"] = "1"  # as tests/conftest.py says
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
    for name in _LIBRARIES:
        importlib.import_module(name)
    assert not [name for name in sys.modules if name.startswith("pagesight.")]
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(place)
        server.listen()
        while True:
            asked, _ = server.accept()
            with asked:
                asked.sendall(bytes([_run(arguments)]))


def _run(arguments: list[str]) -> int:
    child = os.fork()
    if child == 0:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        import pytest

        os._exit(int(pytest.main(arguments)))
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(_SECONDS)
    _, status = os.waitpid(child, 0)
    signal.alarm(0)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else _HANGS


def ask(place: str) -> int:
    """The exit status of a run of who serves there."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(place)
        return client.recv(1)[0]


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], sys.argv[3:])
    sys.exit(ask(sys.argv[2]))

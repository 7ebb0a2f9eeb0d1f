"""`pagesight serve`: lets several processes of this machine have one index open, until it is stopped."""

from __future__ import annotations

import contextlib
import signal
import threading
from pathlib import Path
from types import FrameType

from pagesight.agent.terminal import printing
from pagesight.indexing.errors import PageIndexError
from pagesight.indexing.storage.address import server_address


def serve(place: str, port: int) -> None:
    """Serves the index in a folder until Ctrl-C or SIGTERM. Raises as `serving` does."""
    from pagesight.indexing.milvus.serving import serving

    if address := server_address(place):
        raise PageIndexError(f"{address} is on a Milvus server, which any number of processes can open as it is.")
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    with serving(Path(place), port) as served_at, contextlib.suppress(KeyboardInterrupt):
        printing.note(f"serving {place} at {served_at}; open it with --index {place} as ever. Ctrl-C ends this.")
        stopped.wait()

"""What happens inside a model call or a tool, told to whoever follows the agent's run: waits, and bytes sent.

It goes through LangGraph's custom stream, so it reaches the run that it belongs to, also where many run at once, and
nobody where nobody listens. LangGraph is not loaded for it: where it is not, no graph runs.
"""

from __future__ import annotations

import sys
from typing import Any

#: The key by which our items in a custom stream are known.
KEY = "pagesight"


def tell(kind: str, **what: Any) -> None:
    """Puts an item into the custom stream of the graph that runs here, if one does."""
    config = sys.modules.get("langgraph.config")
    if config is None:
        return
    try:
        write = config.get_stream_writer()
    except (RuntimeError, KeyError):
        return
    write({KEY: kind, **what})


def tell_bytes(number: int) -> None:
    """Tells how many bytes of pictures leave this machine."""
    if number:
        tell("sent", bytes=number)

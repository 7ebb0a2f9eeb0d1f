"""What an HTTP client raises when the network fails, told by the names of its classes.

google-genai speaks through httpx, httpx2 or aiohttp, whichever is installed. httpx2 is httpx under another name, but
its errors are no httpx errors: what catches one class misses the other.
"""

from __future__ import annotations

from typing import Literal

NetworkError = Literal["silent", "broken", "unusable"]

_CLIENTS = {"httpx", "httpx2", "aiohttp"}
#: The base classes of what each client raises: httpx and httpx2, then aiohttp, then Python's own.
_FAMILIES = {"HTTPError", "InvalidURL", "ClientError", "ConnectionError", "TimeoutError"}
#: The server has answered, and refused: no matter of the network.
_ANSWERED = {"HTTPStatusError", "ClientResponseError"}
#: A connection that takes too long to come about is one that fails: it may come about the next time.
_NOT_CONNECTED = {"ConnectTimeout", "PoolTimeout", "ConnectionTimeoutError"}
_UNUSABLE = {"UnsupportedProtocol", "InvalidURL", "TooManyRedirects"}


def network_error(error: BaseException) -> NetworkError | None:
    """What has failed, or None if it was not the network.

    "silent": the server took the request and did not answer in time; "broken": there was no connection, or it ended
    early; "unusable": the address cannot be asked at all.
    """
    names = {kind.__name__ for kind in type(error).__mro__ if _is_of_a_client(kind)}
    if not names & _FAMILIES or names & _ANSWERED:
        return None
    if names & _UNUSABLE:
        return "unusable"
    if names & _NOT_CONNECTED:
        return "broken"
    return "silent" if names & {"TimeoutException", "TimeoutError"} else "broken"


def _is_of_a_client(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in _CLIENTS or kind in (ConnectionError, TimeoutError)

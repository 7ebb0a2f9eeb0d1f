"""A file from an ``https://`` address, fetched behind a guard.

Only public addresses are connected to: the host's name is resolved once, each of its addresses is checked, and what was
checked is what is connected to. Each redirect is checked alike. Proxies of the environment are not used.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import time
from collections.abc import Iterable
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from pagesight.indexing.errors import UnreadableDocument

_MOST_REDIRECTS = 5
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # leads to any IPv4 address, also a private one


def download(url: str, target: BinaryIO, *, largest: int, seconds: float) -> None:
    """Write what is at the address to ``target``: ``largest`` bytes at most, within so many seconds in all.

    Raises UnreadableDocument, which names the address and what was wrong.
    """
    ends, here = time.monotonic() + seconds, url
    try:
        with httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False), network_backend=_OnlyPublic(), retries=0
        ) as pool:
            for _ in range(_MOST_REDIRECTS + 1):
                moved_to = _fetched(pool, _checked(here), target, largest, ends)
                if moved_to is None:
                    return
                here = urljoin(here, moved_to)
    except _Refused as refused:
        where = "" if here == url else f", which leads to {here},"
        raise UnreadableDocument(f"{url}{where} cannot be fetched: {refused}") from None
    except httpcore.TimeoutException:
        raise UnreadableDocument(f"{url} cannot be fetched: it took longer than {seconds:g} s.") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError) as error:
        raise UnreadableDocument(f"{url} cannot be fetched: {error or type(error).__name__}.") from None
    raise UnreadableDocument(f"{url} cannot be fetched: it leads to more than {_MOST_REDIRECTS} other addresses.")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, not of this machine, a private network or a cloud's inside."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if inner is not None:
            return is_public(str(inner))
        if found in _NAT64:
            return False
    return found.is_global and not found.is_multicast


class _Refused(Exception):
    """Why an address is not fetched, in words that end with a full stop."""


class _OnlyPublic(httpcore.SyncBackend):
    """Connects to public addresses alone."""

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """A connection to one of the host's addresses, each of which must be public."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(info[4][0]).partition("%")[0] for info in found))
        inside = [address for address in addresses if not is_public(address)]
        if inside or not addresses:
            raise _Refused(f"{host} is {', '.join(inside) or 'nowhere'}, which is no public address.")
        for address in addresses[:-1]:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
        return super().connect_tcp(addresses[-1], port, timeout, local_address, socket_options)


def _checked(url: str) -> str:
    """The address, if it is one of the kind that is fetched."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise _Refused("only https://, s3:// and gs:// addresses are.")
    if parts.username or parts.password:
        raise _Refused("it holds a name or a password. Download it yourself.")
    return url.partition("#")[0]


def _fetched(pool: httpcore.ConnectionPool, url: str, target: BinaryIO, largest: int, ends: float) -> str | None:
    """Where the address leads to; or None once what is there has been written."""
    left = max(ends - time.monotonic(), 0.1)
    headers = [("Accept", "*/*"), ("Accept-Encoding", "identity"), ("User-Agent", "pagesight")]
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), left)
    with pool.stream("GET", url, headers=headers, extensions={"timeout": timeouts}) as response:
        told = {name.lower(): value.decode("latin-1") for name, value in response.headers}
        if response.status in (301, 302, 303, 307, 308) and b"location" in told:
            return told[b"location"]
        if response.status != 200:
            raise _Refused(f"the server answers with status {response.status}.")
        written = 0
        for chunk in response.iter_stream():
            written += len(chunk)
            if written > largest:
                raise _Refused(
                    f"it has more than {largest / 1e6:,.0f} MB. Set PAGESIGHT_FILE_MEGABYTES to more for it."
                )
            if time.monotonic() > ends:
                raise httpcore.ReadTimeout
            target.write(chunk)
    return None

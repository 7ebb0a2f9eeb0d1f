"""Runs the service with uvicorn: in this process, or in several that share one socket and one index."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial

import uvicorn
from uvicorn.supervisors import Multiprocess

from pagesight.indexing.configuration import environment
from pagesight.indexing.errors import SettingsError

#: Connections at a time in one process: a guess, not measured. Beyond them uvicorn answers 503.
_MOST_CONNECTIONS = 1000
#: Seconds for which a connection without a request is kept, and that replies may take when the service ends.
_IDLE, _ENDING = 5, 10
#: Seconds for which a process may not answer before it is replaced. One that starts loads all libraries first, which
#: took over 40 s on two busy cores.
_SILENT = 180
#: Seconds after which a thread gives way to another. Python's own is 5 ms, which each thread of questions may take
#: before the loop goes on (docs/service.md has the figures).
SWITCH = 0.0005


def serve(plan: object, *, host: str, port: int, workers: int, started: Callable[[str], object]) -> None:
    """Serves until it is stopped; ``started`` is told the address. Port 0 takes any that is free.

    Raises SettingsError if the address cannot be listened at.
    """
    with listening(host, port) as listener:
        config = uvicorn.Config(
            partial(_application, plan), factory=True, log_level="warning", access_log=False, workers=workers,
            limit_concurrency=_MOST_CONNECTIONS, timeout_keep_alive=_IDLE, timeout_graceful_shutdown=_ENDING,
            server_header=False, ws="none", lifespan="on",
            timeout_worker_healthcheck=_SILENT,
        )  # fmt: skip
        name = f"[{host}]" if ":" in host else host
        started(f"http://{name}:{listener.getsockname()[1]}")
        if workers == 1:
            uvicorn.Server(config).run(sockets=[listener])
        else:
            with _counted_together():
                Multiprocess(config, [listener]).run()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens there. Raises SettingsError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError(
            f"the service cannot listen at {host} port {port} ({error.strerror or error}): give another with --port, "
            "or 0 for any that is free"
        ) from error
    with listener:
        yield listener


@contextlib.contextmanager
def _counted_together() -> Iterator[None]:
    """Within it processes that are started count into one folder."""
    with (
        tempfile.TemporaryDirectory(prefix="pagesight-metrics-") as folder,
        environment.set_to(PROMETHEUS_MULTIPROC_DIR=folder),
    ):
        yield


def _application(plan: object) -> object:
    """The application, made in the process that runs it."""
    from pagesight.agent.servers.app import make_app

    sys.setswitchinterval(SWITCH)
    return make_app(plan)  # type: ignore[arg-type]

"""Starts a Milvus server from the package `milvus`, runs a command against it and ends it: `make test-server`.

    PYTHON tests/milvus_server.py COMMAND…

PYTHON has the package (requirements/milvus.txt). ``{}`` in the command becomes the server's address, with the login:
authorization is on, so that every test goes through it. The server has its data in a temporary folder, and lives no
longer than the command and 15 minutes. It listens on all interfaces, and nothing can keep it from that: so it and the
command run in a network of their own, in which there is only loopback, where the system lets one be made.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import milvus

_LIFE_SECONDS = 900
_START_SECONDS = 120
_LOGIN = "root:Milvus"  # what a new server has
_ETCD_PEERS = 2380  # the one port of its that cannot be set
_INSIDE = "MILVUS_SERVER_IN_OWN_NETWORK"
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1  # linux/sockios.h, net/if.h


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """The server's address, with the login, while the block runs."""
    port = _free_port()
    # A port that is given and taken is an error; for one that is not given the package takes another.
    config = milvus.MilvusServerConfig(proxy_port=port, data_dir=str(folder))
    config.set("authorization_enabled", True)
    config.resolve()
    milvus._initialize_data_files(str(folder))
    health = _free_port()
    environment = os.environ | {
        "DEPLOY_MODE": "STANDALONE",
        "METRICS_PORT": str(health),
        "MILVUS_RUN_DIR": str(folder / "run"),
        "LD_LIBRARY_PATH": f"{folder / 'bin'}:{os.environ.get('LD_LIBRARY_PATH', '')}",
    }
    bound = ["timeout", "--kill-after=5", str(_LIFE_SECONDS)] if shutil.which("timeout") else []
    command = [*bound, str(folder / "bin" / "milvus"), "run", "standalone"]
    with (folder / "server.log").open("w") as log:
        running = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            _wait(running, f"http://127.0.0.1:{health}/healthz", folder / "server.log")
            yield f"http://{_LOGIN}@127.0.0.1:{port}"
        finally:
            running.terminate()
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                running.kill()


def _wait(running: subprocess.Popen[bytes], health: str, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and running.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(health, timeout=5) as answer:
            if b"OK" in answer.read():
                time.sleep(1)  # it says so a moment before it takes calls
                return
        time.sleep(0.2)
    sys.exit(f"error: the Milvus server did not start. Its last words:\n{log.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _in_own_network() -> None:
    """Start this program anew in a network namespace; returns where that has been done, or cannot be."""
    if os.environ.pop(_INSIDE, None):
        with socket.socket() as any_socket:
            interface = struct.pack("16sh14x", b"lo", _IFF_UP)
            fcntl.ioctl(any_socket, _SIOCSIFFLAGS, interface)
        return
    command = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True).returncode == 0:
        os.execvpe("unshare", [*command, sys.executable, __file__, *sys.argv[1:]], os.environ | {_INSIDE: "1"})
    print("no network namespace can be made: the server listens on all interfaces while it runs", flush=True)


def _refuse_second() -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", _ETCD_PEERS))
        except OSError:
            sys.exit(f"error: port {_ETCD_PEERS} is taken, as by another Milvus server; it cannot be set to another")


def main() -> int:
    """Runs the command and returns its exit status."""
    _in_own_network()
    _refuse_second()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="milvus-", ignore_cleanup_errors=True) as folder:
        started = time.monotonic()
        with server(Path(folder)) as address:
            print(f"Milvus {milvus.__version__} started in {time.monotonic() - started:.0f} s", flush=True)
            command = [part.replace("{}", address) for part in sys.argv[1:]]
            return subprocess.run(command, timeout=_LIFE_SECONDS).returncode


if __name__ == "__main__":
    sys.exit(main())

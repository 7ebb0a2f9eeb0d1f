"""A Postgres of its own for tests, in a folder and on a socket in it; None where none is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NAME = "pagesight"


def installed() -> Path | None:
    """The folder of its programs."""
    found = [Path(path).resolve().parent for name in ("postgres",) if (path := shutil.which(name))]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").exists()), None)


@contextmanager
def postgres() -> Iterator[str]:
    """The address of a database that is empty. It refuses to run as root, and then runs as nobody."""
    import psycopg

    programs = installed()
    assert programs
    with tempfile.TemporaryDirectory(prefix="pagesight-pg-", dir="/tmp") as place:  # a socket's path must be short
        folder = Path(place)
        user = "nobody" if os.geteuid() == 0 else None
        if user:
            shutil.chown(folder, user)
        files = str(folder / "files")
        subprocess.run(
            [programs / "initdb", "-D", files, "-A", "trust", "-U", _NAME, "--no-sync", "-E", "UTF8", "--locale=C"],
            user=user, check=True, stdout=subprocess.DEVNULL, timeout=60, cwd=folder,
        )  # fmt: skip
        options = {"listen_addresses": "", "unix_socket_directories": str(folder), "fsync": "off"}
        command = [programs / "postgres", "-D", files, *(f"-c{name}={value}" for name, value in options.items())]
        with subprocess.Popen(command, user=user, stderr=subprocess.DEVNULL, cwd=folder) as process:
            try:
                address = f"host={folder} user={_NAME} dbname=postgres"
                deadline = time.monotonic() + 30
                while True:
                    try:
                        psycopg.connect(address).close()
                        break
                    except psycopg.OperationalError:
                        assert time.monotonic() < deadline
                        assert process.poll() is None
                        time.sleep(0.05)
                yield address
            finally:
                process.terminate()

"""A real PostgreSQL for tests, on a free port of loopback, with its data in a folder that goes with it."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from tests.support.waiting import PATIENCE

BIN = Path(os.environ.get("PLATFORM_METER_POSTGRES_BIN", "/usr/lib/postgresql/15/bin"))
_USER = "postgres"


class Server:
    """A running server. `schema` gives each test an empty place of its own."""

    def __init__(self, port: int) -> None:
        self._address = f"127.0.0.1:{port}/{_USER}"
        self._numbers = itertools.count(1)

    def schema(self) -> str:
        """The URL of a new, empty schema."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(f"postgresql://{_USER}@{self._address}", autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"postgresql://{_USER}@{self._address}?options=-csearch_path%3D{name}"


@contextmanager
def server() -> Iterator[Server]:
    """Start PostgreSQL, stop it by its pid. It refuses to run as root: then it runs as the user `postgres`."""
    become = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--init-groups", "--"] if os.getuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="pm-pg-"))
    if become:
        shutil.chown(folder, _USER)
    data = folder / "data"
    initdb: list[str | Path] = [
        BIN / "initdb",
        "-D",
        data,
        "-U",
        _USER,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]
    subprocess.run([*become, *initdb], check=True, capture_output=True, cwd=folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "max_connections": "50",
        "shared_buffers": "32MB",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    # setpriv becomes the server: the process started here is the one to stop.
    with subprocess.Popen(
        [*become, BIN / "postgres", "-D", data, *options], cwd=folder, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = []
        for line in process.stderr:
            said.append(line)
            if "ready to accept connections" in line:
                break
        else:
            raise RuntimeError("PostgreSQL did not start:\n" + "".join(said))
        # What nobody reads would fill the pipe and stop the server.
        reader = threading.Thread(target=deque, args=(process.stderr, 0), daemon=True)
        reader.start()
        try:
            yield Server(port)
        finally:
            process.send_signal(signal.SIGINT)  # fast shutdown
            process.wait(PATIENCE)
            reader.join()
    shutil.rmtree(folder)

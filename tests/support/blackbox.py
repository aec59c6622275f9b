"""A real blackbox_exporter for tests, as Debian packs it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
import yaml
from tests.support.processes import Server, free_ports
from tests.support.waiting import PATIENCE


@contextmanager
def blackbox(folder: Path, modules: dict[str, Any]) -> Iterator[int]:
    """Port of a running one with these modules (as in blackbox.yml), for the time of the block.

    Raises:
        RuntimeError: it is not installed; the text says which package holds it.
    """
    program = shutil.which("prometheus-blackbox-exporter")
    if program is None:
        raise RuntimeError("prometheus-blackbox-exporter is not on PATH; install Debian's package of that name")
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "blackbox.yml"
    config.write_text(yaml.safe_dump({"modules": modules}))
    (port,) = free_ports(1)

    def ready() -> bool:
        try:
            with requests.Session() as session:
                session.trust_env = False
                return session.get(f"http://127.0.0.1:{port}/-/healthy", timeout=PATIENCE).ok
        except requests.RequestException:
            return False

    command = [program, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}"]
    server = Server(command, folder / "blackbox.log", ready)
    server.start()
    try:
        yield port
    finally:
        server.stop()

"""Starting and ending the real servers that tests run on."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

START_SECONDS = 180.0
"""A cold cache on two busy cores."""
_PORTS = range(10_000, 32_000)
"""Below those that the kernel gives to whoever asks for any, so that none is taken between here and its use."""
_ports = itertools.islice(itertools.cycle(_PORTS), os.getpid() * 997 % len(_PORTS), None)
"""Tests that run side by side begin far from each other."""


def free_ports(count: int) -> list[int]:
    """Loopback ports in a row that are free now, and given to nobody else by this process for a long time."""
    found: list[int] = []
    while len(found) < count:
        port = next(_ports)
        in_a_row = not found or port == found[-1] + 1
        found = [*found, port] if in_a_row and is_free(port) else []
    return found


def is_free(port: int) -> bool:
    """Whether this loopback port can be taken now."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


class Server:
    """One process of ours, its output in a file, ended by its own id."""

    def __init__(self, command: Sequence[str | Path], log: Path, ready: Callable[[], bool]) -> None:
        self._command, self._log, self._ready = [str(c) for c in command], log, ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait until it answers.

        Raises:
            RuntimeError: it ended or did not answer in time; the text holds the end of its output.
        """
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(self._command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        until = time.monotonic() + START_SECONDS
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"{self._command[0]} did not start:\n{self._log.read_text()[-3000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask it to end, and after 20 s insist."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

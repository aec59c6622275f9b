"""Typed JSON, asked for by many threads at once."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from platform_meter.model.typed import decode, decoder

RACE = """
import sys, threading
import msgspec
from platform_meter.model.typed import decode

sys.setswitchinterval(1e-6)
for _ in range(150):
    class Inner(msgspec.Struct):
        a: int = 0
        b: "dict[str, list[int]]" = msgspec.field(default_factory=dict)
    class Outer(msgspec.Struct):
        items: list[Inner]
        one: Inner
    go = threading.Barrier(8)
    def run():
        go.wait()
        decode(b'{"items": [{"a": 1, "b": {"k": [1]}}], "one": {"a": 3}}', Outer)
    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


def test_threads_that_ask_for_a_new_type_at_once_all_get_it() -> None:
    """In a process of its own, since one that is prepared twice at a time ends it."""
    done = subprocess.run([sys.executable, "-c", RACE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_type_has_one_decoder() -> None:
    """Written in another way it is the same."""
    assert decoder(list[int]) is decoder(list[int])
    assert decode(b"[1, 2]", list[int]) == [1, 2]


def test_what_is_no_such_value_is_refused() -> None:
    """As msgspec does."""
    with pytest.raises(msgspec.DecodeError):
        decode(b'["x"]', list[int])

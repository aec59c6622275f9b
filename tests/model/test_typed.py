"""Typed JSON, asked for by many threads at once."""

from __future__ import annotations

import re
import subprocess
import sys

import msgspec
import pytest
from tests.support.places import ROOT

from platform_meter.model.typed import converted, decode, decoder, unpack

RACE = """
import sys, threading
import msgspec
from platform_meter.model.typed import converted, decode, unpack

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
        said = {"items": [{"a": 1, "b": {"k": [1]}}], "one": {"a": 3}}
        WAY
    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


@pytest.mark.parametrize(
    "way",
    [
        "decode(msgspec.json.encode(said), Outer)",
        "unpack(msgspec.msgpack.encode(said), Outer)",
        "converted(said, Outer)",
    ],
)
def test_threads_that_ask_for_a_new_type_at_once_all_get_it(way: str) -> None:
    """In a process of its own, since one that is prepared twice at a time ends it."""
    race = RACE.replace("WAY", way)
    done = subprocess.run([sys.executable, "-c", race], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_else_asks_msgspec_for_a_type() -> None:
    """In the whole package: what is prepared elsewhere, when it is first asked for, may be asked for by two threads."""
    asks = re.compile(r"msgspec\.(json|msgpack)\.decode\([^\n]*type=|msgspec\.convert\(")
    package = ROOT / "src" / "platform_meter"
    found = [str(path.relative_to(package)) for path in package.rglob("*.py") if asks.search(path.read_text("utf-8"))]
    assert found == ["model/typed.py"]


def test_a_type_has_one_decoder() -> None:
    """Written in another way it is the same."""
    assert decoder(list[int]) is decoder(list[int])
    assert decode(b"[1, 2]", list[int]) == unpack(b"\x92\x01\x02", list[int]) == converted([1, 2], list[int]) == [1, 2]


def test_what_is_no_such_value_is_refused() -> None:
    """As msgspec does."""
    with pytest.raises(msgspec.DecodeError):
        decode(b'["x"]', list[int])

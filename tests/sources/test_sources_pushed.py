"""Every source that is pushed to reads what comes, or says why not: nothing else, whatever it is."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter import sources
from platform_meter.model.facts import Event
from platform_meter.model.push import Pushed, Unreadable
from platform_meter.testing import Case

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NAMES = tuple(name for name, source in sources.load().items() if source.receives is not None)
CASES: dict[str, Case] = {name: importlib.import_module(f"tests.sources.{name}.test_{name}").CASE for name in NAMES}
PARTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["2026-05-04T12:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def pushed(body: bytes, headers: Mapping[str, str] | None = None) -> Pushed:
    return Pushed(headers=headers or {}, body=body, at=NOW, hashed=lambda person: f"hash of {person}")


def examples(name: str) -> Sequence[Pushed]:
    """Requests that it reads, as its test has them."""
    case = CASES[name]
    return [*case.pushed, *case.hooks]


@cache
def reader(name: str) -> tuple[Callable[[Any, Pushed], Sequence[Event]], Any]:
    """How it reads, and its settings."""
    source = sources.load()[name]
    assert source.receives is not None
    return source.receives.read, source.config.model_validate(dict(CASES[name].settings))


def is_read(name: str, request: Pushed) -> Sequence[Event]:
    """What it says of a request; nothing of one that it refuses."""
    read, config = reader(name)
    try:
        facts = read(config, request)
    except Unreadable:
        return ()
    assert {type(fact) for fact in facts} <= sources.load()[name].gives
    return facts


@pytest.mark.parametrize("name", NAMES)
@given(body=st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(name: str, body: bytes) -> None:
    """With the headers of a request that is read."""
    for headers in {tuple(sorted(request.headers.items())) for request in examples(name)}:
        is_read(name, pushed(body, dict(headers)))


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_any_json_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """Also where it looks much like what is read: something in it is another thing."""
    request = data.draw(st.sampled_from(examples(name)))
    tree = json.loads(request.body)
    _put(tree, data)
    is_read(name, pushed(json.dumps(tree).encode(), request.headers))


def _put(tree: Any, data: st.DataObject) -> None:
    """Something else in the place of a part of it, somewhere."""
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    if not keys:
        return
    key = data.draw(st.sampled_from(keys))
    inner = tree[key]
    if isinstance(inner, dict | list) and inner and data.draw(st.booleans()):
        _put(inner, data)
    else:
        tree[key] = data.draw(PARTS)

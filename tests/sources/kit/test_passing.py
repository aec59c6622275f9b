"""A way out over another one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from platform_meter.model.source import Outside
from platform_meter.sources.kit.passing import Passing


class Recorder:
    """Knows what was called last, with all that was given."""

    at_once = 7

    def __init__(self) -> None:
        self.called: tuple[str, tuple[Any, ...], dict[str, Any]] = ("", (), {})

    def __getattr__(self, name: str) -> Callable[..., str]:
        def call(*args: Any, **more: Any) -> str:
            self.called = (name, args, more)
            return f"answer of {name}"

        return call


def test_every_call_is_passed_on_as_it_is() -> None:
    """Whatever `Outside` has, each argument arrives under its name, and the answer comes back."""
    recorder: Any = Recorder()
    passing = Passing(recorder)
    assert passing.at_once == 7
    names = sorted(name for name, _ in inspect.getmembers(Outside, inspect.isfunction) if not name.startswith("_"))
    assert len(names) == 11
    for name in names:
        method = getattr(passing, name)
        given: dict[str, Any] = {p: f"said {p}" for p in inspect.signature(method).parameters if p != "patterns"}
        assert method(**given) in {f"answer of {name}", None}
        told, args, more = recorder.called
        assert (told, list(args)) == (name, list(given.values())[: len(args)])
        assert {*args, *more.values()} == set(given.values())
        assert all(more[key] == f"said {key}" for key in more)

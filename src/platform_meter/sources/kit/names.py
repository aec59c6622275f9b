"""Names that tell things apart: whether they do."""

from __future__ import annotations

from collections.abc import Iterable


def called_twice(names: Iterable[str]) -> str | None:
    """The first name that is there twice; None where all are told apart."""
    found = list(names)
    return next((name for name in found if found.count(name) > 1), None)

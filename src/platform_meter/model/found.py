"""The one way in which parts are found: every value of a type that the modules of a package hold.

A part is a folder or a module in its room, and nothing lists it: `found` looks at each module there, in order of name,
and takes its public constants of the wanted type. Installed packages offer theirs as entry points.
"""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import entry_points
from typing import TypeVar

T = TypeVar("T")


def names(package: str) -> tuple[str, ...]:
    """Names of the modules and folders right in `package`, in order, without importing them; those with `_` are private."""
    path = importlib.import_module(package).__path__
    return tuple(sorted(info.name for info in pkgutil.iter_modules(path) if not info.name.startswith("_")))


def found(package: str, type_: type[T], *, group: str = "") -> tuple[T, ...]:
    """Every `type_` that the modules right in `package` hold as a public constant, each once.

    Args:
        package: its full name.
        type_: what is wanted.
        group: the entry points by which installed packages offer more; empty: they can't.

    Raises:
        TypeError: an entry point is something else, or can't be imported.
    """
    values: dict[int, T] = {}
    for name in names(package):
        for word, value in vars(importlib.import_module(f"{package}.{name}")).items():
            if word.isupper() and not word.startswith("_") and isinstance(value, type_):
                values.setdefault(id(value), value)
    for point in sorted(entry_points(group=group), key=lambda p: p.name) if group else ():
        try:
            value = point.load()
        except (ImportError, AttributeError) as error:
            raise TypeError(f"entry point {point.name} of {group} can't be imported: {error}") from error
        if not isinstance(value, type_):
            raise TypeError(
                f"entry point {point.name} of {group} is {value!r}; {point.value} must be a {type_.__name__}"
            )
        values.setdefault(id(value), value)
    return tuple(values.values())

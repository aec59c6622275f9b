"""What measures keep from one look to the next, shared by all that look at one store under one load of the files."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """What was made of stored events, as bytes: a new process begins with it instead of reading them all again."""

    made_under: str
    """Fingerprint of all but the events that it depends on: under another one it is worth nothing."""
    body: bytes


class Folding(ABC):
    """Something kept that is worth storing."""

    name: ClassVar[str]
    """Under which it is stored."""

    @abstractmethod
    def dump(self) -> Fold | None:
        """It as it is now; None where that is what was stored or read last."""


class Kept:
    """One thing of each type, made when it is first asked for. For any number of threads; what is kept says whether it is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[type[Any], Any] = {}

    def of(self, kind: type[T]) -> T:
        """The one thing of this type, which is made without arguments."""
        with self._lock:
            if kind not in self._found:
                self._found[kind] = kind()
            found: T = self._found[kind]
            return found

    def foldings(self) -> list[Folding]:
        """What of it is worth storing."""
        with self._lock:
            return [one for one in self._found.values() if isinstance(one, Folding)]

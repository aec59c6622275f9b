"""What `platform-meter init` finds around it, and what a source proposes to write because of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

Settings = Mapping[str, "str | Mapping[str, str]"]
"""Of one configured source as the file says them, without `type`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is at hand without a network. Names only: no secret, no address with a credential in it."""

    contexts: tuple[str, ...] = ()
    """Contexts of the kubeconfig, the current one first."""
    remotes: tuple[tuple[str, str], ...] = ()
    """Name and address of each git remote of this checkout, without user and password."""
    variables: frozenset[str] = frozenset()
    """Names of the variables that are set."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """Values of the variables whose names end in `_URL`, where they are bare addresses."""

    def variable(self, *names: str) -> str:
        """The first of these variables that is set; empty when none is."""
        return next((name for name in names if name in self.variables), "")

    def owners_on(self, host: str) -> tuple[str, ...]:
        """Organisations or groups on this host that remotes name first in their paths, that of `origin` first."""
        pattern = rf"(?:(?:https?|ssh)://)?(?:git@)?{re.escape(host)}(?::\d+(?=/))?[:/]([A-Za-z0-9][\w.-]*)/\S+"
        found = ((name != "origin", re.fullmatch(pattern, address)) for name, address in self.remotes)
        return tuple(dict.fromkeys(owner for _, owner in sorted((other, match[1]) for other, match in found if match)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One source's part of the starting file: sections of what was found, or else a sample behind a `#`."""

    about: str
    """What it reads and what that takes, in lines that fit on a screen."""
    found: Mapping[str, Settings] = field(default_factory=dict)
    """Sections that work as they stand once their variables are set, by name."""
    sample: tuple[str, Settings]
    """Name and settings of a section with something to fill in."""
    fill_in: str
    """What that is: `your organisation`."""
    by_hand: bool = False
    """Nothing around could ever tell of it; such sources come after those that may be found."""

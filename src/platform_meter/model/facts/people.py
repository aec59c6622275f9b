"""Who is in which team, as a directory tells it (domain section 3). People are salted hashes here as everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from platform_meter.model.facts import Facts, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership(Reading):
    """One person of a directory and the teams that they are in now."""

    who: ClassVar = ("people",)

    people: tuple[str, ...]
    """Salted hashes of the names by which other systems know the same person: mail address, login; each once, sorted."""
    teams: tuple[str, ...]
    """Names of teams as definitions and pages have them, sorted."""


FACTS = Facts(readings=(Membership,))

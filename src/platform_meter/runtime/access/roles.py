"""Roles: what somebody may do here. The only place that says which role has what of which."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """What a page or an endpoint asks for, and what a user, a token or a group is given."""

    VIEWER = "viewer"
    """Reads `/metrics` and the pages."""
    PM = "pm"
    """Reads surveys and the detail of teams too."""
    REPORTER = "reporter"
    """Pushes events, and reads nothing."""
    ADMIN = "admin"
    """Does all that there is, and reloads."""


EVERYTHING = frozenset(Role)
_BRINGS = {
    Role.VIEWER: frozenset({Role.VIEWER}),
    Role.PM: frozenset({Role.VIEWER, Role.PM}),
    Role.REPORTER: frozenset({Role.REPORTER}),
    Role.ADMIN: EVERYTHING,
}


def brought(roles: Iterable[Role]) -> frozenset[Role]:
    """All roles that somebody has who was given these."""
    return frozenset[Role]().union(*(_BRINGS[role] for role in roles))

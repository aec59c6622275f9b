"""Roles: what each brings."""

from __future__ import annotations

import pytest

from platform_meter.runtime.access.roles import Role, brought


@pytest.mark.parametrize(
    ("given", "has"),
    [
        ([], set()),
        (["viewer"], {"viewer"}),
        (["pm"], {"viewer", "pm"}),
        (["reporter"], {"reporter"}),
        (["admin"], {"viewer", "pm", "reporter", "admin"}),
        (["pm", "reporter"], {"viewer", "pm", "reporter"}),
    ],
)
def test_what_a_role_brings(given: list[str], has: set[str]) -> None:
    """Who pushes reads nothing; an admin may do all."""
    assert brought(Role(name) for name in given) == has

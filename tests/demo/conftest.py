"""Worlds that the tests of the demo share."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.demo.worlds import START, Clock, small_world

from platform_meter.demo.world import World


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def still() -> World:
    """A small company ten minutes into live time, where time stands still; nobody may change it."""
    return small_world(Clock(at=START + timedelta(minutes=10)))

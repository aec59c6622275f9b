"""What is renewed when, with a cloud that only counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.support.ways import Time

from platform_meter.model.source import Refused, SourceError, Unreachable
from platform_meter.runtime.outside.clouds.reader import CloudReader, Pass, Place
from platform_meter.runtime.outside.grants import Grant


class Counting:
    """Gives the token `token-N` for a stated life, from a place that may move."""

    identity = ("cloud", "prod")

    def __init__(self, lives: timedelta) -> None:
        self.lives, self.signed_in, self.looked = lives, 0, 0
        self.fails: SourceError | None = None
        self.there = Place(base="https://prod.example", authority="one")

    def sign_in(self, now: datetime) -> Pass:
        self.signed_in += 1
        if self.fails is not None:
            raise self.fails
        return Pass(token=f"token-{self.signed_in}", ends=now + self.lives)

    def place(self) -> Place:
        self.looked += 1
        if self.fails is not None:
            raise self.fails
        return self.there


HOUR = timedelta(hours=1)


def reader(cloud: Counting, time: Time) -> CloudReader:
    return CloudReader(cloud, headers={"X-Own": "1"}, clock=time.clock)


def token(grant: Grant) -> str:
    return grant.headers["Authorization"]


@pytest.mark.parametrize(("lives", "used"), [(15, 10), (60, 55), (6, 4)])
def test_tokens_are_replaced_before_they_end(lives: int, used: int) -> None:
    """Five minutes before, and those of a short life after two thirds of it."""
    time, cloud = Time(), Counting(timedelta(minutes=lives))
    held = reader(cloud, time)
    first = held.grant()
    assert (token(first), first.headers["X-Own"], first.base) == ("Bearer token-1", "1", "https://prod.example")
    time.pass_(minutes=used, seconds=-1)
    assert held.grant() == first
    time.pass_(seconds=1)
    second = held.grant()
    assert token(second) == "Bearer token-2"
    assert second.fingerprint == first.fingerprint != ""


def test_a_cluster_that_moves_is_followed() -> None:
    """Where it is, is asked once an hour; the file of its old authority stays for calls on their way."""
    time, cloud = Time(), Counting(24 * HOUR)
    held = reader(cloud, time)
    before = held.grant()
    cloud.there = Place(base="https://other.example", authority="two")
    time.pass_(minutes=59)
    assert held.grant() == before
    time.pass_(minutes=1)
    after = held.grant()
    assert after.base == "https://other.example"
    assert [Path(str(grant.verify)).read_text() for grant in (before, after)] == ["one", "two"]
    assert (cloud.signed_in, cloud.looked) == (1, 2)
    cloud.there = Place(base="https://dns.example")
    time.pass_(hours=1)
    assert held.grant().verify is True
    folder = Path(str(before.verify)).parent
    del held
    assert not folder.exists()


def test_a_refused_token_is_replaced_once() -> None:
    """For all threads that had it; not within a minute after it was made, since another would be refused too."""
    time, cloud = Time(), Counting(HOUR)
    held = reader(cloud, time)
    first = held.grant()
    assert held.renew(first) is False
    time.pass_(minutes=1)
    assert held.renew(first) is True
    assert held.renew(first) is True
    second = held.grant()
    assert held.renew(first) is True
    assert held.renew(second) is False
    assert (token(held.grant()), cloud.looked) == ("Bearer token-2", 2)


def test_a_cloud_that_fails_is_asked_once_a_minute_and_not_missed_before_the_token_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What was told is used on, one line a minute says so, and then its own error is told."""
    time, cloud = Time(), Counting(timedelta(minutes=15))
    held = reader(cloud, time)
    first = held.grant()
    cloud.fails = Unreachable("sts is away")
    time.pass_(minutes=10)
    for _ in range(3):
        assert held.grant() == first
    assert caplog.messages == ["sts is away; what was told before is used on until 12:15:00 UTC"]
    time.pass_(minutes=4, seconds=59)
    assert held.grant() == first
    assert cloud.signed_in == 3
    time.pass_(seconds=1)
    with pytest.raises(Unreachable, match="sts is away"):
        held.grant()
    cloud.fails = None
    time.pass_(minutes=1)
    assert token(held.grant()) == "Bearer token-4"


def test_a_cloud_that_never_gave_anything_says_why() -> None:
    """To each that asks, with one question a minute."""
    time, cloud = Time(), Counting(HOUR)
    cloud.fails = Refused("nobody")
    held = reader(cloud, time)
    for _ in range(3):
        with pytest.raises(Refused, match="nobody"):
            held.grant()
    assert cloud.signed_in == 1

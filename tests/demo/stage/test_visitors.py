from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from tests.demo.worlds import START
from tests.support.http import Reply, Seen, serving

from platform_meter.demo.apis.portal.routes import SECRET
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.portal import visits
from platform_meter.demo.stage import visitors
from platform_meter.demo.stage.visitors import PAST, Visitors, come
from platform_meter.model.push import Pushed, Scheme
from platform_meter.runtime.access.signatures import fits
from platform_meter.sources.backstage import analytics
from platform_meter.sources.backstage.config import Config

COMPANY = Company.build(1, START, teams=12, services=90)
DAY = timedelta(days=1)
PATH = "/api/v1/events/backstage"
CONFIG = Config.model_validate({"url": "https://portal.example", "token": {"env": "T"}, "analytics": True})


def keys(body: bytes, at: datetime = START) -> list[str]:
    """What the source makes of a body."""
    told = analytics.read(CONFIG, Pushed(headers={}, body=body, at=at, hashed=str.upper))
    return [event.key.removeprefix("analytics/") for event in told]


def test_all_that_people_did_is_sent_once_and_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The past first, in several bodies, then what is new; what is not taken comes again."""
    monkeypatch.setattr(visitors, "MOST", 100)
    sent: list[str] = []
    fails = [True]

    def post(body: bytes, headers: Mapping[str, str]) -> None:
        assert fits(Scheme.STANDARD, SECRET, headers, body, START)
        if fails and fails.pop():
            raise OSError("begins again")
        sent.extend(keys(body))

    one = Visitors(COMPANY)
    with pytest.raises(OSError, match="begins again"):
        one.tell(START, post)
    past = one.tell(START, post)
    assert past == len(sent) > 400
    later = START + timedelta(hours=3)
    assert one.tell(later, lambda body, _: sent.extend(keys(body, later))) == len(sent) - past > 0
    assert sent == [visit.id for visit in visits(COMPANY, START - PAST, START + timedelta(hours=3))]


def test_they_come_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exporter that refuses them once gets all of it with the next round."""
    monkeypatch.setattr(visitors, "EVERY", timedelta(milliseconds=10))
    stop = threading.Event()

    def takes(_seen: Seen) -> Reply:
        stop.set()
        return Reply()

    with serving() as server:
        server.on(PATH, Reply(503), takes)
        come(Visitors(COMPANY), f"{server.url}{PATH}", lambda: START, stop).join(20)
        first, second = server.seen[:2]
    told = [visit.id for visit in visits(COMPANY, START - PAST, START)]
    assert keys(first.body) == keys(second.body) == told

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.asked import NOW, Asked
from tests.support.slos import LATENCY, RATIO, SLICES, THRESHOLD, planned

from platform_meter.slo.plan import Plan
from platform_meter.slo.verify.numbers import counts, kept, scraped
from platform_meter.slo.verify.server import Kept, Server

BAD, TOTAL = 'code=~"5.."', "http_requests_total["
SERIES = ({"__name__": "http_requests_total", "code": "200"},)


def said(plan: Plan, told: Asked) -> list[tuple[bool, str, str]]:
    """Whether it is wrong, which query it is about, and the text."""
    return [(one.wrong, one.part, one.text) for one in counts(plan, Server(told.ask))]


@pytest.mark.parametrize("text", [RATIO, SLICES])
def test_counts_that_fit_are_silent(text: str) -> None:
    """And cost two questions, one for each query."""
    told = Asked(counts={BAD: 3.0, TOTAL: 3_600.0})
    assert said(planned(text), told) == []
    assert len(told.seen) == 1 + 2


SWAP = "bad is a part of total, so swap the two, or correct the one that counts something else"


def test_more_bad_than_all() -> None:
    """Over the day, by more than what two counts can be out by."""
    found = said(planned(RATIO), Asked(counts={BAD: 1_000.0, TOTAL: 10.5}))
    assert found == [(True, "bad", f"bad counted 24,000 events in the last day, and total 252; {SWAP}")]
    assert [one[0] for one in said(planned(RATIO), Asked(counts={BAD: 1_050.0, TOTAL: 1_000.0}))] == [False]


def test_more_bad_than_all_in_some_hours() -> None:
    """Two hours of a day are no accident; one is, and so is an event or two."""
    hours: list[float | None] = [100.0] * 24
    total = Asked(counts={BAD: [0.0] * 22 + [200.0, 200.0], TOTAL: hours})
    assert said(planned(RATIO), total) == [
        (True, "bad", f"in 2 of the last 24 hours bad counted more than total; {SWAP}")
    ]
    assert said(planned(RATIO), Asked(counts={BAD: [0.0] * 23 + [200.0], TOTAL: hours})) == []
    few = Asked(counts={BAD: [0.0] * 22 + [3.0, 3.0], TOTAL: [2_000.0] * 22 + [1.0, 1.0]})
    assert said(planned(RATIO), few) == []


def test_most_are_bad() -> None:
    """The SLO may be missed, or what is good may be counted as bad: it is worth knowing; so it is the other way round."""
    found = said(planned(RATIO), Asked(counts={BAD: 990.0, TOTAL: 1_000.0}))
    text = "99 % of events were bad in the last day; if what this counts is good, write good: for bad:"
    assert found == [(False, "bad", text)]
    found = said(planned(LATENCY), Asked(counts={"bucket": 0.01, "count": 2.0}))
    text = "98 % of events were bad in the last day; if what this counts is bad, write bad: for good:"
    assert (False, "good", text.replace("98", "99.5")) == found[0]


def test_few_events_say_nothing_of_their_share() -> None:
    """The one event of a night may well be bad, and the first of a new series is in one count and not in the other."""
    night: list[float | None] = [0.0] * 23
    told = Asked(counts={BAD: [*night, 3.0], TOTAL: [*night, 1.0]})
    assert [text for _, _, text in said(planned(RATIO), told) if "with" not in text] == []


def test_nothing_for_a_week() -> None:
    """Series that are there for days and count nothing are the wrong ones; young ones may wait for their first event."""
    nothing = "total has counted nothing in the last 7 days, though its series are there, so the SLO says nothing"
    old = Asked(series=SERIES, counts={TOTAL: 0.0})
    assert said(planned(RATIO), old) == [(True, "total", f"{nothing}; write a counter that rises with each event")]
    young = Asked(series=SERIES, young=True)
    assert said(planned(RATIO), young) == [
        (False, "total", f"{nothing}: they are young, and nothing may have come yet")
    ]


def _week(day: float, week: float) -> Asked:
    """Events an hour by the last day, and by the last week."""

    class Two(Asked):
        def ask(self, path: str, params: object) -> tuple[int, str]:
            assert isinstance(params, dict)
            self.counts = {BAD: 0.0, TOTAL: day if params.get("step") == "1h" else week * 24}
            return super().ask(path, params)

    return Two()


HINT = "send probes, join SLOs, or lower the objective or platform-meter.io/min-bad"


def test_few_events_make_alerts_late() -> None:
    """By the week where the day has few: domain section 5 asks for 3 bad ones, which 12 an hour are after 15 minutes."""
    late = f"with 12 events an hour a full outage pages after 15 min instead of 51.8 s; {HINT}"
    assert said(planned(RATIO), _week(12, 12)) == [(False, "total", late)]
    assert said(planned(RATIO), _week(0, 12)) == [(False, "total", late)]
    assert said(planned(RATIO), _week(12, 1_000)) == []
    assert said(planned(RATIO), _week(30, 30)) != []
    assert said(planned(RATIO), _week(31, 12)) == []


def test_so_few_that_nothing_pages() -> None:
    """The widest window of a page holds fewer than are asked for."""
    text = "with 0.4 events an hour a full outage never pages: 3 bad ones are asked for, and 2.4 are expected in 6h"
    assert said(planned(RATIO), _week(0.4, 0.4)) == [(False, "total", f"{text}; {HINT}")]


def test_slices_are_never_rare() -> None:
    """They come as the clock does."""
    assert said(planned(SLICES), _week(0.4, 0.4)) == []


def test_what_the_server_refuses() -> None:
    """A query that is no good there is a problem; one that is too much is worth knowing, and nothing else is said."""
    broken = Asked(refused={TOTAL: (422, "execution", "found duplicate series")})
    text = "the server refuses this query: found duplicate series; correct it until it gives one number there"
    assert said(planned(RATIO), broken) == [(True, "total", text)]
    large = Asked(refused={TOTAL: (422, "execution", "query processing would load too many samples")})
    text = "counting this is too much for the server at once, so nobody looked what it counts; record a part by a rule"
    assert said(planned(RATIO), large) == [(False, "total", text)]


def test_a_level_is_there_or_not() -> None:
    """It counts nothing, so it is asked for once as it stands."""
    level = {"__name__": "queue_age_seconds"}
    assert said(planned(THRESHOLD), Asked(series=[level])) == []
    text = "the query gives nothing now, though all that it reads is there; try what it gives at the server"
    assert said(planned(THRESHOLD), Asked()) == [(False, "", text)]


@pytest.mark.parametrize(
    ("every", "wrong", "text"),
    [
        (60, True, "60s apart, and rules are written for scrapes every 30s; write --scrape 60s, for generate too"),
        (15, False, "15s apart, and rules are written for scrapes every 30s; write --scrape 15s, for generate too"),
        (300, True, "5m apart, and rules are written for scrapes every 30s; scrape it every 2m or more often"),
        (30, None, ""),
        (33, None, ""),
    ],
)
def test_the_interval_of_scrapes(every: int, wrong: bool | None, text: str) -> None:
    """Longer ones are wrong, since rules lose events; shorter ones are worth knowing."""
    samples = [NOW - every * n for n in reversed(range(3600 // every))]
    found = scraped(planned(RATIO), Server(Asked(series=SERIES, samples=samples).ask))
    if wrong is None:
        assert found is None
        return
    assert found is not None
    seen, finding = found
    whole = f"samples of http_requests_total are {text.replace('60s', '1m')}"
    assert (seen, finding.wrong, finding.text) == (timedelta(seconds=every), wrong, whole)


def test_an_interval_that_nobody_knows() -> None:
    """Without samples, or where the server refuses, nothing is said."""
    assert scraped(planned(RATIO), Server(Asked().ask)) is None
    refused = Asked(refused={"topk": (422, "execution", "too many samples")})
    assert scraped(planned(RATIO), Server(refused.ask)) is None


def test_what_is_kept_for_a_shorter_time_than_is_read() -> None:
    """Told once, of the SLO that reads the furthest back."""
    plans = (planned(RATIO, ("30d", "7d")), planned(RATIO), planned(LATENCY))
    days = timedelta(days=1)
    assert not list(kept(plans, Kept(said="30d", length=30 * days)))
    assert not list(kept(plans, Kept(said="", length=None)))
    (found,) = kept(plans, Kept(said="29d", length=29 * days))
    text = "the server keeps 29d, and this reads 30d; start it with --storage.tsdb.retention.time=30d or more"
    assert (found.plan, found.wrong, found.key, found.text) == (plans[1], True, "timeWindow", text)
    (found,) = kept(plans, Kept(said="15d", length=15 * days))
    assert "this reads 30d, and 1 other SLO more than that; start" in found.text
    (found,) = kept(plans, Kept(said="1d", length=days))
    assert "this reads 30d, and 2 other SLOs more than that; start" in found.text

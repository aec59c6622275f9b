from __future__ import annotations

from tests.support.asked import NOW, Asked
from tests.support.slos import RATIO, STORED, planned, replaced

from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import plan
from platform_meter.slo.verify import Verdict, verify

SERIES = tuple({"__name__": "http_requests_total", "code": code} for code in ("200", "503"))
COUNTS = {'code=~"5.."': 3.0, "http_requests_total[": 3_600.0}
FILES = (("slo.yaml", RATIO),)


def test_all_is_well() -> None:
    """Nothing is said but how much was asked: the clock, the retention, and six questions for the SLO."""
    told = Asked(series=SERIES, counts=COUNTS)
    assert verify([planned(RATIO), planned(STORED)], FILES, told.ask) == Verdict(slos=1, asked=8)
    assert len(told.seen) == 8


def test_nothing_to_hold_against_it() -> None:
    """A server is not asked for SLOs that it does not count."""
    told = Asked()
    assert verify([planned(STORED)], FILES, told.ask) == Verdict(slos=0, asked=0)
    assert told.seen == []


def test_a_server_that_does_not_say_for_how_long_it_keeps() -> None:
    """That is told, and all else is looked at."""
    found = verify([planned(RATIO)], FILES, Asked(series=SERIES, counts=COUNTS, retention=None).ask)
    assert (found.problems, found.unknown) == (
        (),
        "does not say for how long it keeps samples, so no SLO's period was held against that",
    )


def test_what_is_missing_is_not_counted() -> None:
    """A query over what is not there counts nothing, which would be echo."""
    found = verify([planned(RATIO)], FILES, Asked(series=[{"__name__": "http_request_total"}]).ask)
    text = "the server has no metric 'http_requests_total'; did you mean 'http_request_total'?"
    assert [(p.line, p.text) for p in found.problems] == [(15, text), (16, text)]
    assert found.notes == ()
    assert found.asked == 4


def test_a_word_that_both_queries_have_is_told_of_total() -> None:
    """That a service has no series at all is no matter of failures, so no note says so of its part."""
    text = replaced(
        RATIO,
        ('{code=~"5.."}', '{service="shpo",code=~"5.."}'),
        ("'http_requests_total'", "'http_requests_total{service=\"shpo\"}'"),
    )
    told = Asked(series=[{**one, "service": "shop"} for one in SERIES])
    found = verify([planned(text)], [("slo.yaml", text)], told.ask)
    said = "no series of http_requests_total has service=\"shpo\"; did you mean 'shop'?"
    assert [(p.line, p.text) for p in found.problems] == [(16, said)]
    assert found.notes == ()


def test_problems_and_notes_each_once() -> None:
    """Objectives of one document share its queries, and so what is said of these; SLOs share the interval of scrapes."""
    two = replaced(RATIO, ("objectives: [{target: 0.999}]", "objectives: [{target: 0.999}, {target: 0.99}]"))
    plans = [plan(spec) for spec in read_slos([("slo.yaml", two)]).specs]
    samples = [NOW - 60 * n for n in reversed(range(60))]
    told = Asked(series=SERIES[:1], counts={"http_requests_total[": 3_600.0}, samples=samples)
    found = verify(plans, [("slo.yaml", two)], told.ask)
    assert [p.text for p in found.problems] == [
        "samples of http_requests_total are 1m apart, and rules are written for scrapes every 30s; write --scrape 1m, for generate too"
    ]
    assert [p.text for p in found.notes] == [
        'no series of http_requests_total has code=~"5.."; as long as nothing has failed this may be so; write one of: 200'
    ]

from __future__ import annotations

import pytest
from tests.support.slos import RATIO, SLICES, STORED, THRESHOLD, planned

from platform_meter.slo.reading import parse_read_by

TOTAL, BAD = "'http_requests_total'", "'http_requests_total{code=~\"5..\"}'"
QUEUE = "query: queue_age_seconds"


@pytest.mark.parametrize(
    ("total", "read_by"),
    [
        ('r{job="shop"}', 'max(up{job="shop"})'),
        ('r{job=~"shop|cart",method!="OPTIONS"}', 'max(up{job=~"shop|cart"})'),
        (
            'sum(increase(r{job="shop"}[{{window}}])) + sum(increase(s{job="shop"}[{{window}}]))',
            'max(up{job="shop"})',
        ),
        ('sum(increase(r{job="a"}[{{window}}])) + sum(increase(s{job="b"}[{{window}}]))', ""),
        ('sum(increase(r{job="a"}[{{window}}])) + sum(increase(s[{{window}}]))', ""),
        ('r{job!="shop"}', ""),
        ("r", ""),
    ],
)
def test_the_job_that_a_query_names_is_what_is_read(total: str, read_by: str) -> None:
    """Where all that the total counts has one `job`, `up` of it tells whether it is scraped; of several jobs nobody can say."""
    assert planned(RATIO, (TOTAL, f"'{total}'"), (BAD, "bad_total")).read_by == read_by


def test_so_for_levels_and_slices() -> None:
    """A level has one query, and a stored SLI none."""
    assert planned(THRESHOLD, (QUEUE, "query: 'q{job=\"queue\"}'")).read_by == 'max(up{job="queue"})'
    assert planned(SLICES, (TOTAL, "'r{job=\"shop\"}'")).read_by == 'max(up{job="shop"})'
    assert planned(STORED).read_by == ""


@pytest.mark.parametrize(
    ("said", "read_by"),
    [
        ('up{app="shop"}', 'max(up{app="shop"})'),
        ("min(up)", "min(up)"),
        ("none", ""),
    ],
)
def test_a_file_may_say_it(said: str, read_by: str) -> None:
    """What it says goes before what the query names."""
    text = f"platform-meter.io/owner: team-shop\n    platform-meter.io/read-by: '{said}'"
    found = planned(RATIO, ("platform-meter.io/owner: team-shop", text), (TOTAL, "'r{job=\"shop\"}'"))
    assert found.read_by == read_by


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "empty; write such as 'up{job=\"checkout\"}', or none"),
        (["up"], "a list is no query; write such as 'up{job=\"checkout\"}', or none"),
        (
            "max_over_time(up[{{window}}])",
            'what says that the source is read takes no {{window}}; write such as up{job="checkout"}',
        ),
        ("vector(1)", 'this reads no metric; write such as up{job="checkout"}, or none'),
    ],
)
def test_what_says_nothing_of_a_source(value: object, why: str) -> None:
    """Each is refused with what to write instead."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below, as written
        parse_read_by(value)
    assert str(caught.value) == why

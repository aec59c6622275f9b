from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from tests.demo.worlds import START
from tests.support.our_slos import our_plans
from tests.support.prometheus import program, promtool

from platform_meter.demo.apis.services import target_labels
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.scenarios import Scenario
from platform_meter.demo.company.traffic import BUCKETS, serving, traffic
from platform_meter.demo.stage.seed import JOB, counter, past, write_blocks
from platform_meter.slo.promql import Matcher, Selector

COMPANY = Company.build(1, START, teams=8, services=16)
CALM = Scenario()


def selector(metric: str, **matchers: str) -> Selector:
    """Values that begin with `~` are patterns."""
    return Selector(
        metric=metric,
        matchers=tuple(
            Matcher(label=label, operator="=~" if value.startswith("~") else "=", value=value.removeprefix("~"))
            for label, value in matchers.items()
        ),
    )


def all_services(code: str) -> int:
    return sum(traffic(COMPANY, CALM, s).codes(START)[code] for s in serving(COMPANY))


def test_a_counter_is_the_sum_over_its_services() -> None:
    """Many services counted as one differ from their sum by less than the fractions that each cuts off."""
    found = counter(COMPANY, CALM, selector("http_requests_total", code="~5.."))
    assert found is not None
    assert abs(found(START) - all_services("500")) <= len(serving(COMPANY))


def test_a_counter_of_one_service_is_exact() -> None:
    """Its own counters, by code and by bucket."""
    one = serving(COMPANY)[0]
    served = traffic(COMPANY, CALM, one)
    good = counter(COMPANY, CALM, selector("http_request_duration_seconds_bucket", service=one.id, le="1"))
    all_ = counter(COMPANY, CALM, selector("http_request_duration_seconds_count", service=one.id, team=one.team))
    missing = counter(COMPANY, CALM, selector("http_requests_total", service=one.id, code="404"))
    assert good is not None
    assert all_ is not None
    assert missing is not None
    assert good(START) == dict(served.buckets(START))["1"]
    assert all_(START) == int(served.requests(START))
    assert missing(START) == served.codes(START)["404"]


@pytest.mark.parametrize("nothing", [selector("http_requests_total", service="none"), selector("up")])
def test_what_no_service_has(nothing: Selector) -> None:
    """No such service, no such metric: no past."""
    assert counter(COMPANY, CALM, nothing) is None


@pytest.fixture(scope="module")
def text() -> str:
    return "".join(past(COMPANY, CALM, our_plans()))


def test_the_past_is_openmetrics(text: str) -> None:
    """Counters of the last 66 minutes and the tiles of every SLO that Prometheus counts, none of it after the start."""
    families = {f.name: f for f in openmetrics(text)}
    assert list(families) == [
        "http_requests",
        "http_request_duration_seconds_bucket",
        "http_request_duration_seconds_sum",
        "http_request_duration_seconds_count",
        "slo:total_events:tile5m",
        "slo:bad_events:tile5m",
    ]
    assert len(families["http_requests"].samples) == 66 * 3 * len(serving(COMPANY))
    for family in families.values():
        assert all(float(sample.timestamp) <= START.timestamp() for sample in family.samples)
    for name in ("slo:total_events:tile5m", "slo:bad_events:tile5m"):
        tiles = families[name].samples
        assert {s.labels["slo"] for s in tiles} == {"api-availability", "requests-availability", "requests-latency"}
        assert len(tiles) == 3 * (28 * 288 + 1)
        assert all(float(tile.timestamp) % 300 == 0 and tile.value >= 0 for tile in tiles)


def test_the_past_joins_the_present(text: str) -> None:
    """Its series have the labels of discovery and scrape, and lie below what is served now."""
    families = {f.name: f for f in openmetrics(text)}
    counted = families["http_requests"].samples
    assert {s.labels["job"] for s in counted} == {JOB}
    buckets = families["http_request_duration_seconds_bucket"].samples
    assert {s.labels["le"] for s in buckets} == {f"{bound:g}" for bound in BUCKETS} | {"+Inf"}
    last = {(s.labels["service"], s.labels["code"]): s for s in counted}
    for service in serving(COMPANY):
        for code, count in traffic(COMPANY, CALM, service).codes(START).items():
            before = last[service.id, code]
            assert target_labels(service).items() <= before.labels.items()
            assert count >= before.value


def test_tiles_add_up(text: str) -> None:
    """The tiles of four weeks hold every request and every failure of those weeks."""
    families = {f.name: f for f in openmetrics(text)}
    for name, code in (("slo:total_events:tile5m", "~.*"), ("slo:bad_events:tile5m", "~5..")):
        tiles = [s for s in families[name].samples if s.labels["slo"] == "requests-availability"]
        count = counter(COMPANY, CALM, selector("http_requests_total", code=code))
        assert count is not None
        first = START - timedelta(days=28, minutes=5)
        assert sum(t.value for t in tiles) == count(START) - count(first)


def test_promtool_takes_it(text: str, tmp_path: Path) -> None:
    """It becomes a few large blocks, and the file is gone."""
    write_blocks(program("promtool"), [text], tmp_path / "past.om", tmp_path / "data")
    assert not (tmp_path / "past.om").exists()
    assert (
        3 <= len([line for line in promtool("tsdb", "list", tmp_path / "data").splitlines() if line[:2] == "01"]) <= 5
    )


def test_what_promtool_refuses_is_said(tmp_path: Path) -> None:
    """With its own words."""
    with pytest.raises(RuntimeError, match=r"promtool could not write the past:\n(.|\n)*data does not end with # EOF"):
        write_blocks(program("promtool"), ["up 1 1\n"], tmp_path / "past.om", tmp_path / "data")

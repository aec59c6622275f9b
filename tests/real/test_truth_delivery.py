"""What the simulated company knows of its own delivery, judged a second time, against `/metrics` after a whole import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import TypeVar

import pytest
from tests.support.company import Running
from tests.support.imported import IMPORT

from platform_meter.demo.truth import DETAIL
from platform_meter.demo.truth_delivery.happened import Reach
from platform_meter.demo.truth_delivery.judgement import NEAR, Judgement
from platform_meter.demo.truth_delivery.numbers import Delivery, quantile
from platform_meter.model.facts.incidents import LinkedIncident

SECOND = timedelta(seconds=1)
WINDOWS = ("28d", "91d")
Found = dict[tuple[str, ...], float]
K = TypeVar("K", bound=tuple[str, ...])


@pytest.fixture(scope="module")
def reach(imported: Running) -> Reach:
    first = imported.first
    return Reach(since=first - IMPORT, until=imported.clock.at, details=first - DETAIL, looks=tuple(imported.looks))


@pytest.fixture(scope="module")
def judgement(imported: Running, reach: Reach) -> Judgement:
    return Judgement(imported.world, reach)


@pytest.fixture(params=WINDOWS)
def window(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def truth(judgement: Judgement, reach: Reach, window: str) -> Delivery:
    return Delivery(judgement, reach, timedelta(days=int(window.removesuffix("d"))))


def gauge(imported: Running, name: str, window: str, *labels: str) -> Found:
    """Values of a gauge in one window, by team and these labels."""
    found: Found = {}
    for pairs, value in imported.metrics().get(name, {}).items():
        said = dict(pairs)
        if said.get("window", window) == window:
            found[said["team"], *(said[label] for label in labels)] = value
    return found


def known(values: Mapping[K, float | None]) -> dict[K, float]:
    return {key: value for key, value in values.items() if value is not None}


def test_deployments_per_day(imported: Running, truth: Delivery, window: str) -> None:
    """Of every team as many as were released."""
    found = gauge(imported, "platform_dora_deployments_per_day", window)
    assert found == pytest.approx({(team,): truth.per_day(team) for team in truth.teams})
    assert sum(found.values()) > 0.5


def test_deploy_days(imported: Running, truth: Delivery, reach: Reach) -> None:
    """The median share of days with a deployment, of full weeks."""
    found = gauge(imported, "platform_dora_deploy_day_ratio", "91d")
    zone = imported.service.zone
    assert found == pytest.approx(known({(t,): truth.deploy_days(t, zone, reach.since) for t in truth.teams}))
    assert found != {}


def test_lead_times(imported: Running, truth: Delivery, window: str) -> None:
    """Both quantiles of every stage."""
    found = gauge(imported, "platform_dora_lead_time_seconds", window, "stage", "quantile")
    expected = {
        (team, stage, q): quantile(seconds, float(q))
        for team in truth.teams
        for stage, seconds in truth.lead_times(team).items()
        for q in ("0.5", "0.9")
    }
    assert found == pytest.approx(known(expected))
    assert {stage for _, stage, _ in found} == {"coding", "pickup", "review", "deploy", "total"}


def test_change_failure(imported: Running, truth: Delivery, window: str) -> None:
    """Of every team the share of deployments that failed."""
    found = gauge(imported, "platform_dora_change_failure_ratio", window)
    assert found == pytest.approx(known({(team,): truth.change_failure(team) for team in truth.teams}))
    assert max(found.values()) > 0.1


def test_rework(imported: Running, truth: Delivery, window: str) -> None:
    """Of every team the share of deployments that put something right."""
    found = gauge(imported, "platform_dora_rework_ratio", window)
    assert found == pytest.approx(known({(team,): truth.rework(team) for team in truth.teams}))
    assert max(found.values()) > 0.1


def test_recovery(imported: Running, truth: Delivery, window: str) -> None:
    """Both quantiles of the time to recover, and how many recoveries there were."""
    found = gauge(imported, "platform_dora_recovery_time_seconds", window, "quantile")
    recoveries = {team: truth.recoveries(team) for team in truth.teams}
    expected = {(team, q): quantile(seconds, float(q)) for team, seconds in recoveries.items() for q in ("0.5", "0.9")}
    assert found == pytest.approx(known(expected))
    samples = {
        team: n
        for (team, metric), n in gauge(imported, "platform_dora_samples", window, "metric").items()
        if metric == "recovery"
    }
    assert samples == {team: len(seconds) for team, seconds in recoveries.items()}
    assert sum(samples.values()) > 3


def test_what_is_open_and_what_is_unlinked(imported: Running, truth: Delivery) -> None:
    """Failures that nobody recovered from, and incidents that no deployment is linked to."""
    for name, told in (
        ("platform_dora_open_failures", truth.open_failures),
        ("platform_dora_unlinked_incidents", truth.unlinked),
    ):
        found = gauge(imported, name, "")
        assert {key: n for key, n in found.items() if n} == {(team,): n for team in truth.teams if (n := told(team))}


def test_links(imported: Running, judgement: Judgement, reach: Reach) -> None:
    """Each incident that is over or old enough is stored once, with the rule that links it."""
    with imported.service.history() as history:
        rows = list(history.rows(LinkedIncident, reach.since - IMPORT, reach.until + SECOND))
    settled = [o for o in judgement.outages if o.end is not None or o.start + NEAR <= reach.until]
    expected = {f"linked/incident/{outage.incident.id}": outage.link for outage in settled}
    assert {row.event.key: str(row.event.link) for row in rows} == expected
    assert len(expected) > 30


def test_the_story_has_it_all(judgement: Judgement) -> None:
    """Incidents that are named, near and neither, open at a remedy, or late; failures that no incident tells of."""
    links = Counter(outage.link for outage in judgement.outages)
    assert {"named", "near", "none"} < links.keys()
    assert links["rollback"] + links["revert"] > 0
    named = [(o, o.release) for o in judgement.outages if o.link == "named" and o.release is not None]
    assert any(outage.start - release.at > NEAR for outage, release in named)
    silent = [release for release in judgement.releases if release.causes and not any(o for _, o, _ in release.causes)]
    assert silent != []

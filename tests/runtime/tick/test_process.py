"""The exporter's metrics of itself."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from tests.support.company import samples

from platform_meter.runtime.tick.process import OwnMetrics


def test_polls_and_calls_are_counted_in_both_formats() -> None:
    """Polls by source with their time, calls by outcome, and the process's own; OpenMetrics without its end mark."""
    own = OwnMetrics(["github", "jira"])
    own.polled("github", 2.0)
    own.polled("github", 0.2)
    own.requested("github", "ok")
    own.requested("github", "ok")
    own.requested("jira", "limited")
    text, other = own.render()
    found = samples(text.decode())
    assert found["platform_meter_source_poll_duration_seconds_sum"] == {
        (("source", "github"),): 2.2,
        (("source", "jira"),): 0.0,
    }
    calls = {
        (dict(k)["source"], dict(k)["outcome"]): v for k, v in found["platform_meter_source_requests_total"].items()
    }
    assert {k: v for k, v in calls.items() if v} == {("github", "ok"): 2.0, ("jira", "limited"): 1.0}
    assert "process_cpu_seconds_total" in found
    assert not other.endswith(b"# EOF\n")
    names = {s.name for family in openmetrics(other.decode() + "# EOF\n") for s in family.samples}
    assert names == set(found)


def test_all_a_source_may_count_is_at_0_from_the_start() -> None:
    """The three outcomes of its calls and its polls: `increase()` sees the first error of each."""
    found = samples(OwnMetrics(["github"]).render()[0].decode())
    assert found["platform_meter_source_requests_total"] == {
        (("outcome", outcome), ("source", "github")): 0.0 for outcome in ("ok", "error", "limited")
    }
    assert found["platform_meter_source_poll_duration_seconds_count"] == {(("source", "github"),): 0.0}


def test_two_services_of_one_process_do_not_share() -> None:
    """A reload makes a second service: it begins at nothing, and the first one is not disturbed."""
    first, second = OwnMetrics(["github"]), OwnMetrics(["github"])
    first.requested("github", "ok")
    for own, calls in ((first, 1.0), (second, 0.0)):
        found = samples(own.render()[0].decode())["platform_meter_source_requests_total"]
        assert found[("outcome", "ok"), ("source", "github")] == calls


def test_what_is_pushed_is_counted_by_how_it_ended() -> None:
    """Each of a source's outcomes is there from the start; sources that take nothing have none."""
    own = OwnMetrics(["push", "jira"], [("push", "apps")])
    own.pushed("push", "apps", "ok")
    found = samples(own.render()[0].decode())["platform_meter_source_pushes_total"]
    assert {dict(labels)["outcome"]: value for labels, value in found.items()} == {
        "ok": 1.0,
        "unreadable": 0.0,
        "refused": 0.0,
        "failed": 0.0,
    }
    assert {(dict(labels)["source"], dict(labels)["source_instance"]) for labels in found} == {("push", "apps")}

"""The exporter's metrics of itself."""

from __future__ import annotations

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from tests.support.company import samples

from platform_meter.runtime.process import OwnMetrics


def test_polls_and_calls_are_counted_in_both_formats() -> None:
    """Polls by source with their time, calls by outcome, and the process's own; OpenMetrics without its end mark."""
    own = OwnMetrics()
    own.polled("github", 2.0)
    own.polled("github", 0.2)
    own.requested("github", "ok")
    own.requested("github", "ok")
    own.requested("jira", "limited")
    text, other = own.render()
    found = samples(text.decode())
    assert found["platform_meter_source_poll_duration_seconds_sum"] == {(("source", "github"),): 2.2}
    assert found["platform_meter_source_requests_total"] == {
        (("outcome", "ok"), ("source", "github")): 2.0,
        (("outcome", "limited"), ("source", "jira")): 1.0,
    }
    assert "process_cpu_seconds_total" in found
    assert not other.endswith(b"# EOF\n")
    names = {s.name for family in openmetrics(other.decode() + "# EOF\n") for s in family.samples}
    assert names == set(found)


def test_two_services_of_one_process_do_not_share() -> None:
    """A reload makes a second service: it begins at nothing, and the first one is not disturbed."""
    first, second = OwnMetrics(), OwnMetrics()
    first.requested("github", "ok")
    assert b'outcome="ok"' in first.render()[0]
    assert b'outcome="ok"' not in second.render()[0]

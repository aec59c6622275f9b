"""The table of promises: what was promised to whom, and in words whether it was kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.support.company import Table
from tests.support.objectives import objective
from tests.support.views import rows, tables, view

from platform_meter.model.catalogue.promises import PROMISE_MET, PROMISE_SINCE
from platform_meter.model.definitions import Definitions, Promise
from platform_meter.model.facts.ci import PIPELINE_RUNS

BUILDS = objective(PIPELINE_RUNS, "0.99", slo="builds")
NOVEMBER, OCTOBER = datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 9, 30, 22, tzinfo=UTC)
"""As they begin in Berlin."""
Told = dict[str, tuple[float, datetime]]


def promise(id_: str = "ci", **more: Any) -> Promise:
    asked = {"slo": "builds", "target": 0.985, "period": {"calendar": "month", "zone": "Europe/Berlin"}} | more
    return Promise.model_validate({"kind": "Promise", "id": id_, **asked})


def table(*promises: Promise, **told: Told) -> Table | None:
    """As the page shows it after a tick that told of these promises by period."""
    said = [
        one
        for id_, by in told.items()
        for period, (ratio, since) in by.items()
        for one in ((PROMISE_MET, (id_, period), ratio), (PROMISE_SINCE, (id_, period), since.timestamp()))
    ]
    definitions = Definitions(objectives=(BUILDS,), promises=promises)
    seen = view(datetime(2026, 11, 30, 12, tzinfo=UTC), definitions=definitions, rows=rows(*said))
    return tables(seen, "/slos").get("Promises")


def test_a_promise_is_told_with_its_periods_and_verdicts() -> None:
    """Periods are named in the promise's zone: 23:00 UTC of 31 October is November in Berlin. Just kept is kept."""
    found = table(
        promise(audience=["app-developer", "data-scientist"]),
        ci={"running": (0.985, NOVEMBER), "last": (0.98499999, OCTOBER)},
    )
    assert found is not None
    assert found.columns == ("Promise", "Promised to", "Promised", "Running period", "Last period")
    assert found.rows == (
        (
            "ci builds",
            "app-developer, data-scientist",
            "98.5 % per month, Europe/Berlin",
            "98.500 % kept so far November 2026",
            "98.499 % broken October 2026",
        ),
    )


def test_a_period_that_is_known_in_part_says_so() -> None:
    """From which day on, in the promise's zone."""
    found = table(promise(title="Builds"), ci={"running": (0.9, datetime(2026, 11, 11, 23, 30, tzinfo=UTC))})
    assert found is not None
    assert found.rows[0][0] == "Builds builds"
    assert found.rows[0][3:] == ("90.000 % broken so far November 2026, known from 12 Nov on", "– not known")


def test_what_nobody_judges_has_no_number() -> None:
    """An SLO that Prometheus counts is not stored; a queue's SLA is, though nothing may be decided yet."""
    queue = {"queue": "help", "sla": "first_response", "ratio": 0.9}
    found = table(
        promise("web", slo="web", target=0.999),
        promise("a", slo=None, target=None, ticketing=queue, period={"calendar": "quarter"}),
    )
    assert found is not None
    nobody = "– not judged: Prometheus counts it"
    assert found.rows == (
        ("a first response in help", "–", "90 % per quarter, UTC", "– not known", "– not known"),
        ("web web", "–", "99.9 % per month, Europe/Berlin", nobody, nobody),
    )


def test_without_promises_there_is_no_table() -> None:
    """The page is that of SLOs."""
    assert table() is None

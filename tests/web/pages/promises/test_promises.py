"""The page of promises and that of one: as the last tick counted them, in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.history import MemoryHistory, owner, source
from tests.support.objectives import objective, run
from tests.support.views import html, site, tables, view
from werkzeug.test import Client

from platform_meter.measures.promises import configured
from platform_meter.model.definitions import Definitions, Promise
from platform_meter.model.facts.ci import PIPELINE_RUNS, Outcome
from platform_meter.model.kept import Kept
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import resolve
from platform_meter.web.app import make_app
from platform_meter.web.pages.promises import concerns
from platform_meter.web.view import View

BUILDS = objective(PIPELINE_RUNS, "0.99", slo="builds")
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
READ = datetime(2026, 8, 11, 22, tzinfo=UTC)


def promise(id_: str = "ci", **more: Any) -> Promise:
    asked = {"slo": "builds", "target": 0.9, "period": {"calendar": "month", "zone": "Europe/Berlin"}} | more
    return Promise.model_validate({"kind": "Promise", "id": id_, **asked})


def runs(good: int, bad: int, month: int, day: int, hour: int = 0) -> list[Any]:
    outcomes = [Outcome.SUCCESS] * good + [Outcome.INFRA_FAILURE] * bad
    at = datetime(2026, month, day, hour, tzinfo=UTC)
    return [run(outcome, at + timedelta(seconds=n)) for n, outcome in enumerate(outcomes)]


TOLD = [*runs(9, 1, 8, 20), *runs(10, 0, 9, 3), *runs(8, 2, 10, 5), *runs(30, 1, 10, 31, 23)]
"""What ended at 23:00 UTC of 31 October ended in November in Berlin."""


def seen(*promises: Promise, told: Any = TOLD, fresh: bool = True) -> View:
    """What the page sees after a tick."""
    states = [source("gh", watermark=NOW, read_from=READ, fresh=fresh)]
    history = MemoryHistory([(name, owner("a"), fact) for name, fact in told], sources=states)
    definitions, kept = Definitions(objectives=(BUILDS,), promises=promises), Kept()
    measure = configured(definitions)[0]
    assert isinstance(measure, Gauging)
    rows: dict[str, list[tuple[tuple[str, ...], float]]] = {}
    for sample in measure.compute(Scene(history=history, definitions=definitions, now=NOW, kept=kept)):
        value = resolve(sample.value)
        if value is not None:
            rows.setdefault(sample.metric.name, []).append((sample.labels, value))
    return view(NOW, history, definitions=definitions, kept=kept, rows=rows)


def test_each_promise_is_told_with_its_periods_and_verdicts() -> None:
    """30 of 31 leave room for two more: 30 of 33 is over 9 in 10, 30 of 34 is not. August was not read whole."""
    found = tables(seen(promise(title="Builds", audience=["app-developer", "data-scientist"])), "/promises")[""]
    assert found.columns == (
        "Promise", "Promised to", "Promised", "Running period", "Left to miss", "Last period", "Periods before",
    )  # fmt: skip
    assert found.rows == (
        (
            "Builds builds",
            "app-developer, data-scientist",
            "90 % per month, Europe/Berlin",
            "96.774 % kept so far November 2026",
            "2 more bad ones in a row keep it",
            "80.000 % broken October 2026",
            "September 2026 kept August 2026 not whole",
        ),
    )


@pytest.mark.parametrize(
    ("told", "running", "left"),
    [
        (runs(9, 1, 11, 3), "90.000 % kept so far November 2026", "the next bad one breaks it"),
        (runs(8, 2, 11, 3), "80.000 % broken so far November 2026", "kept again after 10 good ones in a row"),
        ([], "– not known", "–"),
    ],
)
def test_what_is_left_to_miss_is_said_of_the_running_period(told: Any, running: str, left: str) -> None:
    """Just kept is kept, and has nothing left."""
    assert tables(seen(promise(), told=told), "/promises")[""].rows[0][3:5] == (running, left)


def test_one_promise_has_its_months_as_a_table_and_a_chart() -> None:
    """The newest first; what is not whole is in the table with what there is of it, and has no point in the chart."""
    shown = tables(seen(promise()), "/promises/ci")
    assert shown["Periods"].rows == (
        ("October 2026", "broken", "80.000 %", "8", "2", ""),
        ("September 2026", "kept", "100.000 %", "10", "0", ""),
        ("August 2026", "not whole", "90.000 %", "9", "1", "known from 12 Aug on"),
    )
    assert shown["Kept by period"].rows == (
        ("August 2026", "–", "90.000 %"),
        ("September 2026", "100.000 %", "90.000 %"),
        ("October 2026", "80.000 %", "90.000 %"),
    )


def test_what_nobody_judges_has_no_number() -> None:
    """An SLO that Prometheus counts is not stored; a queue's SLA is, though nothing may be decided yet."""
    queue = {"queue": "help", "sla": "first_response", "ratio": 0.9}
    asked = (
        promise("web", slo="web", target=0.999),
        promise("a", slo=None, target=None, ticketing=queue, period={"calendar": "quarter"}),
    )
    nobody = "– told elsewhere: Prometheus counts it"
    assert tables(seen(*asked), "/promises")[""].rows == (
        ("a first response in help", "everybody", "90 % per quarter, UTC", "– not known", "–", "– not known", "–"),
        ("web web", "everybody", "99.9 % per month, Europe/Berlin", nobody, "–", nobody, "–"),
    )
    assert "Told elsewhere: Prometheus counts it." in html(seen(*asked), "/promises/web")


def test_while_the_source_is_stale_nothing_is_known() -> None:
    """Neither on the page of all nor on that of one; what the tick counted before is not shown once its gauge is gone."""
    assert tables(seen(promise(), fresh=False), "/promises")[""].rows[0][3:] == ("– not known", "–", "– not known", "–")
    gone = replace(seen(promise()), rows={})
    assert tables(gone, "/promises")[""].rows[0][3:6] == ("– not known", "–", "– not known")


def test_without_promises_the_page_says_how_to_make_one() -> None:
    """And an id that no file has is no page."""
    empty = view(NOW)
    assert "A file of kind Promise" in html(empty, "/promises")
    assert Client(make_app(site(empty))).get("/promises/none").status_code == 404
    assert "/promises" in html(seen(promise()), "/slos")


def test_a_promise_without_an_audience_is_everybodys() -> None:
    """One with an audience concerns its personas alone, and no team that has none."""
    named = promise(audience=["app-developer"])
    assert [concerns(promise(), ""), concerns(named, "app-developer"), concerns(named, "")] == [True, True, False]

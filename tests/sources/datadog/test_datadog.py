"""Datadog: the case of the contract test, and what only Datadog does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sources.datadog.datadog_server import Datadog, epoch, incident, moment, monitor
from tests.support.minutes import minute

from platform_meter.model.access import Access, Secret, SecretHeaders
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.budgets import ToldBudget
from platform_meter.model.facts.incidents import Incident, Severity
from platform_meter.model.facts.observability import AlertMonitor, MonitorState
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.proposal import Surroundings
from platform_meter.model.source import Page
from platform_meter.sources.datadog import SOURCE
from platform_meter.sources.datadog.config import Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import FakeOutside, Reply

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SINCE = NOW - timedelta(minutes=30)
HITS, ERRORS = "sum:hits{service:checkout}.as_count()", "sum:errors{service:checkout}.as_count()"
FOUND, ASKED = "sum:found{*}.as_count()", "count:asked{*}.as_count()"
MINUTELY = ".rollup(sum, 60)"
SETTINGS: dict[str, Any] = {
    "site": "datadoghq.eu",
    "api_key": {"env": "DD_API_KEY"},
    "application_key": {"env": "DD_APP_KEY"},
    "slis": [
        {"id": "checkout", "bad": ERRORS, "total": HITS},
        {"id": "search", "good": FOUND, "total": ASKED, "delay": "10m"},
    ],
    "slos": [
        {"slo": "checkout-availability", "id": "abc1", "target": 0.999},
        {"slo": "search-availability", "id": "abc2", "target": 0.99, "window": "7d"},
    ],
    "incidents": True,
}
ONE, TWO, THREE = (f"{number}0000000-0000-0000-0000-000000000000" for number in (1, 2, 3))


def small_world() -> Datadog:
    return Datadog(
        counted={
            HITS + MINUTELY: {epoch("10:57"): 99.0, epoch("11:30"): 10.0, epoch("11:57"): 4.0, epoch("11:58"): 99.0},
            ERRORS + MINUTELY: {epoch("11:30"): 2.5, epoch("11:40"): None},
            ASKED + MINUTELY: {epoch("11:45"): 8.0},
            FOUND + MINUTELY: {epoch("11:45"): 7.0},
        },
        monitors=[
            monitor(11, "OK", "team:pay", "service:checkout", "owner:ada"),
            monitor(12, "Alert", "team:pay"),
            monitor(13, "No Data"),
        ],
        slos={"abc1": (99.95, 50.0), "abc2": (98.0, -100.0)},
        incidents=[
            incident(ONE, 1, moment("10:00"), moment("11:50"), services=["checkout"], teams=["pay"], severity="SEV-1"),
            incident(TWO, 2, moment("10:30"), moment("11:40"), state="resolved", resolved="2026-06-01T11:35:00+00:00"),
            incident(THREE, 3, moment("09:00"), moment("09:10")),
        ],
    )


def later_world() -> Datadog:
    world = small_world()
    world.counted[HITS + MINUTELY] |= {epoch("11:30"): 12.0, epoch("11:58"): 6.0}
    world.counted[ERRORS + MINUTELY] |= {epoch("11:58"): 1.0}
    world.monitors = [
        monitor(11, "Warn", "team:pay", "service:checkout"),
        monitor(12, "Alert", "team:pay"),
        monitor(14, "OK"),
    ]
    world.monitors[2] |= {"created": "2026-05-01T10:00:00"}
    world.slos |= {"abc1": (99.9, 0.0), "abc2": Reply(status=403)}
    world.incidents[0]["attributes"] |= {
        "modified": "2026-06-01T12:05:00+00:00",
        "state": "resolved",
        "resolved": "2026-06-01T12:04:00+00:00",
    }
    del world.incidents[2]
    return world


def counted(sli: str, clock: str, good: float, bad: float, seen: float) -> SliCount:
    """`clock` is the minute's end; `seen` is what stands for the time of the last change: all events and those that were asked for."""
    return minute("datadog", sli, moment(clock), good, bad, updated=datetime.fromtimestamp(seen, UTC))


def watched(id_: int, state: MonitorState, *labels: tuple[str, str]) -> AlertMonitor:
    about = Ref(system="datadog", kind="monitor", id=str(id_), labels=labels)
    return AlertMonitor(about=about, since=datetime(2026, 5, 1, 10, 0, 0, 123_456, tzinfo=UTC), state=state)


def beside(slo: str, id_: str, days: int, sli: float, remaining: float) -> ToldBudget:
    about = Ref(system="datadog", kind="slo", id=id_)
    return ToldBudget(about=about, slo=slo, window=timedelta(days=days), sli=sli, remaining=remaining)


CHECKOUT = Ref(
    system="datadog",
    kind="service",
    id="checkout",
    labels=(("app.kubernetes.io/name", "checkout"), ("team", "pay")),
)


def broken(id_: str, number: int, created: str, updated: str, **more: Any) -> Incident:
    url = f"https://app.datadoghq.eu/incidents/{number}"
    told: dict[str, Any] = {
        "about": Ref(system="datadog", kind="incident", id=id_),
        "name": f"IR-{number}",
        "url": url,
        "ids": (id_, f"IR-{number}", url),
        **more,
    }
    return Incident(key=f"incident/{id_}", at=moment(created), updated=moment(updated), **told)


OWNED = (("app.kubernetes.io/name", "checkout"), ("team", "pay"))
CASE = Case(
    settings={**SETTINGS, "lookback": "15m"},
    answers=small_world,
    now=NOW,
    since=SINCE,
    expected=[
        counted("checkout", "11:31", 7.5, 2.5, 12.5),
        counted("checkout", "11:58", 4.0, 0.0, 4.0),
        counted("search", "11:46", 7.0, 1.0, 15.0),
        beside("checkout-availability", "abc1", 28, 0.9995, 0.5),
        beside("search-availability", "abc2", 7, 0.98, -1.0),
        watched(11, MonitorState.OK, *OWNED),
        watched(12, MonitorState.ALERT, ("team", "pay")),
        watched(13, MonitorState.NO_DATA),
        broken(ONE, 1, "10:00", "11:50", about=CHECKOUT, severity=Severity.CRITICAL),
        broken(TWO, 2, "10:30", "11:40", resolved=moment("11:35")),
        broken(THREE, 3, "09:00", "09:10"),
    ],
    later=Later(
        answers=later_world,
        after=timedelta(minutes=10),
        expected=[
            counted("checkout", "11:31", 9.5, 2.5, 14.5),
            counted("checkout", "11:59", 5.0, 1.0, 7.0),
            beside("checkout-availability", "abc1", 28, 0.999, 0.0),
            watched(11, MonitorState.WARN, *OWNED),
            broken(ONE, 1, "10:00", "12:05", about=CHECKOUT, severity=Severity.CRITICAL, resolved=moment("12:04")),
            Incident(
                key=f"incident/{THREE}",
                at=moment("09:00"),
                about=Ref(system="datadog", kind="incident", id=THREE),
                updated=moment("09:10") + timedelta(milliseconds=1),
                valid=False,
            ),
        ],
        over=frozenset({(AlertMonitor, "monitor/13")}),
        failing=frozenset({"slo/search-availability"}),
        rejected=1,
    ),
    people=["Ada", "ada@acme.example", "owner"],
    without=[
        ({"slis": []}, frozenset({SliCount})),
        ({"monitors": False}, frozenset({AlertMonitor})),
        ({"slos": []}, frozenset({ToldBudget})),
        ({"incidents": False}, frozenset({Incident})),
    ],
)
NO_RANGE: dict[str, Any] = {"slis": [{"id": "checkout", "bad": ERRORS, "total": HITS}]}
GOOD: dict[str, Any] = {"slis": [{"id": "search", "good": FOUND, "total": ASKED}]}


def read(
    world: Any, stream: str = "sli/checkout", checkpoint: bytes | None = None, now: datetime = NOW, **settings: Any
) -> Iterator[Page]:
    """One poll of a stream."""
    config = Config.model_validate({**SETTINGS, **settings})
    outside = world if isinstance(world, FakeOutside) else FakeOutside(world)
    (found,) = (one for one in SOURCE.connect(config, outside, "datadog") if one.name == stream)
    return found.read(checkpoint, SINCE, now)


def facts(pages: Iterator[Page]) -> list[Fact]:
    return [fact for page in pages for fact in page.facts]


def test_two_keys_open_the_api_of_a_site() -> None:
    """In headers; the quota is told by headers too. Another address takes the site's place."""
    keys = SecretHeaders(
        headers={"DD-API-KEY": Secret(env="DD_API_KEY"), "DD-APPLICATION-KEY": Secret(env="DD_APP_KEY")}
    )
    names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
    told = SOURCE.access(Config.model_validate(SETTINGS))
    assert told == Access(url="https://api.datadoghq.eu", credential=keys, rate_headers=names)
    told = SOURCE.access(Config.model_validate({**SETTINGS, "url": "http://127.0.0.1:9"}))
    assert told.url == "http://127.0.0.1:9"


def test_check_names_the_permission_that_lacks() -> None:
    """One line for each call that is refused; the SLI is asked for at Datadog's own time."""
    outside = FakeOutside(
        lambda call: Datadog(counted={})(call) if call.path == "/api/v1/validate" else Reply(status=403)
    )
    needs = "the application key needs {}, as its scope and by the role of its user"
    assert SOURCE.check(Config.model_validate(SETTINGS), outside) == [
        *[
            f"sli/{sli}: GET /api/v1/query: 403; {needs.format('timeseries_query')}"
            for sli in ("checkout", "checkout", "search", "search")
        ],
        f"slo/checkout-availability: GET /api/v1/slo/abc1/history: 403; {needs.format('slos_read')}",
        f"slo/search-availability: GET /api/v1/slo/abc2/history: 403; {needs.format('slos_read')}",
        f"monitors: GET /api/v1/monitor: 403; {needs.format('monitors_read')}",
        f"incidents: GET /api/v2/incidents: 403; {needs.format('incident_read')}",
    ]
    asked = [call.params for call in outside.calls if call.path == "/api/v1/query"]
    assert (asked[0]["from"], asked[0]["to"]) == (epoch("11:49"), epoch("12:01"))


def test_check_says_which_key_is_not_accepted() -> None:
    """Nothing else is asked for then."""
    outside = FakeOutside({"/api/v1/validate": Reply(status=403)})
    assert SOURCE.check(Config.model_validate(SETTINGS), outside) == [
        "GET /api/v1/validate: 403; write the API key of an organisation of datadoghq.eu, or the site that it is of"
    ]
    assert len(outside.calls) == 1


def test_check_without_a_date_asks_for_a_moment_long_ago() -> None:
    """What is refused is refused there too."""
    outside = FakeOutside(Datadog(counted={}, slos={"abc1": (1.0, 1.0), "abc2": (1.0, 1.0)}, date=""))
    assert SOURCE.check(Config.model_validate(SETTINGS), outside) == []
    asked = next(call.params for call in outside.calls if call.path == "/api/v1/query")
    assert asked["to"] == int(datetime(2020, 1, 1, 0, 1, tzinfo=UTC).timestamp())


def test_init_writes_the_variables_that_are_there() -> None:
    """As Datadog's own tools call them."""
    told = SOURCE.propose(Surroundings(variables=frozenset({"DATADOG_API_KEY", "DD_APP_KEY"})))
    assert told is not None
    assert told.sample[1] == {
        "site": "datadoghq.com",
        "api_key": {"env": "DATADOG_API_KEY"},
        "application_key": {"env": "DD_APP_KEY"},
    }


def test_what_is_read_whole_each_time_is_read_seldom() -> None:
    """Every five minutes, or as seldom as all the rest; a minute of an SLI and a monitor as often as `every` says."""

    def every(**settings: str) -> dict[str, timedelta | None]:
        config = Config.model_validate({**SETTINGS, **settings})
        return {stream.name: stream.every for stream in SOURCE.connect(config, FakeOutside({}), "datadog")}

    seldom = {"slo/checkout-availability", "slo/search-availability", "incidents"}
    often = dict.fromkeys({"sli/checkout", "sli/search", "monitors"})
    assert every() == {**often, **dict.fromkeys(seldom, timedelta(minutes=5))}
    assert every(every="1h") == {**often, **dict.fromkeys(seldom, timedelta(hours=1))}

"""Grafana: the case of the contract test, and what only Grafana does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from tests.sources.grafana.grafana_server import ALERTS, RULER, Grafana, Row, dashboard, folder, rule

from platform_meter.model.access import Access, Secret, Token
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.observability import AlertRule, Dashboard, Used
from platform_meter.model.proposal import Surroundings
from platform_meter.sources.grafana import SOURCE
from platform_meter.sources.grafana.config import Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import FakeOutside, Reply

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SETTINGS: dict[str, Any] = {"url": "https://grafana.example", "token": {"env": "GRAFANA_TOKEN"}}
SHOP, PAY, OPS = folder("f1", "Shop"), folder("f2", "Payments", "f1"), folder("f3", "Operations")


def small_world() -> Grafana:
    return Grafana(
        folders=[SHOP, PAY, OPS],
        dashboards=[
            dashboard("d1", PAY, "team:pay", "owner:ada", views=12),
            dashboard("d2", OPS, "service=checkout", "prod"),
            dashboard("d3", None, views=1),
        ],
        rules=[
            rule("a1", "f2", {"team": "pay", "severity": "page"}),
            rule("a2", "f3"),
            rule("a3", "f3", isPaused=True),
            rule("a4", "f3", record={"metric": "shop:requests", "from": "A"}),
        ],
    )


def later_world() -> Grafana:
    world = small_world()
    world.dashboards = [
        dashboard("d1", PAY, "team:pay"),
        dashboard("d3", None, views=1),
        dashboard(4, OPS),
        dashboard("d5", OPS, views=2),
    ]
    world.refused = frozenset({ALERTS, RULER})
    return world


def shown(id_: str, used: str, **labels: str) -> Dashboard:
    about = Ref(system="grafana", kind="dashboard", id=id_, labels=tuple(sorted(labels.items())))
    return Dashboard(about=about, used=Used(used))


def alerting(id_: str, **labels: str) -> AlertRule:
    return AlertRule(about=Ref(system="grafana", kind="alert_rule", id=id_, labels=tuple(sorted(labels.items()))))


RULES = [
    alerting("Shop/Payments/a1", folder="Shop/Payments", team="pay"),
    alerting("Operations/a2", folder="Operations"),
]
CHECKOUT = {"app.kubernetes.io/name": "checkout", "folder": "Operations"}
CASE = Case(
    settings=SETTINGS,
    answers=small_world,
    now=NOW,
    since=NOW - timedelta(days=1),
    expected=[
        shown("Shop/Payments/d1", "yes", folder="Shop/Payments", team="pay"),
        shown("Operations/d2", "no", **CHECKOUT),
        shown("d3", "yes"),
        *RULES,
    ],
    later=Later(
        answers=later_world,
        after=timedelta(hours=1),
        expected=[
            shown("Shop/Payments/d1", "no", folder="Shop/Payments", team="pay"),
            shown("Operations/d5", "yes", folder="Operations"),
        ],
        over=frozenset({(Dashboard, "dashboard/Operations/d2")}),
        failing=frozenset({"alert rules"}),
        rejected=2,
    ),
    people=["Ada", "adas-board", "ada"],
    without=[({"dashboards": False}, frozenset({Dashboard})), ({"alert_rules": False}, frozenset({AlertRule}))],
)


def told(world: Any, stream: str = "dashboards", **settings: Any) -> list[Fact]:
    """All that one poll of a stream says."""
    outside = world if isinstance(world, FakeOutside) else FakeOutside(world)
    streams = SOURCE.connect(Config.model_validate({**SETTINGS, **settings}), outside, "grafana")
    (found,) = (one for one in streams if one.name == stream)
    return [fact for page in found.read(None, NOW, NOW) for fact in page.facts]


def test_a_service_account_is_let_in() -> None:
    """The organisation is named where it is said, as a number or a text."""
    token = Token(secret=Secret(env="GRAFANA_TOKEN"))
    assert SOURCE.access(Config.model_validate(SETTINGS)) == Access(url="https://grafana.example", credential=token)
    access = SOURCE.access(Config.model_validate({**SETTINGS, "org": 2}))
    assert access.headers == {"X-Grafana-Org-Id": "2"}


@pytest.mark.parametrize("more", [{"org": "acme"}, {"dashboards": False, "alert_rules": False}])
def test_settings_that_read_nothing_are_refused(more: dict[str, Any]) -> None:
    """An organisation goes by its number."""
    with pytest.raises(ValidationError):
        Config.model_validate({**SETTINGS, **more})


def test_what_is_read_whole_each_time_is_read_seldom() -> None:
    """Every five minutes, or as seldom as the setting says."""

    def every(text: str) -> list[timedelta | None]:
        config = Config.model_validate({**SETTINGS, "every": text})
        return [stream.every for stream in SOURCE.connect(config, FakeOutside({}), "grafana")]

    assert every("1m") == [timedelta(minutes=5)] * 2
    assert every("1h") == [timedelta(hours=1)] * 2


def problems(world: Any, **settings: Any) -> list[str]:
    return list(SOURCE.check(Config.model_validate({**SETTINGS, **settings}), FakeOutside(world)))


def test_check_names_the_permission_that_lacks() -> None:
    """What may not be seen is not refused by a search: it is not there."""
    world = Grafana(folders=[], dashboards=[], refused=frozenset({ALERTS, RULER}))
    dashboards = (
        "dashboards: not one may be seen; give the service account the role Viewer, or dashboards:read and folders:read "
        "on all folders, write the org that has some, or dashboards: false"
    )
    rules = (
        f"alert rules: GET {RULER}: 403; give the service account the role Viewer, alert.provisioning:read, or "
        "alert.rules:read and folders:read, or write alert_rules: false"
    )
    assert problems(world) == [dashboards, rules]
    assert problems(world, dashboards=False) == [rules]
    assert problems(world, alert_rules=False) == [dashboards]
    refused = Grafana(folders=[], dashboards=[], refused=frozenset({"/api/search"}))
    assert problems(refused) == [
        "dashboards: GET /api/search: 403; give the service account the role Viewer, or dashboards:read and folders:read"
    ]


def test_check_takes_the_ruler_where_provisioning_is_forbidden() -> None:
    """That is enough."""
    world = small_world()
    world.refused = frozenset({ALERTS})
    assert problems(world) == []


def test_check_tells_that_alerting_is_switched_off() -> None:
    """There is no such path then; another failure is no finding about permissions."""
    world = small_world()

    def answer(status: int) -> Any:
        return lambda call: Reply(status=status) if call.path == ALERTS else world(call)

    assert problems(answer(404)) == [
        f"alert rules: GET {ALERTS}: 404; alerting is switched off there: write alert_rules: false"
    ]
    with pytest.raises(Exception, match="400"):
        problems(answer(400))


def test_init_finds_the_grafana_that_variables_name() -> None:
    """Address and token; without both it is a sample."""
    around = Surroundings(variables=frozenset({"GRAFANA_AUTH"}), addresses={"GRAFANA_URL": "https://g.example"})
    proposal = SOURCE.propose(around)
    assert proposal is not None
    assert proposal.found == {"grafana": {"url": "https://g.example", "token": {"env": "GRAFANA_AUTH"}}}
    bare = SOURCE.propose(Surroundings(addresses={"GRAFANA_URL": "https://g.example"}))
    assert bare is not None
    assert bare.found == {}
    assert bare.sample[1]["token"] == {"env": "GRAFANA_TOKEN"}


def rows(*tags: str) -> list[Row]:
    return [dashboard("d1", OPS, *tags)]


def test_wanted_tags_alone_say_whose_a_dashboard_is() -> None:
    """With : or =; one with several values says nothing, one without is none, and the folder is where it lies."""
    tags = ("team:pay", "squad:a", "squad=b", "env:prod", "org", "folder:elsewhere", "area=shop=eu")
    (one,) = told(Grafana(folders=[OPS], dashboards=rows(*tags)), tags=["team", "squad", "org", "folder", "area"])
    assert one.about.labels == (("area", "shop=eu"), ("folder", "Operations"), ("team", "pay"))

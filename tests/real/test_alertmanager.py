"""The Alertmanager that alert tests run on: it starts alone, takes an alert from Prometheus' rules and tells it.

And the configuration that is generated for it: amtool and a running Alertmanager say who is told of which alert.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from tests.support.client import session
from tests.support.http import Reply, serving
from tests.support.our_slos import our_plans
from tests.support.prometheus import Alertmanager, alertmanager, prometheus
from tests.support.slos import RATIO, STORED, planned
from tests.support.waiting import PATIENCE, until

from platform_meter.model.facts.incidents import Incident, Severity
from platform_meter.model.push import Pushed
from platform_meter.render import alertmanager as routes
from platform_meter.render.artifact import Artifact
from platform_meter.render.rules import rules
from platform_meter.render.rules.meter_alerts import meter_alerts
from platform_meter.slo.plan import Plan
from platform_meter.sources.alertmanager import Config, read

CONFIG = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
RULES = """
groups:
  - name: always
    interval: 1s
    rules: [{alert: Always, expr: vector(1), labels: {severity: page}}]
"""


def test_an_alert_of_prometheus_arrives(tmp_path: Path) -> None:
    """A rule that fires is an active alert in the Alertmanager that Prometheus was told of."""
    rules = tmp_path / "always.rules.yml"
    rules.write_text(RULES)
    with alertmanager(tmp_path / "am", CONFIG) as alerts:
        target = {"static_configs": [{"targets": [alerts.url.removeprefix("http://")]}]}
        config = {"rule_files": [str(rules)], "alerting": {"alertmanagers": [target]}}
        # The rule fires before Prometheus has discovered the Alertmanager; by default it sends again after a minute.
        with prometheus(tmp_path / "prometheus", config, flags=["--rules.alert.resend-delay=1s"]):
            (alert,) = until(alerts.alerts)
    assert alert["labels"] == {"alertname": "Always", "severity": "page"}
    assert alert["status"]["state"] == "active"


def test_its_webhook_is_read_as_one_incident_from_start_to_end(tmp_path: Path) -> None:
    """Under one key while it fires and when it is resolved; what the settings do not take is none."""
    now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - a real server goes by the real clock
    firing = {
        "labels": {"alertname": "PaymentsDown", "severity": "page", "service": "payments"},
        "annotations": {"summary": "since 1.4.0"},
        "startsAt": (now - timedelta(minutes=3)).isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
    }
    other = {**firing, "labels": {"alertname": "DiskFull", "severity": "ticket"}}
    with serving() as receiver, requests.Session() as http:
        receiver.on("/events", Reply())
        route = {"receiver": "meter", "group_wait": "0s", "group_interval": "1s"}
        meter = {"name": "meter", "webhook_configs": [{"url": f"{receiver.url}/events"}]}

        def told(resolved: bool) -> list[Incident]:
            found = [
                fact
                for seen in list(receiver.seen)
                for fact in read(
                    Config.model_validate({"match": {"severity": "page"}}),
                    Pushed(headers=seen.headers, body=seen.body, at=now + timedelta(minutes=1), hashed=str),
                )
            ]
            incidents = [fact for fact in found if isinstance(fact, Incident)]
            return [incident for incident in incidents if (incident.resolved is not None) == resolved]

        with alertmanager(tmp_path / "am", {"route": route, "receivers": [meter]}) as alerts:
            post = f"{alerts.url}/api/v2/alerts"
            http.post(post, json=[firing, other], timeout=PATIENCE).raise_for_status()
            opened = until(lambda: told(resolved=False))[0]
            ended = {**firing, "endsAt": (now - timedelta(minutes=1)).isoformat()}
            http.post(post, json=[ended, other], timeout=PATIENCE).raise_for_status()
            closed = until(lambda: told(resolved=True))[0]
    assert {incident.key for incident in (opened, closed)} == {opened.key}
    assert (opened.at, opened.severity, opened.mentions) == (now - timedelta(minutes=3), Severity.CRITICAL, ("1.4.0",))
    assert closed.resolved == now - timedelta(minutes=1)
    assert opened.updated is not None
    assert closed.updated is not None
    assert closed.updated > opened.updated


ODD = (
    "Team Blue, Berlin",
    'the "best" team',
    "it's {ours}",
    "a\\b",
    "two\nlines",
    "tab\there",
    "équipe: ø #1",
    ".*",
    " ",
    "\x7f",
)
"""What an SLO file may call its owner."""


def amtool(*arguments: str | Path) -> str:
    """What amtool prints; it must succeed."""
    done = subprocess.run(["amtool", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def written(plans: Iterable[Plan], folder: Path) -> Path:
    """The generated configuration on disk."""
    artifact = routes.alertmanager(plans)
    (folder / artifact.path).write_text(artifact.text, "utf-8")
    return folder / artifact.path


def alerts_of(artifacts: Iterable[Artifact]) -> list[dict[str, str]]:
    """Labels of every alert in generated rules, as Alertmanager gets them."""
    return [
        {"alertname": rule["alert"], **rule["labels"]}
        for artifact in artifacts
        for group in yaml.safe_load(artifact.text)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]


def told(config: Path, labels: Mapping[str, str]) -> str:
    """The receiver that amtool finds for these labels."""

    def quoted(text: str) -> str:
        return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    pairs = [f'{name}="{quoted(value)}"' for name, value in labels.items()]
    return amtool("config", "routes", "test", f"--config.file={config}", *pairs).removesuffix("\n")


@pytest.mark.parametrize(
    "owners", [(), ("",), ("platform-meter", "a", "a-page"), ODD], ids=["no SLO", "none", "alike", "odd"]
)
def test_generated_routes_are_sound(owners: Sequence[str], tmp_path: Path) -> None:
    """amtool accepts the file, whatever owners are called, and finds two receivers for each and for those without."""
    plan = planned(RATIO)
    said = amtool("check-config", written([replace(plan, owner=owner) for owner in owners], tmp_path))
    known = {"platform-meter", *(owner or "platform-meter" for owner in owners)}
    assert f" - {2 * len(known)} receivers\n" in said


def test_every_alert_finds_its_owner_by_its_level(tmp_path: Path) -> None:
    """Every alert that this repository's rules have, and an SLO's of no owner; what is about the meter goes to the meter's."""
    plans = (*our_plans(), replace(planned(RATIO), owner=""))
    config = written(plans, tmp_path)
    found = alerts_of(rules(plans))
    assert {labels.get("owner", "") for labels in found} >= {"", "platform-ci", "platform-runtime"}
    wanted = {(labels.get("owner", "platform-meter"), labels["level"]): labels for labels in found}
    assert {(who, level): told(config, labels) for (who, level), labels in wanted.items()} == {
        (who, level): f"{who}-{level}" for who, level in wanted
    }
    gone, *_ = (labels for labels in alerts_of([meter_alerts()]) if labels["alertname"] == "PlatformMeterGone")
    assert told(config, gone) == "platform-meter-ticket"
    assert told(config, {"alertname": "SomethingElse", "owner": "platform-ci"}) == "platform-ci-ticket"


def test_severity_of_a_file_and_its_labels_change_no_route(tmp_path: Path) -> None:
    """A file may call a page critical, and may add labels: the page stays a page of its owner."""
    carried = "io/owner: team-shop\n    platform-meter.io/alert-labels: 'tier=1, page.severity=critical'"
    plan = planned(RATIO, ("io/owner: team-shop", carried))
    config = written([plan], tmp_path)
    page, *_ = (labels for labels in alerts_of(rules([plan])) if labels["level"] == "page")
    assert (page["severity"], page["tier"]) == ("critical", "1")
    assert told(config, page) == "team-shop-page"


def post(server: Alertmanager, alerts: Iterable[Mapping[str, str]], *, over: bool = False) -> None:
    """Alerts with these labels that fire now, or are over."""
    now = datetime.now(UTC)  # noqa: TID251 - a real server goes by the real clock
    ends = now - timedelta(seconds=1) if over else now + timedelta(hours=1)
    both = {"startsAt": (now - timedelta(hours=1)).isoformat(), "endsAt": ends.isoformat()}
    with session() as http:
        sent = [{"labels": dict(one), **both} for one in alerts]
        http.post(f"{server.url}/api/v2/alerts", json=sent, timeout=PATIENCE).raise_for_status()


def test_any_owner_is_found_by_a_running_alertmanager(tmp_path: Path) -> None:
    """By the very text of its label, which no quoting changed: each alert goes to its owner's receiver and no other one."""
    plan = planned(RATIO)
    config = yaml.safe_load(written([replace(plan, owner=owner) for owner in ODD], tmp_path).read_text("utf-8"))
    sent = [
        {"alertname": "SLOBurn", "slo": "a", "level": level, "owner": owner}
        for owner in (*ODD, "Team Blue", "anything")
        for level in ("page", "ticket")
    ]
    with alertmanager(tmp_path, config) as server:
        post(server, sent)
        found = until(lambda: alerts if len(alerts := server.alerts()) == len(sent) else [])
    assert {(one["labels"]["owner"], one["labels"]["level"]): one["receivers"] for one in found} == {
        (one["owner"], one["level"]): [
            {"name": f"{one['owner'] if one['owner'] in ODD else 'platform-meter'}-{one['level']}"}
        ]
        for one in sent
    }


def brief(labels: Mapping[str, str]) -> str:
    """`shop-requests SLOBurn page 1h`."""
    return " ".join(labels[key] for key in ("slo", "alertname", "level", "window") if key in labels)


def silenced(server: Alertmanager) -> dict[str, set[str]]:
    """What is silenced by what, of alerts that fire, as Alertmanager says."""
    found = {one["fingerprint"]: one for one in server.alerts()}
    return {
        brief(one["labels"]): {brief(found[by]["labels"]) for by in one["status"]["inhibitedBy"] if by in found}
        for one in found.values()
        if one["status"]["inhibitedBy"]
    }


def test_what_says_nothing_new_is_silenced_and_nothing_else(tmp_path: Path) -> None:
    """All alerts of two SLOs and the meter's own fire at once; then the fastest rows end, and the next ones are told."""
    plans = (planned(STORED), planned(RATIO))
    config = yaml.safe_load(written(plans, tmp_path).read_text("utf-8"))
    fire = [*alerts_of(rules(plans)), *alerts_of([meter_alerts()])]
    shop, ci = "shop-requests SLOBurn", "ci-success SLOBurn"
    spent = {slo: f"{slo} SLOBudgetExhausted ticket" for slo in ("shop-requests", "ci-success")}
    quiet = {"ci-success SLONoData ticket": {"PlatformMeterGone ticket"}}

    with alertmanager(tmp_path, config) as server:
        post(server, fire)
        known = until(lambda: found if set(found := silenced(server)) >= {*spent.values(), *quiet} else {})
        assert set(known) == {
            *(f"{slo} {row}" for slo in (shop, ci) for row in ("page 6h", "ticket 1d", "ticket 3d")),
            *spent.values(),
            *quiet,
        }
        assert {by for target, some in known.items() if target.startswith("shop") for by in some} <= {
            f"{shop} page 1h",
            f"{shop} page 6h",
            f"{shop} ticket 1d",
        }
        assert known["shop-requests SLOBurn page 6h"] == {f"{shop} page 1h"}
        assert known["ci-success SLONoData ticket"] == {"PlatformMeterGone ticket"}
        fast = [one for one in fire if one.get("window") == "1h"]
        post(server, fast, over=True)
        known = until(lambda: found if f"{shop} page 6h" not in (found := silenced(server)) else {})
        assert set(known) >= {f"{shop} ticket 1d", f"{shop} ticket 3d", spent["shop-requests"]}
        post(server, [one for one in fire if one["level"] == "page"], over=True)
        known = until(lambda: found if len(found := silenced(server)) == 3 else {})
    assert known == {
        f"{shop} ticket 3d": {f"{shop} ticket 1d"},
        f"{ci} ticket 3d": {f"{ci} ticket 1d"},
        **quiet,
    }


def test_a_page_of_an_slo_is_one_message(tmp_path: Path) -> None:
    """So are its tickets of one kind, and the labels that a file adds split none; two SLOs of one owner are two messages,
    and all sources that are down are one.
    """
    carried = "io/owner: team-shop\n    platform-meter.io/alert-labels: 'tier=1, page.severity=critical'"
    plan = planned(RATIO, ("io/owner: team-shop", carried))
    plans = (plan, replace(plan, slo="shop-more"))
    config = yaml.safe_load(written(plans, tmp_path).read_text("utf-8"))
    down = [
        {"alertname": "PlatformMeterSourceDown", "level": "ticket", "severity": "ticket", "source_instance": name}
        for name in ("github", "jira")
    ]
    fire = [*alerts_of(rules(plans)), *down]
    with alertmanager(tmp_path, config) as server:
        post(server, fire)
        until(lambda: len(server.alerts()) == len(fire))
        found: list[dict[str, Any]] = server.get("/api/v2/alerts/groups").json()
    of_slos = [group for group in found if "slo" in group["labels"]]
    assert [{alert["labels"]["tier"] for alert in group["alerts"]} for group in of_slos] == [{"1"}] * len(of_slos)
    groups = {
        (group["receiver"]["name"], group["labels"].get("slo", ""), group["labels"].get("alertname", "")): len(
            group["alerts"]
        )
        for group in found
    }
    assert groups == {
        **{
            (f"team-shop-{level}", slo, name): count
            for slo in ("shop-requests", "shop-more")
            for level, name, count in (
                ("page", "", 2),
                ("ticket", "SLOBurn", 2),
                ("ticket", "SLOBudgetExhausted", 1),
                ("ticket", "SLONoData", 1),
                ("ticket", "SLOCountsContradict", 1),
            )
        },
        ("platform-meter-ticket", "", "PlatformMeterSourceDown"): 2,
    }

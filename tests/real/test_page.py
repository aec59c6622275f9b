"""A fault in the demo company pages someone, through real rules, a real Prometheus and a real Alertmanager.

The whole chain runs 20 times as fast as it is configured: the company's clock, scrapes, evaluations and the waits of
Alertmanager. So what takes eleven minutes takes half a minute here, and nothing in it is changed but the speed.
Beside the company stands a shop whose requests Prometheus itself counts; its rules and their windows run 5 times as fast.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from tests.support.company import START, Running, company
from tests.support.our_slos import our_plans
from tests.support.processes import free_ports
from tests.support.slos import RATIO, planned
from tests.support.waiting import until

from platform_meter.demo.company.scenarios import Scenario, Trouble
from platform_meter.demo.stage.pager import Alert
from platform_meter.demo.stage.seed import past
from platform_meter.demo.stage.stack import Places, Stack, prepare, stack
from platform_meter.render.rules import rules
from platform_meter.runtime.server.httpd import App, Server
from platform_meter.slo.explain import explain
from platform_meter.slo.plan import Plan
from platform_meter.web.app import make_app
from platform_meter.web.site import make_site

SPEED = 20
SLO = "ci-platform-success"
CALM = timedelta(minutes=1)
OUTAGE = timedelta(minutes=6)
POLL = timedelta(seconds=30)
"""Of the company's clock from one poll to the next."""
STEP = timedelta(minutes=2)
"""The same, while its own gauges say that the page goes on."""
LONGEST = timedelta(minutes=90)
"""After that the company has forgotten the outage."""
SHOP = planned(RATIO, ("'http_requests_total", "'shop_requests_total"))
SHOP_SPEED = 5
SHOP_SCRAPE = timedelta(seconds=30)
A_SECOND = 100
"""Requests of the shop."""
_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_INTERVAL = re.compile(r"(?<![a-z_])((?:scrape_|evaluation_|refresh_|group_)?interval|group_wait): (\d+)([smh])")
_RANGE = re.compile(r"\[((?:\d+[smhd])+)\]")


def faster(text: str, speed: int = SPEED) -> str:
    """A configuration or rule file with every interval divided by the speed."""
    return _INTERVAL.sub(lambda m: f"{m[1]}: {int(m[2]) * _UNIT[m[3]] * 1000 // speed}ms", text)


def denser(text: str, speed: int) -> str:
    """PromQL with every range divided by the speed."""

    def shorter(found: re.Match[str]) -> str:
        seconds = sum(int(n) * _UNIT[unit] for n, unit in re.findall(r"(\d+)([smhd])", found[1]))
        return f"[{seconds * 1000 // speed}ms]"

    return _RANGE.sub(shorter, text)


@dataclass(kw_only=True)
class Told:
    """An alert as the pager heard of it."""

    alert: Alert
    at: datetime

    @property
    def name(self) -> tuple[str, str, str]:
        labels = self.alert.labels
        return labels["alertname"], labels["level"], labels.get("window", "")

    @property
    def about(self) -> str:
        return self.alert.labels["slo"]


@dataclass(kw_only=True)
class Night:
    """What happened, as those who were told of it saw it."""

    health: list[dict[str, Any]] = field(default_factory=list)
    """Every rule, in the end."""
    before: list[Told] = field(default_factory=list)
    """Told while all was calm."""
    paged_after: timedelta = timedelta()
    """Company time from the beginning of the outage to the page."""
    longest: timedelta = timedelta()
    """Company time from one poll to the next until the page, at most: a slow machine polls less often."""
    shop_paged_after: timedelta = timedelta()
    """The shop's time from its first failure to the page."""
    suppressed: list[dict[str, Any]] = field(default_factory=list)
    """Tickets that Alertmanager held back while it paged."""
    over_after: timedelta = timedelta()
    """Company time from the end of the outage to the moment when the last page was over."""
    told: list[Told] = field(default_factory=list)
    """Of the company's SLO, in order."""
    active: list[dict[str, Any]] = field(default_factory=list)
    """Tickets that Alertmanager holds back no more, once no page is left."""
    slack: list[dict[str, Any]] = field(default_factory=list)

    @property
    def pages(self) -> list[Told]:
        return [t for t in self.told if t.name[1] == "page"]

    def pages_at(self, moment: datetime) -> bool:
        """Whether a page fired then, whenever it was told."""
        spans = ((t.alert.starts_at, t.alert.ends_at) for t in self.pages if t.alert.status == "resolved")
        return any(start and end and start <= moment < end for start, end in spans)


class Shop:
    """Answers requests at a steady rate, all of them well until it breaks; counted by the real clock."""

    def __init__(self) -> None:
        self.broke: datetime | None = None

    def counters(self, at: datetime) -> dict[str, float]:
        """Requests so far, by code."""
        until_ = min(at, self.broke or at)
        return {"200": A_SECOND * until_.timestamp(), "500": A_SECOND * (at - until_).total_seconds()}

    def serve(self, _: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain; version=0.0.4")])
        return [
            f'shop_requests_total{{code="{code}"}} {value:.3f}\n'.encode()
            for code, value in self.counters(now()).items()
        ]

    def past(self, scrape: timedelta) -> Iterator[str]:
        """What Prometheus would have scraped in the last hour of the shop's time."""
        end, steps = now(), int(timedelta(hours=1.1) / SHOP_SPEED / scrape)
        yield "# TYPE shop_requests counter\n"
        for code in ("200", "500"):
            for n in range(steps, 0, -1):
                at = end - n * scrape
                value = self.counters(at)[code]
                yield f'shop_requests_total{{code="{code}",job="shop",instance="shop"}} {value:.3f} {at.timestamp():.3f}\n'


def now() -> datetime:
    """By the clock of the servers, which stamp their alerts with it."""
    return datetime.now(UTC)  # noqa: TID251 - what real servers say is compared with when it was heard


def recorder(heard: list[dict[str, Any]]) -> App:
    """A stand-in for Slack's webhook."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        heard.append(json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    return answer


def with_slack(text: str, url: str) -> str:
    """Alertmanager's file with its Slack example in use."""
    lines = (re.sub(r"^    # (slack_configs:|  )", r"    \1", line) for line in text.splitlines())
    config = yaml.safe_load("\n".join(lines))
    (slack,) = config["receivers"][0]["slack_configs"]
    del slack["api_url_file"]
    slack["api_url"] = url
    return yaml.safe_dump(config)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """A calm minute, six minutes in which most builds fail by the platform's fault, and what follows."""
    folder, heard, seen, shop = tmp_path_factory.mktemp("page"), list[Told](), Night(), Shop()
    ports = [f"127.0.0.1:{port}" for port in free_ports(3)]
    with (
        company(
            folder,
            trouble=Trouble.CI_OUTAGE,
            trouble_after=CALM,
            trouble_for=OUTAGE,
            begin=timedelta(),
            only={"github": {}},  # a poll must not take long beside a clock that runs fast
        ) as running,
        Server(make_app(make_site(lambda: running.service, list))) as exporter,
        Server(shop.serve) as shop_served,
        Server(recorder(seen.slack)) as slack,
    ):
        running.poll()
        places = Places(
            exporter=f"127.0.0.1:{exporter.port}",
            services=running.addresses.urls["metrics"].partition("://")[2],
            prometheus=ports[0],
            alertmanager=ports[1],
            pager=ports[2],
        )
        scrape = SHOP_SCRAPE / SHOP_SPEED
        job = {
            "job_name": "shop",
            "scrape_interval": f"{scrape.total_seconds():.0f}s",
            "scrape_timeout": f"{scrape.total_seconds():.0f}s",
            "static_configs": [{"targets": [f"127.0.0.1:{shop_served.port}"], "labels": {"instance": "shop"}}],
        }

        def adjust(name: str, text: str) -> str:
            match name:
                case "alertmanager.yml":
                    return faster(with_slack(text, slack.url))
                case "prometheus.yml":
                    config = yaml.safe_load(faster(text))
                    config["scrape_configs"].append(job)
                    return yaml.safe_dump(config)
                case _:
                    return text

        generated = {a.path: faster(a.text) for a in rules(our_plans())}
        (shops,) = rules([SHOP])
        generated[shops.path] = denser(faster(shops.text, SHOP_SPEED), SHOP_SPEED)
        company_past = past(running.world.company, Scenario(), our_plans())
        prepare(folder, (*shop.past(scrape), *company_past), generated)
        with stack(folder, places, lambda alert: heard.append(Told(alert=alert, at=now())), adjust=adjust) as both:
            _live(running, shop, both, heard, seen)
    return seen


def _evaluated(both: Stack, *types: str) -> list[dict[str, Any]]:
    """Every rule of these types; none as long as one was never evaluated."""
    groups = both.prometheus.get("/api/v1/rules")["data"]["groups"]
    found = [rule for group in groups for rule in group["rules"] if rule["type"] in types]
    return [] if any(rule["health"] == "unknown" for rule in found) else found


def _live(running: Running, shop: Shop, both: Stack, heard: list[Told], seen: Night) -> None:
    until(lambda: _evaluated(both, "alerting"))
    seen.before = list(heard)
    began = shop.broke = now()

    def pages(about: str = SLO) -> list[Told]:
        return [t for t in heard if t.name[1] == "page" and t.about == about]

    def live_on(since: datetime, at: datetime) -> None:
        """The company's clock is `at` at the moment `since`, and goes on at its speed."""
        last = running.clock.at
        until(lambda: at + (now() - since) * SPEED >= last + POLL)
        running.clock.at = at + (now() - since) * SPEED
        assert running.clock.at < START + LONGEST, "what is waited for has not come"
        running.poll()

    while not pages():
        before = running.clock.at
        live_on(began, START)
        seen.longest = max(seen.longest, running.clock.at - before)
    seen.paged_after = (pages()[0].at - began) * SPEED - CALM
    until(lambda: pages(SHOP.slo))
    seen.shop_paged_after = (pages(SHOP.slo)[0].at - began) * SHOP_SPEED
    seen.suppressed = until(lambda: _tickets(both, "suppressed"))
    while _burns(running):
        running.poll(after=STEP)
    quiet, at = now(), running.clock.at
    while set({t.name: t.alert.status for t in pages()}.values()) != {"resolved"}:
        live_on(quiet, at)
    over = max(t.alert.ends_at for t in pages() if t.alert.status == "resolved" and t.alert.ends_at)
    seen.over_after = at - START - CALM - OUTAGE + max(timedelta(), over - quiet) * SPEED
    seen.active = until(lambda: _tickets(both, "active"))
    # A slow machine may have told a ticket before the page came, and tells it once only.
    until(lambda: [t for t in heard if t.about == SLO and t.name[:2] == ("SLOBurn", "ticket")])
    seen.told = [t for t in heard if t.about == SLO]
    seen.health = until(lambda: _evaluated(both, "alerting", "recording"))


def _burns(running: Running) -> bool:
    """Whether the exporter's own gauges are above the factor of a page."""
    burn = {
        said["window"]: value
        for labels, value in running.metrics()["platform_slo_burn_rate"].items()
        if (said := dict(labels))["slo"] == SLO
    }
    pages = (alert for alert in _plan().alerts if alert.level == "page")
    return any(min(burn.get(w.label, 0.0) for w in (a.long, a.short)) > a.row.factor for a in pages)


def _plan() -> Plan:
    return next(p for p in our_plans() if p.slo == SLO)


def _tickets(both: Stack, state: str) -> list[dict[str, Any]]:
    """The SLO's tickets that Alertmanager holds, once both slow burns are in this state."""
    alerts = both.alertmanager.get("/api/v2/alerts")
    tickets = [a for a in alerts if a["labels"].get("slo") == SLO and a["labels"]["level"] == "ticket"]
    names = {(a["labels"]["alertname"], a["labels"].get("window")) for a in tickets if a["status"]["state"] == state}
    return tickets if {("SLOBurn", "1d"), ("SLOBurn", "3d")} <= names else []


def printed(plan: Plan) -> timedelta:
    """The detection time that `slo explain` prints for a full outage."""
    found = re.search(r"^  together +(\d+(?:\.\d+)?) min$", explain(plan), re.MULTILINE)
    assert found
    return float(found[1]) * timedelta(minutes=1)


def test_every_rule_is_healthy(night: Night) -> None:
    """Prometheus evaluated every rule that `generate` writes, each without an error."""
    written = "".join(a.text for a in rules([*our_plans(), SHOP]))
    assert len(night.health) == written.count("\n  - record: ") + written.count("\n  - alert: ")
    assert [r for r in night.health if r["health"] != "ok"] == []


def test_nobody_is_paged_while_all_is_calm(night: Night) -> None:
    """What was told before the outage were tickets at most."""
    assert [t.alert.line for t in night.before if t.name[1] == "page"] == []


def test_the_page_comes_within_the_time_that_explain_prints(night: Night) -> None:
    """From the beginning of the outage to the receiver, threshold, poll, scrape, evaluation and group wait included.

    What is printed reckons with a poll a minute; here there are two, on a very slow machine fewer.
    """
    late = max(timedelta(), night.longest - timedelta(minutes=1))
    assert timedelta() < night.paged_after <= printed(_plan()) + late


def test_so_does_the_page_of_what_prometheus_counts(night: Night) -> None:
    """A shop that fails from one moment to the next pages within threshold, scrape, evaluation and group wait."""
    assert timedelta() < night.shop_paged_after <= printed(SHOP)


def test_a_page_silences_the_tickets_of_its_slo(night: Night) -> None:
    """While it pages, Alertmanager holds back every ticket of the SLO and tells of none."""
    assert all(a["status"]["state"] == "suppressed" for a in night.suppressed)
    assert {a["labels"].get("window") for a in night.suppressed} >= {"1d", "3d"}
    tickets = [t for t in night.told if t.name[1] == "ticket" and t.alert.status == "firing"]
    assert [t.alert.line for t in tickets if night.pages_at(t.at)] == []


def test_the_page_is_over_after_the_outage(night: Night) -> None:
    """All of it resolves after the outage ended, and within the hour: builds that waited in the queue fail for a while."""
    assert timedelta() < night.over_after < timedelta(hours=1)


def test_then_the_tickets_are_heard(night: Night) -> None:
    """What the page silenced is silenced no more, and was told: the budget of days is still burning."""
    assert {a["labels"].get("window") for a in night.active if a["status"]["state"] == "active"} >= {"1d", "3d"}
    assert "ticket" in {t.name[1] for t in night.told if t.name[0] == "SLOBurn"}


def test_messages_are_plain_sentences(night: Night) -> None:
    """What a chat receives: which SLO, how fast it burns, what it has cost, since when; and when it was over."""
    told = [m["attachments"][0] for m in night.slack if SLO in m["attachments"][0]["title"]]
    first, last = told[0], told[-1]
    assert first["title"] == f"Page: {SLO} of platform-ci"
    assert re.fullmatch(
        r"(ci-platform-success burns its 28-day budget \d+\.\d times too fast: "
        r"\d+ of \d+ builds failed in the last (6 )?hours?\. "
        r"This is at least [\d.]+ % of the budget in (1|6)h\. Budget: .*28-day budget .*\. It began at \d\d:\d\d UTC\.\n?)+",
        first["text"],
    )
    assert last["title"] == f"Over: {SLO} of platform-ci"
    assert re.match(
        r"ci-platform-success: SLOBurn over (1|6)h ended at \d\d:\d\d UTC, after (\d+m)?\d+s\.", last["text"]
    )

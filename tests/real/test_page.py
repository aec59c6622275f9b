"""A fault in the demo company pages someone, through real rules, a real Prometheus and a real Alertmanager.

The whole chain runs 20 times as fast as it is configured: the company's clock, scrapes, evaluations and the waits of
Alertmanager. So what takes eleven minutes takes half a minute here, and nothing in it is changed but the speed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from tests.support.company import START, Running, company
from tests.support.our_slos import our_plans
from tests.support.processes import free_ports
from tests.support.waiting import until

from platform_meter.demo.pager import Alert
from platform_meter.demo.scenarios import Scenario, Trouble
from platform_meter.demo.seed import past
from platform_meter.demo.stack import Places, Stack, prepare, stack
from platform_meter.render.rules import rules
from platform_meter.runtime.httpd import App, Server
from platform_meter.slo.explain import explain
from platform_meter.web.app import make_app
from platform_meter.web.site import make_site

SPEED = 20
SLO = "ci-platform-success"
CALM = timedelta(minutes=1)
OUTAGE = timedelta(minutes=6)
STEP = timedelta(minutes=2)
"""Of the company's clock from one poll to the next, once the page has come."""
LONGEST = timedelta(minutes=90)
"""After that the company has forgotten the outage."""
_INTERVAL = re.compile(r"(?<![a-z_])((?:scrape_|evaluation_|refresh_|group_)?interval|group_wait): (\d+)([smh])")
_UNIT = {"s": 1, "m": 60, "h": 3600}


def faster(text: str) -> str:
    """A configuration or rule file with every interval divided by SPEED."""
    return _INTERVAL.sub(lambda m: f"{m[1]}: {int(m[2]) * _UNIT[m[3]] * 1000 // SPEED}ms", text)


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
    """Every rule while all was calm."""
    before: list[Told] = field(default_factory=list)
    """Told while all was calm."""
    paged_after: timedelta = timedelta()
    """Company time from the beginning of the outage to the page."""
    suppressed: list[dict[str, Any]] = field(default_factory=list)
    """Tickets that Alertmanager held back while it paged."""
    while_paging: list[Told] = field(default_factory=list)
    """Told after the first page and before the last one was over."""
    over_after: timedelta = timedelta()
    """Company time from the end of the outage to the moment when the last page was over."""
    afterwards: list[Told] = field(default_factory=list)
    """Told once no page was left."""
    slack: list[dict[str, Any]] = field(default_factory=list)


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
    folder, heard, seen = tmp_path_factory.mktemp("page"), list[Told](), Night()
    ports = [f"127.0.0.1:{port}" for port in free_ports(3)]
    with (
        company(
            folder, trouble=Trouble.CI_OUTAGE, trouble_after=CALM, trouble_for=OUTAGE, begin=timedelta()
        ) as running,
        Server(make_app(make_site(lambda: running.service, list))) as exporter,
        Server(recorder(seen.slack)) as slack,
    ):
        running.poll()
        places = Places(
            exporter=f"127.0.0.1:{exporter.port}",
            services=running.addresses.metrics.partition("://")[2],
            prometheus=ports[0],
            alertmanager=ports[1],
            pager=ports[2],
        )

        def adjust(name: str, text: str) -> str:
            return faster(with_slack(text, slack.url) if name == "alertmanager.yml" else text)

        generated = {a.path: faster(a.text) for a in rules(our_plans())}
        prepare(folder, past(running.world.company, Scenario(), our_plans()), generated)
        with stack(folder, places, lambda alert: heard.append(Told(alert=alert, at=now())), adjust=adjust) as both:
            _live(running, both, heard, seen)
    return seen


def _evaluated(both: Stack) -> list[dict[str, Any]]:
    """Every rule; none as long as one was never evaluated."""
    groups = both.prometheus.get("/api/v1/rules")["data"]["groups"]
    found = [rule for group in groups for rule in group["rules"]]
    return [] if any(rule["health"] == "unknown" for rule in found) else found


def _live(running: Running, both: Stack, heard: list[Told], seen: Night) -> None:
    seen.health = until(lambda: _evaluated(both), seconds=90)
    seen.before = list(heard)
    began = now()

    def pages() -> list[Told]:
        return [t for t in heard if t.name[1] == "page" and t.about == SLO]

    while not pages():
        running.clock.at = START + (now() - began) * SPEED
        assert running.clock.at < START + LONGEST, "nobody was paged"
        running.poll()
    seen.paged_after = (pages()[0].at - began) * SPEED - CALM
    seen.suppressed = until(lambda: _suppressed(both))
    while set({t.name: t.alert.status for t in pages()}.values()) != {"resolved"}:
        assert running.clock.at < START + LONGEST, "the page is not over"
        running.poll(after=STEP)
    seen.over_after = running.clock.at - START - CALM - OUTAGE
    # That a page is over is told up to a group interval after it was; tickets may be told in between.
    over = max(t.alert.ends_at for t in pages() if t.alert.status == "resolved" and t.alert.ends_at)
    seen.while_paging = [t for t in heard if pages()[0].at < t.at < over]

    def afterwards() -> list[Told]:
        return [t for t in heard if t.at > over]

    until(lambda: [t for t in afterwards() if t.about == SLO and t.name[:2] == ("SLOBurn", "ticket")], seconds=60)
    seen.afterwards = afterwards()


def _suppressed(both: Stack) -> list[dict[str, Any]]:
    alerts = both.alertmanager.get("/api/v2/alerts")
    tickets = [a for a in alerts if a["labels"].get("slo") == SLO and a["labels"]["level"] == "ticket"]
    names = {(a["labels"]["alertname"], a["labels"].get("window")) for a in tickets if a["status"]["inhibitedBy"]}
    return tickets if {("SLOBurn", "1d"), ("SLOBurn", "3d")} <= names else []


def test_every_rule_is_healthy(night: Night) -> None:
    """Prometheus evaluated every rule that `generate` writes, each without an error."""
    written = "".join(a.text for a in rules(our_plans()))
    assert len(night.health) == written.count("\n  - record: ") + written.count("\n  - alert: ")
    assert [r for r in night.health if r["health"] != "ok"] == []


def test_nobody_is_paged_while_all_is_calm(night: Night) -> None:
    """What was told before the outage were tickets at most."""
    assert [t.alert.line for t in night.before if t.name[1] == "page"] == []


def test_the_page_comes_within_the_time_that_explain_prints(night: Night) -> None:
    """From the beginning of the outage to the receiver, threshold, poll, scrape, evaluation and group wait included."""
    plan = next(p for p in our_plans() if p.slo == SLO)
    printed = re.search(r"^  together +(\d+(?:\.\d+)?) min$", explain(plan), re.MULTILINE)
    assert printed
    assert timedelta() < night.paged_after <= float(printed[1]) * timedelta(minutes=1)


def test_a_page_silences_the_tickets_of_its_slo(night: Night) -> None:
    """While it pages, Alertmanager holds back every ticket of the SLO and tells of none."""
    assert all(a["status"]["state"] == "suppressed" for a in night.suppressed)
    assert {a["labels"].get("window") for a in night.suppressed} >= {"1d", "3d"}
    assert [t.alert.line for t in night.while_paging if t.about == SLO and t.name[1] == "ticket"] == []


def test_the_page_is_over_after_the_outage(night: Night) -> None:
    """All of it resolves after the outage ended, and within the hour: builds that waited in the queue fail for a while."""
    assert timedelta() < night.over_after < timedelta(hours=1)


def test_then_the_tickets_are_told(night: Night) -> None:
    """What the page silenced is heard once it is over: the budget of days is still burning."""
    assert "ticket" in {t.name[1] for t in night.afterwards if t.about == SLO and t.name[0] == "SLOBurn"}


def test_messages_are_plain_sentences(night: Night) -> None:
    """What a chat receives: which SLO, how fast it burns, what it has cost, since when; and when it was over."""
    first, last = (message["attachments"][0] for message in (night.slack[0], night.slack[-1]))
    assert first["title"] == f"Page: {SLO}"
    assert re.fullmatch(
        r"(ci-platform-success burns its 28-day budget \d+\.\d times too fast\. "
        r"This is at least [\d.]+ % of the budget in (1|6)h\. It began at \d\d:\d\d UTC\.\n?)+",
        first["text"],
    )
    assert last["title"] == f"Over: {SLO}"
    assert re.match(
        r"ci-platform-success: SLOBurn over (1|6)h ended at \d\d:\d\d UTC, after (\d+m)?\d+s\.", last["text"]
    )

"""docs/outputs.md: every option and command is there, and the object that is shown is the one that is written."""

from __future__ import annotations

import re

from tests.support.our_slos import our_plans
from tests.support.places import ROOT
from tests.support.slos import ALL, RATIO, planned

from platform_meter.cli import main
from platform_meter.model.generated import HEADER
from platform_meter.render.rules import groups
from platform_meter.render.rules.meter_alerts import meter_group
from platform_meter.render.rules.objects import prometheus_rule_text

TEXT = (ROOT / "docs" / "outputs.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if kind == "" for line in text.splitlines()]


def test_every_option_is_there() -> None:
    """Those of the commands and of the tables are options of `generate`."""
    options = {name for parameter in main.commands["generate"].params for name in parameter.opts}
    ours = [line for line in COMMANDS if line.startswith("platform-meter generate")]
    told = {word for line in ours for word in re.findall(r"--[a-z-]+", line)}
    told |= set(re.findall(r"^\| `(--[a-z-]+)", TEXT, re.MULTILINE))
    assert told <= options
    about_outputs = {"--format", "--namespace", "--label", "--tenant"}
    assert told >= about_outputs | {name for name in options if name.startswith("--push")}


def test_the_object_is_the_one_that_is_written() -> None:
    """Up to its groups, byte for byte, with the options of the command above it."""
    labels = {"release": "kube-prometheus-stack"}
    written = prometheus_rule_text(groups(planned(RATIO)), name="checkout", namespace="monitoring", labels=labels)
    (shown,) = (text for kind, text in BLOCKS if kind == "yaml" and "PrometheusRule" in text)
    assert written.startswith(HEADER + shown)
    assert "--namespace monitoring --label release=kube-prometheus-stack" in COMMANDS[0]


def test_no_group_of_an_slo_is_too_large_for_mimir() -> None:
    """As the page says: 20 rules at most, in four groups, for every kind and every SLO of this repository."""
    plans = [*our_plans(), *(planned(text) for text in ALL.values())]
    assert max(len(group.rules) for plan in plans for group in groups(plan)) <= 20
    assert max(len(groups(plan)) for plan in plans) <= 4
    assert len(meter_group().rules) <= 20


def test_one_sentence_stands_on_a_line() -> None:
    """So that a change of one sentence is a change of one line."""
    prose = re.sub(r"^\|.*$", "", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL), flags=re.MULTILINE)
    assert [line for line in prose.splitlines() if re.search(r"[.;!?] [A-Z]", line)] == []

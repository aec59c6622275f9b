"""What files say of their alerts: read, resolved, and refused where it makes no sense."""

from __future__ import annotations

import pytest
from tests.support.slos import RATIO, planned, replaced

from platform_meter.slo.check import read_slos
from platform_meter.slo.spec import Alarm

NAME = "  name: shop-requests\n"
OWNER = "io/owner: team-shop"


def told(labels: str, *annotations: str) -> list[str]:
    """Problems of an SLO with these labels and annotations."""
    text = replaced(
        RATIO, (NAME, f"{NAME}  labels: {labels}\n"), (OWNER, "\n    platform-meter.".join([OWNER, *annotations]))
    )
    return [problem.text for problem in read_slos([("a.yaml", text)]).problems]


def test_what_each_alert_carries() -> None:
    """What is said of one alert goes before what is said of all; a name alone is the document's own label."""
    plan = planned(
        RATIO,
        (NAME, f"{NAME}  labels: {{team: red, tier: '1'}}\n"),
        (
            OWNER,
            (
                f"{OWNER}\n    platform-meter.io/alert-labels: 'team, severity=low, page.severity=critical, ticket.tier'\n"
                "    platform-meter.io/alert-annotations: |\n      contact=#shop, or = call\n      page.contact=on call\n"
                "    platform-meter.io/leave-out: no-data"
            ),
        ),
    )
    assert plan.alert_labels == {
        Alarm.PAGE: {"team": "red", "severity": "critical"},
        Alarm.TICKET: {"team": "red", "severity": "low", "tier": "1"},
        Alarm.NO_DATA: {"team": "red", "severity": "low"},
        Alarm.EXHAUSTED: {"team": "red", "severity": "low"},
    }
    assert plan.alert_annotations[Alarm.PAGE] == {"contact": "on call"}
    assert plan.alert_annotations[Alarm.TICKET] == {"contact": "#shop, or = call"}
    assert plan.left_out == {Alarm.NO_DATA}


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        ("alert-labels: taem", "metadata.labels has no 'taem'; did you mean 'team'?"),
        ("alert-labels: many", "'many' of metadata.labels has several values, and a label of an alert has one; write many=VALUE"),
        ("alert-labels: team=a, team=b", "label 'team' stands here twice; remove one"),
        ("alert-labels: slo=x", "label 'slo' is set by the rules or by Prometheus; choose another name"),
        ("alert-labels: __name=x", "label '__name' is set by the rules or by Prometheus; choose another name"),
        ("alert-labels: my-team=x", "'my-team' is no name of labels; write letters, digits and _, such as team=NAME"),
        ("alert-labels: team=", "label 'team' has no value; write team=VALUE, or leave it away"),
        ("alert-labels: pge.severity=x", "no alert is called 'pge'; did you mean 'page'?"),
        ("alert-labels: 3", "'3' is not a list of labels; write names of metadata.labels, or NAME=VALUE, such as team, tier=1"),
        ("alert-annotations: contact", "annotation 'contact' has no text; write contact=TEXT"),
        ("alert-annotations: summary=x", "annotation 'summary' is set by the rules or by Prometheus; choose another name"),
        ("leave-out: no-dta", "no alert is called 'no-dta'; did you mean 'no-data'?"),
        ("leave-out: ''", "empty; write one or more of: page, ticket, no-data, exhausted"),
        ("leave-out: page, ticket", "without page and ticket there are no burn alerts; write alerts: none and remove this"),
        (
            "leave-out: page, ticket, no-data",
            "without page and ticket there are no burn alerts; write alerts: none and leave out no-data alone",
        ),
        ("alert-label: team", "unknown annotation 'platform-meter.io/alert-label'; did you mean 'platform-meter.io/alert-labels'?"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(annotation: str, text: str) -> None:
    """Each with what to write instead, alone."""
    assert told("{team: red, many: [a, b]}", f"io/{annotation}") == [text]


def test_alerts_that_there_are_not() -> None:
    """Of a profile without pages none can be left out, and an alert that is left out carries nothing."""
    assert told("{}", "io/alerts: human", "io/leave-out: page") == [
        "alerts: human has no page alert to leave out; remove page"
    ]
    assert told("{}", "io/leave-out: page", "io/alert-labels: page.severity=high") == [
        "this SLO has no page alert; remove page.severity"
    ]


def test_what_could_never_fire_may_be_left_out() -> None:
    """At 90 % no page can fire; whoever says so has no page, and tickets."""
    low = replaced(RATIO, ("target: 0.999", "target: 0.8"))
    assert "no page alert could ever fire" in read_slos([("a.yaml", low)]).problems[0].text
    plan = planned(low, (OWNER, f"{OWNER}\n    platform-meter.io/leave-out: page"))
    assert {alert.level for alert in plan.alerts} == {"ticket"}

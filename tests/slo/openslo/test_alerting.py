"""What files say of their alerts: read, resolved, and refused where it makes no sense."""

from __future__ import annotations

import pytest
from tests.support.slos import RATIO, planned, replaced

from platform_meter.slo.check import read_slos
from platform_meter.slo.openslo.alerting import parse_annotations, parse_labels, quoted
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
        ("leave-out: ''", "empty; write one or more of: page, ticket, no-data, exhausted, or one row, such as page-6h"),
        ("leave-out: page-2h", "no alert is called 'page-2h'; did you mean 'page-6h'?"),
        ("leave-out: ticket-14d", "alerts: standard has no ticket-14d alert to leave out; remove ticket-14d"),
        ("leave-out: 'page, page-6h, no-data'", "page leaves page-6h out too; remove page-6h"),
        ("leave-out: page-1h, page-6h", "without page-1h and page-6h there is no page alert; write page in their place"),
        (
            "leave-out: page-1h, page-6h, ticket, exhausted",
            "without page and ticket there are no burn alerts; write alerts: none and leave out exhausted alone",
        ),
        ("alert-labels: page-6h.tier=1", "no alert is called 'page-6h'; did you mean 'page'?"),
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


def rows(*words: str, profile: str = "standard", duration: str = "30d", target: str = "0.999") -> set[str]:
    """Level and window of the alerts of an SLO that leaves these rows out."""
    said = f"{OWNER}\n    platform-meter.io/alerts: {profile}\n    platform-meter.io/leave-out: '{', '.join(words)}'"
    plan = planned(
        RATIO, (OWNER, said), ("duration: 30d", f"duration: {duration}"), ("target: 0.999", f"target: {target}")
    )
    return {f"{alert.level}-{alert.long.label}" for alert in plan.alerts}


def test_one_row_is_left_out_by_its_level_and_window() -> None:
    """Alone, or with whatever else is left out; of every profile."""
    assert rows("page-6h") == {"page-1h", "ticket-1d", "ticket-3d"}
    assert rows("page-1h", "ticket-3d", "no-data") == {"page-6h", "ticket-1d"}
    assert rows("page", "ticket-3d") == {"ticket-1d"}
    assert rows("ticket-14d", profile="human", duration="91d") == {"ticket-7d"}


def test_a_short_period_has_the_rows_of_the_table() -> None:
    """Its windows shrink, and the row is called as in the table all the same, so that a new period leaves the file as it is."""
    assert rows("no-data", duration="7d") == {"page-14m", "page-84m", "ticket-336m", "ticket-1008m"}
    assert rows("page-6h", duration="7d") == {"page-14m", "ticket-336m", "ticket-1008m"}


def test_a_level_without_a_row_that_could_fire_is_refused() -> None:
    """At 90 % of the rows that page only that over 6 h can fire; without it nothing would ever page."""
    assert rows("no-data", target="0.9") == {"page-6h", "ticket-1d", "ticket-3d"}
    left = replaced(
        RATIO, (OWNER, f"{OWNER}\n    platform-meter.io/leave-out: page-6h"), ("target: 0.999", "target: 0.9")
    )
    (problem,) = read_slos([("a.yaml", left)]).problems
    assert problem.text == (
        "no page alert could ever fire: at an objective of 0.9 even an outage burns only 10 times too fast, and page starts "
        "at 14.4; write an objective above 0.9306, or the annotation platform-meter.io/alerts: none"
    )


def test_an_alert_with_a_row_left_is_there() -> None:
    """So that it may carry labels of its own."""
    assert told("{}", "io/leave-out: page-6h", "io/alert-labels: page.severity=high") == []


@pytest.mark.parametrize("text", ["team", "a b", " a", "a,b", "a\nb", 'say "hi"', '"', "ä{{x}}", "\\"])
def test_what_is_quoted_is_read_as_it_was(text: str) -> None:
    """Whatever stands in it."""
    (label,) = parse_labels(f"a={quoted(text)}")
    (annotation,) = parse_annotations(f"a={quoted(text)}")
    assert label.value == annotation.value == text

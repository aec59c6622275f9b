"""Burn alerts that SLO files ask for themselves: from the conditions of their policies to rows, rules and what stays silent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.policies import INLINE, with_condition, with_policies
from tests.support.prometheus import promtool
from tests.support.slos import ALL, LATENCY, RATIO, SLICES, planned, replaced

from platform_meter.problems import Problem, decode, render
from platform_meter.render.rules import groups, rules
from platform_meter.slo.burnrate import Level
from platform_meter.slo.check import Checked, read_slos
from platform_meter.slo.openslo.policies import Own, level, named_by
from platform_meter.slo.plan import Plan, bad_recorded, plan
from platform_meter.slo.spec import Alarm

NAMED = """apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: on-call}
spec: {alertWhenBreaching: true, conditions: [{conditionRef: fast}]}
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: fast}
spec: {severity: page, condition: {kind: burnrate, op: gt, threshold: 14.4, lookbackWindow: 1h, alertAfter: 5m}}
"""


def read(text: str, *others: str) -> Checked:
    """An SLO file, and others beside it."""
    return read_slos([("slo.yaml", text), *((f"{n}.yaml", other) for n, other in enumerate(others))])


def shown(found: Plan) -> list[tuple[str, str, str, str, timedelta, str]]:
    """Level, factor, both windows, wait and severity of each alert."""
    return [(a.level, a.factor, a.long.label, a.short.label, a.row.wait, a.row.severity) for a in found.alerts]


def test_each_condition_is_a_row() -> None:
    """Pages come first; the short window is a twelfth of the long one, in whole minutes; nothing of the profile is left."""
    assert shown(planned(with_policies(RATIO))) == [
        ("page", "20", "30m", "3m", timedelta(minutes=5), "critical"),
        ("ticket", "4", "30m", "3m", timedelta(0), "ticket"),
        ("ticket", "1.5", "2d", "4h", timedelta(hours=1), "low"),
    ]


def test_documents_are_named_in_any_order() -> None:
    """By alertPolicyRef or by the name alone, before or after the SLO, in one file or in several: the same SLO as inline."""
    inline = with_condition(RATIO, "kind: burnrate, op: gt, threshold: 14.4, lookbackWindow: 1h, alertAfter: 5m")
    (wanted,) = read(inline).specs
    for policies in ("[{alertPolicyRef: on-call}]", "[on-call]"):
        text = with_policies(RATIO, f"  alertPolicies: {policies}\n")
        for checked in (read(text, NAMED), read_slos([("slo.yaml", NAMED), ("slo.yaml", text)])):
            assert (checked.problems, checked.warnings, checked.specs) == ((), (), (wanted,))


@pytest.mark.parametrize(
    ("severity", "meant"),
    [*((word, Level.PAGE) for word in ("page", "Critical", "high", "SEV1", "p1")), ("sev2", Level.TICKET), ("ticket", Level.TICKET)],
)  # fmt: skip
def test_severities(severity: str, meant: Level) -> None:
    """A few words wake somebody; all others make tickets, and each stands in the alert as it was written."""
    assert level(severity) is meant
    found = planned(with_condition(RATIO, "threshold: 2, lookbackWindow: 1h", severity))
    (alert,) = [r for g in groups(found) for r in g.rules if r.alert == "SLOBurn"]
    assert (alert.labels["level"], alert.labels["severity"]) == (meant, severity)


def test_the_annotation_goes_before_a_severity() -> None:
    """What the SLO says of its labels is nearer to it than a policy that many share."""
    text = replaced(with_policies(RATIO), ("io/owner: team-shop", "io/alert-labels: page.severity=p0"))
    alerts = [r for g in groups(planned(text)) for r in g.rules if r.alert == "SLOBurn"]
    assert [a.labels["severity"] for a in alerts] == ["p0", "ticket", "low"]


def test_a_condition_has_to_hold_for_as_long_as_it_says() -> None:
    """`alertAfter` is Prometheus' `for`, and 0m is none."""
    for after, wait in (("5m", timedelta(minutes=5)), ("0m", timedelta(0))):
        found = planned(with_condition(RATIO, f"threshold: 2, lookbackWindow: 1h, alertAfter: {after}"))
        assert [r.wait for g in groups(found) for r in g.rules if r.alert == "SLOBurn"] == [wait]


def test_silence_is_told_unless_every_policy_says_not_to() -> None:
    """Without a word it is told, since an outage would not be seen."""
    quiet = INLINE.replace("alertWhenBreaching: true", "alertWhenNoData: false")
    both = quiet + INLINE.removeprefix("  alertPolicies:\n").replace("30m", "40m").replace("2d", "3d")
    for policies, left_out in ((INLINE, frozenset()), (quiet, {Alarm.NO_DATA}), (both, frozenset())):
        found = planned(with_policies(RATIO, policies))
        assert found.left_out == left_out
        said = [r for g in groups(found) for r in g.rules if r.alert == "SLONoData"]
        assert len(said) == (not left_out)


def test_policies_that_are_off() -> None:
    """`alertWhenBreaching: false` leaves the budget and the silence; `alerts: none` turns everything of policies off."""
    off = planned(with_policies(RATIO, INLINE.replace("alertWhenBreaching: true", "alertWhenBreaching: false")))
    assert (off.alerts, off.left_out) == ((), frozenset())
    quiet = INLINE.replace("alertWhenBreaching: true", "alertWhenNoData: false")
    none = planned(replaced(with_policies(RATIO, quiet), ("io/owner: team-shop", "io/alerts: none")))
    assert (none.alerts, none.left_out) == ((), frozenset())


def test_short_windows_hold_two_slices() -> None:
    """A twelfth of an hour is one slice of 5 minutes, which is none to judge by."""
    found = planned(
        with_condition(SLICES, "threshold: 2, lookbackWindow: 1h"), ("timeSliceWindow: 1m", "timeSliceWindow: 5m")
    )
    assert [w.label for w in found.windows] == ["10m", "1h"]
    assert [w.label for w in planned(with_condition(RATIO, "threshold: 2, lookbackWindow: 5m")).windows] == ["2m", "5m"]


def test_periods_may_be_short() -> None:
    """Rows of one's own are not scaled, and need no 7 days."""
    text = replaced(with_condition(RATIO, "threshold: 2, lookbackWindow: 1h"), ("30d", "1d"))
    assert shown(planned(text)) == [("page", "2", "1h", "5m", timedelta(0), "page")]


@pytest.mark.parametrize("text", ALL.values(), ids=ALL)
def test_counts_of_raw_windows_are_recorded(text: str, tmp_path: Path) -> None:
    """A guard over a window that reads no tiles asks for its series; Debian's promtool takes the rules as they are."""
    for found in (planned(with_policies(text)), planned(with_condition(text, "threshold: 2, lookbackWindow: 10m"))):
        short = [w for w in found.bad_counts if w.length <= timedelta(hours=1)]
        assert short
        assert set(short) <= set(bad_recorded(found))
        (artifact,) = rules([found])
        (tmp_path / artifact.path).write_text(artifact.text)
        assert "SUCCESS" in promtool("check", "rules", tmp_path / artifact.path)


def test_good_events_with_several_raw_rows() -> None:
    """Of three rows the longest over tiles may count for itself; those over raw windows are series."""
    three = "".join(
        f"          - {{spec: {{severity: page, condition: {{threshold: 3, lookbackWindow: {w}}}}}}}\n"
        for w in ("10m", "20m", "40m")
    )
    found = planned(with_policies(LATENCY, f"  alertPolicies:\n    - spec:\n        conditions:\n{three}"))
    assert [w.label for w in bad_recorded(found)] == ["10m", "20m", "40m", "28d"]


def test_rows_that_can_never_fire_are_dropped_with_a_warning() -> None:
    """As those of a profile are: at 0.95 an outage burns only 20 times too fast; that of the same level stays."""
    two = "".join(
        f"          - {{spec: {{severity: page, condition: {{threshold: {f}, lookbackWindow: {w}}}}}}}\n"
        for f, w in ((20, "10m"), (19, "1h"))
    )
    text = replaced(
        with_policies(RATIO, f"  alertPolicies:\n    - spec:\n        conditions:\n{two}"), ("0.999", "0.95")
    )
    checked = read(text)
    assert checked.problems == ()
    (warning,) = checked.warnings
    assert warning.text == (
        "the page alert over 10m is left out: at an objective of 0.95 even an outage burns only 20 times too fast, and it "
        "waits for more than 20"
    )
    (spec,) = checked.specs
    assert [a.factor for a in plan(spec).alerts] == ["19"]


def test_a_level_can_be_left_out() -> None:
    """By its annotation, as of a profile."""
    found = planned(replaced(with_policies(RATIO), ("io/owner: team-shop", "io/leave-out: ticket")))
    assert [a.level for a in found.alerts] == [Level.PAGE]


def test_leaving_all_of_them_out_is_refused() -> None:
    """There is a word for that."""
    text = replaced(with_policies(RATIO), ("io/owner: team-shop", "io/leave-out: 'page, ticket'"))
    assert [p.text for p in read(text).problems] == [
        "without page and ticket there are no burn alerts; write alerts: none"
    ]
    assert Own().there(frozenset()) == {Alarm.NO_DATA, Alarm.EXHAUSTED}


def test_the_target_of_a_notification_is_not_drawn() -> None:
    """It may be an address that lets whoever knows it in, also on one line with what is wrong."""
    policy = "{spec: {conditions: [fst], notificationTargets: [{spec: {target: geheim}}]}}"
    found = read(with_policies(RATIO, f"  alertPolicies: [{policy}]\n"), NAMED)
    assert [p.text for p in found.problems] == ["no AlertCondition is called 'fst'; did you mean 'fast'?"]
    target = "{apiVersion: openslo/v1, kind: AlertNotificationTarget, metadata: {name: mail}, spec: {target: geheim}}\n"
    twice = read(RATIO, f"{target}---\n{target}")
    assert len(twice.problems) == 1
    condition = "{spec: {severity: page, condition: {threshold: 2, lookbackWindow: 1h}}}"
    noted = read(with_policies(RATIO, f"  alertPolicies: [{policy.replace('fst', condition)}]\n"))
    assert len(noted.warnings) == 1
    drawn: list[Problem] = [*found.problems, *twice.problems, *twice.warnings, *noted.warnings]
    assert not any("geheim" in render(p) for p in drawn)
    assert all("***" in render(p) for p in drawn[:2])


def test_what_an_slo_names() -> None:
    """Its policies, their conditions and targets, and those that stand in it; nothing of policies that none names."""
    slo = with_policies(
        RATIO,
        "  alertPolicies: [a, {alertPolicyRef: b}, {spec: {conditions: [c], notificationTargets: [{targetRef: d}]}}]\n",
    )
    policy = "{{apiVersion: openslo/v1, kind: AlertPolicy, metadata: {{name: {0}}}, spec: {{conditions: [of-{0}]}}}}\n"
    slos, others = (
        decode(text, "a.yaml", lambda _: None).others
        for text in (slo, "---\n".join(policy.format(name) for name in ("a", "z")))
    )
    assert named_by(slos, others) == {
        ("AlertPolicy", "a"),
        ("AlertPolicy", "b"),
        ("AlertCondition", "c"),
        ("AlertCondition", "of-a"),
        ("AlertNotificationTarget", "d"),
    }


def test_thresholds_are_those_of_the_rules() -> None:
    """Six digits stand in the expression, so the plan has them too."""
    found = planned(with_condition(RATIO, "threshold: 2.00000049, lookbackWindow: 1h"))
    assert (found.alerts[0].row.factor, found.alerts[0].factor, found.allowed) == (2.0, "2", Decimal("0.001"))

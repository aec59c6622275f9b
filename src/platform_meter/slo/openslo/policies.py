"""Burn alerts that an SLO asks for itself: its `alertPolicies`, and the conditions in them, in any file.

Each condition is one row of the burn table (SRE Workbook, chapter 5): `threshold` is its factor, `lookbackWindow` its long
window, a twelfth of that its short one, and `alertAfter` its wait. A policy says besides whether silence is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from platform_meter.problems import EACH, Document, nearest, suggest
from platform_meter.slo.burnrate import DEFAULT_PERIOD, Level, Profile, Row, own, window_text
from platform_meter.slo.openslo.alert_keys import ConditionSpec, Policy, PolicyCondition, PolicySpec, PolicyTarget
from platform_meter.slo.openslo.keys import PREFIX, Slo
from platform_meter.slo.openslo.refs import Named, Path, Wrong
from platform_meter.slo.spec import Alarm

PAGES = frozenset({"page", "critical", "high", "sev1", "p1"})
"""Severities that wake somebody, in any case; all others make tickets."""
AT: Path = ("spec", "alertPolicies")
_INSIDE = (
    ("conditions", "conditionRef", "AlertCondition"),
    ("notificationTargets", "targetRef", "AlertNotificationTarget"),
)
"""Lists of a policy, the key by which each of their items names a document, and its kind."""
_OF_ALL = frozenset({Alarm.NO_DATA, Alarm.EXHAUSTED})
"""Alerts that are no rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What an SLO's policies ask for."""

    rows: tuple[Row, ...] | None = None
    """Pages first, each level by its long window; None where the SLO has no policies: those of its profile."""
    silent: bool = False
    """Each policy says that missing data is no alert."""
    wrong: tuple[Wrong, ...] = ()
    notes: tuple[Wrong, ...] = ()
    unsound: bool = False
    """It names a document that has problems of its own."""

    def there(self, left_out: frozenset[str]) -> frozenset[Alarm]:
        """Alerts that the SLO has, beside those that its annotation leaves out."""
        every = _OF_ALL.union(Alarm(row.level) for row in self.rows or ())
        return every.difference(left_out, {Alarm.NO_DATA} if self.silent else ())

    def left_out_in_vain(self, left_out: frozenset[str]) -> Iterator[str]:
        """What makes no sense to leave out of rows of one's own, and what to write instead."""
        levels = {row.level for row in self.rows or ()}
        for word in sorted(left_out.difference(Alarm)):
            yield f"the rows of this SLO are those of its alertPolicies; remove {word} here, and its condition there"
        for level in Level:
            if level in left_out and level not in levels:
                yield f"alertPolicies have no {level} alert to leave out; remove {level}"
        if levels and left_out.issuperset(levels):
            yield f"without {' and '.join(sorted(levels))} there are no burn alerts; write alerts: none"


@dataclass(slots=True, kw_only=True)
class _Found:
    """What was found on the way through the policies."""

    rows: dict[tuple[Level, timedelta], Row] = field(default_factory=dict)
    silent: list[bool] = field(default_factory=list)
    """Of each policy, whether missing data is no alert."""
    wrong: list[Wrong] = field(default_factory=list)
    notes: list[Wrong] = field(default_factory=list)
    unsound: bool = False


def level(severity: str) -> Level:
    """Whether a severity wakes somebody."""
    return Level.PAGE if severity.lower() in PAGES else Level.TICKET


def named_by(slos: Iterable[Document], others: Iterable[Document]) -> frozenset[tuple[str, str]]:
    """Kind and name of every document of alerts that an SLO names, or a policy that one names.

    Args:
        slos: documents of SLOs, sound or not.
        others: documents of kinds of alerts.
    """
    names = set[tuple[str, str]]()
    for slo in slos:
        names.update(_names(slo, AT, "alertPolicyRef", "AlertPolicy"))
        names.update(_inside(slo, (*AT, EACH, "spec")))
    for other in others:
        if ("AlertPolicy", other.word("metadata", "name")) in names and other.word("kind") == "AlertPolicy":
            names.update(_inside(other, ("spec",)))
    return frozenset(names)


def _inside(document: Document, at: Path) -> Iterator[tuple[str, str]]:
    for key, ref, kind in _INSIDE:
        yield from _names(document, (*at, key), ref, kind)


def _names(document: Document, at: Path, ref: str, kind: str) -> Iterator[tuple[str, str]]:
    for _, value in document.found(*at, EACH):
        name = value.get(ref) if isinstance(value, Mapping) else value
        if isinstance(name, str):
            yield kind, name


def resolve(slo: Slo, named: Named) -> Own:
    """The rows of an SLO's policies, and all that is wrong with these.

    Args:
        slo: the document, sound or read partly.
        named: policies and conditions that it may name.
    """
    policies = slo.spec.alertPolicies or []
    if not policies:
        return Own()
    found = _Found()
    for n, policy in enumerate(policies):
        _policy(found, slo, policy, (*AT, n), named)
    rows: tuple[Row, ...] | None = tuple(
        sorted(found.rows.values(), key=lambda row: (row.level is not Level.PAGE, row.long))
    )
    profile = slo.metadata.annotations.alerts
    if profile is Profile.NONE:
        found.notes = [("the annotation alerts: none turns alertPolicies off", AT)]
        rows, found.silent = None, []
    elif profile is not None and "alerts" in slo.metadata.annotations.model_fields_set:
        text = f"burn alerts come from alertPolicies, not from alerts: {profile}; remove one of the two"
        found.notes.append((text, ("metadata", "annotations", f"{PREFIX}alerts")))
    return Own(
        rows=rows,
        silent=bool(found.silent) and all(found.silent),
        wrong=tuple(found.wrong),
        notes=tuple(found.notes),
        unsound=found.unsound,
    )


def problems(spec: PolicySpec, at: Path, named: Named) -> Iterator[Wrong]:
    """What is wrong with the documents that a policy names.

    Args:
        spec: a policy, sound or read partly.
        at: its place in its document.
        named: what there is to name.
    """
    for m, item in enumerate(spec.conditions or ()):
        here = (*at, "conditions", m)
        yield from _one_of(item, "conditionRef", "an alert condition", here)
        if item.conditionRef is not None and item.conditionRef not in named.conditions:
            yield _unknown("AlertCondition", item.conditionRef, named.conditions), (*here, "conditionRef")
    for m, target in enumerate(spec.notificationTargets or ()):
        here = (*at, "notificationTargets", m)
        yield from _one_of(target, "targetRef", "a notification target", here)
        # Targets are not read, so that one which is kept elsewhere is no problem; one that is misspelt is.
        if (ref := target.targetRef) is not None and ref not in named.targets and nearest(ref, named.targets):
            yield _unknown("AlertNotificationTarget", ref, named.targets), (*here, "targetRef")


def notes(spec: PolicySpec, at: Path) -> Iterator[Wrong]:
    """What a policy says that others decide, or that turns it off.

    Args:
        spec: a sound policy.
        at: its place in its document.
    """
    if spec.alertWhenBreaching is False:
        yield "alertWhenBreaching: false turns the conditions of this policy off", (*at, "alertWhenBreaching")
    if spec.alertWhenResolved is not None:
        text = "whether the end of an alert is told is for Alertmanager's receivers to say (send_resolved)"
        yield text, (*at, "alertWhenResolved")
    if spec.notificationTargets:
        text = "notificationTargets are not read; Alertmanager's routes decide who is told, by labels such as owner and level"
        yield text, (*at, "notificationTargets")


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    hint = suggest(name, known) or f"; write a document with kind: {kind} and this name, or what it holds in its place"
    return f"no {kind} is called '{name}'{hint}"


def _one_of(item: Policy | PolicyCondition | PolicyTarget, ref: str, what: str, at: Path) -> Iterator[Wrong]:
    if not item.has_one_of(ref, "spec"):
        yield f"{what} is named or stands here; write {ref}: NAME, or kind, metadata and spec", at


def _policy(found: _Found, slo: Slo, policy: Policy, at: Path, named: Named) -> None:
    found.wrong += _one_of(policy, "alertPolicyRef", "an alert policy", at)
    spec, inside = policy.spec, (*at, "spec")
    if (ref := policy.alertPolicyRef) is not None:
        if ref not in named.policies:
            found.wrong.append((_unknown("AlertPolicy", ref, named.policies), (*at, "alertPolicyRef")))
            return
        spec = named.policies[ref]
        found.unsound = found.unsound or spec is None
    elif spec is not None:
        found.wrong += problems(spec, inside, named)
        found.notes += notes(spec, inside)
    if spec is None:
        return
    found.silent.append(spec.alertWhenNoData is False)
    for m, item in enumerate(spec.conditions or ()):
        place = at if ref is not None else (*inside, "conditions", m)
        held = item.spec
        if item.conditionRef is not None:
            held = named.conditions.get(item.conditionRef)
            found.unsound = found.unsound or (item.conditionRef in named.conditions and held is None)
        elif ref is None:
            place = (*place, "spec", "condition")
        row = _row(held) if held is not None and spec.alertWhenBreaching is not False else None
        if row is not None:
            found.wrong += [(text, place) for text in _wrong(row, slo, found.rows)]
            found.rows.setdefault((row.level, row.long), row)


def _row(spec: ConditionSpec) -> Row | None:
    """The row of a condition; None where it is not sound."""
    one, severity = spec.condition, spec.severity
    if one is None or severity is None or None in (one.threshold, one.lookbackWindow, one.alertAfter):
        return None
    return own(level(severity), one.threshold, one.lookbackWindow, one.alertAfter, severity)


def _wrong(row: Row, slo: Slo, before: Mapping[tuple[Level, timedelta], Row]) -> Iterator[str]:
    """What is wrong with a row in this SLO."""
    long = window_text(row.long)
    period = _period(slo)
    if period is not None and row.long >= period:
        yield (
            f"a lookbackWindow of {long} is no shorter than the period of {window_text(period)}, of which SLOBudgetExhausted "
            "tells; write a shorter one"
        )
    if period is not None and row.wait >= period:
        yield f"alertAfter {window_text(row.wait)} is no shorter than the period of {window_text(period)}; write a shorter one"
    slices = _slices(slo.spec.budgetingMethod, [objective.timeSliceWindow for objective in slo.spec.objectives])
    if row.long < 2 * slices:
        least = window_text(2 * slices)
        yield f"a lookbackWindow of {long} holds fewer than two slices of {window_text(slices)}; write {least} or more"
    other = before.get((row.level, row.long))
    if other is not None:
        yield (
            f"two {row.level} alerts look back {long} (severity {other.severity} above {other.factor:g}, {row.severity} above "
            f"{row.factor:g}); write another lookbackWindow, or remove one"
        )


def _period(slo: Slo) -> timedelta | None:
    """How long it is; None where that is not sound."""
    profile, windows = slo.metadata.annotations.alerts, slo.spec.timeWindow
    if not windows:
        return None if profile is None else DEFAULT_PERIOD[profile]
    return windows[0].length if windows[0].duration and windows[0].rolls else None


def _slices(method: str | None, lengths: Sequence[timedelta | None]) -> timedelta:
    """The longest slice; none where events are counted."""
    return max((one for one in lengths if one and method == "Timeslices"), default=timedelta(0))

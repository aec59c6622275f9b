"""Every field of OpenSLO v1 is typed, and the page says of each what becomes of it: each claim is tried on a document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from tests.support.places import DOCS

from platform_meter.slo.check import Checked, read_slos
from platform_meter.slo.openslo import alert_keys, keys
from platform_meter.slo.plan import plan

PAGE = (DOCS / "slo-format.md").read_text("utf-8").partition("## OpenSLO v1, field by field")[2]
EVERY = ("apiVersion", "kind", "metadata.name")
"""Fields of every kind alike."""
SAID_ELSEWHERE: Mapping[str, tuple[type[BaseModel], ...]] = {
    "SLO": (
        keys.Annotations,
        keys.IndicatorMetadata,
        keys.IndicatorSpec,
        alert_keys.OtherMetadata,
        alert_keys.PolicySpec,
    ),
    "SLI": (keys.Metric,),
    "AlertPolicy": (alert_keys.ConditionSpec, alert_keys.TargetSpec),
}
"""Groups that are one field of their kind: they are kinds of their own, or each of their keys has its own table."""
SCHEMA: Mapping[str, type[BaseModel]] = {"SLO": keys.Slo, **keys.KINDS}
Place = tuple[str | int, ...]
ABSENT: Any = object()


def fields() -> set[tuple[str, str]]:
    """Kind and field, from the models; those of every kind are `every kind`'s."""
    found = set[tuple[str, str]]()
    for kind, model in SCHEMA.items():
        for field in _leaves(model, SAID_ELSEWHERE.get(kind, ())):
            found.add(("every kind" if field in EVERY else kind, field))
    return found | {("SLI", f"metricSource.{key}") for key in keys.MetricSource.model_fields}


def _leaves(model: type[BaseModel], whole: tuple[type[BaseModel], ...], before: str = "") -> Iterator[str]:
    for name, info in model.model_fields.items():
        field = f"{before}{info.alias or name}"
        inner, many = _group(info.annotation)
        if inner is None or inner in whole or (before and inner is alert_keys.OtherMetadata):
            yield field
        else:
            yield from _leaves(inner, whole, f"{field}[]." if many else f"{field}.")


def _group(kind: Any) -> tuple[type[BaseModel] | None, bool]:
    """The model that a field holds, and whether it is a list of them."""
    many = getattr(kind, "__origin__", None) is list
    for one in (kind, *get_args(kind)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one, many
        if (inner := _group(one)[0] if one is not kind and get_args(one) else None) is not None:
            return inner, many
    return None, many


def rows() -> dict[tuple[str, str], str]:
    """The table: what each field of each kind is."""
    found: dict[tuple[str, str], str] = {}
    for line in PAGE.splitlines():
        if line.startswith(("| every kind", "| `")):
            kinds, named, verdict = (cell.strip() for cell in line.split("|")[1:4])
            for kind in kinds.replace("`", "").split(", "):
                for field in re.findall(r"`([^`]+)`", named):
                    assert (kind, field) not in found
                    found[kind, field] = verdict
    return found


QUERIES = {
    "bad": {"metricSource": {"type": "prometheus", "spec": {"query": 'r{code="500"}'}}},
    "good": {"metricSource": {"type": "prometheus", "spec": {"query": 'r{code="200"}'}}},
    "total": {"metricSource": {"metricSourceRef": "d", "spec": {"query": "r"}}},
    "level": {"metricSource": {"type": "prometheus", "spec": {"query": "level"}}},
}
DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    "SLO": {
        "service": "shop",
        "budgetingMethod": "Occurrences",
        "indicatorRef": "s",
        "objectives": [{"target": 0.99}],
        "alertPolicies": [{"alertPolicyRef": "p"}],
    },
    "SLI": {"ratioMetric": {"bad": QUERIES["bad"], "total": QUERIES["total"]}},
    "DataSource": {"type": "Prometheus"},
    "Service": {"description": "a"},
    "AlertPolicy": {"conditions": [{"conditionRef": "c"}]},
    "AlertCondition": {"severity": "page", "condition": {"threshold": 14.4, "lookbackWindow": "1h"}},
    "AlertNotificationTarget": {"target": "mail"},
}
NAMES = {"SLO": "o", "SLI": "s", "DataSource": "d", "AlertPolicy": "p", "AlertCondition": "c"}
INLINE_CONDITION = {"spec": DOCUMENTS["AlertCondition"]}
INLINE_POLICY = {"spec": {"conditions": [INLINE_CONDITION]}}
SLICES: Mapping[Place, Any] = {
    ("spec", "budgetingMethod"): "Timeslices",
    ("metadata", "annotations"): {"platform-meter.io/no-data": "bad"},
    ("spec", "objectives", 0, "timeSliceWindow"): "1m",
}
RATIO_SLICES: Mapping[Place, Any] = {**SLICES, ("spec", "objectives", 0, "timeSliceTarget"): 0.9}
LEVEL: Mapping[Place, Any] = {
    **SLICES,
    ("spec", "indicatorRef"): ABSENT,
    ("spec", "indicator"): {"spec": {"thresholdMetric": QUERIES["level"]}},
    ("spec", "objectives", 0, "op"): "lt",
    ("spec", "objectives", 0, "value"): 5,
}
OWN_INDICATOR: Mapping[Place, Any] = {
    ("spec", "indicatorRef"): ABSENT,
    ("spec", "indicator"): {"spec": {"ratioMetric": {"bad": QUERIES["bad"], "total": QUERIES["total"]}}},
}
RAW: Mapping[Place, Any] = {
    ("spec", "ratioMetric"): {"raw": {"metricSource": {"type": "stored", "spec": {"events": "pipeline_runs"}}}}
}

SAMPLES: Mapping[tuple[str, str], tuple[Any, Any, Mapping[Place, Any]]] = {
    # One value that is sound, another or none, and what the document needs for either
    ("SLO", "metadata.displayName"): ("a", ABSENT, {}),
    ("SLO", "metadata.labels"): ({"a": "b"}, ABSENT, {}),
    ("SLO", "metadata.annotations"): ({"platform-meter.io/owner": "team"}, ABSENT, {}),
    ("SLO", "spec.description"): ("a", ABSENT, {}),
    ("SLO", "spec.service"): ("a", "b", {}),
    ("SLO", "spec.budgetingMethod"): ("Occurrences", "RatioTimeslices", {}),
    ("SLO", "spec.timeWindow[].duration"): ("30d", "14d", {("spec", "timeWindow"): [{"isRolling": True}]}),
    ("SLO", "spec.timeWindow[].isRolling"): (True, False, {("spec", "timeWindow"): [{"duration": "30d"}]}),
    ("SLO", "spec.timeWindow[].calendar"): ({"timeZone": "UTC"}, ABSENT, {("spec", "timeWindow"): [{"duration": "30d", "isRolling": True}]}),
    ("SLO", "spec.indicator.apiVersion"): ("openslo/v1", "openslo/v2", OWN_INDICATOR),
    ("SLO", "spec.indicator.kind"): ("SLI", "SLO", OWN_INDICATOR),
    ("SLO", "spec.indicator.metadata"): ({"name": "a"}, ABSENT, OWN_INDICATOR),
    ("SLO", "spec.indicator.spec"): ({"ratioMetric": {"bad": QUERIES["bad"], "total": QUERIES["total"]}}, {}, OWN_INDICATOR),
    ("SLO", "spec.indicatorRef"): ("s", "t", {}),
    ("SLO", "spec.objectives[].displayName"): ("a", ABSENT, {}),
    ("SLO", "spec.objectives[].target"): (0.99, 0.98, {}),
    ("SLO", "spec.objectives[].targetPercent"): (99, 98, {("spec", "objectives"): [{}]}),
    ("SLO", "spec.objectives[].op"): ("lt", "gt", LEVEL),
    ("SLO", "spec.objectives[].value"): (5, 6, LEVEL),
    ("SLO", "spec.objectives[].timeSliceTarget"): (0.9, 0.8, RATIO_SLICES),
    ("SLO", "spec.objectives[].timeSliceWindow"): ("1m", "5m", RATIO_SLICES),
    ("SLO", "spec.objectives[].indicator"): ({"spec": {}}, ABSENT, {}),
    ("SLO", "spec.objectives[].indicatorRef"): ("s", ABSENT, {}),
    ("SLO", "spec.objectives[].compositeWeight"): (1, ABSENT, {}),
    ("SLO", "spec.alertPolicies[].alertPolicyRef"): ("p", "q", {}),
    ("SLO", "spec.alertPolicies[].apiVersion"): ("openslo/v1", "openslo/v2", {("spec", "alertPolicies"): [INLINE_POLICY]}),
    ("SLO", "spec.alertPolicies[].kind"): ("AlertPolicy", "SLO", {("spec", "alertPolicies"): [INLINE_POLICY]}),
    ("SLO", "spec.alertPolicies[].metadata"): ({"name": "a"}, ABSENT, {("spec", "alertPolicies"): [INLINE_POLICY]}),
    ("SLO", "spec.alertPolicies[].spec"): ({"conditions": [INLINE_CONDITION]}, {"conditions": ["x"]}, {("spec", "alertPolicies"): [{}]}),
    ("SLI", "spec.description"): ("a", ABSENT, {}),
    ("SLI", "spec.thresholdMetric"): (ABSENT, QUERIES["level"], {}),
    ("SLI", "spec.ratioMetric.counter"): (True, False, {}),
    ("SLI", "spec.ratioMetric.good"): (QUERIES["good"], QUERIES["bad"], {("spec", "ratioMetric", "bad"): ABSENT}),
    ("SLI", "spec.ratioMetric.bad"): (QUERIES["bad"], QUERIES["good"], {}),
    ("SLI", "spec.ratioMetric.total"): (QUERIES["total"], ABSENT, {}),
    ("SLI", "spec.ratioMetric.raw"): (ABSENT, QUERIES["level"], {}),
    ("SLI", "spec.ratioMetric.rawType"): ("success", "failure", RAW),
    ("SLI", "metricSource.metricSourceRef"): ("d", "e", {}),
    ("SLI", "metricSource.type"): ("prometheus", "stored", {}),
    ("SLI", "metricSource.spec"): ({"query": "r"}, {"query": "q"}, {}),
    ("DataSource", "metadata.annotations"): ({"platform-meter.io/source": "a"}, {"platform-meter.io/sorce": "a"}, {}),
    ("DataSource", "spec.type"): ("Prometheus", "Stored", {}),
    ("DataSource", "spec.connectionDetails"): ({"a": 1}, ABSENT, {}),
    ("AlertPolicy", "spec.alertWhenNoData"): (False, ABSENT, {}),
    ("AlertPolicy", "spec.alertWhenBreaching"): (True, False, {}),
    ("AlertPolicy", "spec.alertWhenResolved"): (True, ABSENT, {}),
    ("AlertPolicy", "spec.conditions[].conditionRef"): ("c", "d", {}),
    ("AlertPolicy", "spec.conditions[].apiVersion"): ("openslo/v1", "openslo/v2", {("spec", "conditions"): [INLINE_CONDITION]}),
    ("AlertPolicy", "spec.conditions[].kind"): ("AlertCondition", "SLO", {("spec", "conditions"): [INLINE_CONDITION]}),
    ("AlertPolicy", "spec.conditions[].metadata"): ({"name": "a"}, ABSENT, {("spec", "conditions"): [INLINE_CONDITION]}),
    ("AlertPolicy", "spec.conditions[].spec"): (DOCUMENTS["AlertCondition"], {}, {("spec", "conditions"): [{}]}),
    ("AlertPolicy", "spec.notificationTargets[].targetRef"): ("mail", ABSENT, {}),
    ("AlertPolicy", "spec.notificationTargets[].spec"): ({"target": "mail"}, ABSENT, {}),
    **{
        ("AlertPolicy", f"spec.notificationTargets[].{key}"): (
            value, ABSENT, {("spec", "notificationTargets"): [{"spec": {"target": "mail"}}]},
        )
        for key, value in (("apiVersion", "openslo/v1"), ("kind", "AlertNotificationTarget"), ("metadata", {"name": "a"}))
    },
    ("AlertCondition", "spec.severity"): ("page", "low", {}),
    ("AlertCondition", "spec.condition.kind"): ("burnrate", "other", {}),
    ("AlertCondition", "spec.condition.op"): ("gte", "lt", {}),
    ("AlertCondition", "spec.condition.threshold"): (14.4, 3, {}),
    ("AlertCondition", "spec.condition.lookbackWindow"): ("1h", "2h", {}),
    ("AlertCondition", "spec.condition.alertAfter"): ("5m", ABSENT, {}),
    ("AlertNotificationTarget", "spec.target"): ("mail", "page", {}),
    **{(kind, f"metadata.{key}"): ({} if key != "displayName" else "a", ABSENT, {}) for kind in SCHEMA if kind != "SLO" for key in ("displayName", "labels", "annotations") if (kind, key) != ("DataSource", "annotations")},
    **{(kind, "spec.description"): ("a", ABSENT, {}) for kind in SCHEMA if kind not in ("SLO", "SLI")},
}  # fmt: skip


def read(kind: str, changes: Mapping[Place, Any]) -> Checked:
    """One document of each kind, that of `kind` with these changes."""
    documents = []
    for one, spec in DOCUMENTS.items():
        document: Any = deepcopy(
            {"apiVersion": "openslo/v1", "kind": one, "metadata": {"name": NAMES.get(one, "n")}, "spec": spec}
        )
        for place, value in changes.items() if one == kind else ():
            _put(document, place, value)
        documents.append(json.dumps(document))
    return read_slos([("a.yaml", "\n---\n".join(documents))])


def _put(document: Any, place: Place, value: Any) -> None:
    *most, last = place
    for part, after in zip(most, place[1:], strict=True):
        if isinstance(document, list):
            document.extend({} for _ in range(len(document), int(part) + 1))
            document = document[int(part)]
        else:
            document = document.setdefault(part, [] if isinstance(after, int) else {})
    if value is ABSENT:
        document.pop(last, None)
    else:
        document[last] = deepcopy(value)


def place_of(kind: str, field: str) -> Place:
    """Where a field stands in its document."""
    before = ""
    if field.startswith("metricSource."):
        before = "spec.ratioMetric.total."
    return tuple(0 if part == "" else part for part in f"{before}{field}".replace("[]", ".").split("."))


def tried(kind: str, field: str, value: Any, needs: Mapping[Place, Any]) -> tuple[Checked, tuple[object, ...]]:
    """What is read, and what it comes to: alerts and the like, problems, and the notes beside the spec's own line."""
    found = read(kind, {**needs, place_of(kind, field): value})
    made = tuple((spec, plan(spec)) for spec in found.specs)
    return found, (made, tuple(p.text for p in found.problems))


def plain(kind: str) -> tuple[Checked, tuple[object, ...]]:
    """The same of documents as they stand."""
    return tried(kind, "metadata.name", NAMES[kind], {})


def test_the_table_has_every_field() -> None:
    """Those of the models, and no other."""
    assert set(rows()) == fields()
    assert set(SAMPLES) == {key for key in fields() if key[0] != "every kind"}


def test_the_documents_are_sound() -> None:
    """As they stand: what no SLO names is a note, and nothing is a problem."""
    found = read("SLO", {})
    assert found.problems == ()
    assert [w.text.partition(",")[0] for w in found.warnings] == ["no SLO names this AlertNotificationTarget"]
    assert len(found.specs) == 1


@pytest.mark.parametrize(("kind", "field"), SAMPLES, ids=lambda part: part.replace(".", "-"))
def test_each_claim_holds(kind: str, field: str) -> None:
    """Read: another value makes something else, or is a problem. Unused and noted: nothing changes, and noted says so."""
    verdict = rows()[kind, field]
    one, other, needs = SAMPLES[kind, field]
    found, made = tried(kind, field, one, needs)
    if verdict == "refused":
        assert found.problems
        assert read(kind, needs).problems == ()
        return
    assert found.problems == ()
    without, else_made = tried(kind, field, other, needs) if verdict != "noted" else plain(kind)
    assert (made != else_made) is (verdict == "read")
    if verdict != "read":
        assert len(found.warnings) - len(without.warnings) == (verdict == "noted")


@pytest.mark.parametrize("kind", SCHEMA)
@pytest.mark.parametrize(
    ("field", "value"), [("apiVersion", "openslo/v3"), ("kind", "Odd"), ("metadata.name", ABSENT)], ids=EVERY
)
def test_what_every_kind_has_is_read(kind: str, field: str, value: object) -> None:
    """Another version, another kind and a document without a name are problems."""
    assert read(kind, {place_of(kind, field): value}).problems

"""Rule groups as PrometheusRule objects, which Prometheus' operator loads: as plain values, and as YAML.

Held to the definition of `monitoring.coreos.com/v1`. What is valid as a name or a label is told by Kubernetes (RFC 1123,
and "Labels and Selectors" of its documentation).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from platform_meter.model.generated import HEADER
from platform_meter.render.rules.text import Group, Rule, folds, rules_text, scalar
from platform_meter.slo.promql import duration_text

API_VERSION, KIND = "monitoring.coreos.com/v1", "PrometheusRule"
MANAGED_BY = "app.kubernetes.io/managed-by"
LARGEST = 180_000
"""Bytes of groups in one object. `kubectl apply` keeps the object a second time in an annotation, which may have 256 KiB;
Prometheus' operator refuses what has more than 512 KiB."""
_NONE: Mapping[str, str] = MappingProxyType({})
_LONGEST_NAME = 253
_LONGEST_LABEL = 63
_HASHED = 8
"""Digits of the hash by which two names that Kubernetes can't tell apart are told apart."""
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_WORD = re.compile(r"[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?")
"""The name of a label, after its prefix, and its value."""


def prometheus_rule(
    artifact_groups: Iterable[Group],
    *,
    name: str,
    namespace: str = "",
    labels: Mapping[str, str] = _NONE,
    annotations: Mapping[str, str] = _NONE,
) -> dict[str, Any]:
    """One object with these groups, as plain values.

    Args:
        artifact_groups: as `groups` gives them.
        name: of a service, or any text; `object_name` makes it one that Kubernetes takes.
        namespace: "" leaves it to whoever applies the object.
        labels: beside the one that says who manages it, which they may replace.
        annotations: any.

    Raises:
        ValueError: a namespace, label or annotation that Kubernetes refuses, in words.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": _metadata(name, namespace, labels, annotations),
        "spec": {"groups": [group_values(group) for group in artifact_groups]},
    }


def prometheus_rule_text(
    artifact_groups: Iterable[Group],
    *,
    name: str,
    namespace: str = "",
    labels: Mapping[str, str] = _NONE,
    annotations: Mapping[str, str] = _NONE,
) -> str:
    """The same as generated YAML: the same bytes for the same values. Groups of more than `LARGEST` become several objects,
    called `name`, `name.2` and so on: no service has a dot in its name.

    Raises:
        ValueError: as `prometheus_rule`.
    """
    documents = []
    for number, those in enumerate(_portions(artifact_groups), 1):
        called = f"{object_name(name)}.{number}" if number > 1 else name
        lines = [f"apiVersion: {API_VERSION}", f"kind: {KIND}", "metadata:"]
        for key, value in _metadata(called, namespace, labels, annotations).items():
            if isinstance(value, str):
                lines.append(f"  {key}: {scalar(value)}")
            else:
                lines += [f"  {key}:", *(f"    {scalar(k)}: {scalar(v)}" for k, v in value.items())]
        lines += ["spec:", *(f"  {line}" for line in rules_text(those).removesuffix("\n").split("\n"))]
        documents.append("\n".join(lines) + "\n")
    return HEADER + "---\n".join(documents)


def object_name(text: str) -> str:
    """A name of an object (RFC 1123): `text` itself where it is one.

    Where more than capitals is lost a hash follows, so that two texts share a name only if they differ in capitals alone.
    """
    lower = text.lower()
    if _SUBDOMAIN.fullmatch(lower) and len(lower) <= _LONGEST_NAME - _HASHED:
        return lower
    kept = re.sub(r"[^a-z0-9]+", "-", lower).strip("-")[: _LONGEST_NAME - 2 * _HASHED - 2].strip("-")
    digits = hashlib.sha256(lower.encode()).hexdigest()[:_HASHED]
    return f"{kept}-{digits}" if kept else f"slo-{digits}"


def label_problem(key: str, value: str) -> str:
    """What is wrong with a label of an object, and what to write instead; empty when nothing is."""
    if said := _key_problem(key):
        return said
    if value and (len(value) > _LONGEST_LABEL or not _WORD.fullmatch(value)):
        return (
            f"the value '{value}' of the label '{key}' is none that Kubernetes takes; write at most {_LONGEST_LABEL} "
            "letters, digits, '-', '_' and '.', with a letter or digit at both ends"
        )
    return ""


def namespace_problem(namespace: str) -> str:
    """The same for a namespace."""
    if len(namespace) <= _LONGEST_LABEL and _LABEL.fullmatch(namespace):
        return ""
    return (
        f"'{namespace}' is no namespace; write at most {_LONGEST_LABEL} lower-case letters, digits and '-', with a letter or "
        "digit at both ends"
    )


def _key_problem(key: str) -> str:
    prefix, slash, word = key.rpartition("/")
    good = len(word) <= _LONGEST_LABEL and _WORD.fullmatch(word)
    if slash:
        good = good and len(prefix) <= _LONGEST_NAME and _SUBDOMAIN.fullmatch(prefix)
    if good:
        return ""
    return f"'{key}' is no name that Kubernetes takes; write one such as 'release' or 'example.com/team'"


def _metadata(
    name: str, namespace: str, labels: Mapping[str, str], annotations: Mapping[str, str]
) -> dict[str, str | dict[str, str]]:
    problems = [label_problem(key, value) for key, value in labels.items()]
    problems += [_key_problem(key) for key in annotations]
    if namespace:
        problems.append(namespace_problem(namespace))
    for said in filter(None, problems):
        raise ValueError(said)
    found: dict[str, str | dict[str, str]] = {"name": object_name(name)}
    if namespace:
        found["namespace"] = namespace
    found["labels"] = dict(sorted({MANAGED_BY: "platform-meter", **labels}.items()))
    if annotations:
        found["annotations"] = dict(sorted(annotations.items()))
    return found


def _portions(groups: Iterable[Group]) -> Iterator[list[Group]]:
    """Groups in their order, as many in a portion as one object can hold; one portion where there are none."""
    those, size = list[Group](), 0
    for group in groups:
        more = len(json.dumps(group_values(group)))
        if those and size + more > LARGEST:
            yield those
            those, size = [], 0
        those.append(group)
        size += more
    yield those


def group_values(group: Group) -> dict[str, Any]:
    """One group, as its YAML reads."""
    return {
        "name": group.name,
        "interval": duration_text(group.interval),
        "rules": [_rule(rule) for rule in group.rules],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {"record": rule.record} if rule.record else {"alert": rule.alert}
    if rule.labels:
        found["labels"] = {key: str(value) for key, value in rule.labels.items()}
    if rule.wait:
        found["for"] = duration_text(rule.wait)
    if rule.annotations:
        found["annotations"] = {key: str(value) for key, value in rule.annotations.items()}
    found["expr"] = rule.expr.replace("\n", " ") if folds(rule.expr) else rule.expr
    return found

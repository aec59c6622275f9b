"""The keys of OpenSLO v1's kinds of alerts, and the type of each one's value; what they tell together is ruled in `policies`.

Source: OpenSLO v1 (S6 of the domain), with `op` and the one `kind` of conditions as its own Go package has them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from platform_meter.slo.openslo.partly import Keys
from platform_meter.slo.openslo.values import (
    parse_after,
    parse_lookback,
    parse_over,
    parse_severity,
    parse_threshold,
)


class OtherMetadata(Keys):
    """Of kinds that are looked up by name at most."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    displayName: str = ""  # noqa: N815 - OpenSLO's own spelling, here and below
    labels: dict[str, str | list[str]] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class Condition(Keys):
    kind: Literal["burnrate"] = "burnrate"
    op: Annotated[Literal["gt", "gte"], BeforeValidator(parse_over)] = "gt"
    threshold: Annotated[float, BeforeValidator(parse_threshold)] = Field(examples=["14.4"])
    lookbackWindow: Annotated[timedelta, BeforeValidator(parse_lookback)] = Field(examples=["1h"])  # noqa: N815
    alertAfter: Annotated[timedelta, BeforeValidator(parse_after)] = timedelta(0)  # noqa: N815


class ConditionSpec(Keys):
    description: str = ""
    severity: Annotated[str, AfterValidator(parse_severity)] = Field(examples=["page"])
    condition: Condition = Field(examples=["{kind: burnrate, op: gt, threshold: 14.4, lookbackWindow: 1h}"])


class TargetSpec(Keys):
    """Nothing is read from it, so other tools' keys are left alone."""

    model_config = ConfigDict(extra="allow")

    description: str | None = None
    target: str | None = None


def called(key: str) -> BeforeValidator:
    """A name alone stands for a group with this key, as some files have it."""
    return BeforeValidator(lambda value: {key: value} if isinstance(value, str) else value)


class Inline(Keys):
    """A document inside another one."""

    apiVersion: Literal["openslo/v1"] | None = None  # noqa: N815
    metadata: OtherMetadata | None = None


class PolicyCondition(Inline):
    conditionRef: str | None = None  # noqa: N815
    kind: Literal["AlertCondition"] | None = None
    spec: ConditionSpec | None = None


class PolicyTarget(Inline):
    targetRef: str | None = None  # noqa: N815
    kind: Literal["AlertNotificationTarget"] | None = None
    spec: TargetSpec | None = None


class PolicySpec(Keys):
    description: str = ""
    alertWhenNoData: bool | None = None  # noqa: N815
    alertWhenResolved: bool | None = None  # noqa: N815
    alertWhenBreaching: bool | None = None  # noqa: N815
    conditions: list[Annotated[PolicyCondition, called("conditionRef")]] = Field(
        min_length=1, examples=["[{conditionRef: NAME}]"]
    )
    notificationTargets: list[Annotated[PolicyTarget, called("targetRef")]] = Field(default=[])  # noqa: N815


class Policy(Inline):
    alertPolicyRef: str | None = None  # noqa: N815
    kind: Literal["AlertPolicy"] | None = None
    spec: PolicySpec | None = None


class AlertPolicy(Keys):
    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["AlertPolicy"]
    metadata: OtherMetadata
    spec: PolicySpec


class AlertCondition(Keys):
    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["AlertCondition"]
    metadata: OtherMetadata
    spec: ConditionSpec


class AlertNotificationTarget(Keys):
    apiVersion: Literal["openslo/v1"]  # noqa: N815
    kind: Literal["AlertNotificationTarget"]
    metadata: OtherMetadata
    spec: TargetSpec

"""SLO files with alert policies, for tests."""

from __future__ import annotations

from tests.support.slos import replaced

INLINE = """  alertPolicies:
    - kind: AlertPolicy
      metadata: {name: on-call}
      spec:
        alertWhenBreaching: true
        conditions:
          - kind: AlertCondition
            metadata: {name: soon}
            spec: {severity: critical, condition: {kind: burnrate, op: gt, threshold: 20, lookbackWindow: 30m, alertAfter: 5m}}
          - kind: AlertCondition
            metadata: {name: late}
            spec: {severity: low, condition: {kind: burnrate, op: gte, threshold: 1.5, lookbackWindow: 2d, alertAfter: 1h}}
          - kind: AlertCondition
            metadata: {name: later}
            spec: {severity: ticket, condition: {threshold: 4, lookbackWindow: 30m}}
"""
"""A page and two tickets, of which one looks back as far as the page."""


def with_policies(text: str, policies: str = INLINE) -> str:
    """An SLO file with these policies; without anything that its own rows could not do."""
    return replaced(text, ("  objectives:", f"{policies}  objectives:"))


def with_condition(text: str, condition: str, severity: str = "page") -> str:
    """An SLO file whose one policy holds one condition, the keys of which stand in `condition`."""
    held = f"{{kind: AlertCondition, spec: {{severity: {severity}, condition: {{{condition}}}}}}}"
    return with_policies(text, f"  alertPolicies: [{{kind: AlertPolicy, spec: {{conditions: [{held}]}}}}]\n")

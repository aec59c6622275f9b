"""Facts of probes: checks of an endpoint of the platform, our own or blackbox_exporter's, and the certificate it serves
(domain sections 8 and 13).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from platform_meter.model.facts import Facts, Reading, Tallied, Tally
from platform_meter.model.objective import Countable, StoredSli


class ProbeResult(StrEnum):
    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"


class ProbeDim(NamedTuple):
    """What probe checks are tallied by."""

    target: str
    result: ProbeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCheck(Tallied[ProbeDim]):
    """One check by our own probe. `target` is bounded by configuration (`cluster-eu/readyz`)."""

    target: str
    result: ProbeResult
    seconds: float

    def tallies(self) -> tuple[Tally[ProbeDim], ...]:
        return (Tally(dim=ProbeDim(self.target, self.result), amount=self.seconds),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedCertificate(Reading):
    """The certificate that an endpoint served when it was last looked at, trusted or not."""

    target: str
    """As that of its checks."""
    ends: datetime
    """From when on nobody takes it any more."""


def _answered(sli: StoredSli, dim: ProbeDim) -> bool | None:
    return dim.result is ProbeResult.OK if sli.takes("target", dim.target) else None


def _told_check(check: ProbeCheck) -> tuple[str, str]:
    return check.target, f"{check.result} after {check.seconds:.2f} s"


PROBE_CHECKS = Countable(
    word="probe_checks",
    event=ProbeCheck,
    where=("target",),
    required=("target",),
    sliced="a probe",
    good=_answered,
    told=_told_check,
)

FACTS = Facts(events=(ProbeCheck,), readings=(ServedCertificate,))

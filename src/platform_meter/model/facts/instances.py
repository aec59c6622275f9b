"""Facts of what runs in many instances: how many of those that are expected were heard from (domain section 14)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from platform_meter.model.facts import Facts, Reading
from platform_meter.model.facts.slis import SliCount, SliDim, Verdict, told_count
from platform_meter.model.objective import Countable, StoredSli


class InstanceKind(StrEnum):
    GATEWAY = "gateway"
    AGENT = "agent"
    PROXY = "proxy"
    CONTROLLER = "controller"


class InstanceState(StrEnum):
    REPORTING = "reporting"
    """Heard from within two minutes."""
    SILENT = "silent"
    """Expected, and not heard from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instances(Reading):
    """How many instances of one group are expected and how many were heard from. None is one by itself: they are scaled.

    `about.id` is cluster/kind/group.
    """

    cluster: str
    instance_kind: InstanceKind
    group: str
    """What tells several of one kind in one cluster apart: `kong`."""
    expected: int | None
    """None where it is not known now."""
    reporting: int | None
    """None where nobody listened. It may be more than are expected: new ones come before old ones go."""


INSTANCE_MINUTES = "instance-minutes"
"""The SliCounts of reporting of expected instance-minutes are named `<cluster>/<kind>/<group>/instance-minutes`."""


def minutes_of(cluster: str, kind: InstanceKind, group: str) -> str:
    """The name of the SliCounts of one group."""
    return f"{cluster}/{kind}/{group}/{INSTANCE_MINUTES}"


def _reported(sli: StoredSli, dim: SliDim) -> bool | None:
    cluster, _, rest = dim.sli.partition("/")
    kind, _, rest = rest.partition("/")
    group, _, name = rest.partition("/")
    if name != INSTANCE_MINUTES:
        return None
    taken = sli.takes("cluster", cluster) and sli.takes("kind", kind) and sli.takes("group", group)
    return dim.verdict is Verdict.GOOD if taken else None


REPORTED = Countable(
    word="instance_minutes",
    event=SliCount,
    where=("cluster", "kind", "group"),
    good=_reported,
    told=told_count,
)

FACTS = Facts(readings=(Instances,))

"""What can be broken on demand, and from when. Pure: the simulator asks at each moment whether it holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Trouble(StrEnum):
    """The values of `--scenario`."""

    NONE = "none"
    CI_OUTAGE = "ci-outage"
    """Six of ten runs fail for reasons of the platform, and jobs wait for minutes."""
    CLUSTER_SLOW = "cluster-slow"
    """Pods of cluster eu start in minutes, nodes are not ready, /readyz fails now and then, services answer 5xx."""
    TICKET_FLOOD = "ticket-flood"
    """Ten times as many tickets, half of them of one category."""
    API_LIMITS = "api-limits"
    """GitHub's secondary limit answers now and then: every 50th call is refused for two seconds."""
    MESH_OUTAGE = "mesh-outage"
    """One in five requests through the mesh of cluster eu fails before it reaches its service."""
    SILENT_GATEWAY = "silent-gateway"
    """One of Kong's two data planes is not heard from any more; it goes on answering requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One trouble from `begin` on, until `end` where there is one."""

    trouble: Trouble = Trouble.NONE
    begin: datetime | None = None
    end: datetime | None = None

    def holds(self, trouble: Trouble, at: datetime) -> bool:
        begun = self.begin is None or at >= self.begin
        return self.trouble is trouble and begun and (self.end is None or at < self.end)

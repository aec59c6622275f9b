"""Kinds of object that the operator reads or writes, and how Kubernetes' API spells them."""

from __future__ import annotations

from dataclasses import dataclass

LABEL = "platform-meter.io/slo"
"""Of ConfigMaps with SLO files; the value is `true`."""
MADE = "platform-meter.io/made-of"
"""Of PrometheusRules that the operator wrote: the kind of object each is made of."""
MANAGER = "platform-meter"
"""The field manager under which everything is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of object."""

    name: str
    resource: str
    """The plural in small letters, as paths and roles have it."""
    group: str
    """Empty for the core."""
    version: str
    word: str = ""
    """What the name of a PrometheusRule made of it ends in."""
    selector: str = ""
    """Labels that those read have."""

    @property
    def api_version(self) -> str:
        """As manifests write it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def called(self) -> str:
        """As people and roles call it: `prometheusrules.monitoring.coreos.com`."""
        return f"{self.resource}.{self.group}" if self.group else self.resource

    def path(self, namespace: str = "", name: str = "", part: str = "") -> str:
        """Where the API has all of them, those of a namespace, one, or a subresource of that."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{namespace}" if namespace else ""
        return f"{root}{inside}/{self.resource}" + (f"/{name}" if name else "") + (f"/{part}" if part else "")


SLOTH = Kind(
    name="PrometheusServiceLevel",
    resource="prometheusservicelevels",
    group="sloth.slok.dev",
    version="v1",
    word="sloth",
)
PYRRA = Kind(
    name="ServiceLevelObjective",
    resource="servicelevelobjectives",
    group="pyrra.dev",
    version="v1alpha1",
    word="pyrra",
)
CONFIG_MAP = Kind(
    name="ConfigMap", resource="configmaps", group="", version="v1", word="configmap", selector=f"{LABEL}=true"
)
READ = (SLOTH, PYRRA, CONFIG_MAP)
RULE = Kind(
    name="PrometheusRule",
    resource="prometheusrules",
    group="monitoring.coreos.com",
    version="v1",
    selector=MADE,
)
EVENT = Kind(name="Event", resource="events", group="", version="v1")
LEASE = Kind(name="Lease", resource="leases", group="coordination.k8s.io", version="v1")

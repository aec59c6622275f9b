"""What made the ReplicaSet or Job that a pod belongs to, as that object's own owner reference tells.

Asked for when a start is told, and by metadata alone: the first time all objects of the kind, later the one that is new.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from platform_meter.model.source import Expired, Forbidden, Outside, Unexpected
from platform_meter.sources.kit.kubernetes_objects import Listing, Meta, Owner, Resource, Thing
from platform_meter.sources.kit.list_watch import pages
from platform_meter.sources.kit.rows import Sieve

OWNED = {
    "ReplicaSet": Resource(name="replicasets", group="apps", verbs=("list",)),
    "Job": Resource(name="jobs", group="batch", verbs=("list",)),
}
"""Kinds of owners that are made by others."""
MOST = 50_000
"""So many objects are remembered; beyond, all are forgotten and asked for anew as they come."""
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
"""What a server without that answers whole, as is read just the same."""


@dataclass(slots=True)
class Parents:
    """Owners of ReplicaSets and Jobs, as they were asked for."""

    outside: Outside
    page_size: int
    _known: dict[str, Owner | None] = field(default_factory=dict)
    """By uid; None is one that nobody controls."""
    _listed: set[str] = field(default_factory=set)

    def of(self, owner: Owner, namespace: str) -> Owner | None:
        """The controller of this one; None where it has none, where it is gone, or where nobody lets us look.

        Raises:
            SourceError: the cluster does not answer.
        """
        resource = OWNED.get(owner.kind)
        if resource is None or not owner.uid:
            return None
        if owner.uid not in self._known:
            if len(self._known) >= MOST:
                self._known.clear()
            try:
                self._ask(resource, owner, namespace)
            except (Forbidden, Expired):
                return None
            except Unexpected as error:
                if error.status == 0:
                    raise
                return None
            self._known.setdefault(owner.uid, None)
        return self._known[owner.uid]

    def _ask(self, resource: Resource, owner: Owner, namespace: str) -> None:
        sieve, headers = Sieve(self.outside), {"Accept": METADATA}
        if resource.name not in self._listed:
            for page, _ in pages(sieve, resource.only_path, Thing, self.page_size, headers=headers):
                self._keep(page)
            self._listed.add(resource.name)
        if owner.uid not in self._known:
            path = resource.path_in(namespace)
            params = {"fieldSelector": f"metadata.name={owner.name}", "limit": 1}
            found = sieve.get(path, Listing[Thing], params=params, headers=headers).body
            if found is not None:
                self._keep(found)

    def _keep(self, page: Listing[Thing]) -> None:
        self._known.update((thing.metadata.uid, controller(thing.metadata)) for thing in page.items or ())


def controller(meta: Meta) -> Owner | None:
    """The one owner that looks after it."""
    return next((owner for owner in meta.owner_references if owner.controller), None)

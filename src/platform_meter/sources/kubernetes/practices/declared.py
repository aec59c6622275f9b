"""What workloads and their namespaces declare themselves: injection into a mesh, an application of Argo CD, their images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from platform_meter.model.facts.practices import ArgoDestination, GoldenImage, MeshInjection
from platform_meter.sources.kubernetes.practices.covered import (
    BASE,
    KINDS,
    LINKERD,
    SIDECAR,
    TRACKED,
    Found,
    Kind,
    Lister,
    Look,
    Subject,
)

_AMBIENT = "istio.io/dataplane-mode"
_REVISION = "istio.io/rev"
_SPACE_INJECTS = "istio-injection"


def _meshes(subject: Subject) -> Iterator[str]:
    if _istio(subject):
        yield "istio"
    pods, space = subject.pods.annotations.get(LINKERD), subject.space.annotations.get(LINKERD)
    if (pods or space) in {"enabled", "ingress"}:
        yield "linkerd"


def _istio(subject: Subject) -> bool:
    """By sidecars: pods say so for themselves but where their namespace is kept out. Or ambient, without any."""
    pods, space = subject.pods, subject.space.labels
    if (pods.labels.get(_AMBIENT) or space.get(_AMBIENT)) == "ambient":
        return True
    if space.get(_SPACE_INJECTS) == "disabled":
        return False
    said = pods.labels.get(SIDECAR) or pods.annotations.get(SIDECAR)
    if said is not None:
        return said == "true"
    return space.get(_SPACE_INJECTS) == "enabled" or bool(space.get(_REVISION) or pods.labels.get(_REVISION))


def _injected(_lister: Lister, look: Look) -> Found:
    return ((subject, mesh) for subject in look.all for mesh in _meshes(subject))


def _tracked(_lister: Lister, look: Look) -> Found:
    """By its tracking id (`app:group/Kind:namespace/name`) where that names the very object: a copy of it manages nothing."""
    for subject in look.all:
        app, _, itself = subject.own.annotations.get(TRACKED, "").partition(":")
        if app and itself == f"{KINDS[subject.kind].group}/{subject.kind}:{subject.namespace}/{subject.name}":
            yield subject, app


def golden(globs: Sequence[str]) -> Kind:
    """Workloads all of whose images, those of init containers too, or whose one named base, fit a glob."""

    def fit(_lister: Lister, look: Look) -> Found:
        for subject in look.all:
            base = subject.pods.annotations.get(BASE) or subject.own.annotations.get(BASE)
            fits = [
                [glob for glob in globs if fnmatchcase(name, glob)] for name in ([base] if base else subject.images)
            ]
            if fits and all(fits):
                yield from ((subject, found[0]) for found in fits)

    return Kind(fact=GoldenImage, covers=fit)


MESH_INJECTIONS = Kind(fact=MeshInjection, covers=_injected)
ARGO_DESTINATIONS = Kind(fact=ArgoDestination, covers=_tracked)

"""One Kubernetes cluster as settings name it: the ways in, and what its credential may not read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import partial
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from platform_meter.model.access import Access, InCluster, Kubeconfig, Secret, Token
from platform_meter.model.scalars import Address, Duration, LocalPath
from platform_meter.model.source import Outside, SourceConfig
from platform_meter.sources.kit.kubernetes_objects import Resource, served
from platform_meter.sources.kit.ways import EksCluster, GkeCluster

OWNERSHIP_LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/part-of", "backstage.io/kubernetes-id")
"""Labels that the ownership join reads without being told to (domain section 3, rule 3)."""
_NEVER = "1"
"""The version of an empty cluster, compacted away in every other."""


def is_name(text: str) -> str:
    """A cluster's name, as ids of objects begin with it.

    Raises:
        ValueError: it holds a slash or a blank, or is empty.
    """
    if not re.fullmatch(r"[^/\s]+", text):
        raise ValueError(f"'{text}' can't name a cluster; write a name without slashes and blanks, such as eu-prod")
    return text


def at_least(shortest: timedelta, text: str, value: timedelta) -> timedelta:
    """A time between two looks at the cluster that the cluster can bear.

    Raises:
        ValueError: a shorter one.
    """
    if value < shortest:
        raise ValueError(f"shorter than {text}; write {text} or more")
    return value


class ClusterConfig(SourceConfig):
    """Settings of one cluster. Exactly one way in: `kubeconfig` and/or `context`, `in_cluster`, `url` with `token`, `eks` or `gke`."""

    may_stay_outside: ClassVar[bool] = False
    """Whether no way in is one too: of a source that reads something else beside the cluster."""

    cluster: Annotated[str, AfterValidator(is_name)]
    """Name of the cluster: label `cluster` and first part of every object's id."""
    kubeconfig: LocalPath = ""
    """Path of a kubeconfig; empty with `context` set means the default one."""
    context: str = ""
    """Context in the kubeconfig; empty means its current one."""
    in_cluster: bool = False
    """Use the service account of the pod that the meter runs in."""
    url: Address = ""
    """Address of the API server."""
    token: Secret | None = None
    """Bearer token of a service account."""
    ca_file: LocalPath | None = None
    """Certificate authority of the API server."""
    eks: EksCluster | None = None
    """The cluster is one of Amazon EKS."""
    gke: GkeCluster | None = None
    """The cluster is one of Google GKE."""
    labels: tuple[str, ...] = ()
    """More labels that say whose an object is (a team label)."""
    skip_namespaces: tuple[str, ...] = ()
    """Globs of namespaces to leave out. None by default: `kube-system` is somebody's too."""
    resync: Annotated[Duration, AfterValidator(partial(at_least, timedelta(minutes=5), "5m"))] = timedelta(hours=1)
    """How often inventory is listed again, so that nothing a watch may have lost stays wrong for longer."""
    page_size: Annotated[int, Field(ge=1, le=5_000)] = 500
    """Objects in one page of a list."""

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        ways = self._ways
        if sum(ways) > 1 or not (any(ways) or self.may_stay_outside):
            found = "more than one" if any(ways) else "none"
            raise ValueError(
                f"{found} of kubeconfig/context, in_cluster, url, eks and gke is set; write exactly one way in, "
                "for example `context: prod` or `in_cluster: true`"
            )
        if self.url and (self.token is None or not self.url.startswith("https://")):
            raise ValueError(
                "url needs https:// and a token; write `token: {file: PATH}` or `token: {env: NAME}` beside it"
            )
        if not self.url and (self.token is not None or self.ca_file is not None):
            raise ValueError("token and ca_file go with url only: the other ways in bring their own; remove them")
        return self

    @property
    def _ways(self) -> tuple[bool, ...]:
        clouds = (self.eks is not None, self.gke is not None)
        return (bool(self.kubeconfig or self.context), self.in_cluster, bool(self.url), *clouds)

    @property
    def enters(self) -> bool:
        """Whether a way in is set."""
        return any(self._ways)

    @property
    def kept_labels(self) -> tuple[str, ...]:
        return (*OWNERSHIP_LABELS, *self.labels)

    def skips(self, namespace: str) -> bool:
        return any(fnmatchcase(namespace, glob) for glob in self.skip_namespaces)


def access(config: ClusterConfig) -> Access:
    """How the cluster is entered."""
    cloud = config.eks or config.gke
    if cloud is not None:
        return Access(credential=cloud.credential())
    if config.in_cluster:
        return Access(credential=InCluster())
    if config.token is not None:
        return Access(url=config.url, credential=Token(secret=config.token), ca_file=config.ca_file)
    return Access(credential=Kubeconfig(path=config.kubeconfig, context=config.context))


def missing(verb: str, what: str) -> str:
    """The advice for a call that RBAC refuses."""
    return f"the credential may not {verb} {what}; grant it as deploy/kubernetes/rbac.yaml does"


def lacking(outside: Outside, resources: Iterable[Resource]) -> Sequence[str]:
    """Tries to list and to watch each resource, small: a line for each that is refused or not there.

    Raises:
        SourceError: the cluster does not answer.
    """
    problems: list[str] = []
    for resource in resources:
        what = f'{resource.name} (apiGroups: ["{resource.group}"])'
        path = resource.only_path or next(iter(served(outside, resource)), "")
        if not path:
            problems.append(f"{resource} is not installed in this cluster; take the source out, or install it first")
            continue
        status, text = outside.text(path, params={"limit": 1})
        if status != 200:
            problems.append(missing("list", what) if status == 403 else f"{path} answered {status}: {text[:200]}")
        elif "watch" in resource.verbs:
            # Whoever may watch is told at once that no such version is kept; who may not is told that.
            params = {"watch": "true", "timeoutSeconds": 1, "resourceVersion": _NEVER}
            status, _ = outside.text(path, params=params)
            if status == 403:
                problems.append(missing("watch", what))
    return problems

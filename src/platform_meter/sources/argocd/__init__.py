"""Argo CD: syncs, deployments and applications as they stand, by its API or by list and watch of its cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from functools import partial
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from platform_meter.model.access import Access, Token
from platform_meter.model.facts import Fact
from platform_meter.model.facts.delivery import Deployment
from platform_meter.model.facts.gitops import GitopsApp, GitopsSync, RolloutEnded
from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.model.source import Area, Outside, Page, Source, Stream
from platform_meter.sources.argocd import api
from platform_meter.sources.argocd.facts import LOCAL_NAME, Place, gitops_app, rollout_ended
from platform_meter.sources.argocd.rows import Application, Rollout
from platform_meter.sources.argocd.told import Both, Ended, Syncs
from platform_meter.sources.kit import clusters
from platform_meter.sources.kit.clusters import ClusterConfig, is_name, lacking
from platform_meter.sources.kit.kubernetes_objects import Resource
from platform_meter.sources.kit.list_watch import Watched
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.sayers import Inventory

GROUP = "argoproj.io"
APPLICATIONS = Resource(name="applications", group=GROUP, versions=("v1alpha1",))
APPS: frozenset[type[Fact]] = frozenset({GitopsApp, GitopsSync, Deployment})
"""Kinds of fact that applications become."""
ROLLOUTS = Resource(name="rollouts", group=GROUP, versions=("v1alpha1",))


class Config(ClusterConfig):
    """Settings of one Argo CD. Exactly one way in: `url` with `token` is its own API, all others its cluster."""

    cluster: Annotated[str, AfterValidator(is_name)] = LOCAL_NAME
    """Name of the cluster that it runs in."""
    projects: tuple[str, ...] = ("*",)
    """Globs of names of its projects."""

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        """In place of the rule for clusters: here `url` is Argo CD's."""
        api_way = bool(self.url)
        ways = [bool(self.kubeconfig or self.context), self.in_cluster, self.eks is not None, self.gke is not None]
        if sum((api_way, *ways)) != 1:
            found = "more than one" if api_way or any(ways) else "none"
            raise ValueError(
                f"{found} of url, kubeconfig/context, in_cluster, eks and gke is set; write exactly one way in: "
                "`url` and `token` of Argo CD's API, or a way into its cluster, for example `context: prod`"
            )
        if api_way and self.token is None:
            raise ValueError(
                "url needs a token of Argo CD; write `token: {file: PATH}` or `token: {env: NAME}` beside it"
            )
        if not api_way and (self.token is not None or self.ca_file is not None):
            raise ValueError("token and ca_file go with url only: ways into a cluster bring their own; remove them")
        return self

    def takes(self, app: Application) -> bool:
        """Whether it is one of those to be measured."""
        project = app.spec.project or "default"
        selected = any(fnmatchcase(project, glob) for glob in self.projects)
        return selected and not self.skips(app.spec.destination.namespace)


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """One poll of the API; or a watch of applications and one of Rollouts."""
    del instance
    place = Place(cluster=config.cluster, keep=config.kept_labels)

    def stands(app: Application) -> GitopsApp | None:
        return gitops_app(app, place) if config.takes(app) else None

    def sayer(waiting: tuple[str, ...], since: datetime) -> Syncs:
        return Syncs(place, outside, config.takes, waiting, since)

    def poll(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        said = partial(api.read, checkpoint=checkpoint, now=now, overlap=config.overlap, stands=stands)
        return Sieve.over(outside, lambda sieve: said(sieve, sayer=lambda waiting: sayer(waiting, since)))

    if config.url:
        return (Stream(name=APPLICATIONS.name, read=poll, gives=APPS),)

    def ended(rollout: Rollout) -> RolloutEnded | None:
        return None if config.skips(rollout.metadata.namespace) else rollout_ended(rollout, place)

    def both(waiting: tuple[str, ...], since: datetime) -> Both:
        standing = Inventory[Application](row=stands, complete=frozenset({GitopsApp}))
        return Both(standing=standing, syncs=sayer(waiting, since))

    apps = Watched(
        resource=APPLICATIONS,
        shape=Application,
        sayer=both,
        gives=APPS,
        outside=outside,
        resync=config.resync,
        page_size=config.page_size,
    )
    rollouts = Watched(
        resource=ROLLOUTS,
        shape=Rollout,
        sayer=lambda _waiting, since: Ended(row=ended, since=since),
        gives=frozenset({RolloutEnded}),
        outside=outside,
        resync=config.resync,
        page_size=config.page_size,
    )
    return apps.stream, rollouts.stream


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One line for each thing that may not be read. Argo Rollouts need not be there."""
    if config.url:
        return api.check(outside)
    there = outside.text(ROLLOUTS.only_path, params={"limit": 1})[0] != 404
    return lacking(outside, (APPLICATIONS, ROLLOUTS) if there else (APPLICATIONS,))


def access(config: Config) -> Access:
    if config.token is not None:
        return Access(url=config.url, credential=Token(secret=config.token), ca_file=config.ca_file)
    return clusters.access(config)


def propose(around: Surroundings) -> Proposal:
    """The server that a variable names."""
    variable, address = around.variable("ARGOCD_AUTH_TOKEN"), around.addresses.get("ARGOCD_SERVER", "")
    token = {"env": variable or "ARGOCD_AUTH_TOKEN"}
    url = address if address.startswith("http") or not address else f"https://{address}"
    return Proposal(
        about="Syncs and deployments of Argo CD. The account needs `applications, get`; or write a way into its cluster.",
        found={"argocd": {"url": url, "token": token}} if url and variable else {},
        sample=("argocd", {"url": "https://argocd.acme.example", "token": token}),
        fill_in="its address",
    )


SOURCE = Source(
    name="argocd",
    title="Argo CD",
    area=Area.CI_CD,
    reads="applications with their syncs, deployments and health, by its API or by list and watch; Argo Rollouts",
    needs="`applications, get` in Argo CD; or `list` and `watch` on `applications` and `rollouts` of `argoproj.io`",
    config=Config,
    gives=APPS | {RolloutEnded},
    access=access,
    connect=connect,
    check=check,
    propose=propose,
)

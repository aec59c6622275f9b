"""What covers workloads, each kind where settings switch it on: read whole about every ten minutes, or nothing is said of it.

A practice is where it is read and a function from that and the workloads to what covers which (`Kind`). What is not
installed covers nobody; what may not be read stops no other. A page of a poll says all of one practice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from platform_meter.model.facts.practices import Practice
from platform_meter.model.found import found
from platform_meter.model.source import Outside, Page, Stream
from platform_meter.sources.kit.clusters import ClusterConfig
from platform_meter.sources.kit.kubernetes_objects import Resource, served
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kubernetes.practices.covered import EVERY, Kind, Lister, Looks, Subject

_NOT_FOUND = 404


def word(kind: type[Practice]) -> str:
    """What settings call it: as `count` of a Capability file does, several of them."""
    name = kind.__name__.lower()
    return name[:-1] + "ies" if name.endswith("y") else f"{name}s"


KINDS: Mapping[str, Kind] = {word(kind.fact): kind for kind in found(__name__, Kind)}
"""Every practice that needs no setting of its own, by its word."""


def known(text: str) -> str:
    """A word of a practice.

    Raises:
        ValueError: it is none.
    """
    if text not in KINDS:
        raise ValueError(f"no practice is called '{text}'; write some of {', '.join(sorted(KINDS))}")
    return text


def streams_of(kinds: Sequence[Kind], config: ClusterConfig, outside: Outside) -> tuple[Stream, ...]:
    """One poll for each, which look at the workloads together."""
    looks = Looks(config=config)
    return tuple(_stream(kind, config, looks, outside) for kind in kinds)


def _stream(kind: Kind, config: ClusterConfig, looks: Looks, outside: Outside) -> Stream:
    def pages(sieve: Sieve, now: datetime) -> Iterator[Page]:
        look, names = looks.at(sieve, now), defaultdict[str, set[str]](set)
        covered: dict[str, Subject] = {}
        for subject, name in kind.covers(Lister(outside=sieve, size=config.page_size), look):
            covered[subject.about.id] = subject
            names[subject.about.id].add(name)
        facts = tuple(_reading(kind.fact, config.cluster, one, names[one.about.id]) for one in covered.values())
        yield Page(facts=facts, complete=frozenset({kind.fact}))

    return Stream(
        name=word(kind.fact),
        read=lambda _checkpoint, _since, now: Sieve.over(outside, lambda sieve: pages(sieve, now)),
        gives=frozenset({kind.fact}),
        every=EVERY,
    )


def _reading(fact: type[Practice], cluster: str, subject: Subject, names: set[str]) -> Practice:
    return fact(
        about=subject.about,
        cluster=cluster,
        namespace=subject.namespace,
        workload_kind=subject.kind,
        by=tuple(sorted(names)),
    )


def installed(outside: Outside, kinds: Sequence[Kind]) -> Iterator[Resource]:
    """What these practices read beside the workloads, as far as the cluster has it.

    Raises:
        SourceError: the cluster does not answer.
    """
    for resource in dict.fromkeys(resource for kind in kinds for resource in kind.resources):
        path = resource.only_path or next(iter(served(outside, resource)), "")
        if path and outside.text(path, params={"limit": 1})[0] != _NOT_FOUND:
            yield resource

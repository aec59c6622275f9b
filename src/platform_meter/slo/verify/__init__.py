"""SLO files held against a Prometheus: what their queries read is there, and counts what an SLO can be made of.

Nothing here goes out: a call is a function that is given, and each answer becomes words with a place in people's files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from platform_meter.problems import Problem
from platform_meter.slo.plan import Plan
from platform_meter.slo.verify import names, numbers
from platform_meter.slo.verify.finding import Finding, queries
from platform_meter.slo.verify.places import Places
from platform_meter.slo.verify.server import Ask, Server

__all__ = ["Ask", "Verdict", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a Prometheus says of SLOs."""

    slos: int
    """That it counts."""
    asked: int
    """Questions that it answered."""
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    """Worth knowing."""
    unknown: str = ""
    """What it did not say; empty where it said all."""


def verify(plans: Iterable[Plan], files: Iterable[tuple[str, str]], ask: Ask) -> Verdict:
    """Hold every SLO that Prometheus counts against one; it is asked one question after another.

    Args:
        plans: SLOs, also such that it does not count.
        files: path and text of the files that they stand in, and of those with what these name.
        ask: makes one call.

    Raises:
        SourceError: it can't be reached, or is no Prometheus.
    """
    counted = tuple(plan for plan in plans if queries(plan))
    if not counted:
        return Verdict(slos=0, asked=0)
    server = Server(ask)
    how = server.kept()
    findings = [*numbers.kept(counted, how), *_each(counted, server)]
    places = Places(files)
    wrong = {places.problem(finding) for finding in findings if finding.wrong}
    notes = {places.problem(finding) for finding in findings if not finding.wrong}
    silent = "does not say for how long it keeps samples, so no SLO's period was held against that"
    return Verdict(
        slos=len(counted),
        asked=server.asked,
        problems=tuple(sorted(wrong)),
        notes=tuple(sorted(notes)),
        unknown=silent if how.length is None else "",
    )


def _each(plans: Iterable[Plan], server: Server) -> Iterator[Finding]:
    """What is missing for each SLO, and where nothing is, what is wrong with its numbers."""
    seen = set[timedelta]()
    for plan in plans:
        missing = list(_missing(plan, server))
        yield from missing
        if any(finding.wrong for finding in missing):
            continue
        yield from numbers.counts(plan, server)
        told = numbers.scraped(plan, server)
        if told is not None and told[0] not in seen:
            seen.add(told[0])
            yield told[1]


def _missing(plan: Plan, server: Server) -> Iterator[Finding]:
    """Of each query in turn. A word that total is wrong about is wrong in its part too: it is not missing for want of failures."""
    told = set[str]()
    for part, query in queries(plan).items():
        found = list(names.look(plan, part, query, server))
        yield from (one for one in found if one.wrong or one.word not in told)
        told |= {one.word for one in found if one.wrong and one.word}

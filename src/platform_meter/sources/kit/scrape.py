"""Another program's `/metrics` into amounts: what its counters and histogram buckets grew by from one scrape to the next.

    scrape = Scrape(path="/metrics", families=(Family(name="http_requests_total", keep=("code",)),), becomes=Requests)
    grown = scrape.read(sieve, checkpoint, now)

A first scrape says nothing: what came before it was counted at moments that nobody knows. What was counted since is dated
by the scrape that saw it, unless that was too long ago: then it is a gap and no burst.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from platform_meter.model.facts import Fact
from platform_meter.model.source import Gap, Unexpected
from platform_meter.model.typed import decode
from platform_meter.sources.kit.exposition import ACCEPT, NotMetrics, Sample, samples
from platform_meter.sources.kit.rows import MOST, Sieve
from platform_meter.sources.kit.samples import Held, Last, Process, Seen, after, grown, key, marks, pack, unpack

LONGEST = timedelta(minutes=15)
"""What was counted between two scrapes further apart is a gap."""
MOST_SERIES = 20_000
"""A page with more wanted series is refused."""

_SUFFIXES = ("_total", "_bucket", "_count", "_sum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Counters that are wanted, all under one name."""

    name: str
    """As its samples are called: `http_requests_total`, `request_duration_seconds_bucket`. OpenMetrics adds `_total` to
    a counter that lacks it; that is the same one."""
    keep: tuple[str, ...] = ()
    """Labels that amounts are told by; series that differ in others alone are added up."""
    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values that are taken, by label; a label that is not named takes all. A bound (`le`) is written as `1.0`, `+Inf`."""

    @property
    def mark(self) -> str:
        """Changes with what is taken: then a series that was never seen is not a new one."""
        words = [word for label, values in sorted(self.where.items()) for word in (label, "=", *sorted(values))]
        return f"{key(self.name, *words):016x}"

    def takes(self, labels: Mapping[str, str]) -> bool:
        return all(labels.get(label, "") in values for label, values in self.where.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """What one scrape saw."""

    amounts: Mapping[tuple[str, tuple[str, ...]], float]
    """What was counted since the scrape before, above 0, by the family's name and the values of its kept labels."""
    told: frozenset[tuple[str, tuple[str, ...]]]
    """All that the page has series of, in the same words, whether or not they grew."""
    key: str
    """The natural key of that stretch: whoever tells it again tells it under the same one."""
    checkpoint: bytes
    """To be saved with the facts that are made of the amounts, in the same page."""


@dataclass(slots=True)
class _Page:
    """What was read of one page so far."""

    families: Mapping[str, Family]
    """By the names that their samples may have."""
    created_of: Mapping[str, tuple[Family, ...]]
    """By the name under which a program tells when their series were created."""
    series: dict[int, tuple[Family, int, tuple[str, ...], float]] = field(default_factory=dict)
    """Family, what `_created` knows it by, values of kept labels, and value."""
    created: dict[int, float] = field(default_factory=dict)
    born: str = ""
    """When the process says that it began, as a number; or who it says that it is."""
    odd: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Samples that can't be read or reckoned with, by family."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """One page of metrics that is read again and again."""

    path: str
    families: tuple[Family, ...]
    becomes: type[Fact]
    """What is missing without a line that can't be read (`platform_meter_events_rejected_total`)."""
    born: str = ""
    """Where the program counts by itself, the gauge that tells when its process began: `process_start_time_seconds`.
    It tells processes apart that answer in turn under one address, and a new one from one that was never met. Empty for
    what passes on the counters of others, whose own start says nothing of theirs."""
    named: tuple[str, str] = ("", "")
    """Of a program that tells no start but who it is: the sample and its label, ("kong_node_info", "node_id"). It tells
    processes apart in the same way, but not whether one that was never met is a new one."""
    longest: timedelta = LONGEST

    def read(self, sieve: Sieve, checkpoint: bytes | None, now: datetime) -> Grown:
        """Scrape once, at `now`.

        Raises:
            SourceError: the page can't be had.
            Unexpected: it is no page of metrics, not a whole one, or has too many lines or series.
        """
        page = self._page(sieve)
        held = decode(checkpoint, Held) if checkpoint else Held()
        before, latest = held.processes.get(page.born), held.latest
        since = latest if before is None else before.at
        # By its own clock; where that is behind ours a new process is taken for one that was never met, and says nothing.
        fresh = bool(before is None and self.born and latest and float(page.born) > latest.timestamp())
        found, amounts = self._found(page), defaultdict[tuple[str, tuple[str, ...]], float](float)
        last: Mapping[int, Last] = unpack(before.packed) if before else {}
        if since is not None and now - since > self.longest:
            minutes = (now - since) // timedelta(minutes=1)
            text = f"{self.path}: not read for {minutes} min; what was counted meanwhile has no moment"
            sieve.gap(Gap(start=since, end=now, reason="unreadable", text=text))
        else:
            for id_, seen in found.items():
                family, _, kept, _ = page.series[id_]
                amounts[family.name, kept] += grown(seen, last.get(id_), before=before, fresh=fresh)
        told = {family.name for family, *_ in page.series.values()}
        process = Process(
            at=now,
            packed=pack(after(found, last, now, MOST_SERIES)),
            whole=marks({f.name: f.mark for f in self.families}, told, page.odd.keys(), own=bool(page.born)),
        )
        every = frozenset((family.name, kept) for family, _, kept, _ in page.series.values())
        stretch = "start" if before is None else f"{before.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        return Grown(
            amounts={place: amount for place, amount in amounts.items() if amount > 0},
            told=every,
            key=f"{page.born}@{stretch}",
            checkpoint=msgspec.json.encode(held.keep(page.born, process)),
        )

    def _page(self, sieve: Sieve) -> _Page:
        page = _Page(_named(self.families), _created(self.families))
        names = {*page.families, *page.created_of, *filter(None, (self.born, self.named[0]))}

        def odd(name: str) -> None:
            # Of a series whose creation can't be read all is known but that.
            family = page.families.get(name)
            page.odd[family.name if family else name] += 1
            sieve.reject(self.becomes)

        try:
            # Of several servers behind one address a kept connection would lead to the same one each time.
            headers = {"Accept": ACCEPT, "Connection": "close"}
            for sample in samples(sieve.lines(self.path, headers=headers), names, odd):
                if sample.name == self.named[0]:
                    page.born = sample.labels.get(self.named[1], "")
                elif sample.name == self.born:
                    page.born = f"{sample.value:.6f}" if math.isfinite(sample.value) else ""
                elif not self._take(page, sample):
                    odd(sample.name)
        except NotMetrics as error:
            raise Unexpected(f"{self.path} {error}") from None
        if sum(page.odd.values()) > MOST and not page.series:
            raise Unexpected(f"{self.path}: none of {sum(page.odd.values())} lines that are wanted can be read")
        if self.born and not page.born:
            raise Unexpected(
                f"{self.path} has no {self.born}: which of several processes answers, and since when it counts, is not known"
            )
        return page

    def _take(self, page: _Page, sample: Sample) -> bool:
        """Take a sample in; False where it can't be reckoned with."""
        if not (math.isfinite(sample.value) and sample.value >= 0):
            return False
        family, created_of = page.families.get(sample.name), page.created_of.get(sample.name, ())
        labels = dict(sample.labels)
        bound = labels.get("le")
        if bound is not None:
            try:
                labels["le"] = "+Inf" if math.isinf(float(bound)) else repr(float(bound))
            except ValueError:
                return False
        if not created_of and (family is None or not family.takes(labels)):
            return True
        group = [word for pair in sorted(labels.items()) if pair[0] != "le" for word in pair]
        for made in created_of:
            page.created[key(made.name, *group)] = sample.value
        if family is None or not family.takes(labels):
            return True
        of = key(family.name, *group)
        id_ = key(family.name, *group, "le", labels["le"]) if bound is not None else of
        if id_ in page.series:
            return False
        if len(page.series) >= MOST_SERIES:
            names = ", ".join(family.name for family in self.families)
            raise Unexpected(
                f"{self.path} has more than {MOST_SERIES:,} series of {names}, the bound; take fewer families or values"
            )
        page.series[id_] = (family, of, tuple(labels.get(label, "") for label in family.keep), sample.value)
        return True

    @staticmethod
    def _found(page: _Page) -> dict[int, Seen]:
        marked = {family.name: family.mark for family in page.families.values()}
        return {
            id_: Seen(value, page.created.get(of, 0.0), marked[family.name])
            for id_, (family, of, _, value) in page.series.items()
        }


def _named(families: tuple[Family, ...]) -> dict[str, Family]:
    found = {f"{f.name}_total": f for f in families if not f.name.endswith(_SUFFIXES)}
    return found | {family.name: family for family in families}


def _created(families: tuple[Family, ...]) -> dict[str, tuple[Family, ...]]:
    found = defaultdict[str, tuple[Family, ...]](tuple)
    for family in families:
        base = next((family.name.removesuffix(s) for s in _SUFFIXES if family.name.endswith(s)), family.name)
        found[f"{base}_created"] += (family,)
    return found

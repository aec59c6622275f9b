"""Checks by blackbox_exporter, each as Prometheus scraped it: the same facts as those of our own probes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult, ServedCertificate
from platform_meter.model.source import Page
from platform_meter.sources.kit.promql import Series, scraped
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.prometheus.config import ProbesQuery

SYSTEM, KIND = "probes", "endpoint"
"""The object is the one that our own probe of it would be about, so that one Ownership file fits both."""
STRETCH = 20 * 60
"""Seconds of one question: what one poll reads with its overlap, and few enough samples as they were scraped."""
_USER = re.compile(r"//[^/]*@")
"""A user and a password in an address, which Prometheus may show and we don't."""
_FAR = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_Samples = Mapping[int, float]
"""By their moments in milliseconds."""


def read(
    query: ProbesQuery,
    delay: timedelta,
    overlap: timedelta,
    outside: Sieve,
    checkpoint: bytes | None,
    since: datetime,
    now: datetime,
) -> Iterator[Page]:
    """All checks since the last ones read, and those of the overlap before them, which may have come late."""
    last = int((now - delay).timestamp())
    place = since if checkpoint is None else datetime.fromtimestamp(int(checkpoint), UTC) - overlap
    certificates: dict[str, ServedCertificate] = {}
    for start in range(int(place.timestamp()), last, STRETCH):
        end = min(start + STRETCH, last)
        checks, found = _stretch(query, outside, start, end)
        certificates |= found
        facts: list[Fact] = [*checks.values()]
        if end == last:
            facts += certificates.values()
        complete = frozenset({ServedCertificate} if end == last else ())
        yield Page(facts=facts, checkpoint=str(end).encode(), complete=complete)


def _stretch(
    query: ProbesQuery, outside: Sieve, start: int, end: int
) -> tuple[dict[str, ProbeCheck], dict[str, ServedCertificate]]:
    """Checks by key and certificates by target of the time after `start` until `end`."""

    def samples(metric: str) -> Iterator[tuple[Series, _Samples]]:
        for series in scraped(outside, f"{metric}{query.select}", end - start, end):
            yield series, _within(series, start, end)

    took = {_labels(series): found for series, found in samples("probe_duration_seconds")}
    checks: dict[str, ProbeCheck] = {}
    for series, found in samples("probe_success"):
        for at, success in found.items():
            seconds = took.get(_labels(series), {}).get(at)
            if success not in {0.0, 1.0} or seconds is None or not 0 <= seconds < _FAR:
                outside.reject(ProbeCheck)
                continue
            about = _about(query, series)
            checks[f"{about.id}/{at}"] = ProbeCheck(
                key=f"{about.id}/{at}",
                at=datetime.fromtimestamp(at / 1_000, UTC),
                about=about,
                target=about.id,
                result=ProbeResult.OK if success else ProbeResult.ERROR,
                seconds=seconds,
            )
    certificates: dict[str, ServedCertificate] = {}
    for series, found in samples("probe_ssl_earliest_cert_expiry"):
        if not found:
            continue
        ends, about = found[max(found)], _about(query, series)
        if not 0 < ends < _FAR:
            outside.reject(ServedCertificate)
            continue
        moment = datetime.fromtimestamp(ends, UTC)
        certificates[about.id] = ServedCertificate(about=about, target=about.id, ends=moment)
    return checks, certificates


def _within(series: Series, start: int, end: int) -> _Samples:
    """Numbers after `start` until `end`; what is no number is NaN, which is never in range."""
    found = ((round(at * 1_000), number) for at, number in series.values)
    return {at: _number(number) for at, number in found if start * 1_000 < at <= end * 1_000}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _labels(series: Series) -> frozenset[tuple[str, str]]:
    """What tells one scrape's series from others: its three metrics differ in nothing but the name."""
    return frozenset((name, value) for name, value in series.metric.items() if name != "__name__")


def _about(query: ProbesQuery, series: Series) -> Ref:
    name = query.prefix + "/".join(series.metric.get(label) or "_unknown" for label in query.by)
    labels = sorted((label, series.metric[label]) for label in query.labels if label in series.metric)
    return Ref(system=SYSTEM, kind=KIND, id=_USER.sub("//", name), labels=tuple(labels))

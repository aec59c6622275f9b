"""What the API server says of its own requests, on its `/metrics`: good and bad, in time and late, by class of verb (domain section 8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from platform_meter.model.facts import Ref
from platform_meter.model.facts.kubernetes import ApiLatency, ApiRequests, VerbClass
from platform_meter.model.source import Forbidden, Outside, Page
from platform_meter.sources.kit.clusters import missing
from platform_meter.sources.kit.exposition import ACCEPT
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.scrape import LONGEST, Family, Grown, Scrape
from platform_meter.sources.kit.workloads import SYSTEM

PATH = "/metrics"
CLASSES: Mapping[str, VerbClass] = {
    "GET": VerbClass.READ,
    "LIST": VerbClass.LIST,
    "POST": VerbClass.WRITE,
    "PUT": VerbClass.WRITE,
    "PATCH": VerbClass.WRITE,
    "APPLY": VerbClass.WRITE,
    "DELETE": VerbClass.WRITE,
    "DELETECOLLECTION": VerbClass.WRITE,
}
"""Verbs as the server names them; all others are left out: WATCH and CONNECT last as long as their client wants."""
REQUESTS = Family(name="apiserver_request_total", keep=("verb", "code"), where={"verb": frozenset(CLASSES)})
IN_TIME: Mapping[VerbClass, str] = {VerbClass.READ: "1.0", VerbClass.WRITE: "1.0", VerbClass.LIST: "30.0"}
"""Seconds within which a request is to be done, as a bound of the histogram."""
DURATIONS = Family(
    name="apiserver_request_sli_duration_seconds_bucket",
    keep=("verb", "le"),
    where={
        "verb": frozenset(CLASSES),
        "scope": frozenset({"resource", "namespace", "cluster"}),
        "le": frozenset({*IN_TIME.values(), "+Inf"}),
    },
)
"""How long requests for objects took, without what webhooks took; what has no scope is no object (`/healthz`)."""
ADVICE = missing("get", f"nonResourceURL {PATH}")


def is_bad(code: str) -> bool:
    """Whether the server, and not who asked, is why a request was not served."""
    return code == "429" or (len(code) == 3 and code.startswith("5"))


def may_read(outside: Outside) -> bool:
    """Whether the role allows it; the page is left after its first lines."""
    try:
        for _ in outside.lines(PATH, headers={"Accept": ACCEPT}):
            break
    except Forbidden:
        return False
    return True


def read(cluster: str, every: timedelta, outside: Outside, checkpoint: bytes | None, now: datetime) -> Iterator[Page]:
    """One scrape, with what was answered since the last one.

    Raises:
        Forbidden: the role may not read the page.
    """
    return Sieve.over(outside, lambda sieve: _read(cluster, every, sieve, checkpoint, now))


def _read(cluster: str, every: timedelta, sieve: Sieve, checkpoint: bytes | None, now: datetime) -> Iterator[Page]:
    scrape = Scrape(
        path=PATH,
        families=(REQUESTS, DURATIONS),
        becomes=ApiRequests,
        born="process_start_time_seconds",
        longest=max(LONGEST, 3 * every),
    )
    try:
        grown = scrape.read(sieve, checkpoint, now)
    except Forbidden as error:
        raise Forbidden(f"{ADVICE}, or set `api_requests: false`", error.retry) from None
    yield Page(facts=tuple(_facts(cluster, grown, now)), checkpoint=grown.checkpoint)


def _facts(cluster: str, grown: Grown, now: datetime) -> Iterator[ApiRequests | ApiLatency]:
    answered = defaultdict[VerbClass, list[float]](lambda: [0.0, 0.0])
    took = defaultdict[VerbClass, list[float]](lambda: [0.0, 0.0])
    for (family, (verb, word)), amount in grown.amounts.items():
        verbs = CLASSES[verb]
        if family == REQUESTS.name:
            answered[verbs][is_bad(word)] += amount
        elif word == "+Inf":
            took[verbs][1] += amount
        elif word == IN_TIME[verbs]:
            took[verbs][0] += amount
    about = Ref(system=SYSTEM, kind="cluster", id=cluster)
    for verbs, (good, bad) in sorted(answered.items()):
        key = f"requests/{verbs}/{grown.key}"
        yield ApiRequests(key=key, at=now, about=about, cluster=cluster, verb_class=verbs, good=good, bad=bad)
    for verbs, (good, total) in sorted(took.items()):
        key, late = f"latency/{verbs}/{grown.key}", max(0.0, total - good)
        yield ApiLatency(key=key, at=now, about=about, cluster=cluster, verb_class=verbs, good=good, bad=late)

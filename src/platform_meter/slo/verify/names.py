"""Whether what a query reads is there: its metrics, their labels, values of these, and bounds of histograms.

What counts bad events may have no series while nothing has failed yet, since a counter with labels is born with its first
event: that is worth knowing, unless another word is so near that it must have been meant.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from platform_meter.problems import nearest, suggest
from platform_meter.slo.plan import Plan
from platform_meter.slo.promql import Matcher, Query, Selector, quote, selectors
from platform_meter.slo.verify.finding import Finding
from platform_meter.slo.verify.server import Server, matcher_text, shown

MOST = 10
"""Selectors of one query, and matchers of one selector, that are looked at."""
_SURELY = 0.75
"""Likeness of each word of a name from which its neighbour was meant, and nothing else that nobody has seen yet."""
_ENDINGS = ("_total", "_count", "_sum", "_bucket")
"""What a client adds to a name, and people forget."""
_UNBORN = "; as long as nothing has failed this may be so"
_BOUND = "le"


def look(plan: Plan, part: str, query: Query, server: Server) -> Iterator[Finding]:
    """What of one query the server does not have.

    Raises:
        SourceError: the server no longer answers.
    """
    read = selectors(query)
    for selector in read[:MOST]:
        yield from _Look(plan=plan, part=part, selector=selector, server=server).findings()
    if len(read) > MOST:
        text = f"this reads {len(read)} selectors, and only the first {MOST} were looked for; record a part by a rule"
        yield Finding(plan=plan, part=part, text=text, wrong=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One selector of one query."""

    plan: Plan
    part: str
    selector: Selector
    server: Server

    @property
    def bare(self) -> Selector:
        return replace(self.selector, matchers=())

    def findings(self) -> list[Finding]:
        """The first step at which something is missing tells enough: what follows would be echo."""
        labels = self.server.labels(self.bare)
        if not labels:
            return [self._metric()]
        asked = self.selector.matchers[:MOST]
        if found := [f for m in asked if m.label not in labels for f in self._label(m, labels)]:
            return found
        if not asked or self.server.labels(self.selector):
            return []
        return self._values(asked)

    def _metric(self) -> Finding:
        metric, known = self.selector.metric, self.server.names()
        near = nearest(metric, known)
        hint = (
            f"; did you mean '{near}'?" if near else "; write one that it scrapes, or have it scrape what has this one"
        )
        unborn = self.part == "bad" and not _surely(metric, near)
        text = f"the server has no metric '{metric}'{_UNBORN if unborn else ''}{hint}"
        return self._finding(text, metric, wrong=not unborn)

    def _label(self, matcher: Matcher, labels: Sequence[str]) -> Iterator[Finding]:
        """A label that no series has is empty everywhere: what asks for that is right, and what it leaves out is nothing."""
        if matcher.operator == "=" and not matcher.value:
            return
        label = matcher.label
        hint = suggest(label, [one for one in labels if one != "__name__"])
        said = f"no series of {self.selector.metric} has a label '{label}'"
        if self._any(self.bare, matcher):
            text = f"{said}, so {matcher_text(matcher)} leaves none out{hint or '; remove it'}"
            yield self._finding(text, label, wrong=bool(nearest(label, labels)))
        else:
            yield self._finding(f"{said}{hint or '; remove it'}", label, wrong=True)

    def _values(self, asked: Sequence[Matcher]) -> list[Finding]:
        """Which of the matchers leaves nothing: alone, else beside all others, else only all together.

        Beside others it is a bound first, and then the last: people write the job before what they look for in it.
        """
        if alone := [self._value(m, self.bare) for m in asked if not self._any(self.bare, m)]:
            return alone
        for matcher in (*(m for m in asked if m.label == _BOUND), *reversed(asked)):
            others = replace(self.selector, matchers=tuple(m for m in self.selector.matchers if m != matcher))
            if self.server.labels(others):
                return [self._value(matcher, others)]
        text = f"no series has all of {shown(self.selector)} at once; remove what does not belong together"
        return [self._finding(text, self.selector.metric, wrong=self.part != "bad")]

    def _value(self, matcher: Matcher, among: Selector) -> Finding:
        known = self.server.values(matcher.label, among)
        if matcher.label == _BOUND and matcher.operator in ("=", "=~"):
            return self._bound(matcher, among, known)
        unborn = self.part == "bad"
        # A number that is near is another one, such as 502 of 503, and so may a word be that nobody has said yet.
        misspelt = matcher.operator == "=" and not unborn and not _is_number(matcher.value)
        hint = suggest(matcher.value if misspelt else "", known)
        text = f"no series of {shown(among)} has {matcher_text(matcher)}{_UNBORN if unborn else ''}{hint}"
        return self._finding(text, matcher.value, wrong=not unborn)

    def _bound(self, matcher: Matcher, among: Selector, known: Sequence[str]) -> Finding:
        """A histogram has all of its buckets from its first event on, so one that is missing will never come."""
        bounds = sorted((float(one), one) for one in known if _is_number(one))
        said = f"its bounds are {', '.join(text for _, text in bounds)}" if bounds else "it has no bounds"
        text = f"no bucket of {shown(among)} has {matcher_text(matcher)}; {said}{_meant(matcher.value, bounds)}"
        return self._finding(text, matcher.value, wrong=True)

    def _any(self, selector: Selector, matcher: Matcher) -> bool:
        """Whether it selects something with this matcher alone; the server knows its own regular expressions best."""
        return bool(self.server.labels(replace(selector, matchers=(matcher,))))

    def _finding(self, text: str, word: str, *, wrong: bool) -> Finding:
        return Finding(plan=self.plan, part=self.part, text=text, wrong=wrong, selector=self.selector, word=word)


def _surely(metric: str, near: str) -> bool:
    """Whether two names differ in letters alone: `http_request_total` of `http_requests_total`, but not `failed` of `handled`."""
    one, other = ([w for w in _stem(name).split("_") if w] for name in (metric, near))
    pairs = zip(one, other, strict=False)
    return len(one) == len(other) and all(SequenceMatcher(None, a, b).ratio() >= _SURELY for a, b in pairs)


def _stem(name: str) -> str:
    return next((name.removesuffix(ending) for ending in _ENDINGS if name.endswith(ending)), name)


def _meant(written: str, bounds: Sequence[tuple[float, str]]) -> str:
    """What to write for a bound that the histogram does not have, or writes another way; empty where nothing is near."""
    if not bounds or not _is_number(written):
        return ""
    number, near = min(bounds, key=lambda bound: _distance(bound[0], float(written)))
    far = _distance(number, float(written))
    if far == 0:
        return f'; write le=~"{written}|{near}", since releases of Prometheus differ in how they write it'
    return f"; write le={quote(near)}" if far < math.inf else ""


def _is_number(text: str) -> bool:
    try:
        return not math.isnan(float(text))
    except ValueError:
        return False


def _distance(one: float, other: float) -> float:
    """How far two bounds are apart as times are: 0.1 is nearer to 0.2 than 1 is."""
    if one == other:
        return 0.0
    if min(one, other) <= 0 or math.inf in (one, other):
        return math.inf
    return abs(math.log(one / other))

"""Metric queries of Datadog, looked at before anything is asked: whether they give one number for each minute, and of what."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator

COUNT = ".as_count()"
_METRIC = re.compile(
    r"(?:(?P<space>\w[\w.]*):)?[A-Za-z][\w.]*\{[^{}]*\}(?P<by>\s*by\s*\{[^{}]*\})?(?P<kind>\.as_(?:count|rate)\(\))?"
    r"(?P<rollup>\.rollup\(\s*(?P<method>\w+)\s*(?:,\s*(?P<seconds>\w+)\s*)?\))?"
)
_SUMS = ("sum", "count")
"""Ways to join series that leave counts counts; `count` is that of a distribution."""
_JOINED = re.compile(r"avg|max|min|sum|count|p[0-9]{2}(\.[0-9]+)?")
"""Ways to join series to one."""
_METHODS = ("avg", "max", "min", "sum")
"""What a minute's points are made one by."""
_MINUTE = "60"
_HELD = "\0"
"""Stands for a metric, where what is around it is looked at."""
_FUNCTIONS = ("abs", "clamp_max", "clamp_min", "default_zero")
"""Those that leave a number of a minute a number of that minute."""
_COUNT_HOW = "write for example sum:trace.http.request.hits{service:checkout}.as_count()"
_LEVEL_HOW = "write for example p95:trace.http.request{service:checkout}"


def is_counted(text: str) -> str:
    """A metric query that counts: sums of metrics as counts, in one series.

    Raises:
        ValueError: it averages, groups or aligns otherwise, so that its numbers would be no counts per minute.
    """
    for metric in _metrics(text, _COUNT_HOW):
        if metric["space"] not in _SUMS:
            raise ValueError(f"{metric[0]} is no sum over its hosts; {_COUNT_HOW}")
        if metric["by"]:
            raise ValueError(
                f"{metric[0]} gives a series for each group, of which one is no count of all; remove by {{}}"
            )
        if metric["kind"] != COUNT:
            raise ValueError(f"{metric[0]} is a rate or an average; add {COUNT} behind it")
        if metric["rollup"]:
            raise ValueError(
                f"{metric[0]} says how minutes are made, which of counts is their sum; remove {metric['rollup']}"
            )
    around = _around(text, "which makes other numbers of counts")
    if re.search(rf"/[\s\w(]*{_HELD}", around):
        raise ValueError("the query divides by a metric, and a ratio is no count; write good or bad, and total")
    return text


def is_level(text: str) -> str:
    """A metric query that gives one number for each minute: a mean, a percentile, a ratio of sums.

    Raises:
        ValueError: it gives several series, or numbers of other times than a minute.
    """
    for metric in _metrics(text, _LEVEL_HOW):
        if not _JOINED.fullmatch(metric["space"] or ""):
            raise ValueError(f"{metric[0]} does not say how its series are made one; {_LEVEL_HOW}")
        if metric["by"]:
            raise ValueError(
                f"{metric[0]} gives a series for each group, of which none is the level of all; remove by {{}}"
            )
        if metric["rollup"] and metric["method"] not in _METHODS:
            raise ValueError(f"{metric['rollup']} is no way to make a minute of its points; write .rollup(max, 60)")
        if metric["seconds"] not in {None, _MINUTE}:
            raise ValueError(f"{metric['rollup']} is not of a minute; write .rollup({metric['method']}, {_MINUTE})")
    _around(text, "which makes other numbers of a minute's")
    return text


def minutely(text: str) -> str:
    """The query with one number for each minute, whatever Datadog would draw: of a count the sum, of all else the mean, unless
    the query says otherwise.
    """
    return _METRIC.sub(_of_a_minute, text)


def _of_a_minute(metric: re.Match[str]) -> str:
    method = metric["method"] or ("sum" if metric["kind"] == COUNT else "avg")
    bare = metric[0].removesuffix(metric["rollup"] or "")
    return f"{bare}.rollup({method}, {_MINUTE})"


def _metrics(text: str, how: str) -> Sequence[re.Match[str]]:
    found = list(_METRIC.finditer(text))
    if not found:
        raise ValueError(f"the query has no metric with its tags; {how}")
    return found


def _around(text: str, why: str) -> str:
    around = _METRIC.sub(_HELD, text)
    for name in re.findall(r"(\w+)\s*\(", around):
        if name not in _FUNCTIONS:
            raise ValueError(f"the query has {name}(), {why}; remove it")
    return around


Counted = Annotated[str, AfterValidator(is_counted)]
Level = Annotated[str, AfterValidator(is_level)]

"""Another program's `/metrics`, line by line: the samples that are wanted, in the text format 0.0.4 or OpenMetrics 1.0.

What is not wanted is passed over by the beginning of its line, before anything of it is understood. A line that can't be
read is left out and told, and the page goes on. Times on the page are not read: when it was seen is the reader's to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
"""What is asked for; either format is understood, whatever the answer calls itself."""
MOST_LINES = 2_000_000
"""A longer page is refused: something gives names or labels without a bound."""

_NAME = re.compile(rb"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(rb'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"([^"\\]*(?:\\.[^"\\]*)*)"[ \t]*(?:,[ \t]*|(?=\}))')
_NUMBER = rb"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[iI]nf(?:inity)?|[nN]a[nN])"
_TAIL = re.compile(rb"[ \t]*(" + _NUMBER + rb")(?:[ \t]+" + _NUMBER + rb")?[ \t\r]*(#[ \t]*\{.*)?\Z")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_MEANS = {"n": "\n", "\\": "\\", '"': '"'}
_OPEN_TYPES = (b"unknown", b"info", b"stateset", b"gaugehistogram")


class NotMetrics(ValueError):
    """It is no such page, or not all of one."""


class Sample(NamedTuple):
    name: str
    """As its line begins: `http_requests_total`, `request_duration_seconds_bucket`."""
    labels: Mapping[str, str]
    value: float
    """NaN and infinities are values too."""


def samples(lines: Iterable[Sequence[bytes]], names: Collection[str], odd: Callable[[str], None]) -> Iterator[Sample]:
    """Samples with one of these names, in the order of the page; `odd` is told the name of each that can't be read.

    `lines` are a page's lines without their ends, in groups as they came.

    Raises:
        NotMetrics: it is no such page, too long, or ends before it is whole.
    """
    wanted = {name.encode(): name for name in names}
    beginnings = tuple(wanted)
    count, begun, whole, open_format = 0, False, False, False
    for group in lines:
        count += len(group)
        if count > MOST_LINES:
            raise NotMetrics(f"has more than {MOST_LINES:,} lines, the bound")
        for line in group:
            if not begun and line.strip():
                begun = True
                if line[:1] != b"#" and not _NAME.match(line.lstrip()):
                    raise NotMetrics(f"is no page of metrics: it begins with {line[:16].decode(errors='replace')!r}")
            if line[:1] == b"#":
                whole = whole or line.strip() == b"# EOF"
                open_format = open_format or _is_open(line, wanted)
                continue
            if line[:1] in (b" ", b"\t"):
                line = line.lstrip()  # noqa: PLW2901 - the same line
            if not line.startswith(beginnings):
                continue
            named = _NAME.match(line)
            name = wanted.get(named.group()) if named else None
            if named is None or name is None:
                continue
            read = None if whole else _read(line, named.end())
            if read is None:
                odd(name)
            else:
                labels, value, exemplar = read
                open_format = open_format or exemplar
                yield Sample(name, labels, value)
    if not begun:
        raise NotMetrics("is empty")
    if open_format and not whole:
        raise NotMetrics("is cut off: OpenMetrics ends with `# EOF`, and this page does not")


def _is_open(line: bytes, wanted: Collection[bytes]) -> bool:
    """Whether a line that begins with `#` is one of OpenMetrics alone. There the type of `x_total` is told of `x`."""
    words = line.split(None, 4)
    if words[1:2] == [b"UNIT"]:
        return True
    if len(words) != 4 or words[1] != b"TYPE":
        return False
    _, _, name, type_ = words
    return type_ in _OPEN_TYPES or (type_ == b"counter" and name not in wanted and name + b"_total" in wanted)


def _read(line: bytes, at: int) -> tuple[Mapping[str, str], float, bool] | None:
    """Labels and value behind a name, and whether it has an exemplar; None where they can't be read."""
    labels: dict[str, str] = {}
    while line[at : at + 1] in (b" ", b"\t"):
        at += 1
    if line[at : at + 1] == b"{":
        at += 1
        try:
            while line[at : at + 1] != b"}":
                pair = _LABEL.match(line, at)
                if pair is None:
                    return None
                label = pair[1].decode()
                if label in labels:
                    return None
                labels[label] = _plain(pair[2].decode())
                at = pair.end()
        except UnicodeDecodeError:
            return None
        at += 1
    elif line[at - 1 : at] not in (b" ", b"\t"):
        return None
    tail = _TAIL.match(line, at)
    return (labels, float(tail[1]), tail[2] is not None) if tail else None


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda found: _MEANS.get(found[1], found[0]), text) if "\\" in text else text

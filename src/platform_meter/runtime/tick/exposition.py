"""`/metrics` as ready bytes: rendered per family when it changes, joined and compressed once, then only copied.

Text 0.0.4 and OpenMetrics 1.0 differ in headers alone: sample lines, with `le` in OpenMetrics' canonical form in
both, are rendered and deflated once. So a Prometheus that changes its protocol keeps its series. The gzip body is one
member made of deflate blocks that were flushed per family, so an unchanged family is never compressed again.
"""

from __future__ import annotations

import math
import re
import struct
import threading
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain

from platform_meter.model.metric import Metric, MetricType

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"
_DEFLATE_END = b"\x03\x00"


def number(value: float) -> str:
    """A value as both formats write it: `5`, `0.25`, `1e+17`, `+Inf`."""
    if -1e15 < value < 1e15:
        whole = int(value)
        return str(whole) if whole == value else repr(float(value))
    if value == math.inf:
        return "+Inf"
    if value == -math.inf:
        return "-Inf"
    return "NaN" if math.isnan(value) else repr(float(value))


def bound(value: float) -> str:
    """A bucket bound as OpenMetrics writes it: `1.0`, `0.25`, `+Inf`."""
    return "+Inf" if value == math.inf else repr(float(value))


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_SPECIAL = re.compile(r'[\\"\n]')


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """One histogram series: cumulative counts are made at rendering. `counts` has one entry per bound and one for +Inf."""

    counts: tuple[float, ...]
    sum: float


Labels = Sequence[str]
Rows = Iterable[tuple[Labels, float | Buckets]] | Iterable[tuple[Labels, float]]
"""Label values and value of each series of one family."""


class Lines:
    """The sample lines of one family, sorted by labels.

    What stands before a value is written once and kept for as long as the family has the same label sets in the same
    order: then only numbers are written anew, which is a fifth of the work.
    """

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self._histogram = metric.type is MetricType.HISTOGRAM
        self._labels: list[Labels] = []
        self._places = array("L")
        """Place in the rows of each series, in the order of lines."""
        self._starts: list[str] = []

    def write(self, rows: Sequence[tuple[Labels, float | Buckets]]) -> bytes:
        labels = [labels for labels, _ in rows]
        if labels != self._labels:
            self._begin(labels)
        values = [rows[place][1] for place in self._places]
        numbers = chain.from_iterable(map(self._cumulated, values)) if self._histogram else map(self._plain, values)
        return "".join(
            [f"{start}{number(value)}\n" for start, value in zip(self._starts, numbers, strict=True)]
        ).encode()

    def _begin(self, labels: list[Labels]) -> None:
        pairs = list(map(self._pairs, labels))
        self._labels = labels
        self._places = array("L", sorted(range(len(pairs)), key=pairs.__getitem__))
        self._starts = [start for place in self._places for start in self._before(pairs[place])]

    def _pairs(self, labels: Labels) -> str:
        """`a="x",b="y"`."""
        names = self._metric.labels
        if len(labels) != len(names):
            raise ValueError(f"{self._metric.name} has {len(names)} labels; got {len(labels)} values: {labels}")
        escaped = [value.translate(_ESCAPES) if _SPECIAL.search(value) else value for value in labels]
        return ",".join([f'{name}="{value}"' for name, value in zip(names, escaped, strict=True)])

    def _before(self, pairs: str) -> Iterator[str]:
        name = self._metric.name
        labels = f"{{{pairs}}}" if pairs else ""
        if not self._histogram:
            yield f"{name}{labels} "
            return
        for upper in (*self._metric.buckets, math.inf):
            yield f'{name}_bucket{{{pairs}{"," if pairs else ""}le="{bound(upper)}"}} '
        yield f"{name}_sum{labels} "
        yield f"{name}_count{labels} "

    def _plain(self, value: float | Buckets) -> float:
        if isinstance(value, Buckets):
            raise TypeError(f"{self._metric.name} is a {self._metric.type} and takes plain numbers")
        return value

    def _cumulated(self, value: float | Buckets) -> Iterable[float]:
        if not isinstance(value, Buckets):
            raise TypeError(f"{self._metric.name} is a histogram and needs Buckets")
        cumulative = list(accumulate(value.counts))
        return (*cumulative, value.sum, cumulative[-1])


def headers(metric: Metric) -> tuple[bytes, bytes]:
    """HELP and TYPE in text 0.0.4 and in OpenMetrics, where a counter's family has no `_total`."""
    help_ = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
    family = metric.name.removesuffix("_total") if metric.type is MetricType.COUNTER else metric.name
    quoted = help_.replace('"', '\\"')
    return (
        f"# HELP {metric.name} {help_}\n# TYPE {metric.name} {metric.exposed_as}\n".encode(),
        f"# HELP {family} {quoted}\n# TYPE {family} {metric.exposed_as}\n".encode(),
    )


def _deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)


class _Piece:
    """Some bytes of a body, deflated on first demand."""

    __slots__ = ("_packed", "plain")

    def __init__(self, plain: bytes) -> None:
        self.plain = plain
        self._packed: bytes | None = None

    def packed(self) -> bytes:
        if self._packed is None:
            self._packed = _deflate(self.plain)
        return self._packed


_Forms = tuple[tuple[_Piece, ...], tuple[_Piece, ...]]
"""One part of the body in text 0.0.4 and in OpenMetrics, which share their sample lines."""
_END = _Piece(b"# EOF\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """An answer to a scrape."""

    content_type: str
    data: bytes
    gzip: bool


class Exposition:
    """The current `/metrics`. One thread puts families at a time, any may copy bodies meanwhile."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: dict[str, Lines] = {}
        self._parts: dict[str, _Forms] = {}
        self._bodies: dict[tuple[int, bool], bytes] = {}

    def put(self, metric: Metric, rows: Rows) -> int:
        """Replace one family; no rows removes it. Returns the number of its series."""
        name, rows = metric.name, list(rows)
        if not rows:
            self._lines.pop(name, None)
            self._replace(name, None)
            return 0
        if name not in self._lines:
            self._lines[name] = Lines(metric)
        written = self._lines[name].write(rows)
        old = self._parts.get(name)
        if old is None:
            text, openmetrics = map(_Piece, headers(metric))
        else:
            (text, lines), (openmetrics, _) = old
            if lines.plain == written:
                return len(rows) * metric.series
        lines = _Piece(written)
        self._replace(name, ((text, lines), (openmetrics, lines)))
        return len(rows) * metric.series

    def put_raw(self, name: str, text: bytes, openmetrics: bytes) -> None:
        """Replace one part by text that is rendered already, without `# EOF`; empty text removes it."""
        self._replace(name, ((_Piece(text),), (_Piece(openmetrics),)) if text else None)

    def _replace(self, name: str, forms: _Forms | None) -> None:
        with self._lock:
            if forms is not None:
                self._parts[name] = forms
            elif self._parts.pop(name, None) is None:
                return
            self._bodies.clear()

    def body(self, accept: str = "", accept_encoding: str = "") -> Body:
        """The bytes for a scrape, by its Accept and Accept-Encoding headers."""
        form = 1 if prefers_openmetrics(accept) else 0
        packed = takes_gzip(accept_encoding)
        with self._lock:
            data = self._bodies.get((form, packed))
            if data is None:
                data = self._bodies[form, packed] = self._join(form, packed=packed)
        return Body(content_type=OPENMETRICS if form else TEXT, data=data, gzip=packed)

    def _join(self, form: int, *, packed: bool) -> bytes:
        pieces = [piece for name in sorted(self._parts) for piece in self._parts[name][form]]
        if form:
            pieces.append(_END)
        if not packed:
            return b"".join([piece.plain for piece in pieces])
        crc, size = 0, 0
        for piece in pieces:
            crc = zlib.crc32(piece.plain, crc)
            size += len(piece.plain)
        tail = _DEFLATE_END + struct.pack("<II", crc, size & 0xFFFFFFFF)
        return b"".join([_GZIP_HEAD, *(piece.packed() for piece in pieces), tail])


def _weights(header: str) -> Mapping[str, float]:
    """Media types or encodings with their q, parameters dropped but `version`."""
    out: dict[str, float] = {}
    for item in header.split(","):
        name, *params = (p.strip() for p in item.split(";"))
        weight = 1.0
        version = ""
        for param in params:
            key, _, value = param.partition("=")
            if key.strip() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
            elif key.strip() == "version":
                version = value.strip().strip('"')
        if name:
            key = name.lower()
            if key == "application/openmetrics-text" and version not in ("", "1.0.0", "0.0.1"):
                continue
            out[key] = max(weight, out.get(key, 0.0))
    return out


def prefers_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics is asked for by name with at least the weight of plain text."""
    weights = _weights(accept)
    asked = weights.get("application/openmetrics-text", 0.0)
    return asked > 0 and asked >= weights.get("text/plain", 0.0)


def takes_gzip(accept_encoding: str) -> bool:
    weights = _weights(accept_encoding)
    return weights.get("gzip", weights.get("*", 0.0)) > 0

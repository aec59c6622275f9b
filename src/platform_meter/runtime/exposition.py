"""`/metrics` as ready bytes: rendered per family when it changes, joined and compressed once, then only copied.

Text 0.0.4 and OpenMetrics 1.0 differ in headers alone: sample lines, with `le` in OpenMetrics' canonical form in
both, are rendered once. So a Prometheus that changes its protocol keeps its series. The gzip body is one member made
of deflate blocks that were flushed per family, so an unchanged family is never compressed again.
"""

from __future__ import annotations

import math
import struct
import threading
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from platform_meter.model.metric import Metric, MetricType

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_EOF = b"# EOF\n"
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


class _Escaped(dict[str, str]):
    """Label values as they are written; a family repeats few values many times, so each is escaped once."""

    def __missing__(self, value: str) -> str:
        self[value] = written = value.translate(_ESCAPES)
        return written


def _template(name: str, labels: Sequence[str], extra: str = "") -> str:
    """`name{a="%s",b="%s"} %s` for the `%` operator; faster than joining pairs for every line."""
    pairs = ",".join([*(f'{label}="%s"' for label in labels), *([extra] if extra else [])])
    return f"{name}{{{pairs}}} %s\n" if pairs else f"{name} %s\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """One histogram series: cumulative counts are made at rendering. `counts` has one entry per bound and one for +Inf."""

    counts: tuple[float, ...]
    sum: float


Rows = Iterable[tuple[Sequence[str], float | Buckets]] | Iterable[tuple[Sequence[str], float]]
"""Label values and value of each series of one family."""


def lines(metric: Metric, rows: Rows) -> bytes:
    """Sample lines of one family, sorted by label values."""
    out: list[str] = []
    name, names = metric.name, metric.labels
    escaped = _Escaped()
    width = len(names)
    if metric.type is MetricType.HISTOGRAM:
        buckets = [_template(f"{name}_bucket", names, f'le="{bound(b)}"') for b in (*metric.buckets, math.inf)]
        sums, counts = _template(f"{name}_sum", names), _template(f"{name}_count", names)
        for labels, value in sorted(rows, key=lambda r: tuple(r[0])):
            if not isinstance(value, Buckets):
                raise TypeError(f"{name} is a histogram and needs Buckets")
            pairs = _written(name, labels, width, escaped)
            total = 0.0
            for template, count in zip(buckets, value.counts, strict=True):
                total += count
                out.append(template % (*pairs, number(total)))
            out.append(sums % (*pairs, number(value.sum)))
            out.append(counts % (*pairs, number(total)))
        return "".join(out).encode()
    template = _template(name, names)
    for labels, value in rows:
        if isinstance(value, Buckets):
            raise TypeError(f"{name} is a {metric.type} and takes plain numbers")
        out.append(template % (*_written(name, labels, width, escaped), number(value)))
    out.sort()
    return "".join(out).encode()


def _written(name: str, labels: Sequence[str], width: int, escaped: _Escaped) -> list[str]:
    if len(labels) != width:
        raise ValueError(f"{name} has {width} labels; got {len(labels)} values: {labels}")
    return [escaped[v] for v in labels]


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


@dataclass(slots=True)
class _Part:
    """One family in both formats: plain, and deflated on first demand."""

    plain: tuple[bytes, bytes]
    packed: list[bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """An answer to a scrape."""

    content_type: str
    data: bytes
    gzip: bool


class Exposition:
    """The current `/metrics`. `put` replaces families, `body` copies bytes. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parts: dict[str, _Part] = {}
        self._bodies: dict[tuple[int, bool], bytes] = {}

    def put(self, metric: Metric, rows: Rows) -> int:
        """Replace one family; no rows removes it. Returns the number of its series (label sets)."""
        rows = list(rows)
        self.put_raw(metric.name, *(h + lines(metric, rows) for h in headers(metric)) if rows else (b"", b""))
        return len(rows)

    def put_raw(self, name: str, text: bytes, openmetrics: bytes) -> None:
        """Replace one part by text that is rendered already, without `# EOF`."""
        with self._lock:
            old = self._parts.get(name)
            if old is not None and old.plain == (text, openmetrics):
                return
            if not text and old is None:
                return
            if text:
                self._parts[name] = _Part(plain=(text, openmetrics), packed=[None, None])
            else:
                del self._parts[name]
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
        parts = [self._parts[name] for name in sorted(self._parts)]
        tail = _EOF if form else b""
        if not packed:
            return b"".join([*(p.plain[form] for p in parts), tail])
        crc, size, out = 0, 0, [_GZIP_HEAD]
        for part in parts:
            plain = part.plain[form]
            deflated = part.packed[form]
            if deflated is None:
                deflated = part.packed[form] = _deflate(plain)
            out.append(deflated)
            crc = zlib.crc32(plain, crc)
            size += len(plain)
        if tail:
            out.append(_deflate(tail))
            crc = zlib.crc32(tail, crc)
            size += len(tail)
        out += [_DEFLATE_END, struct.pack("<II", crc, size & 0xFFFFFFFF)]
        return b"".join(out)


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

"""Pages of metrics of other programs: what is read of a line, what is odd, and when a page is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from platform_meter.sources.kit import exposition
from platform_meter.sources.kit.exposition import NotMetrics, Sample, samples

NAMES = ("requests_total", "latency_seconds_bucket")


def read(*lines: str | bytes, names: tuple[str, ...] = NAMES) -> tuple[list[Sample], list[str]]:
    """The wanted samples of a page whose lines come two by two, and the names of those that are odd."""
    odd: list[str] = []
    whole = [line if isinstance(line, bytes) else line.encode() for line in lines]
    return list(samples([whole[i : i + 2] for i in range(0, len(whole), 2)], names, odd.append)), odd


@pytest.mark.parametrize(
    ("line", "labels", "value"),
    [
        ("requests_total 12", {}, 12.0),
        ("requests_total{} 12", {}, 12.0),
        ('requests_total{a="1"}12', {"a": "1"}, 12.0),
        ("  requests_total\t1.5e+3\t\r", {}, 1500.0),
        ('requests_total{code="200",verb="GET"} 7', {"code": "200", "verb": "GET"}, 7.0),
        ('requests_total { code = "200" , verb="GET", } 7 1712345678901', {"code": "200", "verb": "GET"}, 7.0),
        (r'requests_total{path="C:\\dir\"x\"\n}{,"} 1', {"path": 'C:\\dir"x"\n}{,'}, 1.0),
        (r'requests_total{path="\d"} 1', {"path": r"\d"}, 1.0),
        ('requests_total{who="Zoë"} 1', {"who": "Zoë"}, 1.0),
        ("requests_total +Inf", {}, math.inf),
        ("requests_total -1", {}, -1.0),
    ],
)
def test_a_sample_in_any_form(line: str, labels: dict[str, str], value: float) -> None:
    """Blanks, escapes, numbers of Go and times in whatever unit, as both formats have them."""
    assert read(line) == ([Sample("requests_total", labels, value)], [])


def test_nan_is_a_value() -> None:
    """Whoever reads it says what becomes of it."""
    [sample], odd = read("requests_total NaN")
    assert math.isnan(sample.value)
    assert odd == []


def test_open_metrics() -> None:
    """Exemplars and times are passed over, and the page ends with its mark."""
    found, odd = read(
        "# TYPE requests counter",
        "# UNIT requests requests",
        'requests_total{code="200"} 3 1712345678.901',
        "# TYPE latency_seconds histogram",
        'latency_seconds_bucket{le="1.0"} 4 # {trace_id="a b } c"} 0.67 1712345678.9',
        "# EOF",
    )
    assert found == [
        Sample("requests_total", {"code": "200"}, 3.0),
        Sample("latency_seconds_bucket", {"le": "1.0"}, 4.0),
    ]
    assert odd == []


@pytest.mark.parametrize(
    "line",
    [
        "requests_total",
        "requests_total ",
        "requests_total many",
        "requests_total 1_000",
        "requests_total 1 2 3",
        "requests_total}",
        'requests_total{code="200" 1',
        "requests_total{code=200} 1",
        'requests_total{code="200",code="201"} 1',
        b'requests_total{code="\xff"} 1',
    ],
)
def test_an_odd_line_is_left_out_and_told(line: str | bytes) -> None:
    """The page goes on behind it."""
    assert read("# a page", line, "requests_total 3") == ([Sample("requests_total", {}, 3.0)], ["requests_total"])


def test_what_is_not_wanted_is_not_looked_at() -> None:
    """Neither other names, nor longer ones that begin alike, nor comments; whatever stands on their lines."""
    found, odd = read(
        "# HELP requests_total is { not a line", "", "requests_total_created 5", "other{ 7", "requests_total 1"
    )
    assert (found, odd) == ([Sample("requests_total", {}, 1.0)], [])


@pytest.mark.parametrize("beginning", ["<!DOCTYPE html>", '{"status": "ok"}', "404 page not found"])
def test_another_page_is_refused(beginning: str) -> None:
    """A login page, JSON or a bare error: none of it is a page of metrics without the wanted ones."""
    with pytest.raises(NotMetrics, match="is no page of metrics: it begins with"):
        read("", beginning, "requests_total 1")


def test_an_empty_page_is_refused() -> None:
    """Whoever counts something says so."""
    with pytest.raises(NotMetrics, match="is empty"):
        read("", "  ")


@pytest.mark.parametrize(
    "lines",
    [
        ("# TYPE requests counter", "requests_total 1"),
        ("# UNIT latency_seconds seconds", "requests_total 1"),
        ("# TYPE build info", "requests_total 1"),
        ('requests_total 1 # {trace_id="a"} 1',),
    ],
)
def test_open_metrics_without_its_end_is_cut_off(lines: tuple[str, ...]) -> None:
    """What it lacks may have stood behind; the text format has no such mark."""
    with pytest.raises(NotMetrics, match="is cut off"):
        read(*lines)


def test_the_text_format_has_no_end() -> None:
    """A counter without `_total`, as the text format has them, is no sign of OpenMetrics."""
    names = ("accepted", "accepted_total")
    assert read("# TYPE accepted counter", "accepted 22", names=names) == ([Sample("accepted", {}, 22.0)], [])


def test_lines_behind_the_end_are_odd() -> None:
    """A wanted one among them is told."""
    assert read("requests_total 1", "# EOF", "requests_total 2") == (
        [Sample("requests_total", {}, 1.0)],
        ["requests_total"],
    )


def test_a_page_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left as soon as it is too long, and what came until then is not held."""
    monkeypatch.setattr(exposition, "MOST_LINES", 1_000)
    asked = 0

    def endless() -> Iterator[list[bytes]]:
        nonlocal asked
        while True:
            asked += 1
            yield [b"other 1"] * 100

    with pytest.raises(NotMetrics, match="has more than 1,000 lines, the bound"):
        list(samples(endless(), NAMES, lambda _: None))
    assert asked == 11

from __future__ import annotations

import math
import subprocess
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from platform_meter.model.metric import Metric, MetricType
from platform_meter.runtime.tick.exposition import OPENMETRICS, TEXT, Buckets, Exposition, bound, number

RUNS = Metric(name="x_runs_total", type=MetricType.COUNTER, help='Runs, "all"\nof them.', labels=("team", "outcome"))
SHARE = Metric(name="x_share_ratio", type=MetricType.GAUGE, help="A share.", labels=("team",))
QUEUE = Metric(name="x_queue_seconds", type=MetricType.HISTOGRAM, help="Queue.", labels=("pool",), buckets=(0.5, 5.0))
UP = Metric(name="x_up", type=MetricType.GAUGE, help="Up.")


def full() -> Exposition:
    exposition = Exposition()
    exposition.put(RUNS, [(("b", "success"), 3.0), (("a", "success"), 2.0)])
    exposition.put(SHARE, [(("a",), 0.25)])
    exposition.put(QUEUE, [(("linux",), Buckets(counts=(1, 2, 1), sum=12.5))])
    exposition.put(UP, [((), 1.0)])
    return exposition


def test_text_format() -> None:
    """Families and series are sorted, buckets are cumulative, and a gauge without labels has no braces."""
    assert full().body().data.decode() == (
        "# HELP x_queue_seconds Queue.\n"
        "# TYPE x_queue_seconds histogram\n"
        'x_queue_seconds_bucket{pool="linux",le="0.5"} 1\n'
        'x_queue_seconds_bucket{pool="linux",le="5.0"} 3\n'
        'x_queue_seconds_bucket{pool="linux",le="+Inf"} 4\n'
        'x_queue_seconds_sum{pool="linux"} 12.5\n'
        'x_queue_seconds_count{pool="linux"} 4\n'
        '# HELP x_runs_total Runs, "all"\\nof them.\n'
        "# TYPE x_runs_total counter\n"
        'x_runs_total{team="a",outcome="success"} 2\n'
        'x_runs_total{team="b",outcome="success"} 3\n'
        "# HELP x_share_ratio A share.\n"
        "# TYPE x_share_ratio gauge\n"
        'x_share_ratio{team="a"} 0.25\n'
        "# HELP x_up Up.\n"
        "# TYPE x_up gauge\n"
        "x_up 1\n"
    )


def test_openmetrics_differs_in_headers_alone() -> None:
    """The sample lines are the same bytes, so a scraper that changes its protocol keeps its series."""
    exposition = full()
    text = exposition.body().data.decode().splitlines()
    openmetrics = exposition.body(accept="application/openmetrics-text; version=1.0.0").data.decode().splitlines()
    assert [x for x in text if x[0] != "#"] == [x for x in openmetrics if x[0] != "#"]
    assert "# TYPE x_runs counter" in openmetrics
    assert openmetrics[-1] == "# EOF"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/plain", TEXT),
        ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", OPENMETRICS),
        ("application/openmetrics-text;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.9", TEXT),
        ("application/openmetrics-text;version=2.0.0,text/plain;q=0.5", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
    ],
)
def test_accept(accept: str, expected: str) -> None:
    """OpenMetrics is served when asked for by name and version, with at least plain text's weight."""
    assert full().body(accept=accept).content_type == expected


def test_gzip_is_one_member_with_the_same_bytes() -> None:
    """The compressed body is one gzip member, as some clients read no more, and unpacks to the plain one; also after a change."""
    exposition = full()
    for _ in range(2):
        for accept in ("", OPENMETRICS):
            packed = exposition.body(accept=accept, accept_encoding="gzip, deflate")
            assert packed.gzip
            first = zlib.decompressobj(31)  # stops at the end of the first member, whose checksum and length it checks
            assert first.decompress(packed.data) == exposition.body(accept=accept).data
            assert (first.eof, first.unused_data) == (True, b"")
        exposition.put(SHARE, [(("a",), 0.5)])


@pytest.mark.parametrize(
    ("header", "packed"), [("gzip", True), ("br", False), ("*", True), ("gzip;q=0", False), ("", False)]
)
def test_accept_encoding(header: str, *, packed: bool) -> None:
    """Only who takes gzip gets it."""
    assert full().body(accept_encoding=header).gzip is packed


def test_put_tells_how_many_series_there_are() -> None:
    """A gauge or counter has one for each label set, a histogram of 2 bounds 5: they, +Inf, sum and count."""
    exposition = Exposition()
    assert exposition.put(RUNS, [(("b", "success"), 3.0), (("a", "success"), 2.0)]) == 2
    assert exposition.put(QUEUE, [((pool,), Buckets(counts=(1, 2, 1), sum=12.5)) for pool in ("a", "b")]) == 10
    lines = [line for line in exposition.body().data.splitlines() if line[:1] != b"#"]
    assert len(lines) == 12


def test_a_histogram_without_labels() -> None:
    """`le` stands alone in its braces, and sum and count have none."""
    alone = Metric(name="x_seconds", type=MetricType.HISTOGRAM, help="x", buckets=(0.5,))
    exposition = Exposition()
    exposition.put(alone, [((), Buckets(counts=(1, 2), sum=3.5))])
    assert exposition.body().data.decode().splitlines()[2:] == [
        'x_seconds_bucket{le="0.5"} 1',
        'x_seconds_bucket{le="+Inf"} 3',
        "x_seconds_sum 3.5",
        "x_seconds_count 3",
    ]


def test_an_empty_family_disappears() -> None:
    """A family without rows leaves no header behind."""
    exposition = full()
    assert exposition.put(SHARE, []) == 0
    assert b"x_share_ratio" not in exposition.body().data


def test_unchanged_families_keep_the_very_bytes() -> None:
    """Putting equal rows does not make a new body: nothing is rendered or compressed again."""
    exposition = full()
    before = exposition.body(accept_encoding="gzip").data
    exposition.put(SHARE, [(("a",), 0.25)])
    assert exposition.body(accept_encoding="gzip").data is before


@pytest.mark.parametrize(
    ("value", "text"),
    [(5.0, "5"), (0.1, "0.1"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (1e17, "1e+17"), (-2.0, "-2")],
)
def test_numbers(value: float, text: str) -> None:
    """Whole numbers have no point; others read back as the same double."""
    assert number(value) == text
    assert float(number(value).replace("Inf", "inf")) == value


def test_bounds_are_canonical() -> None:
    """`le` is written as OpenMetrics wants it."""
    assert [bound(b) for b in (1.0, 0.25, math.inf)] == ["1.0", "0.25", "+Inf"]


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)


@given(st.dictionaries(TEXTS, st.floats(allow_nan=False), min_size=1, max_size=5))
def test_any_label_value_survives_both_parsers(values: dict[str, float]) -> None:
    """Quotes, backslashes, newlines and unicode in label values read back as they were, in both formats."""
    exposition = Exposition()
    exposition.put(SHARE, [((team,), value) for team, value in values.items()])
    text = list(parse_text(exposition.body().data.decode()))
    openmetrics = list(parse_openmetrics(exposition.body(accept=OPENMETRICS).data.decode()))
    for families in (text, openmetrics):
        assert {s.labels["team"]: s.value for f in families for s in f.samples} == values


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 9), min_size=1), min_size=1, max_size=6))
def test_what_was_put_before_leaves_no_trace(puts: list[dict[str, int]]) -> None:
    """Whatever label sets come, go and return, in any order: the body is that of the last put alone."""
    for metric in (SHARE, QUEUE):
        reused, fresh = Exposition(), Exposition()
        for labels in puts:
            rows = [
                ((label,), Buckets(counts=(n, 1, 0), sum=n) if metric is QUEUE else float(n))
                for label, n in labels.items()
            ]
            reused.put(metric, rows)
        fresh.put(metric, sorted(rows, key=lambda row: tuple(row[0])))
        assert reused.body().data == fresh.body().data


def test_parsers_and_promtool_accept_it() -> None:
    """prometheus_client reads the same samples in both formats, and `promtool check metrics` has no complaint."""
    exposition = full()
    text = [s for f in parse_text(exposition.body().data.decode()) for s in f.samples]
    openmetrics = [s for f in parse_openmetrics(exposition.body(accept=OPENMETRICS).data.decode()) for s in f.samples]
    assert sorted((s.name, sorted(s.labels.items()), s.value) for s in text) == sorted(
        (s.name, sorted(s.labels.items()), s.value) for s in openmetrics
    )
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=exposition.body().data, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_histogram_needs_buckets() -> None:
    """A plain number for a histogram is refused."""
    with pytest.raises(TypeError, match="x_queue_seconds is a histogram and needs Buckets"):
        Exposition().put(QUEUE, [(("a",), 1.0)])

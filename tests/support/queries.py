"""Forms of queries, as total and bad: each of them is one way to count."""

from __future__ import annotations

from collections.abc import Mapping

FORMS: Mapping[str, tuple[str, str]] = {
    "a sum of two": ("sum(increase(a[{{window}}])) + sum(increase(b[{{window}}]))", "sum(increase(e[{{window}}]))"),
    "all less the good": ("a", "sum(increase(a[{{window}}])) - sum(increase(g[{{window}}]))"),
    "all less a bucket": (
        "h_count",
        'sum(increase(h_count[{{window}}])) - sum(increase(h_bucket{le="1"}[{{window}}]))',
    ),
    "rates": ("sum(rate(a[{{window}}])) + sum(rate(b[{{window}}]))", "sum(rate(e[{{window}}]))"),
    "samples that are counts": ("sum(sum_over_time(a[{{window}}]))", "sum(sum_over_time(b[{{window}}]))"),
    "good and bad of two names": ("sum(increase(ok[{{window}}])) + sum(increase(ko[{{window}}]))", "ko"),
    "two joined": ("sum(increase(ok[{{window}}]) + increase(ko[{{window}}]))", "ko"),
    "two label values": ("a", 'sum(increase(a{x="1"}[{{window}}])) + sum(increase(a{x="2"}[{{window}}]))'),
    "both read with an offset": ("sum(increase(a[{{window}}] offset 5m))", "sum(increase(e[{{window}}] offset 5m))"),
    "bad read with an offset": ("a", "sum(increase(e[{{window}}] offset 5m))"),
    "rates of an hour ago": ("sum(rate(a[{{window}}] offset 1h))", "sum(rate(e[{{window}}] offset 1h))"),
    "two offsets": ("sum(increase(a[{{window}}] offset 10m))", "sum(increase(e[{{window}}] offset 90s))"),
    "a join that brings a label": (
        "sum(increase(a[{{window}}]) * on(pod) group_left(team) owner)",
        'sum(increase(a{code="500"}[{{window}}]) * on(pod) group_left(team) owner)',
    ),
    "a join that selects": (
        'sum(increase(a[{{window}}]) * on(pod) group_left() owner{team="x"})',
        'sum(increase(a{code="500"}[{{window}}]) * on(pod) group_left() owner{team="x"})',
    ),
    "a join with an aggregation": (
        "sum(increase(a[{{window}}]) * on(pod) group_left(team) max by (pod, team) (owner))",
        "sum(increase(b[{{window}}]) * on(pod) group_left(team) max by (pod, team) (owner))",
    ),
    "a join from the right": ("sum(owner * on(pod) group_right(team) increase(a[{{window}}]))", "b"),
    "a join by all labels but one": ("sum(increase(a[{{window}}]) * ignoring(code) group_left(team) owner)", "b"),
    "looks of a subquery": (
        'sum(count_over_time(up{job="x"}[{{window}}:1m]))',
        'sum(sum_over_time((up{job="x"} == bool 0)[{{window}}:1m]))',
    ),
    "looks that a filter leaves": (
        'sum(count_over_time(up{job="x"}[{{window}}:1m]))',
        'sum(count_over_time((up{job="x"} == 0)[{{window}}:1m]))',
    ),
    "samples": (
        "sum(count_over_time(up[{{window}}]))",
        "sum(count_over_time(up[{{window}}])) - sum(sum_over_time(up[{{window}}]))",
    ),
    "looks at two metrics": (
        "sum(count_over_time(up[{{window}}:1m]))",
        "sum(sum_over_time((lat > bool 0.5)[{{window}}:1m]))",
    ),
    "looks at a rate": (
        "sum(count_over_time((rate(req[1m]))[{{window}}:1m]))",
        "sum(sum_over_time((rate(req[1m]) > bool 5)[{{window}}:1m]))",
    ),
    "looks with and on()": (
        "sum(count_over_time(up[{{window}}:1m]))",
        "sum(count_over_time((up == 0 and on() maintenance == 0)[{{window}}:1m]))",
    ),
    "looks with and on(pod)": (
        "sum(count_over_time(up[{{window}}:1m]))",
        'sum(sum_over_time((up == bool 0 and on(pod) owner{team="x"})[{{window}}:1m]))',
    ),
    "looks with unless": (
        "sum(count_over_time(up[{{window}}:1m]))",
        "sum(sum_over_time((up == bool 0 unless on() maintenance)[{{window}}:1m]))",
    ),
    "looks at sums": ("sum_over_time(count(up)[{{window}}:1m])", "sum_over_time((sum(up) < bool 1)[{{window}}:1m])"),
    "increases of a subquery": (
        "sum(sum_over_time(increase(a[1m])[{{window}}:1m]))",
        "sum(sum_over_time(increase(b[1m])[{{window}}:1m]))",
    ),
    "looks at a share": (
        "sum_over_time((sum(rate(t[5m])) > bool 0)[{{window}}:1m])",
        "sum_over_time((sum(rate(e[5m])) / sum(rate(t[5m])) > bool 0.05)[{{window}}:1m])",
    ),
    "a subquery with an offset": (
        "sum(count_over_time(up[{{window}}:1m] offset 5m))",
        "sum(sum_over_time((up == bool 0)[{{window}}:1m] offset 5m))",
    ),
    "looks every 5 minutes": (
        "sum(count_over_time(up[{{window}}:5m]))",
        "sum(sum_over_time((up == bool 0)[{{window}}:5m]))",
    ),
    "both twice": ("sum(increase(a[{{window}}])) * 2", "sum(increase(e[{{window}}])) * 2"),
    "total twice": ("sum(increase(a[{{window}}])) * 2", "e"),
    "one metric or another": ("sum(increase(a[{{window}}])) or sum(increase(b[{{window}}]))", "e"),
    "series of one metric or another": ("sum(increase(a[{{window}}]) or increase(b[{{window}}]))", "e"),
    "the end of the query": ("sum(increase(a[{{window}}] @ end()))", "e"),
}

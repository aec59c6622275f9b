from __future__ import annotations

import pytest
from tests.support.asked import Asked
from tests.support.slos import RATIO, planned

from platform_meter.slo.promql import read_count
from platform_meter.slo.verify.names import look
from platform_meter.slo.verify.server import Server


def _series(name: str, **labels: str) -> dict[str, str]:
    return {"__name__": name, **labels}


SERIES = (
    *(_series("requests_total", job="shop", code=code) for code in ("200", "404")),
    _series("requests_total", job="api", code="503"),
    *(_series("seconds_bucket", job="shop", le=le) for le in ("0.1", "0.5", "1.0", "+Inf")),
    _series("seconds_bucket", job="api", le="0.3"),
)


def said(query: str, part: str = "total") -> list[tuple[bool, str, str]]:
    """Whether it is wrong, the word that is pointed at, and the text."""
    found = look(planned(RATIO), part, read_count(query), Server(Asked(series=SERIES).ask))
    return [(one.wrong, one.word, one.text) for one in found]


@pytest.mark.parametrize(
    "query",
    [
        "requests_total",
        'requests_total{job="shop",code=~"2..|4.."}',
        'requests_total{team=""}',
        'requests_total{job!="none"}',
        'sum(increase({__name__=~"requests.*"}[{{window}}]))',
        'seconds_bucket{job="api",le="0.3"}',
    ],
)
def test_what_is_there_is_silent(query: str) -> None:
    """Also a label that no series has where none is asked for, and a metric by a pattern, which nobody looks for."""
    assert said(query) == []


@pytest.mark.parametrize(
    ("query", "word", "text"),
    [
        ("request_total", "request_total", "the server has no metric 'request_total'; did you mean 'requests_total'?"),
        ("mails", "mails", "the server has no metric 'mails'; write one that it scrapes, or have it scrape what has this one"),
        ('requests_total{jop="shop"}', "jop", "no series of requests_total has a label 'jop'; did you mean 'job'?"),
        ('requests_total{region="eu"}', "region", "no series of requests_total has a label 'region'; write one of: code, job"),
        ('requests_total{cod!~"4.."}', "cod", "no series of requests_total has a label 'cod', so cod!~\"4..\" leaves none out; did you mean 'code'?"),
        ('requests_total{job="shpo"}', "shpo", "no series of requests_total has job=\"shpo\"; did you mean 'shop'?"),
        ('requests_total{job=~"x.*"}', "x.*", 'no series of requests_total has job=~"x.*"; write one of: api, shop'),
        ('requests_total{job="shop",code="503"}', "503", 'no series of requests_total{job="shop"} has code="503"; write one of: 200, 404'),
        ('seconds_bucket{le="0.4"}', "0.4", 'no bucket of seconds_bucket has le="0.4"; its bounds are 0.1, 0.3, 0.5, 1.0, +Inf; write le="0.5"'),
        ('seconds_bucket{le="0.3",job="shop"}', "0.3", 'no bucket of seconds_bucket{job="shop"} has le="0.3"; its bounds are 0.1, 0.5, 1.0, +Inf; write le="0.5"'),
        ('seconds_bucket{job="api",le=~"0.5|0.6"}', "0.5|0.6", 'no bucket of seconds_bucket{job="api"} has le=~"0.5|0.6"; its bounds are 0.3'),
        ('seconds_bucket{le="1"}', "1", 'no bucket of seconds_bucket has le="1"; its bounds are 0.1, 0.3, 0.5, 1.0, +Inf; write le=~"1|1.0", since releases of Prometheus differ in how they write it'),
        ('seconds_bucket{le="fast"}', "fast", 'no bucket of seconds_bucket has le="fast"; its bounds are 0.1, 0.3, 0.5, 1.0, +Inf'),
    ],
)  # fmt: skip
def test_what_is_missing(query: str, word: str, text: str) -> None:
    """The word that is wrong, the one that was meant or what there is; each is told once."""
    assert said(query) == [(True, word, text)]


@pytest.mark.parametrize(
    ("query", "wrong", "text"),
    [
        ("mails_failed_total", False, "the server has no metric 'mails_failed_total'; as long as nothing has failed this may be so; write one that it scrapes, or have it scrape what has this one"),
        ("request_total", True, "the server has no metric 'request_total'; did you mean 'requests_total'?"),
        ("requests", True, "the server has no metric 'requests'; did you mean 'requests_total'?"),
        ("bad_requests_total", False, "the server has no metric 'bad_requests_total'; as long as nothing has failed this may be so; did you mean 'requests_total'?"),
        ('requests_total{code=~"5..",job="shop"}', False, 'no series of requests_total{code=~"5.."} has job="shop"; as long as nothing has failed this may be so; write one of: api'),
        ('requests_total{code="500"}', False, 'no series of requests_total has code="500"; as long as nothing has failed this may be so; write one of: 200, 404, 503'),
        ('requests_total{cod="503"}', True, "no series of requests_total has a label 'cod'; did you mean 'code'?"),
        ('seconds_bucket{le="0.2"}', True, 'no bucket of seconds_bucket has le="0.2"; its bounds are 0.1, 0.3, 0.5, 1.0, +Inf; write le="0.3"'),
    ],
)  # fmt: skip
def test_bad_events_may_not_be_born(query: str, wrong: bool, text: str) -> None:
    """What counts bad events may be missing where nothing failed; a label or a bound may not, nor what is nearly another."""
    assert [(is_wrong, said_) for is_wrong, _, said_ in said(query, "bad")] == [(wrong, text)]


def test_a_label_that_leaves_none_out_without_another_near() -> None:
    """Nobody knows that it was misspelt, so it is worth knowing."""
    text = "no series of requests_total has a label 'team', so team!=\"x\" leaves none out; write one of: code, job"
    assert said('requests_total{team!="x"}') == [(False, "team", text)]


@pytest.mark.parametrize(
    ("there", "word", "text"),
    [
        (("110", "101", "011"), "1", 'no series of m{a="1",b="1"} has c="1"; write one of: 0'),
        (("100", "010", "001"), "m", 'no series has all of m{a="1",b="1",c="1"} at once; remove what does not belong together'),
    ],
)  # fmt: skip
def test_what_leaves_nothing_together_alone(there: tuple[str, ...], word: str, text: str) -> None:
    """Each of three has series: where two of them have, the third is told, else all."""
    series = [_series("m", a=a, b=b, c=c) for a, b, c in map(tuple, there)]
    found = look(planned(RATIO), "total", read_count('m{a="1",b="1",c="1"}'), Server(Asked(series=series).ask))
    assert [(one.wrong, one.word, one.text) for one in found] == [(True, word, text)]


def test_a_long_query_is_looked_at_in_part() -> None:
    """Ten selectors, and a word that there are more."""
    query = " + ".join(f'sum(increase(requests_total{{code!="{n}"}}[{{{{window}}}}]))' for n in range(11))
    text = "this reads 11 selectors, and only the first 10 were looked for; record a part by a rule"
    assert said(query) == [(False, "", text)]


def test_few_questions() -> None:
    """What is there takes two, one of the metric and one of the selector; what is missing one more for each matcher."""
    told = Asked(series=SERIES)
    server = Server(told.ask)
    before = server.asked
    assert not list(look(planned(RATIO), "total", read_count('requests_total{job="shop"}'), server))
    assert server.asked - before == 2
    assert list(look(planned(RATIO), "total", read_count('requests_total{job="shop",code="1"}'), server))
    assert server.asked - before <= 2 + 4

"""Lines of the access log: what counts as what, slices by their own time, and each line once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.nginx.test_nginx import LOG, LOGS, NOW, SETTINGS, line

from platform_meter.model.facts.traffic import GatewayLatency, GatewayRequests, Route
from platform_meter.model.source import Page, Unexpected
from platform_meter.sources.kit.tail import Log
from platform_meter.sources.nginx import log, seen
from platform_meter.sources.nginx.config import Config
from platform_meter.testing.outside import FakeOutside

ONLY_LOG: dict[str, Any] = {**SETTINGS, "status": None}


class Reader:
    """Looks at the log, and keeps what the store keeps: checkpoints and events by key."""

    def __init__(self, **settings: Any) -> None:
        self.config = Config.model_validate({**ONLY_LOG, **settings})
        self.checkpoint: bytes | None = None
        self.pages: list[Page] = []
        self.requests: dict[str, GatewayRequests] = {}
        self.latency: dict[str, GatewayLatency] = {}

    def __call__(self, text: str, after: timedelta = timedelta(0), *, before: str = "") -> list[GatewayRequests]:
        """New requests of one look."""
        files = {f"{LOG}.1": before, LOG: text} if before else {LOG: text}
        found: list[GatewayRequests] = []
        since = NOW - timedelta(days=7)
        outside = FakeOutside({LOGS: files})
        for page in log.read(self.config, Log(path=LOG), "edge", outside, self.checkpoint, since, NOW + after):
            self.pages.append(page)
            self.checkpoint = page.checkpoint or self.checkpoint
            for fact in page.facts:
                if isinstance(fact, GatewayRequests) and fact.key not in self.requests:
                    self.requests[fact.key] = fact
                    found.append(fact)
                elif isinstance(fact, GatewayLatency):
                    self.latency.setdefault(fact.key, fact)
        return found

    @property
    def rejected(self) -> dict[tuple[str, str], int]:
        return {kind: n for page in self.pages for kind, n in page.rejected.items()}


def counts(found: list[GatewayRequests]) -> list[tuple[str, float, float]]:
    return [(fact.about.id, fact.good, fact.bad) for fact in found]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("200", (1.0, 0.0)),
        ("101", (1.0, 0.0)),
        ("304", (1.0, 0.0)),
        ("404", None),
        ("429", None),
        ("499", None),
        ("500", (0.0, 1.0)),
        ("504", (0.0, 1.0)),
    ],
)
def test_what_counts_as_what(status: str, expected: tuple[float, float] | None) -> None:
    """5xx is bad; what the client got wrong or gave up is valid for nobody; all else is good."""
    read = Reader()
    found = read(line("11:50:00").replace('"200"', f'"{status}"'))
    assert [(fact.good, fact.bad) for fact in found] == ([] if expected is None else [expected])
    assert read.rejected == {}


def test_a_duration_is_told_where_there_is_one() -> None:
    """By the smallest bound that holds it; a connection that became another protocol has none, nor one that was left out."""
    read = Reader()
    read(
        line("11:50:00", took="0.005")
        + line("11:50:01", took="0.0051")
        + line("11:50:02", took="61")
        + line("11:50:03", took="7", status=101)
        + line("11:50:04", took="7", status=404)
        + line("11:50:05", took="-")
        + line("11:50:06", took="")
    )
    ((key, told),) = read.latency.items()
    assert dict(told.within) == {"0.005": 1.0, "0.01": 1.0, "+Inf": 1.0}
    assert (told.seconds, key) == (61.0101, "latency/" + next(iter(read.requests)).removeprefix("requests/"))


def test_a_slice_is_told_when_it_is_over_for_a_while() -> None:
    """And then once, dated by its end."""
    read = Reader(delay="1m")
    text = line("11:59:00") + line("11:59:59")
    assert read(text, after=timedelta(seconds=29)) == []
    (fact,) = read(text, after=timedelta(seconds=30))
    assert (fact.good, fact.at) == (2.0, datetime(2026, 5, 4, 12, tzinfo=UTC))
    assert read(text, after=timedelta(minutes=10)) == []


def test_slices_are_of_five_minutes_unless_it_is_said() -> None:
    """One event then has what five had, and is known as much later; what a checkpoint holds of another length is told too."""
    text = line("11:50:00") + line("11:52:30") + line("11:54:59") + line("11:55:00") + line("11:59:59")
    five = Reader(slice="5m")
    assert [(fact.good, fact.at.minute) for fact in five(text)] == [(3.0, 55)]
    assert [(fact.good, fact.at.minute) for fact in five(text, after=timedelta(seconds=30))] == [(2.0, 0)]
    assert Config.model_validate({**ONLY_LOG, "slice": "5m"}) == Config.model_validate(
        {name: value for name, value in ONLY_LOG.items() if name != "slice"}
    )
    minutes = Reader(slice="1m")
    assert len(minutes(text)) == 4
    minutes.config = five.config
    assert counts(minutes(text + line("12:04:00"), after=timedelta(minutes=6))) == [
        ("edge/cart", 1.0, 0.0),
        ("edge/cart", 1.0, 0.0),
    ]


def test_a_line_that_comes_late_counts_by_itself() -> None:
    """Whatever its minute told already."""
    read = Reader()
    text = line("11:50:00") + line("11:52:00")
    assert len(read(text)) == 2
    late = text + line("11:50:30", status=500)
    assert counts(read(late)) == [("edge/cart", 0.0, 1.0)]
    assert read(late) == []


def test_a_minute_in_two_files_is_one() -> None:
    """The log was rotated within it."""
    read = Reader()
    assert counts(read(line("11:50:30", took="0.3"), before=line("11:50:10"))) == [("edge/cart", 2.0, 0.0)]


def test_without_its_checkpoint_nothing_is_told_twice() -> None:
    """Also of a minute that late lines came to: facts are named after their first line."""
    read = Reader()
    text = line("11:50:00") + line("11:50:01") + line("11:52:00")
    read(text)
    text += line("11:50:30")
    read(text)
    told = dict(read.requests)
    read.checkpoint = None
    assert read(text) == []
    assert read.requests == told


@pytest.mark.parametrize(
    ("row", "route"),
    [
        ({"server_name": "shop.example", "uri": "/cart/7?x=/y"}, "cart"),
        ({"server_name": "shop.example", "uri": "/cart"}, "shop"),
        ({"server_name": "pay.example", "uri": "/cart/7"}, "pay.example"),
        ({"server_name": "_", "uri": "/"}, "_unknown"),
        ({"uri": "/"}, "_unknown"),
        ({"server_name": "shop.example", "uri": "/cart/7", "route": "checkout"}, "checkout"),
        ({"server_name": "shop.example", "uri": "/cart/7", "route": "-"}, "cart"),
    ],
)
def test_the_route_of_a_line(row: dict[str, str], route: str) -> None:
    """What NGINX calls it, else the first glob that fits, else the name of the server."""
    read = Reader()
    text = msgspec.json.encode({"time": "2026-05-04T11:50:00Z", "status": 200, **row}).decode() + "\n"
    assert counts(read(text)) == [(f"edge/{route}", 1.0, 0.0)]


def test_a_glob_is_held_against_the_path_alone() -> None:
    """What stands behind a `?` is no part of it."""
    read = Reader(routes={"shop.example/": "home"})
    text = line("11:50:00", uri="/?page=2") + line("11:50:00", uri="/cart?/")
    assert counts(read(text)) == [("edge/home", 1.0, 0.0), ("edge/shop.example", 1.0, 0.0)]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("1777895399.999", datetime(2026, 5, 4, 11, 50, tzinfo=UTC)),
        (1777895400, datetime(2026, 5, 4, 11, 51, tzinfo=UTC)),
        ("2026-05-04T13:50:00+02:00", datetime(2026, 5, 4, 11, 51, tzinfo=UTC)),
        ("2026-05-04T11:50:00Z", datetime(2026, 5, 4, 11, 51, tzinfo=UTC)),
        ("2026-05-04T11:50:00", "naive"),
        ("04/May/2026:11:50:00 +0000", "invalid"),
        ("", "invalid"),
        (None, "invalid"),
        (True, "invalid"),
        ("inf", "invalid"),
        (["2026"], "invalid"),
        ("0001-01-01T00:00:00Z", "invalid"),
    ],
)
def test_times(time: Any, expected: datetime | str) -> None:
    """Seconds since 1970 or ISO 8601 with a zone; a line with another one is left out and counted."""
    read = Reader()
    found = read(msgspec.json.encode({"time": time, "status": "200"}).decode() + "\n")
    if isinstance(expected, datetime):
        assert [fact.at for fact in found] == [expected]
    else:
        assert (found, read.rejected) == ([], {("GatewayRequests", expected): 1})


@pytest.mark.parametrize(
    "odd",
    [
        '127.0.0.1 - - [04/May/2026] "GET / HTTP/1.1" 200',
        "[1]",
        '{"time": "2026-05-04T11:50:00Z"}',
        '{"time": "2026-05-04T11:50:00Z", "status": "000"}',
        '{"time": "2026-05-04T11:50:00Z", "status": "2000"}',
        '{"time": "2026-05-04T11:50:00Z", "status": 200, "request_time": "soon"}',
        '{"time": "2026-05-04T11:50:00Z", "status": 200, "request_time": -1}',
        '{"time": "2026-05-04T11:50:00Z", "status": 200, "request_time": "nan"}',
    ],
)
def test_odd_lines_are_left_out_and_counted(odd: str) -> None:
    """Those beside them count."""
    read = Reader()
    assert counts(read(line("11:50:00") + odd + "\n" + line("11:50:02"))) == [("edge/cart", 2.0, 0.0)]
    assert read.rejected == {("GatewayRequests", "invalid"): 1}


def test_an_address_in_other_letters_counts() -> None:
    """NGINX writes its bytes as they came."""
    read = Reader()
    text = line("11:50:00", uri="/cart/X").encode().replace(b"X", b"\xff\xfe")
    outside = FakeOutside({LOGS: {LOG: text}})
    facts = [
        fact
        for page in log.read(read.config, Log(path=LOG), "edge", outside, None, NOW - timedelta(days=1), NOW)
        for fact in page.facts
        if isinstance(fact, GatewayRequests)
    ]
    assert counts(facts) == [("edge/cart", 1.0, 0.0)]


def test_keys_may_be_called_otherwise() -> None:
    """As somebody's log has them already."""
    names = {"time": "ts", "status": "code", "request_time": "rt", "server_name": "vhost", "uri": "path", "route": "r"}
    read = Reader(fields=names)
    row = {"ts": "2026-05-04T11:50:00Z", "code": 502, "rt": 0.3, "vhost": "shop.example", "path": "/cart/1"}
    assert counts(read(msgspec.json.encode(row).decode() + "\n")) == [("edge/cart", 0.0, 1.0)]
    assert [dict(told.within) for told in read.latency.values()] == [{"0.5": 1.0}]


def test_a_log_in_another_format_fails_with_advice() -> None:
    """When none of many new lines can be read; what follows is read all the same."""
    read = Reader()
    text = '127.0.0.1 - - "GET / HTTP/1.1" 200\n' * 11
    says = r"access\.json: none of 11 new lines can be read: a line is no JSON object; write each line as one JSON"
    with pytest.raises(Unexpected, match=says):
        read(text)
    assert counts(read(text + line("11:50:00"))) == [("edge/cart", 1.0, 0.0)]


def test_what_is_before_history_is_passed_over() -> None:
    """It is no odd line."""
    read = Reader()
    old = line("11:50:00").replace("2026-05-04", "2026-04-01")
    assert counts(read(old + line("11:50:00"))) == [("edge/cart", 1.0, 0.0)]
    assert read.rejected == {}


def test_routes_stand_for_a_week_after_their_last_request() -> None:
    """What nothing names is no route."""
    read = Reader()
    text = line("11:50:00") + '{"time": "2026-05-04T11:50:00Z", "status": 200}\n'

    def standing() -> list[str]:
        return [fact.about.id for fact in read.pages[-1].facts if isinstance(fact, Route)]

    read(text)
    assert standing() == ["edge/cart"]
    read(text, after=timedelta(days=6, hours=23))
    assert standing() == ["edge/cart"]
    read(text, after=timedelta(days=7))
    assert standing() == []
    assert read.pages[-1].complete == {Route}


def test_routes_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes beyond it is one route."""
    monkeypatch.setattr(seen, "MOST", 2)
    read = Reader()
    text = "".join(line("11:50:00", route=name) for name in ("a", "b", "c", "d", "a"))
    assert sorted(counts(read(text))) == [("edge/_other", 2.0, 0.0), ("edge/a", 2.0, 0.0), ("edge/b", 1.0, 0.0)]


def test_open_minutes_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than that are told before they are over, and lines that follow by themselves."""
    monkeypatch.setattr(log, "MOST_OPEN", 1)
    read = Reader()
    text = line("12:00:00", route="a") + line("12:00:00", route="b")
    assert len(read(text)) == 2
    assert counts(read(text + line("12:00:10", route="a"), after=timedelta(minutes=5))) == [("edge/a", 1.0, 0.0)]


LINES = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(["a", "b"]), st.sampled_from([200, 404, 503])), max_size=30
)


@given(LINES, st.lists(st.integers(0, 30), max_size=5), st.booleans())
def test_however_the_looks_fall_each_line_counts_once(
    rows: list[tuple[int, str, int]], cuts: list[int], forget: bool
) -> None:
    """Late or not, by route; and a last look without a checkpoint adds nothing where no line came late."""
    start = datetime(2026, 5, 4, 11, 40, tzinfo=UTC)
    rows = sorted(rows) if forget else rows
    texts = [
        line(f"{start + timedelta(seconds=second):%H:%M:%S}", route=name, status=status, id=str(number))
        for number, (second, name, status) in enumerate(rows)
    ]
    read = Reader()
    for number, cut in enumerate(sorted({*cuts, len(texts)})):
        read("".join(texts[:cut]), after=timedelta(seconds=number))
    if forget:
        read.checkpoint = None
        read("".join(texts), after=timedelta(seconds=30))
    for name in ("a", "b"):
        told = [fact for fact in read.requests.values() if fact.about.id == f"edge/{name}"]
        assert sum(fact.good for fact in told) == sum(row[1:] == (name, 200) for row in rows)
        assert sum(fact.bad for fact in told) == sum(row[1:] == (name, 503) for row in rows)

"""Another program's `/metrics` from scrape to scrape: an invented proxy, read as a source for one would read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.model.facts.kubernetes import ApiRequests
from platform_meter.model.source import Gap, Page, Unexpected, Unreachable
from platform_meter.sources.kit import scrape as module
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.scrape import Family, Grown, Scrape
from platform_meter.testing.outside import FakeOutside, Reply

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
REQUESTS = Family(name="proxy_requests_total", keep=("code",))
WITHIN = Family(name="proxy_seconds_bucket", keep=("le",), where={"le": frozenset({"1.0", "+Inf"})})
PROXY = Scrape(path="/metrics", families=(REQUESTS, WITHIN), becomes=ApiRequests)
OWN = Scrape(path="/metrics", families=(REQUESTS,), becomes=ApiRequests, born="process_start_time_seconds")


@dataclass
class Reader:
    """Scrapes once a minute, and keeps what a source keeps."""

    scrape: Scrape = PROXY
    at: datetime = NOW
    checkpoint: bytes | None = None
    gaps: list[Gap] = field(default_factory=list)
    last: Grown | None = None

    def __call__(self, *lines: str, after: timedelta = MINUTE) -> Mapping[str, float]:
        """What one page adds, by code or bound."""
        self.at += after
        outside = FakeOutside(lambda _: Reply(body="\n".join(lines)))
        self.last = self.scrape.read(Sieve(outside), self.checkpoint, self.at)
        self.checkpoint = self.last.checkpoint
        self.gaps += outside.gaps
        return {" ".join(labels): amount for (_, labels), amount in self.last.amounts.items()}


def ok(value: float, path: str = "/") -> str:
    return f'proxy_requests_total{{code="200",path="{path}"}} {value}'


def bad(value: float) -> str:
    return f'proxy_requests_total{{code="500",path="/"}} {value}'


def born(minutes: float) -> str:
    """A process that began so many minutes after NOW."""
    return f"process_start_time_seconds {(NOW + minutes * MINUTE).timestamp()}"


def test_amounts_are_what_was_counted_since_the_last_scrape() -> None:
    """The first says nothing; series that differ in other labels are added up; what stood still says nothing."""
    read = Reader()
    assert read(ok(100), ok(5, "/b"), bad(7)) == {}
    assert read(ok(103), ok(9, "/b"), bad(7)) == {"200": 7.0}
    assert read(ok(103), ok(9, "/b"), bad(7)) == {}


NAMED = Scrape(path="/metrics", families=(REQUESTS,), becomes=ApiRequests, named=("proxy_info", "node"))


def test_processes_that_say_who_they_are_may_answer_in_turn() -> None:
    """Each goes on from what it said itself; one that was never met says nothing at first, however much it has counted."""
    read = Reader(NAMED)

    def node(name: str, value: float) -> tuple[str, str]:
        return (f'proxy_info{{node="{name}"}} 1', ok(value))

    assert read(*node("a", 100)) == {}
    assert read(*node("b", 900)) == {}
    assert read(*node("a", 107)) == {"200": 7.0}
    assert read(*node("b", 903)) == {"200": 3.0}
    assert read.last is not None
    assert read.last.key.startswith("b@")
    assert read(*node("a", 5)) == {"200": 5.0}


def test_a_process_that_does_not_say_who_it_is_is_one() -> None:
    """An older version lacks the sample; a first series of a family counts from 0 only where the page is known to be its own."""
    read = Reader(NAMED)
    read(ok(100))
    assert read(ok(101)) == {"200": 1.0}
    named, silent = Reader(NAMED), Reader(NAMED)
    named('proxy_info{node="a"} 1')
    silent("# nothing")
    assert named('proxy_info{node="a"} 1', ok(4)) == {"200": 4.0}
    assert silent(ok(4)) == {}


def test_a_reset_counts_from_zero() -> None:
    """Of one series and not of the one beside it."""
    read = Reader()
    read(ok(100), bad(50))
    assert read(ok(4), bad(52)) == {"200": 4.0, "500": 2.0}


def test_another_creation_is_a_reset_though_the_value_is_higher() -> None:
    """As OpenMetrics tells it: of a counter, and of all buckets of a histogram at once."""
    bucket = 'proxy_seconds_bucket{{zone="a",le="{}"}} {}'

    def page(created: float, n: int) -> tuple[str, ...]:
        made = f'proxy_requests_created{{code="200",path="/"}} {created}'
        times = f'proxy_seconds_created{{zone="a"}} {created}'
        buckets = (bucket.format("0.5", n), bucket.format("1", n), bucket.format("+Inf", n))
        return ("# TYPE proxy_requests counter", ok(n), made, *buckets, times, "# EOF")

    read = Reader()
    read(*page(1_000.0, 10))
    assert read(*page(2_000.0, 25)) == {"200": 25.0, "1.0": 25.0, "+Inf": 25.0}
    assert read(*page(2_000.0, 26)) == {"200": 1.0, "1.0": 1.0, "+Inf": 1.0}


def test_a_bound_is_the_same_however_it_is_written() -> None:
    """`1` of the text format is `1.0` of OpenMetrics."""
    read = Reader()
    read('proxy_seconds_bucket{le="1"} 3', 'proxy_seconds_bucket{le="2"} 8')
    assert read('proxy_seconds_bucket{le="1.0"} 5', 'proxy_seconds_bucket{le="2.0"} 9') == {"1.0": 2.0}


def test_a_counter_without_total_is_the_same_in_open_metrics() -> None:
    """Which adds the ending."""
    read = Reader(Scrape(path="/metrics", families=(Family(name="accepted"),), becomes=ApiRequests))
    read("# TYPE accepted counter", "accepted 22")
    assert read("# TYPE accepted counter", "accepted_total 30", "# EOF") == {"": 8.0}


def test_a_new_series_counts_from_its_birth() -> None:
    """The page before had its family and not it, so it began since."""
    read = Reader()
    read(ok(100))
    assert read(ok(100), bad(3)) == {"500": 3.0}


def test_a_family_that_was_missing_is_no_new_one() -> None:
    """An exporter that could not reach its program tells none of its series; they come back where they were."""
    read = Reader()
    read("proxy_up 0")
    assert read(ok(1_000_000)) == {}
    assert read("proxy_up 0") == {}
    assert read(ok(1_000_004)) == {"200": 4.0}


def test_a_program_that_counts_by_itself_tells_all_it_has() -> None:
    """There a family without a series is one that nothing happened in."""
    read = Reader(OWN)
    read(born(-90))
    assert read(born(-90), ok(2)) == {"200": 2.0}


def test_a_series_whose_line_was_odd_is_no_new_one() -> None:
    """It was there, and only not readable."""
    read = Reader()
    read(bad(7), 'proxy_requests_total{code="200",path="/"} ?')
    assert read(bad(7), ok(100)) == {}


@pytest.mark.parametrize("taken", [{"200", "500"}, None])
def test_what_is_taken_now_and_was_not_is_no_new_one(taken: set[str] | None) -> None:
    """A release or a setting may take more series than the last scrape did."""

    def scrape(codes: set[str] | None) -> Scrape:
        where = {} if codes is None else {"code": frozenset(codes)}
        family = Family(name=REQUESTS.name, keep=("code",), where=where)
        return Scrape(path="/metrics", families=(family,), becomes=ApiRequests)

    read = Reader(scrape({"500"}))
    read(ok(100), bad(7))
    read.scrape = scrape(taken)
    assert read(ok(100), bad(8)) == {"500": 1.0}


def test_servers_that_answer_in_turn_are_told_apart() -> None:
    """Behind one address: a first meeting says nothing, and none resets the other."""
    read = Reader(OWN)
    one, two = born(-500), born(-300)
    assert [read(one, ok(9_000)), read(two, ok(100)), read(one, ok(9_005)), read(two, ok(101)), read(one, ok(9_006))] == [
        {}, {}, {"200": 5.0}, {"200": 1.0}, {"200": 1.0},
    ]  # fmt: skip


def test_a_process_that_began_since_counts_whole() -> None:
    """Though it has counted more than the one before it."""
    read = Reader(OWN)
    read(born(-500), ok(40))
    assert read(born(1.5), ok(60)) == {"200": 60.0}
    assert read(born(1.5), ok(61)) == {"200": 1.0}


def test_a_long_time_between_two_scrapes_is_a_gap_and_no_burst() -> None:
    """It begins with the last scrape, ends with this one, and what follows counts again."""
    read = Reader()
    read(ok(100))
    assert read(ok(130), after=timedelta(minutes=15)) == {"200": 30.0}
    assert read(ok(900), after=timedelta(minutes=16)) == {}
    text = "/metrics: not read for 16 min; what was counted meanwhile has no moment"
    last = NOW + timedelta(minutes=16)
    assert read.gaps == [Gap(start=last, end=last + timedelta(minutes=16), reason="unreadable", text=text)]
    assert read(ok(901)) == {"200": 1.0}


def test_a_process_that_began_in_a_gap_says_nothing_of_it() -> None:
    """What it counted has no moment either."""
    read = Reader(OWN)
    read(born(-500), ok(40))
    assert read(born(30), ok(60), after=timedelta(minutes=40)) == {}
    assert len(read.gaps) == 1


def test_a_clock_that_was_set_back_loses_nothing() -> None:
    """Ours dates what is told; how much it is does not hang on it."""
    read = Reader()
    read(ok(100))
    assert read(ok(105), after=timedelta(hours=-3)) == {"200": 5.0}
    assert read.gaps == []


def test_a_stretch_has_one_key_however_often_it_is_told() -> None:
    """A scrape whose page was not saved is repeated from the same samples."""
    read = Reader(OWN)
    read(born(-500), ok(1))
    kept = read.checkpoint
    keys = []
    for value in (5, 9):
        read.checkpoint = kept
        read(born(-500), ok(value))
        assert read.last is not None
        keys.append(read.last.key)
    assert keys == ["1777866000.000000@2026-05-04T12:01:00.000000Z"] * 2


def test_odd_samples_are_counted_and_the_page_goes_on() -> None:
    """No number, less than nothing, twice the same, a bound that is none."""
    lines = ["proxy_requests_total NaN", "proxy_requests_total -1", ok(3), ok(4), 'proxy_seconds_bucket{le="x"} 1']

    def read(sieve: Sieve) -> Iterator[Page]:
        yield Page(checkpoint=PROXY.read(sieve, None, NOW).checkpoint)

    [page] = Sieve.over(FakeOutside(lambda _: Reply(body="\n".join(lines))), read)
    assert page.rejected == {("ApiRequests", "invalid"): 4}


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["<html>"], "/metrics is no page of metrics: it begins with '<html>'"),
        (["# TYPE proxy_requests counter", ok(1)], "/metrics is cut off"),
        ([f'proxy_requests_total{{n="{n}"}} x' for n in range(11)], "/metrics: none of 11 lines that are wanted can be read"),
    ],
)  # fmt: skip
def test_a_page_that_says_nothing_sound_is_refused(lines: list[str], text: str) -> None:
    """And the last samples stay as they were."""
    with pytest.raises(Unexpected, match=text):
        Reader()(*lines)


def test_a_process_that_does_not_say_when_it_began_is_refused() -> None:
    """One of several may have answered, and each would look like a reset of the other."""
    with pytest.raises(Unexpected, match="/metrics has no process_start_time_seconds: which of several"):
        Reader(OWN)(ok(1))


def test_too_many_series_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are not wanted do not count."""
    monkeypatch.setattr(module, "MOST_SERIES", 2)
    Reader()(ok(1), ok(1, "/b"), "other 1")
    text = "/metrics has more than 2 series of proxy_requests_total, proxy_seconds_bucket, the bound"
    with pytest.raises(Unexpected, match=text):
        Reader()(ok(1), ok(1, "/b"), ok(1, "/c"))


def test_a_page_that_breaks_off_saves_nothing() -> None:
    """The next scrape counts from the same samples as this one would have."""
    read = Reader()
    read(ok(100), bad(1))
    kept = read.checkpoint
    outside = FakeOutside(lambda _: Reply(body=ok(104)), fail_at=0, error=Unreachable("cut"))
    with pytest.raises(Unreachable):
        PROXY.read(Sieve(outside), kept, read.at)
    assert read(ok(105), bad(1)) == {"200": 5.0}


LIVES = st.lists(
    st.tuples(st.sampled_from(["count", "count", "scrape", "scrape", "restart", "away", "other"]), st.integers(1, 9)),
    max_size=40,
)


@given(LIVES)
def test_amounts_add_up_to_all_that_a_scrape_could_see(life: list[tuple[str, int]]) -> None:
    """Whatever is counted, started again, missing from a page or answered by another: nothing twice, nothing below 0.

    What a process counts after its last scrape ends with it; all else that followed the first scrape is told.
    """
    read, pages = Reader(OWN), 0
    starts, counts = [-100.0, -200.0], [{"200": 50, "500": 3}, {"200": 4_000, "500": 9}]
    seen: list[dict[str, int] | None] = [None, None]
    told, visible, present = 0.0, 0, 0
    for step, (what, n) in enumerate(life):
        if what == "count":
            counts[present]["200" if n % 2 else "500"] += n
        elif what == "restart":
            if pages:
                starts[present] = pages + (step + 1) / 100
                counts[present], seen[present] = {"200": 0, "500": 0}, {"200": 0, "500": 0}
        elif what == "other":
            present = 1 - present
        else:
            base = seen[present]
            shown = {"200"} if what == "away" and base is not None else {"200", "500"}
            lines = [f'proxy_requests_total{{code="{code}"}} {counts[present][code]}' for code in sorted(shown)]
            told += sum(read(born(starts[present]), *lines).values())
            pages += 1
            if base is None:
                base = dict(counts[present])
            visible += sum(counts[present][code] - base[code] for code in shown)
            seen[present] = {code: counts[present][code] if code in shown else base[code] for code in base}
    assert told == visible

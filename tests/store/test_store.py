"""Polls, pages and what they count."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest
from tests.support.stores import (
    LOOKBACK,
    NOON,
    Opener,
    begin,
    configured,
    counted,
    gaps,
    minutes,
    put,
    run,
    tallies,
    total,
)

from platform_meter.model.catalogue.ci import PIPELINE_RUNS
from platform_meter.model.catalogue.meter import SOURCE_POLL_DURATION, SOURCE_REQUESTS
from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.facts.delivery import Repository
from platform_meter.model.facts.tickets import SlaCycle, SlaResult
from platform_meter.model.history import Owner, SourceState
from platform_meter.model.measure import Counting, Derived
from platform_meter.model.metric import Increment
from platform_meter.model.progress import Progress
from platform_meter.model.source import Gap, Page
from platform_meter.store import COUNTERS, GapRow, LeaseLost, StoreError, Written

DAY = timedelta(days=1)


def test_restart_counts_only_what_is_new(open_store: Opener) -> None:
    """Domain 16: 3 events stored, restart, the same page again with 1 new event -> counter 4."""
    store = open_store()
    page = [run("1"), run("2"), run("3")]
    assert put(store, page) == Written(new=3)
    store.close()
    again = open_store()
    assert put(again, [*page, run("4", NOON + minutes(1))], NOON + minutes(2)) == Written(new=1, repeated=3)
    assert total(again) == 4
    assert counted(again) == {("github", "pay", "success"): 4}


def test_a_history_import_counts_nothing(open_store: Opener) -> None:
    """Domain 16: an empty store and 400 days of history, all older than lookback -> counter 0, windows full."""
    store = open_store()
    runs = [run(str(n), NOON - timedelta(days=n, hours=1)) for n in range(399)]
    assert put(store, runs).new == 399
    assert total(store) == 0
    assert tallies(store, NOON - 400 * DAY, NOON) == {("github:acme/payments", "success"): (399, 399 * 60.0)}
    assert counted(store, "platform_meter_events_total") == {("github", "PipelineRun"): 399}


def test_backfill_ends_one_lookback_before_the_first_poll(open_store: Opener) -> None:
    """The bound is that of the source's very first poll, whatever a later stream or a longer lookback says."""
    store = open_store()
    first = begin(store)
    assert first.backfill_before == NOON - LOOKBACK
    put(store, [run("before", NOON - LOOKBACK - timedelta(seconds=1)), run("at", NOON - LOOKBACK)])
    assert total(store) == 1
    later = store.begin_poll(
        "gh", "github", "jobs", now=NOON + 3 * DAY, lookback=timedelta(days=9), history=timedelta(days=9)
    )
    assert later.backfill_before == NOON - LOOKBACK


def test_a_poll_reads_since_the_watermark_less_the_overlap(open_store: Opener) -> None:
    """The first poll reads the history, the next from the last start less lookback; the watermark never moves back."""
    store = open_store()
    first = begin(store)
    assert (first.number, first.checkpoint, first.since) == (1, None, NOON - timedelta(days=90))
    store.write(first, Page(facts=[run("1")], checkpoint=b"page 1"), now=NOON)
    store.end_poll(first, now=NOON + minutes(1))
    second = begin(store, NOON + minutes(5))
    assert (second.number, second.checkpoint, second.since) == (2, b"page 1", NOON - LOOKBACK)
    store.end_poll(second, now=NOON + minutes(6))
    store.end_poll(first, now=NOON + minutes(7))
    (state,) = store.stream_states()
    assert (state.watermark, state.last_success) == (NOON + minutes(5), NOON + minutes(7))


def test_a_poll_that_died_is_gone_on_with(open_store: Opener) -> None:
    """The next poll keeps number and checkpoint, and the watermark becomes the first start: page 1 was read then."""
    store = open_store()
    died = begin(store)
    store.write(died, Page(facts=[run("1")], checkpoint=b"page 1"), now=NOON)
    gone_on = begin(store, NOON + minutes(60))
    assert (gone_on.number, gone_on.checkpoint) == (1, b"page 1")
    store.write(gone_on, Page(facts=[run("2")], checkpoint=b"page 2"), now=NOON + minutes(60))
    store.end_poll(gone_on, now=NOON + minutes(61))
    assert store.stream_states()[0].watermark == NOON
    assert begin(store, NOON + minutes(62)).number == 2


def test_a_failed_poll_keeps_what_it_wrote_and_says_why(open_store: Opener) -> None:
    """Pages stay, the watermark stays, the text is told until the next success."""
    store = open_store()
    poll = begin(store)
    store.write(poll, Page(facts=[run("1")], progress=Progress(what="issues", done=3)), now=NOON)
    store.fail_poll(poll, now=NOON + minutes(1), error="503 from https://api.example")
    (state,) = store.stream_states()
    assert (state.watermark, state.last_success, state.progress) == (None, None, Progress(what="issues", done=3))
    assert (state.last_error, state.last_error_at) == ("503 from https://api.example", NOON + minutes(1))
    assert total(store) == 1
    store.end_poll(poll, now=NOON + minutes(2))
    assert (store.stream_states()[0].last_error, store.stream_states()[0].progress) == ("", None)


@pytest.mark.parametrize("newer_first", [False, True])
def test_the_newest_version_wins_in_any_order(open_store: Opener, newer_first: bool) -> None:
    """Windows follow the newest version; the counter keeps what it counted first."""
    store = open_store()
    old = run("1", outcome=Outcome.UNKNOWN, seconds=10, updated=NOON)
    new = run("1", NOON + minutes(6), outcome=Outcome.SUCCESS, seconds=20.5, updated=NOON + minutes(7))
    first, second = (new, old) if newer_first else (old, new)
    now = NOON + minutes(10)
    assert put(store, [first], now).new == 1
    assert put(store, [second], now) == (Written(repeated=1) if newer_first else Written(revised=1))
    assert tallies(store, NOON - DAY, NOON + DAY) == {("github:acme/payments", "success"): (1, 20.5)}
    assert counted(store) == {("github", "pay", first.outcome): 1}
    assert store.check() == []
    with store.history(now, [configured()]) as history:
        assert [r.event for r in history.rows(PipelineRun, NOON, now)] == [new]


@pytest.mark.parametrize("order", [(Outcome.SUCCESS, Outcome.INFRA_FAILURE), (Outcome.INFRA_FAILURE, Outcome.SUCCESS)])
@pytest.mark.parametrize("pages", [1, 2])
def test_of_two_versions_of_one_moment_one_wins_in_any_order(
    open_store: Opener, order: tuple[Outcome, Outcome], pages: int
) -> None:
    """Tools tell whole seconds: a run that changed twice in one ends as the same, on one page or on two."""
    store = open_store()
    versions = [run("1", outcome=outcome, updated=NOON) for outcome in order]
    for page in [versions] if pages == 1 else [[version] for version in versions]:
        put(store, page)
    assert tallies(store, NOON - DAY, NOON + DAY) == {("github:acme/payments", "success"): (1, 60.0)}
    assert put(store, versions) == Written(repeated=2)
    assert store.check() == []


@pytest.mark.parametrize("order", [(Outcome.SUCCESS, Outcome.INFRA_FAILURE), (Outcome.INFRA_FAILURE, Outcome.SUCCESS)])
def test_what_says_no_moment_of_change_never_changes(open_store: Opener, order: tuple[Outcome, Outcome]) -> None:
    """Of such an event the store keeps what was said first, on the same page or on a later one."""
    store = open_store()
    put(store, [run("1", outcome=outcome) for outcome in order])
    put(store, [run("1", outcome=order[1])])
    assert tallies(store, NOON - DAY, NOON + DAY) == {("github:acme/payments", order[0]): (1, 60.0)}


def test_a_correction_is_new_to_a_reader(open_store: Opener) -> None:
    """A corrected event gets a seq above all seen before."""
    store = open_store()
    put(store, [run("1"), run("2")])
    with store.history(NOON, [configured()]) as history:
        latest = history.latest(PipelineRun)
    put(store, [run("1", seconds=5, updated=NOON + minutes(1))], NOON + minutes(2))
    with store.history(NOON, [configured()]) as history:
        later = list(history.rows(PipelineRun, NOON, NOON + DAY, after=latest))
        assert [r.event.key for r in later] == ["1"]
        assert history.latest(PipelineRun) > latest


def test_versions_of_one_event_on_one_page_are_one_event(open_store: Opener) -> None:
    """The newest is stored, the event is counted once."""
    store = open_store()
    versions = [run("1", seconds=s, updated=NOON + minutes(s)) for s in (1, 3, 2)]
    assert put(store, versions, NOON + minutes(5)) == Written(new=1, repeated=2)
    assert tallies(store, NOON, NOON + DAY) == {("github:acme/payments", "success"): (1, 3.0)}


def test_a_correction_about_another_object_moves_its_tallies(open_store: Opener) -> None:
    """Nothing is left under the object the event was about before."""
    store = open_store()
    put(store, [run("1", repository="acme/a", updated=NOON)])
    put(store, [run("1", repository="acme/b", updated=NOON + minutes(1))], NOON + minutes(2))
    assert tallies(store, NOON - DAY, NOON + DAY) == {("github:acme/b", "success"): (1, 60.0)}
    assert store.check() == []


def test_what_can_not_be_stored_is_refused_and_counted(open_store: Opener) -> None:
    """More than an hour ahead, without a zone, past retention, or not storable: by reason, the rest of the page stays."""
    store = open_store()
    page = [
        run("good", NOON + minutes(59)),
        run("future", NOON + minutes(61)),
        run("naive", NOON.replace(tzinfo=None)),
        run("expired", NOON - timedelta(days=400, seconds=1)),
        run("nul\0"),
        run("nul in object", repository="acme/\0"),
        run("not a number", seconds=0),
    ]
    written = put(store, page)
    assert written == Written(new=2, rejected={"future": 1, "naive": 1, "expired": 1, "invalid": 2})
    refused = counted(store, "platform_meter_events_rejected_total")
    assert refused == {("github", "PipelineRun", r): n for r, n in written.rejected.items()}


def test_label_sets_that_only_history_knows_stand_at_0(open_store: Opener) -> None:
    """Backfill adds to no counter, but a later event of these labels is no first one; told again, nothing changes."""
    store = open_store()
    old = [run("1", NOON - 30 * DAY), run("2", NOON - 20 * DAY, outcome=Outcome.INFRA_FAILURE)]
    put(store, old)
    name = "platform_pipeline_runs_total"
    known = {row.labels: row.value for row in store.counters() if row.metric == name}
    assert {labels[-1]: value for labels, value in known.items()} == {"success": 0, "infra_failure": 0}
    before = store.version()[COUNTERS + name]
    put(store, [run("3", NOON - 10 * DAY)], NOON + minutes(1))
    assert {row.labels: row.value for row in store.counters() if row.metric == name} == known
    put(store, [run("4", NOON + minutes(1))], NOON + minutes(2))
    assert sorted(row.value for row in store.counters() if row.metric == name) == [0, 1]
    assert store.version()[COUNTERS + name] > before


def test_a_page_is_stored_whole_or_not_at_all(open_store: Opener) -> None:
    """An error in a counting undoes the events and the checkpoint of its page."""

    def fall(event: Event, owner: Owner, source: SourceState) -> Sequence[Increment]:
        return [Increment(metric=PIPELINE_RUNS, labels=("github", "pay", "success"), amount=-1)]

    counting = Counting(event=PipelineRun, metrics=(PIPELINE_RUNS,), count=fall)
    broken = open_store(countings=(counting,))
    poll = begin(broken)
    text = r"platform_pipeline_runs_total is a counter and can't fall; got -1 for \('github', 'pay', 'success'\)"
    with pytest.raises(ValueError, match=text):
        broken.write(poll, Page(facts=[run("1")], checkpoint=b"page 1"), now=NOON)
    store = open_store()
    assert begin(store).checkpoint is None
    assert store.counters() == []
    assert put(store, [run("1")]).new == 1


def test_derived_events_take_the_same_path(open_store: Opener) -> None:
    """The tick's events are stored once under their source; before the source's own time they are not counted."""
    store = open_store()
    put(store, [])

    def cycle(key: str, hours: float) -> Derived:
        event = SlaCycle(
            key=key,
            at=NOON - timedelta(hours=hours),
            about=run("x").about,
            queue="q",
            sla="resolution",
            ticket=key,
            priority="P1",
            result=SlaResult.BREACHED,
            elapsed=7200,
            goal=3600,
        )
        return Derived(source="gh", event=event)

    both = [cycle("a", 0), cycle("b", 5)]
    assert store.derive(both, now=NOON) == Written(new=2)
    assert store.derive(both, now=NOON) == Written(repeated=2)
    assert counted(store, "platform_meter_events_total") == {("github", "SlaCycle"): 2}
    assert store.check() == []


def test_a_gap_is_counted_once(open_store: Opener) -> None:
    """The same range and reason is one gap, however often it is met."""
    store = open_store()
    gap = Gap(start=NOON - DAY, end=NOON, reason="result_cap", text="1,000 of 1,204 runs")
    assert store.add_gap("gh", "github", gap, NOON)
    assert not store.add_gap("gh", "github", gap, NOON)
    assert gaps(store, 10) == [GapRow("gh", NOON - DAY, NOON, "result_cap", "1,000 of 1,204 runs")]
    assert counted(store, "platform_meter_source_gaps_total") == {("github", "result_cap"): 1}


def test_versions_tell_what_changed(open_store: Opener) -> None:
    """Only what a write touched moves, and another process sees it."""
    store, other = open_store(), open_store()
    put(store, [run("1")])
    before = other.version()
    put(store, [run("1")])
    repeated = other.version()
    assert {k for k in repeated if repeated[k] != before[k]} == {"streams"}
    put(store, [Repository(about=run("1").about)])
    after = other.version()
    assert {k for k in after if after[k] != repeated.get(k)} == {"streams", "readings", "Repository"}


def test_a_history_is_one_moment(open_store: Opener) -> None:
    """What is written while a history is open is not in it."""
    store = open_store()
    put(store, [run("1")])
    with store.history(NOON, [configured()]) as history:
        assert history.latest(PipelineRun) > 0
        put(store, [run("2")])
        assert [r.event.key for r in history.rows(PipelineRun, NOON, NOON + DAY)] == ["1"]
    assert sum(n for n, _ in tallies(store, NOON, NOON + DAY).values()) == 2


def test_own_counters_add_up(open_store: Opener) -> None:
    """Counters no event stands behind are kept like all others; histograms count each bound alone."""
    store = open_store()
    requests = Increment(metric=SOURCE_REQUESTS, labels=("github", "ok"), amount=2)
    took = [Increment(metric=SOURCE_POLL_DURATION, labels=("github",), amount=s) for s in (0.1, 0.2, 9999)]
    store.add_counters([requests, *took], now=NOON)
    store.add_counters([requests], now=NOON + DAY)
    histogram, counter = store.counters()
    assert (counter.labels, counter.value, counter.buckets, counter.first_seen) == (("github", "ok"), 4.0, None, NOON)
    assert histogram.buckets == (1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert (histogram.value, histogram.sum) == (3.0, 9999.3)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("meter.db", "'meter.db' begins no address of a store; write sqlite:///meter.db or postgresql://user@host/database"),
        ("mysql://host/db", "stores are kept in SQLite or PostgreSQL, not in 'mysql'; write sqlite:///meter.db"),
        ("sqlite://", "a store in memory would forget what was counted; write sqlite:///meter.db"),
        ("sqlite:////no/such/folder/meter.db", "the store at sqlite:////no/such/folder/meter.db failed: unable to open database file"),
    ],
)  # fmt: skip
def test_a_wrong_address_is_told(url: str, text: str) -> None:
    """The text says what was found and what to write."""
    with pytest.raises(StoreError) as error:
        Opener(url)()
    assert str(error.value) == text


def test_what_is_remembered_is_forgotten_before_the_next_write(
    open_store: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a page that was undone, and when old objects are removed: never under the hands of another thread's write."""
    store = open_store()
    put(store, [run("1")])
    forget, free = store._objects.forget, list[bool]()

    def noted() -> None:
        def another() -> None:
            got = store._database.lock.acquire(blocking=False)
            free.append(got)
            if got:
                store._database.lock.release()

        thread = threading.Thread(target=another)
        thread.start()
        thread.join()
        forget()

    monkeypatch.setattr(store._objects, "forget", noted)
    store.acquire("gh", "one", DAY, NOON)
    lost = begin(store, holder="one")
    store.release("gh", "one")
    store.acquire("gh", "two", DAY, NOON)
    with pytest.raises(LeaseLost):
        store.write(lost, Page(facts=[run("2")]), now=NOON)
    store.prune(NOON)
    assert free == [False, False]

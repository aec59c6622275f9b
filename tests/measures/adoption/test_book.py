"""All use that capabilities ask for, read once and kept true."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.adoption import capability
from tests.support.history import MemoryHistory, owner, source
from tests.support.stores import NOON, configured, minutes, open_at, put, run

from platform_meter.measures.adoption.book import Asked, Book, asked
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.facts.delivery import Change, Deployment, DeployResult
from platform_meter.model.facts.tickets import Role, TicketChange, TicketEvent
from platform_meter.model.facts.traffic import GatewayRequests, MeshRequests
from platform_meter.model.facts.use import Usage
from platform_meter.store import Store

UTC_ZONE = ZoneInfo("UTC")
AT = datetime(2026, 6, 5, 9, tzinfo=UTC)
DAY = timedelta(days=1)
START, END = date(2026, 6, 1), date(2026, 6, 9)
ABOUT = Ref(system="hub", kind="repository", id="pay")
RUN = PipelineRun(
    key="r",
    at=AT,
    about=ABOUT,
    pipeline="build.yml",
    outcome=Outcome.SUCCESS,
    ran=minutes(1),
    group="g",
    trigger="push",
)
DEPLOYED = Deployment(key="d", at=AT, about=ABOUT, environment="prod", sha="1", result=DeployResult.SUCCESS)
MERGED = Change(key="m", at=AT, about=ABOUT, sha="1", opened=AT)
TICKET = TicketEvent(
    key="t", at=AT, about=ABOUT, queue="HELP", ticket="1", change=TicketChange.CREATED, role=Role.REPORTER
)


def counted(*events: Event, verb: str = "run", select: Any = None) -> float:
    """How much use of a verb these events are."""
    one = asked(capability(active={"source": "hub", "verb": verb, "select": select or {}}).active)
    book = Book([one], UTC_ZONE)
    book.read(
        MemoryHistory([("hub", owner("pay"), e) for e in events], sources=[source("hub", watermark=AT)]), START, END
    )
    return sum(sum(amounts) for found in book.objects(one) for amounts in found.values()) / 1_000_000


@pytest.mark.parametrize(
    ("event", "verb"),
    [
        (replace(RUN, outcome=Outcome.USER_FAILURE), "run"),
        (replace(RUN, outcome=Outcome.INFRA_FAILURE), "run"),
        (replace(RUN, outcome=Outcome.SKIPPED), "run"),
        (replace(RUN, outcome=Outcome.CANCELLED), "run"),
        (replace(RUN, outcome=Outcome.UNKNOWN), "run"),
        (replace(RUN, trigger="schedule"), "run"),
        (replace(DEPLOYED, result=DeployResult.FAILED), "deploy"),
        (replace(MERGED, bot=True), "merge"),
        (replace(TICKET, role=Role.BOT), "ticket"),
        (replace(TICKET, change=TicketChange.COMMENT), "ticket"),
    ],
)
def test_what_nobody_did_or_nothing_came_of_is_no_use(event: Event, verb: str) -> None:
    """Scheduled, failed, skipped and cancelled runs, failed rollouts, and what bots do; the plain ones are use."""
    assert counted(event, verb=verb) == 0
    assert counted(RUN, DEPLOYED, MERGED, TICKET, verb=verb) == 1


@pytest.mark.parametrize(
    ("event", "verb", "select"),
    [
        (replace(RUN, outcome=Outcome.USER_FAILURE), "run", {"result": ["*_failure"]}),
        (replace(RUN, trigger="schedule"), "run", {"trigger": ["schedule"]}),
        (replace(DEPLOYED, result=DeployResult.FAILED), "deploy", {"result": ["success", "failed"]}),
        (replace(MERGED, bot=True), "merge", {"actor": ["bot"]}),
    ],
)
def test_it_is_use_where_the_file_says_so(event: Event, verb: str, select: Any) -> None:
    """The one word that is said; all others are as usual."""
    assert counted(event, verb=verb, select=select) == 1


def test_select_tells_one_use_from_another() -> None:
    """Every name must fit, by one of its values or globs; a word that the use does not have fits nothing."""
    runs = [RUN, replace(RUN, key="2", pipeline="shared/deploy.yml"), replace(RUN, key="3", pipeline="none")]
    assert counted(*runs, select={"pipeline": ["shared/*", "none"]}) == 2
    assert counted(*runs, select={"pipeline": ["none"], "trigger": ["manual"]}) == 0
    assert counted(*runs, select={"environment": ["prod"]}) == 0
    assert counted(DEPLOYED, verb="deploy", select={"environment": ["prod"]}) == 1
    assert counted(DEPLOYED, verb="deploy", select={"environment": ["stage"]}) == 0
    assert counted(TICKET, verb="ticket", select={"queue": ["HELP"]}) == 1
    used = Usage(key="u", at=AT, about=ABOUT, action="view", amount=2.5, subject="docs/start")
    assert counted(used, verb="view", select={"subject": ["docs/*"]}) == 2.5
    assert counted(used, verb="view", select={"subject": ["home"]}) == 0


def test_counted_requests_are_as_much_use_as_they_are() -> None:
    """Good and bad together, by the mesh or gateway they came through; none at all is no use."""
    through = GatewayRequests(key="g", at=AT, about=ABOUT, gateway="edge", good=97.5, bad=2.25)
    meshed = MeshRequests(key="m", at=AT, about=ABOUT, cluster="eu", good=10.0, bad=0.0)
    asked_ = Usage(key="u", at=AT, about=ABOUT, action="request", amount=0.5)
    assert counted(through, verb="request") == 99.75
    assert counted(through, meshed, asked_, verb="request") == 110.25
    assert counted(through, meshed, verb="request", select={"gateway": ["ed*"]}) == 99.75
    assert counted(through, meshed, verb="request", select={"cluster": ["eu"]}) == 10.0
    assert counted(through, verb="request", select={"gateway": ["inner"]}) == 0
    assert counted(replace(through, good=0.0, bad=0.0), verb="request") == 0


def test_days_are_those_of_the_zone_and_amounts_add_up() -> None:
    """At 22:30 UTC it is the next day in Berlin; what lies outside of the days that were asked for is not there."""
    one = Asked("hub", ("view",), ())
    late = datetime(2026, 6, 3, 22, 30, tzinfo=UTC)
    told = [
        ("hub", owner("pay"), Usage(key=f"{n}", at=at, about=ABOUT, action="view", amount=amount))
        for n, (at, amount) in enumerate([(late, 0.1), (late, 0.2), (late - 4 * DAY, 9), (late + 9 * DAY, 9)])
    ]
    book = Book([one], ZoneInfo("Europe/Berlin"))
    book.read(MemoryHistory(told, sources=[source("hub", watermark=AT)]), START, END)
    (found,) = book.objects(one)
    assert list(found.values()) == [[0, 0, 0, 300_000, 0, 0, 0, 0]]


ASKED = (Asked("github", ("run",), ()), Asked("github", ("run",), (("trigger", ("push",)),)))


def amounts(book: Book) -> list[list[dict[int, list[int]]]]:
    return [[{o: a for o, a in found.items() if any(a)} for found in book.objects(one)] for one in ASKED]


def same(store: Store, book: Book, end: date = END) -> bool:
    """Whether what is kept is what reading all anew gives."""
    anew = Book(ASKED, UTC_ZONE)
    with store.history(NOON + DAY, [configured()]) as history:
        book.read(history, START - 5 * DAY, end)
        anew.read(history, START - 5 * DAY, end)
    return amounts(book) == amounts(anew)


@given(
    st.lists(
        st.lists(
            st.tuples(
                st.integers(0, 4), st.sampled_from(list(Outcome)), st.integers(-90, 90), st.sampled_from(("", "push"))
            ),
            max_size=4,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_what_is_kept_is_what_reading_all_anew_gives(pages: list[list[tuple[int, Outcome, int, str]]]) -> None:
    """Whatever comes, is told again or is corrected, in whatever pages, moved to another day or object."""
    with tempfile.TemporaryDirectory() as folder:
        store, book, changed = open_at(f"sqlite:///{folder}/meter.db"), Book(ASKED, UTC_ZONE), 0
        for page in pages:
            facts = []
            for key, outcome, hours, trigger in page:
                changed += 1
                at = NOON + timedelta(hours=hours - 90)
                told = run(str(key), at, outcome=outcome, repository=f"acme/{hours % 3}")
                facts.append(replace(told, trigger=trigger, updated=NOON + timedelta(seconds=changed)))
            put(store, facts, NOON + DAY)
            assert same(store, book)
        store.close()


def test_what_is_past_retention_and_another_day_are_read_anew(tmp_path: Path) -> None:
    """A book kept over midnight and over a prune holds what the store holds."""
    store, book = open_at(f"sqlite:///{tmp_path}/meter.db", retention=2 * DAY), Book(ASKED, UTC_ZONE)
    put(store, [run("a", NOON - 1.9 * DAY), run("b", NOON)], NOON)
    assert same(store, book, date(2026, 6, 2))
    put(store, [run("c", NOON + DAY)], NOON + DAY)
    assert same(store, book, date(2026, 6, 3))
    assert store.prune(NOON + 1.5 * DAY) == 1
    assert same(store, book, date(2026, 6, 3))
    assert [sum(map(sum, found.values())) for found in amounts(book)[0]] == [2_000_000]
    store.close()


def test_adopted_and_active_that_ask_for_the_same_are_one() -> None:
    """However the names are ordered; objects ask for no use."""
    both = {"source": "hub", "verb": "run", "select": {"trigger": ["push"], "pipeline": ["a", "b"]}}
    turned = {**both, "select": {"pipeline": ["a", "b"], "trigger": ["push"]}}
    one = capability(adopted=both, active=turned)
    assert asked(one.adopted) == asked(one.active)
    assert asked(capability().adopted) == Asked("github", (), ())


def test_use_of_which_only_days_are_kept_is_the_same_use(tmp_path: Path) -> None:
    """A book kept while the events went, one that is read then, and one of before tell the same, and go on."""
    one = [Asked("github", ("request",), select) for select in ((), (("gateway", ("edge",)),))]
    store, kept = open_at(f"sqlite:///{tmp_path}/meter.db", detail=3 * DAY), Book(one, UTC_ZONE)

    def requests(key: str, at: datetime, gateway: str) -> GatewayRequests:
        return GatewayRequests(key=key, at=at, about=ABOUT, gateway=gateway, good=2.25, bad=0.75)

    def told(book: Book) -> list[list[list[int]]]:
        with store.history(NOON + 4 * DAY, [configured()]) as history:
            book.read(history, START - 5 * DAY, END)
        return [[list(amounts) for found in book.objects(each) for amounts in found.values()] for each in one]

    put(store, [requests("a", NOON, "edge"), requests("b", NOON + minutes(5), "inner")], NOON)
    put(store, [requests("c", NOON + 4 * DAY, "edge")], NOON + 4 * DAY)
    before = told(kept)
    assert before == [[[0] * 5 + [6_000_000, 0, 0, 0, 3_000_000, 0, 0, 0]], [[0] * 5 + [3_000_000, 0, 0, 0] * 2]]
    assert store.prune(NOON + 4 * DAY) == 2
    assert told(kept) == told(Book(one, UTC_ZONE)) == before
    put(store, [requests("d", NOON + 4 * DAY, "inner")], NOON + 4 * DAY)
    assert told(kept) == told(Book(one, UTC_ZONE))
    assert [sum(map(sum, found)) for found in told(kept)] == [12_000_000, 6_000_000]
    store.close()

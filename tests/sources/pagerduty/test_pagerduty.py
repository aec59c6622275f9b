"""PagerDuty: the case of the contract test, and what only PagerDuty does (caps, logs, merges, deliveries)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.pagerduty.pagerduty_server import SITE, PagerDuty, Row, delivery, incident, merged_into, step, text
from tests.support.stores import configured, open_at, put

from platform_meter.model.access import Secret, Token
from platform_meter.model.facts import Ref
from platform_meter.model.facts.incidents import Incident, Severity
from platform_meter.model.proposal import Surroundings
from platform_meter.model.push import Pushed, Unreadable
from platform_meter.sources.pagerduty import SOURCE, Config, lists
from platform_meter.sources.pagerduty.facts import texts_in
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import Call, FakeOutside, Reply

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
SINCE = NOW - timedelta(days=10)
SETTINGS: dict[str, Any] = {"token": {"env": "PAGERDUTY_TOKEN"}}
DEPLOYED = "https://github.com/acme/checkout/commit/0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"


def hours(before_now: float) -> datetime:
    return NOW - timedelta(hours=before_now)


def small_world() -> PagerDuty:
    """One with a long log, one merged into it, two that are open, of which one is old, and one too old to be told."""
    long_log = [
        step(1, hours(50), "trigger"),
        step(2, hours(49.9), "acknowledge"),
        step(3, hours(49.5), "unacknowledge"),
        step(4, hours(49), "acknowledge"),
        step(5, hours(48), "resolve"),
    ]
    return PagerDuty(
        [
            incident("POLD", 1, hours(900), hours(899)),
            incident("PLATE", 2, hours(800), hours(700), "acknowledged", log=[step(11, hours(700), "acknowledge")]),
            incident(
                "PLONG",
                3,
                hours(50),
                hours(48),
                priority="P1",
                title=f"Ada: checkout is down since {DEPLOYED}, see PLAT-7",
                log=long_log,
            ),
            incident("PMERG", 4, hours(49.8), hours(49.7), resolve_reason=merged_into("PLONG"), service="PPAY"),
            incident("POPEN", 5, hours(3), hours(3), "triggered", urgency="low", priority="SEV-2"),
        ]
    )


def told(id_: str, number: int, created: float, changed: float, rank: int, **more: Any) -> Incident:
    """An incident as a poll tells it; `rank` is how far it has come."""
    return Incident(
        key=f"incident/{id_}",
        at=hours(created),
        about=Ref(system="pagerduty", kind="service", id=more.pop("service", "PCHECK"), labels=(("name", "Checkout"),)),
        updated=hours(changed) + timedelta(milliseconds=990 + rank),
        severity=more.pop("severity", Severity.MAJOR),
        name=f"#{number}",
        url=f"https://acme.pagerduty.com/incidents/{id_}",
        ids=(id_, f"https://acme.pagerduty.com/incidents/{id_}"),
        **more,
    )


LONG = told(
    "PLONG", 3, 50, 48, 2,
    severity=Severity.CRITICAL, acknowledged=hours(49.9), resolved=hours(48), mentions=("PLAT-7", DEPLOYED),
)  # fmt: skip
LATE = told("PLATE", 2, 800, 700, 1, acknowledged=hours(700))


def later_world() -> PagerDuty:
    """Three hours on: one has ended, one came back, more came; of one nothing may be read, of one not the log, one is odd."""
    world = small_world()
    _, late, long, _, _ = world.incidents
    late |= incident("PLATE", 2, hours(800), hours(-1), log=[*late["log"], step(12, hours(-1), "resolve")])
    long |= {"status": "triggered", "resolved_at": None}
    long |= {"last_status_change_at": text(hours(-2)), "updated_at": text(hours(-2))}
    world.incidents[4] |= {"status": "resolved", "created_at": text(hours(3))}
    odd = incident("PODD", 6, hours(-1), hours(-1)) | {"resolved_at": "0001-01-01T00:00:00+14:00"}
    world.incidents += [
        odd,
        incident("PMUTE", 7, hours(-0.5), hours(-1.5), priority="P5"),
        incident("PNEW", 8, hours(-2), hours(-2.5), urgency="low", log=[step(13, hours(-2.1), "acknowledge")]),
    ]
    world.refused, world.silent = {"PLATE"}, {"PMUTE"}
    return world


CASE = Case(
    settings=SETTINGS,
    answers=small_world,
    hooks=(
        Pushed(
            headers={},
            body=msgspec.json.encode(
                delivery("incident.resolved", hours(48) + timedelta(milliseconds=169), small_world().incidents[2])
            ),
            at=NOW,
            hashed=str,
        ),
    ),
    now=NOW,
    since=SINCE,
    people=("Ada", "Lovelace", "pager rings", "PADA"),
    expected=[
        LATE,
        LONG,
        told(
            "PMERG", 4, 49.8, 49.7, 2,
            service="PPAY", resolved=hours(49.7), valid=False, mentions=("PLONG", f"{SITE}/incidents/PLONG"),
        ),
        told("POPEN", 5, 3, 3, 0),
    ],
    later=Later(
        answers=later_world,
        after=timedelta(hours=3),
        expected=[
            replace(LONG, resolved=None, updated=hours(-2) + timedelta(milliseconds=990)),
            told("POPEN", 5, 3, 3, 2, resolved=hours(3)),
            told("PMUTE", 7, -0.5, -1.5, 2, severity=Severity.MINOR, resolved=hours(-1.5)),
            told("PNEW", 8, -2, -2.5, 2, severity=Severity.MINOR, acknowledged=hours(-2.1), resolved=hours(-2.5)),
        ],
        gaps=["incident PLATE: GET /incidents/PLATE: 403", "incident PMUTE: its log: "],
        rejected=1,
    ),
)  # fmt: skip


def polled(world: PagerDuty, now: datetime = NOW, checkpoint: bytes | None = None, **more: Any) -> Any:
    """A poll: what it says, its way out and where it goes on."""
    outside = FakeOutside(world)
    (stream,) = SOURCE.connect(Config.model_validate({**SETTINGS, **more}), outside, "pd")
    pages = list(stream.read(checkpoint, SINCE, now))
    return [fact for page in pages for fact in page.facts], outside, pages[-1].checkpoint


def test_a_steady_poll_reads_no_log_again() -> None:
    """Only what changed costs more than the two lists."""
    world = small_world()
    world.incidents.append(incident("PWAS", 9, hours(20), hours(19)))
    _, _, checkpoint = polled(world)
    world.incidents[4] |= {
        "status": "acknowledged",
        "updated_at": text(hours(1)),
        "last_status_change_at": text(hours(1)),
    }
    world.incidents[4]["log"] = [step(9, hours(1), "acknowledge")]
    facts, outside, _ = polled(world, NOW + timedelta(minutes=1), checkpoint)
    assert facts == [told("POPEN", 5, 3, 1, 1, acknowledged=hours(1))]
    assert [call.path for call in outside.calls if call.path != "/incidents"] == ["/incidents/POPEN/log_entries"]


def test_a_priority_given_afterwards_is_told() -> None:
    """For two days after it was made, an incident that is over is looked at again."""
    world = PagerDuty([incident("PLOW", 1, hours(30), hours(29))])
    first, _, checkpoint = polled(world)
    assert [fact.severity for fact in first] == [Severity.MAJOR]
    world.incidents = [
        incident("PLOW", 1, hours(30), hours(29), priority="P1") | {"updated_at": text(hours(0.5))},
    ]
    (again,), _, _ = polled(world, NOW + timedelta(minutes=1), checkpoint)
    assert (again.severity, again.resolved) == (Severity.CRITICAL, hours(29))
    assert again.updated == hours(0.5) + timedelta(milliseconds=992)


def test_an_incident_that_ended_between_two_polls_is_asked_for() -> None:
    """However old it is, and though the list of its days is not read any more."""
    world = small_world()
    _, _, checkpoint = polled(world)
    world.incidents[1] |= incident("PLATE", 2, hours(800), hours(-1), log=world.incidents[1]["log"])
    facts, _, checkpoint = polled(world, NOW + timedelta(hours=2), checkpoint)
    assert facts == [told("PLATE", 2, 800, -1, 2, acknowledged=hours(700), resolved=hours(-1))]
    _, outside, _ = polled(world, NOW + timedelta(hours=3), checkpoint)
    assert {call.path for call in outside.calls} == {"/incidents"}


def test_services_and_teams_are_asked_for_and_others_start_anew() -> None:
    """What was told under other filters is no place to go on from."""
    world = small_world()
    only, outside, checkpoint = polled(world, services=["PPAY"], teams=["PTEAM"])
    assert [fact.key for fact in only] == ["incident/PMERG"]
    assert {str(call.params["service_ids[]"]) for call in outside.calls if call.path == "/incidents"} == {"['PPAY']"}
    every, _, _ = polled(world, NOW, checkpoint, services=["PCHECK"])
    assert [fact.key for fact in every] == ["incident/PLATE", "incident/POPEN", "incident/PLONG"]


def test_the_first_alert_names_more_where_it_is_wanted() -> None:
    """Its details may be of any shape; their texts are looked through and not kept."""
    alert = {"body": {"details": {"image": ["registry.acme/pay@sha256:0a", 7, {"why": "by PLAT-9"}]}, "contexts": []}}
    world = PagerDuty([incident("PONE", 1, hours(5), hours(4), title="since v2.3.1", alerts=[alert])])
    (plain,), outside, _ = polled(world)
    assert plain.mentions == ("v2.3.1",)
    assert not any(call.path.endswith("/alerts") for call in outside.calls)
    (more,), _, _ = polled(world, details=True)
    assert more.mentions == ("PLAT-9", "registry.acme/pay@sha256:0a", "v2.3.1")
    world.silent = {"PONE"}
    (less,), outside, _ = polled(world, details=True)
    assert less.mentions == ("v2.3.1",)
    assert [gap.text.partition(": GET")[0] for gap in outside.gaps] == [
        "incident PONE: its alerts",
        "incident PONE: its log",
    ]


def test_what_an_alert_holds_is_looked_through_within_bounds() -> None:
    """The first texts, and of each its beginning: an alert may hold a whole log."""
    assert [*texts_in({"a": ["v1"] * 300, "b": "v2"})] == ["v1"] * 200
    assert [len(text) for text in texts_in(["x" * 6_000, 5, None])] == [5_000]


CAP, PER_PAGE = 60, 10


@pytest.fixture
def _short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists that go to their sixtieth row, where real ones go to their ten thousandth."""
    monkeypatch.setattr(lists, "CAP", CAP)
    monkeypatch.setattr(lists, "PER_PAGE", PER_PAGE)


def many(each: int, seconds: int, since: datetime, status: str = "resolved") -> PagerDuty:
    """So many incidents in each second."""
    rows = [
        incident(f"P{second}X{n}", n, since + timedelta(seconds=second), hours(0.5), status)
        for second, n in product(range(seconds), range(each))
    ]
    return PagerDuty(rows, page=PER_PAGE)


@pytest.mark.usefixtures("_short_lists")
def test_more_incidents_than_a_list_goes_to_are_read_in_windows() -> None:
    """The next one begins in the second in which the last one broke off."""
    facts, outside, _ = polled(many(CAP // 3, 5, hours(100)))
    assert len(facts) == len({fact.key for fact in facts}) == CAP // 3 * 5
    assert max(call.params["offset"] for call in outside.calls if call.path == "/incidents") == CAP - PER_PAGE
    assert outside.gaps == []


def test_an_empty_page_that_was_promised_rows_is_asked_for_again() -> None:
    """A slip is no end of the list."""
    world, slipped = PagerDuty([incident(f"P{n}", n, hours(5), hours(4)) for n in range(5)]), list[Call]()

    def slipping(call: Call) -> Reply:
        if "since" in call.params and call.params["offset"] == 2 and not slipped:
            slipped.append(call)
            return Reply(body={"incidents": [], "more": False})
        return world(call)

    (stream,) = SOURCE.connect(Config.model_validate(SETTINGS), FakeOutside(slipping), "pd")
    facts = [fact for page in stream.read(None, SINCE, NOW) for fact in page.facts]
    assert (len(facts), len(slipped)) == (5, 1)


@pytest.mark.usefixtures("_short_lists")
def test_more_than_that_in_one_second_are_a_gap() -> None:
    """And what comes after them is read."""
    world = many(CAP + 1, 2, hours(1))
    del world.incidents[CAP + 2 :]
    facts, outside, _ = polled(world)
    keys = {fact.key for fact in facts}
    assert (len(keys), "incident/P1X0" in keys) == (CAP + 1, True)
    assert [(gap.reason, gap.start, gap.text) for gap in outside.gaps] == [
        ("result_cap", hours(1), "more than 60 incidents were made in one second")
    ]


@pytest.mark.usefixtures("_short_lists")
def test_more_open_ones_than_a_list_goes_to_are_a_gap() -> None:
    """They are read as far as the list goes."""
    facts, outside, _ = polled(many(CAP + 1, 1, hours(500), "triggered"))
    assert len({fact.key for fact in facts}) == CAP
    assert [(gap.reason, gap.text) for gap in outside.gaps] == [
        ("result_cap", "more than 60 incidents are open at once; name `services` or `teams` in several sources")
    ]


def test_how_it_is_let_in() -> None:
    """The form of PagerDuty's keys, the version of its API, and the headers that tell of its quota."""
    access = SOURCE.access(Config.model_validate(SETTINGS))
    assert access.url == "https://api.pagerduty.com"
    assert access.credential == Token(secret=Secret(env="PAGERDUTY_TOKEN"), prefix="Token token=")
    assert access.headers == {"Accept": "application/vnd.pagerduty+json;version=2"}
    assert access.rate_headers == ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")


KEY = "give the source an API key of the account, read-only, or of a user who may see it"


def test_check_names_what_is_missing() -> None:
    """What the key may not read, and services and teams that are not there."""
    wanted = Config.model_validate({**SETTINGS, "services": ["PCHECK", "PNONE"], "teams": ["PTEAM", "PGONE"]})
    world = PagerDuty([incident("PONE", 1, hours(5), hours(4))], silent={"PONE"})
    assert SOURCE.check(wanted, FakeOutside(world)) == [
        "services: there is no service PNONE; write the id at the end of its page's address",
        "teams: there is no team PGONE; write the id at the end of its page's address",
        f"the log of incident PONE: GET /incidents/PONE/log_entries: 403; {KEY}",
    ]
    assert SOURCE.check(Config.model_validate(SETTINGS), FakeOutside(lambda _: Reply(status=403))) == [
        f"incidents: GET /incidents: 403; {KEY}"
    ]


def test_init_writes_the_variable_that_is_set() -> None:
    """Else the one of the documentation."""
    around = Surroundings(variables=frozenset({"PD_API_KEY"}))
    assert [SOURCE.propose(a).sample for a in (around, Surroundings())] == [  # type: ignore[union-attr]  # it has one
        ("pagerduty", {"token": {"env": "PD_API_KEY"}}),
        ("pagerduty", {"token": {"env": "PAGERDUTY_TOKEN"}}),
    ]


# What is pushed.


def pushed(body: Any, **more: Any) -> Sequence[Any]:
    assert SOURCE.receives is not None
    held = body if isinstance(body, bytes) else msgspec.json.encode(body)
    said = Pushed(headers={}, body=held, at=NOW, hashed=str)
    return SOURCE.receives.read(Config.model_validate({**SETTINGS, **more}), said)


def test_a_delivery_is_the_same_incident() -> None:
    """Under the key of the list, with its service, severity and names; who acknowledged it before is not said."""
    row = small_world().incidents[2]
    (found,) = pushed(delivery("incident.resolved", hours(48) + timedelta(milliseconds=169), row))
    assert found == replace(LONG, acknowledged=None, updated=hours(48) + timedelta(milliseconds=169))


def test_a_delivery_of_a_merge_is_no_incident_of_its_own() -> None:
    """It names the one that it was merged into."""
    (found,) = pushed(delivery("incident.resolved", hours(49.7), small_world().incidents[3]))
    assert (found.valid, found.resolved, found.mentions) == (
        False, hours(49.7), ("PLONG", f"{SITE}/incidents/PLONG"),
    )  # fmt: skip


def test_other_deliveries_say_nothing() -> None:
    """A note, a ping, another service, another team; and what happens to one that is over, which does not say since when."""
    row = small_world().incidents[2]
    note = {"event": {"event_type": "incident.annotated", "occurred_at": text(NOW), "data": {"type": "incident_note"}}}
    assert pushed(note) == ()
    assert pushed({"event": {"event_type": "pagey.ping", "data": {"message": "Hello"}}}) == ()
    resolved = delivery("incident.resolved", NOW, row)
    assert [len(pushed(resolved, services=[id_])) for id_ in ("PCHECK", "PPAY")] == [1, 0]
    assert [len(pushed(resolved, teams=[id_])) for id_ in ("PTEAM", "POTHER")] == [1, 0]
    assert pushed(delivery("incident.priority_updated", NOW, row)) == ()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>", "the body is no JSON: "),
        ({"messages": []}, "the body has another shape: Object missing required field `event`"),
        (
            {"event": {"event_type": "incident.resolved", "occurred_at": text(NOW), "data": {"id": "P1"}}},
            "the body has another shape: Object missing required field `created_at`",
        ),
        (
            {"event": {"event_type": "incident.resolved", "occurred_at": "2026-05-20T12:00:00", "data": {}}},
            "the body has another shape: `occurred_at` has no zone - at `$.event`",
        ),
        (
            delivery("incident.resolved", hours(-1), small_world().incidents[2]),
            "`event.occurred_at` is 2026-05-20T13:00:00Z, which is still to come",
        ),
    ],
)
def test_what_is_no_delivery_is_told_to_who_sent_it(body: Any, why: str) -> None:
    """What was found, and what to send instead."""
    with pytest.raises(Unreadable) as refused:
        pushed(body)
    assert str(refused.value).startswith(why)


def test_a_delivery_without_its_time_is_refused() -> None:
    """Nobody could say whether it is newer than what is known."""
    body = delivery("incident.resolved", NOW, small_world().incidents[2])
    del body["event"]["occurred_at"]
    with pytest.raises(Unreadable, match=r"^`event.occurred_at` is missing; send V3 webhooks"):
        pushed(body)


def test_the_webhooks_secret_is_the_settings() -> None:
    """Without one nothing that is signed is let in."""
    assert SOURCE.receives is not None
    settings_ = Config.model_validate({**SETTINGS, "webhook": {"env": "PAGERDUTY_WEBHOOK"}})
    assert SOURCE.receives.secret(settings_) == Secret(env="PAGERDUTY_WEBHOOK")
    assert SOURCE.receives.secret(Config.model_validate(SETTINGS)) is None


# A day by both ways.

MORNING = datetime(2026, 5, 20, 8, 0, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return MORNING + timedelta(seconds=seconds)


Moment = tuple[float, str, Row]
"""When, what happened, and how the incident stands then."""


def day() -> list[Moment]:
    """Two incidents: one that comes back and is acknowledged three times, one that is merged into it within a second."""
    log: list[Row] = []
    moments: list[Moment] = []

    def happens(second: float, word: str, status: str, **more: Any) -> None:
        entry = {"triggered": "trigger", "acknowledged": "acknowledge", "resolved": "resolve"}.get(word, word)
        log.append(step(len(log), at(second), entry))
        row = incident("PDAY", 1, at(0.2), at(second), status, title="after v1.4.0", log=[*log], **more)
        moments.append((second, f"incident.{word}", row))

    happens(0.2, "triggered", "triggered")
    happens(0.6, "acknowledged", "acknowledged")
    happens(40.1, "unacknowledged", "triggered")
    happens(61.9, "acknowledged", "acknowledged")
    happens(70.3, "priority_updated", "acknowledged", priority="P1")
    happens(90.5, "resolved", "resolved", priority="P1")
    happens(120.4, "reopened", "triggered", priority="P1")
    happens(130.4, "acknowledged", "acknowledged", priority="P1")
    happens(300.7, "resolved", "resolved", priority="P1")
    other = incident("PTWO", 2, at(10.1), at(10.1), "triggered")
    over = incident("PTWO", 2, at(10.1), at(10.8), resolve_reason=merged_into("PDAY"))
    moments += [(10.1, "incident.triggered", other), (10.8, "incident.resolved", over)]
    return sorted(moments, key=lambda moment: moment[0])


DAY = day()
TRUTH = {
    "incident/PDAY": (at(0), at(0), at(300), Severity.CRITICAL, ("v1.4.0",), True),
    "incident/PTWO": (at(10), None, at(10), Severity.MAJOR, ("PDAY", f"{SITE}/incidents/PDAY"), False),
}


def reading(moment: float) -> list[Incident]:
    """A poll of the day so far."""
    standing = {row["id"]: row for second, _, row in DAY if second <= moment}
    facts, _, _ = polled(PagerDuty([*standing.values()]), at(moment))
    return [fact for fact in facts if isinstance(fact, Incident)]


def arriving(number: int) -> list[Incident]:
    second, word, row = DAY[number]
    return [*pushed(delivery(word, at(second), row))]


def stands(parts: Sequence[Sequence[Incident]]) -> dict[str, Any]:
    """How a real store has the incidents when these were written one after another."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_at(f"sqlite:///{folder}/store.db")
        for part in parts:
            put(store, part, at(600), instance="pd")
        with store.history(at(700), [configured("pd", Incident)]) as history:
            found = [row.event for row in history.rows(Incident, MORNING - timedelta(days=1), at(700))]
        store.close()
    return {i.key: (i.at, i.acknowledged, i.resolved, i.severity, i.mentions, i.valid) for i in found}


DELIVERED = st.lists(st.sampled_from(range(len(DAY))), max_size=6).flatmap(
    lambda again: st.permutations([*range(len(DAY)), *again])
)


@settings(max_examples=25)
@given(DELIVERED)
def test_a_day_pushed_in_any_order_is_what_happened(order: list[int]) -> None:
    """Late, repeated, the last one first: who took it on first and how it stands last are the true ones."""
    assert stands([arriving(number) for number in order]) == TRUTH


@settings(max_examples=25)
@given(st.lists(st.sampled_from([0.2, 0.7, 45.0, 65.0, 95.0, 125.0, 280.0, 350.0]), max_size=5), DELIVERED)
def test_a_day_pushed_and_polled_is_what_happened(polls: list[float], order: list[int]) -> None:
    """Polls at any moment of it, told before, between and after its deliveries, and one when it is over."""
    tellings: list[Callable[[], list[Incident]]] = [lambda n=number: arriving(n) for number in order]  # type: ignore[misc]
    for n, moment in enumerate([*polls, 400.0]):
        tellings.insert((n * 7) % (len(tellings) + 1), lambda m=moment: reading(m))  # type: ignore[misc]
    assert stands([tell() for tell in tellings]) == TRUTH


@settings(max_examples=15)
@given(st.permutations([0.2, 45.0, 95.0, 125.0, 350.0]))
def test_a_day_polled_is_what_happened(moments: list[float]) -> None:
    """An old reading that is written late takes nothing back."""
    assert stands([reading(moment) for moment in moments]) == TRUTH

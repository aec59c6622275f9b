"""The support numbers: what is counted, what the gauges say, what the tick writes, and when a number is absent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.history import MemoryHistory, owner, source
from tests.support.tickets import (
    MONDAY,
    OFFICE,
    PROJECT,
    comment,
    created,
    hours,
    priority,
    reopened,
    resolved,
    status,
    step,
    ticketing,
)

from platform_meter.measures.support.tickets import configured, countings
from platform_meter.model.catalogue.support import (
    TICKET_AT_RISK,
    TICKET_BACKLOG_AGE,
    TICKET_EXPECTED_BREACHES,
    TICKET_REOPEN,
    TICKET_SLA_CYCLES,
    TICKET_SLA_MET,
    TICKET_SLA_SECONDS,
    TICKETS_CREATED,
    TICKETS_OPEN,
    TICKETS_PER_ACTIVE_TEAM,
)
from platform_meter.model.definitions import Definitions, Ticketing
from platform_meter.model.facts import Event, Fact, Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.facts.delivery import Change, Deployment, DeployResult
from platform_meter.model.facts.tickets import Role, SlaCycle, SlaResult, TicketChange, TicketEvent
from platform_meter.model.history import SourceState
from platform_meter.model.measure import Counting, Derived, Deriving, Gauging, Measure, Scene
from platform_meter.model.metric import Increment, Metric, resolve
from platform_meter.testing import adds_up

HELP = ticketing()
Values = dict[tuple[str, ...], float]


def scene(
    facts: Iterable[Fact],
    until: datetime,
    *definitions: Ticketing,
    fresh: bool = True,
    sources: Sequence[SourceState] = (),
    teams: Iterable[tuple[str, str, Fact]] = (),
) -> Scene:
    """Tickets come from source `jira`; `teams` are (source, team, fact) of others."""
    return Scene(
        history=MemoryHistory(
            [*(("jira", owner("platform"), f) for f in facts), *((s, owner(t), f) for s, t, f in teams)],
            sources=[source("jira", watermark=until, fresh=fresh), *sources],
            gives={"jira": frozenset({TicketEvent, SlaCycle}), "ci": frozenset({PipelineRun, Deployment, Change})},
        ),
        definitions=Definitions(ticketing=definitions or (HELP,)),
        now=until + timedelta(seconds=30),
    )


def values(at: Scene, metric: Metric, measures: Sequence[Measure] | None = None) -> Values:
    """What is published of the metric: absent series left out."""
    found: Values = {}
    for measure in measures or configured(at.definitions):
        if isinstance(measure, Gauging) and metric in measure.metrics:
            adds_up(measure, at)
            for sample in measure.compute(at):
                value = resolve(sample.value)
                if sample.metric is metric and value is not None:
                    assert sample.labels not in found
                    assert len(sample.labels) == len(metric.labels)
                    found[sample.labels] = value
    return found


def derive(at: Scene, measures: Sequence[Measure] | None = None) -> list[Derived]:
    (deriving,) = (m for m in measures or configured(at.definitions) if isinstance(m, Deriving))
    return list(deriving.derive(at))


def counted(event: Event, state: SourceState, *definitions: Ticketing) -> list[Increment]:
    measures = configured(Definitions(ticketing=definitions or (HELP,)))
    return [
        increment
        for measure in measures
        if isinstance(measure, Counting) and isinstance(event, measure.event)
        for increment in measure.count(event, owner("platform"), state)
    ]


def ticket(number: int, at: datetime, *, after: float | None = None, goal_priority: str = "P3") -> list[TicketEvent]:
    """One ticket, resolved `after` hours or still open."""
    id_ = f"PLAT-{number}"
    events = [created(at, ticket=id_, priority=goal_priority)]
    return [*events, resolved(hours(after, at), ticket=id_)] if after is not None else events


JIRA = source("jira", watermark=MONDAY)


class TestCreated:
    def test_a_created_ticket_counts_once_by_queue_category_and_priority(self) -> None:
        """The queue is the Ticketing id, not the tool's key."""
        (increment,) = counted(created(category="ci"), JIRA)
        assert increment == Increment(metric=TICKETS_CREATED, labels=("help", "ci", "P3"))

    def test_without_category_or_priority_the_label_says_none(self) -> None:
        """An empty label value would be no label to Prometheus."""
        (increment,) = counted(created(priority=None), JIRA)
        assert increment.labels == ("help", "none", "none")

    def test_the_category_is_what_the_definition_says(self) -> None:
        """The component, the type, the form, or of the labels it lists the first by name; a ticket without is `none`."""
        born = created(
            category="ci", issue_type="Bug", request_type="Get access", labels=("access", "ci-slow", "urgent")
        )
        for category, label in (
            (None, "ci"),
            ({"from": "component"}, "ci"),
            ({"from": "issue_type"}, "Bug"),
            ({"from": "request_type"}, "Get access"),
            ({"from": "label", "among": ["urgent", "ci-slow"]}, "ci-slow"),
            ({"from": "label", "among": ["other"]}, "none"),
        ):
            (increment,) = counted(born, JIRA, ticketing(category=category))
            assert increment.labels == ("help", label, "P3")

    @pytest.mark.parametrize(
        "category", [{"from": "issue_type"}, {"from": "request_type"}, {"from": "label", "among": ["a"]}]
    )
    def test_a_ticket_stored_without_type_and_labels_has_no_category(self, category: dict[str, object]) -> None:
        """What an older version stored does not have them."""
        (increment,) = counted(created(category="ci"), JIRA, ticketing(category=category))
        assert increment.labels == ("help", "none", "P3")

    def test_other_events_and_other_queues_do_not_count(self) -> None:
        """A comment is no new ticket; OPS is declared nowhere."""
        assert counted(comment(MONDAY), JIRA) == []
        assert counted(created(queue="OPS"), JIRA) == []
        assert counted(created(), source("github", watermark=MONDAY)) == []

    def test_two_queues_may_share_tickets(self) -> None:
        """A ticket counts in each that selects it."""
        everything = ticketing(id="all", source={"type": "jira"})
        assert [i.labels[0] for i in counted(created(), JIRA, HELP, everything)] == ["help", "all"]

    def test_a_select_that_cannot_be_read_is_refused_when_measures_are_made(self) -> None:
        """The text is that of `queue_keys`."""
        wrong = ticketing(source={"type": "jira", "select": "labels = ci"})
        with pytest.raises(ValueError, match=r"^'labels = ci' says more than which queues; write project = PLAT"):
            countings(Definitions(ticketing=(wrong,)))


class TestOpen:
    def test_open_tickets_by_calendar_age(self) -> None:
        """Classes are disjoint, a bound belongs to the next class, and calendar days count, not business time."""
        ages = (0.1, 23.9, 24, 71.9, 72, 167.9, 168, 719.9, 720, 9000)
        now = hours(24 * 400)
        facts = [e for n, age in enumerate(ages) for e in ticket(n, now - timedelta(hours=age))]
        found = values(scene(facts, now, ticketing(OFFICE)), TICKETS_OPEN)
        assert found == {
            ("help", "P3", "1d"): 2,
            ("help", "P3", "3d"): 2,
            ("help", "P3", "7d"): 2,
            ("help", "P3", "30d"): 2,
            ("help", "P3", "older"): 2,
        }

    def test_a_priority_without_open_tickets_is_0(self) -> None:
        """Its only ticket is resolved: the series stays, at 0."""
        found = values(scene(ticket(1, MONDAY, after=2), hours(5)), TICKETS_OPEN)
        assert found == {("help", "P3", age): 0 for age in ("1d", "3d", "7d", "30d", "older")}

    def test_a_goal_that_no_recent_ticket_has_is_0(self) -> None:
        """The queue's last ticket was closed 200 days ago: nothing waits, and so nothing is at risk."""
        at = scene([created(), resolved(hours(2))], hours(200 * 24))
        assert values(at, TICKET_AT_RISK) == {("help", "first_response", "P3"): 0.0, ("help", "resolution", "P3"): 0.0}
        assert values(at, TICKET_SLA_MET) == {}

    def test_paused_tickets_are_open_and_counted_under_their_priority_now(self) -> None:
        """Waiting is not done."""
        facts = [created(), status(hours(1), "Waiting"), priority(hours(2), "P1")]
        assert values(scene(facts, hours(5)), TICKETS_OPEN)["help", "P1", "1d"] == 1


class TestMet:
    def test_met_of_decided_by_window(self) -> None:
        """Two met and one breached within 28 days, one more breached within 91: 2/3 and 2/4."""
        now = hours(24 * 100)
        facts = [
            *ticket(1, now - timedelta(days=80)),
            *ticket(2, now - timedelta(days=9), after=20),
            *ticket(3, now - timedelta(days=8), after=24),
            *ticket(4, now - timedelta(days=7), after=25),
        ]
        found = values(scene(facts, now), TICKET_SLA_MET)
        assert found["help", "resolution", "P3", "28d"] == pytest.approx(2 / 3)
        assert found["help", "resolution", "P3", "91d"] == pytest.approx(2 / 4)

    def test_a_window_is_half_open_and_judged_by_the_moment_of_the_decision(self) -> None:
        """Decided just 28 days ago it is in, a second earlier it is not; the creation and the closing do not matter."""
        facts = ticket(1, MONDAY)
        for until, inside in ((hours(24 + 28 * 24), True), (hours(24 + 28 * 24, MONDAY + timedelta(seconds=1)), False)):
            found = values(scene(facts, until), TICKET_SLA_MET)
            assert (("help", "resolution", "P3", "28d") in found) is inside
            assert found["help", "resolution", "P3", "91d"] == 0.0

    def test_a_breach_counts_when_it_happens_and_not_again_at_the_closing(self) -> None:
        """Breached 30 days before it was closed: gone from the 28-day window by then."""
        facts = ticket(1, MONDAY, after=24 * 31)
        found = values(scene(facts, hours(24 * 32)), TICKET_SLA_MET)
        assert ("help", "resolution", "P3", "28d") not in found

    def test_a_reopening_takes_an_earlier_good_back(self) -> None:
        """With `continue` the cycle is undecided again, with `restart` and `first_only` the first one stays met."""
        facts = [created(), resolved(hours(3)), reopened(hours(5))]
        for reopen, expected in (("continue", None), ("restart", 1.0), ("first_only", 1.0)):
            found = values(scene(facts, hours(6), ticketing(reopen=reopen)), TICKET_SLA_MET)
            assert found.get(("help", "resolution", "P3", "28d")) == expected

    def test_a_cycle_counts_under_the_priority_of_its_decision(self) -> None:
        """Breached as P1, a P3 since."""
        facts = [created(priority="P1"), priority(hours(9), "P3")]
        found = values(scene(facts, hours(10)), TICKET_SLA_MET)
        assert found["help", "resolution", "P1", "28d"] == 0.0
        assert ("help", "resolution", "P3", "28d") not in found

    def test_duplicates_are_not_valid(self) -> None:
        """Neither met nor decided, nor among any other number."""
        facts = [created(), resolved(hours(30), "Duplicate")]
        at = scene(facts, hours(40))
        assert values(at, TICKET_SLA_MET) == {}
        assert values(at, TICKETS_OPEN) == {}
        assert values(replace(at, minimum=1), TICKET_REOPEN) == {}

    def test_nothing_decided_is_absent(self) -> None:
        """0/0 is not 0."""
        assert values(scene([created()], hours(1)), TICKET_SLA_MET) == {}


class TestSeconds:
    def test_quantiles_of_business_time_of_what_stopped_in_28_days(self) -> None:
        """1, 2, 4, 8 and 30 h, the last one late: p50 4 h, p90 8 + 0.6 * 22 h. Older and open ones are left out."""
        now = hours(24 * 60)
        facts = [
            *(e for n, h in enumerate((1, 2, 4, 8, 30)) for e in ticket(n, now - timedelta(days=5), after=h)),
            *ticket(7, now - timedelta(days=40), after=100),
            *ticket(8, now - timedelta(days=5)),
        ]
        found = values(scene(facts, now), TICKET_SLA_SECONDS)
        assert found["help", "resolution", "P3", "0.5"] == pytest.approx(4 * 3600)
        assert found["help", "resolution", "P3", "0.9"] == pytest.approx(21.2 * 3600)

    def test_under_five_samples_it_is_absent(self) -> None:
        """Four resolved tickets make no quantile."""
        facts = [e for n in range(4) for e in ticket(n, MONDAY, after=1)]
        assert values(scene(facts, hours(5)), TICKET_SLA_SECONDS) == {}


class TestAtRisk:
    @pytest.mark.parametrize(("hours_gone", "at_risk"), [(19.1, 0), (19.2, 1), (24, 1), (30, 1)])
    def test_a_fifth_of_the_goal_left_is_at_risk(self, hours_gone: float, at_risk: int) -> None:
        """24 h less 20 % are 19.2 h. A breached one that still runs has none left and stays."""
        found = values(scene([created()], hours(hours_gone)), TICKET_AT_RISK)
        assert found["help", "resolution", "P3"] == at_risk

    def test_a_paused_cycle_is_not_at_risk(self) -> None:
        """Its clock stands."""
        found = values(scene([created(), status(hours(23), "Waiting")], hours(30)), TICKET_AT_RISK)
        assert found["help", "resolution", "P3"] == 0

    def test_a_stopped_cycle_is_not_at_risk(self) -> None:
        """It was answered late; the resolution has time left."""
        found = values(scene([created(), comment(hours(5))], hours(6)), TICKET_AT_RISK)
        assert found == {("help", "first_response", "P3"): 0, ("help", "resolution", "P3"): 0}


class TestExpected:
    ENDS = (2, 3, 5, 8, 8, 12)
    """With 3 and 9 open these are the vector of the domain; in hours, every one four times."""

    def facts(self, now: datetime, *more: TicketEvent) -> list[TicketEvent]:
        start = now - timedelta(days=10)
        ended = [e for n in range(24) for e in ticket(n, start, after=self.ENDS[n % 6])]
        waiting = [
            e
            for n in range(8)
            for e in (
                created(start, ticket=f"PLAT-{n + 100}"),
                status(hours((3, 9)[n % 2], start), "Waiting", ticket=f"PLAT-{n + 100}"),
            )
        ]
        return [*ended, *waiting, *more]

    def expected(self, facts: Sequence[TicketEvent], now: datetime, goal: str) -> float | None:
        slas = [{"id": "resolution", "goal": {"default": goal}}]
        found = values(scene(facts, now, ticketing(slas=slas)), TICKET_EXPECTED_BREACHES)
        return found.get(("help", "resolution", "P3"))

    def test_the_sum_of_the_chances_of_open_cycles(self) -> None:
        """Four open ones at 3 h with a goal of 11 h: S(11)/S(3) = 0.3/0.75 each; four at 9 h: S(11)/S(9) = 1 each."""
        now = hours(24 * 20)
        assert self.expected(self.facts(now), now, "11h") == pytest.approx(4 * 0.4 + 4 * 1.0)

    def test_a_breached_cycle_adds_nothing(self) -> None:
        """With a goal of 5 h those at 9 h are breached; those at 3 h add S(5)/S(3) = 0.8 each."""
        now = hours(24 * 20)
        assert self.expected(self.facts(now), now, "5h") == pytest.approx(4 * 0.8)

    def test_past_all_that_ever_lasted_the_chance_is_1(self) -> None:
        """Open for 100 days, it is not among the cycles of the curve, which is at 0 there: it adds 1, the others nothing."""
        now = hours(24 * 120)
        one = created(now - timedelta(days=100), ticket="PLAT-999")
        assert self.expected(self.facts(now, one), now, "5000h") == pytest.approx(1.0)

    def test_under_thirty_cycles_only_at_risk_is_published(self) -> None:
        """29 are too few, 30 are enough; cycles started more than 91 days ago do not count."""
        now = hours(24 * 200)
        old = [e for n in range(40) for e in ticket(n + 500, now - timedelta(days=92), after=1)]
        for n, published in ((29, False), (30, True)):
            facts = [e for i in range(n) for e in ticket(i, now - timedelta(days=90), after=2)]
            assert (self.expected([*old, *facts], now, "5h") is not None) is published


class TestBacklog:
    def test_business_seconds_since_creation_of_open_tickets(self) -> None:
        """09:00 on five days to Friday 17:00 in office hours: 40, 32, 24, 16 and 8 h; paused time counts here."""
        now = MONDAY + timedelta(days=4, hours=8)
        facts = [e for n in range(5) for e in ticket(n, MONDAY + timedelta(days=n))]
        facts.append(status(hours(1), "Waiting", ticket="PLAT-0"))
        found = values(scene(facts, now, ticketing(OFFICE)), TICKET_BACKLOG_AGE)
        assert found == {
            ("help", "0.5"): 24 * 3600,
            ("help", "0.9"): pytest.approx(36.8 * 3600),
            ("help", "1.0"): 40 * 3600,
        }

    def test_the_oldest_is_known_even_of_one(self) -> None:
        """Quantiles need five tickets, the maximum one; without any it is absent."""
        assert values(scene([created()], hours(3)), TICKET_BACKLOG_AGE) == {("help", "1.0"): 10_800.0}
        assert values(scene(ticket(1, MONDAY, after=1), hours(3)), TICKET_BACKLOG_AGE) == {}


class TestReopened:
    def test_reopened_since_of_resolved_in_the_window(self) -> None:
        """Of five resolved one came back, twice: 0.2. One resolved and reopened long ago counts in neither."""
        now = hours(24 * 200)
        start = now - timedelta(days=20)
        facts = [e for n in range(5) for e in ticket(n, start, after=1)]
        facts += [reopened(hours(5, start), ticket="PLAT-0"), resolved(hours(6, start), ticket="PLAT-0")]
        facts += [reopened(hours(7, start), ticket="PLAT-0")]
        old = now - timedelta(days=150)
        facts += [*ticket(9, old, after=1), reopened(hours(2, old), ticket="PLAT-9")]
        assert values(scene(facts, now), TICKET_REOPEN) == {("help", "28d"): 0.2, ("help", "91d"): 0.2}

    def test_a_reopening_before_the_resolution_in_the_window_is_none_since(self) -> None:
        """Reopened 60 days ago, resolved for good 5 days ago: in 28 days it did not come back, in 91 it did."""
        now = hours(24 * 200)
        old, new = now - timedelta(days=60), now - timedelta(days=5)
        facts = [created(old), resolved(hours(1, old)), reopened(hours(2, old)), resolved(new)]
        found = values(replace(scene(facts, now), minimum=1), TICKET_REOPEN)
        assert found == {("help", "28d"): 0.0, ("help", "91d"): 1.0}

    def test_under_five_resolved_it_is_absent(self) -> None:
        """One of one is no habit."""
        assert values(scene([created(), resolved(hours(1)), reopened(hours(2))], hours(3)), TICKET_REOPEN) == {}


def run(team: str, at: datetime) -> PipelineRun:
    return PipelineRun(
        key=f"{team}/{at}",
        at=at,
        about=Ref(system="ci", kind="repository", id=f"acme/{team}"),
        pipeline="build",
        outcome=Outcome.SUCCESS,
        ran=timedelta(minutes=5),
        group=team,
    )


class TestLoad:
    NOW = hours(24 * 100)

    def load(self, *teams: tuple[str, str, Fact], fresh: bool = True) -> Values:
        facts = [e for n in range(6) for e in ticket(n, self.NOW - timedelta(days=10 + 10 * n))]
        ci = source("ci", watermark=self.NOW, fresh=fresh)
        return values(scene(facts, self.NOW, sources=[ci], teams=teams), TICKETS_PER_ACTIVE_TEAM)

    def test_tickets_created_by_teams_that_delivered_anything(self) -> None:
        """2 tickets and 3 teams in 28 days (a run, a deployment, a change), 6 tickets and 4 teams in 91 days."""
        at = self.NOW - timedelta(days=3)
        deployment = Deployment(
            key="d", at=at, about=Ref(system="ci", kind="repository", id="acme/b"), environment="prod", sha="1",
            result=DeployResult.SUCCESS,
        )  # fmt: skip
        change = Change(key="c", at=at, about=Ref(system="ci", kind="repository", id="acme/c"), sha="1", opened=at)
        found = self.load(
            ("ci", "a", run("a", at)),
            ("ci", "a", run("a", at - timedelta(days=1))),
            ("ci", "b", deployment),
            ("ci", "c", change),
            ("ci", "d", run("d", self.NOW - timedelta(days=60))),
            ("ci", "_unowned", run("x", at)),
        )
        assert found == {("help", "28d"): pytest.approx(2 / 3), ("help", "91d"): pytest.approx(6 / 4)}

    def test_without_active_teams_or_with_a_stale_source_of_deliveries_it_is_absent(self) -> None:
        """Nothing to divide by, or too little known of it."""
        assert self.load() == {}
        assert self.load(("ci", "a", run("a", self.NOW - timedelta(days=3))), fresh=False) == {}


ALL_GAUGES = (
    TICKETS_OPEN,
    TICKET_SLA_MET,
    TICKET_SLA_SECONDS,
    TICKET_AT_RISK,
    TICKET_EXPECTED_BREACHES,
    TICKET_BACKLOG_AGE,
    TICKET_REOPEN,
    TICKETS_PER_ACTIVE_TEAM,
)


class TestSources:
    @pytest.mark.parametrize("metric", ALL_GAUGES, ids=lambda m: m.name)
    def test_a_stale_source_has_no_gauges(self, metric: Metric) -> None:
        """Absent, never 0; likewise where the source was never read or none is configured."""
        facts = [created(ticket="PLAT-99"), *(e for n in range(40) for e in ticket(n, MONDAY, after=n))]
        teams = [("ci", "a", run("a", hours(90)))]
        ci = source("ci", watermark=hours(100))
        assert values(scene(facts, hours(100), sources=[ci], teams=teams), metric) != {}
        assert values(scene(facts, hours(100), sources=[ci], teams=teams, fresh=False), metric) == {}
        other = ticketing(source={"type": "zendesk"})
        assert values(scene(facts, hours(100), other, sources=[ci], teams=teams), metric) == {}

    def test_one_stale_source_of_two_makes_the_queue_absent(self) -> None:
        """Half of the tickets would look like all of them."""
        both = ticketing(source={"type": "jira"})
        old = source("jira-old", "jira", watermark=hours(1), fresh=False)
        at = scene([created()], hours(3), both)
        history = MemoryHistory([("jira", owner("a"), created())], sources=[*at.history.sources(), old])
        assert values(replace(at, history=history), TICKETS_OPEN) == {}

    def test_windows_end_at_the_watermark_and_not_at_now(self) -> None:
        """The clock says 30 h, the last complete poll began at 20 h: nothing is breached yet."""
        at = replace(scene([created()], hours(20)), now=hours(30))
        assert ("help", "resolution", "P3", "28d") not in values(at, TICKET_SLA_MET)
        assert [d.event.at for d in derive(at)] == [hours(4)]


def written(derived: Iterable[Derived]) -> list[Event]:
    return [d.event for d in derived]


class TestDerived:
    def test_a_decided_cycle_becomes_an_event_of_its_source(self) -> None:
        """Keyed by queue, SLA, ticket and number; about the ticket's project; at the moment of the decision."""
        (one,) = derive(scene([created(), comment(hours(1))], hours(3)))
        assert one == Derived(
            source="jira",
            event=SlaCycle(
                key="help/first_response/PLAT-1/1",
                at=hours(1),
                about=PROJECT,
                updated=hours(1),
                queue="help",
                sla="first_response",
                ticket="PLAT-1",
                priority="P3",
                result=SlaResult.MET,
                elapsed=3600.0,
                goal=14_400.0,
            ),
        )

    def test_a_cycle_is_kept_by_the_tickets_id_and_told_by_its_name(self) -> None:
        """When the ticket is moved its name changes, and no cycle is written a second time."""
        born = created(ticket="10001", name="PLAT-1")
        facts: list[Fact] = [born, comment(hours(1), ticket="10001")]
        first = written(derive(scene(facts, hours(3))))
        assert [(e.key, e.ticket) for e in first if isinstance(e, SlaCycle)] == [
            ("help/first_response/10001/1", "PLAT-1")
        ]
        moved = replace(born, name="OPS-9", updated=hours(2))
        assert derive(scene([*facts, moved, *first], hours(3))) == []

    def test_what_time_alone_decides_is_written_too(self) -> None:
        """Nothing happened to the ticket: at 4 h and at 24 h it passed its goals."""
        found = written(derive(scene([created()], hours(25))))
        assert [(e.key, e.at) for e in found] == [
            ("help/first_response/PLAT-1/1", hours(4)),
            ("help/resolution/PLAT-1/1", hours(24)),
        ]

    def test_what_is_written_is_not_said_again(self) -> None:
        """With and without memory of the last tick."""
        facts: list[Fact] = [created(), comment(hours(1))]
        measures = configured(Definitions(ticketing=(HELP,)))
        first = written(derive(scene(facts, hours(3)), measures))
        for _ in range(2):
            assert derive(scene([*facts, *first], hours(3)), measures) == []
        assert derive(scene([*facts, *first], hours(3))) == []

    def test_what_the_store_did_not_keep_is_said_again(self) -> None:
        """The tick failed after deriving."""
        at = scene([created(), comment(hours(1))], hours(3))
        measures = configured(at.definitions)
        assert derive(at, measures) == derive(at, measures) != []

    def test_what_the_store_has_no_more_is_said_again(self) -> None:
        """All was written, and nothing came since; then the written is gone, or a new day looks at all of it anew."""
        facts: list[Fact] = [created(), comment(hours(1))]
        measures = configured(Definitions(ticketing=(HELP,)))
        bare = scene(facts, hours(3))
        first = derive(bare, measures)
        whole = replace(scene([*facts, *written(first)], hours(3)), kept=bare.kept)
        assert [derive(at, measures) for at in (whole, bare)] == [[], first]

    def test_a_cycle_decided_anew_corrects_its_event(self) -> None:
        """Met, reopened, breached: the same key with a newer version, so that no counter moves."""
        facts: list[Fact] = [created(), resolved(hours(3))]
        kept = configured(Definitions(ticketing=(HELP,)))
        first = written(derive(scene(facts, hours(4)), kept))
        assert derive(scene([*facts, *first], hours(4)), kept) == []
        more = [*facts, *first, reopened(hours(5))]
        assert derive(scene(more, hours(6)), kept) == []
        (again,) = derive(scene(more, hours(100)), kept)
        assert derive(scene(more, hours(100))) == [again]
        assert isinstance(again.event, SlaCycle)
        assert (again.event.key, again.event.result) == ("help/resolution/PLAT-1/1", SlaResult.BREACHED)
        assert again.event.updated == again.event.at == hours(26)
        assert derive(scene([*more, again.event], hours(100)), kept) == []

    def test_a_cycle_first_decided_after_its_ticket_was_settled_is_written(self) -> None:
        """Answered while waiting for the customer, and all decided so far is written; resolved after that."""
        kept = configured(Definitions(ticketing=(HELP,)))
        facts: list[Fact] = [created(), status(hours(1), "Waiting"), comment(hours(2))]
        first = written(derive(scene(facts, hours(3)), kept))
        assert derive(scene([*facts, *first], hours(3)), kept) == []
        (end,) = derive(scene([*facts, *first, resolved(hours(4))], hours(5)), kept)
        assert end.event.key == "help/resolution/PLAT-1/1"

    def test_other_goals_do_not_rewrite_what_was_judged(self) -> None:
        """A stricter definition judges the windows anew, never what was written."""
        facts: list[Fact] = [created(), resolved(hours(3))]
        first = written(derive(scene(facts, hours(4))))
        strict = ticketing(slas=[{"id": "resolution", "goal": {"default": "1h"}}])
        at = scene([*facts, *first], hours(4), strict)
        assert derive(at) == []
        assert values(at, TICKET_SLA_MET)["help", "resolution", "P3", "28d"] == 0.0

    def test_restarted_cycles_have_numbers(self) -> None:
        """The second clock is a second event."""
        facts = [created(), resolved(hours(3)), reopened(hours(5)), resolved(hours(6))]
        keys = [e.key for e in written(derive(scene(facts, hours(9), ticketing(reopen="restart"))))]
        assert keys == ["help/first_response/PLAT-1/1", "help/resolution/PLAT-1/1", "help/resolution/PLAT-1/2"]

    def test_tickets_that_are_not_valid_give_no_events(self) -> None:
        """A duplicate is nobody's SLA."""
        assert derive(scene([created(), resolved(hours(3), "Duplicate")], hours(4))) == []

    def test_before_the_first_complete_poll_nothing_is_decided(self) -> None:
        """The answer may stand on a page not read yet."""
        at = scene([created()], hours(99))
        history = MemoryHistory(
            [("jira", owner("a"), created())], sources=[source("jira", watermark=None, fresh=False)]
        )
        assert derive(replace(at, history=history)) == []

    def test_a_decided_cycle_counts_once_by_queue_sla_priority_and_result(self) -> None:
        """The counter is fed by the event."""
        (event,) = written(derive(scene([created(), comment(hours(1))], hours(3))))
        (increment,) = counted(event, JIRA)
        assert increment.metric is TICKET_SLA_CYCLES
        assert increment.labels == ("help", "first_response", "P3", "met")


lives = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from(["P1", "P3"]),
        st.lists(st.tuples(st.integers(0, 60), st.sampled_from("wocrxpamb")), max_size=5),
    ),
    max_size=6,
)


def history_of(found: list[tuple[int, str, list[tuple[int, str]]]]) -> list[TicketEvent]:
    facts: list[TicketEvent] = []
    for n, (start, level, steps) in enumerate(found):
        id_ = f"PLAT-{n}"
        facts.append(created(hours(start), ticket=id_, priority=level))
        for i, (wait, letter) in enumerate(steps):
            at, key = hours(start + wait), f"{n}/{i}"
            facts.append(
                {
                    "w": status(at, "Waiting", ticket=id_, key=key),
                    "o": status(at, "Open", ticket=id_, key=key),
                    "c": status(at, "Closed", ticket=id_, key=key),
                    "r": comment(at, Role.REPORTER, ticket=id_, key=key),
                    "a": comment(at, ticket=id_, key=key),
                    "x": resolved(at, "Duplicate", ticket=id_, key=key),
                    "p": priority(at, "P1", ticket=id_, key=key),
                    "m": step(at, TicketChange.MOVED, ticket=id_, key=key, queue="OPS"),
                    "b": step(at, TicketChange.MOVED, ticket=id_, key=key),
                }[letter]
            )
    return facts


def everything(at: Scene, measures: Sequence[Measure]) -> list[object]:
    at = replace(at, minimum=1)
    return [*(values(at, metric, measures) for metric in ALL_GAUGES), derive(at, measures)]


@settings(max_examples=60)
@given(lives, st.integers(1, 120), st.data())
def test_order_repetition_and_paging_change_no_number(
    found: list[tuple[int, str, list[tuple[int, str]]]], until: int, data: st.DataObject
) -> None:
    """Read in one go, or shuffled, with repeats and in pages between which one looks: every number is the same."""
    facts = history_of(found)
    shuffled = data.draw(st.permutations([*facts, *facts[: data.draw(st.integers(0, 4))]]))
    expected = everything(scene(facts, hours(until)), configured(Definitions(ticketing=(HELP,))))
    kept = configured(Definitions(ticketing=(HELP,)))
    for end in sorted(data.draw(st.lists(st.integers(0, len(shuffled)), max_size=3))):
        everything(scene(shuffled[:end], hours(data.draw(st.integers(1, until)))), kept)
    assert sorted(map(repr, flat(everything(scene(shuffled, hours(until)), kept)))) == sorted(map(repr, flat(expected)))


def flat(found: list[object]) -> list[object]:
    return [pair for one in found for pair in (one.items() if isinstance(one, dict) else one)]  # type: ignore[attr-defined]

"""One traffic, told to four systems: what the exporter reads out of each is the truth, and so the same.

Prometheus and OpenSearch are real, CloudWatch is moto's, Datadog is in its documented form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from tests.support.between import away
from tests.support.four_sources import ROWS, Exporter, Row, Said, exporter
from tests.support.four_systems import BY_GOOD, LAG, NAMES, SCRAPE, Systems, scraped, systems
from tests.support.real_source import utc_now
from tests.support.slos import RATIO
from tests.support.traffic import MINUTE, Truth, shop_day
from tests.support.waiting import until

from platform_meter.render.rules import rules
from platform_meter.slo.check import read_slos
from platform_meter.slo.plan import plan
from platform_meter.sources.kit.minutes import LATE

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POLL = timedelta(seconds=30)
"""After a minute's end; each source then knows all but its delay."""
SLOS = (*NAMES, BY_GOOD)
ALLOWED = 0.001
OUTAGES = {"5 %": (9 * 60, 9 * 60 + 35), "all": (14 * 60 + 5, 14 * 60 + 20)}
"""When is read minute by minute, in minutes of the day."""


@pytest.fixture(scope="module")
def midnight() -> datetime:
    """Days ago, so that every server's clock is past all that is asked for."""
    return utc_now().replace(hour=0, minute=0, second=0, microsecond=0) - 5 * DAY


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    with systems(tmp_path_factory.mktemp("four")) as made:
        yield made


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What was said of one SLO after a poll, and what is true of the time that its source then knows."""

    known: timedelta
    """Until when all is known, from midnight."""
    said: Said
    true: Mapping[str, tuple[int, int]]
    """All and bad by window."""


Day = Mapping[str, list[Moment]]
"""By SLO, in order."""


@pytest.fixture(scope="module")
def day(four: Systems, midnight: datetime, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """A shop's day, read in its quiet night, minute by minute around both outages, and when it is over."""
    traffic = shop_day(midnight)
    four.tell(traffic, midnight, midnight + DAY, pod="a")
    truth, found = Truth(traffic), {slo: list[Moment]() for slo in SLOS}
    polls = [*range(4 * 60, 4 * 60 + 5), *(n for ends in OUTAGES.values() for n in range(*ends)), 24 * 60 + 10]
    with exporter(tmp_path_factory.mktemp("day"), four, midnight, history=5 * HOUR) as made:
        for minute in polls:
            assert made.poll(midnight + minute * MINUTE + POLL) == {}
            for slo, said in made.said().items():
                known = minute * MINUTE - made.behind[slo]
                end = midnight + known - LAG.get(slo, timedelta())
                true = {label: truth.counted(end - length, end) for label, length in made.windows}
                found[slo].append(Moment(known=known, said=said, true=true))
    return found


@pytest.mark.parametrize("slo", NAMES)
def test_every_window_counts_what_there_was(day: Day, slo: str) -> None:
    """After each poll, until what the source then knows: good and bad events, and a burn where there was an event at all."""
    for moment in day[slo]:
        said = moment.said
        assert said.bad == pytest.approx({w: bad for w, (_, bad) in moment.true.items()}, abs=1e-5), f"{moment.known}"
        assert said.good == pytest.approx({w: n - bad for w, (n, bad) in moment.true.items()}, abs=1e-5)
        burns = {window: bad / n / ALLOWED for window, (n, bad) in moment.true.items() if n}
        assert said.burn == pytest.approx(burns, rel=1e-6)
        assert said.left == pytest.approx(1 - burns["28d"])


def test_the_day_is_as_it_should_be(day: Day) -> None:
    """A night with minutes and whole windows without a request; a budget that is spent more than three times."""
    night = [moment for moment in day["elasticsearch"] if moment.known < 5 * HOUR]
    assert {moment.true["5m"][0] for moment in night} == {0}
    assert all("5m" not in moment.said.burn and moment.said.burn["1h"] == 0 for moment in night)
    assert day["elasticsearch"][-1].true["28d"] == (21491, 99)


def test_four_sources_say_the_same(day: Day) -> None:
    """What is left of the budget, and the share of bad events in each window, within one point whenever all four know as
    much. Prometheus is seconds behind: of five minutes, and of the budget while an outage goes on, these are more.
    """
    by_time = [{moment.known: moment.said for moment in day[name]} for name in NAMES]
    both = sorted(set.intersection(*(set(found) for found in by_time)))
    assert len(both) > 40
    for known in both:
        of_each = [found[known] for found in by_time]
        for window in of_each[0].burn.keys() - {"5m"}:
            shares = [said.burn[window] * ALLOWED for said in of_each]
            assert max(shares) - min(shares) < 0.01, f"{known} {window}"
    for known in (4 * HOUR, 9 * HOUR, 14 * HOUR + 6 * MINUTE, 14 * HOUR + 15 * MINUTE):
        left = [found[known].left or 0.0 for found in by_time]
        assert max(left) - min(left) < 0.01
    assert [day[name][-1].said.left for name in SLOS] == pytest.approx([-3.6066] * 6, abs=1e-4)


def begins(moments: list[Moment], row: Row, first: int, last: int) -> timedelta | None:
    """What is known when the row fires first."""
    of_it = (moment for moment in moments if first * MINUTE <= moment.known < last * MINUTE)
    return next((moment.known for moment in of_it if row in moment.said.fires()), None)


@pytest.mark.parametrize(
    ("outage", "row", "begin"),
    [
        ("5 %", ROWS[0], 9 * 60 + 17),
        ("5 %", ROWS[1], 9 * 60 + 29),
        ("5 %", ROWS[2], 9 * 60 + 14),
        ("5 %", ROWS[3], 9 * 60 + 3),
        ("all", ROWS[0], 14 * 60 + 11),
        ("all", ROWS[1], 14 * 60 + 11),
    ],
)
def test_pages_begin_within_a_minute_of_each_other(day: Day, outage: str, row: Row, begin: int) -> None:
    """Beyond what each source's reading is behind, and within a minute of the truth."""
    found = {name: begins(day[name], row, *OUTAGES[outage]) for name in NAMES}
    assert set(found.values()) <= {begin * MINUTE, (begin + 1) * MINUTE}, found


@pytest.mark.parametrize("row", ROWS[:2])
def test_an_outage_of_all_is_known_later_by_good_events_alone(day: Day, row: Row) -> None:
    """A minute without any may have some that are late, and is waited for."""
    first, found = (begins(day[slo], row, *OUTAGES["all"]) for slo in ("datadog", BY_GOOD))
    assert first is not None
    assert found is not None
    behind = timedelta(minutes=2)
    assert found + behind <= first + LATE
    assert found > first


def test_rules_of_prometheus_say_what_the_sources_say(four: Systems, day: Day, tmp_path: Path) -> None:
    """An SLO of `type: prometheus` is counted by Prometheus itself, as time goes on: 20 minutes into an outage its windows
    up to an hour are true within one point, and it pages as the others do.
    """
    now = utc_now().replace(second=0, microsecond=0)
    traffic = shop_day(now - 9 * HOUR - 20 * MINUTE)
    four.tellers["prometheus"].tell(
        {begin: traffic[begin] for begin in traffic if now - 2 * HOUR <= begin < now + 10 * MINUTE}, traffic, "now"
    )
    checked = read_slos([("shop.yaml", RATIO.replace("http_requests_total", "shop_requests_total"))])
    (written,) = rules([plan(spec) for spec in checked.specs])
    short = [
        {**group, "interval": "1s"}
        for group in yaml.safe_load(written.text)["groups"]
        if group["name"].endswith(" short")
    ]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": short}))
    burn = 'slo:burn:rate{slo="shop-requests"}'
    with four.configured(rule_files=[str(tmp_path / "rules.yml")]):
        until(lambda: len(four.prometheus.query(burn)) == 3)
        moment = utc_now().timestamp()
        found = {labels["window"]: value for labels, value in four.prometheus.query(burn, at=moment)}
        made = {labels["window"]: value for labels, value in four.prometheus.query(f"timestamp({burn})", at=moment)}
    truth = Truth(traffic)
    for window, length in (("5m", 5 * MINUTE), ("30m", 30 * MINUTE), ("1h", HOUR)):
        end = datetime.fromtimestamp(made[window], UTC)
        n, bad = truth.counted(scraped(end - length) + timedelta(seconds=SCRAPE), scraped(end))
        assert found[window] * ALLOWED == pytest.approx(bad / n, abs=0.01)
    assert min(found["1h"], found["5m"]) > ROWS[0].factor
    others = [moment.said for name in NAMES for moment in day[name] if moment.known == 9 * HOUR + 20 * MINUTE]
    assert [ROWS[0] in said.fires() for said in others] == [True] * 5


def even(midnight: datetime, bad: int, first: str = "11:00", last: str = "14:00") -> dict[datetime, tuple[int, int]]:
    """Ten requests a minute."""
    begin, end = at(midnight, first), at(midnight, last)
    return {begin + n * MINUTE: (10, bad) for n in range((end - begin) // MINUTE)}


def at(midnight: datetime, clock: str) -> datetime:
    hours, minutes = clock.split(":")
    return midnight + int(hours) * HOUR + int(minutes) * MINUTE


Count = tuple[float, float]


def in_an_hour(made: Exporter) -> dict[str, Count]:
    """Good and bad."""
    return {slo: (said.good["1h"], said.bad["1h"]) for slo, said in made.said().items()}


def behind_by(one: Count, two: Count, three: Count) -> dict[str, Count]:
    """What each SLO has whose source is read so many minutes behind."""
    of_two, of_three = ("datadog", BY_GOOD, "elasticsearch"), ("apigateway", "cloudwatch")
    return {"prometheus": one, **dict.fromkeys(of_two, two), **dict.fromkeys(of_three, three)}


def firing(made: Exporter) -> set[str]:
    return {slo for slo, said in made.said().items() if said.fires()}


def test_minutes_that_come_twice_count_what_came_last(four: Systems, midnight: datetime, tmp_path: Path) -> None:
    """One of two pods is cut off; when its counts come, they are among those of the minutes they were made in."""
    of = midnight + DAY
    well, failing = even(of, 0), even(of, 1)
    four.tell(well, at(of, "11:00"), at(of, "12:30"), pod="a")
    four.tell(failing, at(of, "11:00"), at(of, "12:20"), pod="b")
    with exporter(tmp_path, four, of, history=2 * HOUR) as made:
        assert made.poll(at(of, "12:30") + POLL) == {}
        assert in_an_hour(made) == behind_by((1059, 51), (1068, 52), (1077, 53))
        four.tell(well, at(of, "12:30"), at(of, "12:34"), pod="a")
        four.tell(failing, at(of, "12:20"), at(of, "12:34"), pod="b")
        assert made.poll(at(of, "12:34") + POLL) == {}
        assert in_an_hour(made) == dict.fromkeys(SLOS, (1140, 60))


def test_what_stood_still_for_an_hour_is_counted_when_it_comes(
    four: Systems, midnight: datetime, tmp_path: Path
) -> None:
    """Meanwhile sources answer and know of no event, so nothing burns; with the next quarter of an hour all is right."""
    of = midnight + 2 * DAY
    traffic = even(of, 0) | even(of, 1, "12:00", "13:10")
    four.tell(traffic, at(of, "10:30"), at(of, "12:00"), pod="a")
    with exporter(tmp_path, four, of, history=2 * HOUR) as made:
        for clock in ("12:00", "12:15", "12:30", "12:45", "12:59"):
            assert made.poll(at(of, clock) + POLL) == {}
            assert firing(made) == set()
        assert {slo: "5m" in said.burn for slo, said in made.said().items()} == dict.fromkeys(SLOS, False)
        four.tell(traffic, at(of, "12:00"), at(of, "13:10"), pod="a")
        assert made.poll(at(of, "13:03") + POLL) == {}
        assert in_an_hour(made) == dict.fromkeys(SLOS, (540, 60))
        assert firing(made) == set(SLOS)


@pytest.fixture(scope="module")
def outage(four: Systems, midnight: datetime) -> datetime:
    """The midnight of a day on which all fails from 12:30 to 13:30."""
    of = midnight + 3 * DAY
    traffic = even(of, 0) | even(of, 10, "12:30", "13:30")
    four.tell(traffic, at(of, "11:00"), at(of, "14:00"), pod="a")
    return of


@pytest.mark.parametrize("gone", [("cloudwatch", "prometheus"), ("datadog", "elasticsearch")])
def test_a_source_that_is_away_for_an_hour_burns_nothing(
    four: Systems, outage: datetime, tmp_path: Path, gone: tuple[str, str]
) -> None:
    """What was known stands for three polls, then nothing is said; others go on, and all is right when it is back."""
    tellers = [four.tellers[name] for name in gone]
    hidden = {slo for teller in tellers for slo in teller.slos}
    failing = {name for teller in tellers for name in teller.sources}
    with exporter(tmp_path, four, outage, history=2 * HOUR) as made:
        assert made.poll(at(outage, "12:30") + POLL) == {}
        with tellers[0].way.spoiled(away), tellers[1].way.spoiled(away):
            for clock in ("12:31", "12:33", "12:34", "12:40", "13:29"):
                assert made.poll(at(outage, clock) + POLL).keys() == failing
                assert not hidden & firing(made)
                assert all(bool(made.said()[slo].good) == (clock < "12:34") for slo in hidden)
        assert firing(made) == set(SLOS) - hidden
        for clock in ("13:30", "13:35"):
            assert made.poll(at(outage, clock) + POLL) == {}
        assert in_an_hour(made) == behind_by((40, 560), (30, 570), (20, 580))


def test_of_an_answer_that_is_not_whole_nothing_counts(four: Systems, midnight: datetime, tmp_path: Path) -> None:
    """A shard away, a Prometheus behind it that does not answer, metrics in part, a query that timed out: the poll fails
    with the reason, and with the next one that is whole all is right.
    """
    of = midnight + 4 * DAY
    four.tell(even(of, 1, "11:00", "12:30") | even(of, 0, "12:30"), at(of, "11:00"), at(of, "14:00"), pod="a")
    with exporter(tmp_path, four, of, history=2 * HOUR) as made:
        assert made.poll(at(of, "12:30") + POLL) == {}
        before = in_an_hour(made)
        with four.in_part():
            failed = made.poll(at(of, "12:32") + POLL)
        told = {
            "apigateway": "1 of 3 metrics are not whole (PartialData)",
            "cloudwatch": "1 of 1 metrics are not whole (PartialData)",
            "datadog": "Datadog refuses the query: The query timed out",
            "elasticsearch": "the answer is not whole: 1 of 3 shards did not answer",
            "prometheus": "the server says its answer may not be whole: remote_read",
        }
        assert [name for name in NAMES if told[name] not in failed.get(name, "")] == []
        assert in_an_hour(made) == before
        assert made.poll(at(of, "12:34") + POLL) == {}
        assert in_an_hour(made) == behind_by((543, 57), (542, 58), (541, 59))

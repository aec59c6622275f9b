"""Ratings of requests: what is asked for, whose they are, and what is left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.sources.jira.jira_server import MADE, SERVICE_FIELDS, Jira, Row, issue, person, rated

from platform_meter.model.facts import Fact
from platform_meter.model.facts.surveys import SurveyResponse
from platform_meter.model.source import Unexpected
from platform_meter.sources.jira import Config, check, connect
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


def hours(before: float) -> datetime:
    return NOW - timedelta(hours=before)


def config(**settings: Any) -> Config:
    said = {"url": "https://acme.atlassian.net", "token": {"env": "T"}, "ratings": True}
    return Config.model_validate({**said, **settings})


def poll(world: Jira, checkpoint: bytes | None = None, **settings: Any) -> tuple[list[Fact], FakeOutside, bytes | None]:
    """Facts, what was asked, and the place to go on."""
    outside = FakeOutside(world)
    stream = connect(config(**settings), outside, "jira")[-1]
    pages = list(stream.read(checkpoint, hours(240), NOW))
    return [fact for page in pages for fact in page.facts], outside, pages[-1].checkpoint


def world(*rows: Row) -> Jira:
    return Jira(list(rows), listed={"field": SERVICE_FIELDS})


def test_ratings_are_asked_for_by_when_they_were_given() -> None:
    """Whatever changed of the issue; in the order of what never changes, page by page, once an hour at most."""
    rows = [issue(n, hours(300 - n), hours(200), **rated(hours(9 - n), n)) for n in (1, 2, 3)]
    found, outside, checkpoint = poll(world(*rows), projects=["PLAT"])
    assert [(f.at, f.answers, f.subject) for f in found if isinstance(f, SurveyResponse)] == [
        (hours(6), (("score", 3.0),), "10003"),
        (hours(7), (("score", 2.0),), "10002"),
        (hours(8), (("score", 1.0),), "10001"),
    ]
    searches = [call.body["jql"] for call in outside.calls if call.method == "POST"]
    assert searches == ['project in ("PLAT") AND cf[12] >= "2026-05-10 07:59" ORDER BY created DESC'] * 2
    stream = connect(config(), FakeOutside(world()), "jira")[-1]
    assert (stream.name, stream.every) == ("ratings", timedelta(hours=1))
    later, outside, _ = poll(world(*rows), checkpoint, projects=["PLAT"])
    assert later == []
    (search,) = [call.body["jql"] for call in outside.calls if call.method == "POST"]
    (asked,) = MADE.findall(search)
    assert asked[1] > "2026-05-20"


def test_other_questions_are_asked_from_the_beginning() -> None:
    """Of another project nothing was told yet."""
    rated_once = issue(1, hours(300), hours(200), **rated(hours(100), 5))
    _, _, checkpoint = poll(world(rated_once), projects=["PLAT"])
    assert poll(world(rated_once), checkpoint, projects=["PLAT"])[0] == []
    assert len(poll(world(rated_once), checkpoint)[0]) == 1


def test_of_whom_nobody_knows_each_rating_is_somebody_elses() -> None:
    """And whose group nobody tells, that of none; the person who asked is a hash, and an app is nobody."""
    rows = [
        issue(1, hours(50), hours(9), reporter=None, creator=None, **rated(hours(3), 5)),
        issue(2, hours(49), hours(9), reporter=person("mailbox", "app"), **rated(hours(2), 5)),
        issue(3, hours(48), hours(9), **rated(hours(1), 5)),
    ]
    found, _, _ = poll(world(*rows))
    told = {f.subject: (f.respondent, f.about.id) for f in found if isinstance(f, SurveyResponse)}
    assert told == {
        "10001": ("10001/rating", "organizations/none"),
        "10002": ("10002/rating", "organizations/none"),
        "10003": ("ce7cac734c894713", "organizations/none"),
    }


@pytest.mark.parametrize("stars", [None, 0, 6, "5", 4.5, True])
def test_what_is_no_number_of_stars_is_counted_and_left_out(stars: object) -> None:
    """As is one of which nobody knows when it was."""
    outside = FakeOutside(world(issue(1, hours(50), hours(9), **rated(hours(3), stars))))
    pages = list(connect(config(), outside, "jira")[-1].read(None, hours(240), NOW))
    assert [fact for page in pages for fact in page.facts] == []
    assert sum(sum(page.rejected.values()) for page in pages) == 1


def test_without_service_management_check_says_what_to_do() -> None:
    """And no poll tells that nobody rated anything."""
    bare = Jira([], listed={"field": []})
    text = "{0}: the account sees no field of the kind com.atlassian.servicedesk:{1}; make it an agent of a service "
    text += "project, or remove {0} where there is no Service Management"
    said = [text.format("request_types", "vp-origin"), text.format("ratings", "sd-request-feedback")]
    assert list(check(config(request_types=True), FakeOutside(bare))) == said
    with pytest.raises(Unexpected, match="ratings: the account sees no field"):
        poll(bare)

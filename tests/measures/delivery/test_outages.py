"""Outages: which records are one incident, and which ones count."""

from __future__ import annotations

from dataclasses import replace

from tests.support.delivery import at, broken, story
from tests.support.history import owner

from platform_meter.measures.delivery.counts import service_of
from platform_meter.model.definitions import Definitions
from platform_meter.model.delivering import Delivery
from platform_meter.model.facts import Ref
from platform_meter.model.facts.incidents import IncidentWay, Severity

ISSUES = Ref(system="jira", kind="project", id="SHOP")


def test_one_incident_told_by_three_tools_is_one() -> None:
    """A ticket names the page, an alert is named by it: start is the earliest, end the latest, severity the worst."""
    page = broken(2, 4, "PD1", mentions=("alert-7",), severity=Severity.MINOR)
    ticket = broken(3, 9, "SHOP-1", mentions=("PD1",), way=IncidentWay.TICKET, severity=Severity.CRITICAL, about=ISSUES)
    alert = broken(1, 3, "alert-7", way=IncidentWay.ALERT, url="https://am/7")
    (found,) = story(page, ticket, alert).outages
    assert (found.start, found.end, found.severity) == (at(1), at(9), Severity.CRITICAL)
    assert [record.part.name for record in found.records] == ["PD1", "SHOP-1", "alert-7"]


def test_records_name_each_other_by_address_too() -> None:
    """The address of a record is one of its names."""
    page = broken(2, 4, "PD1", url="https://pd.example/incidents/PD1")
    ticket = broken(3, 9, "SHOP-1", mentions=("https://pd.example/incidents/PD1",), way=IncidentWay.TICKET)
    assert len(story(page, ticket).outages) == 1


def test_where_none_names_another_one_way_tells_a_service() -> None:
    """Tickets of a service that pages tell of are not counted again; of another service they are."""
    page, ticket = broken(2, 4, "PD1"), broken(2, 5, "SHOP-1", way=IncidentWay.TICKET)
    others = (owner("search"), broken(7, 8, "SEARCH-1", way=IncidentWay.TICKET, about=ISSUES))
    assert [one.first.part.name for one in story(page, ticket, others).outages] == ["PD1", "SEARCH-1"]
    tickets = Definitions(deliveries=(Delivery(kind="Delivery", id="delivery", incidents=(IncidentWay.TICKET,)),))
    assert [one.first.part.name for one in story(page, ticket, definitions=tickets).outages] == ["SHOP-1"]


def test_acknowledged_is_not_resolved() -> None:
    """Somebody took it on; it ends when it is resolved."""
    (found,) = story(broken(2, None, acknowledged=at(3))).outages
    assert found.end is None


def test_one_that_has_an_ended_record_is_over() -> None:
    """A ticket that nobody closed keeps no page open."""
    page = broken(2, 4, "PD1")
    ticket = broken(3, None, "SHOP-1", mentions=("PD1",), way=IncidentWay.TICKET)
    (found,) = story(page, ticket).outages
    assert found.end == at(4)


def test_what_its_tool_says_was_none_counts_nothing() -> None:
    """Duplicates and false alarms, and nothing is joined through them."""
    assert story(broken(2, 4, valid=False)).outages == []


def test_the_service_is_the_first_that_a_record_knows() -> None:
    """What nobody owns gives way; where no record knows a service, the object stands for itself."""
    nobody = owner("_unowned", "_unowned")
    page = (nobody, broken(2, 4, "PD1"))
    ticket = broken(3, 5, "SHOP-1", mentions=("PD1",), way=IncidentWay.TICKET, about=ISSUES)
    (found,) = story(page, ticket).outages
    assert (found.service, found.owner.team) == ("shop", "pay")
    (alone,) = story(page).outages
    assert alone.service == service_of(alone.owner, alone.first.object) == alone.first.object


def test_outages_come_in_order_of_their_start() -> None:
    """Whatever order they were told in."""
    assert [one.start for one in story(broken(5, 6), replace(broken(3, 9), key="b")).outages] == [at(3), at(5)]


def test_of_which_the_end_alone_is_known_is_no_outage_yet() -> None:
    """Its start may still be told; where it was noticed or taken on before, it began no later."""
    assert story(broken(4, 4)).outages == []
    (found,) = story(broken(4, 9, detected=at(2), acknowledged=at(3))).outages
    assert (found.start, found.end) == (at(2), at(9))

"""Ids lead, today's names follow, what the changelog says stays known."""

from __future__ import annotations

from platform_meter.model.facts.tickets import Alias
from platform_meter.sources.jira.names import Names
from platform_meter.sources.jira.rows import Item, Named

FERTIG = Named(id="7", name="Fertig")


def _item(after: str | None, text: str | None) -> Item:
    return Item(field="status", after=after, to_string=text)


def test_a_renamed_status_is_called_as_today() -> None:
    """The changelog says Erledigt, which has id 7; that is Fertig now, and Erledigt stays known."""
    names = Names()
    assert names.ends("status", FERTIG, _item("7", "Erledigt"))
    assert names.of("status", "7", "Erledigt") == "Fertig"
    assert names.aliases("status", "Fertig") == (Alias("status", "Fertig", "Erledigt"),)
    assert names.aliases("priority", "Fertig") == ()


def test_another_id_is_another_value_whatever_it_is_called() -> None:
    """Two statuses of one name are two; without ids the names are all there is."""
    assert not Names().ends("status", FERTIG, _item("8", "Fertig"))
    assert Names().ends("status", FERTIG, _item(None, "Fertig"))
    assert not Names().ends("status", FERTIG, _item(None, "Offen"))


def test_a_field_that_shows_no_id_has_that_of_its_last_change() -> None:
    """The fields say Hoch, the changelog High."""
    names = Names()
    assert names.ends("priority", Named(name="Hoch"), Item(field="priority", after="2", to_string="High"))
    assert names.of("priority", "2", "High") == "Hoch"


def test_an_empty_field_ends_a_change_to_nothing() -> None:
    """Of a resolution that was taken back."""
    assert Names().ends("resolution", None, Item(field="resolution"))
    assert not Names().ends("resolution", None, Item(field="resolution", after="1", to_string="Done"))


def test_what_no_issue_shows_is_asked_for_once() -> None:
    """A list tells all names of a field; one that nobody has any more keeps the name it had."""
    asked = []

    def listed(field: str) -> dict[str, str]:
        asked.append(field)
        return {"1": "Offen", "2": "In Arbeit"}

    names = Names(listed)
    assert [names.of("status", id_, text) for id_, text in (("1", "Open"), ("2", "Doing"), ("9", "Gone"))] == [
        "Offen",
        "In Arbeit",
        "Gone",
    ]
    assert asked == ["status"]


def test_a_rename_between_two_polls_is_seen_though_no_changelog_has_the_old_name() -> None:
    """What was told before bears it."""
    told: dict[str, dict[str, str]] = {}
    Names(told=told).saw("status", Named(id="7", name="Erledigt"))
    assert told == {"status": {"7": "Erledigt"}}
    later = Names(told=told)
    later.saw("status", FERTIG)
    assert later.aliases("status", "Fertig") == (Alias("status", "Fertig", "Erledigt"),)
    assert told == {"status": {"7": "Fertig"}}


def test_other_fields_have_no_names_of_their_own() -> None:
    """An assignee's id is nobody's business."""
    assert Names(lambda _: {"1": "Ada"}).of("assignee", "1", "ada") == "ada"

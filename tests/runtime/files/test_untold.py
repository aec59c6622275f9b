"""What Ticketing files take of a source that does not tell it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.problems.fake_sources import TYPES

from platform_meter.runtime.files.config import SourceSection
from platform_meter.runtime.files.definitions import read_definitions
from platform_meter.runtime.files.untold import untold
from platform_meter.sources import load

ACCOUNT: dict[str, Any] = {"url": "https://acme.example", "token": {"env": "T"}}
FORMS = "kind: Ticketing\nid: {id}\nsource: {{type: {type}}}\ncategory: {{from: request_type}}\n"
CLOCKS = "kind: Ticketing\nid: {id}\nsource: {{type: {type}}}\nslas: [{{id: resolution, clock: source}}]\n"


def section(type_: str, **settings: Any) -> SourceSection:
    account = {"url": ACCOUNT["url"], "api_key": ACCOUNT["token"]} if type_ == "servicenow" else ACCOUNT
    return SourceSection(type_name=type_, config=load()[type_].config.model_validate({**account, **settings}))


def told(text: str, **sections: SourceSection) -> list[tuple[int, int, str]]:
    found = untold(read_definitions([("a.yaml", text)]).declared, load(), sections)
    return [(problem.line, problem.column, problem.text) for problem in found]


def without(name: str, switch: str, what: str, then: str) -> str:
    return f"source '{name}' does not read {what}; {then}; write {switch}: true in its section of the configuration"


def unread(name: str) -> str:
    return without(name, "request_types", "the form that a request was made with", "every ticket's category is 'none'")


def test_forms_that_the_settings_leave_out_are_told_where_a_queue_takes_them() -> None:
    """With the setting to write; once it is written nothing is said, nor of a queue with other categories."""
    queue = FORMS.format(id="q", type="jira")
    assert told(queue, desk=section("jira")) == [(4, 18, unread("desk"))]
    assert told(queue, desk=section("jira", request_types=True)) == []
    assert told(queue.replace("request_type", "issue_type"), desk=section("jira")) == []


def test_each_source_that_the_queue_may_stand_in_is_told_and_no_other() -> None:
    """A queue that names one of two is that one's alone, and what no settings are known of says nothing."""
    two = {"eu": section("jira"), "us": section("jira", request_types=True), "asia": section("jira")}
    queue = FORMS.format(id="q", type="jira")
    assert told(queue, **two) == [(4, 18, unread("asia")), (4, 18, unread("eu"))]
    assert told(queue.replace("jira}", "jira, instance: us}"), **two) == []
    assert told(queue.replace("jira}", "jira, instance: eu}"), **two) == [(4, 18, unread("eu"))]
    assert told(queue) == []


def test_every_queue_whose_categories_stay_none_is_told() -> None:
    """Each has a place of its own to mend."""
    text = "---\n".join(FORMS.format(id=id_, type="jira") for id_ in ("a", "b"))
    assert [line for line, _, _ in told(text, desk=section("jira"))] == [4, 9]


def test_a_tool_without_forms_is_told_with_other_categories() -> None:
    """No setting would help, so none has to be known."""
    text = (
        "source 'zendesk' does not tell the form that a request was made with; every ticket's category is 'none'; "
        "write component, label or issue_type"
    )
    assert told(FORMS.format(id="q", type="zendesk")) == [(4, 18, text)]


def test_a_tool_that_tells_forms_anyhow_has_no_switch() -> None:
    """As one of an installed package may: nothing is to be written."""
    types = {"zendesk": replace(load()["zendesk"], on_request={"request_type": ""})}
    found = read_definitions([("a.yaml", FORMS.format(id="q", type="zendesk"))])
    assert untold(found.declared, types, {"desk": section("zendesk")}) == []


def test_a_clock_that_no_source_tells_is_computed() -> None:
    """Said once a type, where the type is one that tells none; an unknown type is told elsewhere."""
    types = ["github", "github", "jira", "sap"]
    text = "---\n".join(CLOCKS.format(id=f"q{n}", type=t) for n, t in enumerate(types))
    found = untold(read_definitions([("a.yaml", text)]).declared, {"github": TYPES["github"]}, {})
    said = "source 'github' does not tell its tool's own SLA clocks; this one is computed"
    assert [(p.line, p.text) for p in found] == [(4, said)]


def test_clocks_that_the_settings_leave_out_are_told_once_a_source() -> None:
    """Of each tool that has some, with the setting to write."""
    for type_ in ("jira", "zendesk", "servicenow"):
        text = "---\n".join(CLOCKS.format(id=id_, type=type_) for id_ in ("a", "b"))
        said = without("desk", "sla_clocks", "its tool's own SLA clocks", "this one is computed")
        assert told(text, desk=section(type_)) == [(4, 32, said)]
        assert told(text, desk=section(type_, sla_clocks=True)) == []
        assert told(text.replace("clock: source", "clock: computed"), desk=section(type_)) == []


def test_what_is_told_on_request_names_a_switch_that_is_off() -> None:
    """Of every type of source: a name that is no setting would end the check."""
    for source in load().values():
        for switch in source.on_request.values():
            assert source.config.model_fields[switch].default is False, f"{source.name}: {switch}"

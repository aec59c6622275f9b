from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from tests.demo.worlds import START, Caller, Clock, jira, small_world

from platform_meter.demo.apis.jira.bodies import ticket_id
from platform_meter.demo.apis.jira.jql import parse
from platform_meter.demo.company.days import ZONE
from platform_meter.demo.world import World

ROOT = "/rest/api/3"
ALL = "project in (PLAT, HELP) ORDER BY updated ASC"


def search(api: Caller, jql: str, *, size: int = 20, **more: str) -> list[Any]:
    found: list[Any] = []
    token = ""
    while True:
        extra = "".join(f"&{name}={value}" for name, value in more.items())
        path = f"{ROOT}/search/jql?jql={quote(jql)}&maxResults={size}{extra}"
        body = api.get(path + (f"&nextPageToken={token}" if token else "")).json
        found += body["issues"]
        token = body.get("nextPageToken", "")
        assert body["isLast"] is not bool(token)
        if not token:
            return found


def test_who_may_ask(still: World) -> None:
    """Wrong credentials get 401, unknown tickets and paths 404, in Jira's words."""
    api = jira(still)
    wrong = api.get(f"{ROOT}/myself", Authorization="Basic eDp5")
    assert (wrong.status_code, wrong.json) == (
        401,
        {"errorMessages": ["Client must be authenticated to access this resource."], "errors": {}},
    )
    missing = api.get(f"{ROOT}/issue/PLAT-99999")
    assert (missing.status_code, missing.json["errorMessages"]) == (
        404,
        ["Issue does not exist or you do not have permission to see it."],
    )
    assert api.get(f"{ROOT}/nothing").status_code == 404
    assert api.get(f"{ROOT}/myself").json["timeZone"] == "Europe/Berlin"


@pytest.mark.parametrize(
    ("jql", "text"),
    [
        ("ORDER BY updated", "Unbounded JQL queries are not allowed here."),
        ("project = NONE", "The value 'NONE' does not exist for the field 'project'."),
        ("colour = red", "Field 'colour' does not exist or you do not have permission to view it."),
        ('project = PLAT AND updated >= "soon"', "Date value 'soon' for field 'updated' is invalid."),
        ("project = PLAT AND AND", "Error in the JQL Query: Unable to parse 'AND'."),
        ("(project = PLAT OR project = HELP", "Error in the JQL Query: Unable to parse ''."),
        ("project = PLAT project = HELP", "Error in the JQL Query: Unable to parse 'project = HELP'."),
        ("project = PLAT AND updated = 2026-01-01", "The operator '=' is not supported by the 'updated' field."),
    ],
)
def test_bad_queries(still: World, jql: str, text: str) -> None:
    """A query that can't be read gets 400 and says why."""
    answer = jira(still).get(f"{ROOT}/search/jql?jql={quote(jql)}")
    assert answer.status_code == 400
    assert text in answer.json["errorMessages"][0]


def test_pages_by_token(still: World) -> None:
    """Pages of any size add up to the same tickets in the same order; a token of another query is refused."""
    api = jira(still)
    keys = [issue["key"] for issue in search(api, ALL, fields="updated")]
    assert keys == [issue["key"] for issue in search(api, ALL, size=7, fields="updated")]
    assert len(keys) == len(set(keys)) == len(still.history.tickets)
    moments = [
        issue["fields"]["updated"]
        for issue in search(api, "project = PLAT ORDER BY created ASC", fields="updated,created")
    ]
    assert len(moments) == sum(t.project == "PLAT" for t in still.history.tickets)
    token = api.get(f"{ROOT}/search/jql?jql={quote(ALL)}&maxResults=2").json["nextPageToken"]
    for bad in (f"jql={quote('project = PLAT')}&nextPageToken={token}", f"jql={quote(ALL)}&nextPageToken=eA=="):
        assert api.get(f"{ROOT}/search/jql?{bad}").status_code == 400


def test_get_and_post_say_the_same(still: World) -> None:
    """The same search by GET and POST gives the same body; without fields only ids come."""
    api = jira(still)
    get = api.get(f"{ROOT}/search/jql?jql={quote(ALL)}&fields=status,created&maxResults=5&expand=changelog").json
    asked = {"jql": ALL, "fields": ["status", "created"], "maxResults": 5, "expand": "changelog"}
    assert api.post(f"{ROOT}/search/jql", asked).json == get
    assert set(get["issues"][0]["fields"]) == {"status", "created"}
    assert api.get(f"{ROOT}/search/jql?jql={quote(ALL)}").json["issues"][0]["fields"] == {}
    assert api.post(f"{ROOT}/search/approximate-count", {"jql": ALL}).json == {"count": len(still.history.tickets)}


def test_updated_is_wall_time_in_the_users_zone(still: World) -> None:
    """`updated >= "12:00"` means noon in Berlin, which is 10:00 UTC in May."""
    tickets = still.history.tickets
    now = START + timedelta(minutes=10)
    noon = START.replace(day=19, hour=10, minute=0)
    wanted = {t.key for t in tickets if t.updated_at(now) >= noon}
    found = {i["key"] for i in search(jira(still), 'project in (PLAT, HELP) AND updated >= "2026-05-19 12:00"')}
    assert found == wanted
    assert 0 < len(wanted) < len(tickets)


def test_long_changelogs_are_cut_in_search() -> None:
    """Search shows the newest 100 entries of a changelog and says how many there are; its own pages show all."""
    world = small_world(Clock(), services=300)
    api = jira(world)
    long = next(t for t in world.history.tickets if len(t.steps) > 120)
    shown = next(i for i in search(api, f"key = {long.key}", expand="changelog"))["changelog"]
    total = shown["total"]
    assert len(shown["histories"]) == shown["maxResults"] == 100
    assert total > 120
    first = api.get(f"{ROOT}/issue/{long.key}/changelog").json
    assert (len(first["values"]), first["isLast"], first["total"]) == (100, False, total)
    rest = api.get(first["nextPage"]).json
    assert (len(rest["values"]), rest["isLast"]) == (total - 100, True)
    entries = first["values"] + rest["values"]
    assert [e["id"] for e in reversed(entries)][:100] == [e["id"] for e in shown["histories"]]


def test_paging_while_time_goes_on() -> None:
    """What comes or changes while pages are read stands at the end: by oldest update first, nothing is missed."""
    clock = Clock(step=timedelta(minutes=20))
    world = small_world(clock)
    known = {ticket.key for ticket in world.history.tickets}
    found = [issue["key"] for issue in search(jira(world), ALL, size=5, fields="updated")]
    assert known <= set(found)
    assert len(set(found) - known) > 10


def test_jql_reads_clauses() -> None:
    """Lists, negations, quotes and both orders are understood; without one the newest created comes first."""
    query = parse("project NOT IN ('HELP', \"X\") AND status != Closed and priority = P1 order by updated desc", ZONE)
    assert (query.by, query.down) == ("updated", True)
    assert (parse("project = PLAT", ZONE).by, parse("project = PLAT", ZONE).down) == ("created", True)
    world = small_world(Clock())
    now = world.now()
    found = [t for t in world.history.tickets if query.meets(t, now)]
    assert found
    assert {t.project for t in found} == {"PLAT"}
    assert {t.field_at("priority", now, t.priority) for t in found} == {"P1"}
    some = parse(f"id in ({ticket_id(found[0])}, 1) AND project = PLAT", ZONE)
    assert [t.key for t in world.history.tickets if some.meets(t, now)] == [found[0].key]


def test_jql_reads_brackets_and_what_is_empty() -> None:
    """`or` binds less than `and`; open tickets are those without a resolution and in a status of no done category."""
    world = small_world(Clock())
    now = world.now()

    def found(text: str) -> set[str]:
        query = parse(text, ZONE)
        return {t.key for t in world.history.tickets if query.meets(t, now)}

    still_open = {
        t.key for t in world.history.tickets if t.field_at("status", now, "Open") not in {"Resolved", "Closed"}
    }
    urgent = found("priority = P1")
    assert found("resolution is EMPTY AND statusCategory != Done") == still_open
    assert found("resolution is not EMPTY") == found("project is not empty") - still_open
    assert found("priority = P1 AND (resolution is EMPTY or status = Closed)") == urgent & (
        still_open | found("status = Closed")
    )
    assert found("resolution is EMPTY or priority = P1 and status = Closed") == still_open | (
        urgent & found("status = Closed")
    )
    assert urgent & still_open


def test_comments_are_paged(still: World) -> None:
    """All that the issue itself shows, part by part, oldest first."""
    api = jira(still)
    ticket = next(t for t in still.history.tickets if sum(bool(step.comment) for step in t.steps_at(still.now())) > 2)
    path = f"{ROOT}/issue/{ticket.key}"
    shown = api.get(f"{path}?fields=comment").json["fields"]["comment"]["comments"]
    first, rest = (api.get(f"{path}/comment?startAt={n}&maxResults={size}").json for n, size in ((0, 1), (1, 100)))
    assert first["total"] == rest["total"] == len(shown)
    assert first["comments"] + rest["comments"] == shown


def test_names_of_fields_are_listed(still: World) -> None:
    """Every priority, resolution and type that a ticket has, by the id it has there."""
    api = jira(still)
    for field in ("priority", "resolution", "issuetype"):
        listed = {(row["id"], row["name"]) for row in api.get(f"{ROOT}/{field}").json}
        had = {
            (value["id"], value["name"])
            for issue in search(api, ALL, size=100, fields=field)
            if (value := issue["fields"][field])
        }
        assert had
        assert had <= listed

"""Jira: every step of the tickets of some projects, from Cloud (API v3) and Data Center (v2).

One search, newest change first, so that an issue which changes meanwhile moves to the front: others may come twice
but none is pushed past the page being read, and its own change is newer than the poll, so the next one has it.
JQL knows whole minutes only, in the time zone of the account that asks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

import msgspec
from pydantic import AfterValidator, Field

from platform_meter.model.access import Access, Basic, Secret, Token
from platform_meter.model.facts import Event, Fact
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.facts.roadmap import RoadmapItem
from platform_meter.model.facts.surveys import SurveyResponse
from platform_meter.model.facts.tickets import TicketEvent, ToolClock
from platform_meter.model.programme import RoadmapSource
from platform_meter.model.progress import Progress
from platform_meter.model.proposal import Proposal, Surroundings
from platform_meter.model.scalars import Address
from platform_meter.model.source import (
    Area,
    Forbidden,
    Gap,
    Outside,
    Page,
    Refused,
    Source,
    SourceConfig,
    Stream,
    Unexpected,
)
from platform_meter.model.typed import decode
from platform_meter.sources.jira import ratings, roadmap
from platform_meter.sources.jira.agents import GROUP, ROLE, Agents
from platform_meter.sources.jira.clocks import Clocks
from platform_meter.sources.jira.facts import Conventions, learn, ticket_events
from platform_meter.sources.jira.incidents import SCOPED_HOST, incident, incident_key
from platform_meter.sources.jira.lists import Lists, wall
from platform_meter.sources.jira.made import Made
from platform_meter.sources.jira.names import Names
from platform_meter.sources.jira.rows import FIELDS, NAMING, Issue, moment, odd, project_ref
from platform_meter.sources.kit.cursor import Cursor
from platform_meter.sources.kit.incidents import Incidents, gone_incident
from platform_meter.sources.kit.open_tickets import OpenTickets, Sight, gone_event
from platform_meter.sources.kit.rows import Sieve

OPEN = "statusCategory != Done"
"""What the first read asks for too, however long nobody touched it: it waits, so it counts. Whether it is resolved says
nothing: many a ticket that is open again keeps its resolution."""
PAGE_ISSUES = 50
"""Issues in one page of facts: some 1,000 steps."""
_MINUTE = timedelta(minutes=1)


def _no_order(value: str) -> str:
    if "order by" in " ".join(value.lower().split()):
        raise ValueError("the source sorts by itself; leave ORDER BY out of select")
    return value


def _agent(value: str) -> str:
    if not value.removeprefix(GROUP).removeprefix(ROLE).strip():
        raise ValueError(f"'{value}' names nobody; write an account, group:support or role:Agents")
    return value


SCOPED_URL = f"https://{SCOPED_HOST}/ex/jira/CLOUD_ID"
"""Where Cloud takes scoped tokens and those of service accounts."""
Key = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]


class Config(SourceConfig):
    url: Address = Field(examples=["https://acme.atlassian.net"])
    email: str | None = None
    """Cloud: the account of the API token. Without it the token is a personal access token of Data Center."""
    token: Secret
    projects: tuple[Key, ...] = ()
    """Project keys; none means every project that the account may browse."""
    select: Annotated[str, AfterValidator(_no_order)] = ""
    """More JQL that a ticket must meet."""
    priorities: dict[str, str] = Field(default_factory=dict)
    """The tool's priorities in the words of the Ticketing files."""
    public_comments_only: bool = False
    """Leave out internal comments instead of giving them as not public."""
    agents: tuple[Annotated[str, AfterValidator(_agent)], ...] = ()
    """Who answers: accounts (ids in Cloud, keys or names in Data Center), `group:NAME`, `role:NAME` of a project.
    Without any: every licensed user but the reporter."""
    bots: tuple[str, ...] = ()
    """Accounts that are no people: ids in Cloud, keys or names in Data Center. Apps are known without."""
    incidents: Incidents | None = None
    """Which tickets are incidents too; none without it."""
    sla_clocks: bool = False
    """Read the clocks of Jira Service Management too, one call for each ticket that changed."""
    severity_field: str = ""
    """Name or id of the field that says how bad a ticket is."""
    asking_field: str = ""
    """Name or id of the field with the group that asks, such as Organizations of Service Management."""
    request_types: bool = False
    """Read what requests of Service Management were made as: `category: {from: request_type}` takes it."""
    ratings: bool = False
    """Read how requests of Service Management were rated."""
    roadmaps: tuple[RoadmapSource, ...] = ()
    """Roadmaps that stand here, as their files say."""

    @property
    def query(self) -> str:
        keys = ", ".join(f'"{key}"' for key in self.projects)
        parts = [f"project in ({keys})" if keys else "", f"({self.select})" if self.select.strip() else ""]
        return " AND ".join(part for part in parts if part)

    @property
    def more(self) -> str:
        """What else than the usual is asked of each ticket."""
        said = {"clocks": self.sla_clocks, "severity": self.severity_field, "asking": self.asking_field}
        said |= {"types": self.request_types}
        return " ".join(f"{name}={value}" for name, value in said.items() if value)


class _State(Cursor, omit_defaults=True):
    query: str = ""
    """What was asked for; other settings start anew."""
    open: OpenTickets = msgspec.field(default_factory=OpenTickets)
    agents: tuple[str, ...] = ()
    """Who answers, as the settings said; who else does later starts anew."""
    since: datetime | None = None
    """When they said something else before."""
    names: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    """What statuses, priorities, resolutions and types were called last, by field and id."""
    incidents: str = ""
    """Which tickets were incidents, as the settings said; others start anew."""
    more: str = ""
    """What else of a ticket the settings asked for; something else starts anew."""


def access(config: Config) -> Access:
    if config.email:
        return Access(url=config.url, credential=Basic(user=config.email, password=config.token))
    return Access(url=config.url, credential=Token(secret=config.token))


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    plans = [roadmap.stream(config.roadmaps, config.url, config.every, outside, instance)] if config.roadmaps else []
    asked = ratings.Asked(query=config.query, asking=config.asking_field, bots=frozenset(config.bots))
    rated = [ratings.stream(asked, config.every, config.overlap, outside)] if config.ratings else []
    return [_issues(config, outside), *plans, *rated]


def _issues(config: Config, outside: Outside) -> Stream:
    named = tuple(sorted(config.agents))
    rules = config.incidents
    ruled = rules.model_dump_json() if rules else ""

    def pages(outside: Sieve, checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        asked = (config.query, named, ruled, config.more)
        fresh = _State(query=config.query, agents=named, incidents=ruled, more=config.more)
        state = decode(checkpoint, _State) if checkpoint else fresh
        if (state.query, state.agents, state.incidents, state.more) != asked:
            # The open ones stay: those that the new query doesn't find are gone.
            since_ = state.since if state.agents == named else now
            state = msgspec.structs.replace(fresh, open=state.open, since=since_, names=state.names)
        if state.began is None:
            state.begin(now, state.next_start(since, config.overlap))
        start, began, reached = state.start or since, state.began or now, state.at or now
        jira = Lists(outside)
        agents, clocks = Agents(outside, jira.version, named), Clocks(outside, now)
        made = Made(
            jira,
            severity=config.severity_field,
            asking=config.asking_field,
            request_types=config.request_types,
        )
        conventions = Conventions(
            priorities=config.priorities,
            bots=frozenset(config.bots),
            public_comments_only=config.public_comments_only,
            names=Names(jira.listed, state.names),
            since=state.since,
            hashed=outside.hashed,
        )
        recent = f'updated >= "{wall(start, jira.zone, late=False)}"'
        changed = [f"({recent} OR {OPEN})" if state.read is None else recent]
        if state.at is not None:
            changed.append(f'updated <= "{wall(state.at, jira.zone, late=True)}"')
        jql = " AND ".join([*([config.query] if config.query else []), *changed]) + " ORDER BY updated DESC"
        found = made.search(jql, PAGE_ISSUES, (*FIELDS, *NAMING) if rules else FIELDS)
        for issues in state.changed(found, _key, config.overlap, settled=_MINUTE):
            reached = state.at or reached
            facts: list[Event] = []
            for issue in issues:
                learn(issue, conventions.names)
            for issue in issues:
                if odd(issue.fields.created):
                    outside.reject(TicketEvent)
                    continue
                if moment(issue.fields.created) is None:
                    text = f"{issue.key}: the account may not see its field 'created'"
                    outside.gap(Gap(start=start, end=began, reason="forbidden", text=text))
                    continue
                histories, (comments, whole) = jira.histories(issue), jira.comments(issue)
                times = [issue.fields.resolutiondate, *(h.created for h in histories), *(c.created for c in comments)]
                for _ in range(odd(*times)):
                    outside.reject(TicketEvent)
                known = replace(conventions, agents=agents.of(issue.project))
                told = ticket_events(issue, histories, comments, known, whole=whole)
                facts += made.tell(issue, histories, told.events, known)
                one = incident(issue, told.events, rules, conventions.names, config.url) if rules else None
                facts += [*([one] if one else ()), *(clocks.of(issue) if config.sla_clocks else ())]
                if told.unrecorded:
                    jira.gap(issue, told.unrecorded)
                if issue.open:
                    state.open.saw(issue.id, now.date(), issue.project, incident=one.at if one else None)
                else:
                    state.open.closed(issue.id)
            yield Page(facts=facts, checkpoint=msgspec.json.encode(state), progress=_progress(state))
        if jira.lacking:
            outside.gap(Gap(start=start, end=reached, reason="unreadable", text=jira.lacking))
        yield Page(checkpoint=msgspec.json.encode(state))
        if due := state.open.due(now.date(), PAGE_ISSUES):
            facts = _gone(jira, config.query, state.open, due, now)
            yield Page(facts=facts, checkpoint=msgspec.json.encode(state))

    def read(checkpoint: bytes | None, since: datetime, now: datetime) -> Iterator[Page]:
        return Sieve.over(outside, lambda sieve: pages(sieve, checkpoint, since, now))

    return Stream(name="issues", read=read, gives=_gives(config))


def _gives(config: Config) -> frozenset[type[Fact]]:
    """The kinds that these settings have of tickets."""
    more = {Incident: config.incidents is not None, ToolClock: config.sla_clocks}
    return frozenset({TicketEvent, *(kind for kind, wanted in more.items() if wanted)})


def _key(issue: Issue) -> tuple[str, datetime | None]:
    return issue.id, moment(issue.fields.updated)


def _gone(jira: Lists, query: str, tickets: OpenTickets, due: Mapping[str, Sight], now: datetime) -> list[Event]:
    """Looks for open tickets not seen today, and tells those that are gone."""
    there = jira.there(list(due), query)
    for id_, project in there.items():
        tickets.saw(id_, now.date(), project)
    facts: list[Event] = []
    for id_, sight in due.items():
        made = tickets.incidents.get(id_)
        if id_ not in there and tickets.gone(id_, now.date()):
            about = project_ref(sight.place)
            facts.append(gone_event(f"{id_}/gone", id_, sight.place, about, now))
            facts += [gone_incident(incident_key(id_), about, made, now)] if made else ()
    return facts


def _progress(state: _State) -> Progress | None:
    return Progress(what="issues", back_to=state.at) if state.at else None


def check(config: Config, outside: Outside) -> Sequence[str]:
    """One line per project that the account may not browse."""
    try:
        jira = Lists(Sieve(outside))
    except Refused as error:
        scopes = "email and API token with scopes read:jira-work and read:jira-user"
        where = f"scoped tokens and service accounts are taken only at url: {SCOPED_URL}"
        return [f"{error}; Cloud takes {scopes}, and {where}"]
    lines = []
    for key in config.projects:
        try:
            next(jira.search(f'project = "{key}"', 1))
        except (Forbidden, Unexpected) as error:
            if isinstance(error, Unexpected) and error.status not in {400, 404}:
                raise
            lines.append(f"project {key}: {error}; give the account the permission 'Browse projects' in it")
    if not lines:
        lines += _unknown_agents(Agents(jira.outside, jira.version, config.agents), config)
        lines += roadmap.unreadable(config.roadmaps, jira)
        lines += _unknown_fields(jira, config)
    if config.select and not lines:
        try:
            next(jira.search(config.query, 1))
        except Unexpected as error:
            if error.status != 400:
                raise
            lines.append(f"select: {error}; correct the JQL")
    return lines


def _unknown_fields(jira: Lists, config: Config) -> Iterator[str]:
    """One line for each field that is not there."""
    fields: list[Callable[[], object]] = [
        partial(Made, jira, severity=config.severity_field),
        partial(Made, jira, asking=config.asking_field),
        partial(Made, jira, request_types=config.request_types),
    ]
    fields += [partial(ratings.Stars, jira, "")] if config.ratings else []
    for look in fields:
        try:
            look()
        except Unexpected as error:
            yield str(error)


def _unknown_agents(agents: Agents, config: Config) -> Iterator[str]:
    """One line for each group or role that names nobody; which roles there are is known by projects alone."""
    for name in config.agents:
        try:
            if name.startswith(GROUP) and not agents.group(name.removeprefix(GROUP)):
                yield f"agents: {name} has no member; correct the name, or add who answers"
            for project in config.projects if name.startswith(ROLE) else ():
                if not agents.role(project, name.removeprefix(ROLE)):
                    yield f"agents: nobody has {name} in project {project}; correct the name, or add who answers"
        except (Forbidden, Unexpected) as error:
            if isinstance(error, Unexpected) and error.status not in {400, 404}:
                raise
            yield f"agents: {name}: {error}; correct the name, or give the account 'Browse users and groups'"


def priorities(config: Config, outside: Outside) -> Collection[str]:
    """All that the Jira has, in the words of the Ticketing files."""
    listed = Lists(Sieve(outside)).listed("priority").values()
    return tuple(config.priorities.get(name, name) for name in listed)


def propose(around: Surroundings) -> Proposal:
    """A sample: nothing here tells of a site."""
    variable = around.variable("JIRA_TOKEN", "JIRA_API_TOKEN") or "JIRA_TOKEN"
    account = {"url": "https://acme.atlassian.net", "email": "meter@acme.example"}
    return Proposal(
        about="Tickets with their history, for the queues that Ticketing files declare.",
        sample=("jira", {**account, "token": {"env": variable}}),
        fill_in="your site and account",
        by_hand=True,
    )


SOURCE = Source(
    name="jira",
    title="Jira",
    area=Area.TICKETS,
    reads="issues with their whole history, which of them are incidents, ratings of requests, and roadmaps, Cloud and Data Center",
    needs="`read:jira-work`, `read:jira-user`; Browse projects",
    config=Config,
    gives=frozenset({TicketEvent, ToolClock, Incident, RoadmapItem, SurveyResponse}),
    access=access,
    connect=connect,
    check=check,
    priorities=priorities,
    on_request={"clock": "sla_clocks", "request_type": "request_types"},
    roadmaps=lambda config, files: config.model_copy(update={"roadmaps": (*config.roadmaps, *files)}),
    propose=propose,
)

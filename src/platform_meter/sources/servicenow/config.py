"""Settings of ServiceNow, and the ways to be let in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from platform_meter.model.access import Access, Basic, OAuth, Secret, SecretHeaders
from platform_meter.model.scalars import Address, Definition
from platform_meter.model.source import SourceConfig
from platform_meter.sources.kit.incidents import Incidents
from platform_meter.sources.servicenow.facts import DONE
from platform_meter.sources.servicenow.names import GROUP


def _bounded(value: str) -> str:
    if "ORDERBY" in value.upper() or "^NQ" in value.upper():
        raise ValueError("the source sorts by itself and asks one question; leave ORDERBY and ^NQ out of select")
    if value.startswith("^") or value.endswith("^"):
        raise ValueError("the query has a ^ at its edge; remove it")
    return value


def _agent(value: str) -> str:
    if not value.removeprefix(GROUP).strip():
        raise ValueError(f"'{value}' names nobody; write a login, or group:Service Desk")
    return value


_TOKENS = "/oauth_token.do"
TableName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class OAuthClient(Definition):
    """A client of the instance's application registry."""

    client: str = Field(min_length=1, examples=["5f1c9d2e"])
    secret: Secret
    refresh_token: Secret | None = None
    """Of an account that let the client in; without it the client speaks for its own account."""


class Config(SourceConfig):
    url: Address = Field(examples=["https://acme.service-now.com"])
    user: str | None = None
    """The account of `password`."""
    password: Secret | None = None
    api_key: Secret | None = None
    """Key of the REST API, in place of an account and its password."""
    oauth: OAuthClient | None = None
    """A client of OAuth, in place of both."""
    tables: Annotated[tuple[TableName, ...], Field(min_length=1)] = ("incident",)
    """Tables of tickets: any that extends `task`."""
    select: Annotated[str, AfterValidator(_bounded)] = ""
    """Encoded query that a ticket must meet too."""
    done: dict[str, tuple[str, ...]] = Field(default_factory=dict, examples=["{incident: ['6', '7', '8']}"])
    """By table, values of states in which nobody has to do anything, where they differ from the usual ones."""
    priorities: dict[str, str] = Field(default_factory=dict)
    """The tool's priorities, by value or name, in the words of the Ticketing files."""
    category: Literal["category", "subcategory", "cmdb_ci", "cat_item"] = "category"
    """The field that says what a ticket is about."""
    agents: tuple[Annotated[str, AfterValidator(_agent)], ...] = ()
    """Who answers: logins and `group:NAME`. Without any: everybody but who asks."""
    bots: tuple[str, ...] = ()
    """Logins that are no people; `system` and `guest` are known without."""
    sla_clocks: bool = False
    """Read the instance's own SLA clocks (`task_sla`) too."""
    incidents: Incidents | None = None
    """Which tickets are incidents too; none without it."""

    @model_validator(mode="after")
    def _one_way_in(self) -> Config:
        if (self.user is None) != (self.password is None):
            raise ValueError("`user` and `password` go together; write both, or `api_key` or `oauth` alone")
        if sum(way is not None for way in (self.user, self.api_key, self.oauth)) != 1:
            raise ValueError("one way to be let in is wanted; write `user` and `password`, `api_key` or `oauth`")
        return self

    def done_in(self, table: str) -> frozenset[str]:
        return frozenset(self.done.get(table) or DONE.get(table) or DONE["task"])

    @property
    def asked(self) -> str:
        """What decides what is told of a ticket; something else starts anew."""
        rules = self.incidents.model_dump_json() if self.incidents else ""
        done = ";".join(f"{table}={','.join(states)}" for table, states in sorted(self.done.items()))
        return f"{self.select}|{done}|{self.category}|{rules}"


def access(config: Config) -> Access:
    if config.api_key is not None:
        return Access(url=config.url, credential=SecretHeaders(headers={"x-sn-apikey": config.api_key}))
    if config.oauth is not None:
        said = config.oauth
        client = OAuth(client=said.client, secret=said.secret, refresh=said.refresh_token, url=config.url, path=_TOKENS)
        return Access(url=config.url, credential=client)
    if config.user is None or config.password is None:
        raise ValueError("settings without a way to be let in are refused before")
    return Access(url=config.url, credential=Basic(user=config.user, password=config.password))

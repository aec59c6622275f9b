"""The catalog: entries with their owners, and who is in which team. It is read whole each time, since owners hang on it all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from platform_meter.model.facts.people import Membership
from platform_meter.model.facts.portal import CatalogEntity, OwnerState
from platform_meter.model.portal import ANNOTATIONS
from platform_meter.model.source import Answer, Page, Unreachable
from platform_meter.sources.backstage import names
from platform_meter.sources.backstage.config import Config, Required
from platform_meter.sources.backstage.rows import Entities, EntityRow, Spec
from platform_meter.sources.kit.open_things import unless_gone
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.kit.walk import Walk

BY_QUERY, ALL = "/api/catalog/entities/by-query", "/api/catalog/entities"
PER_PAGE = 500
FIELDS = (
    "kind",
    "metadata.name",
    "metadata.namespace",
    "metadata.title",
    "metadata.description",
    "metadata.annotations",
    "metadata.tags",
    "metadata.links",
    "spec.type",
    "spec.lifecycle",
    "spec.owner",
    "spec.system",
    "spec.domain",
    "spec.parent",
    "spec.children",
    "spec.members",
    "spec.memberOf",
    "spec.profile.email",
    "relations",
)
_ALWAYS = frozenset({Required.DESCRIPTION, Required.TITLE, Required.TAGS, Required.LINKS, Required.DOCS})
CAN_HAVE: Mapping[str, frozenset[Required]] = {
    "component": _ALWAYS | {Required.TYPE, Required.LIFECYCLE, Required.SYSTEM},
    "api": _ALWAYS | {Required.TYPE, Required.LIFECYCLE, Required.SYSTEM},
    "resource": _ALWAYS | {Required.TYPE, Required.SYSTEM},
    "system": _ALWAYS | {Required.TYPE, Required.DOMAIN},
    "domain": _ALWAYS | {Required.TYPE},
    "template": _ALWAYS | {Required.TYPE},
}
"""What the kinds of entry that have an owner can have beside it."""
GROUP, USER = "group", "user"
DOCS = "backstage.io/techdocs-ref"
SOURCE_TEMPLATE = "backstage.io/source-template"


def pages(config: Config, outside: Sieve) -> Iterator[Page]:
    """All entries that the token may see.

    Raises:
        Unreachable: there is none, as while a portal starts: its owners are not gone.
    """
    rows = {row.ref: row for row in entries(outside)}
    if not rows:
        raise Unreachable("the catalog is empty; it is being loaded, or the token may see nothing")
    groups = Groups.build(rows.values(), config.no_teams)
    facts = [
        *(entity(row, config, groups) for row in rows.values() if row.kind.lower() in CAN_HAVE),
        *(_group(row, config) for row in rows.values() if row.kind.lower() == GROUP),
        *(groups.membership(row, outside.hashed) for row in rows.values() if row.kind.lower() == USER),
    ]
    yield Page(facts=facts, complete=frozenset({CatalogEntity, Membership}))


def entries(outside: Sieve) -> Iterator[EntityRow]:
    """Every entry, page by page; by offset from a release that knows no cursor."""
    walk, cursor = Walk(BY_QUERY), ""
    while True:
        said = {"cursor": cursor} if cursor else {}
        params = {"limit": PER_PAGE, "fields": ",".join(FIELDS), **said}
        ask = partial(outside.get, BY_QUERY, Entities, params=params)
        answer = walk.page(_cursored, ask) if cursor else unless_gone(partial(walk.page, _cursored, ask))
        if answer is None:
            yield from _by_offset(outside)
            return
        body = answer.body or Entities()
        yield from body.items
        cursor = (body.page_info.next_cursor if body.page_info else None) or ""
        if not cursor:
            return


def _by_offset(outside: Sieve) -> Iterator[EntityRow]:
    walk, offset = Walk(ALL), 0
    while True:
        params = {"limit": PER_PAGE, "offset": offset, "fields": ",".join(FIELDS)}
        answer = walk.page(_refs, partial(outside.get, ALL, list[EntityRow], params=params))
        got = len(answer.body or ()) + answer.odd
        if not got:
            return
        yield from answer.body or ()
        offset += got


def _cursored(answer: Answer[Entities]) -> tuple[str, ...]:
    return tuple(row.ref for row in answer.body.items) if answer.body else ()


def _refs(answer: Answer[list[EntityRow]]) -> tuple[str, ...]:
    return tuple(row.ref for row in answer.body or ())


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of the catalog, by whole names."""

    parents: Mapping[str, frozenset[str]]
    """The groups right above each."""
    teams: frozenset[str]
    """Those that are teams."""
    direct: Mapping[str, frozenset[str]]
    """By user: the groups that name them, or that they name."""
    peopled: frozenset[str]
    """Those with members, of groups below them too."""

    @classmethod
    def build(cls, rows: Collection[EntityRow], no_teams: Collection[str]) -> Groups:
        parents: dict[str, set[str]] = {}
        direct: dict[str, set[str]] = {}
        teams: set[str] = set()
        for row in rows:
            kind, spec = row.kind.lower(), row.spec
            whole = partial(names.whole, namespace=row.metadata.namespace)
            if kind == GROUP:
                over = {*row.related("childOf"), *([whole(spec.parent, GROUP)] if spec and spec.parent else ())}
                parents.setdefault(row.ref, set()).update(over)
                for child in (whole(text, GROUP) for text in (spec.children if spec else None) or ()):
                    parents.setdefault(child, set()).add(row.ref)
                members = (whole(text, USER) for text in (spec.members if spec else None) or ())
                for member in {*members, *row.related("hasMember")}:
                    direct.setdefault(member, set()).add(row.ref)
                if ((spec.type if spec else None) or "").lower() not in no_teams:
                    teams.add(row.ref)
            elif kind == USER:
                said = (whole(text, GROUP) for text in (spec.member_of if spec else None) or ())
                direct.setdefault(row.ref, set()).update({*said, *row.related("memberOf")})
        known = {row.ref for row in rows if row.kind.lower() in (GROUP, USER)}
        above = {group: frozenset(those & known) for group, those in parents.items() if group in known}
        held = {user: frozenset(those & known) for user, those in direct.items() if user in known}
        peopled = {up for those in held.values() for group in those for up in _upwards(group, above)}
        return cls(parents=above, teams=frozenset(teams), direct=held, peopled=frozenset(peopled))

    def owner(self, ref: str) -> OwnerState:
        """What stands behind the owner of an entry."""
        if names.kind(ref) == USER:
            return OwnerState.PERSON if ref in self.direct else OwnerState.UNKNOWN
        if ref not in self.parents:
            return OwnerState.UNKNOWN
        return OwnerState.GROUP if ref in self.peopled else OwnerState.EMPTY

    def membership(self, row: EntityRow, hashed: Callable[[str], str]) -> Membership:
        """A person, by mail address and user name, and the teams they are in: their own groups and the teams above those."""
        groups = {up for group in self.direct.get(row.ref, ()) for up in _upwards(group, self.parents)}
        teams = sorted(groups & self.teams)
        email = row.spec.profile.email if row.spec and row.spec.profile else None
        name = hashed(names.short(row.ref))
        people = {name, *([hashed(email.strip().lower())] if email and email.strip() else ())}
        # Of one in several teams nothing says for which of them they did something.
        links = tuple(map(names.link, teams)) if len(teams) == 1 else ()
        return Membership(
            about=names.person(name, links), people=tuple(sorted(people)), teams=tuple(map(names.short, teams))
        )


def _upwards(group: str, parents: Mapping[str, frozenset[str]]) -> set[str]:
    """A group and all above it; one that stands above itself ends there."""
    found, todo = set[str](), [group]
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo += parents.get(one, ())
    return found


def entity(row: EntityRow, config: Config, groups: Groups) -> CatalogEntity:
    """An entry of a kind that has an owner."""
    owners = row.related("ownedBy")
    if not owners and row.spec and row.spec.owner:
        owners = [names.whole(row.spec.owner, GROUP, row.metadata.namespace)]
    state = groups.owner(owners[0]) if owners else OwnerState.NONE
    notes, spec = row.metadata.annotations or {}, row.spec or Spec()
    return CatalogEntity(
        about=names.about(row.ref),
        service=names.short(row.ref) if row.kind.lower() == "component" else "",
        team=names.short(owners[0]) if owners and names.kind(owners[0]) == GROUP else "",
        annotations=tuple(sorted((name, text) for name, text in notes.items() if name in ANNOTATIONS)),
        kind=row.kind.lower(),
        type=spec.type or "",
        lifecycle=spec.lifecycle or "",
        system=names.short(names.whole(spec.system, "system", row.metadata.namespace)) if spec.system else "",
        owner=state,
        missing=tuple(sorted(_missing(row, config.required, state))),
        template=names.short(names.whole(notes[SOURCE_TEMPLATE], "template")) if notes.get(SOURCE_TEMPLATE) else "",
        url=_page(row, config),
    )


def _group(row: EntityRow, config: Config) -> CatalogEntity:
    """A group owns itself, and what people of it do is its own."""
    return CatalogEntity(
        about=names.about(row.ref),
        service="",
        team=names.short(row.ref),
        kind=GROUP,
        owner=OwnerState.GROUP,
        url=_page(row, config),
    )


def _page(row: EntityRow, config: Config) -> str:
    where = (row.metadata.namespace, row.kind, row.metadata.name)
    return f"{(config.portal or config.url).rstrip('/')}/catalog/{'/'.join(where)}".lower()


def _missing(row: EntityRow, required: Sequence[Required], owner: OwnerState) -> Iterator[str]:
    meta, spec = row.metadata, row.spec
    there = {
        Required.DESCRIPTION: meta.description,
        Required.TITLE: meta.title,
        Required.TAGS: meta.tags,
        Required.LINKS: meta.links,
        Required.DOCS: (meta.annotations or {}).get(DOCS),
        Required.TYPE: spec and spec.type,
        Required.LIFECYCLE: spec and spec.lifecycle,
        Required.SYSTEM: spec and spec.system,
        Required.DOMAIN: spec and spec.domain,
    }
    if owner is not OwnerState.GROUP:
        yield "owner"
    yield from (field.value for field in {*required} & CAN_HAVE[row.kind.lower()] if not there[field])

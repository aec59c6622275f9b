"""Names of entries: whole ones (`group:default/payments`), and as people and definitions write them."""

from __future__ import annotations

from collections.abc import Callable

from platform_meter.model.facts import Ref
from platform_meter.sources.backstage.config import SYSTEM
from platform_meter.sources.backstage.rows import DEFAULT


def whole(text: str, kind: str, namespace: str = DEFAULT) -> str:
    """A name as a person writes it in an entry (`payments`, `group:payments`, `ops/payments`), whole and in small letters."""
    said, colon, rest = text.strip().rpartition(":")
    place, slash, name = rest.rpartition("/")
    return f"{said if colon else kind}:{place if slash else namespace}/{name}".lower()


def kind(ref: str) -> str:
    return ref.partition(":")[0]


def short(ref: str) -> str:
    """The name without its kind, and without a namespace that is the usual one: `payments`, `ops/payments`."""
    return ref.partition(":")[2].removeprefix(f"{DEFAULT}/")


def about(ref: str) -> Ref:
    return Ref(system=SYSTEM, kind=kind(ref), id=ref)


def link(ref: str) -> str:
    """As `Ref.links` name an entry."""
    return f"{SYSTEM}:{ref}"


def actor(text: str | None, hashed: Callable[[str], str]) -> str:
    """The hash of a person by a name of the portal (`user:default/ann`); empty where there is none, or it is no person."""
    if not text:
        return ""
    ref = whole(text, "user")
    return hashed(short(ref)) if kind(ref) == "user" else ""


def person(hash_: str, links: tuple[str, ...] = ()) -> Ref:
    """What somebody did is about them, so that it is their team's."""
    return Ref(system=SYSTEM, kind="person", id=hash_, links=links)

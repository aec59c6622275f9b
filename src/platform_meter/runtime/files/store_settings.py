"""The section `store` of the configuration: where facts are kept, and for how long."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from platform_meter.model.definitions import Period
from platform_meter.model.scalars import HiddenError, beside

if TYPE_CHECKING:
    from sqlalchemy import URL

_SQLITE = "sqlite:///"
_PASSWORD = re.compile(r"(password|passwd|pwd)$", re.IGNORECASE)


def parse_store_url(value: str) -> str:
    """An SQLAlchemy URL of SQLite or PostgreSQL, without a password.

    Raises:
        ValueError: anything else; a `HiddenError` where it may hold a secret.
    """
    url = _store(value)
    if url is None:
        error = HiddenError if re.search("[@?]", value) else ValueError
        raise error("no store has such an address; write sqlite:///FILE or postgresql+psycopg://HOST:PORT/DATABASE")
    # What is left of an `@` that was not escaped stands in the host.
    named = any(_PASSWORD.search(name) for name in url.query)
    if url.drivername != "sqlite" and (url.password is not None or "@" in (url.host or "") or named):
        raise HiddenError(
            "the address of the store carries a password; leave it out, and give it by the variable PGPASSWORD "
            "or by a file that the variable PGPASSFILE names"
        )
    return value


def _store(value: str) -> URL | None:
    # Imported here: commands without a configuration need no database.
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(value)
    except (ArgumentError, ValueError):  # a port that is no number is a ValueError
        return None
    if url.drivername == "sqlite":
        fits = value.startswith(_SQLITE) and url.database not in (None, "", ":memory:")
    else:
        fits = url.drivername in ("postgresql", "postgresql+psycopg") and 0 < (url.port or 5432) < 65536
    return url if fits else None


def _store_beside(value: str, info: Any) -> str:
    """SQLite's file is relative to the configuration, like every path."""
    return _SQLITE + beside(value.removeprefix(_SQLITE), info) if value.startswith(_SQLITE) else value


def _judges_weeks(value: timedelta) -> timedelta:
    """Raises:
    ValueError: windows of 28 days would not have all that they count.
    """
    if value < timedelta(days=29):
        raise ValueError("windows of 28 days count what is kept in detail; write 29d or more")
    return value


class StoreSettings(BaseModel):
    """Where, and for how long."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    url: Annotated[str, AfterValidator(parse_store_url), AfterValidator(_store_beside)] = "sqlite:///platform-meter.db"
    """Where facts are kept. SQLite's file is relative to this one; PostgreSQL lets replicas share the work."""
    retention: Period = timedelta(days=400)
    """Facts older than this are removed."""
    detail: Annotated[Period, AfterValidator(_judges_weeks)] = timedelta(days=35)
    """The same of what others counted, such as requests through gateways; the sums of its days are kept for `retention`."""
    lease: Annotated[Period, Field(ge=timedelta(seconds=1))] = timedelta(seconds=30)
    """How long a replica keeps a source after its last sign of life; then another one polls it."""

"""The section `report` of the configuration: where the weekly report goes, and when by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from platform_meter.model.access import Secret
from platform_meter.model.scalars import LocalPath, PlacedError
from platform_meter.runtime.access.settings import listed

_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EVERY = re.compile(rf"({'|'.join(_DAYS)}) ([01][0-9]|2[0-3]):([0-5][0-9])")
_PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """A day of the week and a time of the configured zone."""

    weekday: int
    """0 is Monday."""
    at: time

    def last(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The last such moment that is not after `now`."""
        today = now.astimezone(zone).date()
        day = today - timedelta(days=(today.weekday() - self.weekday) % 7)
        moment = datetime.combine(day, self.at, zone)
        return moment if moment <= now else datetime.combine(day - timedelta(days=7), self.at, zone)


def parse_every(value: Any) -> Any:
    """`monday 08:00`.

    Raises:
        ValueError: anything else.
    """
    text = "" if value is None else str(value)
    found = _EVERY.fullmatch(text.lower())
    if not found:
        raise ValueError(f"'{text}' is no day and time; write it as monday 08:00")
    return Every(weekday=_DAYS.index(found[1]), at=time(int(found[2]), int(found[3])))


def parse_mail(value: str) -> str:
    """An address of mail.

    Raises:
        ValueError: anything else.
    """
    if not _MAIL.fullmatch(value):
        raise ValueError(f"'{value}' is no mail address; write one as platform@example.org")
    return value


MailAddress = Annotated[str, AfterValidator(parse_mail)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class MailSettings(_Settings):
    """A mail server that takes the report, and who gets it."""

    host: str = Field(min_length=1, pattern=r"^[A-Za-z0-9.:_-]+$", examples=["smtp.example.org"])
    port: int | None = Field(default=None, ge=1, le=65535)
    """587 with STARTTLS, 465 with TLS from the start, 25 without."""
    tls: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: LocalPath | None = None
    """PEM file of the authority of its certificate, where the system does not know it."""
    from_: MailAddress = Field(alias="from", examples=["platform@example.org"])
    to: Annotated[tuple[MailAddress, ...], BeforeValidator(listed)] = Field(examples=[["pm@example.org"]])
    user: str = ""
    password: Secret | None = None

    @model_validator(mode="after")
    def _signed_in(self) -> MailSettings:
        if bool(self.user) != bool(self.password):
            raise ValueError("a server knows a user by a password; write both user and password, or neither")
        if self.password is not None and self.tls == "none":
            raise PlacedError("a password is sent over TLS alone; write tls: starttls", "tls")
        return self

    @property
    def at(self) -> int:
        """The port."""
        return self.port or _PORTS[self.tls]


class ChatSettings(_Settings):
    """A webhook that takes `{"text": ...}`: Slack, Mattermost, a workflow of Teams."""

    url: Secret
    """Its address is a secret: whoever knows it can write there."""
    ca_file: LocalPath | None = None


class ReportSettings(_Settings):
    every: Annotated[Every | None, BeforeValidator(parse_every)] = None
    """When the exporter sends the report of the week before by itself: a day and a time of the configured zone."""
    mail: MailSettings | None = None
    chat: ChatSettings | None = None

    @model_validator(mode="after")
    def _somewhere(self) -> ReportSettings:
        if self.every is not None and self.mail is None and self.chat is None:
            raise PlacedError("the report goes nowhere; write mail: {...} or chat: {...}, or remove every", "every")
        return self

"""Our own probes of any endpoint of the platform: whether it answers as it should, how long that takes, and until when
its certificate holds (domain sections 8 and 13).

One stream per target, so that one which hangs delays no other; all with one beat, since windows over checks end where the
slowest stream of a source stands. No answer is a result, not a failure of this source. What fails on our side of a probe
is no check but a gap of that target: as a failure of its stream it would hold up the windows of all others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from platform_meter.model.access import Access
from platform_meter.model.endpoint import Endpoint, Look
from platform_meter.model.facts import Ref
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult, ServedCertificate
from platform_meter.model.scalars import Address, Definition, LocalPath, Period
from platform_meter.model.source import Area, Gap, Outside, Page, Severed, Source, SourceConfig, Stream
from platform_meter.sources.kit.names import called_twice

SYSTEM = "probes"
KIND = "endpoint"
"""Of the object that a check is about; `probes:NAME` is what Ownership files match."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_PLACE = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9_.-]+)):(?P<port>[0-9]{1,5})")
_PORTS = {"http": 80, "https": 443}


def is_name(text: str) -> str:
    """A name as the label `target` carries it.

    Raises:
        ValueError: other letters.
    """
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"'{text}' is no such name; write letters, digits and . _ / -, beginning with a letter or digit"
        )
    return text


def is_place(text: str) -> str:
    """`HOST:PORT`, an IPv6 address in brackets.

    Raises:
        ValueError: anything else.
    """
    found = _PLACE.fullmatch(text)
    if found is None or not 0 < int(found["port"]) <= 65535:
        raise ValueError(f"'{text}' is no host and port; write HOST:PORT, or [ADDRESS]:PORT of IPv6")
    return text


def _several(value: Any) -> Any:
    return [value] if isinstance(value, int) else value


Status = Annotated[int, Field(ge=100, le=599)]


class Expect(Definition):
    """What a good answer is."""

    status: Annotated[tuple[Status, ...], BeforeValidator(_several)] = ()
    """One or a list; without it, 200 to 299."""
    body: str = ""
    """A text that stands in its first MiB."""

    def lacks(self, seen: Look) -> str:
        """Why an answer is none of these; empty where it is one."""
        if seen.status not in (self.status or range(200, 300)):
            wanted = " or ".join(map(str, self.status)) or "2xx"
            return f"it answers {seen.status}; {wanted} is expected"
        if self.body not in seen.text:
            return f"its answer does not hold the text that `body` expects ({len(seen.text)} characters came)"
        return ""


class Target(Definition):
    """One endpoint."""

    name: Annotated[str, AfterValidator(is_name)]
    """The label `target`, and what SLO files call it."""
    url: Address | None = None
    """What is asked for by HTTP; or give `tcp`."""
    tcp: Annotated[str, AfterValidator(is_place)] | None = None
    """`HOST:PORT` that takes connections."""
    tls: bool = False
    """Of `tcp`: the handshake is part of the check, and the certificate's end is told."""
    ca_file: LocalPath | None = None
    """Certificate authority of the endpoint."""
    timeout: Period | None = None
    """When a check has timed out; without it, that of the source."""
    expect: Expect = Expect()
    """What a good answer to `url` is."""
    labels: Mapping[str, str] = {}
    """Labels that say whose it is, as objects elsewhere carry them."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.url is None) == (self.tcp is None):
            raise ValueError("a target has exactly one of url and tcp; remove or add one")
        if self.tls and self.tcp is None:
            raise ValueError("tls belongs to tcp; remove it, a url says it by https")
        if self.tcp is not None and "expect" in self.model_fields_set:
            raise ValueError("over tcp nothing is asked, so nothing can be expected; remove expect, or write url")
        return self

    @property
    def endpoint(self) -> Endpoint:
        if found := _PLACE.fullmatch(self.tcp or ""):
            host = found["ipv6"] or found["host"]
            return Endpoint(host=host, port=int(found["port"]), tls=self.tls, ca_file=self.ca_file)
        parts = urlsplit(self.url or "")
        port, tls = parts.port or _PORTS[parts.scheme], parts.scheme == "https"
        return Endpoint(host=parts.hostname or "", port=port, tls=tls, ca_file=self.ca_file, path=parts.path or "/")

    @property
    def about(self) -> Ref:
        return Ref(system=SYSTEM, kind=KIND, id=self.name, labels=tuple(sorted(self.labels.items())))

    def judged(self, seen: Look) -> tuple[ProbeResult, str]:
        """What came of a check, and why where it is not good."""
        why = self.expect.lacks(seen) if seen.result is ProbeResult.OK and self.url is not None else seen.why
        return ProbeResult.ERROR if why and seen.result is ProbeResult.OK else seen.result, why


class Config(SourceConfig):
    """Settings of one set of probes."""

    targets: Annotated[tuple[Target, ...], Field(min_length=1)]
    """What is probed, below."""
    every: Period = timedelta(seconds=30)
    """Time between two checks of a target."""
    timeout: Period = timedelta(seconds=5)
    """When a check has timed out."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if twice := called_twice(target.name for target in self.targets):
            raise ValueError(
                f"the target {twice} is there twice; its checks would be one SLO's, give each its own name"
            )
        for target in self.targets:
            if self.patience(target) >= self.every:
                raise ValueError(
                    f"the target {target.name} may hang for its timeout, {self.patience(target).total_seconds():g} s, and every "
                    f"is {self.every.total_seconds():g} s; write a shorter timeout, or checks are left out while it hangs"
                )
        return self

    def patience(self, target: Target) -> timedelta:
        """How long a check may take."""
        return target.timeout or self.timeout


def connect(config: Config, outside: Outside, instance: str) -> Sequence[Stream]:
    """One stream per target."""
    del instance
    return tuple(
        Stream(
            name=target.name,
            read=partial(_read, config, target, outside),
            gives=frozenset({ProbeCheck, ServedCertificate} if target.endpoint.tls else {ProbeCheck}),
            probe=True,
        )
        for target in config.targets
    )


def _read(
    config: Config, target: Target, outside: Outside, checkpoint: bytes | None, since: datetime, now: datetime
) -> Iterator[Page]:
    """One check."""
    del checkpoint, since
    try:
        seen = outside.look(target.endpoint, timeout=config.patience(target).total_seconds())
    except Severed as error:
        hour = now.replace(minute=0, second=0, microsecond=0)
        text = f"{target.name}: checks of this hour are missing, we could not look: {error}"
        outside.gap(Gap(start=hour, end=hour + timedelta(hours=1), reason="unreadable", text=text, what=target.name))
        yield Page()
        return
    check = ProbeCheck(
        key=f"{target.name}/{now:%Y-%m-%dT%H:%M:%S.%fZ}",
        at=now,
        about=target.about,
        target=target.name,
        result=target.judged(seen)[0],
        seconds=seen.seconds,
    )
    if seen.certificate_ends is None:
        yield Page(facts=(check,))  # that it was not seen does not say that it is another one
        return
    served = ServedCertificate(about=target.about, target=target.name, ends=seen.certificate_ends)
    yield Page(facts=(check, served), complete=frozenset({ServedCertificate}))


def check(config: Config, outside: Outside) -> Sequence[str]:
    """Look at each target once; one line for each that is not good now, or that we can't look at."""
    problems: list[str] = []
    for target in config.targets:
        try:
            seen = outside.look(target.endpoint, timeout=config.patience(target).total_seconds())
        except Severed as error:
            problems.append(f"{target.name} can't be checked from here: {error}")
            continue
        result, why = target.judged(seen)
        if result is not ProbeResult.OK:
            problems.append(f"{target.name}: {result} after {seen.seconds:.2f} s: {why}")
    return problems


def access(config: Config) -> Access:
    """Nothing is called but what the targets name."""
    del config
    return Access()


SOURCE = Source(
    name=SYSTEM,
    title="Probes",
    area=Area.OBSERVABILITY,
    reads="whether endpoints of the platform answer over HTTP or TCP as they should, how fast, the end of their certificates",
    needs="no credential: a way to each endpoint",
    config=Config,
    gives=frozenset({ProbeCheck, ServedCertificate}),
    access=access,
    connect=connect,
    check=check,
    targets=lambda config, _: {target.name for target in config.targets},
)

"""`platform-meter.yaml`: typed settings, or every problem in them. `docs/config.md` explains each key."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo

from platform_meter import measures
from platform_meter.model.access import Secret
from platform_meter.model.definitions import LocalPath, Period, Zone
from platform_meter.model.links import NOWHERE, Links
from platform_meter.model.scalars import Address, unfit
from platform_meter.model.source import SourceConfig
from platform_meter.problems import Document, Problem, decode, suggest
from platform_meter.runtime.access.settings import AccessSettings
from platform_meter.runtime.files.report_settings import ReportSettings
from platform_meter.runtime.files.store_settings import StoreSettings

NAME = "platform-meter.yaml"
_INSTANCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def parse_listen(value: Any) -> Any:
    """`host:port`, `:port` or `[ipv6]:port`; lists and the like are left for others to refuse.

    Raises:
        ValueError: anything else.
    """
    if isinstance(value, list | dict):
        return value
    text = "" if value is None else str(value)
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    is_port = re.fullmatch(r"[0-9]{1,5}", port) and int(port) <= 65535
    if is_port and not colon:
        raise ValueError(f"'{text}' is a port without a host; write 127.0.0.1:{text}, or :{text} for all addresses")
    if not is_port or (":" in host and not bracketed):
        raise unfit(text, "no address to listen at", "write host:port, such as 127.0.0.1:9898 or :9898")
    return text


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)


class Caps(Settings):
    """Bounds on the number of series."""

    total: int = Field(default=60_000, ge=1000)
    """Series in all."""
    families: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """Series of one metric, instead of its own bound."""
    keep: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """By label: values that never become `_other`."""


class ExpositionSettings(Settings):
    """What `/metrics` serves beside our own names."""

    opentelemetry: bool = False
    """CI and repositories under the names of OpenTelemetry's conventions too."""

    @property
    def on(self) -> frozenset[str]:
        """The names of those that are switched on."""
        return frozenset(name for name, value in self if value)


class LinkSettings(Settings):
    """Addresses as people reach them: what alerts link to."""

    exporter: Address | None = None
    """The pages of this exporter."""
    grafana: Address | None = None
    """The Grafana that has the generated dashboards."""
    runbooks: Address | None = None
    """The folder of runbook pages, as `docs/runbooks` of the repository."""

    @property
    def links(self) -> Links:
        """As alerts take them."""
        exporter, grafana, runbooks = ((one or "").rstrip("/") for one in (self.exporter, self.grafana, self.runbooks))
        return Links(exporter=exporter, grafana=grafana, runbooks=runbooks)


class Labels(Settings):
    team: str | None = None
    """The label on objects that names the owning team (ownership rule 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSection:
    """One configured source: its type's name and its settings."""

    type_name: str
    config: SourceConfig


class Config(Settings):
    """The whole file. Every default works; without sources there is nothing to read."""

    zone: Zone = "UTC"
    """Cuts days, weeks and months in reports and snapshots."""
    listen: Annotated[str, BeforeValidator(parse_listen)] = "127.0.0.1:9898"
    """Address of `/metrics` and the pages."""
    web_config: LocalPath | None = None
    """File in exporter-toolkit's format: TLS, users and their passwords, headers, a bound on requests."""
    access: AccessSettings = AccessSettings()
    """Who has which role."""
    definitions: LocalPath = "slo-definitions"
    """Folder of what people declare: capabilities, queues, owners, SLOs."""
    store: StoreSettings = Field(default_factory=StoreSettings)
    salt: Secret | None = None
    """Salt for hashing people; without it the store makes one and keeps it."""
    tick: Period = timedelta(seconds=15)
    """How often windows move and gauges age."""
    zero_for: Period = timedelta(seconds=60)
    """How long a new label set is shown at 0 before its first value: one scrape interval or more."""
    caps: Caps = Caps()
    exposition: ExpositionSettings = ExpositionSettings()
    push_bytes: Annotated[int, Field(ge=1024, le=10 * 2**20)] = 2**20  # the server takes no more
    """Bytes of one body that is pushed; more are refused."""
    labels: Labels = Labels()
    links: LinkSettings = LinkSettings()
    report: ReportSettings = ReportSettings()
    """Where the weekly report goes."""
    sources: dict[str, InstanceOf[SourceSection]] = Field(default_factory=dict)
    """By name of our choosing, which becomes the label `source_instance`."""

    @model_validator(mode="before")
    @classmethod
    def _store_too(cls, data: Any) -> Any:
        """Paths that are defaults start at the file's folder like written ones."""
        return {"store": {}, **data} if isinstance(data, dict) else data

    @property
    def address(self) -> tuple[str, int]:
        """Host ("" for all) and port to listen at."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One written key of a section that is sound by itself, whatever is wrong with the others."""

    at: tuple[str, ...]
    value: Any
    field: FieldInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedConfig:
    """What a configuration file says."""

    config: Config | None
    """None where it has problems."""
    problems: tuple[Problem, ...]
    document: Document | None
    instances: Mapping[str, str]
    """Type by name of every source whose type is known, its settings sound or not."""
    folder: str
    """Of the definitions, whatever else is wrong."""
    settings: tuple[Setting, ...]
    sections: Mapping[str, SourceSection]
    """Sources whose settings are sound, by name."""


def load_config(
    text: str,
    path: str,
    source_types: Mapping[str, type[SourceConfig]],
) -> LoadedConfig:
    """The typed configuration, or every problem in it. Touches no file: `references` looks at those that it names.

    Args:
        text: the file's content.
        path: as problems are to call it; relative paths in it start at its folder.
        source_types: settings class by source type (`sources.load()[type].config`).
    """
    decoded = decode(text, path, lambda _: None)
    problems = list(decoded.problems)
    context = {"base": posixpath.dirname(path)}
    if not decoded.others:
        config = None if problems else Config.model_validate({}, context=context)
        folder = _folder(None, path)
        return LoadedConfig(
            config=config,
            problems=tuple(problems),
            document=None,
            instances={},
            folder=folder,
            settings=(),
            sections={},
        )
    document, *more = decoded.others
    problems += [d.problem("a second document; this file holds one: remove the line with ---") for d in more]
    read = document.read(Config, context=context, leave=("sources",))
    settings = [*_settings(Config, document.value, (), read, context)]
    sections, instances = _sections(document, source_types, context, problems, settings)
    problems += _unknown_in_caps(document)
    if isinstance(read, list):
        problems += read
    return LoadedConfig(
        config=None if problems or isinstance(read, list) else read.model_copy(update={"sources": sections}),
        problems=tuple(sorted(problems)),
        document=document,
        instances=instances,
        folder=_folder(document, path),
        settings=tuple(settings),
        sections=sections,
    )


class _Linking(Settings):
    """The one section of a configuration that rules are made with."""

    model_config = ConfigDict(extra="ignore")
    links: LinkSettings = LinkSettings()


def read_links(text: str, path: str) -> Links | list[Problem]:
    """Where things are, as a configuration says; or what is wrong with that section, whatever else is."""
    decoded = decode(text, path, lambda _: None)
    if decoded.problems:
        return list(decoded.problems)
    if not decoded.others:
        return NOWHERE
    found = decoded.others[0].read(_Linking)
    return found if isinstance(found, list) else found.links.links


def _folder(document: Document | None, path: str) -> str:
    """Of the definitions."""
    written = document.word("definitions") if document else ""
    return posixpath.normpath(
        posixpath.join(posixpath.dirname(path), written or Config.model_fields["definitions"].default)
    )


def _settings(
    model: type[BaseModel],
    written: Mapping[str, Any],
    at: tuple[str, ...],
    read: BaseModel | list[Problem],
    context: Mapping[str, Any],
) -> Iterator[Setting]:
    """What is sound of a section: all that is written in it, where it was `read` as a whole."""
    for name, field in model.model_fields.items():
        if (key := field.alias or name) not in written:
            continue
        if isinstance(read, BaseModel):
            yield Setting(at=(*at, key), value=getattr(read, name), field=field)
            continue
        with suppress(ValidationError):
            value = TypeAdapter(field.rebuild_annotation()).validate_python(written[key], context=dict(context))
            yield Setting(at=(*at, key), value=value, field=field)


def _sections(
    document: Document,
    source_types: Mapping[str, type[SourceConfig]],
    context: Mapping[str, Any],
    problems: list[Problem],
    settings: list[Setting],
) -> tuple[dict[str, SourceSection], dict[str, str]]:
    """Every source's section, read by the settings class of its type, and the types that are known."""
    written = document.value.get("sources")
    found: dict[str, SourceSection] = {}
    instances: dict[str, str] = {}
    if written is None:
        return found, instances
    some = next(iter(source_types), "TYPE")
    if not isinstance(written, dict):
        problems.append(document.problem(f"sources are named sections; write NAME: {{type: {some}, ...}}", "sources"))
        return found, instances
    for name, section in written.items():
        at = ("sources", name)
        if not _INSTANCE.fullmatch(name):
            text = f"'{name}' cannot be a label value; name a source with letters, digits, '-', '_' and '.'"
            problems.append(document.problem(text, *at, key=True))
        if not isinstance(section, dict):
            problems.append(
                document.problem(f"source '{name}' is no section; write {name}: {{type: {some}, ...}}", *at)
            )
            continue
        kind = section.get("type")
        if not isinstance(kind, str) or not kind:
            known = " or ".join(sorted(source_types))
            text = f"source '{name}' does not say what it is; write type: {known}"
            problems.append(document.problem(text, *at, *(["type"] if "type" in section else [])))
            continue
        model = source_types.get(kind)
        if model is None:
            text = f"unknown source type '{kind}'{suggest(kind, source_types)}"
            known = f" (known: {', '.join(sorted(source_types))})" if "did you mean" in text else ""
            problems.append(document.problem(text + known, *at, "type"))
            continue
        instances[name] = kind
        leave = () if "type" in model.model_fields else ("type",)
        config = document.read(model, *at, context=context, leave=leave, label=f"source '{name}'")
        settings += _settings(model, section, at, config, context)
        if isinstance(config, list):
            problems += config
        else:
            found[name] = SourceSection(type_name=kind, config=config)
    return found, instances


def _unknown_in_caps(document: Document) -> Iterator[Problem]:
    """Names that bound nothing, whatever the bounds are."""
    metrics = measures.metrics()
    labels = {label for metric in metrics.values() for label in metric.labels}
    for key, what, known in (("families", "is called", metrics), ("keep", "has a label", labels)):
        for _, bounds in document.found("caps", key):
            for name in bounds if isinstance(bounds, dict) else ():
                if name not in known:
                    text = f"no metric {what} '{name}'{suggest(name, known)}"
                    yield document.problem(text, "caps", key, name, key=True)

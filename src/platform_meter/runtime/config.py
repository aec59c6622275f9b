"""`platform-meter.yaml`: typed settings, or every problem in them. `docs/config.md` explains each key."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, InstanceOf, PrivateAttr, model_validator

from platform_meter.measures import catalogue
from platform_meter.model.definitions import LocalPath, Period, Zone
from platform_meter.model.scalars import beside
from platform_meter.model.source import Secret, SourceConfig
from platform_meter.problems import Document, Problem, decode, suggest

NAME = "platform-meter.yaml"
_INSTANCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SQLITE = "sqlite:///"
SALT_FILE = "platform-meter.salt"


def parse_listen(value: str) -> str:
    """`host:port`, `:port` or `[ipv6]:port`.

    Raises:
        ValueError: anything else.
    """
    host, colon, port = value.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535 or (":" in host and not bracketed):
        raise ValueError(f"'{value}' is no address to listen at; write host:port, such as 127.0.0.1:9898 or :9898")
    return value


def parse_store_url(value: str) -> str:
    """An SQLAlchemy URL of SQLite or PostgreSQL.

    Raises:
        ValueError: anything else.
    """
    if not value.startswith((_SQLITE, "postgresql://", "postgresql+psycopg://")) or value == _SQLITE:
        raise ValueError("no store has such an address; write sqlite:///FILE or postgresql+psycopg://HOST/DATABASE")
    return value


def _store_beside(value: str, info: Any) -> str:
    """SQLite's file is relative to the configuration, like every path."""
    return _SQLITE + beside(value.removeprefix(_SQLITE), info) if value.startswith(_SQLITE) else value


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)


class StoreSettings(Settings):
    url: Annotated[str, AfterValidator(parse_store_url), AfterValidator(_store_beside)] = "sqlite:///platform-meter.db"
    """Where facts are kept. SQLite's file is relative to this one; PostgreSQL lets replicas share the work."""
    retention: Period = timedelta(days=400)
    """Facts older than this are removed."""
    lease: Annotated[Period, Field(ge=timedelta(seconds=1))] = timedelta(seconds=30)
    """How long a replica keeps a source after its last sign of life; then another one polls it."""


class Caps(Settings):
    """Bounds on the number of series."""

    total: int = Field(default=60_000, ge=1000)
    """Series in all."""
    families: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """Series of one metric, instead of its own bound."""
    keep: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """By label: values that never become `_other`."""


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
    listen: Annotated[str, AfterValidator(parse_listen)] = "127.0.0.1:9898"
    """Address of `/metrics` and the pages."""
    definitions: LocalPath = "slo-definitions"
    """Folder of what people declare: capabilities, queues, owners, SLOs."""
    store: StoreSettings = StoreSettings()
    salt: Secret | None = None
    """Salt for hashing people; without it one is made at first start and kept beside the store."""
    tick: Period = timedelta(seconds=15)
    """How often windows move and gauges age."""
    zero_for: Period = timedelta(seconds=60)
    """How long a new label set is shown at 0 before its first value: one scrape interval or more."""
    caps: Caps = Caps()
    labels: Labels = Labels()
    sources: dict[str, InstanceOf[SourceSection]] = Field(default_factory=dict)
    """By name of our choosing, which becomes the label `source_instance`."""
    _folder: str = PrivateAttr(default="")

    @model_validator(mode="before")
    @classmethod
    def _store_too(cls, data: Any) -> Any:
        """Paths that are defaults start at the file's folder like written ones."""
        return {"store": {}, **data} if isinstance(data, dict) else data

    def model_post_init(self, context: Any, /) -> None:
        self._folder = (context or {}).get("base", "")

    @property
    def address(self) -> tuple[str, int]:
        """Host ("" for all) and port to listen at."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def salt_file(self) -> Path:
        """Where a salt is kept that we made: beside SQLite's file, else beside the configuration."""
        beside_store = self.store.url.startswith(_SQLITE)
        folder = posixpath.dirname(self.store.url.removeprefix(_SQLITE)) if beside_store else self._folder
        return Path(folder, SALT_FILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedConfig:
    """What a configuration file says. With problems, `config` is only good for finding more of them."""

    config: Config | None
    problems: tuple[Problem, ...]
    document: Document | None
    instances: Mapping[str, str]
    """Type by name of every source whose type is known, its settings sound or not."""
    folder: str
    """Of the definitions, whatever else is wrong."""


def load_config(
    text: str,
    path: str,
    source_types: Mapping[str, type[SourceConfig]],
    *,
    metrics: Collection[str] = tuple(catalogue.ALL),
) -> LoadedConfig:
    """The typed configuration, or every problem in it. Touches no file; secrets are looked at by `missing_secrets`.

    Args:
        text: the file's content.
        path: as problems are to call it; relative paths in it start at its folder.
        source_types: settings class by source type (`sources.load()[type].config`).
        metrics: names that `caps` may bound.
    """
    decoded = decode(text, path, lambda _: None)
    if not decoded.others:
        empty = None if decoded.problems else Config.model_validate({}, context={"base": posixpath.dirname(path)})
        return _loaded(path, empty, list(decoded.problems), None, {})
    document, *more = decoded.others
    problems = list(decoded.problems)
    problems += [d.problem("a second document; this file holds one: remove the line with ---") for d in more]
    context = {"base": posixpath.dirname(path)}
    config = document.read(Config, context=context, leave=("sources",))
    sections, instances = _sections(document, source_types, context, problems)
    if isinstance(config, list):
        # What is sound in the sources still names secrets to look at.
        sound = Config.model_validate({}, context=context).model_copy(update={"sources": sections})
        return replace(_loaded(path, None, problems + config, document, instances), config=sound)
    problems += _unknown_in_caps(config, document, metrics)
    return _loaded(path, config.model_copy(update={"sources": sections}), problems, document, instances)


def _loaded(
    path: str,
    config: Config | None,
    problems: list[Problem],
    document: Document | None,
    instances: Mapping[str, str],
) -> LoadedConfig:
    written = document.value.get("definitions") if document else None
    folder = written if isinstance(written, str) and written else Config.model_fields["definitions"].default
    return LoadedConfig(
        config=config,
        problems=tuple(sorted(problems)),
        document=document,
        instances=instances,
        folder=config.definitions if config else posixpath.join(posixpath.dirname(path), folder),
    )


def _sections(
    document: Document,
    source_types: Mapping[str, type[SourceConfig]],
    context: Mapping[str, Any],
    problems: list[Problem],
) -> tuple[dict[str, SourceSection], dict[str, str]]:
    """Every source's section, read by the settings class of its type."""
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
        if isinstance(config, list):
            problems += config
        else:
            found[name] = SourceSection(type_name=kind, config=config)
    return found, instances


def _unknown_in_caps(config: Config, document: Document, metrics: Collection[str]) -> list[Problem]:
    labels = {label for metric in catalogue.ALL.values() for label in metric.labels}
    return [
        document.problem(f"no metric is called '{name}'{suggest(name, metrics)}", "caps", "families", name, key=True)
        for name in config.caps.families
        if name not in metrics
    ] + [
        document.problem(f"no metric has a label '{name}'{suggest(name, labels)}", "caps", "keep", name, key=True)
        for name in config.caps.keep
        if name not in labels
    ]


def missing_secrets(
    loaded: LoadedConfig, exists: Callable[[str], bool], environ: Mapping[str, str]
) -> tuple[Problem, ...]:
    """Secrets that are not where the configuration says, with both ways out.

    Args:
        loaded: as `load_config` gives it.
        exists: whether there is a file of this path that can be read.
        environ: variables by name.
    """
    if loaded.config is None or loaded.document is None:
        return ()
    found: list[Problem] = []
    for at, secret in _secrets(loaded.config, loaded.config.sources):
        key = at[-1]
        where = at[1] if at[0] == "sources" else "platform-meter"
        kind = loaded.instances.get(str(where), "PLATFORM_METER")
        if secret.file and not exists(secret.file):
            written = _written(loaded.document, *at, "file") or secret.file
            variable = re.sub(r"\W", "_", f"{kind}_{key}").upper()
            text = (
                f"file '{written}' is not there or cannot be read (paths start at this file's folder); "
                f"create it, or write {key}: {{env: {variable}}}"
            )
            found.append(loaded.document.problem(text, *at, "file"))
        if secret.env and not environ.get(secret.env):
            text = f"variable '{secret.env}' is not set; set it, or write {key}: {{file: secrets/{where}-{key}}}"
            found.append(loaded.document.problem(text, *at, "env"))
    return tuple(sorted(found))


def _secrets(config: Config, sections: Mapping[str, SourceSection]) -> Iterator[tuple[tuple[str | int, ...], Secret]]:
    yield from _inside(config, ())
    for name, section in sections.items():
        yield from _inside(section.config, ("sources", name))


def _inside(value: Any, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Secret]]:
    if isinstance(value, Secret):
        yield at, value
    elif isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from _inside(getattr(value, name), (*at, info.alias or name))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _inside(inner, (*at, key))
    elif isinstance(value, tuple | list):
        for i, inner in enumerate(value):
            yield from _inside(inner, (*at, i))


def _written(document: Document, *at: str | int) -> str:
    """A value as the file says it; empty where it is a default."""
    value: Any = document.value
    for part in at:
        if part not in (value if isinstance(value, Mapping) else range(len(value))):
            return ""
        value = value[part]
    return str(value)


def readable(path: str) -> bool:
    """Whether this is a file that we may read."""
    found = Path(path).expanduser()
    return found.is_file() and os.access(found, os.R_OK)

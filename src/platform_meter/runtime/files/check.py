"""Everything people wrote, read and held against each other: all problems at once, and the values of what is sound."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from platform_meter import measures, sources
from platform_meter.measures.objectives.slices import SPARE
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts.probes import ProbeCheck
from platform_meter.model.objective import StoredSli
from platform_meter.model.source import Source
from platform_meter.problems import EACH, Problem, masked, suggest
from platform_meter.problems.problem import Text
from platform_meter.runtime.files import ready
from platform_meter.runtime.files.asked import join
from platform_meter.runtime.files.config import Config, LoadedConfig, load_config
from platform_meter.runtime.files.cross_checks import Known, Slo, advise, cross_check
from platform_meter.runtime.files.declared import declared_sections
from platform_meter.runtime.files.definitions import LoadedDefinitions, is_there, load_definitions, read_text
from platform_meter.runtime.files.doubles import doubled
from platform_meter.runtime.files.pointing import at
from platform_meter.runtime.files.references import look_up, read_file
from platform_meter.runtime.files.roadmaps import with_roadmaps
from platform_meter.runtime.files.store_settings import StoreSettings
from platform_meter.runtime.files.untold import untold
from platform_meter.slo.check import Reader
from platform_meter.slo.plan import SCRAPE, Plan, plan
from platform_meter.slo.spec import Spec
from platform_meter.slo.stored import stored_objective


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What the files say. With problems, the values are good for nothing but looking on."""

    config: Config | None
    definitions: Definitions
    problems: tuple[Problem, ...]
    """Sorted by file and line, each once."""
    slo_files: tuple[tuple[str, str], ...]
    """Path and text of every file with an SLO in it."""
    plans: tuple[Plan, ...] = ()
    specs: tuple[Spec, ...] = ()
    """What the plans are made of, one for each."""
    """Every sound SLO of these files, resolved; those over stored events are in `definitions` too."""
    warnings: tuple[Problem, ...] = ()
    """Allowed, but worth knowing."""


def check(config_path: Path | None, extra_paths: Sequence[Path], environ: Mapping[str, str]) -> list[Problem]:
    """Every problem in the configuration, its definitions and `extra_paths`, sorted by file and line.

    Args:
        config_path: the configuration; None looks at `extra_paths` alone.
        extra_paths: more definition files, or folders of them.
        environ: variables that secrets may name.
    """
    return list(examine(config_path, extra_paths, environ).problems)


def examine(
    config_path: Path | None,
    extra_paths: Sequence[Path] = (),
    environ: Mapping[str, str] | None = None,
    *,
    source_types: Mapping[str, Source[Any]] | None = None,
    scrape: timedelta = SCRAPE,
    machine: bool = False,
) -> Examined:
    """As `check`, with what the files say. Does not raise on what people wrote, nor on files that can't be read.

    `scrape` is the interval at which Prometheus scrapes; with `machine` what `serve` will need here is looked at too.
    """
    types = sources.load() if source_types is None else source_types
    loaded: LoadedConfig | None = None
    problems: list[Problem] = []
    notes: list[Problem] = []
    if config_path is not None:
        text = read_text(config_path)
        if isinstance(text, Problem):
            problems.append(_no_config(text, config_path))
        else:
            loaded = load_config(text, str(config_path), {name: t.config for name, t in types.items()})
            problems += loaded.problems
            problems += look_up(loaded, read_file, environ or {})
            problems += doubled(loaded, read_file, environ or {})
            try:
                config = ready.settled(loaded.config, environ or {}) if loaded.config else None
                loaded = replace(loaded, config=config)
            except ValueError as error:
                problems.append(Problem(path=str(config_path), line=1, column=1, text=f"{ready.LISTEN}: {error}"))
            problems += ready.doors(loaded, str(config_path), environ or {})
            if machine:
                notes += ready.in_the_clear(loaded)
                notes += ready.pushes(loaded, types)
                problems += ready.store(loaded, str(config_path), environ or {})
                notes += ready.port(loaded)
    folders: list[Path] = []
    if loaded is not None:
        folders.append(Path(loaded.folder))
        if (
            loaded.document is not None
            and loaded.document.word("definitions")
            and not (is_there(folders[0]) and folders[0].is_dir())
        ):
            said = "there is no such folder (paths start at this file's folder); make it, or remove the key"
            problems.append(loaded.document.problem(said, "definitions"))
    for path in extra_paths:
        if not is_there(path):
            said = "there is no such file or folder; correct the path"
            problems.append(Problem(path=str(path), line=1, column=1, text=said))
        elif config_path is None or path.resolve() != config_path.resolve():
            folders.append(path)
    asking = {name: t.asked for name, t in types.items() if t.asked is not None}
    reader = Reader(measures.metrics(), scrape=scrape, asking=asking)
    read = load_definitions(*folders, slo=reader.read)
    slos = reader.checked()
    known = Known(
        instances=None if loaded is None else loaded.instances,
        gives={name: t.gives for name, t in types.items()},
        people=[name for name, t in types.items() if t.people],
        systems=_systems(loaded),
        slos={s.slo: Slo(objective=s.objective, stored=isinstance(s.sli, StoredSli)) for s in slos.specs},
        unread_slos=slos.unsound,
    )
    left_out = untold(read.declared, types, {} if loaded is None else loaded.sections)
    plans = tuple(plan(spec, scrape=scrape) for spec in slos.specs)
    objectives = (stored_objective(p) for p in plans)
    problems += [*read.problems, *cross_check(read.declared, known), *slos.problems]
    texts = dict(read.slo_files)
    problems += _unknown_queues(plans, read, texts)
    problems += _unknown_targets(plans, loaded, types, texts)
    config = loaded.config if loaded else None
    if loaded is not None:
        joined = join(plans, loaded.instances, loaded.sections, types, texts)
        problems += joined.problems
        declared, clashes = declared_sections(read, types, loaded)
        problems += clashes
        sections = {**with_roadmaps(joined.sections, read.definitions.roadmaps, types), **declared}
        config = config and config.model_copy(update={"sources": sections})
    if config is not None:
        problems += _short_detail(plans, config.store, texts)
    return Examined(
        config=config,
        definitions=replace(read.definitions, objectives=tuple(o for o in objectives if o is not None)),
        problems=tuple(masked(sorted(set(problems)))),
        slo_files=read.slo_files,
        plans=plans,
        specs=slos.specs,
        warnings=tuple(sorted({*notes, *read.warnings, *slos.warnings, *advise(read.declared, known.slos), *left_out})),
    )


def _systems(loaded: LoadedConfig | None) -> list[str]:
    """Systems other than their own that configured sources tell of: a Prometheus knows what Kong or Istio serve."""
    if loaded is None or loaded.document is None:
        return []
    document = loaded.document
    return [s for name in loaded.instances for _, s in document.texts("sources", name, "usage", EACH, "system")]


def _unknown_queues(plans: Sequence[Plan], read: LoadedDefinitions, texts: Mapping[str, str]) -> Iterator[Problem]:
    """SLOs of queues, and of SLAs, that no Ticketing declares, if any is declared."""
    slas = {queue.id: [sla.id for sla in queue.slas] for queue in read.definitions.ticketing}
    queues = {one.id for one in read.declared if one.kind == "Ticketing"}
    for one in plans:
        if not queues or not isinstance(one.sli, StoredSli) or "queue" not in one.sli.events.where:
            continue
        queue, sla = one.sli.where.get("queue", ""), one.sli.where.get("sla", "")
        if queue not in queues:
            text = f"no queue is called '{queue}'{suggest(queue, queues)}"
            yield at(one, texts[one.path], "queue", queue, text)
        elif queue in slas and sla not in slas[queue]:
            text = f"queue '{queue}' has no SLA '{sla}'{suggest(sla, slas[queue])}"
            yield at(one, texts[one.path], "sla", sla, text)


def _unknown_targets(
    plans: Sequence[Plan], loaded: LoadedConfig | None, types: Mapping[str, Source[Any]], texts: Mapping[str, str]
) -> Iterator[Problem]:
    """SLOs over checks that no configured source makes, where all sources that make some tell which."""
    if loaded is None:
        return
    known = set[str]()
    for name, source in ((name, types[type_]) for name, type_ in loaded.instances.items()):
        if ProbeCheck not in source.gives:
            continue
        section = loaded.sections.get(name)
        told = None if section is None else source.targets(section.config, name)
        if told is None:
            return
        known.update(told)
    for one in plans:
        target = one.sli.where.get("target", "") if isinstance(one.sli, StoredSli) else ""
        if target and known and target not in known:
            text = f"no source of the configuration checks '{target}'{suggest(target, known)}"
            yield at(one, texts[one.path], "target", target, text)


def _short_detail(plans: Sequence[Plan], store: StoreSettings, texts: Mapping[str, str]) -> Iterator[Problem]:
    """SLOs that judge slices for longer than the events are kept that tell them."""
    for one in plans:
        if isinstance(one.sli, StoredSli) and one.slice is not None and one.sli.events.elsewhere:
            needs = math.ceil((one.period + SPARE) / timedelta(days=1))
            kept = min(store.detail, store.retention)
            if timedelta(days=needs) > kept:
                said = (
                    f"its slices are judged over {one.period_label}, and the store keeps what tells them for {kept.days} days; "
                    f"write store: {{detail: {needs}d}} in the configuration, or count events (`Occurrences`)"
                )
                yield Text.of(one.path, texts[one.path]).problem(said, one.line)


def _no_config(found: Problem, path: Path) -> Problem:
    if is_there(path):
        return found
    text = "there is no such file; write one with `platform-meter init`, or name yours with -c"
    return Problem(path=str(path), line=1, column=1, text=text)

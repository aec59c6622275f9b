"""`slo`: what the SLO files mean, in words; and the options that commands about SLOs share."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from platform_meter.cli.common import config_option, open_service, print_problems

if TYPE_CHECKING:
    from platform_meter.runtime.outside.http import Way
    from platform_meter.slo.explain import Reading
    from platform_meter.slo.plan import Plan

T = TypeVar("T")
_LONGEST_SCRAPE = timedelta(minutes=2)
"""With fewer than two samples in 5 minutes there is no increase."""


class Length(click.ParamType[timedelta]):
    """A duration such as 30s or 5m, between two bounds."""

    name = "duration"

    def __init__(self, least: timedelta = timedelta(0), most: timedelta = timedelta(days=1)) -> None:
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        from platform_meter.model.scalars import parse_duration
        from platform_meter.slo.promql import duration_text

        try:
            found = parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not self._least <= found <= self._most or found % timedelta(seconds=1):
            bounds = f"{duration_text(self._least)} to {duration_text(self._most)}"
            self.fail(f"'{value}' is no whole number of seconds in {bounds}", param, ctx)
        return found


class Traffic(click.ParamType[float]):
    """Events an hour."""

    name = "events"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            found = float(value)
        except ValueError:
            found = math.nan
        if not 0 < found < math.inf:
            self.fail(f"'{value}' is no number of events an hour above 0, such as 60 or 0.5", param, ctx)
        return found


slos_option = click.option(
    "--slos", type=click.Path(path_type=Path), default="slo-definitions", show_default=True, help="Folder of SLO files."
)
scrape_option = click.option(
    "--scrape",
    type=Length(timedelta(seconds=1), _LONGEST_SCRAPE),
    default="30s",
    show_default=True,
    help="Interval at which Prometheus scrapes.",
)


def plans_of(folder: Path, scrape: timedelta) -> tuple[Plan, ...]:
    """The plans of a folder of SLO files; ends the command with every problem where there is any."""
    from platform_meter.runtime.files.check import examine

    found = examine(None, (folder,), os.environ, scrape=scrape)
    print_problems(found.problems)
    return found.plans


def named(name: str, slos: Mapping[str, T]) -> T:
    """The SLO of this name.

    Raises:
        click.UsageError: there is none.
    """
    from platform_meter.problems import suggest

    if name not in slos:
        raise click.UsageError(f"no SLO is called '{name}'{suggest(name, slos)}")
    return slos[name]


@click.group()
def slo() -> None:
    """Say what the SLO files mean."""


@slo.command("list")
@slos_option
def slo_list(slos: Path) -> None:
    """One line for each SLO."""
    from platform_meter.slo.plan import SCRAPE

    for plan in plans_of(slos, SCRAPE):
        who = f", counted by {plan.asked.type}" if plan.asked is not None else ""
        objective = f"{float(plan.objective) * 100:g} % over {plan.period_label}"
        click.echo(f"{plan.slo:<40} {objective}, {plan.profile}, {plan.service}{who}")


@slo.command("explain")
@slos_option
@config_option
@scrape_option
@click.option("--traffic", type=Traffic(), help="Valid events an hour; without it they are counted where they are.")
@click.option("--prometheus", metavar="URL", help="Where the rules are evaluated, to have the events counted.")
@click.option(
    "--poll",
    type=Length(),
    default="60s",
    show_default=True,
    help="From an event to the end of the poll that reads it, at the longest.",
)
@click.option("--group-wait", type=Length(), default="30s", show_default=True, help="Alertmanager's group_wait.")
@click.argument("name")
def slo_explain(
    *,
    slos: Path,
    config_path: Path,
    scrape: timedelta,
    traffic: float | None,
    prometheus: str | None,
    poll: timedelta,
    group_wait: timedelta,
    name: str,
) -> None:
    """Windows, factors, and what fires when, in words.

    What fires at the SLO's own traffic is said where its events are counted: by the store of the configuration, or by
    Prometheus.
    """
    from platform_meter.slo.explain import Around, explain

    plan, said = named(name, {plan.slo: plan for plan in plans_of(slos, scrape)}), ""
    if traffic is None and plan.alerts and plan.slice is None:
        traffic, said = _counted(plan, config_path, prometheus)
    reading = _reading(plan, config_path)
    if reading is not None and click.get_current_context().get_parameter_source("poll") is not ParameterSource.DEFAULT:
        reading = replace(reading, every=poll)
    around = Around(poll=poll, reading=reading, group_wait=group_wait, traffic=traffic, traffic_said=said)
    click.echo(explain(plan, around), nl=False)


def _reading(plan: Plan, config_path: Path) -> Reading | None:
    """How the source reads what the SLO asks it to count; None where it asks none, or the configuration does not tell."""
    from platform_meter import sources
    from platform_meter.runtime.files.asked import instance_of
    from platform_meter.runtime.files.check import examine
    from platform_meter.slo.explain import Reading

    if plan.asked is None or not config_path.exists():
        return None
    config, asking = examine(config_path, (), os.environ).config, sources.load()[plan.asked.type].asked
    found = config.sources if config is not None else {}
    section = found.get(name := instance_of(plan.asked, {one: s.type_name for one, s in found.items()}))
    if section is None or asking is None:
        return None
    late = asking.good_late if plan.asked.part_is_good else timedelta(0)
    return Reading(source=name, every=section.config.every, behind=asking.behind(section.config), good_late=late)


def _counted(plan: Plan, config_path: Path, prometheus: str | None) -> tuple[float | None, str]:
    """The SLO's traffic, and who counted it; or None and what would help."""
    from platform_meter.model.objective import StoredSli
    from platform_meter.model.source import SourceError
    from platform_meter.runtime import traffic
    from platform_meter.runtime.files.check import examine

    help_ = "give --prometheus URL or --traffic EVENTS for its own"
    try:
        if prometheus:
            with way_to(prometheus) as outside:
                return _told(traffic.recorded(outside, plan), plan, prometheus, help_)
        if not config_path.exists():
            return None, help_
        found = examine(config_path, (), os.environ)
        if found.problems or found.config is None:
            return None, f"{config_path} has problems, see platform-meter check -c {config_path}; {help_}"
        if not traffic.has_store(found.config):
            return None, f"{config_path} has no store yet; {help_}"
        with closing(open_service(found)) as service:
            if isinstance(plan.sli, StoredSli):
                return _told(traffic.stored(service, plan), plan, f"the store of {config_path}", help_)
            if service.prometheus is not None:
                return _told(traffic.recorded(service.prometheus, plan), plan, f"Prometheus of {config_path}", help_)
    except SourceError as error:
        return None, f"{error}; {help_}"
    return None, help_


def way_to(prometheus: str) -> Way:
    """The way to the Prometheus that the option of this name says.

    Raises:
        click.BadParameter: it is no address.
    """
    from platform_meter.runtime.traffic import prometheus_at

    try:
        return prometheus_at(prometheus)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--prometheus") from error


def _told(found: float | None, plan: Plan, who: str, help_: str) -> tuple[float | None, str]:
    if found is None:
        return None, f"{who} has counted none; {help_}"
    return found, f"counted by {who} over {plan.period_label}"

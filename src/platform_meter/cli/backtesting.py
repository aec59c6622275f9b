"""`slo backtest`: what would have fired, and what would have been left of the budget, in the past that a Prometheus has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from platform_meter.cli.common import examined, in_words
from platform_meter.cli.slos import Length, named, scrape_option, slos_option, way_to

if TYPE_CHECKING:
    from platform_meter.runtime.backtesting import Past
    from platform_meter.slo.backtest.line import Line
    from platform_meter.slo.backtest.questions import Questions
    from platform_meter.slo.plan import Plan
    from platform_meter.slo.spec import Spec

_LONGEST = timedelta(days=400)


class Share(click.ParamType[Decimal]):
    """An objective, as a share or in percent."""

    name = "objective"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        from platform_meter.slo.openslo.values import parse_percent, parse_target

        text = str(value).strip()
        try:
            return parse_percent(text[:-1].strip()) if text.endswith("%") else parse_target(text)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@slos_option
@scrape_option
@click.option("--prometheus", metavar="URL", required=True, help="Where the past is.")
@click.option(
    "--last",
    type=Length(timedelta(hours=1), _LONGEST),
    default="28d",
    show_default=True,
    help="How far back.",
)
@click.option(
    "--objective",
    "objectives",
    type=Share(),
    multiple=True,
    help="One more objective to try, such as 0.995 or 99.5%; without any, the SLO's neighbours.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder for answers, so that a run that was ended goes on where it was.",
)
@click.argument("names", nargs=-1)
def backtest(
    *,
    slos: Path,
    scrape: timedelta,
    prometheus: str,
    last: timedelta,
    objectives: tuple[Decimal, ...],
    keep: Path | None,
    names: tuple[str, ...],
) -> None:
    """Say which alerts would have fired, and what would have been left of the budget, today's objective and others.

    NAMES are SLOs that Prometheus counts; without any, all of these. Progress goes to standard error.
    """
    from platform_meter.runtime.backtesting import Past
    from platform_meter.runtime.service import utc_now
    from platform_meter.slo.backtest import backtest as lines
    from platform_meter.slo.backtest.questions import questions

    found = examined(None, (slos,), scrape=scrape)
    wanted = _wanted(list(zip(found.plans, found.specs, strict=True)), names)
    now = utc_now()
    with way_to(prometheus) as outside:
        past = Past(outside, prometheus, keep=keep, told=lambda: click.echo(".", nl=False, err=True))
        for number, (plan, spec) in enumerate(wanted, 1):
            asked = questions(plan)
            if asked is None:
                click.echo(f"{plan.slo}: counted by the exporter, not by Prometheus")
                continue
            click.echo(f"{number} of {len(wanted)} {plan.slo} ", nl=False, err=True)
            line = _line(past, asked, now, last)
            click.echo(err=True)
            for text in lines(plan, spec, line, objectives):
                click.echo(text)


def _line(past: Past, asked: Questions, now: datetime, last: timedelta) -> Line:
    """What was counted until now; what cannot be had ends the command in a sentence."""
    from platform_meter.model.source import SourceError

    step = asked.step.total_seconds()
    end = datetime.fromtimestamp(now.timestamp() // step * step, UTC)
    try:
        with in_words():
            return past.line(asked, end - last // asked.step * asked.step, end)
    except SourceError as error:
        raise click.ClickException(f"the Prometheus of --prometheus: {error}") from error


def _wanted(every: list[tuple[Plan, Spec]], names: tuple[str, ...]) -> list[tuple[Plan, Spec]]:
    known = {plan.slo: (plan, spec) for plan, spec in every}
    return [named(name, known) for name in names] if names else every

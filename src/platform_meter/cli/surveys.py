"""`survey invite`: links to a survey's own form, one for each person."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import click

from platform_meter.cli.common import config_option, examined, in_words, open_service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_meter.model.definitions import Survey
    from platform_meter.runtime.forms import Person

_NAMED = 10
"""Unknown teams that are told."""


@click.group()
def survey() -> None:
    """Surveys with a form of our own."""


@survey.command()
@config_option
@click.argument("name", metavar="ID")
@click.option(
    "--people",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="CSV of who is asked: the column that the survey's `respondent` names, and team and persona where they are known.",
)
@click.option(
    "--url", default="", help="Address of the exporter as people reach it; by default `links: {exporter: ...}`."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the links go; by default they are printed.",
)
def invite(config_path: Path, name: str, people: Path, url: str, output: Path | None) -> None:
    """Make a link for each person, as CSV. Each answers once, until the survey's wave ends.

    Of a link only a hash is stored: whoever loses it is invited again.
    """
    from platform_meter.runtime.forms import Closed, Forms

    found = examined(config_path)
    asked = next((one for one in found.definitions.surveys if one.id == name), None)
    config = found.config
    base = (url or (config.links.links.exporter if config else "")).rstrip("/")
    if not base.startswith(("https://", "http://")):
        raise click.ClickException(
            "nobody says under which address people reach the exporter; write links: {exporter: https://HOST} into the "
            "configuration, or give --url"
        )
    told = [] if asked is None else _people(people, asked)
    service = open_service(found)
    try:
        with in_words():
            forms = Forms(service.store, service.history, service.definitions, zone=service.zone, clock=service.clock)
            made = forms.invite(name, told, service.hashed)
    except Closed as error:
        raise click.ClickException(str(error)) from error
    finally:
        service.close()
    rows = [(person, f"{base}/survey/{name}?link={link}") for person, link in made]
    _write(rows, asked.respondent if asked else "", output)
    click.echo(f"{len(rows)} invited", err=True)
    teams = {team.id.lower() for team in found.definitions.teams}
    if lost := sorted({person.team for person in told if person.team and person.team.lower() not in teams}):
        more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
        click.echo(
            f"worth knowing: no Team file is called {', '.join(lost[:_NAMED])}{more}; unless a portal tells of it, its people "
            "count in no group",
            err=True,
        )


def _people(path: Path, asked: Survey) -> Sequence[Person]:
    """Who stands in the file."""
    from platform_meter.runtime.forms import Person

    with in_words(), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if asked.respondent not in (reader.fieldnames or ()):
            there = ", ".join(reader.fieldnames or ()) or "none"
            raise click.ClickException(
                f"{path}: there is no column '{asked.respondent}'; those that are there: {there}"
            )
        return [
            Person(
                name=row[asked.respondent] or "",
                team=row.get(asked.team) or "",
                persona=row.get(asked.persona) or "",
            )
            for row in reader
        ]


def _write(rows: Sequence[tuple[str, str]], column: str, output: Path | None) -> None:
    """As CSV: into a file that only its owner may read, or to the terminal."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([(column, "link"), *rows])
    if output is None:
        click.echo(text.getvalue(), nl=False)
        return
    with in_words():
        output.touch(mode=0o600)
        output.chmod(0o600)
        output.write_text(text.getvalue(), encoding="utf-8")

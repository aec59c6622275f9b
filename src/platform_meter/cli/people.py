"""`people rotate` and `people forget`: another salt for everybody, and one person out of everything."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import click

from platform_meter.cli.common import config_option, examined, in_words

if TYPE_CHECKING:
    from platform_meter.runtime.files.config import Config
    from platform_meter.store import Store

_RESTARTS = """\
Everybody gets a name by chance in place of the old hash, and the old salt is good for nothing any more.
What begins anew, with the first whole window under the new salt:
- active people of the portal
- adoption and journeys with `unit: person`: their daily states, trends and cohorts are removed
- courses: who began one before is counted no more
- surveys: the wave that runs now is left out, since who answers then is not known to have answered
- answers, invitations, enrolments and use without an id of their own that were not read yet are refused: poll before
What counts teams and services, tickets by the team that asks, and survey waves that are over stay as they are."""


@click.group()
def people() -> None:
    """People, who are kept as salted hashes."""


@people.command()
@config_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--forgotten",
    type=click.File(encoding="utf-8-sig"),
    help="A file of who was forgotten, a name each line, to keep them out under the new salt too.",
)
def rotate(config_path: str, *, yes: bool, forgotten: IO[str] | None) -> None:
    """Hash people with another salt.

    With `salt` in the configuration, put a new one in its place first; else the store makes one. Exporters that run
    write nothing more until they are reloaded.
    """
    from platform_meter.runtime.people import hashes, said_salt
    from platform_meter.runtime.service import utc_now

    names = forgotten.readlines() if forgotten else []
    with _store(config_path) as (config, store):
        click.echo(_RESTARTS)
        out = store.people.kept_out()
        if out and not names:
            click.echo(
                f"{out} hashes of people who were forgotten are known no more: their sources tell of them again, unless "
                "--forgotten FILE names them"
            )
        if not yes:
            click.confirm("go on?", abort=True)
        done = store.people.rotate(said_salt(config, os.environ), utc_now(), out=lambda salt: hashes(salt, names))
    click.echo(f"{done.renamed} hashes have another name; reload the exporters of this store, or start them again")


@people.command()
@config_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--names",
    type=click.File(encoding="utf-8-sig"),
    help="Where the names stand; by default they are read from the input.",
)
def forget(config_path: str, *, yes: bool, names: IO[str] | None) -> None:
    """Remove one person from the store, and keep them out of what comes.

    Write all names by which sources know the person, one each line: mail address, logins. Nothing of them is in
    the command, which others can see.
    """
    from platform_meter.runtime.people import hashes, said_salt
    from platform_meter.runtime.service import utc_now

    told = [line for line in names or sys.stdin if line.strip()]
    if not told:
        raise click.ClickException("nobody is named; write a name each line, such as a mail address, into the input")
    if not yes and names is None:
        raise click.ClickException("what is forgotten does not come back; add --yes")
    if not yes:
        click.confirm("what is forgotten does not come back; go on?", abort=True)
    with _store(config_path) as (config, store):
        salt = store.people.salt(said_salt(config, os.environ))
        done = store.people.forget(hashes(salt, told), utc_now())
    for what, n in sorted(done.items()):
        click.echo(f"{what}: {n}")
    click.echo("kept out from now on" if done else "nothing is stored of them; kept out from now on")


@contextmanager
def _store(config_path: str) -> Iterator[tuple[Config, Store]]:
    """The store alone: an exporter would refuse a salt that is another."""
    from pathlib import Path

    from platform_meter.runtime.service import open_store

    found = examined(Path(config_path))
    if found.config is None:
        raise click.ClickException("there is no configuration")
    with in_words():
        store = open_store(found.config, found.definitions)
        try:
            yield found.config, store
        finally:
            store.close()

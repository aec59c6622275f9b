"""What several commands do: read files or end with what is wrong in them, open the exporter, stop on a signal."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from platform_meter.problems import Problem
    from platform_meter.runtime.files.check import Examined
    from platform_meter.runtime.service import Service

CONFIG = "platform-meter.yaml"
config_option = click.option(
    "-c",
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=CONFIG,
    show_default=True,
    help="The configuration file.",
)


def examined(
    config_path: Path | None, paths: tuple[Path, ...] = (), *, scrape: timedelta | None = None, machine: bool = False
) -> Examined:
    """What the files say. Prints every problem and exits 1 if there is any.

    `scrape` is the interval at which Prometheus scrapes, where it is not the usual one; with `machine` what `serve`
    will need here is looked at too.
    """
    from platform_meter.runtime.files.check import examine
    from platform_meter.slo.plan import SCRAPE

    found = examine(config_path, paths, os.environ, scrape=scrape or SCRAPE, machine=machine)
    print_problems(found.problems)
    return found


def print_problems(problems: Sequence[Problem]) -> None:
    """Print every problem and exit 1 if there is any."""
    from platform_meter.problems import render

    for problem in problems:
        click.echo(render(problem))
    if problems:
        count = len(problems)
        click.echo(f"{count} problem{'s' if count > 1 else ''}", err=True)
        sys.exit(1)


@contextmanager
def in_words() -> Iterator[None]:
    """What the machine or a file refuses in this block ends the command with one line, not with a traceback."""
    from platform_meter.store import StoreError

    try:
        yield
    except (StoreError, ValueError, OSError, ImportError) as error:
        raise click.ClickException(reason(error)) from error


def reason(error: BaseException) -> str:
    """What an exception says to an operator."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, ImportError):
        return f"{error}; install platform-meter with the extra that brings it, such as platform-meter[postgres]"
    return str(error) or type(error).__name__


def can_listen(host: str, port: int, instead: str) -> None:
    """End the command, before it does anything long, where nobody can listen at this address.

    Args:
        host: "" for all addresses.
        port: 0 for any.
        instead: what to write instead.
    """
    from platform_meter.runtime.files.ready import try_to_listen

    try:
        try_to_listen(host, port)
    except (OSError, UnicodeError) as error:  # a name that no host can have is the latter
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        raise click.ClickException(f"cannot listen at {place}: {reason(error)}; {instead}") from error


def open_service(found: Examined, *, holder: str = "", flaws: Callable[[], int] = lambda: 0) -> Service:
    """The exporter on what the files say; ends the command in words where it can't be opened.

    `holder` is its name for leases, where it is not the one that listens at the configured address; `flaws` says how
    many problems there are now in files that are read again by themselves.
    """
    from platform_meter.runtime.service import Service

    if found.config is None:
        raise click.ClickException("there is no configuration")
    with in_words():
        return Service(
            found.config,
            found.definitions,
            environ=os.environ,
            holder=holder,
            plans=found.plans,
            flaws=flaws,
            progress=progress,
        )


def progress(instance: str, text: str) -> None:
    """A line about a first import."""
    click.echo(f"{instance}: {text}", err=True)


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

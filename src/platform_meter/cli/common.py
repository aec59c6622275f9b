"""What several commands do: read files or end with what is wrong in them, open the exporter, stop on a signal."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from platform_meter.runtime.check import Examined
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


def examined(config_path: Path | None, paths: tuple[Path, ...] = ()) -> Examined:
    """What the files say. Prints every problem and exits 1 if there is any."""
    from platform_meter.runtime.check import examine

    found = examine(config_path, paths, os.environ)
    print_problems(found)
    return found


def print_problems(found: Examined) -> None:
    """Print every problem and exit 1 if there is any."""
    from platform_meter.problems import render

    for problem in found.problems:
        click.echo(render(problem))
    if found.problems:
        count = len(found.problems)
        click.echo(f"{count} problem{'s' if count > 1 else ''}", err=True)
        sys.exit(1)


def open_service(found: Examined) -> Service:
    from platform_meter.runtime.service import Service
    from platform_meter.store import StoreError

    if found.config is None:
        raise click.ClickException("there is no configuration")
    try:
        return Service(
            found.config,
            found.definitions,
            environ=os.environ,
            plans=found.plans,
            progress=progress,
        )
    except StoreError as error:
        raise click.ClickException(str(error)) from error


_last_line = ""


def progress(instance: str, text: str) -> None:
    """One line that is written over, and only on a terminal."""
    global _last_line  # noqa: PLW0603 - the terminal's last line is global too
    if sys.stderr.isatty():
        line = f"importing {instance}: {text}"
        sys.stderr.write("\r" + line.ljust(len(_last_line)))
        sys.stderr.flush()
        _last_line = line


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

"""Where `generate` puts what it makes: what differs from what is there, what is in the way, and all written or nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from platform_meter.render.artifact import Artifact, Difference

AGAIN = "platform-meter generate"


@dataclass(frozen=True, kw_only=True)
class Folder:
    """One folder of generated files, and what would be generated into it."""

    path: Path
    elsewhere: str
    """What to name instead where something of somebody else's is in the way."""
    artifacts: Iterable[Artifact]
    suffix: str = ""
    """Of the names that are looked at: what we wrote under such a name, and write no more, goes."""
    alone: str = ""
    """The one name that is looked at, where the folder is none of ours."""
    again: str = AGAIN
    """The command that writes it."""

    def differences(self) -> Iterator[Difference]:
        """Files that are not as they would be written.

        Raises:
            OSError: the folder, or a file in it, cannot be read.
        """
        from platform_meter.render.artifact import compare
        from platform_meter.runtime.files.artifacts import Texts, one_text

        there = one_text(self.path / self.alone) if self.alone else Texts(self.path, (self.suffix,))
        return compare(self.artifacts, there)

    def told(self, d: Difference) -> str:
        """What is wrong with one file, and what to do."""
        todo = f"move it away, or name {self.elsewhere}" if d.foreign else f"run: {self.again}"
        return f"{self.path / d.path} is {d.word}; {todo}"


@contextmanager
def reading_and_writing() -> Iterator[None]:
    """What the file system refuses is said in a sentence."""
    try:
        yield
    except BrokenPipeError:  # whoever reads has seen enough
        raise
    except OSError as error:
        raise click.ClickException(f"{error.filename or 'generated files'}: {error.strerror or error}") from error


def write(folders: Sequence[Folder]) -> None:
    """All folders, or nothing where a file of somebody else's stands in the way of any: then it says so and exits with 1.

    Raises:
        OSError: something cannot be read or written.
    """
    from platform_meter.runtime.files.artifacts import Staging

    said, foreign = list[str](), False
    with Staging() as staging:
        for folder in folders:
            changed = 0
            for d in folder.differences():
                changed += 1
                if d.foreign:
                    foreign = True
                    click.echo(folder.told(d))
                elif d.after is None:
                    staging.remove(folder.path, d.path)
                    said.append(f"{folder.path / d.path} was generated no more, and is removed")
                else:
                    staging.write(folder.path, d.path, d.after)
            said.append(f"{folder.path / folder.alone}: {changed} files changed")
        if foreign:
            click.echo("nothing was written", err=True)
            sys.exit(1)
        staging.swap()
    for line in said:
        click.echo(line)

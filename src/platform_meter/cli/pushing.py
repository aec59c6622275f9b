"""`generate --push`: rules straight to a ruler that keeps them itself, and nothing to a file."""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from platform_meter.cli.outputs import Made
    from platform_meter.render.rules.ruler import Change, Word
    from platform_meter.runtime.ruler import Ruler

OWNER = "platform-meter"
_OWNERS = re.compile(r"[A-Za-z0-9][-A-Za-z0-9_]*")
_ELSEWHERE = ("rules", "dashboards", "alertmanager", "form", "namespace", "labels")
"""Options about files, which say nothing of a ruler."""
_UNINVITED = "it wants a token and none was given; name one with --push-token-env NAME or --push-token-file FILE"


def _owner(_ctx: click.Context, _param: click.Parameter, owner: str) -> str:
    if not _OWNERS.fullmatch(owner):
        raise click.BadParameter(f"'{owner}' is no name; write letters, digits, '-' and '_', such as {OWNER}")
    return owner


def _tenant(_ctx: click.Context, _param: click.Parameter, tenant: str) -> str:
    from platform_meter.runtime.ruler import tenant_problem

    if tenant and (said := tenant_problem(tenant)):
        raise click.BadParameter(said)
    return tenant


push_option = click.option(
    "--push",
    "url",
    metavar="URL",
    help="Write no file, and have a ruler with Mimir's HTTP API keep the rules: its address, or that of the API.",
)
tenant_option = click.option(
    "--tenant", metavar="ID", default="", callback=_tenant, help="Whose rules, in the header X-Scope-OrgID."
)
owner_option = click.option(
    "--push-as",
    "owner",
    metavar="NAME",
    default=OWNER,
    show_default=True,
    callback=_owner,
    help="What our namespaces begin with: NAME.SERVICE; groups of no other are looked at.",
)
token_env_option = click.option(
    "--push-token-env", "token_env", metavar="NAME", help="Variable that holds the ruler's token."
)
token_file_option = click.option(
    "--push-token-file",
    "token_file",
    type=click.Path(path_type=Path),
    help="File that holds the ruler's token.",
)
user_option = click.option(
    "--push-user", "user", default="", metavar="USER", help="User whose password the token is, where it is one."
)
ca_option = click.option(
    "--push-ca", "ca_file", type=click.Path(path_type=Path), help="Authority of the ruler's certificate (PEM)."
)


@dataclass(frozen=True, kw_only=True)
class Push:
    """Where rules are pushed to, and as whom."""

    url: str
    tenant: str
    owner: str
    token_env: str | None
    token_file: Path | None
    user: str
    ca_file: Path | None

    @classmethod
    def asked(cls, options: Mapping[str, Any]) -> Push | None:
        """What the options say; None without an address.

        Raises:
            click.UsageError: options that do not go together.
        """
        given = {parameter.name: parameter for parameter in click.get_current_context().command.params}
        told = [name for name in given if _is_told(name)]
        if options["url"] is None:
            alone = [name for name in told if name in options]
            if alone:
                raise click.UsageError(f"{given[alone[0]].opts[0]} is of a ruler; write --push URL with it")
            return None
        if files := [name for name in told if name in _ELSEWHERE]:
            raise click.UsageError(
                f"{given[files[0]].opts[0]} is about files, and --push writes none; write one of them"
            )
        push = cls(**options)
        if push.token_env and push.token_file:
            raise click.UsageError("a token stands in one place; write --push-token-env or --push-token-file")
        if push.user and not (push.token_env or push.token_file):
            raise click.UsageError("--push-user has a password; name it with --push-token-env or --push-token-file")
        return push

    @contextmanager
    def ruler(self) -> Iterator[Ruler]:
        """The way there; what it refuses ends the command in a sentence."""
        from platform_meter.model.access import Secret
        from platform_meter.model.source import SourceError
        from platform_meter.runtime.ruler import Ruler

        token = None
        if self.token_env or self.token_file:
            token = Secret(env=self.token_env, file=str(self.token_file) if self.token_file else None)
        try:
            ruler = Ruler(
                self.url,
                tenant=self.tenant,
                token=token,
                user=self.user,
                ca_file=str(self.ca_file) if self.ca_file else None,
                environ=os.environ,
                uninvited=_UNINVITED,
            )
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--push") from error
        try:
            with ruler:
                yield ruler
        except SourceError as error:
            raise click.ClickException(str(error)) from error


def push(asked: Push, made: Made, again: str, *, only_check: bool, diff: bool) -> None:
    """Say what differs there, and unless only that was asked for, have it differ no more.

    `again` is the command that makes these rules.
    """
    from platform_meter.render.rules.ruler import Word, changes

    with asked.ruler() as ruler:
        wanted = [(service, tuple(groups)) for service, groups in made.services()]
        found = list(changes(wanted, ruler.groups(), asked.owner))
        if only_check or diff:
            for change in found:
                click.echo(change.diff() if diff else f"{change.told}; run: {again} --push {asked.url}", nl=not diff)
            if found:
                sys.exit(1)
            if only_check:
                click.echo("the ruler has every group as it would be written now")
            return
        done, refused = _written(ruler, found)
    same = sum(len(groups) for _, groups in wanted) - sum(change.after is not None for change in found)
    click.echo(", ".join([*(f"{done[word]} {word}" for word in Word), f"{same} as they were"]))
    if refused:
        sys.exit(1)


def _written(ruler: Ruler, found: list[Change]) -> tuple[Counter[Word], int]:
    """Put what is new or changed, then let go what is gone, unless something was refused: how much was done and refused."""
    from platform_meter.model.source import Unexpected

    done, refused = Counter["Word"](), 0
    for change in found:
        if change.after is None:
            continue
        try:
            ruler.put(change.namespace, change.after)
        except Unexpected as error:  # of this group; the others may well be taken
            refused += 1
            click.echo(f"{change.namespace}: {change.group} was refused: {error}", err=True)
        else:
            done[change.word] += 1
            click.echo(change.told)
    gone = [change for change in found if change.after is None]
    if refused and gone:
        click.echo("nothing was deleted, since not everything was taken", err=True)
        return done, refused
    for change in gone:
        ruler.drop(change.namespace, change.group)
        done[change.word] += 1
        click.echo(change.told)
    return done, refused


def _is_told(name: str | None) -> bool:
    return click.get_current_context().get_parameter_source(name or "") is not ParameterSource.DEFAULT

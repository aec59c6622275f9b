"""What a configuration names outside itself, held against this machine: secrets, kubeconfigs, certificate authorities."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from platform_meter.model.access import Secret
from platform_meter.model.personal import SALT_BYTES
from platform_meter.model.scalars import LocalPath
from platform_meter.problems import Problem, suggest
from platform_meter.runtime.files.config import LoadedConfig
from platform_meter.runtime.files.kubeconfigs import contexts

At = tuple[str | int, ...]
_LONGEST = 1024 * 1024
_LONGEST_NAME = 255
"""Bytes of a file's name that every file system takes."""
_LIKE_A_TOKEN = 20
"""Characters from which on a mix of small letters and digits is rather a token than a name."""
_PATH = get_args(LocalPath)[1]
_LIBRARIES = {"eks": ("boto3", "aws"), "gke": ("google.auth", "gcp"), "app": ("cryptography", "github-app")}
"""The module and the extra that a setting needs."""
_PATHS_START = "paths start at this file's folder"


def look_up(
    loaded: LoadedConfig, read: Callable[[str], bytes | None], environ: Mapping[str, str]
) -> tuple[Problem, ...]:
    """Secrets and files that are not where the configuration says or are not what they should be, with the ways out.

    Args:
        loaded: as `load_config` gives it; what is sound of it is looked at.
        read: what the file of this path holds; None where it is not there or can't be read.
        environ: variables by name.
    """
    if loaded.document is None:
        return ()
    looker = _Looker(loaded, read, environ)
    for setting in loaded.settings:
        looker.look(setting.value, setting.at, setting.field)
    for name in loaded.sections:
        looker.context(name)
        looker.library(name)
    return tuple(sorted(looker.problems))


def read_file(path: str) -> bytes | None:
    """The beginning of this file, longer than any secret or kubeconfig; None where there is none that we may read again."""
    try:
        found = Path(path).expanduser()
        if not found.is_file():  # a pipe gives what it holds once, and would keep us waiting
            return None
        with found.open("rb") as file:
            return file.read(_LONGEST)
    except (OSError, ValueError, RuntimeError):  # also what is no path at all, and the home of nobody
        return None


class _Looker:
    def __init__(self, loaded: LoadedConfig, read: Callable[[str], bytes | None], environ: Mapping[str, str]) -> None:
        self.loaded, self.read, self.environ = loaded, read, environ
        self.problems: list[Problem] = []

    def look(self, value: Any, at: At, field: FieldInfo | None = None) -> None:
        """Look at all that a setting names."""
        if isinstance(value, Secret):
            self._secret(value, at)
        elif isinstance(value, BaseModel):
            for name, inner in type(value).model_fields.items():
                self.look(getattr(value, name), (*at, inner.alias or name), inner)
        elif isinstance(value, Mapping):
            for key, item in value.items():
                self.look(item, (*at, key))
        elif isinstance(value, tuple | list):
            for i, item in enumerate(value):
                self.look(item, (*at, i))
        elif (
            value
            and field is not None
            and at[0] in ("sources", "report")
            and _names_file(field)
            and self.read(value) is None
        ):
            self._say(
                f"file '{self._written(at)}' is not there or cannot be read ({_PATHS_START}); correct the path", at
            )

    def context(self, name: str) -> None:
        """The context of a source that has one must stand in its kubeconfig."""
        config = self.loaded.sections[name].config
        kubeconfig, context = getattr(config, "kubeconfig", None), getattr(config, "context", None)
        if not isinstance(kubeconfig, str) or not isinstance(context, str) or not (kubeconfig or context):
            return
        at: At = ("sources", name)
        found = contexts(kubeconfig, self.read, self.environ)
        called = f"kubeconfig '{self._written((*at, 'kubeconfig')) or os.pathsep.join(found.paths)}'"
        if not found.found:
            if not kubeconfig:  # a written one that is not there is told already
                text = f"{called} is not there, so it has no context '{context}'; set KUBECONFIG, or write kubeconfig: PATH"
                self._say(text, (*at, "context"))
        elif context and context not in found.names:
            hint = suggest(context, found.names) or "; name another kubeconfig"
            self._say(f"{called} has no context '{context}'{hint}", (*at, "context"))
        elif not context and found.names and found.current not in found.names:
            wrong = (
                f"'{found.current}' as its current context and does not have it"
                if found.current
                else "no current context"
            )
            self._say(f"{called} names {wrong}; write context: {found.names[0]}", (*at, "kubeconfig"))

    def library(self, name: str) -> None:
        """The library of a cloud that a source's cluster is in must be installed: it is an extra."""
        for key, (module, extra) in _LIBRARIES.items():
            if getattr(self.loaded.sections[name].config, key, None) is not None and not _installed(module):
                text = f"{key} needs a library that is not installed; run: pip install platform-meter[{extra}]"
                self._say(text, ("sources", name, key))

    def _secret(self, secret: Secret, at: At) -> None:
        """A secret must be there, and fit to be sent in a header, or to be the salt."""
        place: At = (*at, "file" if secret.file else "env")
        key, written = at[-1], self._written(place)
        if secret.file:
            value = self.read(secret.file)
            what, other = f"file '{written}'", f"write {key}: {{env: {self._variable(at)}}}"
            absent = f"{what} is not there or cannot be read ({_PATHS_START}); create it, or {other}"
            empty = f"{what} is empty; put the secret into it, or {other}"
        else:
            text = self.environ.get(secret.env or "", "")
            value = text.encode("utf-8", "surrogateescape") or None
            owner = at[1] if at[0] == "sources" else "platform-meter"
            what, other = f"variable '{written}'", f"write {key}: {{file: secrets/{owner}-{key}}}"
            absent = f"{what} is not set; set it, or {other}"
            empty = f"{what} is blank; set it to the secret, or {other}"
        if value is None:
            if _like_a_secret(written):
                absent = f"what stands here may be the secret itself; write where it stands: {key}: {{env: NAME}} or {key}: {{file: path}}"
                self._say(absent, place, hide=True)
            else:
                self._say(absent, place)
        elif not value.strip():
            self._say(empty, place)
        elif at == ("salt",):
            if len(value.strip()) < SALT_BYTES:
                text = f"{what} holds {len(value.strip())} bytes; a salt has {SALT_BYTES} or more, such as `openssl rand -hex 32` gives"
                self._say(text, place)
        elif not re.fullmatch(rb"[ -~]+", value.strip()):
            self._say(f"{what} holds a line break or a character outside ASCII; put the bare value into it", place)

    def _variable(self, at: At) -> str:
        kind = self.loaded.instances.get(str(at[1]), "") if at[0] == "sources" else "PLATFORM_METER"
        return re.sub(r"\W", "_", f"{kind}_{at[-1]}").upper()

    def _written(self, at: At) -> str:
        """A value as the file says it."""
        assert self.loaded.document is not None  # noqa: S101 - `look_up` sees to it
        return self.loaded.document.word(*at)

    def _say(self, text: str, at: At, *, hide: bool = False) -> None:
        assert self.loaded.document is not None  # noqa: S101 - as above
        self.problems.append(self.loaded.document.problem(text, *at, hide=hide))


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package that it should be in is not there
        return False


def _names_file(field: FieldInfo) -> bool:
    """Whether a setting is a path, or may be one."""
    return _PATH in (
        *field.metadata,
        *(m for one in get_args(field.annotation) for m in getattr(one, "__metadata__", ())),
    )


def _like_a_secret(text: str) -> bool:
    """Whether what should name a file or a variable may be a pasted secret: it is no name, or looks like a token."""
    names = text.split("/")
    token = any(len(n) >= _LIKE_A_TOKEN and re.search("[0-9]", n) and re.search("[a-z]", n) for n in names)
    return token or not text.isprintable() or any(len(n.encode()) > _LONGEST_NAME for n in names)

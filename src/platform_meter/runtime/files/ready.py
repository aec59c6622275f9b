"""What `serve` will need of this machine, looked at before: a place for the store, and a port."""

from __future__ import annotations

import os
import posixpath
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from platform_meter.model.source import Source
from platform_meter.problems import Problem, suggest
from platform_meter.runtime.access.addresses import is_loopback
from platform_meter.runtime.access.file import load as load_web
from platform_meter.runtime.access.roles import Role, brought
from platform_meter.runtime.access.settings import AccessSettings
from platform_meter.runtime.access.web_config import WebConfig
from platform_meter.runtime.files.config import Config, LoadedConfig, parse_listen
from platform_meter.runtime.files.store_settings import StoreSettings

_FILE = "platform-meter.db"
_HEADER = b"SQLite format 3\0"
_ELSEWHERE = "write store: {url: sqlite:////FOLDER/platform-meter.db} with a folder that this user may write"


DATA, LISTEN = "PLATFORM_METER_DATA", "PLATFORM_METER_LISTEN"
"""Variables that count where the file says nothing: an image says by them what fits it."""


def settled(config: Config, environ: Mapping[str, str]) -> Config:
    """The configuration with the folder of the store and the address to listen at that the environment says.

    Raises:
        ValueError: nobody can listen at such an address.
    """
    if environ.get(LISTEN) and "listen" not in config.model_fields_set:
        config = config.model_copy(update={"listen": parse_listen(environ[LISTEN])})
    if environ.get(DATA) and "url" not in config.store.model_fields_set:
        url = f"sqlite:///{posixpath.join(environ[DATA], _FILE)}"
        config = config.model_copy(update={"store": config.store.model_copy(update={"url": url})})
    return config


def store(loaded: LoadedConfig, path: str, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Why the store could not be opened there. A PostgreSQL is not asked: that is for `serve`.

    Args:
        loaded: as `load_config` gives it; what is sound of it is looked at.
        path: of the configuration.
        environ: may say the folder.
    """
    document = loaded.document
    found = next((s.value for s in loaded.settings if s.at == ("store", "url")), None)
    if found is None:
        settings = next((s.value for s in loaded.settings if s.at == ("store",)), None)
        written = document is not None and any(document.found("store", "url"))
        if not written:
            found = "sqlite:///" + posixpath.join(environ.get(DATA) or posixpath.dirname(path), _FILE)
        elif isinstance(settings, StoreSettings):
            found = settings.url
    if not isinstance(found, str) or not found.startswith("sqlite:///"):
        return
    text = _unfit(Path(found.removeprefix("sqlite:///").partition("?")[0]))
    if text and document is not None:
        yield document.problem(text, "store", "url")
    elif text:
        yield Problem(path=path, line=1, column=1, text=text)


def _unfit(file: Path) -> str:
    folder = file.parent
    if not folder.is_dir():
        return f"the folder of the store, {folder}, is not there; make it, or {_ELSEWHERE}"
    if not file.exists():
        if not os.access(folder, os.W_OK | os.X_OK):
            return f"the folder of the store, {folder}, cannot be written; {_ELSEWHERE}"
        return ""
    if not file.is_file():
        return f"the store, {file}, is no file; {_ELSEWHERE}"
    if not os.access(file, os.R_OK | os.W_OK) or not os.access(folder, os.W_OK | os.X_OK):
        return f"the store, {file}, or its folder cannot be written; {_ELSEWHERE}"
    with file.open("rb") as opened:
        begin = opened.read(len(_HEADER))
    if begin and begin != _HEADER:
        return f"the store, {file}, is no SQLite database; move that file away, or {_ELSEWHERE}"
    return ""


def try_to_listen(host: str, number: int) -> None:
    """Listen at an address for a moment; "" is all of them, 0 any port.

    Raises:
        OSError: nobody can now.
        UnicodeError: no host can have such a name.
    """
    with socket.socket(socket.AF_INET6 if ":" in host or not host else socket.AF_INET) as trial:
        # As the server does: connections of one that has ended may linger.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind((host or "::", number))


def doors(loaded: LoadedConfig, path: str, environ: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with the web configuration, and with who may come in at an address that others can reach.

    Args:
        loaded: as `load_config` gives it; what is sound of it is looked at.
        path: of the configuration.
        environ: may say the address.
    """
    document, settings = loaded.document, {s.at[0]: s.value for s in loaded.settings if len(s.at) == 1}
    file = settings.get("web_config")
    web = load_web(file) if isinstance(file, str) else None
    if web is not None:
        yield from web.problems
    access = settings.get("access", None if document and any(document.found("access")) else AccessSettings())
    if not isinstance(access, AccessSettings):
        return
    if web is not None and web.web is not None:
        yield from _unknown_users(loaded, access, web.web.config)
    try:
        listen = str(
            parse_listen(settings.get("listen") or environ.get(LISTEN) or Config.model_fields["listen"].default)
        )
    except ValueError:  # `settled` tells it
        return
    lets_in = web is not None and (web.web is None or web.web.config.lets_in)
    if _is_own(listen) or lets_in or access.tells_apart or access.anonymous:
        return
    text = (
        f"others can reach {listen}, and nothing says who may come in; "
        "write web_config: FILE with basic_auth_users, or access: {anonymous: viewer} to let everybody read"
    )
    if document is not None and "listen" in settings:
        yield document.problem(text, "listen")
    else:
        yield Problem(path=path, line=1, column=1, text=f"{text} ({LISTEN} says the address)")


def _is_own(listen: str) -> bool:
    """Whether nobody else can reach this address."""
    return is_loopback(listen.rpartition(":")[0].strip("[]"))


def _unknown_users(loaded: LoadedConfig, access: AccessSettings, web: WebConfig) -> Iterator[Problem]:
    """Roles of users that nobody can be; a proxy may know more than the file."""
    if loaded.document is None or access.proxy is not None:
        return
    for name in access.users:
        if name not in web.basic_auth_users:
            hint = suggest(name, web.basic_auth_users) or "; add him there"
            text = f"basic_auth_users of web_config has no user '{name}'{hint}"
            yield loaded.document.problem(text, "access", "users", name, key=True)


def in_the_clear(loaded: LoadedConfig) -> Iterator[Problem]:
    """A note where passwords and tokens would cross a network that others may hear."""
    config = loaded.config
    if config is None or _is_own(config.listen):
        return
    web = load_web(config.web_config).web if config.web_config else None
    asked = bool(config.access.tokens) or (web is not None and bool(web.config.basic_auth_users))
    if asked and (web is None or web.context is None) and loaded.document is not None:
        text = "passwords and tokens cross the network in the clear; well behind a proxy that speaks https, else write tls_server_config into web_config"
        at = "web_config" if config.web_config else "access"
        yield loaded.document.problem(text, at, key=True)


def pushes(loaded: LoadedConfig, types: Mapping[str, Source[Any]]) -> Iterator[Problem]:
    """Notes where what is to be pushed does not come in, or where a setting waits for what is never pushed."""
    config, document = loaded.config, loaded.document
    if config is None or document is None:
        return
    access = config.access
    given = [*access.users.values(), *access.groups.values(), *(one.role for one in access.tokens.values())]
    reported = any(Role.REPORTER in brought(roles) for roles in given)
    for name, section in config.sources.items():
        receiver = types[section.type_name].receives
        if receiver is None:
            if section.config.reconcile is not None:
                text = f"nothing is pushed to a source of type {section.type_name}, so its polls go on every `every`; remove the key"
                yield document.problem(text, "sources", name, "reconcile", key=True)
        elif receiver.secret(section.config) is not None:
            if _is_own(config.listen):
                text = f"only this machine reaches {config.listen}, so no webhook comes in; well behind a proxy that runs here, else write another listen"
                yield document.problem(text, "sources", name)
        elif receiver.scheme is None and not _is_own(config.listen) and not reported:
            text = f"nobody may push to '{name}'; write access: {{tokens: {{NAME: {{role: reporter, token: {{file: PATH}}}}}}}}"
            yield document.problem(text, "sources", name)


def port(loaded: LoadedConfig) -> Iterator[Problem]:
    """A note where nobody could listen now at the address that is written."""
    listen = next((s.value for s in loaded.settings if s.at == ("listen",)), None)
    if loaded.document is None or not isinstance(listen, str):
        return
    try:
        try_to_listen(*Config.model_construct(listen=listen).address)
    except (OSError, UnicodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        text = f"nobody can listen at {listen} now ({reason}); well where a meter runs here already, else write another address"
        yield loaded.document.problem(text, "listen")

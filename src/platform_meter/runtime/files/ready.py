"""What `serve` will need of this machine, looked at before: a place for the store, and a port."""

from __future__ import annotations

import os
import posixpath
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from platform_meter.problems import Problem
from platform_meter.runtime.files.config import Config, LoadedConfig, StoreSettings, parse_listen

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

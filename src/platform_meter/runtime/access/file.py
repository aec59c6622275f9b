"""The web configuration that is in force: read again when the file or one that it names has changed."""

from __future__ import annotations

import logging
import posixpath
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from platform_meter.problems import Problem, render
from platform_meter.runtime.access.rate import Bucket
from platform_meter.runtime.access.tls import TlsContext, make_context
from platform_meter.runtime.access.web_config import RateLimit, WebConfig, read_web_config

log = logging.getLogger(__name__)

_LONGEST = 1024 * 1024
Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """What one state of the files says."""

    config: WebConfig
    context: TlsContext | None
    """None: plain HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One state of the files, sound or not."""

    web: Web | None
    """None where it has problems."""
    problems: tuple[Problem, ...]
    seen: Mapping[str, Stamp | None]
    """The files that it stands in, each as it was before it was read."""


def load(path: str) -> Loaded:
    """The file, with all that it names; or every problem in them."""
    path = posixpath.expanduser(path)
    seen = {path: _stamp(path)}
    found = _text(path)
    read = found if isinstance(found, Problem) else read_web_config(found, path)
    if isinstance(read, Problem | list):
        return Loaded(web=None, problems=(read,) if isinstance(read, Problem) else tuple(read), seen=seen)
    tls = read.tls_server_config
    seen |= {file: _stamp(file) for file in tls.files}
    problems = [
        _at(path, f"{file} can't be read: {why}; correct the path") for file in tls.files if (why := _unread(file))
    ]
    context = None
    if tls.spoken and not problems:
        try:
            context = make_context(tls)
        except (OSError, ValueError) as error:
            problems.append(_at(path, str(error)))
    web = None if problems else Web(config=read, context=context)
    return Loaded(web=web, problems=tuple(problems), seen=seen)


class WebFile:
    """For any number of threads.

    Args:
        path: of the file.

    Raises:
        ValueError: it has problems; the text is all of them.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        found = load(path)
        if found.web is None:
            raise ValueError(_said(found.problems))
        self._web, self._seen = found.web, found.seen
        self._bucket = _full(found.web.config.rate_limit)
        self.problems = 0
        """Of the newest state of the files; what is in force is older where there are any."""

    def current(self) -> Web:
        """What is in force. The last state without problems stays until the next one."""
        with self._lock:
            if {path: _stamp(path) for path in self._seen} != self._seen:
                self._read()
            return self._web

    @property
    def contexts(self) -> Callable[[], TlsContext] | None:
        """Gives the context of each new connection; None where TLS is not spoken, which is settled at the start."""
        return None if self._web.context is None else self._context

    def _context(self) -> TlsContext:
        context = self.current().context
        assert context is not None  # noqa: S101 - a state without TLS is never taken after one with it
        return context

    def has_room(self) -> bool:
        """Whether one more request is within the bound that is in force."""
        self.current()
        bucket = self._bucket
        return bucket is None or bucket.take()

    def _read(self) -> None:
        found = load(self._path)
        self._seen = found.seen
        problems = found.problems
        if found.web is not None and (found.web.context is None) != (self._web.context is None):
            text = (
                "whether https is spoken is settled at the start; put tls_server_config back as it was, or start anew"
            )
            problems = (_at(self._path, text),)
        self.problems = len(problems)
        if problems or found.web is None:
            said = _said(problems)
            log.warning("the web configuration was not taken, what was read before stays in force:\n%s", said)
            return
        if found.web.config.rate_limit != self._web.config.rate_limit:
            self._bucket = _full(found.web.config.rate_limit)
        self._web = found.web
        log.info("web configuration read again: %s", self._path)


def _full(limit: RateLimit) -> Bucket | None:
    return Bucket(limit.interval, limit.burst) if limit.interval else None


def _said(problems: Iterable[Problem]) -> str:
    return "\n".join(render(problem) for problem in problems)


def _at(path: str, text: str) -> Problem:
    return Problem(path=path, line=1, column=1, text=text)


def _text(path: str) -> str | Problem:
    try:
        with Path(path).open("rb") as opened:
            return opened.read(_LONGEST + 1).decode("utf-8-sig")
    except OSError as error:
        return _at(path, f"this file can't be read: {error.strerror}; correct web_config, or create it")
    except ValueError:
        return _at(path, "this file is no UTF-8 text; write it as UTF-8")


def _unread(file: str) -> str:
    try:
        with Path(file).open("rb") as opened:
            opened.read(1)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _stamp(path: str) -> Stamp | None:
    """What tells one state of a file from another: times of change, length and identity. None where there is none now."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino

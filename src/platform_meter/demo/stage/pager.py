"""The demo's on-call phone: takes Alertmanager's webhook and prints one plain line for each alert.

    PAGE ci-platform-success burns its 28-day budget 25.0 times too fast
    OVER ci-platform-success: SLOBurn (page, 1h)

`python -m platform_meter.demo.stage.pager --port 9899` runs it alone, as docker-compose.yml does.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from threading import Event
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec

from platform_meter.runtime.server.httpd import App, Server

PORT = 9899
_LONGEST = 1_000_000
"""Bytes of one webhook; Alertmanager's hold some thousand."""


class Alert(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One alert of a webhook (Alertmanager's payload, version 4)."""

    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = {}
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    """When it was over; means nothing while it fires."""

    @property
    def line(self) -> str:
        """One line of plain words, whatever people wrote into labels and annotations."""
        labels = self.labels
        name, about = labels.get("alertname", "an alert"), labels.get("slo", "")
        if self.status == "resolved":
            which = ", ".join(labels[key] for key in ("level", "window") if key in labels)
            return _plain(f"OVER {about or name}: {name}" + (f" ({which})" if which else ""))
        said = self.annotations.get("summary", f"{about} {name}".strip())
        return _plain(f"{labels.get('level', 'alert').upper()} {said}")


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """What Alertmanager posts: the alerts of one group."""

    alerts: tuple[Alert, ...]


_decoder = msgspec.json.Decoder(Webhook)


def read(body: bytes) -> tuple[Alert, ...]:
    """The alerts of one webhook.

    Raises:
        ValueError: it is none of Alertmanager's.
    """
    try:
        return _decoder.decode(body).alerts
    except msgspec.DecodeError as error:
        raise ValueError(f"no webhook of Alertmanager: {error}") from error


def pager(tell: Callable[[Alert], None]) -> App:
    """A WSGI application that tells of each alert posted to it."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, text = "200 OK", "told\n"
        if environ["REQUEST_METHOD"] != "POST":
            status, text = "405 Method Not Allowed", "this is a pager: Alertmanager posts its webhooks here\n"
        else:
            try:
                for alert in read(environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), _LONGEST))):
                    tell(alert)
            except ValueError as error:
                status, text = "400 Bad Request", f"{error}\n"
        body = text.encode()
        start_response(status, [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))])
        return [body]

    return answer


def _plain(text: str) -> str:
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def main(arguments: Sequence[str] | None = None) -> None:
    """Print pages until told to end."""
    parser = argparse.ArgumentParser(prog="platform_meter.demo.stage.pager", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="on loopback; 0 takes any")
    given = parser.parse_args(arguments)
    over = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())

    def say(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    with Server(pager(lambda alert: say(alert.line)), port=given.port) as server:
        say(f"waiting for pages at {server.url}/")
        over.wait()


if __name__ == "__main__":
    main()

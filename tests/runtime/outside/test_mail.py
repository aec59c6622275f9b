"""Mail to a real SMTP server: over TLS, signed in, in two forms; and what goes wrong, in words without secrets."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from socket import create_server
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from tests.support.http import Certificate, authority, certificate

from platform_meter.model.source import Refused, Unreachable
from platform_meter.runtime.files.report_settings import MailSettings
from platform_meter.runtime.outside.mail import message, send

PASSWORD = "s3cr3t-word"
ENVIRON = {"SMTP_PASSWORD": PASSWORD}


class Box:
    """Takes mail, but for nobody@."""

    def __init__(self) -> None:
        self.got: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it by this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        self.got.append(envelope)
        return "250 OK"


@dataclass(frozen=True)
class Post:
    box: Box
    ca: Certificate
    port: int

    def settings(self, **more: Any) -> MailSettings:
        """Those that it takes mail from, but for what is said otherwise."""
        said: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "ca_file": str(self.ca.cert),
            "from": "meter@example.org",
            "to": ["pm@example.org", "lead@example.org"],
            "user": "meter",
            "password": {"env": "SMTP_PASSWORD"},
        }
        return MailSettings.model_validate(said | more)


@contextmanager
def posting(folder: Path, *, starttls: bool) -> Iterator[Post]:
    """A server on a free port of loopback: one that wants STARTTLS and a user, or one that speaks TLS from the start."""
    ca = authority(folder)
    own = certificate(folder, ca, "smtp")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.cert, own.key)
    box = Box()

    def known(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    more: dict[str, Any] = {"ssl_context": context}
    if starttls:
        more = {"tls_context": context, "require_starttls": True, "authenticator": known, "auth_required": True}
    controller = Controller(box, hostname="127.0.0.1", port=port, ready_timeout=10, **more)
    controller.start()
    try:
        yield Post(box, ca, port)
    finally:
        controller.stop()


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    with posting(tmp_path_factory.mktemp("smtp"), starttls=True) as made:
        yield made


def mail(settings: MailSettings) -> EmailMessage:
    return message(
        settings,
        subject="The platform in week 2026-W48",
        key="report-2026-W48",
        made=datetime(2026, 11, 30, 7, tzinfo=UTC),
        text="Größer • plain\n",
        html="<p>Größer</p>\n",
    )


def test_both_forms_come_to_all(post: Post) -> None:
    """One mail to both, whose id is that of its week: sent again, it is the same one."""
    settings = post.settings()
    send(settings, mail(settings), ENVIRON)
    (envelope,) = post.box.got
    post.box.got.clear()
    assert envelope.rcpt_tos == ["pm@example.org", "lead@example.org"]
    assert isinstance(envelope.content, bytes)
    read = message_from_bytes(envelope.content, policy=policy.default)
    assert (read["Subject"], read["Message-ID"]) == (
        "The platform in week 2026-W48",
        "<report-2026-W48.meter@example.org>",
    )
    assert isinstance(read, EmailMessage)
    assert read.get_content_type() == "multipart/alternative"
    forms = [part.get_content().splitlines() for part in read.iter_parts() if isinstance(part, EmailMessage)]
    assert forms == [["Größer • plain"], ["<p>Größer</p>"]]


def test_tls_from_the_start(tmp_path: Path) -> None:
    """As servers at port 465 want it."""
    with posting(tmp_path, starttls=False) as secure:
        settings = secure.settings(tls="tls", user="", password=None)
        send(settings, mail(settings), ENVIRON)
        assert len(secure.box.got) == 1


@pytest.mark.parametrize(
    ("more", "environ", "kind", "text"),
    [
        ({}, {"SMTP_PASSWORD": "other-word"}, Refused, "does not take user and password (535); look at report: mail"),
        ({}, {}, Refused, "SMTP_PASSWORD is not set"),
        ({"ca_file": None}, ENVIRON, Unreachable, "its certificate is not trusted"),
        ({"host": "localhost"}, ENVIRON, Unreachable, "its certificate is not trusted"),
        ({"to": ["nobody@example.org"]}, ENVIRON, Unreachable, "it takes no mail for nobody@example.org"),
        (
            {"to": ["nobody@example.org", "pm@example.org"]},
            ENVIRON,
            Unreachable,
            "does not deliver to nobody@example.org",
        ),
        ({"tls": "none", "user": "", "password": None}, ENVIRON, Unreachable, "it refused the mail (530)"),
    ],
)
def test_what_goes_wrong_is_said(
    post: Post, more: dict[str, Any], environ: dict[str, str], kind: type[Exception], text: str
) -> None:
    """With the place and what to mend, never with the password."""
    settings = post.settings(**more)
    with pytest.raises(kind) as error:
        send(settings, mail(settings), environ)
    post.box.got.clear()
    assert text in str(error.value)
    assert not any(secret in str(error.value) for secret in (PASSWORD, "other-word"))


def test_nobody_there() -> None:
    """A port at which nobody listens, and a server that says nothing until the time is over."""
    settings = MailSettings.model_validate(
        {"host": "127.0.0.1", "from": "a@example.org", "to": "b@example.org", "port": 1}
    )
    with pytest.raises(Unreachable, match=r"the mail server 127\.0\.0\.1:1: Connection refused"):
        send(settings, mail(settings), {})
    with create_server(("127.0.0.1", 0)) as mute:
        silent = settings.model_copy(update={"port": mute.getsockname()[1]})
        with pytest.raises(Unreachable, match="no answer in time"):
            send(silent, mail(silent), {}, total=0.1)

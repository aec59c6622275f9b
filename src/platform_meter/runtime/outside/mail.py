"""The way out by mail: one message over SMTP, to a deadline, with the server's certificate verified."""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from platform_meter.model.source import Refused, Unreachable
from platform_meter.runtime.files.report_settings import MailSettings
from platform_meter.runtime.outside.credentials import SecretReader

TOTAL = 60.0
"""Seconds for all of it."""
_QUIET = 15.0
"""Seconds of silence."""


def message(settings: MailSettings, *, subject: str, key: str, made: datetime, text: str, html: str) -> EmailMessage:
    """The mail in both forms.

    Args:
        settings: from and to whom.
        subject: one line.
        key: what it is about: a mail about the same has the same id, so that mail programs show one that came twice once.
        made: when.
        text: the plain form.
        html: the other one.
    """
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, settings.from_, ", ".join(settings.to)
    mail["Date"], mail["Message-ID"] = format_datetime(made), f"<{key}.{settings.from_}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    mail.add_alternative(html, subtype="html")
    return mail


def send(settings: MailSettings, mail: EmailMessage, environ: Mapping[str, str], *, total: float = TOTAL) -> None:
    """Hand it to the server.

    Raises:
        Unreachable: the server did not answer, is not trusted, or did not take the mail; another try may go better.
        Refused: it does not take the password, or there is none.
    """
    password = None if settings.password is None else SecretReader(settings.password, environ).read()
    place = f"the mail server {settings.host}:{settings.at}"
    late = threading.Event()
    try:
        with _connected(settings, total, late) as server:
            if password is not None:
                server.login(settings.user, password)
            lost = server.send_message(mail)
    except smtplib.SMTPAuthenticationError as error:
        raise Refused(f"{place} does not take user and password ({error.smtp_code}); look at report: mail") from None
    except (smtplib.SMTPException, OSError) as error:
        # What the server says may repeat what it was told.
        raise Unreachable(f"{place}: {_reason(error, late=late.is_set())}") from None
    if lost:
        raise Unreachable(f"{place} does not deliver to {', '.join(sorted(lost))}; correct report: mail: to")


@contextmanager
def _connected(settings: MailSettings, total: float, late: threading.Event) -> Iterator[smtplib.SMTP]:
    """A connection that is shut when the time is over: the client itself bounds each read alone."""
    context = ssl.create_default_context(cafile=settings.ca_file)
    server = (
        smtplib.SMTP_SSL(timeout=_QUIET, context=context) if settings.tls == "tls" else smtplib.SMTP(timeout=_QUIET)
    )
    # It has no public way to know its host, whose certificate it looks at, before it connects.
    server._host = settings.host  # type: ignore[attr-defined]  # noqa: SLF001

    def end() -> None:
        late.set()
        if server.sock is not None:
            with suppress(OSError):
                server.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(total, end)
    timer.daemon = True
    timer.start()
    try:
        server.connect(settings.host, settings.at)
        if settings.tls == "starttls":
            server.starttls(context=context)
        yield server
        # It has the mail: how the talk ends says nothing of it.
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
    finally:
        timer.cancel()
        server.close()


def _reason(error: Exception, *, late: bool) -> str:
    if late or isinstance(error, TimeoutError):
        return "no answer in time"
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message}); name its CA in ca_file"
        case ssl.SSLError():
            return f"TLS failed ({error.reason or 'connection closed'})"
        case smtplib.SMTPNotSupportedError():
            return "it offers no STARTTLS or no way to sign in; look at tls and port"
        case smtplib.SMTPRecipientsRefused():
            return f"it takes no mail for {', '.join(sorted(error.recipients))}; correct report: mail: to"
        case smtplib.SMTPResponseException():
            return f"it refused the mail ({error.smtp_code})"
        case smtplib.SMTPServerDisconnected():
            return "it closed the connection"
        case OSError() if error.strerror:
            return error.strerror
        case _:
            return type(error).__name__

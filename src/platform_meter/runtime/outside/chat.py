"""The way out to a chat: one text to a webhook whose address is a secret, to a deadline, without following it anywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
import requests
from urllib3.exceptions import HTTPError

from platform_meter.model.source import Refused, Unreachable
from platform_meter.runtime.access.addresses import is_loopback
from platform_meter.runtime.files.report_settings import ChatSettings
from platform_meter.runtime.outside import transport
from platform_meter.runtime.outside.credentials import SecretReader
from platform_meter.runtime.outside.sockets import Deadline

TOTAL = 30.0
"""Seconds for all of it."""
_HEARD = 4096
"""Bytes of its answer."""
_URL = re.compile(r"(https?)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[!-~]*)?", re.IGNORECASE)


def post(settings: ChatSettings, text: str, environ: Mapping[str, str], *, total: float = TOTAL) -> None:
    """Write it there. No error names the address.

    Raises:
        Unreachable: no answer, or one that another try may better.
        Refused: there is no address, it is none, or nobody listens to it any more.
    """
    url = SecretReader(settings.url, environ).read()
    found = _URL.fullmatch(url)
    if not found:
        raise Refused("the address of report: chat is none; put the whole one there, beginning with https://")
    if found[1].lower() == "http" and not is_loopback(found[2].strip("[]")):
        raise Refused("the address of report: chat begins with http://, so that others could read it; use https://")
    with transport.session() as session, transport.bounded(Deadline(total=total, idle=total)):
        try:
            answer = session.post(
                url,
                data=msgspec.json.encode({"text": text}),
                headers={"Content-Type": "application/json"},
                timeout=(10.0, total),
                allow_redirects=False,
                stream=True,
                verify=settings.ca_file or True,
            )
            # What it says is of no use; that it is heard out spares it a broken connection.
            answer.raw.read(_HEARD, decode_content=False)
            answer.close()
        except (requests.RequestException, HTTPError, OSError) as error:
            raise Unreachable(f"the chat's webhook: {transport.reason(error)}") from None
    if answer.status_code in {400, 401, 403, 404, 410}:
        raise Refused(f"the chat's webhook does not take the report ({answer.status_code}); make another one")
    if not 200 <= answer.status_code < 300:
        raise Unreachable(f"the chat's webhook did not take the report ({answer.status_code})")

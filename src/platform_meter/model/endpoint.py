"""What a probe looks at, and what it saw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from platform_meter.model.facts.probes import ProbeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where something of the platform answers, by HTTP or by taking a connection."""

    host: str
    """A name or an IP address, of IPv6 without brackets."""
    port: int
    tls: bool = False
    ca_file: str | None = None
    """Authority of the certificate; None for those that this machine trusts."""
    path: str | None = None
    """What is asked for by HTTP; None where the connection is all."""

    @property
    def place(self) -> str:
        """Host and port as addresses write them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What came of one look at an endpoint. No answer is one too."""

    result: ProbeResult
    """OK: it took the connection, and answered where it was asked; what it answered is for the caller to judge."""
    seconds: float
    """From the first attempt to connect to the end of the answer, or to where it failed; the name's look-up is no part."""
    why: str = ""
    """Why the result is not OK, in few words."""
    status: int = 0
    """Of an HTTP answer."""
    text: str = ""
    """The first of what it answered, up to a bound."""
    certificate_ends: datetime | None = None
    """Of the certificate that it served, once it has expired too; None where none was seen."""

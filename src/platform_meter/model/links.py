"""Where people find things: outside addresses, and the links that alerts carry to what stands there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Addresses as people reach them, without a `/` at the end. Of what has no address there is no link."""

    exporter: str = ""
    grafana: str = ""
    runbooks: str = ""
    """The folder of runbook pages."""

    def page(self, path: str) -> str:
        """A page of the exporter, such as `/slos/checkout`; empty where its address is not known."""
        return self.exporter and self.exporter + path

    def board(self, uid: str, **variables: str) -> str:
        """A dashboard in Grafana, with values of its variables; empty where its address is not known."""
        asked = "&".join(f"var-{name}={value}" for name, value in variables.items())
        return self.grafana and f"{self.grafana}/d/{uid}" + (f"?{asked}" if asked else "")

    def runbook(self, alert: str) -> str:
        """The page of an alert of ours; empty where nobody says where these are."""
        return self.runbooks and f"{self.runbooks}/{alert}.md"


NOWHERE = Links()
"""Nobody says where anything is."""

"""Links: right where an address is known, absent where it is not."""

from __future__ import annotations

from platform_meter.model.links import NOWHERE, Links

EVERYWHERE = Links(
    exporter="https://meter.example", grafana="https://grafana.example/g", runbooks="https://docs.example/runbooks"
)


def test_links_of_known_addresses() -> None:
    """A page, a dashboard with and without a variable, a runbook."""
    assert EVERYWHERE.page("/slos/checkout") == "https://meter.example/slos/checkout"
    assert EVERYWHERE.board("pm-ci") == "https://grafana.example/g/d/pm-ci"
    assert EVERYWHERE.board("pm-slo-detail", slo="checkout") == (
        "https://grafana.example/g/d/pm-slo-detail?var-slo=checkout"
    )
    assert EVERYWHERE.runbook("SLOBurn") == "https://docs.example/runbooks/SLOBurn.md"


def test_no_address_is_no_link() -> None:
    """Nothing is half a link."""
    assert [NOWHERE.page("/slos/checkout"), NOWHERE.board("pm-ci", slo="checkout"), NOWHERE.runbook("SLOBurn")] == [
        "",
        "",
        "",
    ]

from __future__ import annotations

from tests.demo.worlds import START, Caller, nowhere

from platform_meter.demo.apis.portal import told
from platform_meter.demo.apis.portal.routes import PortalApi
from platform_meter.demo.company.layout import Company
from platform_meter.sources.probes import Config


def test_its_page_is_what_the_probe_expects() -> None:
    """And nothing else of it is."""
    company = Company.build(1, START, teams=8, services=24)
    config = Config.model_validate(
        {k: v for k, v in told(company, nowhere(company).urls).sources["probes"].items() if k != "type"}
    )
    assert [target.name for target in config.targets] == ["portal", "gateway/kong-1", "gateway/kong-2"]
    api = Caller(PortalApi(), {}, "")
    page = api.get("/")
    assert (page.status_code, config.targets[0].expect.body in page.text) == (200, True)
    lost = api.get("/lost")
    assert (lost.status_code, config.targets[0].expect.body in lost.text) == (404, False)

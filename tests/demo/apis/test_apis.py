from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml
from tests.demo.worlds import START, Clock, nowhere, small_world
from tests.support.added import added
from tests.support.waiting import PATIENCE

from platform_meter.demo import apis as room
from platform_meter.demo.apis.api import apis, instances
from platform_meter.demo.apis.pagerduty.bodies import service_id
from platform_meter.demo.company.layout import Company
from platform_meter.demo.stage.files import write
from platform_meter.demo.stage.server import serving

COMPANY = Company.build(1, START, teams=8, services=16)
ABACUS = '''
"""A system that nobody else has heard of: two counters, each of which says where it is and how far it counts."""

from platform_meter.demo.apis.api import DemoApi, Told, secret


def app(world, at):
    def answer(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{world.company.seed} {at.name} {at.url} {at.settings['abacus-limit']}".encode()]

    return answer


def told(company, urls):
    (first, *_) = company.services
    return Told(
        sources={
            name: {"type": "prometheus", "url": urls[name], "token": secret("abacus")} for name in ("left", "right")
        },
        secrets={"abacus": "abacus_demo"},
        definitions={
            "beads": [{"kind": "Bead", "id": "red"}],
            "personas": [{"kind": "Persona", "id": "bookkeeper"}],
        },
        rules=[{"match": f"abacus:{first.id}", "service": first.id}, {"match": "abacus:*", "team": first.team}],
    )


API = DemoApi(
    name="Abacus",
    instances=lambda company: ("left", "right"),
    app=app,
    threads=2,
    settings={"abacus-limit": 10},
    told=told,
)
'''


@pytest.fixture
def abacus(tmp_path: Path) -> Iterator[Path]:
    """A folder more in the room of the APIs, for one test; its module."""
    folder = tmp_path / "apis"
    with added(room.__name__, {"abacus/__init__.py": ABACUS}, folder):
        yield folder / "abacus" / "__init__.py"


def test_every_folder_is_a_system() -> None:
    """Found in order of name, which is the order of their ports; but what Prometheus scrapes comes before all others."""
    folders = sorted(path.parent.name for place in room.__path__ for path in Path(place).glob("*/__init__.py"))
    assert len(apis()) == len(folders)
    in_order = [api for api in apis() if api.scraped] + [api for api in apis() if not api.scraped]
    assert list(instances(COMPANY).values()) == [api for api in in_order for _ in api.instances(COMPANY)]
    assert [api.name for api in apis() if api.scraped] == ["services' metrics"]


def test_a_new_folder_is_found_and_served(abacus: Path) -> None:
    """Every instance answers at an address of its own and with the settings asked for; its neighbours do as before."""
    assert abacus.exists()
    with serving(small_world(Clock()), settings={"abacus-limit": 7}) as addresses:
        assert list(addresses.urls)[:3] == ["metrics", "left", "right"]
        for name in ("left", "right"):
            url = addresses.urls[name]
            assert requests.get(url, timeout=PATIENCE).text == f"1 {name} {url} 7"
        assert requests.get(f"{addresses.urls['us']}/readyz", timeout=PATIENCE).text == "ok"


def test_a_new_folder_is_in_the_configuration(abacus: Path, tmp_path: Path) -> None:
    """Its sections, secrets, definitions and rules are written beside those of the others."""
    assert abacus.exists()
    addresses = nowhere(COMPANY)
    written = write(tmp_path / "demo", COMPANY, addresses)
    sources = yaml.safe_load(written.read_text("utf-8"))["sources"]
    assert sources["left"] == {
        "type": "prometheus",
        "url": addresses.urls["left"],
        "token": {"file": "secrets/abacus"},
    }
    assert {"left", "right", "github", "jira", "cluster-eu", "cluster-us"} <= set(sources)
    secret = written.parent / "secrets" / "abacus"
    assert secret.read_text("utf-8") == "abacus_demo"
    assert secret.stat().st_mode & 0o777 == 0o600
    definitions = written.parent / "slo-definitions"
    assert yaml.safe_load((definitions / "beads.yaml").read_text("utf-8")) == {"kind": "Bead", "id": "red"}
    personas = [d["id"] for d in yaml.safe_load_all((definitions / "personas.yaml").read_text("utf-8"))]
    assert {"app-developer", "bookkeeper"} <= set(personas)
    rules = yaml.safe_load((definitions / "ownership.yaml").read_text("utf-8"))["rules"]
    service = COMPANY.services[0].id
    assert [rule["match"] for rule in rules if rule.get("service") == service] == [
        f"abacus:{service}",
        f"github:acme/{service}",
        f"pagerduty:{service_id(COMPANY.repo[service])}",
        f"prometheus:{service}",
    ]
    assert {"match": "abacus:*", "team": COMPANY.services[0].team} in rules


def test_names_of_instances_are_unique(abacus: Path) -> None:
    """Two systems with one name are told apart by nobody, so that it is refused."""
    abacus.write_text(ABACUS.replace('lambda company: ("left", "right")', 'lambda company: ("github",)'))
    with pytest.raises(ValueError, match="Abacus and GitHub both have an instance 'github'; rename one of them"):
        instances(COMPANY)

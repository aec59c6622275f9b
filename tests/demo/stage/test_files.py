from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from boto3.session import Session
from botocore.exceptions import ProfileNotFound
from tests.demo.worlds import START, nowhere

from platform_meter import sources
from platform_meter.demo.apis.aws import PROFILE
from platform_meter.demo.apis.kubernetes import conflicts
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.watching import watched_service
from platform_meter.demo.stage.files import to_simulated_accounts, write
from platform_meter.runtime.files.check import examine
from platform_meter.runtime.files.config import load_config
from platform_meter.runtime.files.definitions import read_definitions
from platform_meter.runtime.files.references import look_up, read_file


@pytest.fixture(scope="module")
def company() -> Company:
    return Company.build(1, START)


@pytest.fixture(scope="module")
def folder(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("demo")
    write(found, company, nowhere(company))
    return found


def test_the_configuration_is_sound(folder: Path) -> None:
    """Every section is what its source's settings take, and every secret is there, for its owner's eyes only."""
    path = folder / "platform-meter.yaml"
    text = path.read_text(encoding="utf-8")
    written = yaml.safe_load(text)
    assert {name: section["type"] for name, section in written["sources"].items()} == {
        "github": "github",
        "argocd-eu": "argocd",
        "argocd-us": "argocd",
        "aws-eu": "apigateway",
        "backstage": "backstage",
        "gitlab": "gitlab",
        "jenkins": "jenkins",
        "jira": "jira",
        "clusters-eks": "clusters",
        "clusters-gke": "clusters",
        "datadog": "datadog",
        "elasticsearch": "elasticsearch",
        "grafana": "grafana",
        "istio-eu": "istio",
        "kong": "kong",
        "linkerd-us": "linkerd",
        "nginx": "nginx",
        "pagerduty": "pagerduty",
        "probes": "probes",
        "prometheus-eu": "prometheus",
        "prometheus-us": "prometheus",
        "status": "documents",
        "tekton": "tekton",
        "cluster-eu": "kubernetes",
        "cluster-us": "kubernetes",
    }
    loaded = load_config(text, str(path), {name: source.config for name, source in sources.load().items()})
    assert [str(problem) for problem in loaded.problems] == []
    assert look_up(loaded, read_file, {}) == ()
    assert {file.stat().st_mode & 0o777 for file in (folder / "secrets").iterdir()} == {0o600}


def test_boto3_is_led_to_the_simulated_accounts(
    folder: Path, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever variables led it before, a profile of the demo's own signs in there, with keys that open nothing else."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://elsewhere.example")
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", "https://elsewhere.example")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(folder / "nothing"))
    with pytest.raises(ProfileNotFound):
        Session(profile_name=PROFILE)
    with pytest.MonkeyPatch.context() as patched:
        wanted = dict(os.environ)
        to_simulated_accounts(wanted, folder)
        patched.setattr(os, "environ", wanted)
        session = Session(profile_name=PROFILE)
        address = nowhere(company).urls["aws"]
        for service in ("apigateway", "cloudwatch"):
            assert session.client(service, region_name="eu-central-1").meta.endpoint_url == address
        keys = session.get_credentials()
        assert (keys.access_key, keys.secret_key) == ("AKIADEMO", "aws_demo")


def test_the_definitions_are_sound(folder: Path, company: Company) -> None:
    """All kinds are read without a problem: 40 teams, 300 services, two queues, thirteen capabilities, three mandated."""
    files = sorted((folder / "slo-definitions").glob("*.yaml"))
    loaded = read_definitions((str(file), file.read_text(encoding="utf-8")) for file in files)
    assert [str(problem) for problem in loaded.problems] == []
    found = loaded.definitions
    assert {team.id for team in found.teams} == {team.id for team in company.teams}
    assert {service.id for service in found.services} == {service.id for service in company.services}
    assert [queue.id for queue in found.ticketing] == ["platform-support", "developer-help"]
    assert [(c.id, str(c.unit), c.mandated) for c in found.capabilities] == [
        ("ci", "service", True),
        ("continuous-delivery", "service", False),
        ("kubernetes", "service", False),
        ("code-review", "team", False),
        ("self-service-support", "team", False),
        ("logs", "team", False),
        ("dashboards", "team", False),
        ("alert-rules", "team", False),
        ("api-gateway", "team", False),
        ("golden-image", "service", True),
        ("resource-quota", "team", True),
        ("service-mesh", "service", False),
        ("monitoring-template", "team", False),
    ]
    owners = {team.id for team in company.teams}
    assert {capability.owner for capability in found.capabilities} <= owners
    assert [(e.id, e.production) for e in found.environments] == [("production", True), ("staging", False)]


def test_the_company_has_slos_on_stored_events_and_on_its_services_metrics(folder: Path, company: Company) -> None:
    """Nine and three; their owners, queues and clusters are the company's, and nothing about them is remarkable."""
    found = examine(folder / "platform-meter.yaml", (), {})
    assert found.problems == ()
    assert found.warnings == ()
    stored = {o.slo: o for o in found.definitions.objectives}
    watched = f"{watched_service(company).id}-requests"
    assert sorted(stored) == sorted(
        [
            "ci-platform-success",
            "cluster-api-eu",
            "gateway-health",
            "logged-requests",
            "mesh-availability-eu",
            "node-readiness-eu",
            "pod-start",
            "ticket-first-response",
            watched,
        ]
    )
    assert sorted({p.slo for p in found.plans} - stored.keys()) == [
        "api-availability",
        "requests-availability",
        "requests-latency",
    ]
    assert {p.owner for p in found.plans} <= {team.id for team in company.teams}
    assert stored[watched].owner == company.services[4].team
    where = stored["ticket-first-response"].sli.where
    queue = next(q for q in found.definitions.ticketing if q.id == where["queue"])
    assert where["sla"] in {sla.id for sla in queue.slas}
    assert stored["cluster-api-eu"].sli.where["target"] == f"{company.clusters[0].name}/readyz"


def test_owners_are_left_out_on_purpose(folder: Path, company: Company) -> None:
    """Rules name every repository but sandboxes and trials, and three workloads go to another team than their labels say."""
    document = yaml.safe_load((folder / "slo-definitions" / "ownership.yaml").read_text(encoding="utf-8"))
    rules = {rule["match"]: rule for rule in document["rules"]}
    named = {match.removeprefix("github:acme/") for match in rules if match.startswith("github:")}
    unnamed = {f"sandbox-{n}" for n in range(1, 9)} | {f"trial-{n}" for n in range(1, 8)}
    assert {repo.name for repo in company.repos} - named == unnamed
    assert len(conflicts(company)) == 3
    service = {s.id: s.team for s in company.services}
    for match, team in conflicts(company).items():
        assert rules[match]["team"] == team != service[match.rpartition("/")[2]]

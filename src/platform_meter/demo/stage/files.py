"""What the demo's own meter is told: `platform-meter.yaml`, credentials and `slo-definitions/`, written into a folder.

The layout follows from the company; some of it is left out or contradicts itself on purpose, as it would be in real
life: sandbox repositories and system namespaces have no owner here (GitHub knows whose some of the sandboxes are), some
workloads carry another team's label.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from platform_meter.demo.apis.api import PROFILES, SECRETS, Profile, Told, apis
from platform_meter.demo.company.days import ZONE
from platform_meter.demo.company.layout import CI, DELIVERY, RUNTIME, SUPPORT, TEAM_LABEL, Company, Service
from platform_meter.demo.stage.impact_files import impact
from platform_meter.demo.stage.server import Addresses
from platform_meter.demo.stage.survey_files import SURVEYS, survey_files, surveys

CONFIG, DEFINITIONS = "platform-meter.yaml", "slo-definitions"
SLO_FOLDERS = (Path(__file__).parents[4] / DEFINITIONS, Path(__file__).parent / DEFINITIONS)
"""The company's SLO files: this repository's own, or what a wheel brings along."""


def write(folder: Path, company: Company, addresses: Addresses, *, prometheus: str = "") -> Path:
    """Write everything; gives the path of the configuration. Files that stand there are replaced.

    Args:
        folder: made where it does not exist.
        company: the same as behind `addresses`.
        addresses: where its APIs answer.
        prometheus: address of a Prometheus that scrapes the company's services; empty: there is none.

    Raises:
        OSError: the folder can't be written.
    """
    told = [*(api.told(company, addresses.urls) for api in apis()), _prometheus(company, prometheus)]
    secrets, definitions, answers = folder / SECRETS, folder / DEFINITIONS, folder / SURVEYS
    for directory in (secrets, definitions, answers):
        directory.mkdir(parents=True, exist_ok=True)
    for one in told:
        for name, secret in one.secrets.items():
            _keep(secrets / name, secret)
    _keep(secrets / PROFILES, _profiles({name: profile for one in told for name, profile in one.profiles.items()}))
    for name, documents in _definitions(company, told).items():
        text = f"# {name}: written by the demo\n" + yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
        (definitions / f"{name}.yaml").write_text(text, encoding="utf-8")
    for name, text in survey_files(company).items():
        (answers / name).write_text(text, encoding="utf-8")
    for source in slo_files():
        (definitions / source.name).write_bytes(source.read_bytes())
    config = folder / CONFIG
    config.write_text("# The demo's configuration\n" + yaml.safe_dump(_config(told), sort_keys=False), encoding="utf-8")
    return config


def slo_files() -> Sequence[Path]:
    """The company's SLO files; empty where neither the repository nor a wheel has any."""
    return next((found for place in SLO_FOLDERS if (found := sorted(place.glob("*.yaml")))), [])


def to_simulated_accounts(environ: MutableMapping[str, str], folder: Path) -> None:
    """Lead boto3, which looks at its process's variables alone, to the accounts of the demo in this folder.

    The demo's sources name profiles that only its own file has, so that no other account can be meant; other variables
    would still lead them to other addresses.
    """
    for name in [name for name in environ if name.startswith("AWS_ENDPOINT_URL")]:
        del environ[name]
    environ["AWS_CONFIG_FILE"] = str((folder / SECRETS / PROFILES).absolute())
    environ["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "false"


def _profiles(profiles: Mapping[str, Profile]) -> str:
    """In the format of AWS' shared configuration."""
    return "\n".join(
        f"[profile {name}]\nendpoint_url = {profile.url}\n"
        f"aws_access_key_id = {profile.key}\naws_secret_access_key = {profile.secret}\n"
        for name, profile in profiles.items()
    )


def _keep(path: Path, secret: str) -> None:
    path.write_text(secret, encoding="utf-8")
    path.chmod(0o600)


def _config(told: Sequence[Told]) -> dict[str, Any]:
    return {
        "zone": ZONE.key,
        "access": {
            "anonymous": "viewer"
        },  # wherever it listens: there is nothing in it that anybody would keep to himself
        "definitions": DEFINITIONS,
        "labels": {"team": TEAM_LABEL},
        "sources": {name: dict(section) for one in told for name, section in one.sources.items()},
    }


def _prometheus(company: Company, url: str) -> Told:
    """What the services use is asked of the Prometheus that scrapes them, which is a real one."""
    query = "sum by (service) (increase(http_requests_total[{{window}}]))"
    usage = {"action": "request", "query": query, "by": ["service"], "kind": "service"}
    return Told(
        sources={"prometheus": {"type": "prometheus", "url": url, "usage": [usage]}} if url else {},
        rules=[{"match": f"prometheus:{service.id}", "service": service.id} for service in company.services],
    )


def _definitions(company: Company, told: Sequence[Told]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Documents by the name of their file."""
    place = {service.id: number for number, service in enumerate(company.services)}
    rules = sorted(
        (rule for one in told for rule in one.rules),
        key=lambda rule: place.get(rule.get("service", ""), len(place)),  # what is one service's stands together
    )
    found: dict[str, list[Mapping[str, Any]]] = {
        "teams": [_team(company, index) for index in range(len(company.teams))],
        "services": [_service(company, service) for service in company.services],
        "environments": [
            {"kind": "Environment", "id": "production", "production": True, "match": ["production-*", "eu/*", "us/*"]},
            {"kind": "Environment", "id": "staging", "match": ["staging"]},
        ],
        "ownership": [{"kind": "Ownership", "id": "ownership", "team_label": TEAM_LABEL, "rules": rules}],
        "capabilities": _capabilities(company),
        "personas": list(_personas()),
        "surveys": list(surveys()),
        "impact": list(impact(company)),
    }
    for one in told:
        for name, documents in one.definitions.items():
            found.setdefault(name, []).extend(documents)
    return found


def _team(company: Company, index: int) -> dict[str, Any]:
    team = company.teams[index]
    return {
        "kind": "Team",
        "id": team.id,
        "org": team.org,
        "persona": team.persona,
        "members_count": len(team.people),
    }


def _service(company: Company, service: Service) -> dict[str, Any]:
    return {
        "kind": "Service",
        "id": service.id,
        "team": service.team,
        "system": service.system,
        "tier": service.tier,
        "lifecycle": service.lifecycle,
        "type": service.type,
        "since": company.repo[service.id].created.isoformat(),
    }


def _capabilities(company: Company) -> list[Mapping[str, Any]]:
    """Five that need no system of their own; only CI is mandated. What is exempt and how fast use ages differs, so that every state occurs."""
    deployable = {"any": [{"service": {"kind": ["service", "website"], "lifecycle": ["production", "deprecated"]}}]}
    services = [s for s in company.services if s.type == "service" and s.lifecycle != "experimental"]
    exempt = min(services, key=lambda s: s.lifecycle != "deprecated").id  # a small company may have none on its way out
    return [
        {
            "kind": "Capability",
            "id": "ci",
            "title": "Continuous integration",
            "unit": "service",
            "owner": CI,
            "mandated": True,
            "eligible": {"any": [{"service": {"lifecycle": ["production"]}}]},
            "adopted": {"source": "github", "verb": "run"},
            "active": {"source": "github", "verb": "run", "window": "14d"},
            "churned": {"inactive": "42d"},
        },
        {
            "kind": "Capability",
            "id": "continuous-delivery",
            "title": "Continuous delivery",
            "unit": "service",
            "owner": DELIVERY,
            "eligible": deployable,
            "adopted": {"source": "github", "verb": "deploy"},
            "active": {"source": "github", "verb": "deploy", "window": "28d"},
            "churned": {"inactive": "56d"},
            "exempt": [
                {
                    "unit": exempt,
                    "until": company.start.date() + timedelta(days=200),
                    "reason": "is switched off this year",
                }
            ],
            "goals": [
                {"ratio": 0.48, "by": company.start.date() + timedelta(days=75)},
                {"ratio": 0.99, "by": company.start.date() + timedelta(days=90)},
            ],
        },
        {
            "kind": "Capability",
            "id": "kubernetes",
            "title": "Kubernetes",
            "unit": "service",
            "owner": RUNTIME,
            "eligible": deployable,
            "adopted": {"source": "kubernetes", "count": "workloads"},
            "active": {"source": "github", "verb": "deploy", "window": "28d"},
        },
        {
            "kind": "Capability",
            "id": "code-review",
            "title": "Code review",
            "unit": "team",
            "owner": DELIVERY,
            "eligible": {"any": [{"team": {}}]},
            "adopted": {"source": "github", "verb": "merge"},
            "active": {"source": "github", "verb": "merge", "window": "28d", "min_days": 3},
            "churned": {"inactive": "35d"},
            "goals": [{"ratio": 1.0, "of": "adopted", "by": company.start.date() + timedelta(days=60)}],
        },
        {
            "kind": "Capability",
            "id": "self-service-support",
            "title": "Support by ticket",
            "unit": "team",
            "owner": SUPPORT,
            "eligible": {"any": [{"team": {"org": company.served_orgs}}]},
            "adopted": {"source": "jira", "verb": "ticket"},
            "active": {"source": "jira", "verb": "ticket", "window": "28d"},
        },
    ]


def _personas() -> Iterator[dict[str, Any]]:
    points = {
        "app-developer": [
            {"id": "slow-ci", "match": {"ticket_label": ["ci-slow"], "feedback_theme": ["ci"]}},
            {"id": "first-steps", "match": {"feedback_theme": ["onboarding", "docs", "tooling"]}},
        ],
        "service-owner": [{"id": "blind-at-night", "match": {"feedback_theme": ["observability"]}}],
    }
    for persona in ("app-developer", "data-engineer", "mobile-developer", "service-owner", "platform-engineer"):
        yield {"kind": "Persona", "id": persona, "pain_points": points.get(persona, [])}

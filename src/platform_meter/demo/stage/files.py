"""What the demo's own meter is told: `platform-meter.yaml`, credentials and `slo-definitions/`, written into a folder.

The layout follows from the company; some of it is left out or contradicts itself on purpose, as it would be in real
life: sandbox repositories and system namespaces have no owner here (GitHub knows whose some of the sandboxes are), some
workloads carry another team's label.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from platform_meter.demo.company.days import ZONE, german_holidays
from platform_meter.demo.company.layout import HISTORY_DAYS, ORG, PLATFORM_TEAMS, Company, Service
from platform_meter.demo.company.manifests import TEAM_LABEL
from platform_meter.demo.company.tickets import (
    CLOSED,
    COMPONENT_OWNERS,
    OPEN,
    PROGRESS,
    PROJECTS,
    RESOLVED,
    WAITING,
    components,
)
from platform_meter.demo.stage.server import Addresses
from platform_meter.demo.truth import QUEUES
from platform_meter.demo.world import JIRA_USER, Settings

CONFIG, DEFINITIONS, SECRETS = "platform-meter.yaml", "slo-definitions", "secrets"
KUBECONFIG = "kubeconfig"
SLO_FOLDERS = (Path(__file__).parents[4] / DEFINITIONS, Path(__file__).parent / DEFINITIONS)
"""The company's SLO files: this repository's own, or what a wheel brings along."""
CI, DELIVERY, RUNTIME, SUPPORT = PLATFORM_TEAMS


def write(
    folder: Path, company: Company, addresses: Addresses, settings: Settings | None = None, *, prometheus: str = ""
) -> Path:
    """Write everything; gives the path of the configuration. Files that stand there are replaced.

    Args:
        folder: made where it does not exist.
        company: the same as behind `addresses`.
        addresses: where its APIs answer.
        settings: credentials, where they are not the usual ones.
        prometheus: address of a Prometheus that scrapes the company's services; empty: there is none.

    Raises:
        OSError: the folder can't be written.
    """
    chosen = settings or Settings()
    secrets, definitions = folder / SECRETS, folder / DEFINITIONS
    for directory in (secrets, definitions):
        directory.mkdir(parents=True, exist_ok=True)
    _keep(secrets / "github", chosen.github_token)
    _keep(secrets / "jira", chosen.jira_token)
    kubeconfig = yaml.safe_dump(_kubeconfig(addresses, chosen.kubernetes_token), sort_keys=False)
    _keep(secrets / KUBECONFIG, kubeconfig)
    for name, documents in _definitions(company).items():
        text = f"# {name}: written by the demo\n" + yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True)
        (definitions / f"{name}.yaml").write_text(text, encoding="utf-8")
    for source in slo_files():
        (definitions / source.name).write_bytes(source.read_bytes())
    config = folder / CONFIG
    config.write_text(
        "# The demo's configuration\n" + yaml.safe_dump(_config(addresses, prometheus), sort_keys=False),
        encoding="utf-8",
    )
    return config


def slo_files() -> Sequence[Path]:
    """The company's SLO files; empty where neither the repository nor a wheel has any."""
    return next((found for place in SLO_FOLDERS if (found := sorted(place.glob("*.yaml")))), [])


def _keep(path: Path, secret: str) -> None:
    path.write_text(secret, encoding="utf-8")
    path.chmod(0o600)


def _kubeconfig(addresses: Addresses, token: str) -> dict[str, Any]:
    """Plain http on loopback is something only a kubeconfig may say: a cluster's `url` has to be https."""
    clusters = {"eu": addresses.eu, "us": addresses.us}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in clusters.items()],
        "users": [{"name": "meter", "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "meter"}} for name in clusters],
        "current-context": "eu",
    }


def _config(addresses: Addresses, prometheus: str) -> dict[str, Any]:
    def secret(name: str) -> dict[str, str]:
        return {"file": f"{SECRETS}/{name}"}

    clusters = {
        f"cluster-{name}": {
            "type": "kubernetes",
            "cluster": name,
            "kubeconfig": f"{SECRETS}/{KUBECONFIG}",
            "context": name,
            "labels": [TEAM_LABEL],
        }
        for name in ("eu", "us")
    }
    return {
        "zone": ZONE.key,
        "definitions": DEFINITIONS,
        "labels": {"team": TEAM_LABEL},
        "sources": {
            "github": {"type": "github", "org": ORG, "url": addresses.github, "token": secret("github")},
            "jira": {
                "type": "jira",
                "url": addresses.jira,
                "email": JIRA_USER,
                "token": secret("jira"),
                "projects": list(QUEUES),
            },
            **clusters,
            **({"prometheus": _prometheus(prometheus)} if prometheus else {}),
        },
    }


def _prometheus(url: str) -> dict[str, Any]:
    query = "sum by (service) (increase(http_requests_total[{{window}}]))"
    usage = {"action": "request", "query": query, "by": ["service"], "kind": "service"}
    return {"type": "prometheus", "url": url, "usage": [usage]}


def _definitions(company: Company) -> Mapping[str, Sequence[dict[str, Any]]]:
    """Documents by the name of their file."""
    return {
        "teams": [_team(company, index) for index in range(len(company.teams))],
        "services": [_service(company, service) for service in company.services],
        "environments": [
            {"kind": "Environment", "id": "production", "production": True, "match": ["production-*"]},
            {"kind": "Environment", "id": "staging", "match": ["staging"]},
        ],
        "ownership": [
            {"kind": "Ownership", "id": "ownership", "team_label": TEAM_LABEL, "rules": list(_rules(company))}
        ],
        "ticketing": list(_ticketing(company)),
        "capabilities": _capabilities(company),
        "personas": list(_personas()),
    }


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


def conflicts(company: Company) -> dict[str, str]:
    """Workloads, by the name that ownership rules match, that a rule gives to another team than their labels do."""
    settled = [
        s for s in company.services if s.kubernetes == ((-1_000_000, 1_000_000),) and not s.id.endswith("-search")
    ]
    return {f"kubernetes:eu/{s.team}/Deployment/{s.id}": company.teams[-3].id for s in settled[10:13]}


def _rules(company: Company) -> Iterator[dict[str, str]]:
    for repo in company.repos:
        if repo.service:
            yield {"match": f"github:{repo.full_name}", "service": repo.service.id}
            yield {"match": f"prometheus:{repo.service.id}", "service": repo.service.id}
    help_desk = next(project for project in PROJECTS if project.by_team)
    for team in components(company, help_desk):
        yield {"match": f"jira:{help_desk.key}/{team}", "team": team}
    for topic, owner in COMPONENT_OWNERS.items():
        yield {"match": f"jira:{PROJECTS[0].key}/{topic}", "team": owner}
    for match, team in conflicts(company).items():
        yield {"match": match, "team": team}


def _ticketing(company: Company) -> Iterator[dict[str, Any]]:
    first, last = company.epoch - timedelta(days=30), company.start.date() + timedelta(days=HISTORY_DAYS)
    holidays = sorted(
        day for year in range(first.year, last.year + 1) for day in german_holidays(year) if first <= day <= last
    )
    goals = {
        "PLAT": ({"P1": "30m", "P2": "4h", "default": "8h"}, {"P1": "8h", "P2": "3bd", "default": "5bd"}),
        "HELP": ({"P1": "1h", "default": "8h"}, {"default": "10bd"}),
    }
    for project in PROJECTS:
        response, resolution = goals[project.key]
        yield {
            "kind": "Ticketing",
            "id": QUEUES[project.key],
            "source": {"type": "jira", "instance": "jira", "select": f"project = {project.key}"},
            "calendar": {"zone": ZONE.key, "days": {"mon-fri": ["09:00-17:00"]}, "holidays": holidays},
            "status": {"running": [OPEN, PROGRESS], "paused": [WAITING], "done": [RESOLVED, CLOSED]},
            "category": {"from": project.category_from},
            "slas": [
                {"id": "first_response", "goal": response},
                {"id": "resolution", "goal": resolution, "reopen": "continue"},
            ],
        }


def _capabilities(company: Company) -> list[dict[str, Any]]:
    """Five of them; only CI is mandated. What is exempt and how fast use ages differs, so that every state occurs."""
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
        },
        {
            "kind": "Capability",
            "id": "self-service-support",
            "title": "Support by ticket",
            "unit": "team",
            "owner": SUPPORT,
            "eligible": {"any": [{"team": {"org": sorted({team.org for team in company.teams} - {"platform"})}}]},
            "adopted": {"source": "jira", "verb": "ticket"},
            "active": {"source": "jira", "verb": "ticket", "window": "28d"},
        },
    ]


def _personas() -> Iterator[dict[str, Any]]:
    points = {"app-developer": [{"id": "slow-ci", "match": {"ticket_label": ["ci-slow"]}}]}
    for persona in ("app-developer", "data-engineer", "mobile-developer", "service-owner", "platform-engineer"):
        yield {"kind": "Persona", "id": persona, "pain_points": points.get(persona, [])}

"""PagerDuty's JSON: incidents, what was logged of them, their alerts, services, priorities."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from platform_meter.demo.apis.wsgi import stamp
from platform_meter.demo.company.layout import Repo
from platform_meter.demo.company.records import Incident, sha_of
from platform_meter.demo.company.tickets import PRIORITIES

WEB = "https://acme.pagerduty.test"
POLICY = "PDEFAULT"
STATES = {"acknowledged": "acknowledged", "resolved": "resolved", "merged": "resolved", "reopened": "triggered"}
"""What an incident is after each step."""
LOGGED = {"acknowledged": "acknowledge", "resolved": "resolve", "merged": "resolve", "reopened": "trigger"}
"""The kind of log entry of each step."""
_SAID = {"acknowledge": "Acknowledged", "resolve": "Resolved", "trigger": "Triggered", "notify": "Notified"}


def _id(kind: str, of: object) -> str:
    return f"P{sha_of('pagerduty', kind, of)[:9].upper()}"


def service_id(repo: Repo) -> str:
    return _id("service", repo.name)


class Bodies:
    """Bodies under one base address; `incidents` are all that anybody knows of, by number."""

    def __init__(self, base: str, incidents: Mapping[int, Incident]) -> None:
        self._base, self._incidents = base, incidents

    def _reference(self, kind: str, id_: str, summary: str, path: str, page: str = "") -> dict[str, Any]:
        return {
            "id": id_,
            "type": kind,
            "summary": summary,
            "self": f"{self._base}/{path}/{id_}",
            "html_url": f"{WEB}/{page or path}/{id_}",
        }

    def _service(self, repo: Repo) -> dict[str, Any]:
        return self._reference("service_reference", service_id(repo), repo.name, "services", "service-directory")

    def _person(self, handle: str) -> dict[str, Any]:
        return self._reference("user_reference", _id("user", handle), handle, "users")

    def _team(self, repo: Repo) -> dict[str, Any]:
        return self._reference("team_reference", _id("team", repo.team), repo.team, "teams")

    def _policy(self) -> dict[str, Any]:
        return self._reference("escalation_policy_reference", POLICY, "On call", "escalation_policies")

    def _named(self, incident: Incident) -> dict[str, Any]:
        summary = f"[#{incident.number}] {incident.title}"
        return self._reference("incident_reference", incident.id, summary, "incidents")

    def priority(self, name: str, *, full: bool) -> dict[str, Any]:
        body = {**self._reference("priority_reference", _id("priority", name), name, "priorities"), "html_url": None}
        return {**body, "type": "priority", "name": name, "description": ""} if full else body

    def service(self, repo: Repo) -> dict[str, Any]:
        return {
            **self._service(repo),
            "type": "service",
            "name": repo.name,
            "auto_resolve_timeout": None,
            "acknowledgement_timeout": 1800,
            "created_at": stamp(repo.created),
            "status": "active",
            "alert_creation": "create_alerts_and_incidents",
            "integrations": [],
            "escalation_policy": self._policy(),
            "teams": [self._team(repo)],
            "incident_urgency_rule": {"type": "constant", "urgency": "high"},
            "support_hours": None,
            "scheduled_actions": [],
        }

    def incident(self, incident: Incident, now: datetime, include: Collection[str]) -> dict[str, Any]:
        steps = incident.steps_at(now)
        status = STATES[steps[-1][1]] if steps else "triggered"
        changed, ended = max([incident.begun, *(at for at, _, _ in steps)]), incident.ended_at(now)
        by = self._person(steps[-1][2]) if steps else self._service(incident.repo)
        first = self.log_entry(incident, "trigger", incident.begun, "")
        into = self._incidents[incident.into] if ended and incident.into else None
        priority = self.priority(incident.priority, full="priorities" in include) if incident.priority else None
        return {
            **self._named(incident),
            "type": "incident",
            "incident_number": incident.number,
            "title": incident.title,
            "created_at": stamp(incident.begun),
            "updated_at": stamp(changed),
            "status": status,
            "incident_key": sha_of("key", incident.number)[:32],
            "service": self.service(incident.repo) if "services" in include else self._service(incident.repo),
            "assignments": [],
            "assigned_via": "escalation_policy",
            "last_status_change_at": stamp(changed),
            "resolved_at": stamp(ended) if ended else None,
            "first_trigger_log_entry": {
                key: f"{first[key]}_reference" if key == "type" else first[key]
                for key in ("id", "type", "summary", "self", "html_url")
            },
            "alert_counts": {"all": 1, "triggered": int(ended is None), "resolved": int(ended is not None)},
            "is_mergeable": ended is None,
            "incident_type": {"name": "incident_default"},
            "escalation_policy": self._policy(),
            "teams": [self._team(incident.repo)],
            "pending_actions": [],
            "acknowledgements": [
                {"at": stamp(at), "acknowledger": self._person(who)}
                for at, what, who in steps[-1:]
                if what == "acknowledged"
            ],
            "last_status_change_by": by,
            "priority": priority,
            "resolve_reason": {"type": "merge_resolve_reason", "incident": self._named(into)} if into else None,
            "incidents_responders": [],
            "responder_requests": [],
            "urgency": "low" if incident.priority == PRIORITIES[-1] else "high",
        }

    def log(self, incident: Incident, now: datetime, *, overview: bool) -> list[dict[str, Any]]:
        """What was logged so far, newest first; an overview leaves out who was told."""
        found = [("trigger", incident.begun, ""), ("notify", incident.begun + timedelta(seconds=5), "")]
        found += [(LOGGED[what], at, who) for at, what, who in incident.steps]
        wanted = sorted((e for e in found if e[1] <= now and not (overview and e[0] == "notify")), key=lambda e: e[1])
        return [self.log_entry(incident, kind, at, who) for kind, at, who in reversed(wanted)]

    def log_entry(self, incident: Incident, kind: str, at: datetime, who: str) -> dict[str, Any]:
        id_ = f"R{sha_of('log', incident.number, kind, at)[:24].upper()}"
        service = self._service(incident.repo)
        return {
            "id": id_,
            "type": f"{kind}_log_entry",
            "summary": f"{_SAID[kind]} by {who}." if who else f"{_SAID[kind]} through the API.",
            "self": f"{self._base}/log_entries/{id_}?incident_id={incident.id}",
            "html_url": f"{WEB}/incidents/{incident.id}/log_entries/{id_}",
            "created_at": stamp(at),
            "agent": self._person(who) if who else service,
            "channel": {"type": "website" if who else "api"},
            "service": service,
            "incident": self._named(incident),
            "teams": [self._team(incident.repo)],
            "contexts": [],
        }

    def alert(self, incident: Incident, now: datetime) -> dict[str, Any]:
        """The one that it began with."""
        id_ = f"Q{sha_of('alert', incident.number)[:13].upper()}"
        ended = incident.ended_at(now) is not None
        return {
            "id": id_,
            "type": "alert",
            "summary": incident.title,
            "self": f"{self._base}/incidents/{incident.id}/alerts/{id_}",
            "html_url": f"{WEB}/alerts/{id_}",
            "created_at": stamp(incident.begun),
            "status": "resolved" if ended else "triggered",
            "alert_key": sha_of("key", incident.number)[:32],
            "service": self._service(incident.repo),
            "body": {"type": "alert_body", "contexts": [], "details": {"service": incident.repo.name}},
            "incident": {"id": incident.id, "type": "incident_reference"},
            "suppressed": False,
            "severity": "critical",
            "integration": self._reference(
                "events_api_v2_inbound_integration_reference",
                _id("integration", incident.repo.name),
                "Events",
                f"services/{service_id(incident.repo)}/integrations",
            ),
        }

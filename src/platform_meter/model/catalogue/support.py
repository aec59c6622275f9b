"""Support (domain section 9)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import counter, gauge

TICKETS_CREATED = counter(
    "platform_tickets_created_total", "queue category priority", "Tickets created.", fold="category"
)
TICKETS_OPEN = gauge(
    "platform_tickets_open",
    "queue priority age",
    "Open tickets by calendar age: under 1d, 3d, 7d, 30d, older.",
    fold="priority",
)
TICKET_SLA_CYCLES = counter(
    "platform_ticket_sla_cycles_total",
    "queue sla priority result",
    "SLA cycles decided: met, breached.",
    fold="priority",
)
TICKET_SLA_MET = gauge(
    "platform_ticket_sla_met_ratio",
    "queue sla priority window",
    "SLA cycles met / decided in the window.",
    fold="priority",
)
TICKET_SLA_SECONDS = gauge(
    "platform_ticket_sla_seconds",
    "queue sla priority quantile",
    "Business time of SLA cycles stopped in 28 days.",
    fold="priority",
)
TICKET_AT_RISK = gauge(
    "platform_ticket_at_risk",
    "queue sla priority",
    "Open, unpaused cycles with at most 20 % of the goal left.",
    fold="priority",
)
TICKET_EXPECTED_BREACHES = gauge(
    "platform_ticket_expected_breaches",
    "queue sla priority",
    "Open cycles expected to breach, by Kaplan-Meier of the last 91 days.",
    fold="priority",
)
TICKET_DISAGREEMENTS = gauge(
    "platform_ticket_clock_disagreements",
    "queue sla priority",
    "SLA cycles, open or decided in 28 days, that the tool's own clock judges otherwise than the computed one.",
    fold="priority",
)
TICKET_BACKLOG_AGE = gauge(
    "platform_ticket_backlog_age_seconds",
    "queue quantile",
    "Business time since creation of open tickets.",
    fold="queue",
)
TICKET_REOPEN = gauge(
    "platform_ticket_reopen_ratio",
    "queue window",
    "Tickets resolved in the window and reopened since / resolved.",
    fold="queue",
)
TICKETS_PER_ACTIVE_TEAM = gauge(
    "platform_tickets_per_active_team",
    "queue window",
    "Tickets created / teams with any pipeline run, deployment, merged change or, where known, ticket in the window.",
    fold="queue",
)

"""Runbook pages of the alerts that every SLO has."""

from __future__ import annotations

from platform_meter.render.runbooks.runbook import Runbook
from platform_meter.slo import names

SLOS = (
    Runbook(
        alert=names.BURN_ALERT,
        means=(
            "So many events of this SLO fail that its error budget goes faster than it may.",
            "The labels say whose it is (`owner`, `service`), how urgent (`level`) and over how long (`window`); the summary has the counts.",
            "A `page` cannot wait: at this pace a noticeable part of the period's budget is gone within hours.",
            "A `ticket` is slower and waits for working hours.",
        ),
        look=(
            "The SLO's page (`page_url`, or `/slos/NAME` of the exporter): burn over each window, what is left of the budget, and the last bad events where the exporter stores them.",
            "The dashboard SLO detail (`dashboard_url`): when it began, and which deployment or change stands at that time.",
            "Whether other SLOs fire too: several at once have one cause below them, such as a cluster or the network.",
            "`platform-meter slo explain NAME`: what is counted, and what each alert waits for.",
        ),
        do=(
            "Undo what changed when it began: roll back, switch the feature off, move the traffic away.",
            "If few events stand behind it (the summary says how many), look at each of them before you act.",
            "For a ticket: plan the repair before the budget is gone, and say so to the owner of the SLO.",
            "If nobody was hurt by what was counted, the SLO counts the wrong thing: mend its query, or its objective.",
        ),
        ends=(
            "The alert is over when the short window is, minutes after the last failures; the ticket over 3 d, or 14 d, when both its windows are clearly below.",
            "What was spent stays spent until it leaves the period.",
        ),
    ),
    Runbook(
        alert=names.BUDGET_ALERT,
        means=(
            "Over the whole period more events failed than the objective allows.",
            "Nothing has to be broken at this moment: it may have been one outage weeks ago.",
        ),
        look=(
            "The SLO's page (`page_url`): the curve of the budget shows when it was spent.",
            "`slo:data_coverage:ratio`: where less than 99 % of the period was seen, at least as much as is shown was spent.",
            "Whether `SLOBurn` of the same SLO fires: then it is still going on, and that comes first.",
        ),
        do=(
            "Hold back risky changes of the service, and work on what spent the budget.",
            "Find out which alert told of it at the time; if none did, the objective or the events may be too few for one.",
            "If users were content all the same, the objective promises more than they need: lower it with those who rely on it.",
        ),
        ends=("It is over when a tenth of the budget is left again, as old failures leave the period.",),
    ),
    Runbook(
        alert=names.NO_DATA_ALERT,
        means=(
            "Nothing has been read of what this SLO counts, so an outage would not be seen.",
            "A service without traffic is no reason: its counters are still read, or `up` says that it is scraped.",
        ),
        look=(
            "Prometheus, Status, Targets: whether what the query reads is scraped.",
            "For an SLO over stored events the page Sources of the exporter: when its source was last read, and what it answers.",
            "The query of the SLO in Prometheus: a metric or a label that was renamed gives nothing.",
        ),
        do=(
            "Mend the scrape or the source; `platform-meter sources test NAME` says what a source lacks.",
            "If the metric has another name now, change the query and run `platform-meter generate`.",
            "If the service is scraped and has no series before its first request, name its `job` in the query, or write `platform-meter.io/read-by`.",
            "If the service is gone for good, remove its SLO; if it is often away by design, write `platform-meter.io/leave-out: no-data`.",
        ),
        ends=("It is over with the first data; a gap of up to an hour is counted when it ends.",),
    ),
    Runbook(
        alert=names.CONTRADICTION_ALERT,
        means=(
            "More is counted as good, or as bad, than there is in all, so the two queries do not belong together.",
            "No number of this SLO can be told until that is mended, and an outage would not be seen.",
        ),
        look=(
            "The two queries side by side in Prometheus, over the last hour: `good` or `bad`, and `total`.",
            "Whether one of them counts retries, or another port, job or replica, and the other does not.",
            "Whether something was renamed, or deployed with another label, when the alert began.",
        ),
        do=(
            "Let both read the same series, and `good` or `bad` narrow them by a matcher.",
            "Run `platform-meter check` and `platform-meter generate`, and load the rules.",
        ),
        ends=("It is over when the parts fit the whole again; the budget is told again when they do over the period.",),
    ),
)

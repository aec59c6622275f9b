"""Runbook pages of the alerts beyond burn."""

from __future__ import annotations

from platform_meter.render.rules import meter_alerts as m
from platform_meter.render.runbooks.runbook import Runbook

METER = (
    Runbook(
        alert=m.SOURCE_DOWN,
        means=(
            "A system that was read before could not be read for its `stale_after`, so its gauges are absent.",
            "Counters stand still, and go on where they stopped once it is read again: nothing is lost that it still tells.",
        ),
        look=(
            "The page Sources of the exporter: the last error, and since when.",
            "`platform-meter sources test NAME`: what it answers now.",
            "`platform_meter_source_requests_total` by outcome, and `platform_meter_source_rate_limit_remaining_ratio`: a credential, a quota, or the network.",
        ),
        do=(
            "A refused credential: make a new one and put it where the configuration says; it is read anew by itself.",
            "A quota that is used up: let it be polled less often (`every`), or give it a token of its own.",
            "A system that is down: wait; the exporter goes on by itself.",
        ),
        ends=("It is over with the first poll that succeeds.",),
    ),
    Runbook(
        alert=m.NEVER_READ,
        means=(
            "A source is configured for six hours and was never read whole, so nothing that it tells can be believed.",
        ),
        look=(
            "The page Sources of the exporter: how far the first import is, or what fails.",
            "`platform-meter sources test NAME`: what it lacks.",
        ),
        do=(
            "Give its credential the rights that the message names.",
            "A long first import: shorten `history` of the source, or wait while the page shows that it goes on.",
            "A source that is not wanted: remove its section.",
        ),
        ends=("It is over when the source has been read whole once.",),
    ),
    Runbook(
        alert=m.GAPS,
        means=(
            "Ranges of a source's history could not be read, so what is counted there is too little, for good.",
            "The label `reason` says why: a list that its system cuts off, events that were removed, or rights that are missing.",
        ),
        look=("The page Sources of the exporter: which ranges.", "The log of the exporter at that time."),
        do=(
            "`forbidden`: give the credential the missing rights.",
            "`result_cap`: poll more often, so that one list holds what came since.",
            "`pruned`: the system keeps its history too short; poll before it is removed.",
        ),
        ends=("It is over a day after the last new gap.",),
    ),
    Runbook(
        alert=m.CONTRADICTION,
        means=(
            "An SLI source said more good or bad events than there are in all; such slices are left out, so its SLOs count too little.",
        ),
        look=(
            '`platform_meter_events_rejected_total` with `reason="contradiction"`, by source.',
            "What the source reads: the two queries, or the file, side by side.",
        ),
        do=("Let good and bad be a part of the total there: the same events, and one word more that narrows them.",),
        ends=("It is over a day after the last slice that was left out.",),
    ),
    Runbook(
        alert=m.UNOWNED,
        means=(
            "More than a tenth of all objects belong to no team, so what happens to them is missing from every team's numbers.",
        ),
        look=(
            "`platform_meter_unowned_objects` by source and kind: where they are.",
            "The page Sources of the exporter: names of some of them.",
        ),
        do=(
            "Declare owners: a rule, a label on the objects (`labels.team`), or an entry in the catalogue; see [definitions](../definitions.md).",
            "Objects that are nobody's on purpose can be given to a team that stands for all.",
        ),
        ends=("It is over an hour after the share is back under a tenth.",),
    ),
    Runbook(
        alert=m.UNCLASSIFIED,
        means=(
            "Of a week's failed builds more than a fifth could be put down neither to the platform nor to the code, so the platform success of CI is not to be trusted.",
        ),
        look=(
            '`platform_pipeline_runs_total` with `outcome="unknown"`, by system and team.',
            "The logs of some of these runs: what the last failing step said.",
        ),
        do=(
            "Let the source read jobs and logs: its credential may lack that right.",
            "Until then read the SLO with `unknown: bad` beside it: the truth lies between the two.",
        ),
        ends=("It is over when a week's share is under a fifth again.",),
    ),
    Runbook(
        alert=m.GONE,
        means=(
            "Prometheus had series of the exporter within a day and has none now, so nothing that it measures is known.",
        ),
        look=(
            "Prometheus, Status, Targets: what the scrape of the exporter answers.",
            "Whether its process runs, and the end of its log.",
        ),
        do=(
            "Start it again; it goes on where it stopped, and reads what came meanwhile.",
            "`platform-meter check` says whether configuration, store or port keep it from starting.",
        ),
        ends=("It is over with the first scrape that succeeds.",),
    ),
    Runbook(
        alert=m.CONFIG,
        means=(
            "The last load of the configuration, of the web configuration or of a definition found problems, so a replica runs on with what it had before.",
        ),
        look=(
            "`platform-meter check`: every problem, with its line.",
            "Which replica: `platform_meter_config_valid` by instance.",
        ),
        do=(
            "Mend what is named, and load anew: SIGHUP, or `POST /-/reload` as an admin; the web configuration is read anew by itself.",
            "If the change was not meant, undo it.",
        ),
        ends=("It is over when every replica has loaded a sound configuration.",),
    ),
    Runbook(
        alert=m.NEAR_CAP,
        means=(
            "The number of series is near its cap; past it new label values become `_other`, and sums stay right while details are lost.",
        ),
        look=("`platform_meter_series` by family: which one grows.", "What its newest label values are."),
        do=(
            "If they are rightly many: raise `caps` of the configuration, and look whether Prometheus can bear it.",
            "If a label holds what it should not, such as numbers: mend the definition or the source's settings.",
        ),
        ends=("It is over when the number is under 90 % of the cap for an hour.",),
    ),
    Runbook(
        alert=m.DROPPED,
        means=("Within a day label sets passed the cap of a family, and are counted only as `_other` or not at all.",),
        look=("The label `family` of the alert.", "`platform_meter_series` of that family against its cap."),
        do=(
            "Raise `caps.families` of the configuration for it, or name in `caps.keep` the values that must stay.",
            "Find out why it grew: see [NearSeriesCap](PlatformMeterNearSeriesCap.md).",
        ),
        ends=("It is over a day after the last one was dropped.",),
    ),
    Runbook(
        alert=m.SILENT,
        means=(
            "Instances of gateways, agents, proxies or controllers that are expected in a cluster have not been heard from for a quarter of an hour.",
            "They may serve all the same: nobody would see it if they did not.",
        ),
        look=(
            "The page Gateways and mesh of the exporter, or the dashboard: which kind, in which cluster, how many and since when.",
            "The instances themselves: whether they run, and how their log ends.",
            "Prometheus, Status, Targets: whether the scrape of what is silent fails, by network, name or certificate.",
        ),
        do=(
            "Start what does not run, or mend the way by which it is scraped.",
            "If fewer are meant to run, say so: `expected` under `instances` of the source, or the query that counts them; see [sources](../sources.md).",
        ),
        ends=("It is over when as many report as are expected.",),
    ),
    Runbook(
        alert=m.CERTIFICATE,
        means=(
            "The certificate that an endpoint serves ends in less than 14 days, or has ended, and nothing has renewed it.",
            "From its end on clients refuse to connect.",
        ),
        look=(
            "The label `target` of the alert, and that probe in the configuration: which host and port.",
            "What renews it: the log of cert-manager or of the ACME client, or the date in the calendar of who does it by hand.",
            "`openssl s_client -connect HOST:PORT -servername HOST`: what is served; a renewed one that was not loaded is not served.",
        ),
        do=(
            "Renew it, and have the server load it.",
            "If it is renewed by itself, mend why it was not: the next one will end too.",
        ),
        ends=("It is over with the first probe that sees a certificate with 14 days or more.",),
    ),
    Runbook(
        alert=m.UNMEASURED,
        means=(
            "EKS or GKE lists a cluster that no source of the exporter has read for a day, so nothing that runs there is in any number.",
        ),
        look=(
            "The labels of the alert: cloud, account, region and name.",
            "The page Sources of the exporter: whether a source is meant to read it and never could.",
        ),
        do=(
            "Add a source of the type `kubernetes` for it; see [sources](../sources.md).",
            "If it is nobody's, have it removed; if it need not be measured, silence this alert by its `name`.",
        ),
        ends=("It is over when a source has read the cluster, or when it is gone.",),
    ),
    Runbook(
        alert=m.AT_RISK,
        means=("Tickets of the highest priority are past their goal, or about to be.",),
        look=(
            "The page Support of the exporter: which clocks run, and how long they have left.",
            "The queue itself, by priority.",
        ),
        do=(
            "Take them first, or find who can.",
            "If a ticket has the wrong priority, or waits for its author, say so in the ticket: the clock follows.",
        ),
        ends=("It is over when each of them is answered or solved, or waits for somebody else.",),
    ),
    Runbook(
        alert=m.BACKLOG,
        means=("A tenth of the open tickets of a queue is older than twice what is usual there.",),
        look=(
            "The page Support of the exporter: what came in, what was solved, and what is open by age.",
            "The oldest tickets, one by one.",
        ),
        do=(
            "Close what nobody waits for any more.",
            "Take a day for the old ones; if more comes in than goes out, the queue needs more hands or fewer causes.",
        ),
        ends=("It is over when the age is back under twice its median of 28 days, which itself rises while it lasts.",),
    ),
    Runbook(
        alert=m.ADOPTION,
        means=("Of the units that could use a capability fewer do than 28 days ago, by more than ten points.",),
        look=(
            "The page Adoption of the exporter: who stopped, and when.",
            "Whether its source is read (Sources): a source that says less looks like users who leave.",
            "Whether many units are new: they count as soon as they could use it.",
        ),
        do=(
            "Ask those who stopped.",
            "If a definition was changed, the step is in the measure and not in the world: see [definitions](../definitions.md).",
        ),
        ends=("It is over when the share is less than ten points under that of 28 days before.",),
    ),
    Runbook(
        alert=m.GOAL,
        means=(
            "A capability will not reach its goal as things go: what is needed is above even the upper end of its forecast.",
            "Nine futures in ten stay below that end.",
        ),
        look=(
            "The page of the capability, under Adoption: the pace that is needed, the forecast, who moved.",
            "Cohorts there: whether few begin, or many begin and do not stay.",
        ),
        do=(
            "If few begin: find out what keeps those who are eligible and have not begun.",
            "If many leave: ask them, and mend that before anybody is invited again.",
            "If the goal was a guess: write down what is known now, and set another one.",
        ),
        ends=("It is over when the upper end of the forecast is at what is needed, or the goal's day is past.",),
    ),
)

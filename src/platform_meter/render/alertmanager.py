"""Plans -> one configuration of Alertmanager: who is told of which alert, and which alert says nothing new beside another.

It is whole, so Alertmanager starts on it and amtool can ask it, but its receivers tell nobody: how a team is reached is
written where its file is merged into the one that is in use.

Routes and rules go by the labels that no SLO file may change (`owner`, `level`, `slo`, `window`), never by `severity`,
which it may. Matchers are quoted as both of Alertmanager's parsers read them, the one up to 0.26 and the one since 0.27.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from platform_meter.model.generated import HEADER
from platform_meter.model.objective import StoredSli
from platform_meter.render.artifact import Artifact
from platform_meter.render.rules.meter_alerts import GONE
from platform_meter.render.rules.text import scalar
from platform_meter.slo import names
from platform_meter.slo.burnrate import Level
from platform_meter.slo.plan import BurnAlert, Plan

NAME = "alertmanager.yml"
"""How the file is called where nobody says otherwise."""
NOBODY = "platform-meter"
"""Stands where an owner would: for SLOs without one, and for alerts about the meter itself."""

_Pair = tuple[Level, str, str]
"""Of one level the window of a faster row, and that of a slower one."""

_TOP = """\
# Receivers here tell nobody. Merge this file into yours, and write there how each receiver is reached.
route:
  # Whatever no route below takes: SLOs without an owner, and what the meter says of itself.
  receiver: {receiver}
  # All rows of an SLO that make tickets are one message; that it has no data is another one.
  group_by: [alertname, slo, service]
  group_wait: 2m            # a page that explains the ticket has time to come first
  group_interval: 5m
  repeat_interval: 3d
"""

_OWNER = """\
    - matchers: [{matcher}]
      receiver: {receiver}
      routes:
"""

_PAGE = """\
- matchers: ['level="page"']
  receiver: {receiver}
  group_by: [slo, service, level]   # all rows of an SLO that page are one message
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 4h
"""

_TICKETS_BESIDE_A_PAGE = """\
  # While an SLO pages, that it burns over days as well is no news, and that its budget is spent can wait: the page says
  # what is left of it, and the ticket comes when the page is over. That it has no data, or counts that contradict, is
  # told: the page would end for want of data, and that would read as if all were well.
"""

_ROWS = """\
  # A faster row that fires says more than a slower one of the same SLO and level, and both go to the same people. When
  # the faster one is over and the slower one is not, the slower one is told.
"""

_METER_GONE = """\
  # Without the exporter no SLO that it counts has data: one message to whoever keeps it, and not one for each SLO.
  # SLOs that Prometheus counts have data without it, so they are not among these.
"""

_NO_MORE = """\
  # Nothing else is silenced. A spent budget stays spent for weeks, in which a ticket may tell of another fault; a slow
  # ticket may burn for weeks, and is no reason to miss that the budget is spent. Without data, windows that still have
  # some tell the truth. A source is down as soon as one of the things it reads is, which need not be what an SLO counts.
"""


def alertmanager(plans: Iterable[Plan], path: str = NAME) -> Artifact:
    """The configuration for the alerts of these SLOs and for those of no SLO.

    Args:
        plans: every SLO, in any order.
        path: the file's name.
    """
    known = sorted(plans, key=lambda plan: plan.slo)
    owners = sorted({plan.owner for plan in known if plan.owner})
    return Artifact(
        path=path, text=HEADER + "".join((*_routes(owners), "\n", *_inhibited(known), "\n", *_receivers(owners)))
    )


def receiver(owner: str, level: Level) -> str:
    """`platform-mesh-page`, `platform-mesh-ticket`; no two owners share one."""
    return f"{owner or NOBODY}-{level}"


def _routes(owners: Sequence[str]) -> Iterator[str]:
    """Under each owner a route for pages; what is no page stays on the owner's own route, whatever its level."""
    yield _TOP.format(receiver=scalar(receiver(NOBODY, Level.TICKET)))
    yield "  routes:\n"
    for owner in owners:
        yield _OWNER.format(matcher=_matcher("owner", "=", owner), receiver=scalar(receiver(owner, Level.TICKET)))
        yield _indented(_page(owner), 8)
    yield "    # Pages of SLOs without an owner.\n"
    yield _indented(_page(NOBODY), 4)


def _page(owner: str) -> str:
    return _PAGE.format(receiver=scalar(receiver(owner, Level.PAGE)))


def _inhibited(plans: Sequence[Plan]) -> Iterator[str]:
    """Rules by which one alert silences another; `slo!=""` of the source holds for the target too, since both are equal."""
    yield "inhibit_rules:\n"
    burn, some = _matcher("alertname", "=", names.BURN_ALERT), _matcher("slo", "!=", "")
    page, ticket = (_matcher("level", "=", level) for level in Level)
    follows = _matcher("alertname", "=~", f"{names.BURN_ALERT}|{names.BUDGET_ALERT}")
    yield _TICKETS_BESIDE_A_PAGE
    yield from _rule([burn, page, some], [follows, ticket], "slo")
    if pairs := faster(plans):
        yield _ROWS
    for level, fast, slow in pairs:
        of_level = _matcher("level", "=", level)
        # A row to which a file gives another severity may go to other people, and is no more of a piece with the first.
        yield from _rule(
            [burn, of_level, _matcher("window", "=", fast), some],
            [burn, of_level, _matcher("window", "=", slow)],
            "slo, severity",
        )
    if counted := [plan.slo for plan in plans if isinstance(plan.sli, StoredSli)]:
        yield _METER_GONE
        no_data = _matcher("alertname", "=", names.NO_DATA_ALERT)
        yield from _rule([_matcher("alertname", "=", GONE)], [no_data, _matcher("slo", "=~", "|".join(counted))])
    yield _NO_MORE


def _rule(source: Sequence[str], target: Sequence[str], equal: str = "") -> Iterator[str]:
    yield f"  - source_matchers: [{', '.join(source)}]\n"
    yield f"    target_matchers: [{', '.join(target)}]\n"
    if equal:
        yield f"    equal: [{equal}]\n"


def faster(plans: Iterable[Plan]) -> tuple[_Pair, ...]:
    """Windows of two rows of one level of which the first is shorter and has the higher factor, in every SLO with both.

    A rule knows windows and no factors, so a pair that is the other way round in some SLO is in none. The shorter comes
    first in each, so no two rows ever silence each other.
    """
    right, wrong = dict[_Pair, None](), set[_Pair]()
    for plan in plans:
        ordered = sorted(plan.alerts, key=lambda alert: (alert.level, alert.long.length))
        for one, other in combinations(ordered, 2):
            if one.level is not other.level:
                continue
            pair = (one.level, one.long.label, other.long.label)
            if _is_faster(one, other):
                right[pair] = None
            else:
                wrong.add(pair)
    return tuple(sorted(pair for pair in right if pair not in wrong))


def _is_faster(one: BurnAlert, other: BurnAlert) -> bool:
    return one.long.length < other.long.length and one.row.factor > other.row.factor


def _receivers(owners: Sequence[str]) -> Iterator[str]:
    yield "receivers:\n"
    for name in dict.fromkeys(receiver(owner, level) for owner in (NOBODY, *owners) for level in Level):
        yield f"  - name: {scalar(name)}\n"


_QUOTED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
"""What has to be escaped in a matcher. Other escapes are read in one way up to 0.26 and in another since."""


def _matcher(label: str, operator: str, value: str) -> str:
    """`'owner="team-shop"'`: a YAML scalar that holds a matcher."""
    text = f'{label}{operator}"{value.translate(_QUOTED)}"'
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else scalar(text)


def _indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}" for line in text.splitlines(keepends=True))

"""Compliance: who keeps to each standard, who does not and since when, who is exempt and until when."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from platform_meter.measures.adoption.standards import (
    JUDGED,
    Judged,
    Scorecard,
    Since,
    Verdict,
    scorecards,
    since,
    standards,
    what,
)
from platform_meter.measures.adoption.standing import telling
from platform_meter.measures.adoption.unmatched import unmatched
from platform_meter.model.catalogue.adoption import STANDARD_UNITS
from platform_meter.model.definitions import Adopted, Capability, Exempt, Unit
from platform_meter.web.charts import Chart, Series, Tone
from platform_meter.web.page import WebPage
from platform_meter.web.view import Tile, View, first_of, lacking, percent, whole

TREND_DAYS = 91
SHOWN = 100
"""Units in a list; the one that fails longest comes first."""
NAMED = 3
"""Objects that are named of one unit."""


class Row(NamedTuple):
    """One unit in a list."""

    unit: str
    team: str
    why: str
    since: str
    was_exempt: str
    """That it was left out once, where it is not any more."""


def page(view: View) -> Mapping[str, Any]:
    """Every standard, and how each team keeps to all of them."""
    declared = standards(view.definitions)
    cards = {card.capability.id: card for card in scorecards(view.scene, declared)}
    listed = any(j.verdict in {Verdict.FAILS, Verdict.UNKNOWN} for card in cards.values() for j in card.units.values())
    names = {row.id: row.name.partition(":")[2] for row in view.history.objects()} if listed else {}
    return {
        "standards": [_standard(view, one, cards.get(one.id), names) for one in declared],
        "titles": [one.title or one.id for one in declared],
        "teams": list(_teams([cards.get(one.id) for one in declared])),
        "shown": SHOWN,
    }


def _standard(view: View, one: Capability, card: Scorecard | None, names: Mapping[int, str]) -> Mapping[str, Any]:
    rows = {verdict: list[Row]() for verdict in Verdict}
    if card is not None:
        begun = since(view.scene, card)
        for unit in sorted(card.units, key=lambda unit: (begun[unit].day, unit)):
            rows[card.units[unit].verdict].append(_row(unit, card, begun[unit], names))
    return {
        "id": one.id,
        "title": one.title or one.id,
        "unit": one.unit.value,
        "owner": one.owner,
        "rule": _rule(one.adopted),
        "absence": "" if card else _absence(view, one),
        "unmatched": unmatched(one, view.history, view.now),
        "tiles": _tiles(view, one),
        "chart": _chart(view, one),
        "fails": rows[Verdict.FAILS][:SHOWN],
        "unknown": rows[Verdict.UNKNOWN][:SHOWN],
        "more": {verdict.value: max(0, len(found) - SHOWN) for verdict, found in rows.items()},
        "exempt": list(_exempt(view, one)),
        "no_team": one.unit is Unit.TEAM,
    }


def _absence(view: View, one: Capability) -> str:
    """Why nothing is known now; each source is named once, whatever it tells of."""
    states = sorted(telling(view.history, one.adopted), key=lambda s: not s.fresh)
    found = lacking(list({s.instance: s for s in states}.values()), "no configured source tells of it")
    return found or "not all that tells of it was read yet"


def _row(unit: str, card: Scorecard, begun: Since, names: Mapping[int, str]) -> Row:
    judged = card.units[unit]
    over = [e.until for e in card.capability.exempt if e.unit == unit] if judged.verdict is not Verdict.EXEMPT else []
    return Row(
        unit=unit,
        team=judged.team,
        why=_why(card.capability.adopted, judged, names),
        since=f"{begun.day:%d %b %Y}{' or earlier' if begun.or_earlier else ''}",
        was_exempt=f"was exempt until {max(over):%d %b %Y}" if over else "",
    )


def _why(by: Adopted, judged: Judged, names: Mapping[int, str]) -> str:
    """What keeps a unit from passing, or from being judged."""
    stock = judged.stock
    if by.every is None or (judged.verdict is Verdict.FAILS and not stock.asked - stock.counted):
        return f"{len(stock.counted)} {by.count}; at least {by.min:g} asked for"
    if judged.verdict is Verdict.FAILS:
        return f"{len(stock.asked - stock.counted)} of {len(stock.asked)}: {_named(stock.asked - stock.counted, names)}"
    if stock.untold:
        return f"no source tells of {_named(stock.untold, names)}"
    return f"no {by.every.count} that have stood for an hour"


def _named(objects: Collection[int], names: Mapping[int, str]) -> str:
    return first_of(sorted(names.get(one, "?") for one in objects), NAMED)


def _tiles(view: View, one: Capability) -> list[Tile]:
    """As `/metrics` says it."""
    n = {labels["state"]: v for labels, v in view.get(STANDARD_UNITS) if labels["capability"] == one.id}
    judged = sum(n.get(verdict, 0.0) for verdict in JUDGED)
    fails = n.get(Verdict.FAILS)
    return [
        Tile(
            name="Pass",
            value=percent(n[Verdict.PASSES] / judged if judged else None),
            more=f"{whole(n[Verdict.PASSES])} of {whole(judged)} {one.unit}s that could be judged" if n else "",
        ),
        Tile(name="Fail", value=whole(fails), more=f"{one.unit}s", level="bad" if fails else ""),
        Tile(name="Exempt", value=whole(n.get(Verdict.EXEMPT)), more="until a day that its file names"),
        Tile(name="Unknown", value=whole(n.get(Verdict.UNKNOWN)), more="nothing that could be judged"),
    ]


def _chart(view: View, one: Capability) -> Chart:
    days = view.days(TREND_DAYS)
    by_day = view.history.states_by_day(what(one.id), days[0], days[-1] + timedelta(days=1))
    tones = {Verdict.FAILS: Tone.BAD, Verdict.UNKNOWN: Tone.QUIET}
    return Chart(
        title=f"{one.unit.value.capitalize()}s by verdict",
        caption="How things stood at the end of each day; a day on which a source was stale is left out.",
        labels=tuple(f"{day:%d %b}" for day in by_day),
        series=tuple(
            Series(
                name=verdict.value,
                values=tuple(float(n.get(verdict, 0)) for n in by_day.values()),
                tone=tones.get(verdict),
            )
            for verdict in Verdict
        ),
        absence="The first day is kept once it is over and its sources were read.",
    )


def _exempt(view: View, one: Capability) -> Iterator[tuple[Exempt, str]]:
    """Exemptions that hold, the one that ends first before all others, with how long they have left."""
    today: date = view.days(1)[0]
    for exempt in sorted((e for e in one.exempt if e.until >= today), key=lambda e: (e.until, e.unit)):
        left = (exempt.until - today).days
        yield exempt, "today" if not left else f"{left} day{'s' if left > 1 else ''}"


def _rule(by: Adopted) -> str:
    """What passing is, in words."""
    if by.every is None:
        return f"Passes: at least {by.min:g} {by.count} in {by.source}{_such(by.select)}."
    least = f", and at least {by.min:g} of them" if by.min > 1 else ""
    all_ = f"all of its {by.every.count}{_such(by.every.select)}"
    return f"Passes: {all_} are among the {by.count} of {by.source}{_such(by.select)}{least}."


def _such(select: Mapping[str, tuple[str, ...]]) -> str:
    said = ", ".join(f"{name} {' or '.join(values)}" for name, values in select.items())
    return f" ({said})" if said else ""


def _teams(cards: Sequence[Scorecard | None]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """By team how many of its units pass each standard; empty where none of them could be judged."""
    judged = [card.teams() if card else {} for card in cards]
    for team in sorted({team for teams in judged for team in teams}):
        row: list[tuple[str, str]] = []
        for card, teams in zip(cards, judged, strict=True):
            verdicts = [card.units[unit].verdict for unit in teams.get(team, ())] if card else []
            passing = verdicts.count(Verdict.PASSES)
            level = "good" if passing == len(verdicts) else "bad"
            row.append((f"{passing} of {len(verdicts)}", level) if verdicts else ("", ""))
        yield team, row


PAGE = WebPage(path="/compliance", title="Compliance", place=3, template="compliance/compliance.html", fill=page)

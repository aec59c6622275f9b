"""When a burn alert holds: once as PromQL for Prometheus, once in Python for pages, side by side so that both say the same.

An alert begins when burn over both of its windows exceeds the factor F, with enough bad events behind it. An SLO may well
live at the factor 1 of the slow ticket, so that one has hysteresis (domain section 5): it stays until one of its windows
is clearly below F, which takes both

- a burn of at most 0.9 F over the long window, or 0.5 F over the short, noisier one;
- bad events that are significantly fewer than allowed, (allowed - bad)^2 / allowed: 1.5 standard deviations of a Poisson
  count in the long window, 3 in the short one, which is looked at more often. Where events are rare a short window is
  empty by chance, and one without events says nothing.

A page of few bad events (`burnrate.MANY`) that does not burn far beyond its factor needs two of them in its short window,
unless this holds too few events to tell: with even traffic it has bad_long / burn_long * burn_short * its share of the long
window.

n is not recorded for these windows and need not be: allowed = F * bad / burn in the long one, and with even traffic its
share of that in the short one.

At exactly the allowed error, simulated over 28 days and several seeds, the ticket comes 3 times or less, at 2 bad events
a month as at 2,592 in 3 days; with 0.9 and 0.5 alone it came up to 21 times. When it begins is the same.
"""

from __future__ import annotations

from platform_meter.slo.burnrate import BEYOND, CLEARS, CLEARS_SHORT, MANY, TWO
from platform_meter.slo.plan import BurnAlert
from platform_meter.slo.promql import number_text

_LONG_SURE = 1.5**2
"""(allowed - bad)^2 / allowed from which bad events of the long window are fewer than allowed, and not by chance."""
_SHORT_SURE = 3.0**2
"""The same for the short window, of which 28 days hold a hundred."""


def stays(alert: BurnAlert) -> bool:
    """Whether it has hysteresis."""
    return alert.row.factor <= 1


def condition(alert: BurnAlert, *, long: str, short: str, bad: str, fires: str) -> str:
    """PromQL of the alert.

    Args:
        alert: which one.
        long: burn over the long window.
        short: burn over the short window.
        bad: bad events in the long window.
        fires: something while the alert fires.
    """
    factor = alert.factor
    begins = (
        f"{long} > {factor}\nand ignoring (window) {short} > {factor}\nand ignoring (window) {bad} >= {alert.min_bad}"
    )
    if alert.tells_from is not None:
        counted = f"on (slo) {bad} / on (slo) {long}"
        begins += (
            f"\nand on (slo) ({bad} >= {MANY} or {counted} * on (slo) {short} > {number_text(_two(alert))}"
            f" or {counted} < {number_text(round(alert.tells_from, 9))} or {long} > {number_text(_beyond(alert))})"
        )
    if not stays(alert):
        return begins
    low, low_short = (number_text(round(alert.row.factor * share, 6)) for share in (CLEARS, CLEARS_SHORT))
    by_burn = f"on (slo) {bad} / on (slo) {long}"
    return (
        f"{begins}\n"
        f"or {long}\n"
        f"and on (slo) ({long} > {low} or ({factor} - {long}) ^ 2 * {by_burn} < {number_text(_LONG_SURE * alert.row.factor)})\n"
        f"and on (slo, window) {fires}\n"
        f"unless on (slo) ({short} <= {low_short}"
        f" and on (slo) ({factor} - {short}) ^ 2 * {by_burn} >= {number_text(_short_sure(alert))})"
    )


def holds(
    alert: BurnAlert, *, long: float | None, short: float | None, bad: float | None, fires: bool | None
) -> bool | None:
    """Whether it fires with these numbers; None where that hangs on something unknown.

    One that waits holds back until `condition` has held for long enough, which these numbers do not tell.

    Args:
        alert: which one.
        long: burn over the long window; None where it is absent.
        short: burn over the short window; None where it is absent.
        bad: bad events in the long window; None where nobody tells.
        fires: whether it fires already; None where nobody tells.
    """
    if bad is None:
        return None
    if long is None:
        return False
    factor = alert.row.factor
    if short is not None and min(long, short) > factor and bad >= alert.min_bad and _tells(alert, long, short, bad):
        return fires if alert.row.wait else True
    if not stays(alert) or long <= 0:
        return False
    by_burn = bad / long
    kept_long = long > factor * CLEARS or (factor - long) ** 2 * by_burn < _LONG_SURE * factor
    over = (
        short is not None and short <= factor * CLEARS_SHORT and (factor - short) ** 2 * by_burn >= _short_sure(alert)
    )
    return fires if kept_long and not over else False


def _tells(alert: BurnAlert, long: float, short: float, bad: float) -> bool:
    """Whether its bad events are many or far beyond the factor, or two lie in the short window, as far as that can tell."""
    if alert.tells_from is None or bad >= MANY or long > _beyond(alert):
        return True
    counted = bad / long
    return counted * short > _two(alert) or counted < alert.tells_from


def _beyond(alert: BurnAlert) -> float:
    return round(alert.row.factor * BEYOND, 6)


def _two(alert: BurnAlert) -> float:
    """Two bad events in the short window, rather than one, in terms of the long window."""
    return TWO * (alert.long.length / alert.short.length)


def _short_sure(alert: BurnAlert) -> float:
    """Its bound in terms of the long window, which allows so many times as many bad events."""
    return round(_SHORT_SURE * alert.row.factor * (alert.long.length / alert.short.length), 3)

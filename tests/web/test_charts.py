"""Charts whose axis does not begin at 0: shares near 1, budgets below 0."""

from __future__ import annotations

import re

from platform_meter.web.charts import Chart, Series, draw


def chart(*values: float | None, bottom: float, digits: int = 1) -> Chart:
    return Chart(
        title="t",
        caption="c",
        labels=tuple("abc"[: len(values)]),
        series=(Series(name="s", values=values),),
        percent=True,
        bottom=bottom,
        digits=digits,
    )


def heights(svg: str) -> list[float]:
    return [float(y) for y in re.findall(r'cy="([0-9.]+)"', svg)]


def axis(svg: str) -> list[str]:
    return re.findall(r'text-anchor="end">([^<]+)<', svg)


def test_a_share_near_one_uses_the_whole_height() -> None:
    """From 98 % to 100 %: 99 % stands in the middle, and the axis says so."""
    svg = str(draw(chart(0.98, 0.99, 1.0, bottom=0.98)))
    assert axis(svg) == ["98 %", "98.5 %", "99 %", "99.5 %", "100 %"]
    assert heights(svg) == [194.0, 102.0, 10.0]


def test_what_is_below_zero_stands_below_zero() -> None:
    """An overspent budget: the axis begins at -100 %, and 0 is in its middle."""
    svg = str(draw(chart(-1.0, 0.0, None, bottom=-1.0)))
    assert axis(svg) == ["-100 %", "-50 %", "0 %", "50 %", "100 %"]
    assert heights(svg) == [194.0, 102.0]


def test_the_table_has_the_decimals_that_are_asked_for() -> None:
    """99.95 % is not 100.0 %."""
    assert chart(0.9996, bottom=0.0).text(0.9996) == "100.0 %"
    assert chart(0.9995, bottom=0.0, digits=3).text(0.9995) == "99.950 %"

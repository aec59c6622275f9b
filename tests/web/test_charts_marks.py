"""A chart's drawing, its table and its legend are three views of one value: what is drawn is what is said."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.company import tables

from platform_meter.web.app import environment
from platform_meter.web.charts import HEIGHT, WIDTH, Chart, Form, Mark, Series, Tone, axis, draw, legend

TOP, FLOOR = 10.0, 194.0
"""Heights of the highest and the lowest line of the grid."""
Values = tuple[float | None, ...]


def chart(*series: Values, form: Form = Form.LINES, running: bool = False, title: str = "Runs") -> Chart:
    count = len(series[0]) if series else 0
    return Chart(
        title=title,
        caption="By day.",
        labels=tuple(f"{n + 1} Jun" for n in range(count)),
        series=tuple(Series(name=f"s{n}", values=values) for n, values in enumerate(series)),
        form=form,
        running=running,
    )


def parsed(drawn: Chart) -> ET.Element:
    """The drawing, which is well-formed XML, or this fails."""
    return ET.fromstring(str(draw(drawn)))  # noqa: S314 - our own


def marks(drawn: Chart, tag: str) -> list[ET.Element]:
    return list(parsed(drawn).iter(tag))


def tips(drawn: Chart, tag: str) -> list[str]:
    return [mark.findtext("title") or "" for mark in marks(drawn, tag)]


def test_a_missing_value_leaves_a_hole() -> None:
    """The line is broken there, no mark stands for it, and the table says a dash: never 0."""
    broken = chart((1.0, 2.0, None, 4.0, 3.0, None, 5.0))
    assert [len((line.get("points") or "").split()) for line in marks(broken, "polyline")] == [2, 2]
    assert tips(broken, "circle") == ["1 Jun: s0 1", "2 Jun: s0 2", "4 Jun: s0 4", "5 Jun: s0 3", "7 Jun: s0 5"]
    assert broken.text(None) == "–"
    heights = [float(mark.get("cy") or 0) for mark in marks(broken, "circle")]
    assert heights == [157.2, 120.4, 46.8, 83.6, 10.0]


def test_bars_stand_on_each_other() -> None:
    """Heights are the values' shares of the axis, each bar begins where the one below ends; 0 and None draw nothing."""
    stacked = chart((2.0, 0.0, None), (3.0, 4.0, 10.0), form=Form.BARS)
    found = [
        (float(bar.get("x") or 0), float(bar.get("y") or 0), float(bar.get("height") or 0), bar.get("class"))
        for bar in marks(stacked, "rect")
    ]
    first, second, third = sorted({x for x, *_ in found})
    assert found == [
        (first, 157.2, 36.8, "c0"),
        (first, 102.0, 55.2, "c1"),
        (second, 120.4, 73.6, "c1"),
        (third, TOP, 184.0, "c1"),
    ]
    assert tips(stacked, "rect") == ["1 Jun: s0 2", "1 Jun: s1 3", "2 Jun: s1 4", "3 Jun: s1 10"]


@given(st.lists(st.tuples(*[st.none() | st.floats(0, 1e6)] * 2), min_size=1, max_size=30))
def test_bars_add_up_to_the_stack_and_stay_in_the_picture(days: list[tuple[float | None, float | None]]) -> None:
    """Whatever the values: the bars of a day together are as high as their sum, to a tenth of a pixel each."""
    stacked = chart(tuple(a for a, _ in days), tuple(b for _, b in days), form=Form.BARS)
    sums = [(a or 0) + (b or 0) for a, b in days]
    top = axis(stacked).values[-1]
    by_day: dict[str, float] = {}
    for bar in marks(stacked, "rect"):
        day = (bar.findtext("title") or "").partition(":")[0]
        by_day[day] = by_day.get(day, 0.0) + float(bar.get("height") or 0)
        assert TOP - 0.05 <= float(bar.get("y") or 0) <= FLOOR + 0.05
        assert 0 < float(bar.get("x") or 0) < WIDTH
    for label, total in zip(stacked.labels, sums, strict=True):
        assert by_day.get(label, 0.0) == pytest.approx(184 * total / top, abs=0.21)


def test_what_people_named_is_text() -> None:
    """Titles, labels and series may hold markup; it is shown, and makes no element and no attribute."""
    evil = '<script>"&'
    drawn = Chart(title=evil, caption="", labels=(evil,), series=(Series(name=evil, values=(1.0,)),), form=Form.BARS)
    for form in Form:
        root = parsed(replace(drawn, form=form))
        assert {element.tag for element in root.iter()} <= {"svg", "title", "line", "text", "rect", "circle"}
        assert (root.get("aria-label"), root.findtext("title")) == (evil, evil)
    assert tips(drawn, "rect") == [f"{evil}: {evil} 1"]


def test_the_table_and_the_legend_say_what_is_drawn() -> None:
    """The figure on a page: the table has the texts of the tooltips, the legend the colours of the marks."""
    drawn = chart((1234.0, None), (0.5, 2.0))
    template = environment().from_string('{% import "parts.html" as parts with context %}{{ parts.figure(chart) }}')
    html = template.render(chart=drawn)
    found = tables(html)["Runs"]
    assert found.columns == ("", "s0", "s1")
    assert found.rows == (("1 Jun", "1,234", "0.50"), ("2 Jun", "–", "2"))
    said = {f"{label}: {name} {cell}" for (label, name), cell in found.cells().items() if cell != "–"}
    assert set(tips(drawn, "circle")) == said
    assert legend(drawn) == [("c0", "s0"), ("c1", "s1")]
    assert "<figcaption>By day.</figcaption>" in html
    assert unescape(html).count("No data yet.") == 0


def test_without_a_number_nothing_is_drawn_but_said() -> None:
    """Axes around nothing would look like zeros; the caption stays."""
    empty = chart((None, None))
    assert (empty.empty, chart().empty, chart((0.0,)).empty) == (True, True, False)
    template = environment().from_string('{% import "parts.html" as parts with context %}{{ parts.figure(chart) }}')
    html = template.render(chart=empty)
    assert "No data yet." in html
    assert "<svg" not in html


def test_few_labels_stand_below_many_values() -> None:
    """At most eight of them, evenly, the first among them; a phone leaves out every second."""
    many = chart((1.0,) * 91)
    below = [mark for mark in marks(many, "text") if mark.get("text-anchor") == "middle"]
    assert [mark.text for mark in below] == [f"{n} Jun" for n in range(1, 92, 12)]
    assert [mark.get("class") for mark in below] == ["axis", "axis some"] * 4
    few = [mark for mark in marks(chart((1.0,) * 4), "text") if mark.get("text-anchor") == "middle"]
    assert [mark.get("class") for mark in few] == ["axis"] * 4


def test_a_tone_means_the_same_in_every_chart() -> None:
    """It takes no colour from the others, which begin again after eight; drawing and legend agree."""
    tones = [None, Tone.BAD, *[None] * 8, Tone.QUIET]
    drawn = Chart(
        title="t",
        caption="",
        labels=("a",),
        series=tuple(Series(name=str(n), values=(1.0,), tone=tone) for n, tone in enumerate(tones)),
        form=Form.BARS,
    )
    expected = ["c0", "cbad", *(f"c{n}" for n in range(1, 8)), "c0", "cquiet"]
    assert [colour for colour, _ in legend(drawn)] == expected
    assert [bar.get("class") for bar in marks(drawn, "rect")] == expected


def test_the_running_period_is_drawn_apart() -> None:
    """Its bar, its point and the line to it are marked, and its tooltip says so; a full period is not."""
    counted = ((5.0, 6.0, 1.0), (5.0, None, 2.0))
    lines = chart(*counted, running=True)
    assert [(line.get("class"), len((line.get("points") or "").split())) for line in marks(lines, "polyline")] == [
        ("l0", 2),
        ("l0 part", 2),
    ]
    assert [mark.get("class") for mark in marks(lines, "circle")] == ["c0", "c0", "c0 part", "c1", "c1 part"]
    assert tips(lines, "circle")[1:3] == ["2 Jun: s0 6", "3 Jun so far: s0 1"]
    bars = chart(*counted, running=True, form=Form.BARS)
    assert [mark.get("class") for mark in marks(bars, "rect")] == ["c0", "c0", "c0 part", "c1", "c1 part"]
    assert "part" not in str(draw(chart(*counted)))


def test_points_of_a_crowded_line_wait_for_the_pointer() -> None:
    """But one between two holes has no line to be seen by."""
    crowded = chart((1.0,) * 50 + (None, 2.0, None) + (1.0,) * 5)
    classes = {
        tip: mark.get("class") for mark, tip in zip(marks(crowded, "circle"), tips(crowded, "circle"), strict=True)
    }
    assert classes.pop("52 Jun: s0 2") == "c0"
    assert set(classes.values()) == {"c0 dot"}


def test_long_numbers_have_room() -> None:
    """The plot begins behind the longest number of the axis, in the letters of a phone."""
    for highest, least in ((9.0, 30), (900_000.0, 80), (9_000_000_000.0, 140)):
        (line, *_) = marks(chart((highest,)), "line")
        assert least < float(line.get("x1") or 0) < WIDTH / 2


def test_every_series_has_a_value_for_every_label() -> None:
    """A chart that would draw values under other labels is a bug, and says so."""
    with pytest.raises(ValueError, match=re.escape("Runs: s has 1 values for 2 labels")):
        Chart(title="Runs", caption="", labels=("a", "b"), series=(Series(name="s", values=(1.0,)),))


@pytest.mark.parametrize(
    ("value", "said"), [(0.0, "0"), (12.0, "12"), (1234567.0, "1,234,567"), (2.345, "2.35"), (-3.0, "-3")]
)
def test_numbers_in_the_table(value: float, said: str) -> None:
    """Whole numbers as such, others with two decimals."""
    assert chart((1.0,)).text(value) == said


def test_the_drawing_has_its_size() -> None:
    """The page scales it; its parts are in these units."""
    assert f'viewBox="0 0 {WIDTH} {HEIGHT}"' in str(draw(chart((1.0,))))


def test_what_happened_is_marked_once_a_period_and_kind() -> None:
    """What is bad hangs from the top, the rest stands on the axis, in the middle of its period; each names all of its kind."""
    told = (Mark(place=1, text="1.4"), Mark(place=1, text="1.5"), Mark(place=1, text="<#7>", bad=True))
    drawn = replace(chart((1.0, 2.0, 3.0, 4.0)), marks=told)
    found = [(mark.get("class"), mark.findtext("title"), mark.get("points")) for mark in marks(drawn, "polygon")]
    middle = next(
        mark.get("cx") for mark in marks(drawn, "circle") if (mark.findtext("title") or "").startswith("2 Jun")
    )
    assert middle == "213.5"
    assert found == [
        ("c2", "2 Jun: 1.4; 1.5", "208.5,194 218.5,194 213.5,186"),
        ("cbad", "2 Jun: <#7>", "208.5,10 218.5,10 213.5,18"),
    ]

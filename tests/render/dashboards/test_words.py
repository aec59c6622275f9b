"""People's texts in a text panel read as they were written."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from tests.support.our_slos import our_plans

from platform_meter.render.dashboards import dashboards
from platform_meter.render.dashboards.words import html_table, words

NASTY = st.text(max_size=40) | st.lists(
    st.sampled_from(['"', "\\", "\n", "{{", "}}", "$slo", "${slo}", "[[slo]]", "<b>", "&amp;", "'", "ü", "𝄞"]),
    max_size=6,
).map("".join)


class _Cells(HTMLParser):
    """Texts of the cells of a table, and where links lead."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.cells: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"td", "th"}:
            self.cells.append("")
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        if self.cells and data != "\n":
            self.cells[-1] += data.replace("\0", "\ufffd")  # as browsers do; of Python's parsers only newer ones


def read(html: str) -> _Cells:
    parser = _Cells()
    parser.feed(html)
    parser.close()
    return parser


def once(text: str) -> str:
    return " ".join(text.split())


@given(st.lists(NASTY, min_size=1, max_size=4))
def test_cells_read_as_written(texts: list[str]) -> None:
    """Whatever people write is shown as text: no tag of theirs, and no variable for Grafana to fill in."""
    html = html_table(["head"], [texts])
    visible = [once(t).replace("\0", "\ufffd") for t in texts]
    assert [once(c) for c in read(html).cells[1:]] == [once(v) for v in visible]
    assert re.search(r"\$\w|\$\{|\[\[", html) is None


@given(name=NASTY, description=NASTY, runbook=NASTY)
def test_any_text_of_an_slo_gives_sound_dashboards(name: str, description: str, runbook: str) -> None:
    """Display name, description and runbook arrive in the detail's last panel; the file stays JSON."""
    plan = dataclasses.replace(our_plans()[0], display=name, description=description, runbook=runbook)
    (detail,) = (json.loads(a.text) for a in dashboards([plan]) if a.path == "pm-slo-detail.json")
    cells = read(detail["panels"][-1]["options"]["content"]).cells[6:]
    expected = [plan.slo, name, description, "99.9", "28d", runbook]
    assert [once(c) for c in cells] == [once(once(e).replace("\0", "\ufffd")) for e in expected]


def test_a_web_address_becomes_a_link() -> None:
    """An address of the web leads there; a path, another scheme or a broken address stays text."""
    row = ["https://wiki.example/run?a=1&b=2", "runbooks/ci.md", "javascript:alert(1)", "http://[broken"]
    found = read(html_table([], [row]))
    assert found.links == ["https://wiki.example/run?a=1&b=2"]
    assert found.cells == row


def test_the_form_of_escaped_text() -> None:
    """Signs that HTML or Grafana reads become character references."""
    assert words('<b> "$slo" [[x]]\n&') == "&lt;b&gt; &quot;&#36;slo&quot; &#91;&#91;x&#93;&#93; &amp;"

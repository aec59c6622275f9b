"""Runbook pages: one for each alert that is shipped, and true in what they name."""

from __future__ import annotations

import re

import pytest
from tests.support.places import DOCS
from tests.support.slos import RATIO, planned

from platform_meter.model import catalogue
from platform_meter.render.rules import groups
from platform_meter.render.rules.meter_alerts import meter_alerts
from platform_meter.render.runbooks import RUNBOOKS, runbooks
from platform_meter.slo import names

ALERTS = {rule.alert for group in groups(planned(RATIO)) for rule in group.rules if rule.alert}
ALERTS |= set(re.findall(r"- alert: (\w+)", meter_alerts().text))
PAGES = {page.path: page.text for page in runbooks()}


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    """Both ways, in what is made and in what stands in the folder."""
    assert len(ALERTS) >= 15
    assert [one.alert for one in RUNBOOKS if one.alert not in ALERTS] == []
    assert {f"{alert}.md" for alert in ALERTS} == set(PAGES) == {path.name for path in (DOCS / "runbooks").iterdir()}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_what_where_and_what_to_do(path: str) -> None:
    """Its four parts in their order, a sentence a line, and every metric is one that we write."""
    text = PAGES[path]
    assert re.findall(r"^#+ (.+)$", text, re.MULTILINE) == [path[:-3], "Look first", "Then do", "When it ends"]
    assert [line for line in text.splitlines() if re.search(r"[.!?] [A-Z]", line[3:])] == []
    known = {*catalogue.ALL, names.COVERAGE}
    assert set(re.findall(r"`((?:platform_|slo:)[a-z_:]+)`", text)) <= known


def test_links_lead_to_pages_that_are_there() -> None:
    """Relative links, from the folder in which the pages stand."""
    for text in PAGES.values():
        for target in re.findall(r"\]\(([^)]+)\)", text):
            assert (DOCS / "runbooks" / target).is_file(), target

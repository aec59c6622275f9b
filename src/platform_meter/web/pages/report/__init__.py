"""The weekly report as a page: the last week that is over, and a page for each earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from platform_meter.model.weeks import Week, last_whole, parse_week
from platform_meter.runtime.reporting import sent
from platform_meter.web.page import Detail, WebPage
from platform_meter.web.report import Reports
from platform_meter.web.report.content import plain
from platform_meter.web.view import View

_EARLIER = 8
"""Weeks that are named."""


def page(view: View) -> Mapping[str, Any]:
    return _shown(view, last_whole(view.now, view.zone))


def detail(view: View, name: str) -> Mapping[str, Any] | None:
    """Of a week by its label or one of its days; None for what is none, or is not over."""
    try:
        return _shown(view, parse_week(name))
    except ValueError:
        return None


def _shown(view: View, week: Week) -> Mapping[str, Any]:
    last = last_whole(view.now, view.zone)
    return {
        "report": view.kept.of(Reports).of(view.scene, week, plans=view.plans, records=view.records),
        "weeks": [last.back(n).label for n in range(_EARLIER)],
        "plain": plain,
        "unsent": [(way, one.error) for way, one in sorted(sent(view.history).items()) if one.error],
    }


PAGE = WebPage(
    path="/report",
    title="Report",
    place=15,
    template="report/report.html",
    fill=page,
    detail=Detail(template="report/report.html", fill=detail),
)

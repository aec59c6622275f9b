"""`docs/runbooks`: a page for every alert that is shipped, which says what it means, where to look and what to do."""

from __future__ import annotations

from platform_meter.render.artifact import Artifact
from platform_meter.render.runbooks.meter import METER
from platform_meter.render.runbooks.runbook import Runbook
from platform_meter.render.runbooks.slos import SLOS

RUNBOOKS = (*SLOS, *METER)


def runbooks() -> list[Artifact]:
    """`<alert>.md` for each alert."""
    return [Artifact(path=f"{one.alert}.md", text=page(one)) for one in RUNBOOKS]


def page(one: Runbook) -> str:
    """The page of one alert, a sentence a line."""
    lines = [f"# {one.alert}", "", *one.means, "", "## Look first", ""]
    lines += [f"{n}. {text}" for n, text in enumerate(one.look, 1)]
    lines += ["", "## Then do", "", *(f"- {text}" for text in one.do), "", "## When it ends", "", *one.ends, ""]
    lines += ["All alerts: [alerting](../alerting.md)."]
    return "\n".join(lines) + "\n"

"""The Report page: the last week that is over, and earlier ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.support.history import MemoryHistory, owner, source
from tests.support.tickets import created, ticketing
from tests.support.views import html, site, tables, view
from werkzeug.test import Client

from platform_meter.model.definitions import Definitions
from platform_meter.model.kept import Fold
from platform_meter.web.app import make_app
from platform_meter.web.pages.report import PAGE
from platform_meter.web.view import View

NOW = datetime(2026, 7, 6, 8, tzinfo=UTC)


def seen(now: datetime = NOW, category: str = "<ci> | {{ x }}") -> View:
    told = [("jira", owner("help"), created(NOW - timedelta(days=3), category=category))]
    history = MemoryHistory(told, sources=[source("jira", watermark=NOW)])
    return view(now, history, definitions=Definitions(ticketing=(ticketing(),)))


def test_the_last_week_that_is_over() -> None:
    """Its days, its sections with their tables, and links to the weeks before; a name stays text."""
    text = html(seen(), PAGE.path)
    assert "Monday 29 June 2026 to Sunday 05 July 2026, in UTC" in text
    assert '<strong>2026-W27</strong> · <a href="/report/2026-W26">2026-W26</a>' in text
    assert "<th>&lt;ci&gt; | {{ x }}</th><td>1</td>" in text
    assert ("<ci> | {{ x }}", "1", "0 (+1)", "0.0") in tables(seen(), PAGE.path)["Tickets"].rows


def test_an_earlier_week_has_a_page() -> None:
    """By its label or one of its days; what is no week, or is not over, has none."""
    client = Client(make_app(site(seen())))
    assert "Monday 22 June 2026" in client.get("/report/2026-W26").text
    assert "Monday 22 June 2026" in client.get("/report/2026-06-24").text
    assert {client.get(f"/report/{name}").status_code for name in ("2026-W28", "soon", "2026-W60")} == {404}


def test_a_report_is_made_anew_once_an_hour() -> None:
    """A page that is loaded again within the hour costs nothing: it shows what was made."""
    first = seen()
    made = html(first, PAGE.path)
    again = replace(first, now=NOW + timedelta(minutes=59))
    later = replace(first, now=NOW + timedelta(minutes=60))
    assert "Made on 06 July 2026 at 08:00" in made
    assert "Made on 06 July 2026 at 08:00" in html(again, PAGE.path)
    assert "Made on 06 July 2026 at 09:00" in html(later, PAGE.path)


def test_a_report_that_was_not_sent_is_told() -> None:
    """Why, to whoever looks at the page."""
    shown = seen()
    assert isinstance(shown.history, MemoryHistory)
    body = b'{"chat": {"week": "2026-W26", "error": "it said <no>"}, "mail": {"week": "2026-W27", "error": ""}}'
    shown.history.folds["report"] = Fold(made_under="", body=body)
    text = html(shown, PAGE.path)
    assert "The last report was not sent by chat yet, and is tried again: it said &lt;no&gt;" in text
    assert "sent by mail" not in text

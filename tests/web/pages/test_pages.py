"""Pages are found: a folder is all it takes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.support.added import added
from tests.support.views import site, view
from werkzeug.test import Client

from platform_meter.web.app import make_app
from platform_meter.web.pages import pages

WEATHER = {
    "weather/__init__.py": """
from platform_meter.web.page import Detail, WebPage

def _of(view, town):
    return {"town": town} if town == "bonn" else None

PAGE = WebPage(
    path="/weather", title="Weather", place=1, template="weather/weather.html",
    fill=lambda view: {"year": view.now.year}, detail=Detail(template="weather/town.html", fill=_of),
)
""",
    "weather/weather.html": '{% extends "base.html" %}{% block content %}<p>Sun in {{ year }}</p>{% endblock %}',
    "weather/town.html": '{% extends "base.html" %}{% block content %}<p>Rain in {{ town }}</p>{% endblock %}',
}


def test_the_navigation_is_in_order_of_place() -> None:
    """No two pages claim one place or one address."""
    places = [page.place for page in pages()]
    assert places == sorted(set(places))
    assert len({page.path for page in pages()}) == len(places)


def test_an_added_page_is_there(tmp_path: Path) -> None:
    """An invented folder with its templates is served, stands in the navigation and has pages of single things."""
    pages.cache_clear()
    try:
        with added("platform_meter.web.pages", WEATHER, tmp_path):
            client = Client(make_app(site(view(datetime(2026, 6, 10, tzinfo=UTC)))))
            shown = client.get("/weather").text
            town, other = client.get("/weather/bonn"), client.get("/weather/nowhere")
            overview = client.get("/").text
    finally:
        pages.cache_clear()
    assert "<h1>Weather</h1>" in shown
    assert "<p>Sun in 2026</p>" in shown
    assert "<p>Rain in bonn</p>" in town.text
    assert other.status_code == 404
    assert '<a href="/weather">Weather</a>' in overview
    assert "weather" not in {page.path.strip("/") for page in pages()}

"""Every page in headless Chromium: wide and narrow, scripts on and off, light and dark, and nothing from other hosts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright
from tests.support.company import Running

from platform_meter.runtime.server.httpd import Server
from platform_meter.web.app import make_app
from platform_meter.web.pages import pages
from platform_meter.web.site import make_site

TITLES = {page.path: page.title for page in pages()}
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, NARROW = (1280, 900), (390, 844)
SEED = 1
CONTENT = {
    "/": ("Pipeline runs by outcome", "Continuous integration", "Sources up"),
    "/adoption": ("Continuous delivery", "mandated", "Teams and capabilities"),
    "/ci": ("Platform success", "What failed", "platform_step"),
    "/journeys": ("Monitoring by template", "Drop-off", "again"),
    "/compliance": ("Golden base image", "Exempt", "Teams and standards"),
    "/clusters": ("Clusters that are read", "Without owner", "eu"),
    "/gateways": ("What fails", "With mutual TLS", "Instances that should report"),
    "/support": ("platform-support", "Tickets created by category", "first response"),
    "/delivery": ("Change failure", "platform-ci", "nobody is ranked"),
    "/satisfaction": ("How do you like the platform?", "of 58 invited", "Hidden, of fewer than 5 people"),
    "/portal": ("Catalog", "Templates", "add-monitoring"),
    "/report": ("Before you read this", "What changed beyond noise", "SLOs", "Adoption", "Tickets"),
    "/roadmap": ("Most asked and not planned", "Pain points"),
    "/impact": ("Larger agents on Jenkins", "no clear change", "64 of 120"),
    "/promises": ("First answers in time", "per quarter, Europe/Berlin", "Left to miss"),
    "/slos": ("All SLOs",),
    "/sources": ("cluster-eu", "github", "Ownership"),
    "/teams": ("platform-ci", "1 of 1 mandated", "nobody is ranked"),
}
"""Words that stand on each page."""


@pytest.fixture(scope="module")
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server with the pages of an imported company."""
    running: Running = request.getfixturevalue("imported")
    with Server(make_app(make_site(lambda: running.service, list)), "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the screenshots go."""
    return tmp_path_factory.mktemp("screenshots")


@dataclass
class Seen:
    """What a page did that it must not."""

    said: list[str] = field(default_factory=list)
    """Console messages and uncaught errors."""
    elsewhere: list[str] = field(default_factory=list)
    """Addresses of other hosts that it asked for."""


def watch(page: Page, address: str) -> Seen:
    seen = Seen()

    def route(one: Route) -> None:
        if one.request.url.startswith(f"{address}/"):
            one.continue_()
        else:
            seen.elsewhere.append(one.request.url)
            one.abort()

    page.route("**/*", route)
    page.on("console", lambda message: seen.said.append(message.text))
    page.on("pageerror", lambda error: seen.said.append(str(error)))
    page.on("requestfailed", lambda request: seen.said.append(f"failed: {request.url}"))
    return seen


@contextmanager
def visit(
    browser: Browser, address: str, path: str, size: tuple[int, int], *, scripts: bool
) -> Iterator[tuple[Page, Seen]]:
    """A page that was answered with 200, and what it did that it must not."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, java_script_enabled=scripts)
    try:
        page = context.new_page()
        seen = watch(page, address)
        answer = page.goto(f"{address}{path}", wait_until="load")
        assert answer is not None
        assert answer.status == 200
        yield page, seen
    finally:
        context.close()


@pytest.mark.parametrize("imported", [SEED], indirect=True, ids=["seed1"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("path", sorted(TITLES))
def test_page(
    browser: Browser, imported: Running, address: str, folder: Path, path: str, size: tuple[int, int], scripts: bool
) -> None:
    """The content stands there, the body never scrolls sideways, the console is empty, and no other host is asked."""
    del imported
    width, _ = size
    with visit(browser, address, path, size, scripts=scripts) as (page, seen):
        text = page.inner_text("main")
        name = TITLES[path].lower()
        page.screenshot(path=folder / f"{name}-{width}{'' if scripts else '-noscript'}.png", full_page=True)
        for words in CONTENT[path]:
            assert words.lower() in text.lower()
        assert page.locator("nav a[aria-current]").inner_text() == TITLES[path]
        assert seen == Seen()
        # Seen without scripts too: the browser's own measure of the whole page.
        shot = page.screenshot(full_page=True)
        assert int.from_bytes(shot[16:20], "big") == width


@pytest.mark.parametrize("imported", [SEED], indirect=True, ids=["seed1"])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("slo", ["ci-platform-success", "cluster-api-eu", "requests-availability"])
def test_slo_detail(
    browser: Browser, imported: Running, address: str, folder: Path, slo: str, size: tuple[int, int], scripts: bool
) -> None:
    """So it is with the page of one SLO: over events, over slices, and one that only Prometheus counts."""
    del imported
    width, _ = size
    with visit(browser, address, f"/slos/{slo}", size, scripts=scripts) as (page, seen):
        text = page.inner_text("main").lower()
        assert all(words in text for words in (slo, "budget left", "alerts", "windows"))
        shot = page.screenshot(path=folder / f"{slo}-{width}.png", full_page=True)
        assert int.from_bytes(shot[16:20], "big") == width
        assert seen == Seen()


@pytest.mark.parametrize("imported", [SEED], indirect=True, ids=["seed1"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/clusters/eu", ("whose workloads", "what covers the workloads")),
        ("/gateways/kong", ("whose routes", "plugins")),
    ],
)
def test_detail(
    browser: Browser,
    imported: Running,
    address: str,
    folder: Path,
    path: str,
    said: tuple[str, ...],
    size: tuple[int, int],
) -> None:
    """And with the page of one cluster, and of one gateway."""
    del imported
    with visit(browser, address, path, size, scripts=False) as (page, seen):
        text = page.inner_text("main").lower()
        assert all(words in text for words in said)
        shot = page.screenshot(path=folder / f"{path.rpartition('/')[2]}-{size[0]}.png", full_page=True)
        assert int.from_bytes(shot[16:20], "big") == size[0]
        assert seen == Seen()


@pytest.mark.parametrize("imported", [SEED], indirect=True, ids=["seed1"])
@pytest.mark.parametrize("path", sorted(TITLES))
def test_dark(browser: Browser, imported: Running, address: str, folder: Path, path: str) -> None:
    """Who likes it dark gets light text on a dark ground; small print keeps a contrast of 4.5 to 1 in either mode."""
    del imported
    grounds = {}
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
        try:
            page = context.new_page()
            seen = watch(page, address)
            page.goto(f"{address}{path}", wait_until="load")
            page.screenshot(path=folder / f"{TITLES[path].lower()}-{scheme}.png", full_page=True)
            colours = page.evaluate(
                "() => { const s = getComputedStyle(document.body), n = getComputedStyle(document.querySelector('footer'));"
                " return [s.backgroundColor, s.color, n.color]; }"
            )
            ground, ink, soft = (luminance(colour) for colour in colours)
            grounds[scheme] = ground
            assert contrast(ground, ink) > 7
            assert contrast(ground, soft) > 4.5
            assert seen == Seen()
        finally:
            context.close()
    assert grounds["dark"] < 0.05
    assert grounds["light"] > 0.8


def luminance(colour: str) -> float:
    """Relative luminance of `rgb(r, g, b)` (WCAG 2)."""
    parts = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: float, other: float) -> float:
    high, low = max(one, other), min(one, other)
    return (high + 0.05) / (low + 0.05)


CHARTS = """() => [...document.querySelectorAll('svg.chart')].map(svg => {
    const box = svg.getBoundingClientRect();
    const of = text => {
        const at = text.getBoundingClientRect();
        return {said: text.textContent, end: text.getAttribute('text-anchor') === 'end',
                size: parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a,
                left: at.left - box.left, right: at.right - box.left, top: at.top - box.top, bottom: at.bottom - box.top};
    };
    const shown = [...svg.querySelectorAll('text')].filter(text => getComputedStyle(text).display !== 'none');
    return {title: svg.querySelector('title').textContent, width: box.width, texts: shown.map(of)};
})"""
"""Every chart with what is written in it, in pixels."""


@pytest.mark.parametrize("imported", [SEED], indirect=True, ids=["seed1"])
@pytest.mark.parametrize("path", ["/", "/adoption", "/support", "/slos/ci-platform-success"])
def test_charts_can_be_read(browser: Browser, imported: Running, address: str, path: str) -> None:
    """However wide the page: letters of 10 pixels at least and 20 at most, none cut off, none over another."""
    del imported
    with visit(browser, address, path, WIDE, scripts=True) as (page, _):
        for width in (WIDE[0], 1060, 900, 600, NARROW[0], 360):
            page.set_viewport_size({"width": width, "height": 900})
            readable(page.evaluate(CHARTS))


def readable(charts: list[dict[str, Any]]) -> None:
    assert charts
    for chart in charts:
        numbers = [text for text in chart["texts"] if text["end"]]
        days = [text for text in chart["texts"] if not text["end"]]
        assert len(numbers) >= 2
        assert len(days) >= 2
        assert all(10 <= text["size"] <= 20 for text in chart["texts"]), (chart["title"], chart["texts"])
        assert all(0 <= t["left"] < t["right"] <= chart["width"] + 1 for t in chart["texts"]), (chart["title"], days)
        assert all(one["right"] + 4 <= next_["left"] for one, next_ in pairwise(days)), (chart["title"], days)
        assert all(lower["top"] >= upper["bottom"] - 6 for lower, upper in pairwise(numbers)), (chart["title"], numbers)


@pytest.mark.parametrize("imported", [SEED], indirect=True, ids=["seed1"])
@pytest.mark.parametrize(
    ("path", "column"), [("/slos", "Budget left"), ("/support", "Late now"), ("/", "Active"), ("/sources", "State")]
)
def test_a_phone_shows_first_what_matters(
    browser: Browser, imported: Running, address: str, path: str, column: str
) -> None:
    """The column people come for is seen whole without scrolling; what lies further right is announced by a shadow."""
    del imported
    with visit(browser, address, path, NARROW, scripts=True) as (page, _):
        edges = page.evaluate(
            "(name) => [...document.querySelectorAll('main table')].flatMap(table => {"
            " const at = [...table.querySelectorAll('thead th')].findIndex(th => th.textContent === name);"
            " return at < 0 ? [] : [...table.rows].filter(row => row.cells.length > at).map(row => {"
            "  const cell = document.createRange(); cell.selectNodeContents(row.cells[at]);"
            "  return cell.getBoundingClientRect().right; }); })",
            column,
        )
        hidden = page.evaluate(
            "() => [...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth)"
            ".map(e => (getComputedStyle(e).backgroundImage.match(/gradient/g) || []).length)"
        )
    assert len(edges) >= 2
    assert max(edges) <= NARROW[0] - 12
    assert set(hidden) <= {4}


PAIRS = """() => {
    const ground = e => {
        for (; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor;
            if (!/, 0\\)$/.test(colour)) return colour;
        }
    };
    const texts = [...document.querySelectorAll('body *')].filter(
        e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && !e.closest('title, script'));
    const marks = [...document.querySelectorAll('.legend rect, svg.bar .c0')];
    const pair = (e, colour) => [colour, ground(e)];
    return {
        texts: texts.map(e => pair(e, e.closest('svg') ? getComputedStyle(e).fill : getComputedStyle(e).color)),
        marks: marks.map(e => pair(e, getComputedStyle(e).fill)),
    };
}"""
"""Colours of every text and of every colour of a chart, with what stands behind them."""


@pytest.mark.parametrize("imported", [SEED], indirect=True, ids=["seed1"])
@pytest.mark.parametrize("path", sorted(TITLES))
def test_contrast(browser: Browser, imported: Running, address: str, path: str) -> None:
    """Text has a contrast of 4.5 to 1, the colours of a chart one of 3 to 1 (WCAG 2), light and dark."""
    del imported
    with visit(browser, address, path, WIDE, scripts=True) as (page, _):
        page.emulate_media(color_scheme="dark")
        dark = page.evaluate(PAIRS)
        page.emulate_media(color_scheme="light")
        light = page.evaluate(PAIRS)
    assert dark["texts"] != light["texts"]
    for pairs in (dark, light):
        for kind, least in (("texts", 4.5), ("marks", 3.0)):
            seen = {(one, ground): contrast(luminance(one), luminance(ground)) for one, ground in pairs[kind]}
            assert {pair: round(found, 2) for pair, found in seen.items() if found < least} == {}


@pytest.mark.parametrize("imported", [SEED], indirect=True, ids=["seed1"])
def test_print(browser: Browser, imported: Running, address: str, folder: Path) -> None:
    """On paper it is dark on white, also of one who likes it dark, without navigation, and each bar is an area of its own."""
    del imported
    context = browser.new_context(viewport={"width": 720, "height": 1000}, color_scheme="dark")
    try:
        page = context.new_page()
        page.goto(f"{address}/", wait_until="load")
        page.emulate_media(media="print")
        page.screenshot(path=folder / "overview-print.png", full_page=True)
        ground, ink = page.evaluate(
            "() => { const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]; }"
        )
        assert luminance(ground) > 0.9
        assert contrast(luminance(ground), luminance(ink)) > 7
        assert not page.locator("nav").is_visible()
        (chart, *_) = page.evaluate(
            "() => [...document.querySelectorAll('svg.chart')].map(svg =>"
            " [...svg.querySelectorAll('rect')].map(bar => bar.getBoundingClientRect()).map(b => [b.left, b.right]))"
        )
        places = sorted({(left, right) for left, right in chart})
        assert len(places) == 28
        assert all(right - left > 8 and right < next_ - 1 for (left, right), (next_, _) in pairwise(places))
    finally:
        context.close()


@pytest.mark.parametrize("imported", [SEED], indirect=True, ids=["seed1"])
def test_nothing_sticks_out(browser: Browser, imported: Running, address: str, folder: Path) -> None:
    """On a phone no element but those that scroll by themselves reaches past the edge, data tables opened."""
    del imported
    context = browser.new_context(viewport={"width": NARROW[0], "height": NARROW[1]})
    try:
        page = context.new_page()
        for path in sorted(TITLES):
            page.goto(f"{address}{path}", wait_until="load")
            page.evaluate("() => document.querySelectorAll('details').forEach(d => { d.open = true; })")
            page.screenshot(path=folder / f"{TITLES[path].lower()}-narrow-open.png", full_page=True)
            wide = page.evaluate(
                "() => [...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, svg')"
                " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + '.' + e.className)"
            )
            assert (path, wide) == (path, [])
            assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    finally:
        context.close()

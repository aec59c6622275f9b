"""The form of a survey in headless Chromium, scripts off: what a person sees, chooses and sends, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.real.test_browser import FLAGS, NARROW, WIDE, watch
from tests.support.forms import NOW, Kit, forms
from tests.support.views import site, view

from platform_meter.model.facts.surveys import SurveyResponse
from platform_meter.runtime.access.doors import Doors
from platform_meter.runtime.access.settings import AccessSettings
from platform_meter.runtime.server.httpd import Server
from platform_meter.web.app import make_app


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    with forms(f"sqlite:///{tmp_path_factory.mktemp('forms') / 'meter.db'}") as made:
        yield made


@pytest.fixture(scope="module")
def address(kit: Kit) -> Iterator[str]:
    doors = Doors(AccessSettings, environ={}, alone=False)
    with Server(make_app(site(view(NOW), forms=lambda: kit.forms), doors=doors), "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_a_person_answers_by_keyboard_and_without_scripts(
    browser: Browser, address: str, kit: Kit, size: tuple[int, int]
) -> None:
    """Nothing is wider than the screen or asked of another host; choices are found by their labels, and what is sent is stored."""
    name = f"person {size[0]}"
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, java_script_enabled=False)
    page = context.new_page()
    seen = watch(page, address)
    page.goto(f"{address}/survey/own?link={kit.link(name)}")
    assert page.title() == "How is the platform?"
    group = page.get_by_role("group", name="Would you recommend it?")
    assert group.get_by_role("radio").count() == 11
    assert all(
        (box := one.bounding_box()) and box["x"] + box["width"] <= size[0] for one in group.get_by_role("radio").all()
    )
    group.get_by_role("radio", name="9", exact=True).focus()
    page.keyboard.press("Space")
    page.get_by_role("group", name="ease").get_by_label("4", exact=True).check()
    page.get_by_role("button", name="Send").press("Enter")
    page.get_by_text("Your answer is stored.").wait_for()
    assert page.url == f"{address}/survey/own"
    assert context.cookies() == []
    assert (seen.said, seen.elsewhere) == ([], [])
    assert [dict(one.answers) for one in kit.told(SurveyResponse, name)] == [{"nps": 9.0, "How easy is it?": 4.0}]
    context.close()

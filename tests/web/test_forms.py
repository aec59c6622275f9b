"""`/survey/<id>` over HTTP: the form, what is sent, and what strangers see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

import pytest
from tests.support.forms import NOW, Kit, forms
from tests.support.views import site, view
from werkzeug.test import Client, TestResponse

from platform_meter.model.definitions import Survey
from platform_meter.model.facts.surveys import SurveyResponse
from platform_meter.runtime.access.doors import Doors
from platform_meter.runtime.access.settings import AccessSettings
from platform_meter.store import StoreError
from platform_meter.web.app import make_app


@dataclass
class Browser:
    """Somebody with a link, who has no role."""

    kit: Kit
    client: Client
    name: str
    link: str

    def open(self, link: str | None = None) -> TestResponse:
        return self.client.get("/survey/own", query_string={"link": self.link if link is None else link})

    def send(self, **fields: object) -> TestResponse:
        told = {"link": self.link, **fields}
        headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
        return self.client.post("/survey/own", data=told, headers=headers)

    def stored(self) -> list[dict[str, float]]:
        return [dict(one.answers) for one in self.kit.told(SurveyResponse, self.name)]


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    with forms(f"sqlite:///{tmp_path_factory.mktemp('forms') / 'meter.db'}") as made:
        yield made


@pytest.fixture
def browser(kit: Kit, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """All tests share one store, and each has somebody of its own."""
    doors, name, before = Doors(AccessSettings, environ={}, alone=False), request.node.name.lower(), kit.surveys
    app = make_app(site(view(NOW), forms=lambda: kit.forms), doors=doors)
    yield Browser(kit, Client(app), name, kit.link(name))
    kit.surveys = before


def test_a_form_is_fieldsets_of_labelled_choices(browser: Browser) -> None:
    """Without scripts and cookies; texts are not asked, and nothing names who it is or leads into the platform."""
    answer = browser.open()
    assert answer.status_code == 200
    assert re.findall(r"<legend>(.*?)</legend>", answer.text) == ["Would you recommend it?", "ease"]
    assert len(re.findall(r'<label><input type="radio" name="q0" value="\d+"> \d+', answer.text)) == 11
    assert len(re.findall(r'<label><input type="radio" name="q1" value="[1-5]">', answer.text)) == 5
    assert '<html lang="en">' in answer.text
    assert "<script" not in answer.text
    assert "Set-Cookie" not in answer.headers
    assert browser.name not in answer.text
    assert 'href="/"' not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_browsers_say_where_the_form_came_from(browser: Browser) -> None:
    """With no referrer at all they would say `null`, and what comes from nowhere is refused."""
    assert browser.open().headers["Referrer-Policy"] == "same-origin"
    assert "form-action 'self'" in browser.open().headers["Content-Security-Policy"]


def test_what_is_sent_is_stored_and_said_to_be(browser: Browser) -> None:
    """Once: what is sent again says that it was, and so does the link."""
    answer = browser.send(q0="9", q1="4")
    assert answer.status_code == 200
    assert "Your answer is stored." in answer.text
    assert browser.stored() == [{"nps": 9.0, "How easy is it?": 4.0}]
    for again in (browser.send(q0="1"), browser.open()):
        assert again.status_code == 410
        assert "This link has been used: your answer is stored, and counts once." in again.text
    assert browser.stored() == [{"nps": 9.0, "How easy is it?": 4.0}]


def test_a_question_may_be_left_out(browser: Browser) -> None:
    """One answer is enough."""
    assert browser.send(q1="5").status_code == 200
    assert browser.stored() == [{"How easy is it?": 5.0}]


@pytest.mark.parametrize(
    "fields",
    [{}, {"q0": "11"}, {"q0": "nine"}, {"q0": ""}, {"q7": "1"}, {"q0": "9", "name": "Ada"}, {"q1": "٤"}, {"q0": "-1"}],
)
def test_what_does_not_fit_is_refused_with_the_form(browser: Browser, fields: dict[str, str]) -> None:
    """Unknown fields too; nothing is stored, and the link goes on."""
    answer = browser.send(**fields)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "<fieldset>" in answer.text
    assert browser.stored() == []
    assert browser.send(q0="3").status_code == 200


def test_a_field_that_is_sent_twice_is_refused(browser: Browser) -> None:
    """Which of the two is meant, nobody knows."""
    body = f"link={browser.link}&q0=1&q0=9"
    answer = browser.client.post("/survey/own", data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 404
    assert browser.stored() == []


def test_what_is_too_large_is_not_read(browser: Browser) -> None:
    """An answer is a few numbers."""
    assert browser.send(q0="9" * 20_000).status_code == 413


@pytest.mark.parametrize("type_", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_what_is_no_form_is_none(browser: Browser, type_: str) -> None:
    """Whatever stands in it."""
    body = f"link={browser.link}&q0=9"
    assert browser.client.post("/survey/own", data=body, content_type=type_).status_code == 404
    assert browser.stored() == []


def test_another_sites_page_can_send_nothing(browser: Browser) -> None:
    """Even with a link."""
    told = {"link": browser.link, "q0": "1"}
    answer = browser.client.post("/survey/own", data=told, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert browser.stored() == []


def test_a_stranger_sees_nothing(browser: Browser) -> None:
    """Not even whether there is such a survey, and no other page."""
    found, other = browser.open("x" * 24), browser.client.get("/survey/none?link=x")
    assert (found.status_code, other.status_code) == (404, 404)
    assert found.text == other.text
    assert "This is no link that was sent to anybody; open the one in your mail." in found.text
    assert browser.client.get("/satisfaction").status_code == 401


def test_what_can_not_be_stored_says_so(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the link goes on."""

    def fails(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(browser.kit.store, "take", fails)
        answer = browser.send(q0="9")
    assert (answer.status_code, "send it again in a minute" in answer.text) == (503, True)
    assert browser.send(q0="9").status_code == 200


def test_texts_of_a_file_are_texts_of_the_page(browser: Browser) -> None:
    """What looks like markup is none; a SUS is ten choices under the texts of its fields."""
    sus = {
        "kind": "Survey",
        "id": "own",
        "title": "<b>Is it & usable?</b>",
        "source": {"type": "form"},
        "questions": [{"id": "sus", "type": "sus", "fields": [f"<i>It is {n}</i>" for n in range(10)]}],
    }
    browser.kit.surveys = (Survey.model_validate(sus),)
    text = browser.open().text
    assert "<h1>&lt;b&gt;Is it &amp; usable?&lt;/b&gt;</h1>" in text
    legends = [unescape(one) for one in re.findall(r"<legend>(.*?)</legend>", text)]
    assert legends == [f"<i>It is {n}</i>" for n in range(10)]
    assert browser.send(**{f"q{n}": "4" for n in range(10)}).status_code == 200
    assert browser.stored() == [{f"<i>It is {n}</i>": 4.0 for n in range(10)}]


def test_themes_are_chosen_from_a_list(browser: Browser) -> None:
    """Each is a box of its own, under its first answer or its own word; what is not chosen is not sent."""
    asked = {
        "kind": "Survey",
        "id": "own",
        "source": {"type": "form"},
        "questions": [{"id": "mend", "type": "theme", "text": "What first?", "themes": {"ci": ["Builds"], "docs": []}}],
    }
    browser.kit.surveys = (Survey.model_validate(asked),)
    text = browser.open().text
    assert re.findall(r"<legend>(.*?)</legend>", text) == ["What first?"]
    boxes = re.findall(r'<label><input type="checkbox" name="(\w+)" value="1"> (\w+)</label>', text)
    assert boxes == [("q0", "Builds"), ("q1", "docs")]
    assert browser.send(q0="2").status_code == 400
    assert browser.send(q1="1").status_code == 200
    assert browser.stored() == [{"mend=docs": 1.0}]

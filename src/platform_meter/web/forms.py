"""`/survey/<id>`: the form of a survey, for whoever has a link; without one it says nothing of anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import jinja2
from werkzeug.wrappers import Request, Response

from platform_meter.model.definitions import Survey
from platform_meter.model.surveying import Question
from platform_meter.runtime.forms import Closed, Forms, Unfit
from platform_meter.store import StoreError

MOST = 16 * 1024
"""Bytes of what is sent."""
_FIELDS = 200
LINK = "link"
_ENDS = {
    "nps": ("not at all likely", "extremely likely"),
    "csat": ("very dissatisfied", "very satisfied"),
    "likert": ("strongly disagree", "strongly agree"),
    "sus": ("strongly disagree", "strongly agree"),
}
_ODD = "something was sent that this survey does not ask; go back and choose again"


class Answering:
    """Shows forms and takes what is sent.

    Args:
        forms: those of the service that is current.
        env: has the templates.
    """

    def __init__(self, forms: Callable[[], Forms], env: jinja2.Environment) -> None:
        self._forms, self._env = forms, env

    def answer(self, request: Request) -> Response:
        """The form, or what became of the one that was sent."""
        return self._take(request) if request.method == "POST" else self._show(request)

    def _show(self, request: Request) -> Response:
        survey, link = _survey(request), request.args.get(LINK, "")
        try:
            return self._form(self._forms().opened(survey, link), link)
        except Closed as error:
            return self._said(error)

    def _take(self, request: Request) -> Response:
        forms, survey = self._forms(), _survey(request)
        if (request.content_length or 0) > MOST:
            return Response(f"An answer may have {MOST} bytes.\n", status=413, content_type="text/plain; charset=utf-8")
        try:
            sent = _sent(request)
            link = sent.pop(LINK, "")
            asked = forms.opened(survey, link)
            try:
                forms.answer(survey, link, _answers(asked, sent))
            except Unfit as error:
                return self._form(asked, link, problem=str(error), status=400)
        except Closed as error:
            return self._said(error)
        except StoreError:
            text = "Your answer could not be stored. Nothing is lost but this try: send it again in a minute."
            return self._page("Not stored", text=text, status=503)
        return self._page("Thank you", text="Your answer is stored. The link is used up, and this page may be closed.")

    def _said(self, error: Closed) -> Response:
        text = str(error)
        return self._page(
            "Nothing to answer", text=f"{text[:1].upper()}{text[1:]}.", status=410 if error.known else 404
        )

    def _form(self, survey: Survey, link: str, *, problem: str = "", status: int = 200) -> Response:
        title = survey.title or survey.id
        return self._page(title, survey=survey, link=link, problem=problem, questions=_questions(survey), status=status)

    def _page(self, title: str, *, status: int = 200, **told: Any) -> Response:
        usual: dict[str, Any] = {"text": "", "survey": None, "link": "", "problem": "", "questions": []}
        text = self._env.get_template("survey.html").render(title=title, **{**usual, **told})
        return Response(
            text,
            status=status,
            content_type="text/html; charset=utf-8",
            # Without a referrer of its own browsers send no origin with a form, and what has none is refused.
            headers={"Cache-Control": "no-store", "Referrer-Policy": "same-origin"},
        )


def _survey(request: Request) -> str:
    return request.path.rstrip("/").rpartition("/")[2]


def _sent(request: Request) -> dict[str, str]:
    """What a page's form holds, by name.

    Raises:
        Closed: it is none.
    """
    if request.mimetype != "application/x-www-form-urlencoded":
        return {}
    try:
        pairs = parse_qsl(request.get_data().decode(), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        pairs = []
    if len({name for name, _ in pairs}) < len(pairs):
        raise Closed(_ODD)
    return dict(pairs)


def _answers(survey: Survey, sent: Mapping[str, str]) -> dict[str, int]:
    """By field; what was not answered is left out.

    Raises:
        Unfit: something else was sent.
    """
    fields = {_name(number): name for number, name in enumerate(survey.bounds)}
    found = {}
    for name, text in sent.items():
        if name not in fields or not (text.isascii() and text.isdigit() and len(text) <= len("10")):
            raise Unfit(_ODD)
        found[fields[name]] = int(text)
    return found


def _name(number: int) -> str:
    """What the form calls a field: the names of files may be sentences."""
    return f"q{number}"


def _questions(survey: Survey) -> list[Mapping[str, Any]]:
    """Each scale that is to be shown, and each list to choose from; a SUS is ten scales."""
    numbers = {name: _name(number) for number, name in enumerate(survey.bounds)}
    return [shown for question in survey.questions for shown in _shown(question, numbers)]


def _shown(question: Question, numbers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    text = question.text or question.id
    if question.themes:
        texts = [next(iter(answers), theme) for theme, answers in question.themes.items()]
        named = zip(question.names, texts, strict=True)
        yield {"text": text, "options": [{"name": numbers[name], "text": said} for name, said in named]}
        return
    for name in question.names:
        yield {
            "text": name if question.type == "sus" else text,
            "name": numbers[name],
            "choices": range(question.bounds[0], question.bounds[1] + 1),
            "ends": _ENDS[question.type],
        }

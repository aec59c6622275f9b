"""The demo's surveys: one whose two waves stand in a CSV, as a tool exported it, and one with a form of our own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from platform_meter.demo.company.layout import Company, mail
from platform_meter.demo.company.surveys import SUS, ballots, invitations

SURVEYS = "surveys"
"""The folder of what was answered, beside that of the definitions."""
ANSWERS, INVITED = "answers.csv", "invited.csv"


def surveys() -> Iterator[Mapping[str, Any]]:
    """Their Survey files."""
    yield {
        "kind": "Survey",
        "id": "platform-nps",
        "title": "How do you like the platform?",
        "source": {"type": "csv", "path": f"../{SURVEYS}/{ANSWERS}", "invited": f"../{SURVEYS}/{INVITED}"},
        "wave": "month",
        "segment_by": ["persona", "org", "team"],
        "questions": [
            {"id": "nps", "type": "nps", "field": "score", "text": "How likely are you to recommend the platform?"},
            {"id": "ease", "type": "csat", "field": "ease", "text": "How easy was your last deployment?"},
            {"id": "sus", "type": "sus", "fields": list(SUS), "text": "How usable is the portal?"},
        ],
    }
    yield {
        "kind": "Survey",
        "id": "pulse",
        "title": "Pulse, by our own form",
        "source": {"type": "form"},
        "wave": "month",
        "questions": [{"id": "nps", "type": "nps", "text": "How likely are you to recommend the platform?"}],
    }


def survey_files(company: Company) -> Mapping[str, str]:
    """What stands in the files that they name."""
    header = ["id", "submitted_at", "email", "team", "score", "ease", *SUS]
    answers = (
        [one.id, one.at.isoformat(), mail(one.person), one.team, one.score, one.ease, *one.usable]
        for one in ballots(company)
    )
    asked = ([one.at.isoformat(), mail(one.person), one.team] for one in invitations(company))
    return {ANSWERS: _csv(header, answers), INVITED: _csv(["submitted_at", "email", "team"], asked)}


def _csv(header: list[str], rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()

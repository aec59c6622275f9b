"""Forms of a survey over a real store, with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.stores import open_at

from platform_meter.model.definitions import Definitions, Survey
from platform_meter.model.facts.surveys import Invitation, SurveyResponse
from platform_meter.runtime.forms import Forms, Person
from platform_meter.store import Configured, Store, StoredHistory

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
OWN: dict[str, Any] = {
    "kind": "Survey",
    "id": "own",
    "title": "How is the platform?",
    "source": {"type": "form"},
    "questions": [
        {"id": "nps", "type": "nps", "text": "Would you recommend it?"},
        {"id": "ease", "type": "csat", "field": "How easy is it?"},
        {"id": "why", "type": "text"},
    ],
}
INSTANCE = "survey-own"


@dataclass
class Kit:
    """Forms, their store, and the moment."""

    store: Store
    now: datetime = NOW
    surveys: tuple[Survey, ...] = field(default_factory=lambda: (Survey.model_validate(OWN),))

    @property
    def forms(self) -> Forms:
        return Forms(
            self.store,
            self.history,
            Definitions(surveys=self.surveys),
            zone=ZoneInfo("UTC"),
            clock=lambda: self.now,
        )

    @contextmanager
    def history(self) -> Iterator[StoredHistory]:
        with self.store.history(self.now, [Configured(instance=INSTANCE, type="surveys", streams=())]) as history:
            yield history

    def link(self, person: str, **more: str) -> str:
        """A link of one person."""
        return self.invited(Person(name=person, **more))[person]

    def invited(self, *people: Person) -> dict[str, str]:
        """Links by name."""
        return dict(self.forms.invite("own", people, lambda person: f"#{person}#"))

    def told(self, kind: type[SurveyResponse | Invitation], person: str) -> list[Any]:
        """What is stored of a kind and person."""
        with self.history() as history:
            rows = history.rows(kind, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
            return [row.event for row in rows if row.event.respondent == f"#{person}#"]


@contextmanager
def forms(url: str) -> Iterator[Kit]:
    """A kit on a new store."""
    store = open_at(url)
    try:
        yield Kit(store)
    finally:
        store.close()

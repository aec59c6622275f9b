"""What is pushed, polled or both, in any order and with repetitions, is stored as the same events."""

from __future__ import annotations

import importlib
import json
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.stores import configured, open_at

from platform_meter import sources
from platform_meter.model.facts import Event
from platform_meter.model.facts.delivery import Change, Deployment
from platform_meter.model.facts.incidents import Incident
from platform_meter.model.push import Pushed
from platform_meter.store import Store
from platform_meter.testing import Case

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KINDS = (Deployment, Change, Incident)
ASKS_NOBODY = frozenset({"alertmanager", "backstage", "push"})
"""Sources whose polls tell nothing of what they are pushed."""
POLLED_TOO = [name for name, source in sources.load().items() if source.receives and name not in ASKS_NOBODY]
PUSHED = [name for name, source in sources.load().items() if source.receives]
CASES: dict[str, Case] = {name: importlib.import_module(f"tests.sources.{name}.test_{name}").CASE for name in PUSHED}


def read(name: str, requests: Sequence[Pushed], config: Any = None) -> list[Event]:
    source = sources.load()[name]
    assert source.receives is not None
    settings_ = source.config.model_validate(dict(CASES[name].settings if config is None else config))
    return [fact for request in requests for fact in source.receives.read(settings_, request)]


def stored(pages: Sequence[Sequence[Event]]) -> list[Event]:
    """What a store has after these pages were pushed to it, in order of kind and key."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_at(f"sqlite:///{folder}/store.db")
        try:
            for page in pages:
                store.take("ours", "push", page, now=NOW, lookback=timedelta(minutes=15))
            assert store.check() == []
            return _held(store)
        finally:
            store.close()


def _held(store: Store) -> list[Event]:
    with store.history(NOW, [configured("ours", *KINDS)]) as history:
        return [
            row.event for kind in KINDS for row in history.rows(kind, NOW - timedelta(days=90), NOW + timedelta(days=1))
        ]


@pytest.mark.parametrize("name", POLLED_TOO)
@settings(max_examples=15)
@given(data=st.data())
def test_with_polls_the_same_is_stored_as_by_polls_alone(name: str, data: st.DataObject) -> None:
    """Webhooks before, between and after polls add nothing to the objects that polls told of, and take nothing away."""
    case = CASES[name]
    polled = [fact for fact in case.expected if isinstance(fact, KINDS)]
    told = {(type(fact), fact.key) for fact in polled}
    pushed = [fact for fact in read(name, case.hooks) if (type(fact), fact.key) in told]
    assert pushed
    mixed = data.draw(st.permutations([*polled, *polled, *pushed, *pushed]))
    cut = data.draw(st.integers(0, len(mixed)))
    by_key: Callable[[Event], tuple[str, str]] = lambda fact: (type(fact).__name__, fact.key)  # noqa: E731 - used twice
    assert sorted(stored([mixed[:cut], mixed[cut:]]), key=by_key) == sorted(stored([polled]), key=by_key)


def sent(*bodies: Any) -> list[Pushed]:
    return [Pushed(headers={}, body=json.dumps(body).encode(), at=NOW, hashed=str) for body in bodies]


def cdevent(predicate: str, minute: int, **content: Any) -> dict[str, Any]:
    at = f"2026-05-04T12:{minute:02}:00Z"
    context = {"id": predicate, "source": "/pager", "type": f"dev.cdevents.incident.{predicate}.0.2.0", "timestamp": at}
    return {
        "context": context,
        "subject": {"id": "incident-1", "content": {"service": {"id": "payments"}, **content}},
    }


BROKE, MENDED = "pkg:oci/payments@1.4.0", "pkg:oci/payments@1.4.1"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_an_incident_of_cdevents_is_whole_in_any_order(order: Sequence[int]) -> None:
    """It starts when it was detected, ends when it was resolved, and names what was broken."""
    told = sent(
        cdevent("detected", 1, artifactId=BROKE),
        cdevent("reported", 5, artifactId=BROKE),
        cdevent("resolved", 40, artifactId=MENDED),
    )
    facts = read("push", [told[number] for number in order], {})
    (incident,) = stored([[fact] for fact in facts])
    assert isinstance(incident, Incident)
    assert incident.start == datetime(2026, 5, 4, 12, 1, tzinfo=UTC)
    assert incident.resolved == datetime(2026, 5, 4, 12, 40, tzinfo=UTC)
    assert incident.mentions == ("1.4.0",)


def test_an_incident_that_nothing_detected_starts_when_it_was_reported() -> None:
    """One of which the end alone was told has no start, so it lasted nobody knows how long."""
    reported, resolved = cdevent("reported", 5), cdevent("resolved", 40)
    (incident,) = stored([read("push", sent(resolved, reported), {})])
    assert isinstance(incident, Incident)
    assert incident.start == datetime(2026, 5, 4, 12, 5, tzinfo=UTC)
    (ended,) = stored([read("push", sent(resolved), {})])
    assert isinstance(ended, Incident)
    assert (ended.start, ended.resolved) == (None, datetime(2026, 5, 4, 12, 40, tzinfo=UTC))


def alert(status: str) -> dict[str, Any]:
    one = {
        "status": status,
        "labels": {"severity": "page", "service": "payments"},
        "startsAt": "2026-05-04T12:00:00Z",
        "endsAt": "2026-05-04T12:20:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        "fingerprint": "8f0e1b2c3d4e5f60",
    }
    return {"version": "4", "alerts": [one]}


@pytest.mark.parametrize("order", sorted({*permutations(["firing", "firing", "resolved"])}))
def test_an_alert_told_late_opens_nothing_again(order: Sequence[str]) -> None:
    """However often it is told that it fires."""
    facts = read("alertmanager", sent(*map(alert, order)))
    (incident,) = stored([[fact] for fact in facts])
    assert isinstance(incident, Incident)
    assert incident.resolved == datetime(2026, 5, 4, 12, 20, tzinfo=UTC)

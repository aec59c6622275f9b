from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.support.history import MemoryHistory, owner, source

from platform_meter.measures.adoption.use import Remembered, churn, qualifies, whole_days
from platform_meter.model.facts import Ref
from platform_meter.model.facts.use import Usage
from platform_meter.model.metric import resolve

START = date(2026, 3, 1)
NOW = datetime(2026, 4, 15, tzinfo=UTC)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("ab"), st.integers(1, 3)), max_size=30),
    st.integers(0, 45),
    st.integers(0, 20),
)
def test_remembered_use_is_the_use(uses: list[tuple[int, str, int]], first: int, length: int) -> None:
    """Use read once for a long span gives every part of it as reading that part alone would, beyond the span too."""
    facts = [
        (
            "portal",
            owner(name, "t"),
            Usage(
                key=f"{i}",
                at=datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(days=day),
                about=Ref(system="portal", kind="page", id=name),
                action="view",
                amount=float(amount),
            ),
        )
        for i, (day, name, amount) in enumerate(uses)
    ]
    history = MemoryHistory(facts, sources=[source("portal", watermark=NOW)])
    remembered = Remembered(history, START, START + timedelta(days=35))
    start, end = START + timedelta(days=first), START + timedelta(days=first + length)
    for _ in range(2):
        found = list(remembered.usage_days(("view",), "portal", start, end))
        alone = history.usage_days(("view",), "portal", start, end)
        assert sorted((u.object, u.day, u.n, u.amount) for u in found) == sorted(
            (u.object, u.day, u.n, u.amount) for u in alone
        )


def test_qualifies_asks_for_both_bounds() -> None:
    """Three units on two days are enough for two days and three units, and for no more of either."""
    amounts = [0.0, 2.0, 0.0, 1.0]
    everything = slice(0, 4)
    assert qualifies(amounts, everything, 2, 3)
    assert not qualifies(amounts, everything, 3, 3)
    assert not qualifies(amounts, everything, 2, 3.5)


def test_churn_is_over_units_still_eligible() -> None:
    """Of a, b and c active then, c is no longer eligible and b no longer active: churn is 1/2."""
    assert resolve(churn({"a", "b", "c"}, {"a"}, {"a", "b"})) == 0.5
    assert resolve(churn(set(), {"a"}, {"a"})) is None


def test_whole_days_round_up() -> None:
    """Thirty hours need two days."""
    assert whole_days(timedelta(hours=30)) == 2

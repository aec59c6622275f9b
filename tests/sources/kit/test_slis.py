"""SLIs as sources are asked for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel, ValidationError

from platform_meter.model.facts import Ref
from platform_meter.model.facts.slis import SliCount
from platform_meter.model.objective import Asked, Bound
from platform_meter.sources.kit.slis import Bounded, one_part, slice_of, with_asked

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 6, 1, 12, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Sli(BaseModel):
    id: str


class Level(Bounded):
    id: str


class Settings(BaseModel):
    slis: tuple[Sli, ...] = ()
    levels: tuple[Level, ...] = ()


@pytest.mark.parametrize(("good", "bad"), [(None, None), ("a", "b")])
def test_one_of_good_and_bad_is_given(good: str | None, bad: str | None) -> None:
    """Neither says nothing, and both may contradict each other."""
    with pytest.raises(ValueError, match="exactly one of good and bad"):
        one_part(good, bad)
    one_part("a", None)
    one_part(None, "b")


def test_what_is_asked_for_is_added_to_what_the_settings_have() -> None:
    """A level where it has a bound; two of one name would be counted as one."""
    settings = Settings(slis=(Sli(id="web"),))
    bound = Bound(operator="lte", value=0.5)
    asked = [Asked(name="a", type="x", total={}), Asked(name="b", type="x", total={}, bound=bound)]

    def level(one: Asked, its: Bound) -> Level:
        return Level(id=one.id, op=its.operator, value=its.value)

    found = with_asked(settings, asked, lambda one: Sli(id=one.id), level)
    assert found == Settings(slis=(Sli(id="web"), Sli(id="x:a")), levels=(Level(id="x:b", op="lte", value=0.5),))
    assert found.levels[0].bound == bound
    with pytest.raises(ValueError, match=r"slis of the source has 'x:b', as this SLO's counts are called; rename it"):
        with_asked(found, asked[1:], lambda one: Sli(id=one.id), level)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_bound_is_a_number_that_levels_can_lie_on_both_sides_of(value: str) -> None:
    """Beside another one each minute would be good, or each bad, whatever its level."""
    with pytest.raises(ValidationError, match="finite number"):
        Level.model_validate({"id": "web", "op": "lte", "value": float(value)})


@pytest.mark.parametrize(("part_is_good", "good", "bad"), [(True, 3.0, 7.0), (False, 7.0, 3.0)])
def test_all_events_are_parted_by_those_that_were_asked_for(part_is_good: bool, good: float, bad: float) -> None:
    """The others are the rest."""
    end, asked = int(AT.timestamp()), {"width": MINUTE, "updated": LATER, "part_is_good": part_is_good}
    assert slice_of("datadog", "web", end, total=10.0, part=3.0, **asked) == SliCount(  # type: ignore[arg-type]
        key=f"sli/web/{end}",
        at=AT,
        about=Ref(system="datadog", kind="sli", id="web"),
        updated=LATER,
        sli="web",
        good=good,
        bad=bad,
        width=MINUTE,
    )

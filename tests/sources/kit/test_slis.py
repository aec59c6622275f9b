"""SLIs as sources are asked for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel

from platform_meter.model.facts import Ref
from platform_meter.model.facts.slis import SliCount
from platform_meter.sources.datadog.config import SliQuery
from platform_meter.sources.kit.slis import one_part, slice_of, with_slis

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 6, 1, 12, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Settings(BaseModel):
    slis: tuple[SliQuery, ...]


@pytest.mark.parametrize(("good", "bad"), [(None, None), ("a", "b")])
def test_one_of_good_and_bad_is_given(good: str | None, bad: str | None) -> None:
    """Neither says nothing, and both may contradict each other."""
    with pytest.raises(ValueError, match="exactly one of good and bad"):
        one_part(good, bad)
    one_part("a", None)
    one_part(None, "b")


def test_slis_are_added_to_those_of_the_settings() -> None:
    """Two of one name would be counted as one."""
    one, other = (
        SliQuery(id=name, good="sum:a{*}.as_count()", total="sum:b{*}.as_count()") for name in ("web", "datadog:web")
    )
    settings = Settings(slis=(one,))
    assert with_slis(settings, settings.slis, [other]) == Settings(slis=(one, other))
    with pytest.raises(ValueError, match=r"slis of the source has 'web', as this SLO's counts are called; rename it"):
        with_slis(settings, settings.slis, iter([one]))


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

"""Alert rules by whichever way the token may read them."""

from __future__ import annotations

import pytest
from tests.sources.grafana.grafana_server import ALERTS, RULER, Grafana, rule
from tests.sources.grafana.test_grafana import RULES, small_world, told

from platform_meter.model.source import Forbidden, Refused, Unexpected
from platform_meter.testing.outside import FakeOutside, Reply


def test_both_ways_tell_the_same() -> None:
    """Paused rules and recording rules are left out of either; only where provisioning is forbidden the ruler is asked."""
    world = small_world()
    outside = FakeOutside(world)
    assert told(outside, "alert rules") == RULES
    assert RULER not in {call.path for call in outside.calls}
    world.refused = frozenset({ALERTS})
    assert told(world, "alert rules") == RULES


def test_a_folder_that_may_not_be_seen_goes_by_its_uid() -> None:
    """Its title stands nowhere then."""
    (one,) = told(Grafana(folders=[], dashboards=[], rules=[rule("a1", "f9")]), "alert rules")
    assert (one.about.id, one.about.labels) == ("f9/a1", (("folder", "f9"),))


@pytest.mark.parametrize(("status", "error"), [(403, Forbidden), (401, Refused), (400, Unexpected)])
def test_rules_that_can_not_be_read_are_no_rules_that_are_gone(status: int, error: type[Exception]) -> None:
    """The stream fails; a token that is not accepted is tried in no other way."""
    world = small_world()
    outside = FakeOutside(lambda call: Reply(status=status) if call.path in (ALERTS, RULER) else world(call))
    with pytest.raises(error):
        told(outside, "alert rules")
    assert (RULER in {call.path for call in outside.calls}) == (status == 403)

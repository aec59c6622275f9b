from __future__ import annotations

import yaml

from platform_meter.demo.apis.slos import slo
from platform_meter.model.objective import StoredSli
from platform_meter.slo.check import read_slos


def test_it_is_a_sound_slo_over_what_a_source_counts() -> None:
    """Of its owner, over the SLI of its name, with the objective that was asked for."""
    document = slo("feed-requests", title="Feed", owner="team-x", service="feed", said="All of them.", target=0.999)
    checked = read_slos([("feed.yaml", yaml.safe_dump(document))], ())
    assert checked.problems == ()
    (spec,) = checked.specs
    assert (spec.slo, spec.owner, str(spec.objective)) == ("feed-requests", "team-x", "0.999")
    assert isinstance(spec.sli, StoredSli)
    assert (spec.sli.events.word, spec.sli.where) == ("sli", {"id": "feed-requests"})

"""How delivery is judged: what holds by default, and what a file may say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from platform_meter.model.definitions import Definitions
from platform_meter.model.delivering import BY_DEFAULT, Delivery, Start
from platform_meter.model.facts.delivery import DeployWay
from platform_meter.model.facts.incidents import IncidentWay

FILE = {"kind": "Delivery", "id": "delivery"}


def test_by_default_it_is_judged_as_the_domain_says() -> None:
    """From the first commit, without bots, a day for what is near."""
    assert Definitions().delivery is BY_DEFAULT
    assert (BY_DEFAULT.lead_time.start, BY_DEFAULT.lead_time.bots) == (Start.FIRST_COMMIT, False)
    assert (BY_DEFAULT.max_link_age, BY_DEFAULT.regions) == (timedelta(days=1), "together")
    assert BY_DEFAULT.ways == tuple(DeployWay)
    assert BY_DEFAULT.incident_ways == tuple(IncidentWay)


def test_ways_that_a_file_names_come_first() -> None:
    """The others follow in their own order."""
    told = Delivery.model_validate(FILE | {"deployments": ["push", "job"], "incidents": ["alert"]})
    assert told.ways == ("push", "job", "gitops", "deployments_api", "rollout")
    assert told.incident_ways == ("alert", "incidents_api", "ticket", "push")


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"deployments": ["job", "job"]}, "a way stands twice"),
        ({"deployments": ["helm"]}, "'gitops', 'deployments_api', 'job', 'rollout' or 'push'"),
        ({"max_link_age": "0s"}, "shorter than a second"),
        ({"id": "other"}, "'delivery'"),
        ({"lead_time": {"start": "created"}}, "'first_commit', 'opened' or 'merged'"),
    ],
)
def test_what_cannot_be_meant_is_refused(more: dict[str, object], text: str) -> None:
    """With what to write instead; a second document would have another id, which there is not."""
    with pytest.raises(ValidationError, match=text):
        Delivery.model_validate(FILE | more)

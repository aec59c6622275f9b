"""Stages that ask for more than a verb: environment, result, trigger and the other words of a use, each by itself.

Every team of these tests enters with its first merge, 40 days ago, and may do the same thing several times afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.support.history import owner
from tests.support.journeys import DAY, NOW, Told, journey, scene

from platform_meter.measures.journeys.gauges import compute
from platform_meter.measures.journeys.reading import read
from platform_meter.model.catalogue.journeys import FUNNEL_UNITS
from platform_meter.model.definitions import Capability
from platform_meter.model.facts import Event, Ref
from platform_meter.model.facts.ci import Outcome, PipelineRun
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult
from platform_meter.model.facts.gitops import GitopsSync, SyncReason, SyncResult
from platform_meter.model.metric import resolve

SHA = "c0ffee" + "0" * 34
PIPELINE = "acme/app/.github/workflows/build.yml"


def of(team: str, event: Event) -> Told:
    return ("portal", owner(f"{team}-api", team), event)


def told(team: str, type_: type[Event], back: float, **said: Any) -> Told:
    """What a team did so many days ago."""
    about = Ref(system="portal", kind="repository", id=f"acme/{team}")
    known = {"key": f"{team}/{type_.__name__}/{back}", "at": NOW - back * DAY, "about": about}
    return of(team, type_(**{**known, **said}))


def merge(team: str = "a", back: float = 40) -> Told:
    return told(
        team, Change, back, sha=SHA, opened=None, first_commit=None, first_review=None, name="#1", branch="main"
    )


def deploy(back: float, environment: str = "production", result: str = "success", **said: Any) -> Told:
    fields = {"environment": environment, "result": DeployResult(result), "sha": SHA, **said}
    return told(fields.pop("team", "a"), Deployment, back, **fields)


def run(back: float, result: str = "success", trigger: str = "push", **said: Any) -> Told:
    fields = {"pipeline": PIPELINE, "outcome": Outcome(result), "trigger": trigger, **said}
    return told("a", PipelineRun, back, ran=timedelta(minutes=5), group="g", **fields)


def sync(back: float, result: str = "success", *, automated: bool = False, dry_run: bool = False) -> Told:
    at = NOW - back * DAY
    more = {"reason": SyncReason.NONE, "started": at, "revisions": (SHA,), "project": "shop", "cluster": "eu"}
    fields = {"result": SyncResult(result), "automated": automated, "dry_run": dry_run, "namespace": "shop", **more}
    return told("a", GitopsSync, back, **fields)


def asking(verb: str, **words: Any) -> Capability:
    """A journey of one stage that asks for this, in three weeks."""
    stage = {"id": "done", "when": {"source": "portal", "verb": verb, **words}}
    start = {"start": {"source": "portal", "verb": "merge"}, "window": "21d"}
    return journey(journey=start, stages=[stage])


def reached(facts: Sequence[Told], capability: Capability) -> float | None:
    """So many days ago the team reached the stage; None where it did not, though it entered."""
    found = read(scene([merge(), *facts], capability), capability)
    assert found is not None
    (one,) = found.mature
    (at,) = one.reached
    return None if at is None else (NOW - at) / DAY


# The environment


def test_a_deployment_elsewhere_is_no_such_stage() -> None:
    """The first one in the environment that is asked for counts, whatever went to others before."""
    facts = [deploy(38, "staging"), deploy(37, "preview"), deploy(35), deploy(34)]
    assert reached(facts, asking("deploy", environment="production")) == 35
    assert reached(facts, asking("deploy", environment="staging")) == 38
    assert reached(facts, asking("deploy", environment="qa")) is None
    assert reached(facts, asking("deploy")) == 38


def test_an_environment_may_be_a_pattern() -> None:
    """Of names that a system makes up; capitals are told apart."""
    facts = [deploy(38, "staging-eu"), deploy(36, "Prod-us"), deploy(35, "prod-eu")]
    assert reached(facts, asking("deploy", environment="prod-*")) == 35
    assert reached(facts, asking("deploy", environment="prod")) is None


def test_who_was_in_another_environment_before_is_a_newcomer_all_the_same() -> None:
    """Only the use that a stage asks for says that a team was there before it entered."""
    capability = asking("deploy", environment="production")
    assert reached([deploy(41, "staging"), deploy(35)], capability) == 35
    found = read(scene([merge(), deploy(41), deploy(35)], capability), capability)
    assert found is not None
    assert found.entrants == []


# The result


@pytest.mark.parametrize(
    ("facts", "verb", "asked", "usual"),
    [
        ([deploy(38, result="failed"), deploy(36)], "deploy", "failed", 36),
        ([run(38, "user_failure"), run(37, "cancelled"), run(36)], "run", "user_failure", 36),
        ([sync(38, "failed"), sync(37, "error"), sync(36)], "synced", "failed", 36),
    ],
    ids=["deploy", "run", "synced"],
)
def test_what_came_to_nothing_counts_only_where_it_is_asked_for(
    facts: Sequence[Told], verb: str, asked: str, usual: float
) -> None:
    """Without a word of the result, as with the good one, the first that came to something counts."""
    assert reached(facts, asking(verb)) == usual
    assert reached(facts, asking(verb, result="success")) == usual
    assert reached(facts, asking(verb, result=asked)) == 38
    assert reached(facts, asking(verb, result="*")) == 38
    assert reached(facts[:1], asking(verb, result="success")) is None


# The trigger, and who began it


def test_a_run_that_nobody_began_is_none_unless_its_trigger_is_asked_for() -> None:
    """Scheduled ones count for who asks for these, or for any."""
    facts = [run(38, trigger="schedule"), run(36, trigger="push"), run(35, trigger="workflow_dispatch")]
    assert reached(facts, asking("run")) == 36
    assert reached(facts, asking("run", trigger="schedule")) == 38
    assert reached(facts, asking("run", trigger="*")) == 38
    assert reached(facts, asking("run", trigger="workflow_*")) == 35
    assert reached(facts, asking("run", trigger="merge_group")) is None


def test_a_sync_by_hand_is_told_from_one_that_the_controller_began() -> None:
    """Both are use where the file says nothing; a dry run is none unless it is asked for."""
    facts = [sync(39, dry_run=True), sync(38, automated=True), sync(36)]
    assert reached(facts, asking("synced")) == 38
    assert reached(facts, asking("synced", actor="person")) == 36
    assert reached(facts, asking("synced", actor="automated")) == 38
    assert reached(facts, asking("synced", dry_run="yes")) == 39


def test_a_rollback_is_told_from_what_was_planned() -> None:
    """Each counts for who asks for it."""
    facts = [deploy(38, kind=DeployKind.ROLLBACK), deploy(36)]
    assert reached(facts, asking("deploy", kind="planned")) == 36
    assert reached(facts, asking("deploy", kind="rollback")) == 38


# Several of them


def test_every_word_has_to_fit() -> None:
    """One that fits in all but one of them does not count, whichever that one is."""
    other = "acme/app/.github/workflows/nightly.yml"
    facts = [
        run(39, pipeline=other),
        run(38, "user_failure"),
        run(37, trigger="schedule"),
        run(36, trigger="pull_request"),
        run(35),
    ]
    words = {"pipeline": "*/build.yml", "result": "success", "trigger": "push"}
    assert reached(facts, asking("run", **words)) == 35
    assert reached(facts[:-1], asking("run", **words)) is None
    assert [reached(facts, asking("run", **{**words, name: "*"})) for name in words] == [39, 38, 37]


def test_an_amount_is_of_what_fits() -> None:
    """Three deployments to production, whatever else was rolled out between them."""
    facts = [
        deploy(39),
        deploy(38, "staging"),
        deploy(37, result="failed"),
        deploy(36),
        deploy(35, "staging"),
        deploy(34),
    ]
    assert reached(facts, asking("deploy", environment="production", min_amount=3)) == 34
    assert reached(facts, asking("deploy", environment="production", min_amount=4)) is None
    assert reached(facts, asking("deploy", environment="staging", min_amount=2)) == 35


def test_a_word_that_a_use_does_not_have_fits_none() -> None:
    """A deployment has no trigger: `check` refuses it, and without `check` nobody reaches it by mistake."""
    assert reached([deploy(38)], asking("deploy", trigger="push")) is None


def test_the_same_use_in_other_words_is_stages_of_one_journey() -> None:
    """Staging, then production: a team that went to production first has to go there again."""
    stages = [
        {"id": name, "when": {"source": "portal", "verb": "deploy", "environment": name}}
        for name in ("staging", "production")
    ]
    start = {"start": {"source": "portal", "verb": "merge"}, "window": "21d"}
    capability = journey(journey=start, stages=stages)
    facts = [
        *(merge("a"), deploy(38, "staging"), deploy(36)),
        *(merge("b"), deploy(38, team="b"), deploy(36, "staging", team="b")),
        *(merge("c"), deploy(38, team="c"), deploy(36, "staging", team="c"), deploy(34, team="c")),
    ]
    at = scene(facts, capability)
    counted = {s.labels[1:]: resolve(s.value) for s in compute(at) if s.metric is FUNNEL_UNITS}
    assert {stage: n for (stage, state), n in counted.items() if state == "mature"} == {
        "entered": 3,
        "staging": 3,
        "production": 2,
    }


def test_a_start_may_ask_too() -> None:
    """Who enters is told by the words of its use as well: here by the first failure of a run that a push began."""
    start = {"source": "portal", "verb": "run", "select": {"result": ["user_failure", "infra_*"], "trigger": ["push"]}}
    stage = {"id": "green", "when": {"source": "portal", "verb": "run", "result": "success"}}
    capability = journey(journey={"start": start, "window": "21d"}, stages=[stage])
    facts = [run(40, "cancelled"), run(39, "user_failure", "schedule"), run(38, "infra_failure"), run(37), run(36)]
    found = read(scene(facts, capability), capability)
    assert found is not None
    (one,) = found.mature
    assert [(NOW - at) / DAY for at in (one.entered, *one.reached) if at] == [38, 37]

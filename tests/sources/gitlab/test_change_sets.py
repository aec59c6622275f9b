"""Commits that a deployment on GitLab brought: what is compared, what it costs, and what is left untold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.sources.gitlab.gitlab_server import GitLab, deployment, project
from tests.sources.gitlab.test_gitlab import NOW, SETTINGS, SINCE

from platform_meter.model.facts.delivery import MOST_CHANGES, DeployKind, Deployment
from platform_meter.model.source import SourceError, Unreachable
from platform_meter.sources.gitlab import SOURCE, Config
from platform_meter.testing.outside import Answering, Call, FakeOutside, Reply

MINUTE = timedelta(minutes=1)


class _Told:
    """Polls one project again and again, each time with the last checkpoint."""

    def __init__(self, *rows: dict[str, Any], trunk: Sequence[str] = "abcde", **settings: Any) -> None:
        self.gitlab = GitLab(projects=[project(1, "acme/shop"), project(2, "acme/web")], trunk=[*trunk])
        self.gitlab.put(1, "deployments", *rows)
        self.world: Answering = self.gitlab
        self.config = Config.model_validate({**SETTINGS, **settings})
        self.checkpoint: bytes | None = None
        self.found: dict[int, Deployment] = {}
        self.compared: list[str] = []
        self.polls: Iterator[int] = iter(range(1_000))

    def poll(self, **how: Any) -> None:
        outside = FakeOutside(self.world, **how)
        try:
            for page in SOURCE.connect(self.config, outside, "gitlab")[0].read(
                self.checkpoint, SINCE, NOW + next(self.polls) * MINUTE
            ):
                self.checkpoint = page.checkpoint or self.checkpoint
                deployments = (fact for fact in page.facts if isinstance(fact, Deployment))
                self.found |= {int(fact.key.partition("/")[2]): fact for fact in deployments}
        except SourceError:
            if not how:
                raise
        self.compared = [
            f"{call.params['from']}..{call.params['to']}" for call in outside.calls if call.path.endswith("/compare")
        ]

    @property
    def sets(self) -> dict[int, tuple[str, str]]:
        return {id_: (one.after, "".join(one.changes)) for id_, one in sorted(self.found.items())}

    def answered(self, answer: Callable[[], Reply]) -> None:
        """From now on comparisons are answered so."""

        def other(call: Call) -> Reply:
            return answer() if call.path.endswith("/compare") else self.gitlab(call)

        self.world = other


def _rows(*shas: str, environment: str = "production", first: int = 1) -> list[dict[str, Any]]:
    return [
        deployment(n, sha, "success", f"11:{n:02}:00", environment={"name": environment})
        for n, sha in enumerate(shas, first)
    ]


def _down() -> Reply:
    raise Unreachable("502")


def test_a_deployment_brings_what_did_not_serve_before() -> None:
    """Oldest first; nothing is asked for the first, for the same again, nor for a commit that served before."""
    told = _Told(*_rows("a", "c", "c", "e", "c"))
    told.poll()
    assert told.sets == {1: ("", ""), 2: ("a", "bc"), 3: ("c", ""), 4: ("c", "de"), 5: ("", "")}
    assert told.compared == ["a..c", "c..e"]


def test_regions_that_get_the_same_are_compared_once() -> None:
    """Each is told its own set; what failed is told none, and is nothing to compare with."""
    failed = deployment(30, "e", "failed", "11:59:00")
    told = _Told(*_rows("a", "c"), *_rows("a", "c", environment="us", first=11), failed)
    told.poll()
    assert told.sets == {1: ("", ""), 2: ("a", "bc"), 11: ("", ""), 12: ("a", "bc"), 30: ("", "")}
    assert told.compared == ["a..c"]


def test_an_older_commit_that_never_served_goes_back_too() -> None:
    """There is none in it that did not serve."""
    told = _Told(*_rows("d", "b"))
    told.poll()
    assert (told.found[2].kind, told.sets[2]) == (DeployKind.ROLLBACK, ("d", ""))


def test_they_may_come_newest_first() -> None:
    """The last one is the deployed one."""
    told = _Told(*_rows("a", "c"))
    told.answered(lambda: Reply(body={"commits": [{"id": "c"}, {"id": "b"}]}))
    told.poll()
    assert told.sets[2] == ("a", "bc")


@pytest.mark.parametrize("age", [timedelta(days=27), timedelta(days=29)])
def test_what_is_old_is_not_compared(age: timedelta) -> None:
    """History of more than 28 days costs no calls."""
    created = (NOW - age).isoformat()
    told = _Told(*(row | {"created_at": created} for row in _rows("a", "c")))
    told.poll()
    assert told.sets[2] == (("a", "bc") if age.days < 28 else ("", ""))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=404),
        Reply(status=403),
        Reply(body={"commits": [{"id": "b"}]}),
        Reply(body={"commits": [{"id": 7}, {"id": "c"}]}),
        Reply(body={"commits": [{"id": "c"}] * (MOST_CHANGES + 1)}),
    ],
)
def test_what_cannot_be_compared_is_told_without_its_changes(reply: Reply) -> None:
    """A commit that is gone, a permission that lacks, a set with a hole or one too large."""
    told = _Told(*_rows("a", "c"))
    told.answered(lambda: reply)
    told.poll()
    assert (told.found[2].kind, told.sets[2]) == (DeployKind.PLANNED, ("", ""))


def test_a_comparison_that_keeps_failing_holds_up_no_deployment() -> None:
    """In its first poll it may be passing trouble; from the second on they are told without."""
    told = _Told(*_rows("a", "c"))
    told.answered(_down)
    told.poll()
    assert told.sets == {}
    told.poll()
    assert told.sets == {1: ("", ""), 2: ("", "")}


@pytest.mark.parametrize("fail_at", range(1, 9))
def test_a_poll_that_breaks_off_and_goes_on_tells_the_same(fail_at: int) -> None:
    """Whichever call fails."""
    told = _Told(*_rows("a", "c", "e"))
    told.poll(fail_at=fail_at, error=Unreachable("down"))
    for _ in range(2):
        told.poll()
    assert told.sets == {1: ("", ""), 2: ("a", "bc"), 3: ("c", "de")}


def test_without_change_sets_nothing_is_compared() -> None:
    """What goes back is known by what served all the same."""
    told = _Told(*_rows("a", "c", "a"), change_sets=False)
    told.poll()
    assert set(told.sets.values()) == {("", "")}
    assert (told.compared, told.found[3].kind) == ([], DeployKind.ROLLBACK)

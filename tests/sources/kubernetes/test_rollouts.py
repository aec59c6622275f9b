"""Deployments told by rollouts: another image that every pod runs, once, however it is seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.sources.kubernetes.kubernetes_server import Cluster, rolled, thing

from platform_meter.model.facts.delivery import DeployKind, Deployment, DeployResult
from platform_meter.sources.kubernetes import SOURCE, Config
from platform_meter.sources.kubernetes.rollouts import MOST_WORKLOADS, version
from platform_meter.testing.outside import FakeOutside

NOW = datetime(2026, 5, 4, 12, 0, 40, tzinfo=UTC)
APPS = "/apis/apps/v1"
SETTINGS: dict[str, Any] = {
    "cluster": "eu",
    "in_cluster": True,
    "page_size": 2,
    "rollouts": {"shop": "production", "*-test": "staging"},
    "skip_namespaces": ["tmp-test"],
}
Told = tuple[str, str, str, str]


class Meter:
    """One stream as the poller runs it, call by call, with what each call told of deployments."""

    def __init__(self, cluster: Cluster, resource: str = "deployments") -> None:
        self.cluster, self.path, self._resource = cluster, f"{APPS}/{resource}", resource
        self.checkpoint: bytes | None = None
        self.outside = FakeOutside(cluster)
        self.now, self.seen = NOW, list[Deployment]()

    def run(self, *things: dict[str, Any]) -> list[Told]:
        """Puts these, reads, and gives (key, result, kind, version) of what is said."""
        self.cluster.put(self.path, *things)
        streams = SOURCE.connect(Config.model_validate(SETTINGS), self.outside, "eu")
        stream = next(s for s in streams if s.name == self._resource)
        pages = list(stream.read(self.checkpoint, NOW - timedelta(days=7), self.now))
        self.checkpoint = next((p.checkpoint for p in reversed(pages) if p.checkpoint), self.checkpoint)
        told = [fact for page in pages for fact in page.facts if isinstance(fact, Deployment)]
        self.seen += told
        return [(fact.key, fact.result.value, fact.kind.value, fact.version) for fact in told]


def test_another_image_whose_rollout_completed_is_a_deployment() -> None:
    """Told once, when all of its pods run it; on the way nothing is said, and what stood at the start deployed nothing."""
    meter = Meter(Cluster())
    assert meter.run(rolled("web", "web:1")) == []
    assert meter.run(rolled("web", "web:2", revision=2, observed=1)) == []
    assert meter.run(rolled("web", "web:2", revision=2, updated=1)) == []
    assert meter.run(rolled("web", "web:2", revision=2, available=1)) == []
    told = [("rollout/uid-web/2", "success", "planned", "2")]
    assert meter.run(rolled("web", "web:2", revision=2, at="10:00:00")) == told
    assert meter.run(rolled("web", "web:2", revision=2, at="10:00:00", labels={"a": "b"})) == []
    (fact,) = meter.seen
    assert (fact.at, fact.environment) == (datetime(2026, 5, 1, 10, 0, tzinfo=UTC), "production")


def test_a_restart_and_a_scale_are_no_deployments() -> None:
    """Another revision of the same images, and more or fewer pods; scaled to none nothing serves."""
    meter = Meter(Cluster())
    meter.run(rolled("web", "web:1"))
    assert meter.run(rolled("web", "web:1", revision=2)) == []
    none = rolled("web", "web:2", revision=3)
    none["spec"]["replicas"] = 0
    none["status"] |= {"replicas": 0, "updatedReplicas": 0, "availableReplicas": 0}
    assert meter.run(none) == []
    assert meter.run(rolled("web", "web:2", revision=3)) == [("rollout/uid-web/3", "success", "planned", "2")]


def test_an_image_that_served_before_is_a_rollback() -> None:
    """Of the same workload, and not the one that serves now."""
    meter = Meter(Cluster())
    meter.run(rolled("web", "web:1"), rolled("api", "web:2"))
    meter.run(rolled("web", "web:2", "proxy:7", revision=2))
    assert meter.run(rolled("web", "web:1", revision=3)) == [("rollout/uid-web/3", "success", "rollback", "1")]
    assert meter.run(rolled("web", "web:2", revision=4)) == [("rollout/uid-web/4", "success", "planned", "2")]


def test_what_a_rollback_has_undone_is_none_when_it_is_tried_again() -> None:
    """Which of two is the older one is told by when each served first, whatever the call in which it is told."""
    meter = Meter(Cluster())
    meter.run(rolled("web", "web:1"))
    meter.run(rolled("web", "web:2", revision=2))
    told = [
        meter.run(rolled("web", f"web:{tag}", revision=tag + number)) for number, tag in enumerate((1, 2, 1, 3, 2), 2)
    ]
    assert [(kind, tag) for ((_, _, kind, tag),) in told] == [
        ("rollback", "1"),
        ("planned", "2"),
        ("rollback", "1"),
        ("planned", "3"),
        ("rollback", "2"),
    ]


def test_of_more_images_than_are_remembered_the_oldest_is_new_again() -> None:
    """Four, and the one that serves whichever it is."""
    meter = Meter(Cluster())
    for number in range(1, 5):
        meter.run(rolled("web", f"web:{number}", revision=number))
    assert meter.run(rolled("web", "web:1", revision=5)) == [("rollout/uid-web/5", "success", "rollback", "1")]
    assert meter.run(rolled("web", "web:5", revision=6)) == [("rollout/uid-web/6", "success", "planned", "5")]
    assert meter.run(rolled("web", "web:1", revision=7)) == [("rollout/uid-web/7", "success", "planned", "1")]


def test_a_rollout_that_is_given_up_has_failed_unless_it_serves_after_all() -> None:
    """One key: the later version of it is the success. What is rolled back to the image that still serves is no deployment."""
    meter = Meter(Cluster())
    meter.run(rolled("web", "web:1"))
    stuck = rolled("web", "web:2", revision=2, updated=1, reason="ProgressDeadlineExceeded", at="10:00:00")
    failed = [("rollout/uid-web/2", "failed", "planned", "2")]
    assert meter.run(stuck, stuck) == failed
    assert meter.run(rolled("web", "web:1", revision=3)) == []
    meter.run(stuck)
    served = rolled("web", "web:2", revision=2, at="10:30:00")
    assert meter.run(served) == [("rollout/uid-web/2", "success", "planned", "2")]
    versions = {fact.result: fact.updated for fact in meter.seen}
    assert versions[DeployResult.FAILED] == datetime(2026, 5, 1, 10, 0, tzinfo=UTC)
    assert versions[DeployResult.SUCCESS] == datetime(2026, 5, 1, 10, 30, tzinfo=UTC)


def test_what_was_first_seen_while_it_rolled_out_deployed_nothing() -> None:
    """Nobody knows what served before; from its end on it is known."""
    meter = Meter(Cluster())
    assert meter.run(rolled("web", "web:2", revision=2, updated=1, reason="ProgressDeadlineExceeded")) == []
    assert meter.run(rolled("web", "web:2", revision=2)) == []
    assert meter.run(rolled("web", "web:3", revision=3)) == [("rollout/uid-web/3", "success", "planned", "3")]


def test_what_came_while_nobody_watched_is_told_by_the_list() -> None:
    """An expired place leads to a list, which is compared with what served; that rollouts in between may be lost is a gap."""
    meter = Meter(Cluster())
    meter.run(rolled("web", "web:1"), rolled("api", "api:1"))
    meter.cluster.forget()
    meter.now += timedelta(hours=3)
    assert meter.run(rolled("web", "web:2", revision=2)) == [("rollout/uid-web/2", "success", "planned", "2")]
    assert [(gap.start, gap.end, gap.reason) for gap in meter.outside.gaps] == [(NOW, meter.now, "expired")]


def test_every_rollout_of_a_long_stop_is_told() -> None:
    """Where the cluster still knows what happened, that is heard before the list that is due: a list knows the last alone."""
    meter = Meter(Cluster())
    meter.run(rolled("web", "web:1"))
    meter.now += timedelta(hours=3)
    assert meter.run(
        rolled("web", "web:2", revision=2),
        rolled("web", "web:3", revision=3, updated=1),
        rolled("web", "web:3", revision=3),
    ) == [("rollout/uid-web/2", "success", "planned", "2"), ("rollout/uid-web/3", "success", "planned", "3")]
    assert [call.method for call in meter.outside.calls][-2:] == ["LINES", "GET"]
    assert meter.run() == []
    assert meter.outside.gaps == []


def test_a_list_again_says_nothing_twice_and_forgets_what_is_gone() -> None:
    """After `resync` all is listed: what serves is known, and of a deleted workload nothing is kept."""
    meter = Meter(Cluster())
    meter.run(rolled("web", "web:1"), rolled("api", "api:1"))
    meter.run(rolled("web", "web:2", revision=2))
    before = len(meter.checkpoint or b"")
    meter.cluster.delete(meter.path, "api")
    meter.cluster.forget()
    meter.now += timedelta(hours=2)
    assert meter.run() == []
    assert len(meter.checkpoint or b"") == before - len(',"0123abcd 0123abcd"')
    assert meter.run(rolled("web", "web:3", revision=3)) == [("rollout/uid-web/3", "success", "planned", "3")]


def test_a_workload_that_was_deleted_and_made_anew_is_seen_for_the_first_time() -> None:
    """Its name is the same, and nothing else."""
    meter = Meter(Cluster())
    meter.run(rolled("web", "web:1"))
    meter.cluster.delete(meter.path, "web")
    assert meter.run(rolled("web", "web:9", revision=2)) == []


@pytest.mark.parametrize(
    ("namespace", "environment"), [("shop", "production"), ("pay-test", "staging"), ("tmp-test", None), ("infra", None)]
)
def test_the_environment_is_that_of_the_first_glob_that_fits(namespace: str, environment: str | None) -> None:
    """A namespace that none fits, or that is left out, deploys nothing."""
    meter = Meter(Cluster())
    meter.run(rolled("web", "web:1", namespace=namespace))
    meter.run(rolled("web", "web:2", revision=2, namespace=namespace))
    assert [fact.environment for fact in meter.seen] == ([] if environment is None else [environment])


def stateful(
    image: str, generation: int, updated: int, *, revisions: tuple[str, str] = ("b", "b"), **more: Any
) -> dict[str, Any]:
    made = thing(
        "db",
        "shop",
        spec={"replicas": 2, "template": {"spec": {"initContainers": [{"image": image}]}}, **more},
        status={
            "observedGeneration": generation,
            "replicas": 2,
            "updatedReplicas": updated,
            "availableReplicas": 2,
            "currentRevision": revisions[0],
            "updateRevision": revisions[1],
        },
    )
    fields = [{"subresource": "status", "time": f"2026-05-01T10:0{updated}:00Z"}, {"time": "2026-05-01T11:00:00Z"}]
    made["metadata"] |= {"generation": generation, "managedFields": fields}
    return made


def test_a_stateful_set_is_done_when_its_revisions_are_one() -> None:
    """It tells no time of that: it is when its status was written. An image of an init container is one of its images."""
    meter = Meter(Cluster(), "statefulsets")
    meter.run(stateful("db:1", 1, 2))
    assert meter.run(stateful("db:2", 2, 2, revisions=("a", "b"))) == []
    assert meter.run(stateful("db:2", 2, 1)) == []
    assert meter.run(stateful("db:2", 2, 2)) == [("rollout/uid-db/generation-2", "success", "planned", "2")]
    assert [fact.at for fact in meter.seen] == [datetime(2026, 5, 1, 10, 2, tzinfo=UTC)]
    by_hand = {"updateStrategy": {"type": "OnDelete"}}
    told = meter.run(stateful("db:3", 3, 2, revisions=("a", "c"), **by_hand))
    assert told == [("rollout/uid-db/generation-3", "success", "planned", "3")]


def agent(image: str, generation: int, updated: int) -> dict[str, Any]:
    status = {"observedGeneration": generation, "desiredNumberScheduled": 5, "numberAvailable": 5}
    made = thing(
        "agent",
        "shop",
        spec={"template": {"spec": {"containers": [{"image": image}]}}},
        status={**status, "updatedNumberScheduled": updated},
    )
    made["metadata"] |= {
        "generation": generation,
        "managedFields": [{"subresource": "status", "time": "2026-05-01T10:00:00Z"}],
    }
    return made


def test_a_daemon_set_is_done_on_every_node() -> None:
    """Each node that should run it runs the new template."""
    meter = Meter(Cluster(), "daemonsets")
    meter.run(agent("agent:1", 1, 5))
    assert meter.run(agent("agent:2", 2, 4)) == []
    assert meter.run(agent("agent:2", 2, 5)) == [("rollout/uid-agent/generation-2", "success", "planned", "2")]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("web", ""),
        ("web:1.4", "1.4"),
        ("registry.example:5000/shop/web", ""),
        ("registry.example:5000/shop/web:1.4", "1.4"),
        ("web:1.4@sha256:abc", "sha256:abc"),
    ],
)
def test_a_version_is_the_digest_or_the_tag(image: str, expected: str) -> None:
    """A registry's port is no tag."""
    assert version(image) == expected


def test_a_tag_that_is_a_commit_is_one() -> None:
    """All 40 letters of it: by fewer no commit can be found again."""
    commit = "3f786850e387550fdab836ed7e6dc881de23001b"
    meter = Meter(Cluster())
    meter.run(rolled("web", "web:1"), rolled("api", "api:1"))
    meter.run(rolled("web", f"web:{commit}", revision=2), rolled("api", "api:3f78685", revision=2))
    assert [(fact.sha, fact.version) for fact in meter.seen] == [(commit, commit), ("", "3f78685")]


def test_what_is_remembered_is_bounded() -> None:
    """Of more workloads those that deployed longest ago are forgotten: their next rollout is taken for the first."""
    meter = Meter(Cluster())
    many = [rolled(f"w{number}", "web:1") for number in range(MOST_WORKLOADS + 1)]
    meter.run(*many)
    assert len(meter.checkpoint or b"") < 25 * MOST_WORKLOADS
    told = meter.run(rolled("w0", "web:2", revision=2), rolled("w1", "web:2", revision=2))
    assert told == [("rollout/uid-w1/2", "success", "planned", "2")]
    assert [fact.kind for fact in meter.seen] == [DeployKind.PLANNED]

"""Clusters that a cloud lists: the case of the contract on EKS, and what each of the two clouds does alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.access import Access, Aws, Google
from platform_meter.model.facts import Ref
from platform_meter.model.facts.kubernetes import CloudCluster, Provider
from platform_meter.model.source import Page, Unreachable
from platform_meter.sources.clusters import SOURCE, Config
from platform_meter.testing import Case, Later
from platform_meter.testing.outside import Answering, Call, FakeOutside, Reply

NOW = datetime(2026, 5, 4, 12, 0, 40, tzinfo=UTC)
SINCE = NOW - timedelta(days=7)
EKS: dict[str, Any] = {"eks": {"region": "eu-central-1"}}
GKE: dict[str, Any] = {"gke": {"project": "acme"}}


class Region:
    """EKS of one region, which lists two clusters a page."""

    def __init__(self, *names: str, **odd: Reply) -> None:
        self.names, self.odd, self.versions = list(names), odd, dict[str, str]()

    def __call__(self, call: Call) -> Reply:
        if call.path == "/clusters":
            start = int(call.params.get("nextToken", "0"))
            more = str(start + 2) if start + 2 < len(self.names) else None
            return Reply(body={"clusters": self.names[start : start + 2], "nextToken": more})
        name = call.path.rpartition("/")[2]
        if name in self.odd:
            return self.odd[name]
        cluster = {
            "name": name,
            "arn": f"arn:aws:eks:eu-central-1:123456789012:cluster/{name}",
            "status": "ACTIVE",
            "version": self.versions.get(name, "1.33"),
            "identity": {"oidc": {"issuer": f"https://oidc.eks.eu-central-1.amazonaws.com/id/{name.upper()}"}},
        }
        return Reply(body={"cluster": cluster})


def cluster(name: str, version: str = "1.33", issuer: str | None = None) -> CloudCluster:
    return CloudCluster(
        about=Ref(system="clusters", kind="cluster", id=f"eks/123456789012/eu-central-1/{name}"),
        provider=Provider.EKS,
        account="123456789012",
        region="eu-central-1",
        name=name,
        version=version,
        issuer=f"https://oidc.eks.eu-central-1.amazonaws.com/id/{name.upper()}" if issuer is None else issuer,
    )


def later_world() -> Answering:
    """One cluster is of a newer version, one may not be described, one is odd, one is new, one goes away meanwhile."""
    made = Region("prod", "test", "dark", "odd", "new", "going", dark=Reply(status=403), going=Reply(status=404))
    made.odd["odd"] = Reply(body={"cluster": {"name": "odd", "arn": "none"}})
    made.versions["prod"] = "1.34"
    return made


CASE = Case(
    settings=EKS,
    answers=lambda: Region("prod", "test", "lab"),
    now=NOW,
    since=SINCE,
    expected=[cluster("prod"), cluster("test"), cluster("lab")],
    later=Later(
        answers=later_world,
        after=timedelta(hours=1),
        expected=[cluster("prod", "1.34"), cluster("new")],
        gaps=["dark: "],
        rejected=1,
    ),
)


def read(answering: Answering, settings: dict[str, Any]) -> list[Page]:
    (stream,) = SOURCE.connect(Config.model_validate(settings), FakeOutside(answering), "clouds")
    return list(stream.read(None, SINCE, NOW))


def test_a_list_is_whole_unless_a_cluster_may_not_be_described() -> None:
    """Then nobody knows that one's account, and what it was before is not over."""
    (page,) = read(Region("prod", "gone", gone=Reply(status=404)), EKS)
    assert (page.facts, page.complete) == ([cluster("prod")], frozenset({CloudCluster}))
    (page,) = read(Region("prod", "dark", dark=Reply(status=403)), EKS)
    assert (page.facts, page.complete) == ([cluster("prod")], frozenset())


def test_a_cluster_that_is_being_created_has_no_issuer_yet() -> None:
    """It is there all the same."""
    body = {"cluster": {"name": "new", "arn": "arn:aws:eks:eu-central-1:123456789012:cluster/new", "identity": None}}
    (page,) = read(Region("new", new=Reply(body=body)), EKS)
    assert page.facts == [cluster("new", version="", issuer="")]


def test_a_project_has_its_clusters_in_regions_and_zones() -> None:
    """Asked for once, of all locations; the issuer of each follows from its name."""
    rows = [
        {"name": "prod", "location": "europe-west1", "currentMasterVersion": "1.33.4-gke.100"},
        {"name": "lab", "location": "europe-west1-b", "status": "RUNNING"},
    ]

    def answer(call: Call) -> Reply:
        assert call.path == "/v1/projects/acme/locations/-/clusters"
        return Reply(body={"clusters": rows})

    (page,) = read(answer, GKE)
    assert page.complete == frozenset({CloudCluster})
    found = [fact for fact in page.facts if isinstance(fact, CloudCluster)]
    assert [(one.about.id, one.version, one.issuer) for one in found] == [
        (
            "gke/acme/europe-west1/prod",
            "1.33.4-gke.100",
            "https://container.googleapis.com/v1/projects/acme/locations/europe-west1/clusters/prod",
        ),
        (
            "gke/acme/europe-west1-b/lab",
            "",
            "https://container.googleapis.com/v1/projects/acme/locations/europe-west1-b/clusters/lab",
        ),
    ]
    (none,) = read(lambda _: Reply(body={}), GKE)
    assert (none.facts, none.complete) == ((), frozenset({CloudCluster}))


def test_zones_that_do_not_answer_leave_the_list_unknown() -> None:
    """A list without them would say that their clusters are gone."""
    with pytest.raises(Unreachable, match="nothing is told of europe-west1-b, europe-west1-c"):
        read(lambda _: Reply(body={"missingZones": ["europe-west1-c", "europe-west1-b"]}), GKE)


def test_each_cloud_is_entered_in_its_way() -> None:
    """And exactly one of them is named."""
    role = "arn:aws:iam::1:role/meter"
    eks = Config.model_validate({"eks": {"region": "eu-central-1", "role": role, "profile": "p"}})
    assert SOURCE.access(eks) == Access(credential=Aws(service="eks", region="eu-central-1", role=role, profile="p"))
    assert SOURCE.access(Config.model_validate(GKE)) == Access(
        credential=Google(url="https://container.googleapis.com")
    )
    with pytest.raises(ValidationError, match="both of eks and gke is set; write exactly one"):
        Config.model_validate({**EKS, **GKE})
    with pytest.raises(ValidationError, match="none of eks and gke is set"):
        Config.model_validate({})


@pytest.mark.parametrize(
    ("settings", "lacks"),
    [
        (EKS, "allow eks:ListClusters and eks:DescribeCluster to this identity"),
        (GKE, "grant container.clusters.list (roles/container.clusterViewer) on the project, and enable the API there"),
    ],
)
def test_check_says_what_to_allow(settings: dict[str, Any], lacks: str) -> None:
    """One line; nothing for a region without a cluster."""
    config = Config.model_validate(settings)
    (line,) = SOURCE.check(config, FakeOutside(lambda _: Reply(status=403)))
    assert line.endswith(f": 403; {lacks}")
    assert SOURCE.check(config, FakeOutside(lambda _: Reply(body={"clusters": []}))) == []


def test_check_describes_one_too() -> None:
    """Both permissions are needed."""
    (line,) = SOURCE.check(Config.model_validate(EKS), FakeOutside(Region("dark", dark=Reply(status=403))))
    assert line.startswith("GET /clusters/dark: 403; allow")

"""What facts of GitOps add to rollups, and which of them are good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from platform_meter.model.facts import Ref, Tally
from platform_meter.model.facts.gitops import (
    GITOPS_PROPAGATION,
    GITOPS_SYNCS,
    GitopsPropagation,
    GitopsSync,
    PropagationDim,
    RolloutDim,
    RolloutEnded,
    RolloutResult,
    SyncDim,
    SyncReason,
    SyncResult,
)
from platform_meter.model.objective import StoredSli

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
REF = Ref(system="argocd", kind="application", id="argocd/shop")


def sync(result: SyncResult, *, dry_run: bool = False) -> GitopsSync:
    return GitopsSync(
        key="1", at=AT, about=REF, result=result, reason=SyncReason.OTHER, started=AT - timedelta(seconds=90),
        revisions=("abc",), automated=True, dry_run=dry_run, project="store", cluster="eu", namespace="shop",
    )  # fmt: skip


def propagation(seconds: float) -> GitopsPropagation:
    return GitopsPropagation(key="1", at=AT, about=REF, seconds=seconds, project="store", cluster="eu")


def test_a_sync_is_tallied_by_its_end_and_place_with_its_seconds() -> None:
    """A dry run apart."""
    dim = SyncDim(SyncResult.FAILED, "true", "store", "eu")
    assert sync(SyncResult.FAILED, dry_run=True).tallies() == (Tally(dim=dim, amount=90.0),)


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.0, "30"), (30.0, "30"), (30.1, "60"), (600.0, "600"), (14_400.0, "14400"), (14_401.0, "+Inf")]
)  # fmt: skip
def test_a_propagation_is_tallied_by_the_bucket_that_holds_it(seconds: float, bucket: str) -> None:
    """Bounds are inclusive."""
    dim = PropagationDim(bucket, "store", "eu")
    assert propagation(seconds).tallies() == (Tally(dim=dim, amount=seconds),)


def test_a_rollout_is_tallied_by_its_end() -> None:
    """One event each."""
    ended = RolloutEnded(key="1", at=AT, about=REF, result=RolloutResult.ABORTED, version="abc")
    assert ended.tallies() == (Tally(dim=RolloutDim(RolloutResult.ABORTED)),)


@pytest.mark.parametrize(
    ("where", "result", "dry_run", "good"),
    [
        ({}, SyncResult.SUCCESS, "false", True),
        ({}, SyncResult.FAILED, "false", False),
        ({}, SyncResult.ERROR, "false", False),
        ({}, SyncResult.FAILED, "true", None),
        ({"project": "store", "cluster": "eu"}, SyncResult.SUCCESS, "false", True),
        ({"project": "infra"}, SyncResult.SUCCESS, "false", None),
        ({"cluster": "us"}, SyncResult.SUCCESS, "false", None),
    ],
)
def test_sync_success_is_of_what_changed_something(
    where: dict[str, str], result: SyncResult, dry_run: str, good: bool | None
) -> None:
    """Succeeded of succeeded, failed and error; dry runs and other places are not valid."""
    sli = StoredSli(events=GITOPS_SYNCS, where=where)
    assert GITOPS_SYNCS.good(sli, SyncDim(result, dry_run, "store", "eu")) is good


@pytest.mark.parametrize(
    ("where", "bucket", "good"),
    [({}, "300", True), ({}, "600", True), ({}, "900", False), ({}, "+Inf", False), ({"project": "infra"}, "300", None)],
)  # fmt: skip
def test_a_propagation_is_good_within_the_threshold(where: dict[str, str], bucket: str, good: bool | None) -> None:
    """Exact at each bound."""
    sli = StoredSli(events=GITOPS_PROPAGATION, where=where, threshold=600.0)
    assert GITOPS_PROPAGATION.good(sli, PropagationDim(bucket, "store", "eu")) is good


def test_a_bad_event_is_told_in_words() -> None:
    """What it was, and why it is bad."""
    assert GITOPS_SYNCS.told(sync(SyncResult.ERROR)) == ("argocd/shop", "error: other")
    assert GITOPS_PROPAGATION.told(propagation(1234.5)) == ("argocd/shop", "served after 1,234 s")

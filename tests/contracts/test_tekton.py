"""The tekton source on a real API server with Tekton's own resource definitions and sample runs, and our rights in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.kube_api import KubeApi, running
from tests.support.places import ROOT
from tests.support.real_source import Connected, connected
from tests.support.waiting import until

from platform_meter.model.access import Secret
from platform_meter.model.facts.ci import Outcome, PipelineJob, PipelineRun
from platform_meter.sources.tekton import SOURCE, Config

SPACE = "/apis/tekton.dev/v1/namespaces/shop"
START, END = "2026-05-04T10:00:05Z", "2026-05-04T10:05:05Z"
LONG = timedelta(days=3650)


def documents(*parts: str) -> Iterator[dict[str, Any]]:
    """Every document of the files that match, in order of their names."""
    folder = Path(os.environ["PLATFORM_METER_CONTRACTS"])
    for file in sorted(folder.glob("/".join(parts))):
        yield from (found for found in yaml.safe_load_all(file.read_text("utf-8")) if found)


SAMPLES = [found for found in documents("samples", "tekton", "*.yaml") if found["kind"] == "PipelineRun"]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    """A cluster with Tekton's kinds and every sample, some of which ended well."""
    for made in running(tmp_path_factory.mktemp("kube-api")):
        made.apply((ROOT / "deploy" / "kubernetes" / "rbac.yaml").read_text("utf-8"))
        made.create("/api/v1/namespaces", metadata={"name": "shop"})
        yield made


@pytest.fixture(scope="module")
def meter(api: KubeApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    file = tmp_path_factory.mktemp("account") / "token"
    file.write_text(api.service_account_token("platform-meter", "platform-meter"))
    config = Config(cluster="eu", url=api.url, token=Secret(file=str(file)), ca_file=api.ca_file, page_size=3)
    with connected(SOURCE, config) as found:
        yield found


def install(api: KubeApi) -> None:
    """Tekton's own definitions of the two kinds."""
    for definition in documents("crds", "tekton-*run.yaml"):
        api.done("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition)
    for name in ("pipelineruns", "taskruns"):
        until(lambda name=name: api.call("GET", f"{SPACE}/{name}").ok)  # type: ignore[misc] # its default is the name


def ended(api: KubeApi, kind: str, name: str, *, status: str, reason: str, **more: Any) -> None:
    condition = {"type": "Succeeded", "status": status, "reason": reason, "lastTransitionTime": END}
    body = {"conditions": [condition], "startTime": START, "completionTime": END, **more}
    api.patch(f"{SPACE}/{kind}/{name}/status", status=body)


def test_tekton_that_comes_later_is_read_and_its_samples_are_told(api: KubeApi, meter: Connected) -> None:
    """Not installed is no failure; then every sample that ended is one run, and what runs is told when it has ended."""
    runs = meter.stream("pipelineruns")
    (page,) = runs.run(since=LONG)
    assert page.progress is not None
    assert "not installed" in page.progress.what
    install(api)
    assert meter.check() == []
    names = [api.done("POST", f"{SPACE}/pipelineruns", sample)["metadata"]["name"] for sample in SAMPLES]
    assert len(names) == len(SAMPLES) >= 10
    for name in names[1:]:
        ended(api, "pipelineruns", name, status="True", reason="Succeeded")
    runs.run(since=LONG)
    assert len(runs.events) == len(names) - 1
    found = [run for run in runs.events.values() if isinstance(run, PipelineRun)]
    assert {(run.outcome, run.ran) for run in found} == {(Outcome.SUCCESS, timedelta(minutes=5))}
    assert all(run.about.id.startswith("eu/shop/") for run in found)

    first = SAMPLES[0]["metadata"].get("name") or names[0]
    labels = {"tekton.dev/pipelineRun": names[0], "tekton.dev/pipelineTask": "test"}
    api.done(
        "POST",
        f"{SPACE}/taskruns",
        {
            "apiVersion": "tekton.dev/v1",
            "kind": "TaskRun",
            "metadata": {"name": "one", "labels": labels},
            "spec": {"taskSpec": {"steps": [{"name": "unit", "image": "go:1"}]}},
        },
    )
    step = {
        "name": "unit",
        "terminated": {"exitCode": 3, "reason": "Error", "startedAt": START, "finishedAt": END},
    }
    ended(api, "taskruns", "one", status="False", reason="Failed", podName="one", steps=[step])
    ended(api, "pipelineruns", names[0], status="False", reason="Failed")
    reading = runs.open(since=LONG)
    while len(runs.events) < len(names):
        next(reading)
    (failed,) = [run for run in runs.events.values() if isinstance(run, PipelineRun) and run.outcome != Outcome.SUCCESS]
    assert (failed.outcome, failed.reason) == (Outcome.USER_FAILURE, "Failed in test/unit")
    assert first.startswith(failed.pipeline)

    tasks = meter.stream("taskruns")
    tasks.run(since=LONG)
    (job,) = tasks.events.values()
    assert isinstance(job, PipelineJob)
    assert job.outcome is Outcome.USER_FAILURE
    assert meter.gaps == []


def test_a_run_that_is_deleted_while_it_goes_on_is_a_gap(api: KubeApi, meter: Connected) -> None:
    """Its end is unknown."""
    runs = meter.stream("pipelineruns")
    runs.run(since=LONG)
    before = len(runs.events)
    sample = {**SAMPLES[0], "metadata": {"name": "pruned"}}
    api.done("POST", f"{SPACE}/pipelineruns", sample)
    api.delete(f"{SPACE}/pipelineruns/pruned")
    api.done("POST", f"{SPACE}/pipelineruns", {**SAMPLES[0], "metadata": {"name": "behind"}})
    ended(api, "pipelineruns", "behind", status="True", reason="Succeeded")
    reading = runs.open(since=LONG)
    while len(runs.events) == before:
        next(reading)
    assert [gap.text for gap in meter.gaps] == ["shop/pruned was deleted before it ended"]

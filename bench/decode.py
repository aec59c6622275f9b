"""From bytes to facts: what a run costs each source, its answers ready in memory.

    python -m bench.decode [--repeat N]

Sources poll a simulated company whose answers are kept from a poll before, and which has nothing but runs. What is left is
decoding, telling how a run ended, and where the next poll goes on: no sockets, no store. The floor is msgspec reading
the same bytes as plain values.
"""

from __future__ import annotations

import argparse
import gc
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, TypeVar

import msgspec
from tests.demo import worlds

from platform_meter.demo.company.layout import ORG
from platform_meter.demo.company.pipelines import BOUGHT
from platform_meter.demo.world import World
from platform_meter.model.facts import Event
from platform_meter.model.facts.ci import PipelineRun
from platform_meter.model.facts.gitops import GitopsSync
from platform_meter.model.source import Answer, Stream
from platform_meter.sources import load
from platform_meter.testing import Call, FakeOutside, Reply

T = TypeVar("T")
TARGET = 40.0
"""Microseconds of CPU for a run of a pipeline, read from a list."""
HISTORY = timedelta(days=90)
LATER = timedelta(hours=6)
"""From the first poll to the one that is measured: what ended in between is told with all its details."""
SPEC = {
    "tasks": [
        {"name": f"t{n}", "taskRef": {"name": "build"}, "params": [{"name": "a", "value": "b" * 40}]} for n in range(12)
    ]
}
MANAGED = [{"manager": "controller", "fieldsV1": {f"f:{n}": {"f:state": {}, ".": {}} for n in range(40)}}]
"""What objects of a cluster carry, and nobody reads."""
OTHER_THINGS = re.compile(r"/(deployments|merge_requests|pulls|issues)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One source with what it reads, and the kind of fact that a run is there."""

    name: str
    title: str
    company: Callable[[World], worlds.Caller]
    settings: Mapping[str, Any]
    brief: Mapping[str, Any]
    """Settings beside those that leave runs without details of their own."""
    streams: tuple[str, ...]
    brief_streams: tuple[str, ...]
    run: type[Event] = PipelineRun
    copies: int = 1
    """Of each object of a list: the company has few applications."""


TOKEN = {"token": {"env": "TOKEN"}}
SYSTEMS = (
    System(
        name="github",
        title="GitHub Actions",
        company=partial(worlds.github, limit=1_000_000),
        settings={**TOKEN, "org": ORG, "codeowners": False},
        brief={"jobs": "none"},
        streams=("api",),
        brief_streams=("api",),
    ),
    System(
        name="jenkins",
        title="Jenkins",
        company=worlds.jenkins,
        settings={**TOKEN, "url": "http://jenkins.test", "user": "meter"},
        brief={"details": "none"},
        streams=("builds",),
        brief_streams=("builds",),
    ),
    System(
        name="gitlab",
        title="GitLab CI",
        company=worlds.gitlab,
        settings={**TOKEN, "url": "http://gitlab.test", "group": BOUGHT, "queue": False},
        brief={"jobs": "none"},
        streams=("api",),
        brief_streams=("api",),
    ),
    System(
        name="tekton",
        title="Tekton",
        company=worlds.tekton,
        settings={"cluster": "ml", "context": "ml"},
        brief={},
        streams=("pipelineruns", "taskruns"),
        brief_streams=("pipelineruns",),
    ),
    System(
        name="argocd",
        title="Argo CD",
        company=worlds.argocd,
        settings={**TOKEN, "url": "http://argocd.test", "cluster": "eu"},
        brief={},
        streams=(),
        brief_streams=("applications",),
        run=GitopsSync,
        copies=100,
    ),
)


@cache
def decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_)


class Ready(FakeOutside):
    """Keeps every answer as bytes, and gives it again to whoever asks the same; decoded as on the way from a socket."""

    def __init__(self, company: worlds.Caller, copies: int) -> None:
        super().__init__(company.answer)
        self.kept: dict[tuple[str, str], Reply] = {}
        self._lines: dict[tuple[str, str], list[Sequence[bytes]]] = {}
        self._copies = copies

    def get(
        self,
        path: str,
        type_: type[T],
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - the protocol's
        etag: str = "",  # noqa: ARG002 - the protocol's
    ) -> Answer[T]:
        at = (path, str(params))
        reply = self.kept.get(at)
        if reply is None:
            given = {name: value for name, value in (params or {}).items() if value is not None}
            reply = self.kept[at] = self._first(Call(method="GET", path=path, params=given))
        if reply.status >= 400:
            self._refuse(Call(method="GET", path=path), reply)
        shape: Any = type_
        return Answer(body=decoder(shape).decode(reply.body), headers=reply.headers)

    def lines(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 330.0,
    ) -> Iterator[Sequence[bytes]]:
        at = (path, str(params))
        if at not in self._lines:
            self._lines[at] = list(super().lines(path, params=params, headers=headers, timeout=timeout))
        yield from self._lines[at]

    def _first(self, call: Call) -> Reply:
        if OTHER_THINGS.search(call.path):
            return Reply(body=b"[]")
        found = self.answering(call)
        if found.status < 400 and b'"items"' in found.body and "labelSelector" not in call.params:
            return Reply(body=msgspec.json.encode(_as_in_a_cluster(msgspec.json.decode(found.body), self._copies)))
        return found


def _as_in_a_cluster(body: Any, copies: int) -> Any:
    """A list of objects that are as large as there, each so often."""
    items = []
    for n in range(copies):
        for item in deepcopy(body["items"]):
            item["metadata"]["managedFields"] = MANAGED
            if item.get("kind") in {"PipelineRun", "TaskRun"}:
                item["status"]["pipelineSpec"] = SPEC
            if n:
                item["metadata"]["name"] += f"-{n}"
                item["metadata"]["uid"] = f"{n:08x}{item['metadata']['uid'][8:]}"
            items.append(item)
    return {**body, "items": items}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one poll."""

    runs: int
    facts: int
    size: int
    """Bytes of all answers."""
    seconds: float
    floor: float


def read(
    streams: Sequence[Stream], places: Mapping[str, bytes | None], since: datetime, now: datetime, run: type[Event]
) -> tuple[int, int, dict[str, bytes | None]]:
    """Runs and facts that are told from these places on, and the new places."""
    runs = facts = 0
    left = dict(places)
    for stream in streams:
        for page in stream.read(places.get(stream.name), since, now):
            left[stream.name] = page.checkpoint or left.get(stream.name)
            facts += len(page.facts)
            runs += sum(isinstance(fact, run) for fact in page.facts)
    return runs, facts, left


def cost(system: System, *, brief: bool, repeat: int) -> Cost:
    """Of the first poll without details, or of a later one with all of them."""
    clock = worlds.Clock()
    company = system.company(worlds.small_world(clock, services=72))
    source = load()[system.name]
    config = source.config.model_validate({**system.settings, **(system.brief if brief else {})})
    names = system.brief_streams if brief else system.streams
    since = clock.at - HISTORY
    places: dict[str, bytes | None] = {}

    def streams(outside: Ready) -> list[Stream]:
        return [stream for stream in source.connect(config, outside, system.name) if stream.name in names]

    if system.name == "tekton":  # what stands there is listed: a watch would last
        clock.at += LATER
    elif not brief:
        *_, places = read(streams(Ready(company, system.copies)), {}, since, clock.at, system.run)
        clock.at += LATER
    ready = Ready(company, system.copies)
    once = partial(read, streams(ready), places, since, clock.at, system.run)
    runs, facts, _ = once()
    gc.collect()
    gc.freeze()
    taken, least = [], []
    for _ in range(repeat):
        began = time.process_time()
        once()
        middle = time.process_time()
        for reply in ready.kept.values():
            msgspec.json.decode(reply.body)
        taken.append(middle - began)
        least.append(time.process_time() - middle)
    gc.unfreeze()
    size = sum(len(reply.body) for reply in ready.kept.values())
    return Cost(runs=runs, facts=facts, size=size, seconds=statistics.median(taken), floor=statistics.median(least))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=7, help="polls whose median is told")
    repeat = parser.parse_args().repeat
    well = True
    for brief, title in ((True, "Runs read from lists"), (False, "Runs with all their details")):
        print(f"{title}\n\n| what | runs | facts a run | KB a run | CPU µs a run | CPU µs a fact | CPU, floor = 1 |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for system in SYSTEMS:
            if not (brief or system.streams):
                continue
            found = cost(system, brief=brief, repeat=repeat)
            each = found.seconds * 1e6 / found.runs
            well = well and (not brief or system.run is not PipelineRun or each <= TARGET)
            print(
                f"| {system.title} | {found.runs:,} | {found.facts / found.runs:.1f} | {found.size / found.runs / 1000:.1f} "
                f"| {each:.1f} | {found.seconds * 1e6 / found.facts:.1f} | {found.seconds / found.floor:.1f} |"
            )
        print()
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())

"""Jenkins' builds as facts: whose failure one was (domain section 7), what started it, and which code it built."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import Outcome, PipelineActive, PipelineJob, PipelineRun
from platform_meter.model.outcomes import Rules, Signs, classify
from platform_meter.sources.jenkins.rows import Action, Build, Nodes, Queue, Stages
from platform_meter.sources.kit.remotes import repository

SYSTEM = "jenkins"
TRIGGERS = (
    ("TimerTrigger", "schedule"),
    ("SCMTrigger", "push"),
    ("BranchEvent", "push"),
    ("BranchIndexing", "push"),
    ("GitHubPush", "push"),
    ("GitLabWebHook", "push"),
    ("UserId", "manual"),
    ("Upstream", "upstream"),
    ("Remote", "remote"),
    ("Replay", "manual"),
)
"""Words in the class of a cause; the first that fits."""
_WORDS = (("by timer", "schedule"), ("SCM change", "push"), ("by user", "manual"), ("upstream", "upstream"))
"""The same in its description, where a server tells no classes."""
_WAITED_FOR = re.compile(r"[‘'\"](.+?)[’'\"]")
_FAILED = frozenset({"FAILED", "FAILURE"})
_NO_TIME = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A job, by where it stands."""

    name: str
    """With the folders before it, parted by slashes."""
    project: str = ""
    """The multibranch project that it is a branch of."""
    pipeline: bool = False
    """Whether its builds have stages."""
    server: str = ""
    """Address of what it stands on."""

    @property
    def path(self) -> str:
        return "".join(f"/job/{part}" for part in self.name.split("/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was asked about a build beside its own row."""

    stages: Stages | None = None
    log: str = ""
    """The end of its console."""
    queued: timedelta | None = None
    """How long it waited for an executor."""


def signs_of(build: Build, known: Known) -> Signs:
    """What a build tells of its end, as far as it was asked."""
    result = build.result or ""
    failed = next((s for s in known.stages.stages if s.status in _FAILED), None) if known.stages else None
    if result != "FAILURE" or failed is None:
        return Signs(conclusion=result, log=known.log)
    said = f"{failed.error.message or ''}\n{known.log}" if failed.error else known.log
    return Signs(conclusion=result, step=failed.name, log=said)


def facts_of(place: Place, build: Build, label: str, known: Known, rules: Rules) -> Iterator[PipelineRun | PipelineJob]:
    """An ended build: the run, and the time that it had an executor; nothing while it goes on."""
    end = build.ended
    if end is None:
        return
    signs = signs_of(build, known)
    how, decided = classify(signs, rules)
    paused = timedelta(milliseconds=known.stages.pause_duration_millis) if known.stages else _NO_TIME
    ran = max(timedelta(milliseconds=build.duration) - paused, _NO_TIME)
    actions = [action for action in build.actions if action is not None]
    sha = next((a.last_built_revision.sha for a in actions if a.last_built_revision), "")
    key, about, pool = (
        f"{place.name}/{build.number}/{build.timestamp}",
        about_of(place, actions),
        label or build.built_on,
    )
    yield PipelineRun(
        key=f"build/{key}",
        at=end,
        about=about,
        pipeline=place.project or place.name,
        outcome=how,
        ran=ran,
        # Without its commit nobody knows whether two builds had the same inputs.
        group=f"{place.name}|{sha}|{_inputs(actions)}" if sha else f"{place.name}|{build.number}|{build.timestamp}",
        sha=sha,
        trigger=trigger(actions),
        reason="" if how is Outcome.SUCCESS else f"failed in {signs.step}" if signs.step else signs.why,
        rule=decided,
        pool=pool or "",
        approval=paused or None,
        executing=ran,
        url=f"{place.server}{place.path}/{build.number}/" if place.server else "",
    )
    if how is not Outcome.SKIPPED:
        yield PipelineJob(
            key=f"executor/{key}",
            at=end,
            about=about,
            run=f"build/{key}",
            pool=pool or "",
            outcome=how,
            ran=ran,
            queued=known.queued,
        )


def _inputs(actions: Iterable[Action]) -> str:
    """A digest of the parameters: their values may be secrets."""
    given = sorted((p.name, bytes(p.value)) for action in actions for p in action.parameters or ())
    return hashlib.sha256(repr(given).encode()).hexdigest()[:16] if given else ""


def trigger(actions: Iterable[Action]) -> str:
    """What started a build; empty where nothing that is known did."""
    causes = [cause for action in actions for cause in action.causes or ()]
    for cause in causes:
        for word, name in TRIGGERS:
            if word in cause.class_.rpartition(".")[2]:
                return name
    said = " ".join(cause.short_description or "" for cause in causes)
    return next((name for word, name in _WORDS if word in said), "")


def about_of(place: Place, actions: Iterable[Action]) -> Ref:
    """The job, with its multibranch project and its repository."""
    remotes = [url for action in actions for url in action.remote_urls or ()]
    links = [link for link in map(repository, remotes[:1]) if link]
    if place.project:
        links.insert(0, f"{SYSTEM}:{place.project}")
    return Ref(system=SYSTEM, kind="job", id=place.name, links=tuple(links))


def active(queue: Queue, nodes: Nodes) -> list[PipelineActive]:
    """What waits for an executor and what has one, by pool.

    A node's pool is its first label by name that is not its own; what waits tells the label that it waits for. Items
    that are blocked by their own job, or rest before they may start, wait for no executor.
    """
    running, queued = Counter[str](), Counter[str]()
    for node in nodes.computer:
        labels = sorted(label.name for label in node.assigned_labels if label.name != node.display_name)
        busy = sum(executor.current_executable is not None for executor in node.executors)
        running[labels[0] if labels else node.display_name] += busy
    for item in queue.items:
        if item.buildable:
            named = _WAITED_FOR.search(item.why or "")
            queued[named[1] if named else ""] += 1
    return [
        PipelineActive(
            about=Ref(system=SYSTEM, kind="pool", id=pool or "-"), pool=pool, queued=queued[pool], running=running[pool]
        )
        for pool in sorted(running.keys() | queued.keys())
    ]

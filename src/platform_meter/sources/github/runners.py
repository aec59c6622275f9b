"""Runners of the organisation's own, by pool: what could take on more, what works, and what is offline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from platform_meter.model.facts import Ref
from platform_meter.model.facts.ci import PipelineRunners
from platform_meter.model.source import Answer, Forbidden, Outside, Unexpected
from platform_meter.sources.github.facts import SYSTEM, pool_of_own
from platform_meter.sources.github.poll import PER_PAGE
from platform_meter.sources.github.rows import Runner, RunnerGroup, RunnerGroups, Runners, more
from platform_meter.sources.github.state import State
from platform_meter.sources.kit.walk import Walk

REFUSED = timedelta(hours=1)
"""Without the permission they are not asked for this long."""

P = TypeVar("P", Runners, RunnerGroups)
R = TypeVar("R", Runner, RunnerGroup)


def read_runners(org: str, outside: Outside, state: State, now: datetime) -> list[PipelineRunners]:
    """As they stand now; none while the token may not list them, which ends no poll.

    Raises:
        SourceError: they can't be read for another reason.
    """
    if state.runners_after is not None and now < state.runners_after:
        return []
    root = f"/orgs/{org}/actions"
    try:
        groups = _all(outside, f"{root}/runner-groups", RunnerGroups, lambda page: page.runner_groups)
        runners = _all(outside, f"{root}/runners", Runners, lambda page: page.runners)
    except (Forbidden, Unexpected) as error:
        if isinstance(error, Unexpected) and error.status != 404:
            raise
        state.runners_after = now + REFUSED
        return []
    state.runners_after = None
    return _pools(org, {group.id: group.name for group in groups}, runners)


def _pools(org: str, groups: dict[int, str], runners: list[Runner]) -> list[PipelineRunners]:
    counts = Counter[tuple[str, str]]()
    for runner in runners:
        own = [label.name for label in runner.labels if label.type == "custom"]
        pool = pool_of_own(groups.get(runner.runner_group_id or 0, ""), own)
        counts[pool, "offline" if runner.status != "online" else "busy" if runner.busy else "idle"] += 1
    return [
        PipelineRunners(
            about=Ref(system=SYSTEM, kind="pool", id=f"{org}/{pool or '-'}"),
            pool=pool,
            idle=counts[pool, "idle"],
            busy=counts[pool, "busy"],
            offline=counts[pool, "offline"],
        )
        for pool in sorted({pool for pool, _ in counts})
    ]


def _all(outside: Outside, path: str, type_: type[P], rows: Callable[[P], list[R]]) -> list[R]:
    """Every row of a list, each once: runners that go meanwhile move others to pages that come again."""

    def ids(answer: Answer[P]) -> tuple[int, ...]:
        return tuple(row.id for row in rows(answer.body)) if answer.body else ()

    found: dict[int, R] = {}
    walk = Walk(path)
    for number in range(1, 1_000):
        params = {"per_page": PER_PAGE, "page": number}
        answer = walk.page(ids, partial(outside.get, path, type_, params=params))
        got = rows(answer.body) if answer.body else []
        found |= {row.id: row for row in got}
        if not more(answer.headers, len(got) + answer.odd, PER_PAGE):
            break
    return list(found.values())

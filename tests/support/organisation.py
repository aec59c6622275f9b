"""A large organisation on a simulated GitHub with GitHub's limits, and a clock that only its answers and waits move.

Each answer takes its time, divided by how many calls go side by side where repositories are visited; the pace and the
quota are those of the real way out (`runtime.outside.quota`). Nothing waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from tests.sources.github.github_server import REPO, deployment, run, text

from platform_meter.model.access import Pace
from platform_meter.model.source import Answer, Limited, Page
from platform_meter.runtime.outside.quota import Budget
from platform_meter.sources.github import SOURCE, Config
from platform_meter.sources.github.config import access
from platform_meter.sources.github.state import State, load
from platform_meter.testing.outside import Call, FakeOutside, Reply

T = TypeVar("T")
START = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
LATENCY = timedelta(milliseconds=250)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
_RATE = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


@dataclass(slots=True)
class Most:
    """The most that came in any span of so long."""

    span: timedelta
    most: int = 0
    _held: deque[datetime] = field(default_factory=deque)

    def came(self, at: datetime) -> None:
        self._held.append(at)
        while self._held[0] <= at - self.span:
            self._held.popleft()
        self.most = max(self.most, len(self._held))


class Organisation:
    """Repositories by number, each with three runs, a deployment and a merged pull request of the last weeks."""

    def __init__(self, size: int) -> None:
        self.names = [f"acme/r{n:05}" for n in range(size)]
        self.number = {name: n for n, name in enumerate(self.names)}
        self.runs: dict[str, list[dict[str, Any]]] = {
            name: [run(10 * n + k, START - timedelta(days=3 * k + 1)) for k in (3, 2, 1)]
            for n, name in enumerate(self.names)
        }
        self.pushed = dict.fromkeys(self.names, text(START - timedelta(days=1)))
        self._next = 10 * size + 10

    def push(self, name: str, at: datetime) -> int:
        """A push, and its run, which ends two minutes later; the run's id."""
        self._next += 1
        self.runs[name].append(run(self._next, at, minutes=2))
        self.pushed[name] = text(at)
        return self._next

    def __call__(self, call: Call) -> Reply:
        if call.path.startswith("/orgs/"):
            return self._repos(call)
        match = REPO.fullmatch(call.path)
        if match is None or match["repo"] not in self.number:
            return Reply(status=404)
        return self._of(match["repo"], match["rest"])

    def _repos(self, call: Call) -> Reply:
        page = int(call.params["page"])
        names = self.names[(page - 1) * 100 : page * 100]
        more = page * 100 < len(self.names)
        rows = [{"id": self.number[name] + 1, "full_name": name, "pushed_at": self.pushed[name]} for name in names]
        return Reply(body=rows, headers={"Link": f'<{call.path}>; rel="next"'} if more else {})

    def _of(self, name: str, rest: str) -> Reply:
        n = self.number[name]
        match rest.split("/"):
            case ["actions", "runs"]:
                rows = self.runs[name][::-1]
                return Reply(body={"total_count": len(rows), "workflow_runs": rows})
            case ["actions", "runs", _, "attempts", _, "jobs"]:
                return Reply(body={"total_count": 0, "jobs": []})
            case ["deployments"]:
                return Reply(body=[deployment(n, "a" * 40, START - timedelta(days=4), ("success", 1))])
            case ["deployments", _, "statuses"]:
                return Reply(body=deployment(n, "a" * 40, START - timedelta(days=4), ("success", 1))["statuses"])
            case ["pulls"]:
                return Reply(body=[self._pull(n)])
            case ["contents", ".github", "CODEOWNERS"]:
                return Reply(body={"type": "file", "encoding": "base64", "content": "KiBAYWNtZS90ZWFtCg=="})
            case _:
                return Reply(body=[])

    @staticmethod
    def _pull(n: int) -> dict[str, Any]:
        at = text(START - timedelta(days=5))
        return {
            "id": n,
            "number": 1,
            "title": "A change",
            "user": {"login": "ada", "type": "User"},
            "labels": [],
            "created_at": at,
            "updated_at": at,
            "merged_at": at,
            "merge_commit_sha": "c" * 40,
            "head": {"ref": "f", "sha": "d" * 40},
        }


class Hub(FakeOutside):
    """GitHub with a quota of so many paid calls an hour, which its headers tell, behind the real pacing."""

    def __init__(self, world: Organisation, quota: int, pace: Pace | None) -> None:
        super().__init__(world)
        self.pace = pace or Pace()
        self.now, self.quota = START, quota
        self.budget = Budget(lambda: self.now, self._wait)
        self.asked, self.cost = 0, 0
        self.minute, self.hour = Most(MINUTE), Most(HOUR)
        self._left, self._reset = quota, START + HOUR

    def _wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def get(
        self,
        path: str,
        type_: type[T],
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        etag: str = "",
    ) -> Answer[T]:
        self.budget.admit(path)
        try:
            with self.budget.turn(self.pace, "GET"):
                self.minute.came(self.now)
                return super().get(path, type_, params=params, headers=headers, etag=etag)
        finally:
            self._spent(path)

    def _spent(self, path: str) -> None:
        """The last call was made; the quota is anew each hour."""
        if self.now >= self._reset:
            self._left, self._reset = self.quota, self.now + HOUR
        self.asked += 1
        if not self.calls.pop().unchanged:
            self._left, self.cost = self._left - 1, self.cost + 1
            self.hour.came(self.now)
        told = (self.quota, self._left, int(self._reset.timestamp()))
        self.budget.learn(path, dict(zip(_RATE, map(str, told), strict=True)), _RATE)
        self.now += LATENCY if path.startswith("/orgs/") or "/contents/" in path else LATENCY / self.pace.at_once


class Polling:
    """The exporter that polls it, each minute unless the last poll still goes on or the quota is used up."""

    def __init__(self, world: Organisation, quota: int = 5_000, **settings: Any) -> None:
        self.config = Config.model_validate({"org": "acme", "token": {"env": "TOKEN"}, **settings})
        self.world, self.hub = world, Hub(world, quota, access(self.config).pace)
        (self._stream,) = SOURCE.connect(self.config, self.hub, "test")
        self._checkpoint: bytes | None = None
        self.told: dict[str, datetime] = {}
        """Runs by id, and when they were told first."""
        self.pages: list[Page] = []

    @property
    def state(self) -> State:
        return load(self._checkpoint, self.hub.now)

    def poll(self) -> None:
        began = self.hub.now
        again = began + self.config.every
        since = began - (self.config.history if self._checkpoint is None else self.config.overlap)
        try:
            for page in self._stream.read(self._checkpoint, since, began):
                self._checkpoint = page.checkpoint or self._checkpoint
                self.pages = [*self.pages[-3:], page]
                for fact in page.facts:
                    self.told.setdefault(getattr(fact, "key", ""), self.hub.now)
        except Limited as error:
            again = max(again, error.until)
        while again < self.hub.now:  # starts that came while it still ran are skipped
            again += self.config.every
        self.hub.now = again

    def until_read(self, longest: timedelta) -> timedelta:
        """Poll until each repository was read once, or for so long; how long that took."""
        began = self.hub.now
        while self.hub.now - began < longest:
            self.poll()
            repos = self.state.repos
            if all(cursor.read for repo in repos.values() for cursor in (repo.runs, repo.deployments, repo.pulls)):
                break
        return self.hub.now - began

    def round(self, longest: timedelta) -> timedelta:
        """Poll until each repository was visited again, or for so long; how long that took."""
        began = self.hub.now
        while self.hub.now - began < longest:
            self.poll()
            if all(repo.visited is not None and repo.visited >= began for repo in self.state.repos.values()):
                break
        return self.hub.now - began

"""What surrounds every call to the simulated GitHub: credentials, quota, validators, pages, errors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any, TypeVar

from platform_meter.demo.apis.github.bodies import Bodies
from platform_meter.demo.apis.github.query import HOUR, MINUTE, Meter, PageOf, Quota
from platform_meter.demo.apis.wsgi import Api, Handler, Refusal, Reply, Request, encode
from platform_meter.demo.company.history import Stream
from platform_meter.demo.company.layout import ORG, Repo
from platform_meter.demo.company.scenarios import Trouble
from platform_meter.demo.world import World

T = TypeVar("T")
DOCS = "https://docs.github.com/rest"
TOKEN = "ghs_demo"  # noqa: S105 - opens nothing but the simulation
LIMIT = 15_000
"""Calls per hour and token: what GitHub gives an enterprise's App. A personal token has 5,000."""
SECONDARY_EVERY, SECONDARY_WAIT = 50, 2
"""In the scenario api-limits every so manieth call is refused for so many seconds."""
ETAGS_KEPT = 20_000


def refuse(status: int, message: str, *headers: tuple[str, str], docs: str = DOCS, **more: Any) -> Refusal:
    body = {"message": message, **more, "documentation_url": docs, "status": str(status)}
    return Refusal(Reply(body=encode(body), status=status, headers=headers))


class GithubFront(Api):
    """Serves one world at `base`, the address under which callers reach it, with `limit` calls per hour."""

    def __init__(self, world: World, base: str, limit: int, routes: Mapping[str, Handler]) -> None:
        self._world = world
        self._history = world.history
        self._bodies = Bodies(world.history, base)
        self._meter = Meter(limits={"core": (limit, HOUR), "search": (30, MINUTE)})
        self._etags: dict[str, tuple[int, str]] = {}
        self._calls = count(1)
        super().__init__({"GET /rate_limit": self._rate_limit, **routes})

    def answer(self, request: Request, handle: Callable[[], Reply]) -> Reply:
        now = self._world.now()
        token = self._token(request)
        resource = "search" if request.path.startswith("/search/") else "core"
        quota = self._meter.spend(token, resource, now, 0 if request.path == "/rate_limit" else 1)
        try:
            self._limit(quota, now)
            reply = handle()
        except Refusal as refused:
            reply = refused.reply
        if reply.status == 304:
            self._meter.give_back(token, resource)
            quota = self._meter.spend(token, resource, now, 0)
        return Reply(
            body=reply.body,
            status=reply.status,
            headers=(
                *reply.headers,
                *quota.headers(),
                ("X-GitHub-Media-Type", "github.v3; format=json"),
                ("X-GitHub-Request-Id", f"{next(self._calls):012X}"),
                ("Cache-Control", "private, max-age=60, s-maxage=60"),
                ("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP"),
            ),
        )

    def _token(self, request: Request) -> str:
        kind, _, token = request.header("Authorization").partition(" ")
        if not token:
            raise refuse(401, "Requires authentication")
        if kind.lower() not in {"bearer", "token"} or token != TOKEN:
            raise refuse(401, "Bad credentials")
        return token

    def _limit(self, quota: Quota, now: datetime) -> None:
        if quota.refused:
            raise refuse(
                403,
                "API rate limit exceeded for installation ID 4711.",
                docs=f"{DOCS}/overview/rate-limits-for-the-rest-api",
            )
        holds = self._world.scenario.holds(Trouble.API_LIMITS, now)
        if holds and quota.used % SECONDARY_EVERY == SECONDARY_EVERY - 1:
            raise refuse(
                403,
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
                ("Retry-After", str(SECONDARY_WAIT)),
                docs=f"{DOCS}/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
            )

    def missing(self, request: Request) -> Reply:
        del request
        raise refuse(404, "Not Found")

    def _find(self, owner: str, repo: str) -> Repo:
        found = self._world.company.repo.get(repo) if owner == ORG else None
        if found is None:
            raise refuse(404, "Not Found")
        return found

    def _whole(self, request: Request, body: Any, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
        """The body with its ETag, or 304 where the caller has it."""
        data = encode(body)
        etag = f'W/"{hashlib.blake2b(data, digest_size=16).hexdigest()}"'
        return self._unless(request, etag) or Reply(body=data, headers=(("ETag", etag), *headers))

    @staticmethod
    def _unless(request: Request, etag: str) -> Reply | None:
        given = request.header("If-None-Match")
        same = etag.removeprefix("W/") in {part.strip().removeprefix("W/") for part in given.split(",")}
        return Reply(status=304, headers=(("ETag", etag),)) if same else None

    def _since(self, request: Request, repo: Repo, stream: Stream, build: Callable[[], Reply]) -> Reply:
        """`build`, unless the stream of the repository has not changed since its last ETag and the caller has that."""
        version = self._history.version(repo.name, stream, self._world.now())
        key = f"{request.path}?{request.query_string}"
        known = self._etags.get(key)
        if known and known[0] == version and (same := self._unless(request, known[1])):
            return same
        reply = build()
        if len(self._etags) >= ETAGS_KEPT:
            self._etags.clear()
        self._etags[key] = version, dict(reply.headers)["ETag"]
        return reply

    def _page(
        self,
        request: Request,
        items: Sequence[T],
        show: Callable[[T], Any],
        *,
        under: str = "",
        total: int | None = None,
    ) -> Reply:
        """One page of `items`; `under` names the property of a body that also says `total_count`."""
        page = PageOf.of(request)
        found = [show(item) for item in page.cut(items)]
        body = {"total_count": len(items) if total is None else total, under: found} if under else found
        return self._whole(request, body, page.link(self._bodies.base + request.path, request.query_string, len(items)))

    def _rate_limit(self, request: Request) -> Reply:
        token, now = self._token(request), self._world.now()
        found = {name: self._meter.spend(token, name, now, 0).body() for name in ("core", "search")}
        return Reply(body=encode({"resources": found, "rate": found["core"]}))

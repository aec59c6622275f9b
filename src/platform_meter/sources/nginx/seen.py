"""Routes that NGINX is known to serve, since they were asked for: it has no list of them that could be read."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

UNKNOWN = "_unknown"
"""Route of a request that nothing names."""
OTHER = "_other"
"""Route of all that came when there were `MOST` already."""
MOST = 1_000
FOR = timedelta(days=7)
"""A route that was not asked for so long is none any more."""


class Seen(msgspec.Struct):
    """The routes in a checkpoint."""

    routes: dict[str, datetime] = {}
    """When each was asked for last."""

    def add(self, route: str, at: datetime) -> str:
        """What the route is kept as."""
        name = route if route in self.routes or len(self.routes) < MOST else OTHER
        self.routes[name] = max(at, self.routes.get(name, at))
        return name

    def standing(self, now: datetime) -> list[str]:
        """Those that are routes now. Others are forgotten."""
        self.routes = {route: at for route, at in self.routes.items() if now - at <= FOR}
        return sorted(route for route in self.routes if route not in {UNKNOWN, OTHER})

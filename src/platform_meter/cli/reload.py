"""The service that runs now, and another in its place when configuration or definitions have changed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from platform_meter.cli.common import open_service, reason

if TYPE_CHECKING:
    from platform_meter.runtime.files.check import Examined
    from platform_meter.runtime.service import Service

log = logging.getLogger(__name__)


class Reloadable:
    """Holds the running service.

    Args:
        service: the one that runs first.
        examine: reads configuration and definitions again.
        flaws: how many problems there are now in files that are read again by themselves.
    """

    def __init__(self, service: Service, examine: Callable[[], Examined], flaws: Callable[[], int] = lambda: 0) -> None:
        self.service = service
        self._examine, self._flaws = examine, flaws
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(2)
        """One reload runs and one waits; what that one will load, others need not load again."""

    def reload(self) -> list[str] | None:
        """Load all again, one caller at a time. Gives what is wrong with it, nothing when it took effect.

        None, at once, where another call waits already: it has not begun, so it loads what this one would.
        Whatever goes wrong, what runs goes on with what was loaded before, and says so in its metrics.
        """
        if not self._room.acquire(blocking=False):
            return None
        try:
            return self._reload()
        finally:
            self._room.release()

    def _reload(self) -> list[str]:
        with self._lock:
            fresh = self._opened()
            if isinstance(fresh, list):
                self.service.problems = len(fresh)
                log.warning("the reload was refused, what was loaded before goes on:\n%s", "\n".join(fresh))
                return fresh
            old, self.service = self.service, fresh
            try:
                old.close(followed=True)
            except Exception:
                log.exception("the service before the reload did not close well")
            fresh.start()
            return []

    def _opened(self) -> Service | list[str]:
        """Another service that has shown that it works, not yet polling; or why there is none."""
        from platform_meter.problems import render

        try:
            again = self._examine()
            if again.problems:
                return [render(p) for p in again.problems]
            fresh = open_service(again, flaws=self._flaws)
            try:
                fresh.meter.tick()
            except BaseException:
                fresh.close()
                raise
        except click.ClickException as error:
            return [error.message]
        except Exception as error:
            log.exception("the reload failed")
            return [f"{type(error).__name__}: {reason(error)}; the log says more"]
        return fresh

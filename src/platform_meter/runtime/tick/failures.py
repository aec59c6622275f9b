"""One part of the tick fails alone, and the log hears of it once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from platform_meter.store import StoreError

log = logging.getLogger(__name__)


class Failures:
    """What failed and has not worked since."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """What goes wrong in here is logged, the first time in a row, and is the end of it; the block is left.

        A failure of the store is no fault of who reads it: it goes on, and so ends the tick.
        """
        try:
            yield
        except (StoreError, SQLAlchemyError):
            raise
        except Exception:
            if what not in self._known:
                self._known.add(what)
                log.exception("%s failed; what it gives is absent from /metrics until it works again", what)
        else:
            self._known.discard(what)

"""What a rollout brought: the commits in its version that are not in the one which served there before (domain section 6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from platform_meter.model.source import Forbidden, Unexpected, Unreachable


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """As a `Deployment` tells it."""

    after: str = ""
    changes: tuple[str, ...] = ()
    back: bool = False
    """All of the version was in what served before: it goes back."""


UNTOLD = ChangeSet()
"""Nobody compared the two, or nobody can."""


def compared(compare: Callable[[], ChangeSet], *, again: bool) -> ChangeSet:
    """What a comparison says. A commit that is gone, or contents that the credential may not see, leave it untold.

    Systems give up on versions that differ by too much, and would each time: what fails in the poll after a failure
    (`again`) is untold too, so that it holds up no other.

    Raises:
        SourceError: it failed for the first time, or the quota is used up.
    """
    try:
        return compare()
    except Forbidden:
        return UNTOLD
    except Unexpected as error:
        if not (again or 400 <= error.status < 500):
            raise
        return UNTOLD
    except Unreachable:
        if not again:
            raise
        return UNTOLD

"""What is a rollback: a version that goes out again, behind others that served after it (domain section 6)."""

from __future__ import annotations

from collections.abc import Sequence


def goes_back(before: Sequence[object], version: object) -> bool:
    """Whether a version brings back what served before the one that serves now did; to bring that one again is none.

    Args:
        before: versions that served in one place, oldest first; none is not known to have served.
        version: what goes out there next.
    """
    return version in before and before.index(version) < before.index(before[-1])

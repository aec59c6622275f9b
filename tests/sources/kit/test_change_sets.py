"""What a comparison that fails leaves of a change set."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from platform_meter.model.source import Forbidden, Limited, Refused, SourceError, Unexpected, Unreachable
from platform_meter.sources.kit.change_sets import UNTOLD, ChangeSet, compared

SET = ChangeSet(after="a", changes=("b",))
LIMITED = Limited("used up", datetime(2026, 5, 20, tzinfo=UTC))


def _raising(error: SourceError) -> ChangeSet:
    raise error


@pytest.mark.parametrize(
    ("error", "first", "again"),
    [
        (None, SET, SET),
        (Unexpected("gone", 404), UNTOLD, UNTOLD),
        (Unexpected("no common ancestor", 422), UNTOLD, UNTOLD),
        (Forbidden("contents"), UNTOLD, UNTOLD),
        (Unexpected("odd"), None, UNTOLD),
        (Unreachable("takes too long"), None, UNTOLD),
        (Refused("token"), None, None),
        (LIMITED, None, None),
    ],
)
def test_what_cannot_be_compared_is_untold(
    error: SourceError | None, first: ChangeSet | None, again: ChangeSet | None
) -> None:
    """At once where that is the system's answer; trouble that may pass fails the poll once; quota and token always do."""
    for repeated, expected in ((False, first), (True, again)):

        def compare() -> ChangeSet:
            return SET if error is None else _raising(error)

        if expected is not None:
            assert compared(compare, again=repeated) == expected
        else:
            with pytest.raises(SourceError) as caught:
                compared(compare, again=repeated)
            assert caught.value is error

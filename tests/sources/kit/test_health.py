"""One probe of a system by the way in that its source has."""

from __future__ import annotations

import pytest

from platform_meter.model.facts.probes import ProbeResult
from platform_meter.model.source import Refused, Severed, SourceError, TimedOut, Unreachable
from platform_meter.sources.kit.health import probed
from platform_meter.testing.outside import FakeOutside


class Answering(FakeOutside):
    """Answers every call with this, or fails so."""

    def __init__(self, answer: tuple[int, str] | SourceError) -> None:
        super().__init__({})
        self.answer = answer

    def text(self, path: str, *, params: object = None, timeout: float | None = None) -> tuple[int, str]:
        if isinstance(self.answer, SourceError):
            raise self.answer
        return self.answer


def asked(answer: tuple[int, str] | SourceError) -> ProbeResult:
    return probed(Answering(answer), "/readyz", timeout=1.0, sound=lambda text: text == "ok", lacks="grant it `get`")


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ((200, "ok"), ProbeResult.OK),
        ((200, "not ok"), ProbeResult.ERROR),
        ((500, "ok"), ProbeResult.ERROR),
        (TimedOut("slow"), ProbeResult.TIMEOUT),
        (Unreachable("down"), ProbeResult.ERROR),
    ],
)
def test_how_it_answers_is_a_fact(answer: tuple[int, str] | SourceError, result: ProbeResult) -> None:
    """No answer too."""
    assert asked(answer) is result


@pytest.mark.parametrize("status", [401, 403])
def test_what_we_lack_is_no_fact_about_it(status: int) -> None:
    """Nor is what fails on our side."""
    with pytest.raises(Refused, match=f"/readyz answered {status}: grant it `get`"):
        asked((status, "no"))
    with pytest.raises(Severed, match="no route"):
        asked(Severed("no route"))

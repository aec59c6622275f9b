"""Use of a capability, as systems tell it that have no better word for it (domain section 11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from platform_meter.model.facts import Facts, Tallied, Tally, UseWord


class UsageDim(NamedTuple):
    """What use is tallied by."""

    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage(Tallied[UsageDim]):
    """Use of a capability: `amount` units of `action` by whoever owns `about`. `actor` is a salted hash or empty."""

    use_words: ClassVar = {"subject": UseWord(of="subject")}
    use_amount: ClassVar = ("amount",)
    use_more: ClassVar = ("action", "actor")
    who: ClassVar = ("actor",)

    action: str
    amount: float = 1.0
    subject: str = ""
    actor: str = ""

    def tallies(self) -> tuple[Tally[UsageDim], ...]:
        return (Tally(dim=UsageDim(self.action), amount=self.amount),)


FACTS = Facts(events=(Usage,))

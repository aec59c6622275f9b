"""Whose failure it was: ordered rules from what a system tells of a run to its outcome class (domain section 7).

Each source declares its own table; what people write under `outcomes` of its settings stands on top. The first rule
that fits decides; where none does the outcome is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate
from typing import NamedTuple

from pydantic import BaseModel, Field, model_validator

from platform_meter.model.facts.ci import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What is told of a run or job that ended; empty where nothing is."""

    conclusion: str = ""
    """How it ended, in the system's word."""
    reason: str = ""
    """Why, in the system's word or in one that its source has for what follows from the answer."""
    step: str = ""
    """What was running as it failed: a step, stage, job or task, whichever the system tells."""
    log: str = ""
    """The end of its log, or its message."""

    @property
    def why(self) -> str:
        """The most telling of its short signs."""
        return self.step or self.reason or self.conclusion


class Verdict(NamedTuple):
    outcome: Outcome
    rule: str
    """The name of the rule that decided; empty where none fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of a table: the outcome of all that shows each of its signs."""

    name: str
    outcome: Outcome
    conclusion: re.Pattern[str] | None = None
    reason: re.Pattern[str] | None = None
    step: re.Pattern[str] | None = None
    log: re.Pattern[str] | None = None
    """Found anywhere in it; the others are the whole sign."""

    def fits(self, signs: Signs) -> bool:
        """Whether it decides. What is not told fits no pattern."""
        return (
            (self.conclusion is None or _is(self.conclusion, signs.conclusion))
            and (self.reason is None or _is(self.reason, signs.reason))
            and (self.step is None or _is(self.step, signs.step))
            and (self.log is None or (bool(signs.log) and self.log.search(signs.log) is not None))
        )


Rules = tuple[Rule, ...]
"""A table, in order."""


def _is(pattern: re.Pattern[str], sign: str) -> bool:
    return bool(sign) and pattern.fullmatch(sign) is not None


def rule(name: str, outcome: Outcome, *, conclusion: str = "", reason: str = "", step: str = "", log: str = "") -> Rule:
    """A rule of a source's own table; its signs are regular expressions, whatever the case of their letters."""
    return Rule(
        name=name,
        outcome=outcome,
        conclusion=_pattern(conclusion),
        reason=_pattern(reason),
        step=_pattern(step),
        log=_pattern(log, re.MULTILINE),
    )


def _pattern(text: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str] | None:
    return re.compile(text, re.IGNORECASE | flags) if text else None


def classify(signs: Signs, rules: Rules) -> Verdict:
    """The outcome that the first fitting rule gives, and its name."""
    for one in rules:
        if one.fits(signs):
            return Verdict(one.outcome, one.name)
    return Verdict(Outcome.UNKNOWN, "")


class OutcomeRule(BaseModel):
    """One rule as people write it: globs of signs, all of which must fit, and the class of what shows them."""

    model_config = {"extra": "forbid", "frozen": True}

    conclusion: str = Field(default="", examples=["failure"])
    reason: str = Field(default="", examples=["runner_system_failure"])
    step: str = Field(default="", examples=["Deploy*"])
    class_: Outcome = Field(alias="class", examples=["infra_failure"])

    @property
    def signs(self) -> dict[str, str]:
        """The globs that it has, by the sign's name."""
        told = {name: str(getattr(self, name)) for name in type(self).model_fields if name != "class_"}
        return {name: glob for name, glob in told.items() if glob}

    @model_validator(mode="after")
    def _has_a_sign(self) -> OutcomeRule:
        if not self.signs:
            names = " or ".join(name for name in type(self).model_fields if name != "class_")
            raise ValueError(f"a rule without a sign would class everything; write {names} beside class")
        return self


class LoggedRule(OutcomeRule):
    """One of a source that reads a log or a message too."""

    log: str = Field(default="", examples=["No space left on device"])
    """Found anywhere in it."""


def with_own(own: Sequence[OutcomeRule], rules: Rules) -> Rules:
    """A source's table with people's own rules on top, in their order; each is named by its number and what it says."""
    return (*(_own(number, one) for number, one in enumerate(own, 1)), *rules)


def _own(number: int, written: OutcomeRule) -> Rule:
    told = written.signs
    named = ", ".join(f"{name} {glob}" for name, glob in told.items())
    globs = {name: translate(f"*{glob}*" if name == "log" else glob) for name, glob in told.items()}
    return rule(f"outcomes {number}: {named}", written.class_, **globs)

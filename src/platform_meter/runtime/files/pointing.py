"""Where in an SLO's document a word stands, of which something is wrong that its file alone cannot know."""

from __future__ import annotations

import re

from platform_meter.problems import Problem
from platform_meter.problems.problem import Text
from platform_meter.slo.plan import Plan


def at(plan: Plan, text: str, key: str, value: str, said: str) -> Problem:
    """A problem with the word that stands at this key of an SLO's document; with the document where it does not stand there.

    Args:
        plan: the SLO.
        text: its file.
        key: what stands before the word.
        value: the word, in any case.
        said: the problem.
    """
    lines = Text.of(plan.path, text)
    written = re.compile(rf"\b{key}:\s*['\"]?({re.escape(value)})\b", re.IGNORECASE)
    for number, line in enumerate(lines.lines[plan.line - 1 :], plan.line):
        if number > plan.line and line.startswith("---"):
            break
        if found := written.search(line):
            return lines.problem(said, number, found.start(1) + 1, len(value))
    return lines.problem(said, plan.line)

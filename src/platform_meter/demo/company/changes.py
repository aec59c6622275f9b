"""What the platform's teams changed in the history, and what came of it: larger agents on Jenkins, which helped, and a
cache on GitLab that nobody uses, which did not.

Days are counted from the history's start.
"""

from __future__ import annotations

from platform_meter.demo.company.pipelines import System

AGENTS_DAY = CACHE_DAY = 45
ROADSHOW_DAY = 38
"""When the teams were shown how to deliver continuously; so many weeks lie before it and after it."""
INVITED, CAME = 120, 64
FASTER = 0.6
"""How long a stage takes on a larger agent, of what it took before."""


def pace(system: System, day: int) -> float:
    """How long a stage takes on that day, of what it took at first."""
    return FASTER if system is System.JENKINS and day >= AGENTS_DAY else 1.0

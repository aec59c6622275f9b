"""What changed beyond noise: this week against the four before, each with its n and interval."""

from __future__ import annotations

from platform_meter.web.report.compare import WEEKS
from platform_meter.web.report.content import Block, Bullets, Paragraph, Section
from platform_meter.web.report.told import Chapter, Told

_BY_CHANCE = 20
"""Comparisons of which one looks like a change where nothing changed."""


def tell(told: Told) -> Section | None:
    """None where nothing is measured that could change."""
    if not told.changes:
        return None
    known = [change for change in told.changes if change.said]
    clear = [f"{change.what}: {change.said}." for change in known if change.clear]
    same = [f"{change.what}: {change.said}." for change in known if not change.clear]
    nothing = (
        f"No change beyond noise in {len(known)} comparisons." if known else "Not enough data to compare anything."
    )
    blocks: list[Block] = [Bullets(clear) if clear else Paragraph(nothing)]
    if same:
        blocks += [Paragraph("No clear change:"), Bullets(same)]
    if clear:
        blocks.append(
            Paragraph(
                f"It is called a change where the 95 % interval of the difference to the {WEEKS} weeks before leaves out 0. Of "
                f"{len(known)} such comparisons {len(known) / _BY_CHANCE:.1f} would be called one by chance, and a few more where "
                "things happen together."
            )
        )
    return Section(title="What changed beyond noise", blocks=blocks, brief=clear or [nothing])


CHAPTER = Chapter(place=1, tell=tell)

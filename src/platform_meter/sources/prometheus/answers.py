"""What one query of the config file counts, slice by slice."""

from __future__ import annotations

import math
from collections.abc import Sequence

from platform_meter.model.facts.slis import SliCount
from platform_meter.model.facts.use import Usage
from platform_meter.sources.kit.promql import Amounts, Asked
from platform_meter.sources.kit.promql import ask as asked
from platform_meter.sources.kit.rows import Sieve
from platform_meter.sources.prometheus.config import Query, SliQuery, fill, has_window


def ask(outside: Sieve, query: Query, text: str, by: Sequence[str], ends: range) -> Amounts:
    """Amounts in the slices that end at `ends`, by the query's `text`; of an instant query there is one slice.

    Raises:
        Unreachable: it is not whole, or the server's clock has not come as far: the slices are read again.
        Unexpected: it is no answer to what was asked.
    """
    wide = ends.step + (int(query.scrape_interval.total_seconds()) if has_window(text) else 0)
    sli = isinstance(query, SliQuery)
    becomes = SliCount if sli else Usage
    question = Asked(text=fill(text, wide), by=tuple(by), wide=wide, becomes=becomes, instant=query.instant)
    amounts, odd = asked(outside, question, ends)
    # Of an SLI the series itself was left out.
    return {(): dict.fromkeys(ends, math.nan)} if odd and sli else amounts

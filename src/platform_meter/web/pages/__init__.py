"""One folder per page, with its templates; each names its `PAGE`, and nothing lists them."""

from __future__ import annotations

from functools import cache

from platform_meter.model.found import found
from platform_meter.web.page import WebPage


@cache
def pages() -> tuple[WebPage, ...]:
    """Every page, in the order of the navigation."""
    return tuple(sorted(found(__name__, WebPage), key=lambda page: page.place))

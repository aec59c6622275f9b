"""What a page in the text format of Prometheus says of a metric before its series."""

from __future__ import annotations

from collections.abc import Iterator


def head(name: str, kind: str, about: str) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"

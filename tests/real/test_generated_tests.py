"""Generated tests of every form of query, run by promtool of both releases."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import pytest
from tests.support.prometheus import current, promtool
from tests.support.queries import FORMS
from tests.support.slos import RATIO, planned

from platform_meter.render.rules import rules
from platform_meter.render.rules.promtool import rule_tests

RELEASES = ("as packed", "current")
"""One form after the other by one of them in turn: what a form asks of promtool, its neighbours ask too."""


@pytest.mark.parametrize(("form", "release"), [*zip(FORMS, cycle(RELEASES), strict=False)])
def test_generated_tests_of_a_form_pass(form: str, release: str, tmp_path: Path) -> None:
    """Outage, single failure, idle hours, silence and budget."""
    total, bad = FORMS[form]
    old = "'http_requests_total{code=~\"5..\"}'"
    plan = planned(RATIO, ("'http_requests_total'", f"'{total}'"), (old, f"'{bad}'"))
    tests = rule_tests([plan])
    for artifact in (*rules([plan]), *tests):
        (tmp_path / artifact.path).write_text(artifact.text)
    promtool("test", "rules", *(tmp_path / t.path for t in tests), folder=current() if release == "current" else None)

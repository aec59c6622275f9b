"""Where a word of an SLO's document stands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.slos import ASKED, STORED, planned

from platform_meter.problems import render
from platform_meter.runtime.files.pointing import at


def test_the_word_is_drawn() -> None:
    """In the document of the SLO, in whatever case it is written."""
    text = f"{STORED}---\n{ASKED.replace('type: elasticsearch', 'type: ElasticSearch')}"
    plan = replace(planned(ASKED), line=STORED.count("\n") + 2)
    assert render(at(plan, text, "type", "elasticsearch", "nobody counts it")) == (
        "slo.yaml:27:36: nobody counts it\n"
        "  27 |         bad: {metricSource: {type: ElasticSearch, spec: {index: logs-*, query: {range: {status: {gte: 500}}}}}}\n"
        "                                          ^^^^^^^^^^^^^"
    )


@pytest.mark.parametrize("after", ["", f"---\n{ASKED}"], ids=["alone", "beside-another"])
def test_a_word_that_stands_elsewhere_is_told_of_the_document(after: str) -> None:
    """Such as a type that a DataSource says; that of another SLO is not meant."""
    problem = at(planned(STORED), STORED + after, "type", "elasticsearch", "nobody counts it")
    assert (problem.path, problem.line, problem.column) == ("slo.yaml", 1, 1)

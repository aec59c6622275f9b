"""The documentation of the SLO format is held to the code."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel
from tests.support.places import DOCS

from platform_meter import sources
from platform_meter.model.objective import NoData, Unknown, countables
from platform_meter.render.rules import groups
from platform_meter.slo.burnrate import Profile
from platform_meter.slo.check import read_slos
from platform_meter.slo.openslo import alert_keys, keys
from platform_meter.slo.plan import plan

PAGE = (DOCS / "slo-format.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
MODELS: tuple[type[BaseModel], ...] = (
    keys.Metadata,
    keys.Annotations,
    keys.SloSpec,
    keys.TimeWindow,
    keys.Objective,
    keys.Indicator,
    keys.IndicatorSpec,
    keys.RatioMetric,
    keys.MetricSource,
    keys.MetricSpec,
    keys.SliDocument,
    keys.DataSource,
    alert_keys.PolicySpec,
    alert_keys.ConditionSpec,
    alert_keys.Condition,
    *(model for one in sources.asking().values() for model in (one.spec, one.level) if model is not None),
)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda t: re.findall(r"name: ([a-z0-9-]+)", t)[0])
def test_every_example_decodes(text: str) -> None:
    """Each YAML example is an SLO without a problem, and makes rules."""
    checked = read_slos([("docs/slo-format.md", text)], asking=sources.asking())
    assert checked.problems == ()
    assert all(groups(plan(spec)) for spec in checked.specs)
    assert len(checked.specs) == 1


def test_there_are_examples() -> None:
    """The first is the ten-line one."""
    assert len(EXAMPLES) == 13
    assert EXAMPLES[0].count("\n") == 10


def test_the_ten_lines_become_what_is_said() -> None:
    """20 series and seven alerts."""
    (spec,) = read_slos([("a.yaml", EXAMPLES[0])]).specs
    written = [r for g in groups(plan(spec)) for r in g.rules]
    assert [len([r for r in written if r.record]), len([r for r in written if r.alert])] == [20, 7]


@pytest.mark.parametrize(
    "model", MODELS, ids=lambda m: f"{m.__module__.rpartition('.')[0].rpartition('.')[2]}-{m.__name__}"
)
def test_every_key_is_documented(model: type[BaseModel]) -> None:
    """Each key has its row, with default and meaning."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    named = {word.rsplit(".", 1)[-1] for row in rows for word in re.findall(r"`([^`]+)`", row.split("|")[1])}
    named |= {word for row in rows for word in re.findall(r"`([^`]+)`", row.split("|")[1])}
    assert {info.alias or name for name, info in model.model_fields.items()} <= named


@pytest.mark.parametrize(
    "word", [*Profile, *NoData, *countables(), *Unknown, *keys.KINDS, *keys.READ, *sources.asking()]
)
def test_every_word_is_documented(word: str) -> None:
    """Each value of a closed set stands in the text."""
    assert f"`{word}`" in PAGE


def test_each_sentence_has_its_line() -> None:
    """Prose is one sentence a line, so that changes read well."""
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL).splitlines()
    assert [line for line in prose if not line.startswith("|") and re.search(r"[.!?] [A-Z]", line)] == []

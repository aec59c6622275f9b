"""Sources that count what SLO files ask for: which one each is for, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.slos import ASKED, replaced

from platform_meter.problems import render
from platform_meter.runtime.files.check import Examined, examine
from platform_meter.sources.cloudwatch.config import Config as CloudWatch
from platform_meter.sources.datadog.config import Config as Datadog
from platform_meter.sources.elasticsearch.config import Config as Elasticsearch
from platform_meter.sources.elasticsearch.config import SliQuery

LOGS = "{type: elasticsearch, url: 'http://127.0.0.1:9200'}"
DATADOG = ASKED.replace("{type: elasticsearch, spec: {index: logs-*, query: '*'}}", "{type: datadog, spec: {query: 'sum:hits{*}.as_count()'}}").replace(
    "{type: elasticsearch, spec: {index: logs-*, query: {range: {status: {gte: 500}}}}}", "{type: datadog, spec: {query: 'sum:errors{*}.as_count()'}}"
)  # fmt: skip
CLOUDWATCH = ASKED.replace("{type: elasticsearch, spec: {index: logs-*, query: '*'}}", "{type: cloudwatch, spec: {namespace: AWS/ELB, metric: Requests}}").replace(
    "{type: elasticsearch, spec: {index: logs-*, query: {range: {status: {gte: 500}}}}}", "{type: cloudwatch, spec: {namespace: AWS/ELB, metric: Errors}}"
)  # fmt: skip
KEYS = {"DD_API_KEY": "a", "DD_APP_KEY": "b"}


def installation(folder: Path, slo: str = ASKED, **sources: str) -> Examined:
    """One SLO file beside these sources."""
    (folder / "slo-definitions").mkdir(exist_ok=True)
    (folder / "slo-definitions" / "a.yaml").write_text(slo, "utf-8")
    config = folder / "platform-meter.yaml"
    named = "".join(f"  {name.replace('_', '-')}: {settings}\n" for name, settings in sources.items())
    config.write_text(f"sources:\n{named}" if named else "{}\n", "utf-8")
    return examine(config, (), KEYS)


def told(found: Examined) -> list[str]:
    """Each problem with its place in the SLO file."""
    return [render(p).splitlines()[0].rpartition("/")[2] for p in found.problems]


def test_the_settings_of_the_source_have_what_the_file_asks_for(tmp_path: Path) -> None:
    """Behind what they have themselves; other sources are as they were."""
    own = "{id: web, index: web-*, total: '*', bad: 'status:500'}"
    logs = LOGS.replace("}", f", slis: [{own}]}}")
    found = installation(tmp_path, logs=logs, other="{type: probes, targets: [{name: a, url: 'http://a.example'}]}")
    assert found.problems == ()
    assert found.config is not None
    settings = found.config.sources["logs"].config
    assert isinstance(settings, Elasticsearch)
    assert settings.slis == (
        SliQuery(id="web", index="web-*", total="*", bad="status:500"),
        SliQuery(
            id="elasticsearch:logged", index="logs-*", total="*", bad={"range": {"status": {"gte": 500}}}
        ),
    )  # fmt: skip
    (plan,) = found.plans
    assert [objective.sli for objective in found.definitions.objectives] == [plan.sli]


def test_every_type_that_counts_is_asked(tmp_path: Path) -> None:
    """Datadog and CloudWatch like Elasticsearch."""
    keys = "api_key: {env: DD_API_KEY}, application_key: {env: DD_APP_KEY}"
    found = installation(tmp_path, DATADOG, dd=f"{{type: datadog, {keys}}}")
    assert found.config is not None
    datadog = found.config.sources["dd"].config
    assert isinstance(datadog, Datadog)
    (one,) = datadog.slis
    assert (one.id, one.total, one.bad) == ("datadog:logged", "sum:hits{*}.as_count()", "sum:errors{*}.as_count()")
    found = installation(tmp_path, CLOUDWATCH, aws="{type: cloudwatch, region: eu-central-1}")
    assert found.config is not None
    cloudwatch = found.config.sources["aws"].config
    assert isinstance(cloudwatch, CloudWatch)
    assert [(sli.id, sli.total.metric, sli.part.metric) for sli in cloudwatch.slis] == [
        ("cloudwatch:logged", ("Requests",), ("Errors",))
    ]


def test_objectives_of_one_document_ask_once(tmp_path: Path) -> None:
    """Two SLOs, one SLI."""
    two = "[{displayName: low, target: 0.9}, {displayName: high, target: 0.999}]"
    found = installation(tmp_path, replaced(ASKED, ("[{target: 0.999}]", two)), logs=LOGS)
    assert found.config is not None
    settings = found.config.sources["logs"].config
    assert isinstance(settings, Elasticsearch)
    assert [sli.id for sli in settings.slis] == ["elasticsearch:logged-low"]
    assert [objective.slo for objective in found.definitions.objectives] == ["logged-high", "logged-low"]


NAMED = replaced(ASKED, ("type: elasticsearch, ", "type: elasticsearch, metricSourceRef: logs-eu, "))
DOCUMENT = """---
apiVersion: openslo/v1
kind: DataSource
metadata: {name: logs-eu}
spec: {type: elasticsearch}
"""
CALLED = replaced(ASKED, ("type: elasticsearch, ", "metricSourceRef: logs-eu, ")) + DOCUMENT


@pytest.mark.parametrize(
    ("slo", "sources", "counting"),
    [
        (ASKED, {"any": LOGS}, "any"),
        (NAMED, {"logs_us": LOGS, "logs_eu": LOGS}, "logs-eu"),
        (CALLED, {"logs_us": LOGS, "logs_eu": LOGS}, "logs-eu"),
        (CALLED, {"logs_us": LOGS}, "logs-us"),
    ],
    ids=["the-only-one", "named", "called-as-its-document", "the-only-one-whatever-the-document-is-called"],
)
def test_which_source_counts(tmp_path: Path, slo: str, sources: dict[str, str], counting: str) -> None:
    """The one that is named, or called as the DataSource; else the only one of its type."""
    found = installation(tmp_path, slo, **sources)
    assert found.problems == ()
    assert found.config is not None
    asked = {n: getattr(s.config, "slis", ()) for n, s in found.config.sources.items()}
    assert {name: len(slis) for name, slis in asked.items()} == {
        name.replace("_", "-"): int(name.replace("_", "-") == counting) for name in sources
    }


@pytest.mark.parametrize(
    ("slo", "sources", "said"),
    [
        (ASKED, {}, ["a.yaml:11:36: no source of type elasticsearch is configured; add NAME: {type: elasticsearch, ...} to sources in the configuration"]),
        (ASKED, {"logs_eu": LOGS, "logs_us": LOGS}, ["a.yaml:11:36: logs-eu and logs-us are of type elasticsearch; say which one counts: metricSourceRef: logs-eu"]),
        (NAMED, {"logs_ue": LOGS}, ["a.yaml:11:36: no source of type elasticsearch is called 'logs-eu'; did you mean 'logs-ue'?"]),
        (NAMED, {}, ["a.yaml:11:36: no source of type elasticsearch is called 'logs-eu'; add it to sources in the configuration with type: elasticsearch"]),
        (ASKED.replace("index: logs-*, query: '*'", "index: web-*, query: '*'"), {"logs": LOGS}, ["a.yaml:11:36: index of total is web-* and that of its part logs-*; write the same in both"]),
    ],
    ids=["none", "two", "misspelt", "named-and-none", "two-indices"],
)  # fmt: skip
def test_what_no_source_counts_is_told_where_it_stands(
    tmp_path: Path, slo: str, sources: dict[str, str], said: list[str]
) -> None:
    """With what to write instead."""
    assert told(installation(tmp_path, slo, **sources)) == said


def test_without_a_configuration_nothing_is_held_against_it(tmp_path: Path) -> None:
    """A repository of SLOs alone is checked by itself."""
    (tmp_path / "a.yaml").write_text(ASKED, "utf-8")
    found = examine(None, (tmp_path,), {})
    assert (found.problems, [plan.slo for plan in found.plans]) == ((), ["logged"])


def test_settings_that_are_unsound_are_told_alone(tmp_path: Path) -> None:
    """The source is there, whatever is wrong with it."""
    found = installation(tmp_path, logs="{type: elasticsearch, url: nowhere}")
    assert [p.text.partition(";")[0] for p in found.problems] == ["'nowhere' begins with neither https:// nor http://"]

"""A package that is installed beside ours brings a source and measures, and nothing of ours has to change."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.http import Reply, serving
from tests.support.ways import Time

from platform_meter import measures, sources
from platform_meter.model.definitions import Definitions
from platform_meter.runtime.files.config import load_config
from platform_meter.runtime.service import Service
from platform_meter.testing import held_to_contract, measures_held_to_contract

PACKAGE = '''
"""A library: its loans are use, and how many books it lends is a metric of its own."""

from datetime import UTC, datetime, timedelta

import msgspec

from platform_meter.model.facts import Ref
from platform_meter.model.facts.use import Usage
from platform_meter.model.measure import Counting, Measures
from platform_meter.model.metric import Increment, Metric, MetricType
from platform_meter.model.access import Access
from platform_meter.model.source import Page, Source, SourceConfig, Stream
from platform_meter.testing import Case


class Loan(msgspec.Struct):
    id: int
    book: str
    at: datetime


class Config(SourceConfig):
    url: str


def connect(config, outside, instance):
    def read(checkpoint, since, now):
        yield Page(
            facts=[
                Usage(key=str(loan.id), at=loan.at, about=Ref(system="invented", kind="book", id=loan.book), action="lent", amount=1.0)
                for loan in outside.get("/loans", list[Loan]).body or []
            ]
        )

    return [Stream(name="loans", read=read, gives=SOURCE.gives)]


SOURCE = Source(
    name="invented",
    title="Invented",
    reads="loans of books",
    needs="nothing",
    config=Config,
    gives=frozenset({Usage}),
    access=lambda config: Access(url=config.url),
    connect=connect,
    check=lambda config, outside: (),
)
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
CASE = Case(
    settings={"url": "https://library.example"},
    answers={"/loans": [{"id": 7, "book": "ulysses", "at": "2026-06-01T11:00:00Z"}]},
    now=AT,
    since=AT - timedelta(days=1),
    expected=[
        Usage(key="7", at=AT - timedelta(hours=1), about=Ref(system="invented", kind="book", id="ulysses"), action="lent", amount=1.0)
    ],
)
LOANS = Metric(
    name="invented_loans_total", type=MetricType.COUNTER, help="Books lent.", labels=("team",), bounds={"team": "teams"}
)


def count(event, owner, source):
    yield Increment(metric=LOANS, labels=(owner.team,), amount=event.amount)


MEASURES = Measures(standing=(Counting(event=Usage, metrics=(LOANS,), count=count),), brings=(LOANS,))
'''
SOUND = """\
[platform_meter.sources]
invented = invented:SOURCE

[platform_meter.measures]
invented = invented:MEASURES
"""


def installed(site: Path, entry_points: str) -> None:
    """As an installer leaves it: the package, and what is known of it beside it."""
    (site / "invented").mkdir()
    (site / "invented/__init__.py").write_text(PACKAGE, "utf-8")
    about = site / "invented-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: invented\nVersion: 1.0\n", "utf-8")
    (about / "entry_points.txt").write_text(entry_points, "utf-8")


def forget() -> None:
    """What was found is found anew."""
    for kept in (sources.load, measures.families, measures.metrics):
        kept.cache_clear()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    forget()
    yield tmp_path
    forget()
    sys.modules.pop("invented", None)


def test_an_installed_package_brings_a_source(site: Path) -> None:
    """It stands behind ours, may be configured like them, and is held to the same contract."""
    installed(site, SOUND)
    ours, theirs = [*sources.load()][:-1], [*sources.load()][-1]
    assert (theirs, ours) == ("invented", sorted(ours))
    types = {name: source.config for name, source in sources.load().items()}
    loaded = load_config("sources: {books: {type: invented, url: 'https://library.example'}}\n", "x.yaml", types)
    assert (loaded.problems, loaded.instances) == ((), {"books": "invented"})
    held_to_contract(sources.load()["invented"], importlib.import_module("invented").CASE)


def test_an_installed_package_brings_measures_and_a_metric(site: Path) -> None:
    """Its metric is one more beside the catalogue's, measured by its own measure."""
    before = (set(measures.metrics()), len(measures.load(Definitions())))
    forget()
    installed(site, SOUND)
    invented = importlib.import_module("invented")
    assert set(measures.metrics()) - before[0] == {"invented_loans_total"}
    assert measures.load(Definitions())[before[1] :] == invented.MEASURES.standing
    measures_held_to_contract(invented.MEASURES)


def test_what_an_installed_source_says_is_counted_by_an_installed_measure(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its server to `/metrics`, where a new series is 0 for a while, by parts that know nothing of either."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    installed(site, SOUND)
    time, loans = Time(), Reply(body=b'[{"id": 1, "book": "ulysses", "at": "2026-05-04T12:05:00Z"}]')
    types = {name: source.config for name, source in sources.load().items()}
    with serving() as library:
        library.on("/loans", Reply(body=b"[]"), loans)
        text = f"sources: {{books: {{type: invented, url: {library.url}}}}}\n"
        config = load_config(text, str(site / "x.yaml"), types).config
        assert config is not None
        service = Service(config, Definitions(), environ={}, clock=time.clock)
        try:
            for _ in range(3):
                service.once()
                time.pass_(minutes=10)
            exposed = service.exposition.body().data.decode()
        finally:
            service.close()
    assert 'invented_loans_total{team="_unowned"} 1\n' in exposed


def test_a_broken_entry_point_is_named(site: Path) -> None:
    """It is the package's mistake, and is not passed over: a source that is missing would be missed much later."""
    installed(site, "[platform_meter.sources]\ninvented = invented:Config\n")
    with pytest.raises(
        TypeError,
        match=r"^entry point invented of platform_meter\.sources is <class .*>; invented:Config must be a Source$",
    ):
        sources.load()

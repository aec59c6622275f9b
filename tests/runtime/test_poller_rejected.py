"""Rows that a source had to leave out are counted, and the rest of their page is stored."""

from __future__ import annotations

from pathlib import Path

from tests.runtime.test_poller import Bench, instance
from tests.support.stores import Opener, counted, run

from platform_meter.model.source import Page


def test_rows_left_out_are_counted(tmp_path: Path) -> None:
    """By kind and reason, as the store counts those that it refuses."""
    opener = Opener(f"sqlite:///{tmp_path / 'meter.db'}")
    bench = Bench(opener())
    page = Page(facts=[run("1")], rejected={("PipelineRun", "naive"): 2, ("PipelineJob", "invalid"): 1})
    (result,) = bench.poller(instance("good", lambda *_: iter([page]))).once()
    assert (result.new, result.error) == (1, "")
    refused = counted(bench.store, "platform_meter_events_rejected_total")
    assert refused == {("github", "PipelineRun", "naive"): 2.0, ("github", "PipelineJob", "invalid"): 1.0}
    opener.close()

"""Golden cases: what people write, and the whole text they get back."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.problems.fake_sources import TYPES
from tests.support.cases import parts

from platform_meter.problems import render
from platform_meter.runtime.files.check import examine

CASES = sorted(Path(__file__).with_name("cases").glob("*.txt"))


def told(files: dict[str, str], folder: Path) -> str:
    """What `check` says of these files when it is called in their folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    config = Path("platform-meter.yaml") if "platform-meter.yaml" in files else None
    extra = [] if config else [Path("slo-definitions")]
    found = examine(config, extra, {"GITHUB_TOKEN": "x"}, source_types=TYPES)
    return "".join(f"{render(p)}\n" for p in found.problems)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.stem)
def test_each_case_is_told_in_full(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every problem of every file comes at once, in order, with its line drawn and the fix named."""
    monkeypatch.chdir(tmp_path)
    files = parts(case)
    expected = files.pop("expected")
    assert told(files, tmp_path) == expected


def test_the_case_folder_is_read() -> None:
    """An empty folder of cases would prove nothing."""
    assert {c.stem for c in CASES} >= {
        "misspelt_key",
        "missing_token_file",
        "unknown_source_type",
        "bad_zone",
        "wrong_selector",
    }

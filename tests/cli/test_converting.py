"""`slo convert`."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner
from tests.slo.foreign import test_pyrra, test_sloth

from platform_meter.cli import main
from platform_meter.slo.check import read_slos


def test_files_become_documents_of_openslo(tmp_path: Path) -> None:
    """All of them on standard output, which one file can hold."""
    one, two = tmp_path / "sloth.yml", tmp_path / "pyrra.yaml"
    one.write_text(test_sloth.FILE, "utf-8")
    two.write_text(test_pyrra.OBJECT.replace("    ratio:\n", "    ratio:\n      grouping: [handler]\n"), "utf-8")
    done = CliRunner().invoke(main, ["slo", "convert", str(one), str(two)])
    assert done.exit_code == 0
    assert [spec.slo for spec in read_slos([("a.yaml", done.stdout)]).specs] == ["shop-requests-good", "shop-errors"]
    assert done.stderr.startswith(f"worth knowing: {two}:")


def test_problems_end_it(tmp_path: Path) -> None:
    """Nothing is written that does not say what it was given."""
    file = tmp_path / "sloth.yml"
    file.write_text(test_sloth.FILE.replace("objective: 99.9", "objective: much"), "utf-8")
    done = CliRunner().invoke(main, ["slo", "convert", str(file), str(tmp_path / "none.yml")])
    assert done.exit_code == 1
    assert "none.yml" in done.stdout
    done = CliRunner().invoke(main, ["slo", "convert", str(file)])
    assert (done.exit_code, done.stdout.count("objective: much")) == (1, 1)

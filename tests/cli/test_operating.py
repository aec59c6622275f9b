"""`operator`, as far as it goes without a cluster; tests/real/test_operator.py has one."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from platform_meter.cli import main, operating


@pytest.mark.parametrize("option", ["--namespace", "--lease-namespace"])
def test_a_namespace_that_is_none_is_told(option: str) -> None:
    assert main.commands["operator"] is operating.operator
    done = CliRunner().invoke(main, ["operator", option, "Shop!"])
    assert done.exit_code == 2
    assert "'Shop!' is no namespace; write" in done.output


def test_without_a_cluster_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Looking once ends with 1."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["operator", "--once"])
    assert done.exit_code == 1
    assert done.output == "0 objects, 0 PrometheusRules written, 0 deleted, 0 objects with problems, 4 calls refused\n"
    assert f"kubeconfig {tmp_path / 'none'} does not exist" in caplog.text

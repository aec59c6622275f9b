"""Rules as objects of Prometheus' operator, from the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from tests.support.places import ROOT
from tests.support.prometheus import promtool

from platform_meter.cli import main
from platform_meter.model.generated import HEADER

OBJECTS = ("--format", "prometheusrule", "--namespace", "monitoring", "--label", "release=stack")


@pytest.fixture
def slos(tmp_path: Path) -> Path:
    """Two SLO files of two services."""
    folder = tmp_path / "slos"
    folder.mkdir()
    for name in ("ci.yaml", "requests.yaml"):
        shutil.copy(ROOT / "slo-definitions" / name, folder)
    return folder


def generate(slos: Path, *arguments: str) -> tuple[int, list[str]]:
    places = ["--slos", str(slos), "--dashboards", str(slos.parent / "boards")]
    done = CliRunner().invoke(main, ["generate", *places, *arguments])
    return done.exit_code, done.output.splitlines()


def test_every_service_is_an_object(slos: Path) -> None:
    """Each file is one, marked as generated, with the rules that Prometheus would load from a file of that name."""
    generate(slos, "--rules", str(slos.parent / "plain"))
    code, output = generate(slos, *OBJECTS)
    made = slos / "generated"
    assert (code, sorted(p.name for p in made.glob("*.yml"))) == (
        0,
        ["ci.rules.yml", "platform_meter.rules.yml", "requests.rules.yml"],
    )
    names = []
    for path in sorted(made.glob("*.yml")):
        text = path.read_text()
        found = yaml.safe_load(text)
        names.append(found["metadata"].pop("name"))
        assert text.startswith(HEADER)
        assert found["metadata"] == {
            "namespace": "monitoring",
            "labels": {"app.kubernetes.io/managed-by": "platform-meter", "release": "stack"},
        }
        assert found["spec"] == yaml.safe_load((slos.parent / "plain" / path.name).read_text())
    assert names == ["ci", "platform-meter.alerts", "requests"]
    assert "SLOs" in output[-1]


def test_objects_stay_testable(slos: Path) -> None:
    """In `tests` stand the same rules as files, with their tests, which promtool runs and passes."""
    generate(slos, "--rules", str(slos.parent / "plain"))
    generate(slos, *OBJECTS)
    tests = slos / "generated" / "tests"
    plain = {path.name: path.read_text() for path in (slos.parent / "plain").iterdir()}
    assert {path.name: path.read_text() for path in tests.iterdir()} == plain
    found = promtool("test", "rules", *sorted(tests.glob("requests*.test.yml")))
    assert "SUCCESS" in found
    assert "FAILED" not in found


def test_check_and_diff_honour_it(slos: Path) -> None:
    """Current as they were asked for; another label, or the other form, is stale, and the message says how to write it."""
    generate(slos, *OBJECTS)
    assert generate(slos, *OBJECTS, "--check") == (0, ["every generated file is as it would be written now"])
    code, output = generate(slos, *OBJECTS, "--label", "team=a", "--check")
    again = "run: platform-meter generate --format prometheusrule --namespace monitoring --label release=stack --label team=a"
    assert (code, output[0]) == (1, f"{slos / 'generated' / 'ci.rules.yml'} is stale; {again}")
    code, output = generate(slos, *OBJECTS[:4], "--diff")
    assert (code, "-    release: stack" in output) == (1, True)
    assert generate(slos, "--check")[0] == 1


def test_changing_the_form_leaves_nothing_behind_among_the_rules(slos: Path) -> None:
    """Tests go to their folder, and every file that goes is named."""
    generate(slos)
    made = slos / "generated"
    (gone, *_) = sorted(made.glob("*.test.yml"))
    code, output = generate(slos, *OBJECTS)
    assert (code, f"{gone} was generated no more, and is removed" in output) == (0, True)
    assert not list(made.glob("*.test.yml"))


@pytest.mark.parametrize("form", [(), OBJECTS])
def test_series_of_sloths_are_asked_for(form: tuple[str, ...], slos: Path) -> None:
    """In files and objects; promtool reads them, and the tests beside them pass; without the option they are stale."""
    code, _ = generate(slos, *form, "--sloth-series")
    made = slos / "generated"
    assert (code, "record: slo:sli_error:ratio_rate5m" in (made / "requests.rules.yml").read_text()) == (0, True)
    folder = made / "tests" if form else made
    assert "SUCCESS" in promtool("check", "rules", *sorted(folder.glob("*.rules.yml")))
    assert "SUCCESS" in promtool("test", "rules", *sorted(folder.glob("requests*.test.yml")))
    code, output = (
        generate(slos, *form, "--sloth-series", "--label", "a=b", "--check") if form else (1, ["--sloth-series"])
    )
    assert (code, output[0].endswith("--sloth-series")) == (1, True)
    assert generate(slos, *form, "--sloth-series", "--check")[0] == 0
    assert generate(slos, *form, "--check")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--namespace", "a"], "--namespace is of PrometheusRule objects; write --format prometheusrule with it"),
        (["--label", "a=b"], "--label is of PrometheusRule objects; write --format prometheusrule with it"),
        ([*OBJECTS, "--label", "release=b"], "--label release= stands twice; write it once"),
        ([*OBJECTS, "--label", "a"], "'a' is no label; write KEY=VALUE, such as release=kube-prometheus-stack"),
        ([*OBJECTS, "--label", "a b=c"], "'a b' is no name that Kubernetes takes; write one such as 'release' or"),
        ([*OBJECTS, "--namespace", "My_Space"], "'My_Space' is no namespace; write at most 63 lower-case letters"),
        (["--format", "json"], "'json' is not one of 'prometheus', 'prometheusrule'."),
    ],
)
def test_what_cannot_be_asked_for(arguments: list[str], said: str, slos: Path) -> None:
    """A usage error that says what to write instead; nothing is written."""
    code, output = generate(slos, *arguments)
    assert (code, said in output[-1]) == (2, True), output
    assert not (slos / "generated").exists()

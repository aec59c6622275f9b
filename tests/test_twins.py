"""Every module has its test module: src/platform_meter/a/b.py is tested by tests/a/test_b.py.

A package's own `__init__.py`, where it holds a function, is tested by tests/a/test_a.py. A private helper `_b.py` has
the twin test_b.py. What is better tested through another module stands in `ELSEWHERE`, and where.
"""

from __future__ import annotations

import ast
import fnmatch
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "platform_meter"

ELSEWHERE = {
    # Parts of one source, seen only through what it asks and says.
    "sources/_github_*.py": "sources/test_github.py",
    "sources/_jira_*.py": "sources/test_jira.py",
    "sources/_kubernetes_*.py": "sources/test_kubernetes.py",
    "sources/_prometheus_*.py": "sources/test_prometheus.py",
    # Parts of the simulated company, seen only through its APIs and its past.
    "demo/github_*.py": "demo/test_github_api.py",
    "demo/jira_bodies.py": "demo/test_jira_api.py",
    "demo/jql.py": "demo/test_jira_api.py",
    "demo/cluster.py": "demo/test_kubernetes_api.py",
    "demo/manifests.py": "demo/test_kubernetes_api.py",
    "demo/wsgi.py": "demo/test_server.py",
    "demo/world.py": "demo/test_truth.py",
    "demo/builds.py": "demo/test_history.py",
    "demo/records.py": "demo/test_history.py",
    "demo/releases.py": "demo/test_history.py",
    "demo/tickets.py": "demo/test_history.py",
    # Every dashboard is held to the same rules.
    "render/dashboards/*.py": "render/dashboards/test_dashboards.py",
    "render/stored_tests.py": "render/test_rule_tests.py",
    # One reader of YAML in three modules; whole messages are what counts.
    "problems/messages.py": "problems/test_cases.py",
    "problems/nodes.py": "problems/test_document.py",
    "slo/openslo*.py": "slo/test_check.py",
    # A package finds its modules by one function, `load`.
    "sources/__init__.py": "sources/test_load.py",
    "measures/__init__.py": "measures/test_load.py",
    # A Protocol, and values without behaviour.
    "model/history.py": "store/test_history.py",
    "store/values.py": "store/test_store.py",
    "store/errors.py": "store/test_leases.py",
    # Parts of the store and of the ways out, seen only through the whole.
    "store/database.py": "store/test_schema.py",
    "store/objects.py": "store/test_ownership.py",
    "store/writer.py": "store/test_store.py",
    "model/portal.py": "model/test_ownership.py",
    "measures/catalogue_docs.py": "measures/test_catalogue.py",
    "measures/adoption_units.py": "measures/test_adoption.py",
    "measures/adoption_view.py": "measures/test_adoption.py",
    "runtime/cross_checks.py": "runtime/test_definitions.py",
    "runtime/kubeconfig.py": "runtime/test_credentials.py",
    "runtime/tls.py": "runtime/test_httpd.py",
}
"""Modules (globs) without a twin, and the tests that cover them."""


def functions(module: Path) -> bool:
    tree = ast.parse(module.read_text("utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in ast.walk(tree))


def modules() -> list[str]:
    """Every module by its path; an `__init__.py` only if it holds a function."""
    found = (path for path in SOURCE.rglob("*.py") if path.name != "__init__.py" or functions(path))
    return sorted(path.relative_to(SOURCE).as_posix() for path in found)


def twin(module: str) -> Path:
    path = Path(module)
    name = path.parent.name if path.name == "__init__.py" else path.stem.lstrip("_")
    return TESTS / path.parent / f"test_{name}.py"


def named(module: str) -> list[str]:
    return [glob for glob in ELSEWHERE if fnmatch.fnmatch(module, glob)]


@pytest.mark.parametrize("module", modules())
def test_the_module_has_its_test_module(module: str) -> None:
    """It stands where one looks for it, or `ELSEWHERE` says which other one covers it; and it holds tests."""
    path = twin(module)
    if path.is_file():
        tests = path.read_text("utf-8")
        assert re.search(r"^def test_", tests, re.MULTILINE), f"{path.relative_to(TESTS)} holds no test"
    else:
        assert named(module), (
            f"{module} has no test module; write {path.relative_to(TESTS.parent)}, "
            "or name in ELSEWHERE the one that covers it"
        )


@pytest.mark.parametrize("glob", ELSEWHERE)
def test_what_is_tested_elsewhere_needs_to_be(glob: str) -> None:
    """The test module that is named is there, and some module it stands for has no twin of its own."""
    assert (TESTS / ELSEWHERE[glob]).is_file(), f"{ELSEWHERE[glob]} is not there"
    found = [module for module in modules() if fnmatch.fnmatch(module, glob)]
    assert found, f"no module is called {glob}; take it out of ELSEWHERE"
    assert not all(twin(module).is_file() for module in found), f"{glob} has its twin; take it out of ELSEWHERE"


def test_modules_are_found() -> None:
    """An empty list would prove nothing: packages with functions are among them, those without are not."""
    found = modules()
    assert {"runtime/poller.py", "sources/__init__.py", "sources/_github_runs.py"} <= set(found)
    assert "runtime/__init__.py" not in found
    assert twin("cli/__init__.py") == TESTS / "cli" / "test_cli.py"
    assert twin("sources/_github_runs.py") == TESTS / "sources" / "test_github_runs.py"

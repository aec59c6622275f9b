"""Lock files: what is installed, by version and hash, and from nowhere in particular."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.places import ROOT

PYTHON = ("requirements.lock", "requirements-dev.lock")
NODE = "tests/real/backstage/package-lock.json"


@pytest.mark.parametrize("name", [*PYTHON, NODE])
def test_a_lock_file_names_no_address(name: str) -> None:
    """Whoever installs says where from; npm writes addresses of registries and of who asks for money by itself."""
    assert [line for line in (ROOT / name).read_text("utf-8").splitlines() if "://" in line] == []


def test_every_part_of_node_has_a_hash() -> None:
    """All but the project itself, which is installed from where it stands."""
    packages: dict[str, dict[str, Any]] = json.loads((ROOT / NODE).read_text("utf-8"))["packages"]
    assert len(packages) > 100
    assert [name for name, said in packages.items() if name and "integrity" not in said] == []

"""Contexts of kubeconfigs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.runtime.files.kubeconfigs import contexts


def test_files_of_the_variable_are_joined() -> None:
    """As kubectl does: every context of all, the first current one."""
    files = {"a": b"contexts: [{name: one}]", "b": b"current-context: two\ncontexts: [{name: two}, {name: one}, x, {}]"}
    found = contexts("", files.get, {"KUBECONFIG": "a:b:c"})
    assert (found.paths, found.found, found.names, found.current) == (("a", "b", "c"), True, ("one", "two"), "two")


@pytest.mark.parametrize("text", [b"", b"[", b"a", b"contexts: {}", b"\xff", b"&a [*a]"])
def test_what_is_no_kubeconfig_has_no_contexts(text: bytes) -> None:
    """It is there, and that is all."""
    found = contexts("k", {"k": text}.get, {})
    assert (found.found, found.names, found.current) == (True, (), "")


@given(st.binary(max_size=200))
def test_any_file_is_read(text: bytes) -> None:
    """Nothing in it makes the reader fail."""
    assert contexts("k", {"k": text}.get, {}).found

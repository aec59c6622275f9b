"""JSON Pointer: the examples of RFC 6901, what is no pointer, and what is said where nothing stands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.model.source import Unexpected
from platform_meter.sources.documents.pointer import found, is_pointer, rows, shape

RFC: dict[str, Any] = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
    "~1": 9,
}
"""The document of section 5, and a name in which the order of unescaping shows (section 4)."""


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", RFC),
        ("/foo", ["bar", "baz"]),
        ("/foo/0", "bar"),
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ('/k"l', 6),
        ("/ ", 7),
        ("/m~0n", 8),
        ("/~01", 9),
    ],
)
def test_the_examples_of_the_rfc(pointer: str, value: Any) -> None:
    """As section 5 evaluates them."""
    assert found(RFC, is_pointer(pointer)) == value


@pytest.mark.parametrize("pointer", ["/bar", "/foo/2", "/foo/-", "/foo/00", "/foo/+1", "/foo/x", "/foo/0/0", "/a~1b/c"])
def test_nothing_stands_there(pointer: str) -> None:
    """A name that is not there, a number past the end or with a zero before it, and what lies below a single value."""
    with pytest.raises(LookupError):
        found(RFC, is_pointer(pointer))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("foo", "'foo' is no JSON Pointer; write /foo"),
        ("/a~b", "'/a~b' is no JSON Pointer; write ~1 for a / and ~0 for a ~ within a name"),
        ("/a~", "'/a~' is no JSON Pointer; write ~1 for a / and ~0 for a ~ within a name"),
    ],
)
def test_what_is_no_pointer(text: str, says: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValueError, match="JSON Pointer") as caught:
        is_pointer(text)
    assert str(caught.value) == says


def test_rows_are_a_list_or_a_single_object() -> None:
    """Where the pointer leads."""
    assert rows({"data": [{"a": 1}, 2]}, "/data", "/x") == [{"a": 1}, 2]
    assert rows([{"a": 1}], "", "/x") == [{"a": 1}]
    assert rows({"a": 1}, "", "/x") == [{"a": 1}]


@pytest.mark.parametrize(
    ("document", "pointer", "says"),
    [
        (
            {"data": {"hours": [], "days": []}},
            "/data/minutes",
            "/x: nothing stands at /data/minutes; at /data stands an object with hours, days; correct `items`",
        ),
        ([1, 2], "/data", "/x: nothing stands at /data; at the top stands a list of 2; correct `items`"),
        ({}, "/data/a", "/x: nothing stands at /data/a; at the top stands an empty object; correct `items`"),
        (
            {"data": "secret"},
            "/data",
            "/x: at /data stands a text; correct `items` so that it leads to a list of objects",
        ),
        (None, "", "/x: at the top stands null; correct `items` so that it leads to a list of objects"),
    ],
)
def test_a_document_of_another_shape(document: Any, pointer: str, says: str) -> None:
    """Where, what stands there without what it says, and what to write instead."""
    with pytest.raises(Unexpected) as caught:
        rows(document, pointer, "/x")
    assert str(caught.value) == says


def test_a_shape_is_short() -> None:
    """Whatever the names of its keys."""
    assert (
        shape({f"{'n' * 100}{number}": 1 for number in range(12)})
        == f"an object with {', '.join(['n' * 60] * 10)} and more"
    )
    assert [shape(value) for value in (True, 1, 1.5, [1])] == ["true or false", "a number", "a number", "a list of 1"]


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=3), part, max_size=3),
)


@given(JSON, st.lists(st.text(max_size=2) | st.sampled_from(["0", "1"]), max_size=3))
def test_any_pointer_into_any_document(document: Any, names: list[str]) -> None:
    """Rows, or an error that fits in a line."""
    pointer = "".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in names)
    try:
        held = rows(document, is_pointer(pointer), "/x")
    except Unexpected as error:
        assert "correct `items`" in str(error)  # noqa: PT017 - nothing has to be raised
    else:
        assert held == [document] or isinstance(held, list)

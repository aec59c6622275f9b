"""YAML text to typed values: what plain words mean, limits, and that nothing people write makes a traceback."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from platform_meter.model.definitions import KINDS, Duration
from platform_meter.problems import EACH, Document, Problem, decode, render
from platform_meter.problems.nodes import MAX_BYTES
from platform_meter.runtime.files.definitions import model_for


class Loose(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: Any = None
    on: Any = None
    wait: Duration = timedelta(0)


def loose(_: Document) -> type[BaseModel]:
    return Loose


def value_of(text: str) -> Any:
    """`a` of the only document."""
    decoded = decode(f"a: {text}\n", "x.yaml", loose)
    assert not decoded.problems
    [read] = decoded.values
    assert isinstance(read.value, Loose)
    return read.value.a


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("on", "on"),
        ("No", "No"),
        ("yes", "yes"),
        ("true", True),
        ("FALSE", False),
        ("010", "010"),
        ("0x1f", "0x1f"),
        ("8:30", "8:30"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("42", 42),
        ("-1.5e3", -1500.0),
        (".inf", ".inf"),
        ("1.", 1.0),
        ("~", None),
        ("", None),
        ("2026-05-04", date(2026, 5, 4)),
        ("2026-05-04 09:00:00 +02:00", datetime.fromisoformat("2026-05-04T09:00:00+02:00")),
        ("2026-05-04T09:00:00Z", datetime(2026, 5, 4, 9, tzinfo=UTC)),
        ("15m", "15m"),
        ("'2026-05-04'", "2026-05-04"),
        ("!!str 5", "5"),
        ("[1, two, {three: 3}]", [1, "two", {"three": 3}]),
    ],
)
def test_plain_words_mean_what_they_look_like(text: str, meaning: object) -> None:
    """YAML 1.1's traps are shut: no word but true and false is a boolean, no octal, no base 60; dates are dates."""
    assert value_of(text) == meaning
    assert type(value_of(text)) is type(meaning)


def test_keys_are_text_as_written() -> None:
    """`on` is the key `on`, not true."""
    [read] = decode("on: 1\nwait: 90s\n", "x.yaml", loose).values
    assert read.value == Loose(on=1, wait=timedelta(seconds=90))


def test_anchors_aliases_and_merges_are_written_out() -> None:
    """An alias is its anchor's value; `<<` adds the keys that are not there yet, from one mapping or several."""
    text = "a:\n  one: &one {x: 1, y: 2}\n  two: {<<: *one, y: 3}\n  three: {<<: [{x: 7}, *one]}\n  four: *one\n"
    [read] = decode(text, "x.yaml", loose).values
    assert read.value == Loose(
        a={"one": {"x": 1, "y": 2}, "two": {"x": 1, "y": 3}, "three": {"x": 7, "y": 2}, "four": {"x": 1, "y": 2}}
    )


def problems_of(text: str) -> list[str]:
    return [f"{p.line}:{p.column} {p.text}" for p in decode(text, "x.yaml", loose).problems]


def test_aliases_cannot_blow_up() -> None:
    """A few lines that expand to a billion values are refused by their count, without writing them out."""
    lines = ["a:", "  - &a0 [1,1,1,1,1,1,1,1,1,1]"]
    lines += [f"  - &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert problems_of("\n".join(lines)) == [
        "1:1 more than 200000 values in one document, aliases written out; split it or use fewer aliases"
    ]


def test_depth_is_bounded_before_it_is_composed() -> None:
    """A megabyte of brackets neither crashes the reader nor takes long; nor does depth that aliases add up to."""
    assert problems_of("a: " + "[" * 500_000) == ["1:43 nested deeper than 40 levels; flatten it"]
    chain = "a:\n  - &n0 [1]\n" + "".join(f"  - &n{n} [[[[[*n{n - 1}]]]]]\n" for n in range(1, 12))
    assert problems_of(chain) == [
        "1:1 more than 40 levels in one document, aliases written out; split it or use fewer aliases"
    ]


def test_size_is_bounded() -> None:
    """A file over a mebibyte is refused unread."""
    assert problems_of("a: " + "x" * MAX_BYTES) == ["1:1 more than 1024 KiB; split the file"]


def test_control_characters_are_shown_where_they_stand() -> None:
    """What YAML forbids is named by its code point, and drawn as a mark that moves no cursor."""
    decoded = decode("a: 1\nb: x\x1b[2J\n", "x.yaml", loose)
    [problem] = decoded.problems
    assert render(problem) == (
        "x.yaml:2:5: character U+001B cannot stand in YAML; remove it, or write it as an escape in double quotes\n"
        "  2 | b: x\ufffd[2J\n"
        "          ^"
    )


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    """Columns count from behind it."""
    assert problems_of("\ufeffb: 1\n") == ["1:1 unknown key 'b' in this file; write one of: a, on, wait"]


def test_a_place_is_found_through_aliases() -> None:
    """A wrong value behind an alias is shown at its anchor."""

    class Pair(BaseModel):
        one: int
        two: int

    found = decode("one: &n many\ntwo: *n\n", "x.yaml", lambda _: Pair).problems
    assert [(p.line, p.column, p.text) for p in found] == [
        (1, 6, "'one' is 'many'; write a whole number, such as 3"),
        (1, 6, "'two' is 'many'; write a whole number, such as 3"),
    ]


def test_the_choice_of_model_may_be_a_problem_or_nobodys() -> None:
    """`model_for` picks by what the document says; what it leaves stays at hand, with its places."""

    class Thing(BaseModel):
        kind: Literal["Thing"]

    def pick(document: Document) -> type[BaseModel] | Problem | None:
        match document.value.get("kind"):
            case "Thing":
                return Thing
            case "Other":
                return None
            case _:
                return document.problem("no such kind", "kind")

    decoded = decode("kind: Thing\n---\nkind: Other\nx: {y: 1}\n---\nkind: Wrong\n", "x.yaml", pick)
    assert [r.value for r in decoded.values] == [Thing(kind="Thing")]
    [other] = decoded.others
    assert (other.value, other.line) == ({"kind": "Other", "x": {"y": 1}}, 3)
    assert other.problem("here", "x", "y").column == 8
    assert other.problem("here", "x", "y", key=True).column == 5
    assert [(p.line, p.column, p.text) for p in decoded.problems] == [(6, 7, "no such kind")]


def test_values_are_found_by_their_path() -> None:
    """Whatever else is wrong: each item of a list, or the one thing that stands in its place."""
    text = "id: x\nrules:\n  - {team: a}\n  - {team: [b]}\n  - {service: c}\nverb: run\nverbs: [run, 5]\n"
    [document] = decode(text, "x.yaml", lambda _: None).others
    assert list(document.found("rules", EACH, "team")) == [(("rules", 0, "team"), "a"), (("rules", 1, "team"), ["b"])]
    assert list(document.texts("rules", EACH, "team")) == [(("rules", 0, "team"), "a")]
    assert list(document.texts("verb", EACH)) == [(("verb",), "run")]
    assert list(document.texts("verbs", EACH)) == [(("verbs", 0), "run")]
    assert (document.word("id"), document.word("rules"), document.word("none", "deep")) == ("x", "", "")


def test_unsound_documents_are_at_hand() -> None:
    """What has problems is told of, and kept apart from what is sound and what is somebody else's."""
    decoded = decode("a: 1\n---\nb: 1\n---\non: !!int x\n", "x.yaml", loose)
    assert [r.document.line for r in decoded.values] == [1]
    assert [d.line for d in decoded.unsound] == [3, 5]


def test_a_part_can_be_read_by_itself() -> None:
    """A section is read as its own model, keys that someone else knows left out."""

    class Section(BaseModel):
        model_config = ConfigDict(extra="forbid")
        n: int

    [document] = decode("parts:\n  p: {type: x, n: 3}\n  q: {type: x, m: 3}\n", "x.yaml", lambda _: None).others
    assert document.read(Section, "parts", "p", leave=("type",)) == Section(n=3)
    wrong = document.read(Section, "parts", "q", leave=("type",), label="part 'q'")
    assert isinstance(wrong, list)
    assert [(p.line, p.column, p.text) for p in sorted(wrong)] == [
        (3, 6, "missing key 'n' in part 'q'; write n: 1"),
        (3, 16, "unknown key 'm' in part 'q'; write one of: n"),
    ]


KEYS = st.sampled_from(
    ["kind", "id", "unit", "source", "verb", "calendar", "days", "mon-fri", "rules", "match", "any", "<<", "x"]
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from([*KINDS, "5bd", "30m"])
)
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5))


def assert_told(text: str) -> None:
    decoded = decode(text, "x.yaml", model_for)
    lines = text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + text.count("\u2029") + 1
    for problem in decoded.problems:
        assert 1 <= problem.line <= lines
        assert problem.column >= 1
        assert problem.text
        assert len(render(problem).split("\n")) in (1, 3)
        assert "pydantic" not in problem.text
        assert "Input should" not in problem.text


@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"%@`#,? \t\n\r\x85\u2028é😀0\x00"), max_size=60))
def test_any_text_gives_values_or_problems(text: str) -> None:
    """Whatever is typed, there is a value or a problem with a place in the text, and never a traceback."""
    assert_told(text)
    assert_told(f"kind: Team\nid: {text}")


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(KEYS, TREES, max_size=6))
def test_any_shape_gives_values_or_problems(kind: str, tree: dict[str, Any]) -> None:
    """Any value in any key of any kind is taken or told in our words."""
    import json

    assert_told(json.dumps({"kind": kind, **tree}))


@given(st.text(max_size=200), st.integers(1, 50), st.integers(1, 300), st.integers(1, 300))
def test_any_problem_can_be_drawn(line: str, number: int, column: int, length: int) -> None:
    """A drawing has one or three lines, none of which can move a cursor."""
    problem = Problem(
        path="x.yaml", line=number, column=column, text=line, source_line=line.replace("\n", ""), length=length
    )
    drawn = render(problem).split("\n")
    assert len(drawn) in (1, 3)
    assert all(row.isprintable() for row in drawn)


def test_a_value_can_be_kept_from_a_problem() -> None:
    """Whatever the problem is about, what stands at that place is never drawn."""
    (document,) = decode("{a: 1, key: geheim}", "a.yaml", lambda _: None).others
    told = document.hiding(document.problem("a is odd", "a"), "key")
    assert render(told) == "a.yaml:1:5: a is odd\n  1 | {a: 1, key: ******}\n          ^"


def test_a_list_of_documents_is_read_where_it_is_asked_for() -> None:
    """If one of them says its apiVersion; each has its place, and what is empty is said to be."""
    text = "- {apiVersion: x, id: a}\n- {id: b}\n"
    found = decode(text, "a.yaml", lambda _: None, lists=True)
    assert [(d.line, d.word("id")) for d in found.others] == [(1, "a"), (2, "b")]
    assert [p.line for p in decode(text, "a.yaml", lambda _: None).problems] == [1]
    assert [decode(t, "a.yaml", lambda _: None).empty for t in ("", "# x", "a: 1", "[")] == [True, True, False, False]

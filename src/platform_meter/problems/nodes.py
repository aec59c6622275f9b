"""YAML text -> trees of values that know where they stand, within limits on size, depth and aliases.

libyaml reads; what a plain word means is decided here, so that YAML 1.1's traps are shut: only `true` and `false` are
booleans (`on`, `off`, `yes`, `no` stay as written), `010` and `8:30` are text, keys are text as written, dates are dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import yaml

from platform_meter.problems.problem import Problem, Span, Text

MAX_BYTES = 1_048_576
MAX_DEPTH = 40
MAX_VALUES = 200_000
"""Values in one document once its aliases are written out."""
_MAX_BROKEN = 20
"""Documents of one file whose syntax errors are told."""

_TAG = "tag:yaml.org,2002:"
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class _Loader(yaml.CBaseLoader):
    """Reads with libyaml; plain words mean what YAML 1.2's core says, and dates."""


_Loader.add_implicit_resolver(_TAG + "null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(_TAG + "bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(_TAG + "int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    _TAG + "float",
    re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$"),
    list("-+.0123456789"),
)
_Loader.add_implicit_resolver(
    _TAG + "timestamp",
    re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|[-+]\d\d(?::?\d\d)?))?)?$"),
    list("0123456789"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value, where it stands, and what it holds."""

    value: Any
    span: Span
    written: str = ""
    """A scalar as it stands in the file."""
    children: Mapping[str | int, Node] = field(default_factory=dict)
    keys: Mapping[str, Span] = field(default_factory=dict)
    size: int = 1
    depth: int = 1
    flawed: bool = False
    """What is wrong with it is told already: what else seems wrong with its value would be echo."""


@dataclass(frozen=True, slots=True)
class Root:
    """One document, and whether anything in it is flawed."""

    node: Node
    flawed: bool = False


def parse(text: str, path: str) -> tuple[Text, list[Root], list[Problem]]:
    """The documents of a file, and every problem there is in them as YAML. Empty documents are left out."""
    text = text.removeprefix("\ufeff")
    source = Text.of(path, text)
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        return source, [], [source.problem(f"more than {MAX_BYTES // 1024} KiB; split the file")]
    if wrong := _FORBIDDEN.search(text):
        before = Text.of(path, text[: wrong.start()]).lines
        message = f"character U+{ord(wrong[0]):04X} cannot stand in YAML; remove it, or write it as an escape in double quotes"
        return source, [], [source.problem(message, len(before), len(before[-1]) + 1)]
    roots: list[Root] = []
    problems: list[Problem] = []
    first = 0
    while first < len(source.lines) and len(problems) < _MAX_BROKEN:
        part = "\n" * first + "\n".join(source.lines[first:])
        try:
            for root in _compose(part):
                builder = _Builder(source)
                node = builder.build(root)
                problems += builder.problems
                if node.value is not None and node.size <= MAX_VALUES and node.depth <= MAX_DEPTH:
                    roots.append(Root(node, bool(builder.problems)))
            break
        except yaml.MarkedYAMLError as error:
            problems.append(_syntax(error, source))
            at = max(first + 1, error.problem_mark.line if error.problem_mark else len(source.lines))
        except _TooDeepError as error:
            problems.append(
                source.problem(f"nested deeper than {MAX_DEPTH} levels; flatten it", error.line, error.column)
            )
            at = max(first + 1, error.line)
        # The next document may be sound: go on from its `---`.
        following = (n for n in range(at, len(source.lines)) if re.match(r"---(\s|$)", source.lines[n]))
        first = next(following, len(source.lines))
    return source, roots, problems


class _TooDeepError(Exception):
    def __init__(self, line: int, column: int) -> None:
        super().__init__()
        self.line, self.column = line, column


def _compose(text: str) -> Iterator[yaml.Node]:
    """Documents in turn. The composer recurses on the C stack, so that depth is looked at in the events first."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    mark = event.start_mark
                    raise _TooDeepError(mark.line + 1 if mark else 1, mark.column + 1 if mark else 1)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.YAMLError:
        pass  # the composer comes to the same place and raises it again, after the documents before it
    yield from yaml.compose_all(text, Loader=_Loader)


class _Builder:
    """One document's nodes to values. Aliases share their anchor's node, so nothing is written out here."""

    def __init__(self, source: Text) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self._done: dict[int, Node] = {}
        self._open: set[int] = set()
        self._flawed: set[int] = set()

    def build(self, root: yaml.Node) -> Node:
        node = self._build(root)
        if node.size > MAX_VALUES or node.depth > MAX_DEPTH:
            what = f"more than {MAX_VALUES} values" if node.size > MAX_VALUES else f"more than {MAX_DEPTH} levels"
            self._problem(f"{what} in one document, aliases written out; split it or use fewer aliases", node.span)
        return node

    def _problem(self, text: str, span: Span) -> None:
        self.problems.append(self.source.problem(text, span.line, span.column, span.length))

    def _flaw(self, text: str, span: Span, node: yaml.Node) -> None:
        """A problem that leaves the node without the value that was meant."""
        self._problem(text, span)
        self._flawed.add(id(node))

    def _build(self, node: yaml.Node) -> Node:
        if done := self._done.get(id(node)):
            return done
        span = self._span(node)
        if id(node) in self._open:
            self._flaw("an alias inside the very value it stands for; write the value out", span, node)
            return Node(value=None, span=span, flawed=True)
        self._open.add(id(node))
        match node:
            case yaml.ScalarNode():
                built = self._scalar(node, span)
            case yaml.SequenceNode():
                built = self._sequence(node, span)
            case yaml.MappingNode():
                built = self._mapping(node, span)
            case _:  # pragma: no cover - YAML has three kinds of node
                raise TypeError(f"no such YAML node: {node!r}")
        self._open.discard(id(node))
        if id(node) in self._flawed:
            built = replace(built, flawed=True)
        self._done[id(node)] = built
        return built

    def _sequence(self, node: yaml.SequenceNode, span: Span) -> Node:
        self._plain(node, "seq", span)
        children: dict[str | int, Node] = {i: self._build(item) for i, item in enumerate(node.value)}
        return _holder([c.value for c in children.values()], span, children, {})

    def _mapping(self, node: yaml.MappingNode, span: Span) -> Node:
        self._plain(node, "map", span)
        children: dict[str | int, Node] = {}
        keys: dict[str, Span] = {}
        merged: list[Node] = []
        for key, value in node.value:
            at = self._span(key)
            if not isinstance(key, yaml.ScalarNode):
                self._flaw("a key must be plain text; put a value that begins with { or [ in quotes", at, node)
                continue
            child = self._build(value)
            if value.tag == _TAG + "null" and not value.value:
                child = replace(child, span=at)
            if key.value == "<<" and not key.style:
                merged += child.children.values() if isinstance(child.value, list) else [child]
            elif key.value in keys:
                first = keys[key.value].line
                self._problem(f"key '{key.value}' stands here and in line {first}; keep one of the two", at)
            else:
                keys[key.value], children[key.value] = at, child
        for other in merged:
            if not isinstance(other.value, dict):
                self._flaw("<< takes an alias of keys and values, such as <<: *defaults", other.span, node)
                continue
            for name in other.keys:
                if name not in keys:
                    keys[name], children[name] = other.keys[name], other.children[name]
        return _holder({k: c.value for k, c in children.items()}, span, children, keys)

    def _scalar(self, node: yaml.ScalarNode, span: Span) -> Node:
        written, value = node.value, None
        kind = node.tag.removeprefix(_TAG)
        try:
            match kind:
                case "str":
                    value = written
                case "null":
                    value = None
                case "bool":
                    value = {"true": True, "false": False}[written.lower()]
                case "int":
                    value = int(written)
                case "float":
                    value = float(written)
                case "timestamp":
                    plain = date.fromisoformat if _DATE.fullmatch(written) else _moment
                    value = plain(written)
                case _:
                    self._flaw(f"tag '{node.tag}' is not known here; remove it", span, node)
        except (ValueError, KeyError):
            text = f"'{written[:40]}' is no {_KINDS[kind]}; correct it, or put it in quotes to mean text"
            self._flaw(text, span, node)
        return Node(value=value, span=span, written=written)

    def _plain(self, node: yaml.Node, kind: str, span: Span) -> None:
        if node.tag != _TAG + kind:
            self._flaw(f"tag '{node.tag}' is not known here; remove it", span, node)

    def _span(self, node: yaml.Node) -> Span:
        start, end = node.start_mark, node.end_mark
        if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
            return self._span(node.value[0][0])
        line, column = start.line + 1, start.column + 1
        if isinstance(node, yaml.SequenceNode) and not node.flow_style:
            return Span(line, column)
        same = end.line == start.line
        stop = end.column if same else len(self.source.lines[start.line].rstrip())
        return Span(line, column, max(1, stop - start.column))


_KINDS = {"bool": "true or false", "int": "whole number", "float": "number", "timestamp": "date that exists"}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(re.sub(r" (?=Z|[-+]\d\d(?::?\d\d)?$)", "", text))


def _holder(value: Any, span: Span, children: Mapping[str | int, Node], keys: Mapping[str, Span]) -> Node:
    size = 1 + sum(c.size for c in children.values())
    depth = 1 + max((c.depth for c in children.values()), default=0)
    return Node(value=value, span=span, children=children, keys=keys, size=size, depth=depth)


_SYNTAX = (
    ("mapping values are not allowed", "a second ': ' in one line, or a wrong indentation; put a text that holds ': ' in quotes"),
    ("found unexpected document indicator", "a quoted text is not closed before '---'; add the closing quote"),
    ("found unexpected end of stream", "a quoted text is not closed; add the closing quote"),
    ("expected ',' or ']'", "a list opened with [ is not closed, or lacks a comma; write [a, b]"),
    ("expected ',' or '}'", "keys opened with { are not closed, or lack a comma; write {a: 1, b: 2}"),
    ("could not find expected ':'", "a key without ': ' behind it; write key: value"),
    ("expected '-' indicator", "a line that is no item of the list above it; begin it with '- ', or indent it as its key"),
    ("did not find expected key", "a line that does not fit the ones above it; check its indentation and quotes"),
    ("a tab character", "a tab; indent with spaces"),
    ("found undefined alias", "an alias (*name) without an anchor (&name) before it; in quotes it is plain text"),
    ("second occurrence", "an anchor (&name) set twice; give it another name"),
    ("unknown escape character", "an unknown escape in double quotes; write \\\\ for a backslash, or use single quotes"),
    ("undefined tag handle", "a tag that is not known; remove it, or put the text in quotes"),
    ("expected <document start>", "text after the document's end; begin the next document with ---"),
)  # fmt: skip


def _syntax(error: yaml.MarkedYAMLError, source: Text) -> Problem:
    """What libyaml found, in plain words. A text never closed is shown where it was opened."""
    found = str(error.problem or "")
    mark = error.problem_mark
    if found.startswith(("found unexpected", "did not find expected ','")) and error.context_mark:
        mark = error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if "cannot start any token" in found:
        shown = source.lines[line - 1][column - 1 : column] if line <= len(source.lines) else ""
        text = "a tab; indent with spaces" if shown == "\t" else f"a value cannot begin with {shown}; put it in quotes"
        return source.problem(text, line, column)
    text = next(
        (t for part, t in _SYNTAX if part in found),
        f"this is no valid YAML ({found}); check the line and the one above",
    )
    return source.problem(text, line, column)

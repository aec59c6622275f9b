"""YAML text with any number of documents -> typed values, and every problem with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from platform_meter.problems.messages import At, explain
from platform_meter.problems.nodes import Node, Root, parse
from platform_meter.problems.problem import Problem, Span, Text

M = TypeVar("M", bound=BaseModel)
Path = tuple[str | int, ...]
EACH = "*"
"""In a path: each item of a list, or the one value that stands there instead of a list."""
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: plain values (keys are text as written), and a way to point at any of them."""

    text: Text
    node: Node
    flawed: bool = False
    """Something in it is no YAML value and told already: the document is no good, whatever else it says."""

    @property
    def path(self) -> str:
        return self.text.path

    @property
    def line(self) -> int:
        return self.node.span.line

    @property
    def value(self) -> Mapping[str, Any]:
        """The document's keys and values, as plain Python."""
        found: Mapping[str, Any] = self.node.value
        return found

    @property
    def label(self) -> str:
        """How messages call it: `capability 'api-gateway'`, `slo 'checkout'`, or `this file` where it says no kind."""
        kind, meta = self.value.get("kind"), self.value.get("metadata")
        name = self.value.get("id") or (meta.get("name") if isinstance(meta, dict) else None)
        if not isinstance(kind, str):
            return "this file"
        words = _WORD.sub(" ", kind).lower()
        return f"{words} '{name}'" if isinstance(name, str) else words

    def problem(self, text: str, *at: str | int, key: bool = False, hide: bool = False) -> Problem:
        """A problem with the value at this path of keys and indexes, as far as it exists; with `key`, with its key.

        With `hide` the value may be a secret that was written where its place should stand: it is never drawn.
        """
        return self._problem(At(at, key=key, hide=at if hide else None), text)

    def hiding(self, problem: Problem, *at: str | int) -> Problem:
        """The problem, which never draws the value at this path."""
        return replace(problem, secrets=(*problem.secrets, self._reached(at).span))

    def found(self, *at: str | int) -> Iterator[tuple[Path, Any]]:
        """Every value at this path, with its own path: `EACH` in it stands for any item. Whether sound or not."""
        return ((path, node.value) for path, node in _found(self.node, at))

    def texts(self, *at: str | int) -> Iterator[tuple[Path, str]]:
        """As `found`, texts alone."""
        return ((path, value) for path, value in self.found(*at) if isinstance(value, str))

    def word(self, *at: str | int) -> str:
        """The text at this path; empty where there is none."""
        return next((text for _, text in self.texts(*at)), "")

    def read(
        self,
        model: type[M],
        *at: str | int,
        context: Mapping[str, Any] | None = None,
        leave: Collection[str] = (),
        label: str = "",
    ) -> M | list[Problem]:
        """The value at this path as `model`, or all that is wrong with it: maybe nothing more, where it is flawed.

        Args:
            model: what the value must be.
            at: path of keys and indexes; none is the whole document. It must exist.
            context: given to the model's validators.
            leave: keys of the value that the model does not know and need not.
            label: how messages call the value; the document's own label by default.
        """
        node = self.node
        for part in at:
            node = node.children[part]
        if leave and isinstance(node.value, dict):
            children = {k: v for k, v in node.children.items() if k not in leave}
            node = replace(node, children=children, value={k: v.value for k, v in children.items()})
        try:
            value = model.model_validate(node.value, context=dict(context or {}))
        except ValidationError as error:
            found = [(p.below(at), t) for p, t in explain(error, model, node, label or self.label)]
        else:
            return [] if self.flawed else value
        return [self._problem(place, text) for place, text in found if place.key or not self._reached(place.at).flawed]

    def _problem(self, place: At, text: str) -> Problem:
        span = self._span(place)
        problem = self.text.problem(text, span.line, span.column, span.length)
        return problem if place.hide is None else replace(problem, secrets=(self._span(At(place.hide)),))

    def _span(self, place: At) -> Span:
        if place.key and place.at:
            keys = self._reached(place.at[:-1]).keys
            if place.at[-1] in keys:
                return keys[str(place.at[-1])]
        return self._reached(place.at).span

    def _reached(self, at: Path) -> Node:
        """The node at this path, as far as it exists."""
        node = self.node
        for part in at:
            if part not in node.children:
                break
            node = node.children[part]
        return node


def _found(node: Node, at: Path, before: Path = ()) -> Iterator[tuple[Path, Node]]:
    if not at:
        yield before, node
    elif at[0] == EACH and isinstance(node.value, list):
        for index, child in node.children.items():
            yield from _found(child, at[1:], (*before, index))
    elif at[0] == EACH:
        yield from _found(node, at[1:], before)
    elif at[0] in node.children:
        yield from _found(node.children[at[0]], at[1:], (*before, at[0]))


@dataclass(frozen=True, slots=True)
class Read(Generic[M]):
    """A typed value with the document it was read from."""

    value: M
    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What a file holds: values that are well, documents that were left alone, and every problem of the rest."""

    values: Sequence[Read[BaseModel]]
    unsound: Sequence[Document]
    """Documents that are something known, and have problems."""
    others: Sequence[Document]
    problems: Sequence[Problem]
    empty: bool = False
    """Nothing stands in the file but blanks and comments."""


ModelFor = Callable[[Document], type[BaseModel] | Problem | None]
"""Which model a document is read as; None leaves it to someone else, a Problem says why it is nobody's."""


def decode(
    text: str, path: str, model_for: ModelFor, *, context: Mapping[str, Any] | None = None, lists: bool = False
) -> Decoded:
    """Every document of `text` as the model that `model_for` picks for it.

    Never raises on what people wrote: a file that is too big, too deep, no YAML or of the wrong shape gives problems.

    Args:
        text: the file's content.
        path: as problems are to call it.
        model_for: picks by the document's keys, such as `kind` or `apiVersion`.
        context: given to the models' validators.
        lists: a list at the top holds documents, as OpenSLO's own tools write them.
    """
    source, roots, problems = parse(text, path)
    roots = [one for root in roots for one in (_items(root) if lists else (root,))]
    empty = not roots and not problems
    values: list[Read[BaseModel]] = []
    unsound: list[Document] = []
    others: list[Document] = []
    for root in roots:
        document = Document(source, root.node, root.flawed)
        if not isinstance(root.node.value, dict):
            problems.append(document.problem("a document is keys and values; write key: value, one a line"))
            continue
        model = model_for(document)
        if model is None:
            others.append(document)
        elif isinstance(model, Problem):
            problems.append(model)
        elif isinstance(found := document.read(model, context=context), list):
            problems += found
            unsound.append(document)
        else:
            values.append(Read(found, document))
    return Decoded(values=values, unsound=unsound, others=others, problems=sorted(problems), empty=empty)


def _items(root: Root) -> Sequence[Root]:
    """The documents of a list at the top, if any says its apiVersion; another list stays, and is told as wrong."""
    value = root.node.value
    if not isinstance(value, list) or not any(isinstance(one, dict) and "apiVersion" in one for one in value):
        return (root,)
    return [Root(item, root.flawed) for item in root.node.children.values()]

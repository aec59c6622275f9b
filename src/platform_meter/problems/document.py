"""YAML text with any number of documents -> typed values, and every problem with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from platform_meter.problems.messages import At, explain
from platform_meter.problems.nodes import Node, Span, parse
from platform_meter.problems.problem import Problem, Text

M = TypeVar("M", bound=BaseModel)
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: plain values (keys are text as written), and a way to point at any of them."""

    text: Text
    node: Node
    flawed: frozenset[int] = frozenset()
    """Lines with a problem that is told already: the document is no good, and more about these lines would be echo."""

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

    def problem(self, text: str, *at: str | int, key: bool = False) -> Problem:
        """A problem with the value at this path of keys and indexes, as far as it exists; with `key`, with its key."""
        return _point(self.text, self._span(At(tuple(at), key=key)), text)

    def read(
        self,
        model: type[M],
        *at: str | int,
        context: Mapping[str, Any] | None = None,
        leave: Collection[str] = (),
        label: str = "",
    ) -> M | list[Problem]:
        """The value at this path as `model`, or all that is wrong with it: nothing more, where the document is flawed.

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
            found = [(replace(p, at=(*at, *p.at)), t) for p, t in explain(error, model, node, label or self.label)]
        else:
            return [] if self.flawed else value
        source = self.text
        for span in (self._span(place) for place, _ in found if place.hide):
            source = source.masked(span.line, span.column, span.length)
        problems = (_point(source, self._span(place), text) for place, text in found)
        return [p for p in problems if p.line not in self.flawed]

    def _span(self, place: At) -> Span:
        node, span = self.node, self.node.span
        for i, part in enumerate(place.at):
            last = i == len(place.at) - 1
            if last and place.key and part in node.keys:
                span = node.keys[str(part)]
                break
            if part not in node.children:
                break
            node = node.children[part]
            span = node.span
        return span


def _point(source: Text, span: Span, text: str) -> Problem:
    return source.problem(text, span.line, span.column, span.length)


@dataclass(frozen=True, slots=True)
class Read(Generic[M]):
    """A typed value with the document it was read from."""

    value: M
    document: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What a file holds: values that are well, documents that were left alone, and every problem of the rest."""

    values: Sequence[Read[BaseModel]]
    others: Sequence[Document]
    problems: Sequence[Problem]


ModelFor = Callable[[Document], type[BaseModel] | Problem | None]
"""Which model a document is read as; None leaves it to someone else, a Problem says why it is nobody's."""


def decode(text: str, path: str, model_for: ModelFor, *, context: Mapping[str, Any] | None = None) -> Decoded:
    """Every document of `text` as the model that `model_for` picks for it.

    Never raises on what people wrote: a file that is too big, too deep, no YAML or of the wrong shape gives problems.

    Args:
        text: the file's content.
        path: as problems are to call it.
        model_for: picks by the document's keys, such as `kind` or `apiVersion`.
        context: given to the models' validators.
    """
    source, roots, problems = parse(text, path)
    values: list[Read[BaseModel]] = []
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
        else:
            values.append(Read(found, document))
    return Decoded(values=values, others=others, problems=sorted(problems))

"""Where in people's files a finding stands: the query it is about, wherever that is written, and the word in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from platform_meter.problems import Document, Problem, decode
from platform_meter.problems.document import Path
from platform_meter.problems.nodes import Node
from platform_meter.problems.problem import Text
from platform_meter.slo.promql import Selector, selectors
from platform_meter.slo.verify.finding import Finding, queries

_CALLED = {
    "total": ("total",),
    "bad": ("bad", "error"),
    "good": ("good", "success"),
    "": ("raw", "threshold", "query"),
}
"""How keys above a query call its part, in the formats that are read."""


class Places:
    """The documents of some files, to point into.

    Args:
        files: path and text of every file with an SLO in it.
    """

    def __init__(self, files: Iterable[tuple[str, str]]) -> None:
        self._files = dict(files)
        self._documents: dict[str, tuple[Document, ...]] = {}

    def problem(self, finding: Finding) -> Problem:
        """The finding at its word, else at its query or key, else at its SLO."""
        plan = finding.plan
        before = [one for one in self._of(plan.path) if one.line <= plan.line]
        if not before:
            return Text.of(plan.path, self._files.get(plan.path, "")).problem(finding.text, plan.line)
        own = before[-1]
        if finding.key:
            return own.problem(finding.text, "spec", finding.key)
        for document in (own, *self._named(own)):
            if fits := [one for one in _texts(document.node) if _reads(finding, one[1])]:
                path, text, _ = max(fits, key=lambda one: _fit(finding, *one, own=document is own))
                return _narrowed(document, document.problem(finding.text, *path), text, finding.word)
        return own.problem(finding.text)

    def _named(self, document: Document) -> Iterator[Document]:
        """The SLI that an SLO names, in whatever file."""
        name = document.word("spec", "indicatorRef")
        for path in self._files if name else ():
            yield from (d for d in self._of(path) if d.word("kind") == "SLI" and d.word("metadata", "name") == name)

    def _of(self, path: str) -> tuple[Document, ...]:
        if path not in self._documents:
            decoded = decode(self._files.get(path, ""), path, lambda _: None, lists=True)
            self._documents[path] = tuple(decoded.others)
        return self._documents[path]


def _texts(node: Node, before: Path = ()) -> Iterator[tuple[Path, str, int]]:
    """Every text in a document with its path and line."""
    if isinstance(node.value, str):
        yield before, node.value, node.span.line
    for key, child in node.children.items():
        yield from _texts(child, (*before, key))


def _selectors(finding: Finding) -> tuple[Selector, ...]:
    return (finding.selector,) if finding.selector is not None else selectors(queries(finding.plan)[finding.part])


def _reads(finding: Finding, text: str) -> bool:
    """Whether a text may be the query of the finding: all its metrics stand there."""
    read = _selectors(finding)
    return bool(read) and all(one.metric in text for one in read)


def _fit(finding: Finding, path: Path, text: str, line: int, *, own: bool) -> tuple[bool, int, bool, int]:
    """How well it is that query and not its neighbour: by the keys above it, its words, and where its SLO begins."""
    called = " ".join(map(str, path)).lower()
    words = [matcher.value for one in _selectors(finding) for matcher in one.matchers]
    after = line >= finding.plan.line or not own
    return any(name in called for name in _CALLED[finding.part]), sum(word in text for word in words), after, -line


def _narrowed(document: Document, problem: Problem, text: str, word: str) -> Problem:
    """The problem at the word within its query, where that is found as it stands; a text may go over several lines."""
    if not word:
        return problem
    pattern = re.compile(rf"(?<![\w:]){re.escape(word)}(?![\w:])")
    last = problem.line + len(text.splitlines())
    for number in range(problem.line, min(last, len(document.text.lines)) + 1):
        start = problem.column - 1 if number == problem.line else 0
        if found := pattern.search(document.text.lines[number - 1], start):
            return document.text.problem(problem.text, number, found.start() + 1, len(word))
    return problem

"""What the words of a merged change say: that it is a revert or a hotfix, and of which changes. Of the text no more is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MOST = 20
"""Changes that one names; more are a list, and no cause."""
_HOTFIX_BRANCH = re.compile(r"\bhot-?fix", re.IGNORECASE)
_LABELS = {
    word: re.compile(rf"(?:.*[:/]\s*)?{pattern}", re.IGNORECASE)
    for word, pattern in (("hotfix", "hot-?fix"), ("revert", "revert"))
}
"""Labels that say so, `type: hotfix` too."""
_REVERT, _AGAIN = 'Revert "', 'Reapply "'
"""What tools put before the title of what is taken back, and before that of what is brought again."""
_REVERTS = re.compile(rf"\A(?:{_REVERT})*")
_PATH = r"[\w.-]+(?:/[\w.-]+)+"
_KIND = r"(?:(?:commits?|changes?|pull requests?|merge requests?|prs?|mrs?) )?"
_MENDS = (
    r"\b(?:fix(?:e[sd])?|close[sd]?|resolve[sd]?|mends?|repairs?|hot-?fix(?:es)?(?: (?:for|of|to))?"
    r"|(?:caused|broken|introduced) (?:by|in|with)|regression (?:from|of|in)):?\s+"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """How one system names changes; made by `spelling`."""

    mark: str
    one: re.Pattern[str]
    undoes: re.Pattern[str]
    mends: re.Pattern[str]

    def undone(self, text: str, repository: str) -> Iterator[str]:
        """Names and commits that it says it takes back."""
        return self._named(self.undoes, text, repository)

    def mended(self, text: str, repository: str) -> Iterator[str]:
        """Names and commits that it says it mends."""
        return self._named(self.mends, text, repository)

    def _named(self, pattern: re.Pattern[str], text: str, repository: str) -> Iterator[str]:
        for found in pattern.finditer(text):
            for one in self.one.finditer(found["named"]):
                where, number = one["at"] or one["in"] or repository, one["page"] or one["number"]
                yield one["sha"] or f"{where}{self.mark}{number}"


def spelling(mark: str, page: str) -> Spelling:
    """Of a system that names a change `#12` or `acme/payments#12`, by its `mark`, and has its page at `acme/payments/PAGE/12`."""
    one = (
        rf"(?:https?://[^/\s]+/(?P<at>{_PATH}?)/{page}/(?P<page>\d+)"
        rf"|(?P<in>{_PATH})?{mark}(?P<number>\d+)"
        r"|(?P<sha>[0-9a-f]{40})(?!\w))"
    )
    any_ = re.sub(r"\?P<\w+>", "?:", one)
    named = rf"(?P<named>{any_}(?:(?:, and |, | and ){any_})*)"
    return Spelling(
        mark=mark,
        one=re.compile(one),
        # A line of its own, as tools write it: what is said in passing is about a revert, and none.
        undoes=re.compile(rf"^[ \t]*(?:this )?reverts {_KIND}{named}", re.MULTILINE | re.IGNORECASE),
        mends=re.compile(rf"{_MENDS}{_KIND}{named}", re.IGNORECASE),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What people wrote about one change."""

    repository: str
    name: str
    """The change's own."""
    title: str
    text: str
    branch: str
    """The one it comes from."""
    labels: Iterable[str]
    commits: Sequence[tuple[str, str]]
    """Commits and their messages, as far as they were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """As a `Change` tells it."""

    labels: tuple[str, ...]
    undoes: tuple[str, ...]
    mends: tuple[str, ...]


def said(words: Words, spelling: Spelling) -> Said:
    """What it is, by labels `revert` and `hotfix` beside its own, and which changes it says it is about."""
    labels = set(words.labels)
    labels |= {word for word, pattern in _LABELS.items() if any(map(pattern.fullmatch, labels))}
    undoes, mends = _undone(words, spelling), list[str]()
    if undoes is not None:
        labels.add("revert")
    if _HOTFIX_BRANCH.search(words.branch):
        labels.add("hotfix")
    if "hotfix" in labels:
        for text in (words.title, words.text):
            mends += spelling.mended(text, words.repository)
    return Said(labels=tuple(sorted(labels)), undoes=_others(words, undoes or ()), mends=_others(words, mends))


def _undone(words: Words, spelling: Spelling) -> list[str] | None:
    """What it takes back; None where it is no revert. One that takes a revert back brings its change again.

    Commits say no more than which changes: they are not known to all who tell of it, as a webhook is.
    """
    depth = (len(words.title) - len(_REVERTS.sub("", words.title, count=1))) // len(_REVERT)
    if words.title.startswith(_AGAIN) or (depth and depth % 2 == 0):
        return None
    found = [*spelling.undone(words.text, words.repository)]
    by_commit = [[*spelling.undone(message, words.repository)] for _, message in words.commits]
    if not (depth or found):
        return None
    return [*found, *(name for names in by_commit for name in names)]


def _others(words: Words, named: Iterable[str]) -> tuple[str, ...]:
    """Each once, without the change itself and its own commits: what was tried and taken back in it never left it."""
    own = {words.name, *(sha for sha, _ in words.commits)}
    return tuple(name for name in dict.fromkeys(named) if name not in own)[:MOST]

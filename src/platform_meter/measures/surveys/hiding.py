"""Which groups of people may be shown: none of fewer than five, and none from which such a group could be worked out.

What is shown of a group is a sum over its people. Whoever sees several groups can add them and take them from each other, so
that a small group may come out although nobody shows it. What can come out in this way is exactly what the groups shown span:
a small set of people is safe where it is no combination of them. The arithmetic is done modulo a large prime, and a set is
held against a fixed combination of all that is orthogonal to the groups shown: what can be worked out always has 0 there.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping
from itertools import combinations
from typing import TypeVar

LEAST = 5
"""People that a group must have to be shown."""
_PRIME = (1 << 61) - 1
_SEED = 1
G = TypeVar("G", bound=Hashable)
_Row = dict[int, int]
"""A vector without its zeros."""


def shown(
    groups: Mapping[G, Collection[Hashable]], whole: G, least: int = LEAST, *, fixed: Collection[G] = ()
) -> frozenset[G]:
    """The groups that may be shown together; of those that give a small one away, the smallest is hidden too, and so on.

    Args:
        groups: the people of each.
        whole: the one that is hidden last; without it nothing is shown.
        least: people that a group must have.
        fixed: those that are shown elsewhere whatever else is, and give no small one away by themselves.
    """
    sizes = {group: len(set(people)) for group, people in groups.items()}
    kept = {group for group in groups if sizes[group] >= least}
    while kept and (part := _given_away(groups, kept, least)):
        kept.discard(min(part, key=lambda group: (group in fixed, group == whole, sizes[group], str(group))))
    return frozenset(kept) if whole in kept else frozenset()


def _given_away(groups: Mapping[G, Collection[Hashable]], kept: Collection[G], least: int) -> set[G]:
    """Groups shown of which a combination is a set of fewer than `least` people; none where there is no such set."""
    names = sorted(kept, key=str)
    within: dict[Hashable, list[int]] = {}
    for place, group in enumerate(names):
        for person in set(groups[group]):
            within.setdefault(person, []).append(place)
    # Who is in the same groups shown can't be told apart, and counts as one.
    alike = sorted(Counter(tuple(places) for places in within.values()).items())
    rows: list[_Row] = [{} for _ in names]
    for column, (places, _) in enumerate(alike):
        for place in places:
            rows[place][column] = 1
    basis = _reduced(rows)
    marks = _marks(basis, len(alike))
    small = [(column, n) for column, (_, n) in enumerate(alike) if n < least]
    for some in _sets(small, marks, least):
        used = _combination(basis, some)
        return {names[place] for place in used}
    return set()


def _sets(small: list[tuple[int, int]], marks: list[int], least: int) -> Iterator[tuple[int, ...]]:
    """Sets of columns with fewer than `least` people that can be worked out: their marks add up to 0."""
    for count in range(1, least):
        # Two marks that are known say what the third and fourth have to be.
        fitting = combinations(small, count) if count <= 2 else _completed(small, marks, count)
        for some in fitting:
            columns = tuple(column for column, _ in some)
            if sum(n for _, n in some) < least and sum(marks[column] for column in columns) % _PRIME == 0:
                yield columns


def _completed(small: list[tuple[int, int]], marks: list[int], count: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Sets of three or four columns whose marks add up to 0, found by what is left of two of them."""
    ones = [one for one in small if one[1] <= 2]
    halves: dict[int, list[tuple[tuple[int, int], tuple[int, int]]]] = {}
    for one, two in combinations(ones, 2):
        halves.setdefault((marks[one[0]] + marks[two[0]]) % _PRIME, []).append((one, two))
    for other in combinations(ones, count - 2):
        rest = -sum(marks[column] for column, _ in other) % _PRIME
        for one, two in halves.get(rest, ()):
            if one not in other and two not in other:
                yield (one, two, *other)


def _reduced(rows: list[_Row]) -> dict[int, tuple[_Row, _Row]]:
    """The rows in reduced echelon form: by the column that leads each, it and what it is made of."""
    basis: dict[int, tuple[_Row, _Row]] = {}
    for place, row in enumerate(rows):
        left, made = dict(row), {place: 1}
        for lead in sorted(set(left) & set(basis)):
            if lead in left:
                factor = -left[lead]
                _add(left, basis[lead][0], factor)
                _add(made, basis[lead][1], factor)
        if not left:
            continue
        lead = min(left)
        inverse = pow(left[lead], -1, _PRIME)
        left = {column: value * inverse % _PRIME for column, value in left.items()}
        made = {of: value * inverse % _PRIME for of, value in made.items()}
        for other, of in basis.values():
            if lead in other:
                factor = -other[lead]
                _add(other, left, factor)
                _add(of, made, factor)
        basis[lead] = (left, made)
    return basis


def _add(to: _Row, row: _Row, factor: int) -> None:
    for column, value in row.items():
        new = (to.get(column, 0) + factor * value) % _PRIME
        if new:
            to[column] = new
        else:
            to.pop(column, None)


def _marks(basis: Mapping[int, tuple[_Row, _Row]], columns: int) -> list[int]:
    """One vector that is orthogonal to all rows, and by chance to next to nothing else."""
    chance = random.Random(_SEED)
    marks = [0 if column in basis else chance.randrange(1, _PRIME) for column in range(columns)]
    for lead, (row, _) in basis.items():
        marks[lead] = -sum(value * marks[column] for column, value in row.items() if column != lead) % _PRIME
    return marks


def _combination(basis: Mapping[int, tuple[_Row, _Row]], columns: Collection[int]) -> set[int]:
    """Rows that make up the vector with 1 at these columns."""
    made: _Row = {}
    for column in columns:
        if column in basis:
            _add(made, basis[column][1], 1)
    return set(made)

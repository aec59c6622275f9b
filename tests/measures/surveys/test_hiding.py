"""What is hidden of small groups: all that could be worked out of what is shown, held against linear algebra by brute force."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from fractions import Fraction
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from platform_meter.measures.surveys.hiding import LEAST, shown

ALL = "all"


def groups(**sizes: int) -> dict[str, set[str]]:
    """Groups without people in common, and all of them together."""
    found = {name: {f"{name}{n}" for n in range(size)} for name, size in sizes.items()}
    return {ALL: set[str]().union(*found.values()), **found}


def test_groups_of_five_are_shown() -> None:
    """And of four none is."""
    assert shown(groups(a=5, b=9, c=6), ALL) == {ALL, "a", "b", "c"}
    assert shown(groups(a=4), ALL) == frozenset()


def test_a_small_group_takes_the_next_smallest_with_it() -> None:
    """All less a and b are c; less a alone they are ten people that nobody can part."""
    assert shown(groups(a=12, b=6, c=4), ALL) == {ALL, "a"}


def test_two_small_groups_cover_each_other() -> None:
    """Three and four are seven together, which is all that can be worked out."""
    assert shown(groups(a=12, b=6, c=4, d=3), ALL) == {ALL, "a", "b"}


def test_two_small_groups_that_are_few_together_are_not_enough() -> None:
    """One and two are three together, so that b is hidden too."""
    assert shown(groups(a=12, b=6, c=2, d=1), ALL) == {ALL, "a"}


def test_what_a_parent_and_its_parts_give_away_is_hidden() -> None:
    """Of an org of nine a team of six leaves three; another way of parting the same people helps to work them out."""
    teams = groups(pay=6, shop=3, data=8)
    org = {"org:retail": teams["pay"] | teams["shop"], "org:data": teams["data"]}
    assert shown({**teams, **org}, ALL) == {ALL, "org:retail", "org:data", "data"}


def test_people_in_two_groups_are_not_parted_from_the_rest() -> None:
    """Two who are in both groups would be the sum of these less all."""
    both = {"x", "y"}
    parts = groups(a=6, b=7)
    found = shown({ALL: parts[ALL] | both, "a": parts["a"] | both, "b": parts["b"] | both}, ALL)
    assert found == {ALL, "b"}


def test_what_is_shown_elsewhere_stays_and_others_are_hidden_for_it() -> None:
    """Eleven with all of a would tell of three of b: the smaller one of the two is hidden, unless it is shown anyway."""
    parts = groups(a=8, b=9)
    told = {ALL: parts[ALL], "a": parts["a"], "eleven": parts["a"] | {"b0", "b1", "b2"}}
    assert shown(told, ALL) == {ALL, "eleven"}
    assert shown(told, ALL, fixed={ALL, "a"}) == {ALL, "a"}


PERSONAS, ORGS, TEAMS = "pqr", "xy", "tuvw"


@st.composite
def segmented(draw: st.DrawFn) -> dict[str, set[int]]:
    """A few people, each with a persona, an org and one or two teams."""
    out: dict[str, set[int]] = {ALL: set()}
    for person in range(draw(st.integers(1, 20))):
        teams = draw(st.sets(st.sampled_from(TEAMS), min_size=1, max_size=2))
        for group in (ALL, draw(st.sampled_from(PERSONAS)), draw(st.sampled_from(ORGS)), *teams):
            out.setdefault(group, set()).add(person)
    return out


def orthogonal(rows: list[list[Fraction]], columns: int) -> list[list[Fraction]]:
    """A basis of all vectors that are orthogonal to the rows."""
    leads: dict[int, list[Fraction]] = {}
    for row in rows:
        left = row
        for lead, other in leads.items():
            factor = left[lead]
            left = [a - factor * b for a, b in zip(left, other, strict=True)]
        lead = next((i for i, value in enumerate(left) if value), -1)
        if lead >= 0:
            new = [value / left[lead] for value in left]
            leads = {at: [a - one[lead] * b for a, b in zip(one, new, strict=True)] for at, one in leads.items()}
            leads[lead] = new
    free = [column for column in range(columns) if column not in leads]
    return [[-leads[c][f] if c in leads else Fraction(int(c == f)) for c in range(columns)] for f in free]


def given_away(people: Mapping[str, Collection[Hashable]], visible: Collection[str]) -> list[Collection[Hashable]]:
    """Every set of one to four people that what is shown determines, by trying all of those that it tells apart."""
    names = sorted(visible)
    apart: dict[tuple[bool, ...], list[Hashable]] = {}
    for person in people[ALL]:
        apart.setdefault(tuple(person in people[name] for name in names), []).append(person)
    classes = sorted(apart)
    against = orthogonal([[Fraction(int(one[i])) for one in classes] for i in range(len(names))], len(classes))
    sets = (some for count in range(1, LEAST) for some in combinations(range(len(classes)), count))
    few = [some for some in sets if sum(len(apart[classes[i]]) for i in some) < LEAST]
    found = [some for some in few if all(sum(vector[i] for i in some) == 0 for vector in against)]
    return [[person for i in some for person in apart[classes[i]]] for some in found]


@given(segmented())
@settings(max_examples=50)
def test_no_small_group_comes_out_of_what_is_shown(people: dict[str, set[int]]) -> None:
    """Whatever the groups are, no set of fewer than five is a sum and difference of those shown."""
    visible = shown(people, ALL)
    assert all(len(people[name]) >= LEAST for name in visible)
    assert given_away(people, visible) == []
    assert shown(dict(reversed(people.items())), ALL) == visible


@given(segmented())
@settings(max_examples=30)
def test_nothing_is_hidden_without_need(people: dict[str, set[int]]) -> None:
    """Where no group is small and none can be worked out, all are shown."""
    if all(len(some) >= LEAST for some in people.values()) and not given_away(people, people):
        assert shown(people, ALL) == set(people)

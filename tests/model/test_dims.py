"""Words of tallies as one text and back."""

from __future__ import annotations

from typing import NamedTuple, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_meter.model.dims import Dim, decode, encode
from platform_meter.model.facts import event_kinds
from platform_meter.model.facts.delivery import DeployKind, DeploymentDim, DeployResult, DeployWay


class One(NamedTuple):
    a: str


class Two(NamedTuple):
    a: str
    b: str


class Three(NamedTuple):
    a: str
    b: str
    c: str


KINDS = {1: One, 2: Two, 3: Three}
# Few letters, so that examples are often alike and full of what has a meaning.
WORDS = st.text("|\\a", max_size=4) | st.text(max_size=3)
DIMS = st.lists(WORDS, min_size=1, max_size=3).map(lambda words: KINDS[len(words)](*words))


@given(DIMS)
def test_what_was_encoded_is_decoded(dim: One | Two | Three) -> None:
    """Any words: empty ones, separators, escapes, line ends, any script."""
    found = decode(encode(dim), type(dim))
    assert (type(found), found) == (type(dim), dim)


@given(DIMS, DIMS)
def test_no_two_dims_share_a_text(one: Dim, other: Dim) -> None:
    """Nor do dims of another number of words."""
    assert (encode(one) == encode(other)) == (one == other)


@given(st.lists(st.text().filter(lambda word: not set(word) & {"|", "\\"}), min_size=1))
def test_plain_words_are_joined_as_they_are(words: list[str]) -> None:
    """So stores of every version hold the same text for them."""
    assert encode(tuple(words)) == "|".join(words)


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        (
            DeploymentDim("production", DeployResult.SUCCESS, DeployKind.PLANNED, DeployWay.JOB),
            "production|success|planned|job",
        ),
        (
            DeploymentDim("eu|blue", DeployResult.FAILED, DeployKind.HOTFIX, DeployWay.GITOPS),
            r"eu\|blue|failed|hotfix|gitops",
        ),
        (DeploymentDim("c:\\", DeployResult.SUCCESS, DeployKind.CONFIG, DeployWay.PUSH), r"c:\\|success|config|push"),
        (DeploymentDim("", DeployResult.SUCCESS, DeployKind.ROLLBACK, DeployWay.ROLLOUT), "|success|rollback|rollout"),
    ],
)
def test_a_dim_as_the_store_keeps_it(dim: DeploymentDim, text: str) -> None:
    """Enums are their words, and come back as enums."""
    assert encode(dim) == text
    found = decode(text, DeploymentDim)
    assert found == dim
    assert [type(word) for word in found] == [str, DeployResult, DeployKind, DeployWay]


@pytest.mark.parametrize("text", ["eu|blue|success|planned|job", "success|planned|job", "eu|done|planned|job", "eu\\|success|planned|job", "eu|success|planned|job\\"])  # fmt: skip
def test_what_no_dim_is_encoded_as_is_refused(text: str) -> None:
    """Too many words or too few, a word that its enum does not know, and an escape of nothing."""
    with pytest.raises(ValueError, match=r"DeploymentDim|DeployResult"):
        decode(text, DeploymentDim)


@pytest.mark.parametrize("kind", event_kinds().values(), ids=lambda kind: kind.__name__)
def test_the_words_of_a_kind_are_words(kind: type) -> None:
    """Text, or an enum of texts: what else it may hold could not be read back."""
    words = event_kinds()[kind.__name__].dim()
    assert all(issubclass(type_, str) for type_ in get_type_hints(words).values())

"""What the words of a change say of other changes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from platform_meter.sources.kit.named_changes import MOST, Said, Words, said, spelling

HASHED = spelling("#", "pull")
BANGED = spelling("!", r"-/merge_requests")
OLD, NEW = "a" * 40, "0123456789abcdef0123456789abcdef01234567"


def _said(
    title: str = "Do",
    text: str = "",
    branch: str = "do",
    labels: Sequence[str] = (),
    commits: Sequence[tuple[str, str]] = (),
    *,
    gitlab: bool = False,
) -> Said:
    mark, how = ("!", BANGED) if gitlab else ("#", HASHED)
    return said(
        Words(
            repository="acme/payments",
            name=f"acme/payments{mark}99",
            title=title,
            text=text,
            branch=branch,
            labels=labels,
            commits=commits,
        ),
        how,
    )


@pytest.mark.parametrize(
    ("title", "text", "undoes"),
    [
        ('Revert "Add a limit"', "Reverts acme/payments#12", ["acme/payments#12"]),
        ('Revert "Add a limit"', "Reverts #12", ["acme/payments#12"]),
        ('Revert "Add a limit"', "Reverts other/api#12\n\nIt was slow.", ["other/api#12"]),
        ('Revert "Add a limit"', "Reverts https://github.test/acme/api/pull/7", ["acme/api#7"]),
        ('Revert "Add a limit"', f"This reverts commit {NEW}.", [NEW]),
        ("Undo it", f"Sorry.\n\nThis reverts commit {NEW}, reversing\nchanges made to {OLD}.", [NEW]),
        ("Undo both", "Reverts #12, #13 and acme/api#7", ["acme/payments#12", "acme/payments#13", "acme/api#7"]),
        ('Revert "Add a limit"', "It was slow.", []),
        ('Revert "Revert "Revert "x"""', "Reverts #14", ["acme/payments#14"]),
    ],
)
def test_a_revert_names_what_it_takes_back(title: str, text: str, undoes: list[str]) -> None:
    """As GitHub's button and `git revert` write it, made whole; one that names nothing is a revert all the same."""
    assert _said(title, text) == Said(labels=("revert",), undoes=tuple(undoes), mends=())


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Explain how to revert #12", "Partially reverts #12 where it is slow"),
        ("Do", "It reverts to the old limit"),
        ('Revert "Revert "x""', "Reverts #13"),
        ('Reapply "x"', f"This reverts commit {NEW}."),
        ("Do", "> Reverts #12"),
    ],
)
def test_what_is_about_a_revert_or_takes_one_back_is_none(title: str, text: str) -> None:
    """What brings a change again fails nobody's deployment."""
    assert _said(title, text) == Said(labels=(), undoes=(), mends=())


@pytest.mark.parametrize(
    ("text", "undoes"),
    [
        ("This reverts merge request !12", ("acme/payments!12",)),
        ("This reverts merge request acme/team/api!7", ("acme/team/api!7",)),
        ("This reverts merge request https://gitlab.test/acme/team/api/-/merge_requests/7", ("acme/team/api!7",)),
        (f"This reverts commit {NEW}", (NEW,)),
        ("Reverts #12", ()),
    ],
)
def test_a_revert_of_gitlab(text: str, undoes: tuple[str, ...]) -> None:
    """Merge requests are named with an exclamation mark; with a hash it is an issue."""
    assert _said('Revert "x"', text, gitlab=True).undoes == undoes


def test_commits_of_a_revert_say_which_changes_it_takes_back() -> None:
    """Beside its text. Alone they make it no revert, and what was tried and taken back within it never left it."""
    back, work = ("c" * 40, f'Revert "x"\n\nThis reverts commit {NEW}.'), ("d" * 40, "Work")
    assert _said('Revert "x"', commits=[back, work]).undoes == (NEW,)
    assert _said('Revert "x"', "Reverts #12", commits=[back]).undoes == ("acme/payments#12", NEW)
    assert _said('Revert "x"', commits=[back, (NEW, "Work")]).undoes == ()
    assert _said(commits=[back]) == Said(labels=(), undoes=(), mends=())


@pytest.mark.parametrize(
    ("text", "mends"),
    [
        ("Fixes #12", ["acme/payments#12"]),
        ("Caused by acme/api#7.", ["acme/api#7"]),
        ("A hotfix for acme/payments#12 and #13", ["acme/payments#12", "acme/payments#13"]),
        (f"Regression from {NEW}", [NEW]),
        ("Broken by PR #12", ["acme/payments#12"]),
        ("fixed: #12", ["acme/payments#12"]),
        ("See #12; suffix #13; fixes&#39; it", []),
        ("Fixes #99", []),
    ],
)
def test_a_hotfix_names_what_it_mends(text: str, mends: list[str]) -> None:
    """By words that people use for it; the change itself is none, nor what is named for another reason."""
    assert _said(text=text, branch="hotfix/limit") == Said(labels=("hotfix",), undoes=(), mends=tuple(mends))
    assert _said(title=text, labels=["hotfix"]).mends == tuple(mends)
    assert _said(text=text).mends == ()


@pytest.mark.parametrize(
    ("label", "labels"),
    [
        ("type: Hot-Fix", ("hotfix", "type: Hot-Fix")),
        ("kind/revert", ("kind/revert", "revert")),
        ("no hotfix", ("no hotfix",)),
        ("hotfix-candidate", ("hotfix-candidate",)),
    ],
)
def test_a_label_says_it_under_a_heading_of_ones_own(label: str, labels: tuple[str, ...]) -> None:
    """What only contains the word is another label."""
    assert _said(labels=[label]).labels == labels


def test_many_names_are_cut() -> None:
    """Each counts once, in order, up to twenty."""
    text = "Fixes " + ", ".join(f"#{n}" for n in (1, *range(1, 30)))
    assert _said(text=text, labels=["hotfix"]).mends == tuple(f"acme/payments#{n}" for n in range(1, MOST + 1))


@pytest.mark.parametrize(
    "text", ["\n" * 60_000, "reverts " * 8_000, "fixes " + "a/" * 30_000, "fixes " + "#1, " * 15_000]
)
def test_long_texts_take_no_time(text: str) -> None:
    """What people may write, however they mean it, is read in one pass: the suite's time limit holds it to that."""
    assert _said(text=text, labels=["hotfix"]).undoes == ()

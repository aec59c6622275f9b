"""What measures keep is one of each type."""

from __future__ import annotations

from platform_meter.model.kept import Fold, Folding, Kept


class Book:
    """Something that a measure keeps."""


class Other:
    """Something else."""


def test_whoever_asks_gets_the_same_one() -> None:
    """Of one type there is one, of another type another, and another store has its own."""
    kept = Kept()
    assert kept.of(Book) is kept.of(Book)
    assert isinstance(kept.of(Book), Book)
    assert isinstance(kept.of(Other), Other)
    assert Kept().of(Book) is not kept.of(Book)


class Worth(Folding):
    """Something worth storing."""

    name = "worth"

    def dump(self) -> Fold | None:
        return Fold(made_under="x", body=b"1")


def test_what_is_worth_storing_is_told() -> None:
    """Of what was asked for, that alone."""
    kept = Kept()
    kept.of(Book)
    assert kept.foldings() == []
    worth = kept.of(Worth)
    assert kept.foldings() == [worth]

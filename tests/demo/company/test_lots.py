from __future__ import annotations

from platform_meter.demo.company.lots import drawn, one_in


def test_a_lot_follows_from_the_words_alone() -> None:
    """Each word counts, and where one ends; it is the same in every process."""
    assert [drawn("boards", "team-a"), drawn("boards", "team-b"), drawn("boar", "ds/team-a")] == [
        1513471427,
        3275549817,
        1017828688,
    ]


def test_it_falls_on_one_in_so_many() -> None:
    """Of a thousand names, as nearly as names go."""
    assert 180 < sum(one_in(5, "owner", f"service-{n}") for n in range(1_000)) < 220
    assert all(one_in(1, f"service-{n}") for n in range(10))

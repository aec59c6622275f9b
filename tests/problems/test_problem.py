"""How a problem is drawn, and which words come near which."""

from __future__ import annotations

from dataclasses import replace

from platform_meter.problems import Problem, Text, masked, nearest, render, suggest
from platform_meter.problems.problem import Span


def test_a_problem_is_drawn_under_its_line() -> None:
    """File, line and column; the line with its number; a mark under each character that is meant."""
    problem = Problem(
        path="slo-definitions/ci.yaml",
        line=6,
        column=5,
        text="unknown key 'totl' in slo 'pipeline-success'; did you mean 'total'?",
        source_line="    totl: platform_pipeline_runs_total",
        length=4,
    )
    assert render(problem) == (
        "slo-definitions/ci.yaml:6:5: unknown key 'totl' in slo 'pipeline-success'; did you mean 'total'?\n"
        "  6 |     totl: platform_pipeline_runs_total\n"
        "          ^^^^"
    )


def test_a_long_line_is_cut_around_the_place() -> None:
    """At most 160 characters are shown, with what stands before the place."""
    problem = Text.of("x.yaml", "a" * 500 + "HERE" + "b" * 500).problem("look", 1, 501, 4)
    assert render(problem) == f"x.yaml:1:501: look\n  1 | …{'a' * 60}HERE{'b' * 96}\n{' ' * 67}^^^^"


def test_marks_stand_under_wide_characters() -> None:
    """A character that takes two columns moves the marks by two; a tab is drawn as one space."""
    problem = Text.of("x.yaml", "é:\t漢字 x").problem("look", 1, 7, 1)
    assert render(problem) == "x.yaml:1:7: look\n  1 | é: 漢字 x\n              ^"


def test_a_secret_is_masked_in_all_that_quotes_its_line() -> None:
    """In the problem that says where it is, and in every other one of that line; lines of other files stay."""
    text = Text.of("x.yaml", "a: {token: hush, every: often}")
    secret = replace(text.problem("not here", 1, 12, 4), secrets=(Span(1, 12, 4),))
    often = text.problem("no duration", 1, 25, 5)
    other = replace(often, path="y.yaml")
    assert render(secret) == "x.yaml:1:12: not here\n  1 | a: {token: ****, every: often}\n                 ^^^^"
    assert [p.source_line for p in masked([often, secret, other])] == [
        "a: {token: ****, every: often}",
        "a: {token: ****, every: often}",
        "a: {token: hush, every: often}",
    ]


def test_without_a_line_only_the_text_is_shown() -> None:
    """A file that can't be read has no line to draw."""
    assert render(Problem(path="x.yaml", line=1, column=1, text="gone")) == "x.yaml:1:1: gone"


def test_lines_end_where_yaml_ends_them() -> None:
    """Carriage returns and Unicode's line ends count, so that numbers agree with the reader's."""
    assert Text.of("x", "a\r\nb\rc\x85d\u2028e\u2029f\n").lines == ("a", "b", "c", "d", "e", "f", "")


def test_problems_sort_by_place() -> None:
    """By file, line and column, whatever the order in which they were found."""
    places = [("b", 1, 1), ("a", 10, 1), ("a", 2, 9), ("a", 2, 1)]
    found = sorted(Problem(path=p, line=line, column=c, text="t") for p, line, c in places)
    assert [(p.path, p.line, p.column) for p in found] == [("a", 2, 1), ("a", 2, 9), ("a", 10, 1), ("b", 1, 1)]


def test_a_near_word_is_proposed_else_all_are_listed() -> None:
    """One near word is a guess worth making; without one, what there is; with nothing there, nothing."""
    assert suggest("totl", ["total", "good", "bad"]) == "; did you mean 'total'?"
    assert suggest("zzz", ["good", "bad"]) == "; write one of: bad, good"
    assert suggest("zzz", [f"k{n:02}" for n in range(14)]).endswith("k10, k11 and 2 more")
    assert suggest("zzz", []) == ""
    assert (nearest("totl", ["total", "good"]), nearest("zzz", ["total"])) == ("total", "")

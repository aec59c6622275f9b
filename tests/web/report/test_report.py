"""The weekly report: one content in four forms, and whatever a name holds stays text in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from platform_meter.web.report.content import Bullets, Paragraph, Report, Section, Table, plain
from platform_meter.web.report.html import html
from platform_meter.web.report.markdown import markdown
from platform_meter.web.report.text import WIDTH, chat, text

MADE = datetime(2026, 11, 30, 7, tzinfo=UTC)
SHARP = "a|b <b>x</b>\n\n# no {{ 1 }} *y* [z](http://e.org) ![i](j) `k` 1. - ~~l~~ &amp; @all \\ www.e.org $m$"
NAMES = st.one_of(
    st.text(min_size=1, max_size=20).filter(plain),
    st.text(alphabet="|<>*_`#-+=[]()!~&\\{}\n:/.1wx @$\"'", min_size=1, max_size=25).filter(plain),
    st.just(SHARP),
)


def report(name: str) -> Report:
    """One that holds a name wherever one can be."""
    return Report(
        title=f"Week of {name}",
        lead=name,
        week="2026-W48",
        made=MADE,
        sections=[
            Section(
                title=name,
                blocks=[
                    Paragraph(name),
                    Bullets([name, f"{name} fell"]),
                    Table(["Team", name], [[name, "1"], ["b", "2"]]),
                ],
                brief=[f"{name} fell"],
            )
        ],
        href="https://meter.example/report/2026-W48",
    )


def flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from flat(token.children or [])


READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def read(name: str) -> tuple[Counter[str], list[str]]:
    """Which structure a reader of Markdown sees in the report, and its words."""
    tokens = list(flat(READER.parse(markdown(report(name)))))
    shape = Counter(t.type for t in tokens if t.type not in {"text", "text_special", "inline"})
    words = ["".join(c.content for c in flat(t.children or [])) for t in tokens if t.type == "inline"]
    return shape, words


@given(NAMES)
def test_no_name_makes_structure_of_markdown(name: str) -> None:
    """A reader of Markdown sees the same headings, bullets and cells whatever a name is, and the name as it was."""
    shape, words = read(name)
    assert shape == read("x")[0]
    assert words.count(plain(name)) >= 6


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(f"{tag} {attrs}")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def seen(name: str) -> _Reader:
    reader = _Reader()
    reader.feed(html(report(name)))
    return reader


@given(NAMES)
def test_no_name_makes_structure_of_html(name: str) -> None:
    """A reader of HTML sees the same tags whatever a name is, and the name as it was."""
    found = seen(name)
    assert found.tags == seen("x").tags
    assert found.words.count(plain(name)) >= 6


def test_html_needs_nothing_else() -> None:
    """The document loads no style, script, font or picture from anywhere; its one address is its page."""
    assert [tag for tag in seen("x").tags if "http" in tag] == ["a [('href', 'https://meter.example/report/2026-W48')]"]
    assert not {tag.split()[0] for tag in seen("x").tags} & {"script", "link", "img", "iframe"}


def test_text_is_wrapped() -> None:
    """Plain text has lines of at most 78 characters; a table that does not fit is told row by row."""
    long = "a team with quite a long name that says where it is and what it does"
    told = text(report(long))
    assert max(map(len, told.splitlines())) <= WIDTH
    assert f"- {long}:" in told
    assert f"\n- b: {long} 2\n\n" in told


def test_text_as_a_whole() -> None:
    """Headings are ruled, bullets hang, columns stand below each other."""
    assert text(report("payments")) == (
        "Week of payments\n================\n\npayments\n\npayments\n--------\n\npayments\n\n"
        "- payments\n- payments fell\n\n"
        "Team      payments\n--------  --------\npayments  1\nb         2\n\n"
        "https://meter.example/report/2026-W48\n"
    )


def test_a_chat_gets_the_few_lines_that_are_worth_most() -> None:
    """Nobody is mentioned and nothing linked by a name."""
    assert chat(report("<!channel> @all *x* [y](z) `w` |")) == (
        "Week of ‹!channel› @\u2060all ∗x∗ (y)(z) 'w' ¦\n"
        "• ‹!channel› @\u2060all ∗x∗ (y)(z) 'w' ¦ fell\n"
        "https://meter.example/report/2026-W48"
    )


def test_what_controls_how_text_is_shown_is_left_out() -> None:
    """A name that turns the direction of what follows, or ends a line, is a name on one line."""
    assert plain("pay\u202ements\r\n\x00team\u2066 \ud800x") == "payments team x"

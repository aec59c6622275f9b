"""Shapes of exports: what stands in them by field, who and when under the words that a Survey file has by default."""

from __future__ import annotations

from typing import Any

import pytest

from platform_meter.model.source import Unexpected
from platform_meter.sources.surveys import rows
from platform_meter.sources.surveys.rows import ID, decoded, of_json, of_table


def test_lines_of_csv_stand_under_their_header() -> None:
    """Quoted cells with line ends, lines that are empty or short, and the id where there is a column of it."""
    text = 'id , score,why\r\n7,9,"fast,\nreally"\r\n,,\r\n8,3\r\n'
    assert of_table(text, "csv", "a.csv") == [
        {"id": "7", "score": "9", "why": "fast,\nreally", ID: "7"},
        {"id": "8", "score": "3", ID: "8"},
    ]
    assert of_table("", "csv", "a.csv") == []


def test_two_columns_of_one_name_are_refused() -> None:
    """Which of them is meant, nobody knows."""
    with pytest.raises(Unexpected, match=r"^a\.csv: column 'q' is there twice; give one of them another name$"):
        of_table("q,q\n1,2\n", "csv", "a.csv")


def test_what_is_no_csv_says_where() -> None:
    """A quote that nobody closes."""
    with pytest.raises(Unexpected, match=r"^a\.csv, line 2: no CSV \(unexpected end of data\); correct it$"):
        of_table('q\n"1\n', "csv", "a.csv")


def test_google_forms_as_a_table() -> None:
    """Its two own columns have the names that a Survey file has by default, and its questions are columns."""
    text = "Timestamp,Email Address,How likely?\n2026/05/04 3:21:09 PM GMT+2,ada@acme.example,9\n"
    (row,) = of_table(text, "google_forms", "g.csv")
    assert (row["submitted_at"], row["email"], row["How likely?"]) == (
        "2026/05/04 3:21:09 PM GMT+2",
        "ada@acme.example",
        "9",
    )


def test_google_forms_as_its_api_answers() -> None:
    """Answers stand under ids of questions; one with several values is a list, which is no number."""
    body = {
        "responses": [
            {
                "responseId": "r1",
                "createTime": "2026-05-04T13:00:00Z",
                "lastSubmittedTime": "2026-05-04T13:21:09Z",
                "respondentEmail": "ada@acme.example",
                "answers": {
                    "4f2a": {"questionId": "4f2a", "textAnswers": {"answers": [{"value": "9"}]}},
                    "77b1": {"questionId": "77b1", "textAnswers": {"answers": [{"value": "a"}, {"value": "b"}]}},
                    "c0de": {"questionId": "c0de", "fileUploadAnswers": {}},
                },
            }
        ]
    }
    assert of_json(body, "google_forms", "", "g.json") == [
        {
            ID: "r1",
            "submitted_at": "2026-05-04T13:21:09Z",
            "email": "ada@acme.example",
            "4f2a": "9",
            "77b1": ["a", "b"],
            "c0de": None,
        }
    ]


def test_typeform_as_a_table() -> None:
    """Its times are UTC and say so in the name of the column."""
    text = "#,How likely?,Submit Date (UTC),Token\nabc,9,2026-05-04 13:21:09,t1\n"
    (row,) = of_table(text, "typeform", "t.csv")
    assert (row[ID], row["submitted_at"], row["How likely?"]) == ("abc", "2026-05-04 13:21:09", "9")


def test_typeform_as_its_api_answers() -> None:
    """Answers stand under the ref and the id of their field; hidden fields tell who it is."""
    body = {
        "total_items": 1,
        "items": [
            {
                "response_id": "r1",
                "token": "t1",
                "submitted_at": "2026-05-04T13:21:09Z",
                "hidden": {"email": "ada@acme.example", "team": "team-pay"},
                "answers": [
                    {"type": "number", "number": 9, "field": {"id": "F1", "type": "nps", "ref": "likely"}},
                    {"type": "choice", "choice": {"label": "4"}, "field": {"id": "F2", "type": "choice"}},
                    {"type": "choices", "choices": {"labels": ["a", "b"]}, "field": {"id": "F4"}},
                    {"type": "text", "text": "fast", "field": {"id": "F3", "ref": "why"}},
                ],
            }
        ],
    }
    assert of_json(body, "typeform", "", "t.json") == [
        {
            ID: "r1",
            "submitted_at": "2026-05-04T13:21:09Z",
            "email": "ada@acme.example",
            "team": "team-pay",
            "F1": 9,
            "likely": 9,
            "F2": "4",
            "F4": ["a", "b"],
            "F3": "fast",
            "why": "fast",
        }
    ]


def test_json_is_a_list_or_has_one_under_its_key() -> None:
    """Rows that are no objects are none."""
    assert of_json([{"id": 1, "q": 4}, 7], "http_json", "", "u") == [{"id": 1, "q": 4, ID: 1}]
    assert of_json({"data": [{"q": 4}]}, "http_json", "data", "u") == [{"q": 4, ID: None}]


@pytest.mark.parametrize(
    ("body", "items", "text"),
    [
        (
            {"data": [], "next": 1},
            "",
            "no list stands as the whole document; there are: data, next; name its key as `items` of the survey's source",
        ),
        (
            {"data": {}},
            "data",
            "no list stands under 'data'; there are: data; name its key as `items` of the survey's source",
        ),
        ("x", "data", "no list stands under 'data'; name its key as `items` of the survey's source"),
    ],
)
def test_where_no_list_stands_it_says_what_does(body: Any, items: str, text: str) -> None:
    """The names of keys, and nothing of what they hold."""
    with pytest.raises(Unexpected) as found:
        of_json(body, "http_json", items, "u")
    assert str(found.value) == f"u: {text}"


def test_answers_are_not_more_than_can_be_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a survey would be a wrong number."""
    monkeypatch.setattr(rows, "MOST_ROWS", 2)
    with pytest.raises(Unexpected, match="3 answers are more than 2; part them into several surveys"):
        of_table("q\n1\n2\n3\n", "csv", "a.csv")


def test_what_is_no_json_says_so() -> None:
    """With its place."""
    with pytest.raises(Unexpected, match=r"^a\.json: no JSON \(.*\); correct it$"):
        decoded(b"{", "a.json")

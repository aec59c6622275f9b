"""Answers as exports have them, each as a mapping of its fields: CSV, lists of JSON objects, Google Forms, Typeform.

Google's and Typeform's own words for who and when are also there as `email` and `submitted_at`, which a Survey file has by
default; an answer's id as `ID`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from platform_meter.model.source import Unexpected
from platform_meter.sources.kit.names import called_twice

ID = " id"
"""The key of an answer's own id: no column is called so."""
MOST_ROWS = 50_000
Answer = Mapping[str, Any]
_GOOGLE = {"submitted_at": ("Timestamp",), "email": ("Email Address", "Username", "Email")}
_TYPEFORM = {"submitted_at": ("Submit Date (UTC)", "Submitted At"), "email": ("email", "Email"), ID: ("#", "Token")}
_OWN = {ID: ("id",)}
_KNOWN: Mapping[str, Mapping[str, Sequence[str]]] = {"google_forms": _GOOGLE, "typeform": _TYPEFORM}


def of_table(text: str, shape: str, where: str) -> Sequence[Answer]:
    """Lines of CSV under their header.

    Raises:
        Unexpected: it is none, or has two columns of one name.
    """
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        twice = called_twice(filter(None, header))
        if twice is not None:
            raise Unexpected(f"{where}: column {twice!r} is there twice; give one of them another name")
        rows = [dict(zip(header, cells, strict=False)) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise Unexpected(f"{where}, line {reader.line_num}: no CSV ({error}); correct it") from None
    return [_with_known(row, _KNOWN.get(shape, _OWN)) for row in _few(rows, where)]


def of_json(body: Any, shape: str, items: str, where: str) -> Sequence[Answer]:
    """Objects of a list: of an API's answer, or of one that was saved as a file.

    Raises:
        Unexpected: there is no list where one should be.
    """
    key = {"google_forms": "responses", "typeform": "items"}.get(shape, items)
    held = body.get(key) if key and isinstance(body, dict) else body
    if not isinstance(held, list):
        there = f"under {key!r}" if key else "as the whole document"
        keys = f"; there are: {', '.join(sorted(map(str, body))[:20])}" if isinstance(body, dict) else ""
        raise Unexpected(f"{where}: no list stands {there}{keys}; name its key as `items` of the survey's source")
    rows = [row for row in _few(held, where) if isinstance(row, dict)]
    made = {"google_forms": _of_google, "typeform": _of_typeform}.get(shape, _plain)
    return [made(row) for row in rows]


def decoded(body: bytes, where: str) -> Any:
    """JSON.

    Raises:
        Unexpected: it is none.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unexpected(f"{where}: no JSON ({error}); correct it") from None


def _few(rows: Sequence[Any], where: str) -> Sequence[Any]:
    if len(rows) > MOST_ROWS:
        raise Unexpected(f"{where}: {len(rows):,} answers are more than {MOST_ROWS:,}; part them into several surveys")
    return rows


def _with_known(row: dict[str, Any], known: Mapping[str, Sequence[str]]) -> Answer:
    for name, others in known.items():
        if name not in row:
            found = next((row[other] for other in others if row.get(other)), None)
            if found is not None:
                row[name] = found
    return row


def _plain(row: dict[str, Any]) -> Answer:
    return {**row, ID: row.get("id")}


def _of_google(row: dict[str, Any]) -> Answer:
    """One of `forms.responses.list`: answers stand under the ids of their questions."""
    out: dict[str, Any] = {
        ID: row.get("responseId"),
        "submitted_at": row.get("lastSubmittedTime") or row.get("createTime"),
        "email": row.get("respondentEmail"),
    }
    answers = row.get("answers")
    for question, answer in answers.items() if isinstance(answers, dict) else ():
        texts = answer.get("textAnswers", {}).get("answers", []) if isinstance(answer, dict) else []
        values = [text.get("value") for text in _dicts(texts)]
        out[question] = values[0] if len(values) == 1 else values or None
    return out


def _of_typeform(row: dict[str, Any]) -> Answer:
    """One of the Responses API: answers stand under the `ref` and the id of their field; hidden fields under their names."""
    hidden = row.get("hidden")
    out: dict[str, Any] = {
        **(hidden if isinstance(hidden, dict) else {}),
        ID: row.get("response_id") or row.get("token"),
        "submitted_at": row.get("submitted_at"),
    }
    for answer in _dicts(row.get("answers") or []):
        value = answer.get(str(answer.get("type")))
        field = answer.get("field")
        for name in ("id", "ref"):
            if isinstance(field, dict) and isinstance(field.get(name), str):
                out[field[name]] = value.get("label") or value.get("labels") if isinstance(value, dict) else value
        if answer.get("type") == "email":
            out.setdefault("email", value)
    return out


def _dicts(held: Any) -> Iterable[dict[str, Any]]:
    return [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []

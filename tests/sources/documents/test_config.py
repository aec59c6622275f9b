"""What people may write of documents: each mistake is told before anything is asked."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from platform_meter.model.access import Access, Secret, Token
from platform_meter.sources.documents.config import Config

SLI: dict[str, Any] = {"id": "orders", "path": "/orders", "good": "/ok", "total": "/all", "at": "/minute"}
USE: dict[str, Any] = {"action": "open_page", "files": "/x/*.csv", "by": ["/team"], "kind": "team", "at": "/at"}


INCIDENT: dict[str, Any] = {
    "id": "status",
    "path": "/x",
    "by": ["/service"],
    "key": ["/id"],
    "at": "/at",
    "resolved": "/end",
}


def incidents(**changed: Any) -> dict[str, Any]:
    """Settings with one entry of incidents, changed; what is None is left out."""
    told = {key: value for key, value in {**INCIDENT, **changed}.items() if value is not None}
    return {"url": "http://x", "incidents": [told]}


def sli(**changed: Any) -> dict[str, Any]:
    """Settings with one SLI, changed; what is None is left out."""
    told = {key: value for key, value in {**SLI, **changed}.items() if value is not None}
    return {"url": "http://x", "slis": [told]} if "path" in told else {"slis": [told]}


def use(**changed: Any) -> dict[str, Any]:
    told = {key: value for key, value in {**USE, **changed}.items() if value is not None}
    return {"usage": [told]} if "path" not in told else {"url": "http://x", "usage": [told]}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "nothing is read; write slis, usage, incidents, feedback or training"),
        ({"slis": [SLI]}, "a path is read and url says not where; add url: https://HOST"),
        ({"url": "http://x", "usage": [USE]}, "nothing is read there; write a path, or remove url"),
        ({"usage": [USE, USE]}, "usage/open_page/documents/team is there twice; give one of them another name"),
        (sli(path=None), "rows stand either in a document at path or in files; write one of the two"),
        (sli(files="/x/*.csv"), "rows stand either in a document at path or in files; write one of the two"),
        (sli(path="orders"), "'orders' is no path under url; write for example /api/orders"),
        (sli(path="/orders?a=b"), "and what follows a ? as params"),
        (use(items="/data"), "items is of documents at a path; remove it, rows of files are their lines"),
        (use(params={"a": "b"}), "params is of documents at a path; remove it"),
        (use(files="/x/*"), "'*' may be any file; end it with .csv, .ndjson or .jsonl"),
        (use(files="/x/*/a.csv"), "'/x/*' is several folders; write * in the names of files alone"),
        (use(files="/x/a.ndjson", separator=";"), "separator is of CSV; remove it"),
        (sli(separator=";"), "separator is of CSV; remove it"),
        (sli(items="data"), "'data' is no JSON Pointer; write /data"),
        (sli(at="minute"), "'minute' is no JSON Pointer; write /minute"),
        (sli(good="ok"), "'ok' is no JSON Pointer; write /ok"),
        (sli(good=-1), "greater than or equal to 0"),
        (sli(good={"value": "/s", "among": []}), "at least 1 item"),
        (sli(total=None), "an SLI needs two of good, bad and total, and good is given; write good and bad, or one"),
        (sli(good=None, total=None), "an SLI needs two of good, bad and total, and none is given"),
        (sli(bad="/bad"), "an SLI needs two of good, bad and total, and good, bad, total are given"),
        (sli(good=1, total=1), "good and total are the same of each row; write where one of them stands: /ok"),
        (
            sli(files="/x/a.csv", path=None, at="now"),
            "a file was written before; write where the moment of a row stands",
        ),
        (sli(at="now", stamp="end"), "of now there is no start and no end; remove stamp"),
        (sli(at="now", zone="UTC"), "of now there is no format and no zone; remove them"),
        (use(path="/x", files=None, at="now"), "each poll would count the same use again"),
        (sli(format="%Y-%m-%d"), "moments of this format name no zone; add zone, such as Europe/Berlin or UTC"),
        (sli(format="%Y-%m-%d %z", zone="UTC"), "moments name their zone themselves; remove zone"),
        (sli(zone="UTC"), "moments name their zone themselves; remove zone, or give a format without %z"),
        (sli(format="%H"), "'%H' names no year, month and day"),
        (use(by=[]), "at least 1 item"),
        (use(action="Open page"), "'Open page' is no word; write small letters, digits and _"),
        (use(kind="x" * 41), "at most 40 characters"),
        (incidents(at="now"), "an incident began before it was read; write where its start stands"),
        (incidents(key=None), "Field required"),
        (incidents(key=[]), "at least 1 item"),
        (incidents(resolved=None), "Field required"),
        (incidents(severities={"1": "bad"}), "should be 'critical', 'major', 'minor' or 'unknown'"),
        (sli(kind="x"), "Extra inputs are not permitted"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], says: str) -> None:
    """Each says what to write."""
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(settings)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        sli(),
        sli(at="now"),
        sli(total=1, good={"value": "/status", "among": ["up", 1, True]}),
        sli(good=None, bad="/failed"),
        sli(total=None, bad="/failed"),
        sli(format="%Y-%m-%d %z"),
        sli(format="%Y-%m-%d", zone="Europe/Berlin"),
        use(separator=";", files="exports/*.csv.gz"),
        use(path="/uses", files=None, params={"days": "7"}, items="/data/0"),
    ],
)
def test_settings_that_make_sense(settings: dict[str, Any]) -> None:
    """They are taken as they are."""
    assert Config.model_validate(settings).entries


def test_files_stand_beside_the_file_that_names_them() -> None:
    """Relative to its folder; a path from the root stays."""
    told = {"usage": [{**USE, "files": "exports/*.csv"}, {**USE, "action": "other"}]}
    config = Config.model_validate(told, context={"base": "/etc/meter"})
    assert [entry.files for entry in config.usage] == ["/etc/meter/exports/*.csv", "/x/*.csv"]


def test_all_that_is_read_of_a_row() -> None:
    """Its name, its key, its moment and its amounts, wherever they stand."""
    config = Config.model_validate(
        {
            "url": "http://x",
            "slis": [{**SLI, "by": ["/a"], "key": ["/b"], "good": {"value": "/c", "among": [1]}, "total": 1}],
            "usage": [{**USE, "amount": "/n", "subject": "/s", "actor": "/who"}],
        }
    )
    assert config.slis[0].pointers == ("/a", "/b", "/minute", "/c")
    assert config.usage[0].pointers == ("/team", "/at", "/n", "/s", "/who")
    told = Config.model_validate(
        {"url": "http://x", "incidents": [{**INCIDENT, "name": "/n", "url": "/u", "severity": "/s", "texts": ["/t"]}]}
    )
    assert told.incidents[0].pointers == ("/service", "/id", "/at", "/end", "/s", "/n", "/u", "/t")


@pytest.mark.parametrize(
    ("files", "tables"), [("a.csv", True), ("a.csv.gz", True), ("a.csv.ndjson", False), ("a.jsonl.gz", False)]
)
def test_tables_are_told_by_their_names(files: str, tables: bool) -> None:
    """By the end of them alone."""
    assert Config.model_validate(use(files=files)).usage[0].tables is tables


def test_the_way_in() -> None:
    """Nobody's where files alone are read."""
    assert Config.model_validate(use()).access == Access()
    told = Config.model_validate({**sli(), "token": {"env": "T"}})
    assert told.access == Access(url="http://x", credential=Token(secret=Secret(env="T")))

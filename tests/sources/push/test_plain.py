"""Plain JSON: what one `curl` sends, and all that is wrong with it at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.places import DOCS

from platform_meter.model.facts import Ref
from platform_meter.model.facts.delivery import Change, DeployKind, Deployment, DeployResult, DeployWay
from platform_meter.model.facts.incidents import Incident, IncidentWay, Severity
from platform_meter.model.push import Unreadable
from platform_meter.sources.push.plain import KINDS, events

NOW = datetime(2026, 5, 4, 13, tzinfo=UTC)
ONE, TWO = "c0ffee0000000000000000000000000000000001", "c0ffee0000000000000000000000000000000002"
LABELS = (("app.kubernetes.io/name", "payments"),)
PAYMENTS = Ref(system="push", kind="service", id="payments", labels=LABELS)
LINKED = Ref(system="push", kind="service", id="payments", labels=LABELS, links=("github:acme/pay", "gitlab:acme/pay"))


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 5, 4, hour, minute, tzinfo=UTC)


def problems(tree: Any) -> list[str]:
    with pytest.raises(Unreadable) as caught:
        events(tree, NOW)
    return str(caught.value).split("\n")


LEAST = {"service": "payments", "environment": "production", "version": "1.4.0", "finished_at": "2026-05-04T12:00:00Z"}


def test_a_deployment_takes_four_words() -> None:
    """Sent again, it is the same one: its key is made of what it says."""
    assert events({"deployment": LEAST}, NOW) == [
        Deployment(
            key="deployment/payments/production/1.4.0/2026-05-04T12:00:00.000000Z",
            at=at(12),
            about=PAYMENTS,
            updated=at(12),
            environment="production",
            sha="",
            result=DeployResult.SUCCESS,
            version="1.4.0",
            way=DeployWay.PUSH,
        )
    ]


def test_a_deployment_may_say_all() -> None:
    """Under an id of its own; of two with it, the one that changed last is newer."""
    told = {
        **LEAST,
        "id": "release-17",
        "repository": "acme/pay",
        "sha": TWO.upper(),
        "started_at": "2026-05-04T13:50:00.5+02:00",
        "finished_at": "2026-05-04T14:00:00+02:00",
        "updated_at": "2026-05-04T12:30:00Z",
        "result": "failed",
        "kind": "hotfix",
        "after": ONE,
        "changes": [TWO],
        "url": "https://ci.example/17",
    }
    assert events({"deployment": told}, NOW) == [
        Deployment(
            key="deployment/release-17",
            at=at(12),
            about=LINKED,
            updated=at(12, 30),
            environment="production",
            sha=TWO,
            result=DeployResult.FAILED,
            kind=DeployKind.HOTFIX,
            version="1.4.0",
            started=datetime(2026, 5, 4, 11, 50, 0, 500_000, tzinfo=UTC),
            way=DeployWay.PUSH,
            after=ONE,
            changes=(TWO,),
            url="https://ci.example/17",
        )
    ]


def test_a_change_says_what_it_undoes_and_mends() -> None:
    """Its labels say so then; a stage that nobody recorded is absent."""
    told = {
        "repository": "acme/pay",
        "sha": ONE,
        "merged_at": "2026-05-04T11:00:00Z",
        "first_commit_at": "2026-05-04T09:00:00Z",
        "opened_at": "2026-05-04T10:00:00Z",
        "first_review_at": "2026-05-04T10:30:00Z",
        "name": "acme/pay#12",
        "branch": "main",
        "labels": ["security"],
        "bot": True,
        "reverts": ["acme/pay#11"],
        "fixes": [TWO],
    }
    assert events({"change": told}, NOW) == [
        Change(
            key=f"change/{ONE}",
            at=at(11),
            about=Ref(system="push", kind="repository", id="acme/pay", links=("github:acme/pay", "gitlab:acme/pay")),
            updated=at(11),
            sha=ONE,
            opened=at(10),
            first_commit=at(9),
            first_review=at(10, 30),
            labels=("hotfix", "revert", "security"),
            bot=True,
            name="acme/pay#12",
            branch="main",
            undoes=("acme/pay#11",),
            mends=(TWO,),
        )
    ]


OPEN = {"id": "INC-42", "service": "payments", "started_at": "2026-05-04T12:00:00Z"}


def test_an_incident_is_sent_again_when_it_ends() -> None:
    """The later telling is newer by what it says, in whatever order the two come."""
    ended = {
        **OPEN,
        "detected_at": "2026-05-04T12:01:00Z",
        "acknowledged_at": "2026-05-04T12:05:00Z",
        "resolved_at": "2026-05-04T12:40:00Z",
        "severity": "major",
        "name": "INC-42",
        "deployment": "release-17",
        "mentions": ["PLAT-17"],
        "url": "https://incidents.example/42",
        "valid": False,
    }
    first = Incident(
        key="incident/INC-42", at=at(12), about=PAYMENTS, updated=at(12), way=IncidentWay.PUSH, ids=("INC-42",)
    )
    second = Incident(
        key="incident/INC-42",
        at=at(12),
        about=PAYMENTS,
        updated=at(12, 40),
        severity=Severity.MAJOR,
        way=IncidentWay.PUSH,
        detected=at(12, 1),
        acknowledged=at(12, 5),
        resolved=at(12, 40),
        name="INC-42",
        url="https://incidents.example/42",
        ids=("INC-42", "https://incidents.example/42"),
        mentions=("PLAT-17", "deployment/release-17", "release-17"),
        valid=False,
    )
    assert events([{"incident": OPEN}, {"incident": ended}], NOW) == [first, second]
    assert [event.key for event in events({"incident": {**OPEN, "id": "7"}}, NOW)] == ["incident/7"]


def test_a_commit_is_whole() -> None:
    """By the first digits alone, chains of changes are not followed."""
    assert problems({"deployment": {**LEAST, "sha": ONE[:22]}}) == [
        f'deployment.sha: "{ONE[:22]}" is no whole commit; write all 40 digits, as `git rev-parse HEAD` prints them'
    ]


def test_a_bare_number_names_no_incident() -> None:
    """In other texts it stands for something else."""
    (incident,) = events({"incident": {**OPEN, "id": "7"}}, NOW)
    assert isinstance(incident, Incident)
    assert incident.ids == ()


def test_one_object_may_hold_several() -> None:
    """In their order."""
    found = events({"incident": OPEN, "deployment": LEAST}, NOW)
    assert [type(event) for event in found] == [Incident, Deployment]


def test_all_problems_are_told_at_once() -> None:
    """Each with its place, what was found, and what to write instead."""
    known = (
        "id, service, repository, updated_at, url, environment, sha, version, finished_at, started_at, result, kind, after, "
        "changes"
    )
    wrong = {
        "servce": "payments",
        "environment": 3,
        "sha": "abc",
        "finished_at": "yesterday",
        "result": "ok",
        "changes": [7],
        "url": "javascript:alert(1)",
    }
    assert problems([{"deployment": wrong}, {"change": {}}, {"incidnt": OPEN}, 3, {}, {"incident": []}]) == [
        '[0].deployment: it names neither `service` nor `repository`; write one of them, such as "service": "payments"',
        (
            '[0].deployment.url: "javascript:alert(1)" does not fit (string should match pattern '
            "'^https?://[^\\s\\x00-\\x1f]+$'); write another value, such as \"https://ci.example/releases/17\""
        ),
        '[0].deployment.environment: 3 does not fit (input should be a valid string); write another value, such as "production"',
        '[0].deployment.sha: "abc" is no whole commit; write all 40 digits, as `git rev-parse HEAD` prints them',
        '[0].deployment.finished_at: "yesterday" is no moment; write it with its zone, such as 2026-05-04T12:00:00Z',
        "[0].deployment.result: \"ok\" is no such word; write 'success' or 'failed'",
        "[0].deployment.changes[0]: 7 does not fit (input should be a valid string); write another value",
        f"[0].deployment.servce: unknown key (did you mean 'service'?); known are {known}",
        '[1].change: it names neither `service` nor `repository`; write one of them, such as "service": "payments"',
        f'[1].change.sha: missing; write it, such as "{ONE}"',
        '[1].change.merged_at: missing; write it, such as "2026-05-04T11:00:00Z"',
        (
            '[2].incidnt: unknown key (did you mean \'incident\'?); write {"deployment": {...}}, {"change": {...}} or '
            '{"incident": {...}}, or a list of such'
        ),
        '[3]: 3 says nothing; write {"deployment": {...}}, {"change": {...}} or {"incident": {...}}, or a list of such',
        '[4]: {} says nothing; write {"deployment": {...}}, {"change": {...}} or {"incident": {...}}, or a list of such',
        "[5].incident: [] does not fit (input should be an object); write another value",
    ]


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (
            {"deployment": {k: v for k, v in LEAST.items() if k != "version"}},
            "deployment: it names neither `sha` nor `version`; write what was rolled out, best its commit",
        ),
        (
            {"deployment": {**LEAST, "changes": [ONE]}},
            "deployment: it has `changes` without `after`; write the commit that served before them",
        ),
        (
            {"deployment": {**LEAST, "started_at": "2026-05-04T12:01:00Z"}},
            "deployment: `started_at` lies after `finished_at`; change one of them",
        ),
        (
            {
                "change": {
                    "service": "p",
                    "sha": ONE,
                    "merged_at": LEAST["finished_at"],
                    "opened_at": "2026-05-04T12:01:00Z",
                }
            },
            "change: `opened_at` lies after `merged_at`; change one of them",
        ),
        (
            {"incident": {**OPEN, "resolved_at": "2026-05-04T11:59:00Z"}},
            "incident: `resolved_at` lies before `started_at`; change one of them",
        ),
        (
            {"incident": {**OPEN, "valid": "no"}},
            'incident.valid: "no" does not fit (input should be a valid boolean); write another value',
        ),
        (
            {"deployment": {**LEAST, "finished_at": "2026-05-04T13:06:00Z"}},
            (
                'deployment.finished_at: "2026-05-04T13:06:00Z" has '
                "not been yet, or long ago; write it with its zone, such as 2026-05-04T12:00:00Z"
            ),
        ),
        (
            {"deployment": {**LEAST, "finished_at": "2026-02-30T12:00:00Z"}},
            (
                'deployment.finished_at: "2026-02-30T12:00:00Z" is '
                "no moment; write it with its zone, such as 2026-05-04T12:00:00Z"
            ),
        ),
        (
            {"deployment": {**LEAST, "finished_at": "2026-05-04T12:00:00"}},
            (
                'deployment.finished_at: "2026-05-04T12:00:00" is no '
                "moment; write it with its zone, such as 2026-05-04T12:00:00Z"
            ),
        ),
        (
            {"deployment": {**LEAST, "service": "a\u0000b"}},
            (
                'deployment.service: "a\\u0000b" does not fit (string should match '
                "pattern '^[^\\x00-\\x1f]+$'); write another value, such as \"payments\""
            ),
        ),
        (
            {"incident": {**OPEN, "name": "x" * 300}},
            (
                f'incident.name: "{"x" * 59}... does not fit (string should have at most 200 '
                "characters); write another value"
            ),
        ),
        (
            "text",
            (
                'the body: "text" says nothing; write {"deployment": {...}}, {"change": {...}} or {"incident": {...}}, '
                "or a list of such"
            ),
        ),
        ([{"incident": OPEN}] * 1_001, "1001 things in one request; send at most 1000 at once"),
    ],
)
def test_what_is_wrong_is_told(tree: Any, text: str) -> None:
    """Where, what was found, and what to write instead."""
    assert problems(tree) == [text]


def test_of_many_problems_the_first_are_told() -> None:
    """An answer is no longer than anybody reads, whatever was sent."""
    found = problems({"deployment": dict.fromkeys(map(str, range(10_000)), "x")})
    assert len(found) == 51
    assert found[-1] == "and more; mend these first"
    assert len(problems([{"x": 1}] * 50)) == 50


@pytest.mark.parametrize("word", KINDS)
def test_every_key_is_documented(word: str) -> None:
    """docs/push.md has a table for each kind, with a row for each of its keys and no others."""
    page = (DOCS / "push.md").read_text(encoding="utf-8")
    _, heading, rest = page.partition(f"\n### `{word}`\n")
    assert heading, f"docs/push.md has no section '### `{word}`'"
    rows = [line.split("`")[1] for line in rest.partition("\n#")[0].splitlines() if line.startswith("| `")]
    assert rows == list(KINDS[word].model_fields)

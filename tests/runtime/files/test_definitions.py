"""The folder of definitions: what is read, what is left, and a text with every kind in it."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from platform_meter.model.definitions import KINDS, Goal, Hours, Unit
from platform_meter.model.generated import dashboard_mark
from platform_meter.runtime.files.definitions import load_definitions, read_definitions

EVERY_KIND = """\
kind: Capability
id: tracing
title: Distributed tracing
unit: service                    # team | service | person
owner: team-signals
mandated: true
eligible: {any: [{service: {kind: [service], lifecycle: [production]}}, {team: {persona: [app-developer]}}]}
adopted: {source: kong, count: workloads, group_by: owner, min: 2, select: {plugin: [otel*]}}
active: {source: kong, verb: [span, trace], window: 14d, min_days: 2, min_amount: 50}
churned: {inactive: 42d}
exempt: [{unit: batch-legacy, until: 2027-06-30, reason: leaves in summer}]
journey: {start: {source: backstage, verb: view_docs, subject: tracing}, order: loose, window: 90d}
stages:
  - {id: asked, when: {source: backstage, verb: template_started, template: add-tracing}}
  - {id: used, when: {source: kong, verb: span, min_amount: 10}}
---
kind: Ticketing
id: signals-help
title: Help with signals
source: {type: jira, instance: tracker, select: 'project = SIG'}
calendar: {zone: Europe/Oslo, days: {mon-thu: ["08:00-16:00"], fri: ["08:00-12:00", "12:00-16:00"], sun: }, holidays: [2026-05-17]}
status: {running: [New, Doing], paused: [Asked back], done: [Done]}
category: {from: label, among: [signal-lost]}
invalid: [Duplicate]
slas:
  - {id: first_response, goal: {High: 15m, default: 4h}, clock: source}
  - {id: resolution, goal: {default: 3bd}, reopen: restart}
---
{kind: Survey, id: signals-nps, source: {type: csv, path: surveys/signals.csv}, wave: half, segment_by: [persona, team],
 questions: [{id: nps, type: nps, field: score}, {id: ease, type: csat, field: q2, scale: 7}]}
---
{kind: Ownership, rules: [{match: "github:acme/trace-*", service: tracer, team: team-signals}, {match: "jenkins:old/**", team: team-old, since: 2026-01-01}]}
---
kind: Team
id: team-signals
org: platform
persona: app-developer
members_count: 6
---
{kind: Service, id: tracer, team: team-signals, system: signals, tier: "1", lifecycle: production, type: service, since: 2025-07-01T00:00:00+02:00}
---
{kind: Environment, id: live, production: true, match: [prod, "live-*"]}
---
kind: Delivery
id: delivery
deployments: [job]
incidents: [ticket]
lead_time: {start: merged, bots: true}
max_link_age: 6h
regions: each
---
kind: Persona
id: app-developer
pain_points: [{id: slow-query, match: {ticket_label: [query-slow], feedback_theme: [waiting]}}]
---
kind: Promise
id: signals-up
audience: [app-developer]
slo: tracer-availability
target: 0.98
period: {calendar: month, zone: Europe/Oslo}
---
{kind: Promise, id: signals-answers, ticketing: {queue: signals-help, sla: resolution, ratio: 0.9}}
---
kind: Campaign
id: tracing-week
at: 2026-02-02
capability: tracing
reach: {invited: 80, attended: 31}
---
{kind: Intervention, id: tracing-template, at: 2026-02-09, metric: {time_to: used, journey: tracing}, windows: {pre: 60d, washout: 7d, post: 60d}}
---
{kind: Intervention, id: bigger-runners, at: 2026-02-09, metric: {name: platform_pipeline_run_duration_seconds, labels: {pool: large}}, units: [team-signals], control_units: [team-old]}
---
{kind: RoadmapSource, id: roadmap, source: {type: github_project, project: acme/3}, period_field: Quarter, target_field: Target, feedback: {links: true, label: "feedback:*"}}
"""


def test_every_kind_is_accepted_as_people_write_it() -> None:
    """Each of our kinds, with all its keys, becomes one typed value; nothing is said against it."""
    found = read_definitions([("defs/all.yaml", EVERY_KIND)])
    assert found.problems == ()
    assert found.slo_files == ()
    definitions = found.definitions
    assert {type(r.value) for r in found.declared} == {model for model, _ in KINDS.values()}
    [capability] = definitions.capabilities
    assert (capability.unit, capability.active.verbs, capability.churned.inactive) == (
        Unit.SERVICE,
        ("span", "trace"),
        timedelta(days=42),
    )
    [queue] = definitions.ticketing
    assert queue.calendar.days["tue"] == (Hours(start=time(8), end=time(16)),)
    assert queue.calendar.days["fri"] == (Hours(start=time(8), end=time(12)), Hours(start=time(12), end=time(16)))
    assert queue.calendar.days["sun"] == ()
    assert queue.slas[1].goal == {"default": Goal(days=3)}
    [ownership] = definitions.ownership
    assert ownership.rules[1].since == datetime(2026, 1, 1, tzinfo=UTC)
    assert (definitions.delivery.max_link_age, definitions.delivery.ways[0]) == (timedelta(hours=6), "job")
    [service] = definitions.services
    assert service.since == datetime(2025, 6, 30, 22, tzinfo=UTC)
    assert [p.promised for p in definitions.promises] == [0.98, 0.9]
    assert definitions.campaigns[0].at == date(2026, 2, 2)
    assert definitions.surveys[0].source.path == "defs/surveys/signals.csv"
    assert definitions.interventions[0].windows.pre == timedelta(days=60)
    assert definitions.roadmaps[0].feedback.label == "feedback:*"


def test_the_folder_is_read_in_order_without_what_was_generated(tmp_path: Path) -> None:
    """YAML under the folder, deep or not; `generated/` and hidden files are no input; SLO files are handed on whole."""
    files = {
        "b.yaml": "{kind: Team, id: b}\n",
        "a/deep.yml": "{kind: Team, id: a}\n---\n{apiVersion: openslo/v1, kind: SLO}\n",
        "generated/x.yaml": "groups: []\n",
        "a/generated/y.yaml": "groups: []\n",
        ".hidden.yaml": "groups: []\n",
        "notes.md": "# no YAML\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text, "utf-8")
    found = load_definitions(tmp_path, tmp_path / "b.yaml")
    assert found.problems == ()
    assert [t.id for t in found.definitions.teams] == ["a", "b"]
    assert found.slo_files == ((str(tmp_path / "a/deep.yml"), files["a/deep.yml"]),)


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, and a file that refuses: told, and the others are read."""
    (tmp_path / "bad.yaml").write_bytes(b"kind: \xff\n")
    (tmp_path / "good.yaml").write_text("{kind: Team, id: a}\n", "utf-8")
    found = load_definitions(tmp_path)
    assert [p.text for p in found.problems] == ["not UTF-8 (byte 7); save the file as UTF-8"]
    assert [t.id for t in found.definitions.teams] == ["a"]

    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    said = [p.text for p in load_definitions(tmp_path / "good.yaml", read=refuse).problems]
    assert said == ["cannot be read: Permission denied; correct the path or its permissions"]


def test_links_to_files_are_followed_and_no_others(tmp_path: Path) -> None:
    """A mounted ConfigMap is links to files; a link to a folder, into nothing or in a circle is told, whatever its name."""
    folder, away = tmp_path / "defs", tmp_path / "away"
    (away / "more").mkdir(parents=True)
    folder.mkdir()
    (away / "a.yaml").write_text("{kind: Team, id: a}\n", "utf-8")
    (folder / "a.yaml").symlink_to(away / "a.yaml")
    (folder / "generated").symlink_to(away / "more")
    (folder / "more").symlink_to(away / "more")
    (folder / "lost.yaml").symlink_to("nowhere.yaml")
    (folder / "ring").symlink_to("ring")
    os.mkfifo(folder / "pipe.yml")
    found = load_definitions(folder)
    assert [t.id for t in found.definitions.teams] == ["a"]
    assert [(Path(p.path).name, p.text) for p in found.problems] == [
        (
            "lost.yaml",
            "a link to nowhere.yaml, which cannot be read: No such file or directory; correct the link, or remove it",
        ),
        ("more", "a link to a folder is not followed; put the folder itself here, or name it beside this one"),
        ("pipe.yml", "no regular file but a pipe or the like; put a file here, or rename it"),
        (
            "ring",
            "a link to ring, which cannot be read: Too many levels of symbolic links; correct the link, or remove it",
        ),
    ]


def test_a_folder_that_cannot_be_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it holds is not passed over: `generate` would remove what was made of it."""
    (tmp_path / "hidden").mkdir()
    (tmp_path / "a.yaml").write_text("{kind: Team, id: a}\n", "utf-8")
    scan = os.scandir

    def refuse(path: Path) -> object:
        if path.name == "hidden":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = load_definitions(tmp_path)
    assert [t.id for t in found.definitions.teams] == ["a"]
    assert [(p.path, p.text) for p in found.problems] == [
        (
            str(tmp_path / "hidden"),
            "folder cannot be read: Permission denied; correct its permissions, or move it out of here",
        )
    ]


@pytest.mark.parametrize("text", ["", "\n \n", "# later\n", "---\n"])
def test_a_file_with_nothing_in_it_is_worth_knowing(tmp_path: Path, text: str) -> None:
    """A disk that was full leaves one behind; it is no problem by itself."""
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    found = load_definitions(tmp_path)
    assert (found.problems, [w.text for w in found.warnings]) == (
        (),
        ["nothing stands in this file; write a definition into it, or remove it"],
    )


def test_dashboards_that_generate_wrote_are_no_input(tmp_path: Path) -> None:
    """They may lie anywhere; any other JSON is told, unless it is named by itself, when it is read."""
    (tmp_path / "slo.json").write_text(f'{{"uid": "slo", "description": "{dashboard_mark("slo")}"}}', "utf-8")
    (tmp_path / "team.JSON").write_text('{"kind": "Team", "id": "a"}', "utf-8")
    found = load_definitions(tmp_path)
    assert [Path(p.path).name for p in found.problems] == ["team.JSON"]
    assert [t.id for t in load_definitions(tmp_path / "team.JSON").definitions.teams] == ["a"]


def test_kind_and_id_stand_whatever_else_is_wrong() -> None:
    """Every document of our kinds is declared, in order; only sound ones have values; an id stands once among all."""
    text = "{kind: Team, id: a, titel: x}\n---\n{kind: Team, id: b}\n---\n{kind: Team, id: a}\n"
    found = read_definitions([("a.yaml", text)])
    assert [(d.kind, d.id, d.value is not None) for d in found.declared] == [
        ("Team", "a", False),
        ("Team", "b", True),
        ("Team", "a", True),
    ]
    assert [t.id for t in found.definitions.teams] == ["b"]
    assert [(p.line, p.text) for p in found.problems] == [
        (1, "unknown key 'titel' in team 'a'; did you mean 'title'?"),
        (5, "team 'a' stands in a.yaml:1 too; give one another id"),
    ]


def test_there_may_be_no_folder(tmp_path: Path) -> None:
    """Nothing declared is nothing wrong."""
    assert load_definitions(tmp_path / "none").problems == ()
    assert load_definitions(Path("x" * 5000), Path("a\0b")).problems == ()

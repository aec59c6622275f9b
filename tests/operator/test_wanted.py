"""What an object says, and what is written for it."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.operator.objects import config_map, pyrra, seen, sloth

from platform_meter.operator.kinds import CONFIG_MAP, MADE, READ, SLOTH
from platform_meter.operator.wanted import (
    Settings,
    apart,
    event,
    is_ours,
    left_over,
    rule_of,
    said,
    stands,
    status_of,
    warning,
    written,
)

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
BROKEN = {"ci.yaml": "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: ci-green}\nspec: {servic: ci}\n"}


@pytest.mark.parametrize("value", [sloth(), pyrra(), config_map()], ids=["sloth", "pyrra", "configmap"])
def test_each_kind_becomes_one_rule_that_its_object_owns(value: dict[str, Any]) -> None:
    """In its namespace, under its name and kind."""
    one = seen(value)
    what = said(one, Settings())
    assert what.problems == ()
    rule = rule_of(one, what)
    assert rule["metadata"]["name"] == f"{one.name}.{one.kind.word}"
    assert rule["metadata"]["namespace"] == "shop"
    assert rule["metadata"]["labels"][MADE] == one.kind.word
    assert rule["metadata"]["ownerReferences"] == [
        {
            "apiVersion": value["apiVersion"],
            "kind": value["kind"],
            "name": one.name,
            "uid": one.uid,
            "controller": True,
        }
    ]
    assert {rule["labels"]["slo"] for group in rule["spec"]["groups"] for rule in group["rules"]} == {
        plan.slo for plan in what.plans
    }


def test_labels_of_the_object_are_its_rules_too() -> None:
    """By them a Prometheus chooses; those that say whose the object is are left out."""
    value = sloth()
    value["metadata"]["labels"] = {"release": "main", "app.kubernetes.io/instance": "shop"}
    one = seen(value)
    labels = rule_of(one, said(one, Settings()))["metadata"]["labels"]
    assert labels == {"app.kubernetes.io/managed-by": "platform-meter", "release": "main", MADE: "sloth"}


def test_problems_are_worded_as_check_words_them() -> None:
    """With the object and the key of its data for a file."""
    what = said(seen(config_map(**BROKEN)), Settings())
    assert what.plans == ()
    text = "\n".join(what.problems)
    assert "ConfigMap shop/slos/ci.yaml:4:8: unknown key 'servic'" in text
    assert "did you mean 'service'?" in text


def test_what_holds_no_slo_is_a_problem() -> None:
    """Its author believes that it does."""
    what = said(seen(config_map(**{"a.yaml": "kind: Team\n"})), Settings())
    assert what.problems == (
        "ConfigMap shop/slos: no SLO stands in it; write an OpenSLO, Sloth or Pyrra document into its data",
    )


def test_of_two_that_name_one_slo_the_older_keeps_it() -> None:
    """Both would record the same series."""
    young, old = seen(config_map("young")), seen(config_map("old"), age=3)
    found = {one.name: what for one, what in apart((one, said(one, Settings())) for one in (young, old))}
    assert found["old"].problems == ()
    assert found["young"].problems == (
        "ConfigMap shop/young: slo 'ci-green' stands in ConfigMap shop/old too; give one another name",
    )


def test_whose_rules_stand_keeps_the_name() -> None:
    """Even where it is the younger, and while it has problems; once it gives up the name another has it."""
    young, old = seen(config_map("young")), seen(config_map("old"), age=3)
    what = said(young, Settings())
    standing = {("shop", young.rule_name): rule_of(young, what)}
    found = {one.name: said_ for one, said_ in apart([(young, what), (old, said(old, Settings()))], standing)}
    assert found["young"] is what
    assert found["old"].problems == (
        "ConfigMap shop/old: slo 'ci-green' stands in ConfigMap shop/young too; give one another name",
    )
    broken = seen(config_map("young", **BROKEN))
    found = {one.name: said_ for one, said_ in apart([(broken, said(broken, Settings())), (old, what)], standing)}
    assert found["old"].problems != ()
    files = {"ci.yaml": config_map()["data"]["ci.yaml"].replace("ci-green", "ci-red")}
    renamed = seen(config_map("young", **files))
    found = {one.name: said_ for one, said_ in apart([(renamed, said(renamed, Settings())), (old, what)], standing)}
    assert found["old"].problems == ()
    assert found["young"].problems == ()


def test_what_stands_is_not_written_again() -> None:
    """Whatever the server adds; and it is where a rule, a label or the owner is another one."""
    one = seen(sloth())
    wanted = rule_of(one, said(one, Settings()))
    standing = copy.deepcopy(wanted)
    standing["metadata"] |= {"uid": "u", "resourceVersion": "7", "managedFields": []}
    assert stands(wanted, standing)
    assert not stands(wanted, None)
    standing["spec"]["groups"][0]["rules"].pop()
    assert not stands(wanted, standing)
    for key, value in (("labels", {}), ("ownerReferences", [])):
        changed = copy.deepcopy(wanted)
        changed["metadata"][key] = value
        assert not stands(wanted, changed)


def test_rules_whose_object_is_gone_are_left_over() -> None:
    """But not where the kind could not be listed: then nobody knows."""
    one = seen(sloth())
    rule = rule_of(one, said(one, Settings()))
    assert left_over([rule], [one], READ) == []
    assert left_over([rule], [], READ) == [rule]
    assert left_over([rule], [], [CONFIG_MAP]) == []


def test_status_of_sloth() -> None:
    """The fields that its kind has, with the generation that was read; nothing once they stand."""
    one = seen(sloth(), generation=4)
    what = said(one, Settings())
    status = status_of(one, what, NOW, wrote=True)
    assert status == {
        "observedGeneration": 4,
        "processedSLOs": 1,
        "promOpRulesGenerated": True,
        "promOpRulesGeneratedSLOs": 1,
        "lastPromOpRulesSuccessfulGenerated": "2026-02-03T04:05:06Z",
    }
    assert status_of(seen(sloth(), generation=4, status=status), what, NOW, wrote=False) is None
    broken = seen(sloth(service=""), generation=5, status=status)
    assert status_of(broken, said(broken, Settings()), NOW, wrote=False) == {
        "observedGeneration": 5,
        "processedSLOs": 1,
        "promOpRulesGenerated": False,
        "promOpRulesGeneratedSLOs": 0,
    }


def test_status_of_the_others() -> None:
    """Pyrra's says what holds the rules; a ConfigMap has none."""
    one = seen(pyrra())
    what = said(one, Settings())
    assert status_of(one, what, NOW, wrote=True) == {"type": "PrometheusRule"}
    assert status_of(seen(pyrra(), status={"type": "PrometheusRule"}), what, NOW, wrote=True) is None
    files = seen(config_map())
    assert status_of(files, said(files, Settings()), NOW, wrote=True) is None


def test_events() -> None:
    """A warning says every problem and what stays; the same one has the same name, until the object is another one."""
    one = seen(config_map(**BROKEN))
    what = said(one, Settings())
    told = warning(one, what, NOW, kept=True)
    assert told["type"] == "Warning"
    first, *rest = told["message"].split("\n")
    assert first.endswith("the PrometheusRule written before stays as it is")
    assert "\n".join(rest) == "\n".join(what.problems)
    assert "stays" not in warning(one, what, NOW, kept=False)["message"].split("\n")[0]
    name = told["metadata"]["name"]
    assert warning(one, what, NOW, kept=True)["metadata"]["name"] == name
    later = seen(config_map(**BROKEN), generation=2)
    assert event(later, "Problems", told["message"], NOW, bad=True)["metadata"]["name"] != name


def test_the_event_of_a_rule() -> None:
    """A normal one, with how much was written."""
    one = seen(sloth())
    what = said(one, Settings())
    rule = rule_of(one, what)
    told = written(one, what, rule, NOW)
    count = sum(len(group["rules"]) for group in rule["spec"]["groups"])
    assert told["type"] == "Normal"
    assert told["message"] == f"PrometheusRule shop.sloth with {count} rules of 1 SLO"
    assert told["involvedObject"]["uid"] == one.uid


def test_a_status_changes_nothing_of_what_is_read() -> None:
    """What was read of a generation is not read again; labels and annotations count."""
    assert seen(sloth(), status={"processedSLOs": 1}).stamp == seen(sloth()).stamp
    assert seen(sloth(), generation=2).stamp != seen(sloth()).stamp
    labelled = sloth()
    labelled["metadata"]["labels"] = {"team": "pay"}
    assert seen(labelled).stamp != seen(sloth()).stamp
    assert seen(sloth()).kind is SLOTH


def test_a_rule_is_ours_by_label_or_by_who_wrote_it() -> None:
    """Somebody may take the label away by hand; what another program applied is its own."""
    by = {"manager": "platform-meter", "operation": "Apply"}
    ours: list[dict[str, Any]] = [{"labels": {MADE: "x"}}, {"managedFields": [by]}]
    theirs: list[dict[str, Any]] = [
        {},
        {"labels": None},
        {"managedFields": [{**by, "manager": "argocd"}, {**by, "operation": "Update"}]},
    ]
    assert [is_ours({"metadata": meta}) for meta in (*ours, *theirs)] == [True, True, False, False, False]

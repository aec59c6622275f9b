"""What all readers of other tools' files share."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.slo.foreign.test_foreign import document

from platform_meter.slo.burnrate import Level
from platform_meter.slo.foreign.dialect import Alerts, Slo, Told, name_of, percent, said, service_of, share
from platform_meter.slo.openslo.alerting import parse_annotations, parse_labels
from platform_meter.slo.openslo.values import LONGEST_NAME, parse_name, parse_service


@given(
    st.lists(
        st.text(st.characters(categories=("Ll", "Lu", "Nd"), max_codepoint=127), min_size=1), min_size=1, max_size=3
    )
)
def test_any_name_of_another_tool_gives_one_of_ours(parts: list[str]) -> None:
    """It is the same each time, and never longer than a name may be."""
    name = name_of(*parts)
    assert parse_name(name) == name == name_of(*parts)


def test_names_that_are_too_long_stay_apart() -> None:
    """What they differ in may be cut off, so a hash of the whole stands for it."""
    one, other = name_of("a" * 80, "errors"), name_of("a" * 80, "latency")
    assert len(one) == len(other) == LONGEST_NAME
    assert one != other


def test_a_service_gets_a_name_that_files_can_have() -> None:
    """Dots, slashes and blanks give way."""
    found = service_of(Told(document("a: shop.web/Front end.")).node("a"))
    assert found is not None
    assert parse_service(found.value) == "shop-web-Front-end"


@pytest.mark.parametrize(
    ("text", "of_one", "of_hundred"),
    [
        ("99.9", None, Decimal("0.999")),
        ('"99.5"', None, Decimal("0.995")),
        ("0.999", Decimal("0.999"), None),
        ("100", None, None),
        ("0", None, None),
        ("-3", None, None),
        ("much", None, None),
        ("NaN", None, None),
    ],
)
def test_an_objective_is_a_share_or_a_percentage(text: str, of_one: Decimal | None, of_hundred: Decimal | None) -> None:
    """What leaves no budget, and a share where a percentage is meant, is the reader's to tell."""
    node = Told(document(f"a: {text}")).node("a")
    assert (share(node), percent(node)) == (of_one, of_hundred)


@given(
    st.dictionaries(
        st.sampled_from(["team", "tier", "routing_key"]), st.text(min_size=1).filter(str.strip), min_size=1
    ),
)
def test_any_text_of_a_label_comes_through(labels: dict[str, str]) -> None:
    """Commas, lines, quotes, backslashes and templates, since a label is whatever somebody routes by."""
    annotations, notes = said(Alerts(labels=[("", k, v) for k, v in labels.items()]), Decimal("0.99"))
    items = parse_labels(annotations["platform-meter.io/alert-labels"])
    assert {item.name: item.value for item in items} == labels
    assert notes == []


def test_any_text_of_an_annotation_comes_through() -> None:
    """The same on lines of their own."""
    text = 'first: "a", {{ $value }}\nsecond \\ '
    annotations, _ = said(Alerts(annotations=[("page", "description", text)]), None)
    (item,) = parse_annotations(annotations["platform-meter.io/alert-annotations"])
    assert (item.said, item.value) == ("page.description", text)
    assert json.dumps(text) in annotations["platform-meter.io/alert-annotations"]


def test_what_is_turned_off_is_left_out_and_carries_nothing() -> None:
    """Its labels would be of an alert that there is not."""
    alerts = Alerts(
        off=frozenset({Level.PAGE}),
        silent=True,
        labels=[("page", "a", "1"), ("ticket", "b", "2"), ("no-data", "c", "3")],
    )
    assert said(alerts, Decimal("0.99"))[0] == {
        "platform-meter.io/leave-out": "page, no-data",
        "platform-meter.io/alert-labels": "ticket.b=2",
    }
    off = Alerts(off=frozenset(Level), silent=True)
    assert said(off, None)[0] == {"platform-meter.io/alerts": "none", "platform-meter.io/leave-out": "no-data"}


def test_what_could_never_fire_is_left_out_with_a_note() -> None:
    """Other tools write an alert there that nobody will ever get."""
    annotations, notes = said(Alerts(), Decimal("0.8"))
    assert annotations == {"platform-meter.io/leave-out": "page"}
    assert notes == ["at an objective of 0.8 no page alert could ever fire; it is left out"]


def test_names_that_alerts_cannot_have_are_told() -> None:
    """Ours, and those that Prometheus refuses."""
    annotations, notes = said(Alerts(labels=[("", "service", "x"), ("", "a-b", "x"), ("", "__x", "y")]), None)
    assert annotations == {}
    assert notes == [
        "the label service of alerts is ours; it is left out",
        "the label a-b of alerts is no name Prometheus takes; it is left out",
        "the label __x of alerts is no name Prometheus takes; it is left out",
    ]


def test_values_keep_the_place_where_they_were_written() -> None:
    """So that what is wrong with one is drawn there; what the file does not say stands where the SLO does, or nowhere."""
    told = Told(document("slo:\n  name: X\n  target: 2\n  query: 'sum(rate(x[{{ .window }}]))'"))
    query = told.query("slo", "query")
    assert query is not None
    assert query.value == "sum(rate(x[{{window}}]))"
    slo = Slo(
        name=told.node("slo", "name"),
        called="x",
        display=None,
        alerting={},
        description=told.word("slo", "description"),
        service=None,
        window={"duration": "30d"},
        sliced=False,
        indicator={"query": query},
        objective={"target": told.node("slo", "target"), "op": None},
    )
    told.say(slo, "slo")
    (found,) = told.end().documents
    assert found.value == {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": "x", "annotations": {}},
        "spec": {
            "budgetingMethod": "Occurrences",
            "timeWindow": [{"duration": "30d"}],
            "indicator": {"spec": {"query": "sum(rate(x[{{window}}]))"}},
            "objectives": [{"target": 2}],
        },
    }
    at = (("indicator", "spec", "query"), ("objectives", 0, "target"), ("absent",))
    places = [found.problem("", "spec", *one) for one in at]
    assert [(p.line, p.column) for p in places] == [(4, 10), (3, 11), (2, 3)]
    named = found.problem("", "metadata", "name")
    assert (named.line, named.column) == (2, 9)

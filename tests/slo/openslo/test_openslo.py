"""What an OpenSLO file says, typed. What is told of bad ones stands in tests/slo/cases."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.slos import RATIO, SLICES, STORED, THRESHOLD, replaced

from platform_meter.model.objective import StoredSli
from platform_meter.problems import Document, decode, render
from platform_meter.slo import openslo
from platform_meter.slo.burnrate import Profile
from platform_meter.slo.openslo import Said
from platform_meter.slo.promql import read_count
from platform_meter.slo.spec import Ratio, Spec, Threshold


def document(text: str) -> Document:
    (found,) = decode(text, "slo.yaml", lambda _: None).others
    return found


def said(text: str) -> Said:
    found = openslo.read(document(text))
    assert isinstance(found, Said)
    return found


def read(text: str) -> Spec:
    (spec,) = said(text).specs
    return spec


def test_a_ratio_has_its_queries_read() -> None:
    """Counters alone are wrapped, so that any window can be put in."""
    spec = read(RATIO)
    assert spec.sli == Ratio(
        total=read_count("http_requests_total"), bad=read_count('http_requests_total{code=~"5.."}')
    )
    assert (spec.slo, spec.service, spec.owner, spec.path, spec.line) == (
        "shop-requests",
        "shop",
        "team-shop",
        "slo.yaml",
        1,
    )
    assert (spec.counts, spec.profile, spec.period_label) == ("events", Profile.STANDARD, "30d")


def test_only_slices_have_slices() -> None:
    """Length, target and silence stand together or not at all."""
    assert [(s.counts, s.slice is None, s.no_data is None) for s in map(read, (RATIO, SLICES))] == [
        ("events", True, True),
        ("slices", False, False),
    ]


def test_a_level_has_its_bound_and_a_stored_sli_its_events() -> None:
    """Each kind of SLI is a type of its own."""
    level = read(THRESHOLD).sli
    assert isinstance(level, Threshold)
    assert (level.operator, level.bound) == ("lte", Decimal(30))
    assert isinstance(read(STORED).sli, StoredSli)


def test_people_call_it_by_its_display_name() -> None:
    """An objective's own comes first, then the document's, then the SLO's name."""
    named = replaced(RATIO, ("  name: shop-requests", "  name: shop-requests\n  displayName: Requests"))
    own = replaced(named, ("{target: 0.999}", "{displayName: Answered, target: 0.999}"))
    assert [read(text).display for text in (RATIO, named, own)] == ["shop-requests", "Requests", "Answered"]


@pytest.mark.parametrize(
    ("second", "name"),
    [
        ("displayName: Très vite!, ", "shop-requests-tres-vite"),
        ("", "shop-requests-2"),
        ("displayName: 速い, ", "shop-requests-2"),
    ],
)
def test_several_objectives_are_several_slos(second: str, name: str) -> None:
    """Each is called by its displayName in the letters of a name, or by its number."""
    text = replaced(RATIO, ("{target: 0.999}", f"{{displayName: all, target: 0.999}}, {{{second}target: 0.99}}"))
    assert said(text).names == ("shop-requests-all", name)
    assert [(spec.slo, spec.objective) for spec in said(text).specs] == [
        ("shop-requests-all", Decimal("0.999")),
        (name, Decimal("0.99")),
    ]


def test_names_are_known_of_a_document_that_is_no_good() -> None:
    """So that a second one of that name is told, and what speaks of it is not told as unknown."""
    found = said(replaced(RATIO, ("target: 0.999", "target: 2")))
    assert (found.names, found.specs, len(found.problems)) == (("shop-requests",), (), 1)


def test_what_is_no_openslo_is_left() -> None:
    """Somebody else reads it."""
    assert openslo.read(document("kind: Team")) is None


def test_what_a_data_source_holds_is_not_drawn() -> None:
    """Its connection details may be credentials, also under a misspelt key, and on one line with what is wrong."""
    text = (
        "{apiVersion: openslo/v1, kind: DataSource, metadata: {name: a, nam: b}, "
        "spec: {connectonDetails: {key: geheim}, connectionDetails: {key: geheim}}}"
    )
    other = openslo.read_other(document(text))
    assert other is not None
    assert (other.kind, other.name, other.value) == ("DataSource", "a", None)
    assert [p.text.partition(";")[0] for p in other.problems] == [
        "unknown key 'nam' in 'metadata' of data source 'a'",
        "unknown key 'connectonDetails' in 'spec' of data source 'a'",
        "missing key 'type' in 'spec' of data source 'a'",
    ]
    assert all("geheim" not in render(p) and "kind: DataSource" in render(p) for p in other.problems)


def test_kinds_that_nothing_is_read_from_are_left_as_they_are() -> None:
    """Whatever stands in them, as long as they have a name: alerts that no SLO names, and what Services add of their own."""
    alert = document("apiVersion: openslo/v1\nkind: AlertPolicy\nmetadata: {name: Any.Name}\nspec: {odd: 1}\n")
    assert openslo.read_other(alert, used=False) == openslo.Other(kind="AlertPolicy", name="Any.Name", value=None)
    named = openslo.read_other(alert)
    assert named is not None
    assert [p.text.partition(";")[0] for p in named.problems] == [
        "unknown key 'odd' in 'spec' of alert policy 'Any.Name'",
        "missing key 'conditions' in 'spec' of alert policy 'Any.Name'",
    ]
    service = document("apiVersion: openslo/v1\nkind: Service\nmetadata: {name: shop}\nspec: {tier: 1}\n")
    assert openslo.read_other(service) == openslo.Other(kind="Service", name="shop", value=None)
    assert openslo.read_other(document(RATIO)) is None

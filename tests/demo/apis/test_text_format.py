"""What stands before a metric's series, as a parser of the format reads it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from platform_meter.demo.apis.text_format import head


def test_a_parser_learns_the_type_and_the_meaning() -> None:
    (family,) = text_string_to_metric_families("\n".join([*head("doors", "gauge", "Open doors."), "doors 3", ""]))
    assert (family.name, family.type, family.documentation) == ("doors", "gauge", "Open doors.")

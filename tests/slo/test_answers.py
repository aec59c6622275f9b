"""Answers of the query API of a Prometheus."""

from __future__ import annotations

import math

import msgspec
import pytest

from platform_meter.slo.answers import series


def test_series_have_a_value_or_values() -> None:
    """One at a moment, the others over a range; what is not there is no number."""
    vector = (
        '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"slo":"a"},"value":[12.5,"0.5"]}]}}'
    )
    matrix = (
        '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"],[3,"+Inf"]]}]}}'
    )
    (one,), (other,) = series(vector), series(matrix)
    assert (one.metric, one.value, one.values) == ({"slo": "a"}, (12.5, "0.5"), [])
    assert other.values == [(1.0, "2"), (3.0, "+Inf")]
    assert math.isnan(float(other.value[1]))


@pytest.mark.parametrize(
    "body", ["<html>", "{}", '{"data":{"result":[{"value":[1]}]}}', '{"status":"error","error":"x"}']
)
def test_what_is_no_answer_is_none(body: str) -> None:
    """A page of a proxy, or a refusal."""
    with pytest.raises(msgspec.DecodeError):
        series(body)

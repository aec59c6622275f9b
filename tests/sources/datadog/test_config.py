"""What is refused before anything is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from tests.sources.datadog.test_datadog import ERRORS, HITS, SETTINGS

from platform_meter.sources.datadog.config import Config


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            {"site": "https://app.datadoghq.eu"},
            (
                "'https://app.datadoghq.eu' is no site of Datadog; write it without https://, app. and api., "
                "for example datadoghq.eu or us5.datadoghq.com"
            ),
        ),
        (
            {"site": "api.datadoghq.eu"},
            (
                "'api.datadoghq.eu' is no site of Datadog; write it without https://, app. and api., "
                "for example datadoghq.eu or us5.datadoghq.com"
            ),
        ),
        (
            {"slis": [{"id": "x", "total": HITS}]},
            "an SLI needs exactly one of good and bad beside total; remove or add one",
        ),
        (
            {"slis": [{"id": "x", "bad": ERRORS, "total": HITS}] * 2},
            "x is there twice in slis and levels; give one of them another name or remove it",
        ),
        (
            {"slos": [{"slo": "y", "id": "abc", "target": 0.9}] * 2},
            "y is there twice in slos; give one of them another name or remove it",
        ),
    ],
)
def test_settings_that_can_not_work_are_refused(settings: dict[str, Any], problem: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({**SETTINGS, **settings})
    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {problem}"]

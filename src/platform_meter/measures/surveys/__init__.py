"""Surveys: scores with intervals, answers and response ratio of the newest wave (domain section 10)."""

from __future__ import annotations

from platform_meter.measures.surveys.gauges import GAUGES
from platform_meter.model.measure import Measures

MEASURES = Measures(standing=(GAUGES,))

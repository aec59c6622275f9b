"""Every metric, declared once: name, type, help, labels, and what bounds each label's values (domain section 13).

One module a family of the domain; each constant that is a Metric is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from platform_meter.model.found import found
from platform_meter.model.metric import Metric

ALL: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in found(__name__, Metric)})
"""By name."""

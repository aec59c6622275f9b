"""Probes of endpoints of the platform (domain sections 8 and 13)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import counter, gauge, histogram

SECONDS_PROBE = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

PROBE_CHECKS = counter(
    "platform_probe_checks_total", "target result", "Checks by our own probes: ok, error, timeout.", fold="target"
)
PROBE_DURATION = histogram(
    "platform_probe_duration_seconds", "target", "Duration of our own probes.", buckets=SECONDS_PROBE, fold="target"
)
PROBE_CERTIFICATE_EXPIRY = gauge(
    "platform_probe_certificate_expiry_timestamp_seconds",
    "target",
    "End of the certificate that the endpoint served when it was last looked at.",
    fold="target",
)

"""The meter itself: its sources, its store, its series."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import counter, gauge, histogram

SECONDS_POLL = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

BUILD_INFO = gauge("platform_meter_build_info", "version", "Version of platform-meter; always 1.")
SOURCE_UP = gauge(
    "platform_meter_source_up",
    "source source_instance",
    "1 while all streams of the source succeed, 0 when one did not for `stale_after`: gauges that rest on it are absent.",
)
SOURCE_LAST_SUCCESS = gauge(
    "platform_meter_source_last_success_timestamp_seconds",
    "source source_instance",
    "When the source last succeeded: of its streams the one whose success is the longest ago.",
)
SOURCE_POLL_DURATION = histogram(
    "platform_meter_source_poll_duration_seconds", "source", "Duration of polls.", buckets=SECONDS_POLL
)
SOURCE_REQUESTS = counter(
    "platform_meter_source_requests_total",
    "source outcome",
    "Calls to the source's API: ok, error or limited.",
    bounds={"outcome": "ok, error, limited"},
)
SOURCE_PUSHES = counter(
    "platform_meter_source_pushes_total",
    "source source_instance outcome",
    "Deliveries pushed to the source: ok, unreadable, refused (neither role nor signature) or failed (not stored).",
    bounds={"outcome": "ok, unreadable, refused, failed"},
)
SOURCE_RATE_LIMIT = gauge(
    "platform_meter_source_rate_limit_remaining_ratio",
    "source",
    "Share of the API quota left; the least of all instances of the source.",
)
SOURCE_IMPORT_RATIO = gauge(
    "platform_meter_source_import_ratio",
    "source source_instance",
    "How much of the source's first import is read, of the stream that is the least far; absent once it is done.",
)
SOURCE_GAPS = counter("platform_meter_source_gaps_total", "source reason", "Ranges of history that could not be read.")
EVENTS_STORED = counter("platform_meter_events_total", "source kind", "Events stored, imported history among them.")
EVENTS_REJECTED = counter("platform_meter_events_rejected_total", "source kind reason", "Events refused.")
OBJECTS_SEEN = gauge("platform_meter_objects", "source kind", "Objects seen within retention.")
UNOWNED_OBJECTS = gauge("platform_meter_unowned_objects", "source kind", "Objects without an owner.")
OWNERSHIP_CONFLICTS = gauge(
    "platform_meter_ownership_conflicts", "source kind", "Objects whose ownership rules name different teams."
)
SERIES_EXPOSED = gauge("platform_meter_series", "family", "Series exposed by family.")
SERIES_DROPPED = counter(
    "platform_meter_series_dropped_total", "family", "Label sets folded into _other or dropped past the cap."
)
CONFIG_VALID = gauge(
    "platform_meter_config_valid",
    "",
    "1 when the last load of configuration, web configuration and definitions found no problem.",
)
STORE_BYTES = gauge("platform_meter_store_bytes", "", "Size of the event store.")

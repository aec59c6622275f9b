from __future__ import annotations

from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families as families
from tests.demo.worlds import START, Caller, Clock, small_world

from platform_meter.demo.apis.services import MetricsApi
from platform_meter.demo.company.traffic import serving

BASE = "http://127.0.0.1:9"


def caller(clock: Clock) -> Caller:
    return Caller(MetricsApi(small_world(clock), BASE), {}, BASE)


def values(text: str) -> dict[tuple[str, str], float]:
    found = {}
    for family in families(text):
        for sample in family.samples:
            found[sample.name, sample.labels.get("code", sample.labels.get("le", ""))] = sample.value
    return found


def test_discovery_finds_every_service() -> None:
    """Each target of /sd answers with its own metrics, which Prometheus' parser reads."""
    api = caller(Clock())
    groups = api.get("/sd").json
    world = small_world(Clock())
    assert len(groups) == len(serving(world.company))
    assert len({group["labels"]["instance"] for group in groups}) == len(groups)  # one series of `up` each
    for group in groups:
        assert group["targets"] == ["127.0.0.1:9"]
        answer = api.get(group["labels"]["__metrics_path__"])
        names = {family.name for family in families(answer.text)}
        assert names == {"http_requests", "http_request_duration_seconds"}
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert api.get("/services/none/metrics").status_code == 404


def test_counters_only_grow_and_follow_the_day() -> None:
    """Over two days no counter or bucket ever falls; afternoon hours see more than night hours."""
    clock = Clock()
    api = caller(clock)
    path = api.get("/sd").json[0]["labels"]["__metrics_path__"]
    last = values(api.get(path).text)
    hours = []
    for _ in range(48):
        clock.at += timedelta(hours=1)
        now = values(api.get(path).text)
        assert all(now[key] >= last[key] for key in now)
        count = ("http_request_duration_seconds_count", "")
        hours.append(now[count] - last[count])
        bucket = [value for (name, _), value in now.items() if name.endswith("_bucket")]
        assert bucket == sorted(bucket)
        codes = sum(value for (name, _), value in now.items() if name == "http_requests_total")
        assert bucket[-1] == now[count] == codes
        last = now
    assert max(hours) > 3 * min(hours)
    assert 10 <= (START.hour + 1 + hours.index(max(hours))) % 24 <= 15

from __future__ import annotations

from datetime import timedelta

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as families
from tests.demo.worlds import START, Caller, Clock, small_world

from platform_meter.demo.apis.services import BUCKETS, MetricsApi, history_openmetrics, serving, traffic
from platform_meter.demo.company.scenarios import Scenario, Trouble

BASE = "http://127.0.0.1:9"


def caller(clock: Clock, scenario: Scenario | None = None) -> Caller:
    return Caller(MetricsApi(small_world(clock, scenario), BASE), {}, BASE)


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


def test_errors_while_the_cluster_is_slow() -> None:
    """In cluster-slow about a fifth of what services of eu answer is an error; before it begins hardly any is."""
    begin = START + timedelta(hours=1)
    world = small_world(Clock(), Scenario(trouble=Trouble.CLUSTER_SLOW, begin=begin))
    found = [traffic(world.company, world.scenario, s) for s in serving(world.company)]
    sick = [t for t in found if t.trouble]
    assert sick
    assert len(sick) < len(found)
    for one in sick:
        before, start, end = (one.codes(at) for at in (START, begin, begin + timedelta(hours=2)))
        assert start["500"] - before["500"] < 0.01 * (start["200"] - before["200"]) + 2
        bad, all_ = end["500"] - start["500"], sum(end.values()) - sum(start.values())
        assert 0.19 < bad / all_ < 0.22
        assert all(end[code] >= start[code] for code in end)


def test_errors_end_with_the_trouble() -> None:
    """After a trouble of an hour the errors that it caused stay counted, and hardly any come on top."""
    begin = START + timedelta(hours=1)
    end = begin + timedelta(hours=1)
    world = small_world(Clock(), Scenario(trouble=Trouble.CLUSTER_SLOW, begin=begin, end=end))
    sick = next(t for t in (traffic(world.company, world.scenario, s) for s in serving(world.company)) if t.trouble)
    before, over, later = (sick.codes(at) for at in (begin, end, end + timedelta(hours=1)))
    assert over["500"] - before["500"] > 0.19 * (over["200"] - before["200"])
    assert 0 <= later["500"] - over["500"] < 0.001 * (later["200"] - over["200"]) + 2


def test_history_is_openmetrics_that_joins_the_present() -> None:
    """The past of two services, whole series after whole series, ends with EOF and lies below what is served now."""
    world = small_world(Clock())
    services = [service.id for service in serving(world.company)[:2]]
    text = "".join(history_openmetrics(world.company, world.scenario, days=0.5, services=services, job="services"))
    assert text.endswith("# EOF\n")
    family, buckets, sums, counts = openmetrics(text)
    assert [len(f.samples) for f in (family, buckets, sums, counts)] == [2 * n * 720 for n in (3, 10, 1, 1)]
    assert {s.labels["le"] for s in buckets.samples} == {f"{bound:g}" for bound in BUCKETS} | {"+Inf"}
    assert {sample.labels["job"] for sample in family.samples} == {"services"}
    labels = {group["labels"]["instance"]: group["labels"] for group in caller(Clock()).get("/sd").json}
    assert all(s.labels["team"] == labels[s.labels["instance"]]["team"] for s in family.samples)
    last = {(s.labels["service"], s.labels["code"]): s.value for s in family.samples}
    for service in serving(world.company)[:2]:
        codes = traffic(world.company, world.scenario, service).codes(START)
        assert all(codes[code] - last[service.id, code] >= 0 for code in codes)

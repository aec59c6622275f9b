"""Four systems that are told of one traffic.

A real Prometheus, which takes samples by remote write, late ones too; a real OpenSearch; CloudWatch by moto's server; a
Datadog in its documented form, since nobody can run one. Before each stands what can keep its answers back or spoil them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs

import boto3
import pytest
from tests.support.amazon import amazon_server, lead_to
from tests.support.between import Between, between
from tests.support.http import Reply, Seen
from tests.support.opensearch import OpenSearch, opensearch
from tests.support.prometheus import Prometheus, prometheus
from tests.support.remote_write import Samples, send
from tests.support.traffic import Minutes, requests_of

NAMES = ("apigateway", "cloudwatch", "datadog", "elasticsearch", "prometheus")
"""Of the sources, two of which read CloudWatch, and of the SLO over each."""
BY_GOOD = "datadog-good"
"""An SLO over good events where the others are over bad ones."""
SCRAPE = 15
SCRAPED = (13, 28, 43, 58)
"""Seconds of a minute: what comes later is in the next one, as Prometheus knows it."""
LAG = {**dict.fromkeys(NAMES, timedelta()), "prometheus": timedelta(seconds=60 - SCRAPED[-1])}
REGION = "eu-west-1"
_CONFIG: dict[str, Any] = {"storage": {"tsdb": {"out_of_order_time_window": "30d"}}}
"""Of Prometheus, which takes samples that come late."""
_NAMESPACE = "AWS/ApiGateway"
_STAGE = [{"Name": "ApiName", "Value": "shop"}, {"Name": "Stage", "Value": "prod"}]
_JSON = {"content-type": "application/json"}


def scraped(moment: datetime) -> datetime:
    """When the last scrape before it was."""
    minute = moment.replace(second=0, microsecond=0)
    found = [second for second in SCRAPED if minute + timedelta(seconds=second) <= moment]
    return minute + timedelta(seconds=found[-1] if found else SCRAPED[-1] - 60)


class Teller(Protocol):
    """One system."""

    way: Between
    """What stands before it."""
    sources: Mapping[str, Mapping[str, Any]]
    """Settings of those that read it, by type."""
    slos: Mapping[str, Mapping[str, Any]]
    """What each SLO counts of it, as OpenSLO writes it."""

    def tell(self, minutes: Minutes, all_: Minutes, pod: str) -> None:
        """What `pod` served in these minutes, of all that it ever serves."""
        ...


class ToPrometheus(Teller):
    """Two counters of each pod, scraped four times a minute."""

    def __init__(self, server: Prometheus, way: Between) -> None:
        self.way, self._server = way, server
        total, bad = (f"sum(increase(shop_requests_total{tags}[{{{{window}}}}]))" for tags in ("", '{code="500"}'))
        sli = {"id": "prometheus", "total": total, "bad": bad, "window": "1m", "scrape_interval": f"{SCRAPE}s"}
        self.sources = {"prometheus": {"url": way.url, "slis": [sli]}}
        self.slos = {"prometheus": _stored("sli", id="prometheus")}

    def tell(self, minutes: Minutes, all_: Minutes, pod: str) -> None:
        samples: dict[str, list[tuple[float, float]]] = {"200": [], "500": []}
        counted = {"200": 1_000, "500": 1_000}
        for begin in sorted(all_):
            found = requests_of(begin, *all_[begin])
            first = begin.timestamp()
            for second in SCRAPED:
                due = [request for request in found if request[0] <= first + second]
                found = found[len(due) :]
                for _, failed in due:
                    counted["500" if failed else "200"] += 1
                if begin in minutes:
                    for code, n in counted.items():
                        samples[code].append((first + second, n))
            for _, failed in found:
                counted["500" if failed else "200"] += 1
        named = {"__name__": "shop_requests_total", "pod": pod}
        series: list[tuple[Mapping[str, str], Samples]] = [({**named, "code": c}, s) for c, s in samples.items() if s]
        send(self._server.url, series)


class ToOpenSearch(Teller):
    """A document for each request."""

    def __init__(self, server: OpenSearch, way: Between) -> None:
        self.way, self._server = way, server
        server.index("shop-1")
        self.sources = {"elasticsearch": {"url": way.url}}
        total, bad = ({"index": "shop-*", "query": query} for query in ("*", "status:>=500"))
        self.slos = {"elasticsearch": _counted("elasticsearch", total, bad=bad)}

    def tell(self, minutes: Minutes, all_: Minutes, pod: str) -> None:
        del all_, pod
        found = [request for begin in sorted(minutes) for request in requests_of(begin, *minutes[begin])]
        self._server.bulk("shop-1", [(at, 500 if failed else 200) for at, failed in found])


class ToCloudWatch(Teller):
    """Counts of a minute of a stage, as API Gateway sends them.

    Which metrics there are is told here: moto repeats one with two dimensions for each of its values, CloudWatch has it once.
    """

    def __init__(self, client: Any, way: Between) -> None:
        self.way, self._client = way, client
        way.own = self._listed
        self.sources = {
            "apigateway": {"gateway": "shop", "region": REGION, "every": "1m"},
            "cloudwatch": {"region": REGION},
        }
        stage = {"namespace": _NAMESPACE, "dimensions": {one["Name"]: one["Value"] for one in _STAGE}}
        total, bad = {**stage, "metric": "Count", "stat": "SampleCount"}, {**stage, "metric": "5XXError"}
        self.slos = {
            "apigateway": _stored("gateway_requests", gateway="shop"),
            "cloudwatch": _counted("cloudwatch", total, bad=bad),
        }

    def tell(self, minutes: Minutes, all_: Minutes, pod: str) -> None:
        del all_, pod
        rows = [
            {
                "MetricName": metric,
                "Dimensions": _STAGE,
                "Timestamp": begin,
                "StatisticValues": {"SampleCount": n, "Sum": sum_, "Minimum": 0, "Maximum": 1},
            }
            for begin, (n, bad) in minutes.items()
            if n
            for metric, sum_ in (("Count", n), ("4XXError", 0), ("5XXError", bad))
        ]
        for at in range(0, len(rows), 1_000):
            self._client.put_metric_data(Namespace=_NAMESPACE, MetricData=rows[at : at + 1_000])

    def _listed(self, seen: Seen) -> Reply | None:
        if not seen.headers.get("x-amz-target", "").endswith(".ListMetrics"):
            return None
        one = {"Namespace": _NAMESPACE, "MetricName": "Count", "Dimensions": _STAGE}
        return Reply(headers=_JSON, body=json.dumps({"Metrics": [one]}).encode())


class ToDatadog(Teller):
    """Counts of a minute, in answers as docs.datadoghq.com/api/latest/metrics/#query-timeseries-points has them."""

    total, good, bad = (f"sum:shop.requests{tags}.as_count()" for tags in ("{*}", "{result:ok}", "{result:failed}"))

    def __init__(self, way: Between) -> None:
        self.way = way
        way.own = self._answer
        self._counted = {text: Counter[int]() for text in (self.total, self.good, self.bad)}
        keys = {"api_key": {"env": "DD_API_KEY"}, "application_key": {"env": "DD_APP_KEY"}}
        self.sources = {"datadog": {"url": way.url, **keys, "monitors": False}}
        total, good, bad = ({"query": text} for text in (self.total, self.good, self.bad))
        self.slos = {
            "datadog": _counted("datadog", total, bad=bad),
            BY_GOOD: _counted("datadog", total, good=good),
        }

    def tell(self, minutes: Minutes, all_: Minutes, pod: str) -> None:
        del all_, pod
        for begin, (n, bad) in minutes.items():
            at = int(begin.timestamp())
            self._counted[self.total] += Counter({at: n})
            self._counted[self.good] += Counter({at: n - bad})
            self._counted[self.bad] += Counter({at: bad})

    def _answer(self, seen: Seen) -> Reply:
        """Minutes that begin in the range; one that the range cuts lacks half of what it counts."""
        asked = {name: values[0] for name, values in parse_qs(seen.query).items()}
        start, end = int(asked["from"]), int(asked["to"])
        text, _, rollup = asked["query"].partition(".rollup")
        if seen.headers.get("dd-api-key") != "key" or rollup != "(sum, 60)":
            return Reply(status=403, body=b'{"errors": ["Forbidden"]}')
        points = [
            [at * 1000.0, n / 2 if at + 60 > end else float(n)]
            for at, n in sorted(self._counted[text].items())
            if start <= at <= end
        ]
        series = {
            "metric": "shop.requests",
            "scope": "*",
            "aggr": "sum",
            "interval": 60 if end - start <= 4 * 3600 else 300,
            "length": len(points),
            "pointlist": points,
        }
        answer = {"status": "ok", "res_type": "time_series", "series": [series] if points else []}
        return Reply(headers=_JSON, body=json.dumps(answer).encode())


@dataclass(frozen=True, slots=True)
class Systems:
    """All four."""

    tellers: Mapping[str, Teller]
    prometheus: Prometheus
    opensearch: OpenSearch

    def tell(self, traffic: Minutes, first: datetime, last: datetime, *, pod: str) -> None:
        """What a pod with this traffic served from `first` until `last`."""
        told = {begin: counts for begin, counts in traffic.items() if first <= begin < last}
        for teller in self.tellers.values():
            teller.tell(told, traffic, pod)

    @contextmanager
    def in_part(self) -> Iterator[None]:
        """For the time of the block a shard is away, a Prometheus behind Prometheus does not answer, of one metric CloudWatch
        has a part, and a query of Datadog's ran out of time.
        """
        nowhere = {"index.routing.allocation.require._name": "another"}
        behind = {"url": "http://127.0.0.1:1/", "read_recent": True}
        ways = (self.tellers["cloudwatch"].way, self.tellers["datadog"].way)
        self.opensearch.call("PUT", "/shop-2?wait_for_active_shards=0", {"settings": nowhere})
        try:
            spoiled = ways[0].spoiled(_half_of_metrics), ways[1].spoiled(_took_too_long)
            with self.configured(remote_read=[behind]), spoiled[0], spoiled[1]:
                yield
        finally:
            self.opensearch.call("DELETE", "/shop-2")

    @contextmanager
    def configured(self, **more: Any) -> Iterator[None]:
        """Prometheus with more in its configuration, for the time of the block."""
        self.prometheus.reconfigure({**_CONFIG, **more})
        try:
            yield
        finally:
            self.prometheus.reconfigure(_CONFIG)


def _half_of_metrics(seen: Seen, reply: Reply) -> Reply:
    """CloudWatch has not got all together yet."""
    if not seen.headers.get("x-amz-target", "").endswith(".GetMetricData"):
        return reply
    assert isinstance(reply.body, bytes)
    answer = json.loads(reply.body)
    for result in answer["MetricDataResults"]:
        if result["Label"].startswith("Count"):
            result |= {
                "StatusCode": "PartialData",
                "Timestamps": result["Timestamps"][:2],
                "Values": result["Values"][:2],
            }
    return Reply(headers=reply.headers, body=json.dumps(answer).encode())


def _took_too_long(seen: Seen, reply: Reply) -> Reply:
    """Datadog says so in an answer that is well."""
    del seen, reply
    return Reply(body=b'{"status": "error", "error": "The query timed out", "series": []}')


@contextmanager
def systems(folder: Path) -> Iterator[Systems]:
    """Four systems that know of nothing yet."""
    flags = ("--web.enable-remote-write-receiver",)
    with ExitStack() as stack:
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        told = stack.enter_context(prometheus(folder / "prometheus", _CONFIG, flags=flags))
        searched = stack.enter_context(opensearch(folder / "opensearch"))
        amazon = stack.enter_context(amazon_server())
        ways = {
            "prometheus": stack.enter_context(between(told.url, "/api/v1/query_range")),
            "elasticsearch": stack.enter_context(between(searched.url, "/shop-*/_search")),
            "cloudwatch": stack.enter_context(between(amazon, "/", "/restapis", "/v2/apis")),
        }
        ways["datadog"] = stack.enter_context(between("", "/api/v1/query"))
        lead_to(ways["cloudwatch"].url, patched, REGION)
        client = boto3.client("cloudwatch", endpoint_url=amazon)
        stack.callback(client.close)
        tellers: dict[str, Teller] = {
            "cloudwatch": ToCloudWatch(client, ways["cloudwatch"]),
            "datadog": ToDatadog(ways["datadog"]),
            "elasticsearch": ToOpenSearch(searched, ways["elasticsearch"]),
            "prometheus": ToPrometheus(told, ways["prometheus"]),
        }
        yield Systems(tellers, told, searched)


def _stored(events: str, **where: str) -> Mapping[str, Any]:
    return {
        "rawType": "success",
        "raw": {"metricSource": {"type": "stored", "spec": {"events": events, "where": where}}},
    }


def _counted(type_: str, total: Mapping[str, Any], **part: Mapping[str, Any]) -> Mapping[str, Any]:
    """By a system of this type, `good` or `bad` ones among all."""
    found = {name: {"metricSource": {"type": type_, "spec": spec}} for name, spec in {"total": total, **part}.items()}
    return {"counter": True, **found}

"""The Prometheus beside each cluster that scrapes the proxies of its mesh.

It answers what meters ask of it: how much counters grew in windows (`increase`), and which proxies were heard from. For
anything else it is no Prometheus, and says so as one that can't read a query.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import parse_qsl
from wsgiref.handlers import format_date_time

from platform_meter.demo.apis.wsgi import Api, Refusal, Reply, Request, encode
from platform_meter.demo.company.mesh import ISTIO, MEAN_SECONDS, Member, members, within
from platform_meter.demo.world import World

BOUNDS = {
    ISTIO: (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000),
    "linkerd": (1, 2, 5, 10, 20, 30, 40, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 50000),
}
"""Milliseconds, of each mesh's histogram."""
_GROWN = re.compile(
    r"sum by \((?P<by>[\w, ]*)\) \(.* or increase\((?P<name>\w+)\{(?P<fits>.*)\}\[(?P<over>\d+)s\]\)"
    r" \* (?P<window>\d+) / (?P<scale>\d+)\)"
)
_FIT = re.compile(r'\s*(\w+)(=~|!~|!=|=)("(?:[^"\\]|\\.)*")\s*(?:,|$)')
HEARD = "process_start_time_seconds"
"""What every proxy gives."""
_HEARD = re.compile(rf"\(count\(count by \(instance\) \(count_over_time\({HEARD}\[2m\]\)\)\) or vector\(0\)\) and .*")
Code = Literal["good", "missing", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of one member: which of its requests it counts, and what share of them."""

    labels: Mapping[str, str]
    code: Code
    share: float


def istio(member: Member, name: str) -> Iterator[Series]:
    """As the proxies of callers and of the called tell it; callers don't know how they were let in."""
    service = member.service
    about = {
        "destination_service_namespace": service.team,
        "destination_service_name": service.id,
        "destination_workload": service.id,
    }
    codes: tuple[tuple[Code, str, str], ...] = (("good", "200", "-"), ("missing", "404", "-"), ("failed", "503", "UF"))
    for code, status, flags in codes:
        by_code = {**about, "response_code": status, "response_flags": flags}
        caller = {**by_code, "reporter": "source", "connection_security_policy": "unknown"}
        mutual = {**by_code, "reporter": "destination", "connection_security_policy": "mutual_tls"}
        told = (
            (caller, 1.0),
            (mutual, 1 - member.plain),
            ({**mutual, "connection_security_policy": "none"}, member.plain),
        )
        for labels, share in told:
            if share:
                yield from _family(
                    ISTIO, name, "istio_requests_total", "istio_request_duration_milliseconds", code, labels, share
                )


def linkerd(member: Member, name: str) -> Iterator[Series]:
    """As the proxy of the called tells it."""
    about = {"direction": "inbound", "namespace": member.service.team, "deployment": member.service.id}
    codes: tuple[tuple[Code, str, str], ...] = (
        ("good", "200", "success"),
        ("missing", "404", "success"),
        ("failed", "503", "failure"),
    )
    for code, status, classified in codes:
        by_code = {**about, "status_code": status, "classification": classified}
        plain = {**by_code, "tls": "no_identity", "no_tls_reason": "not_provided_by_remote"}
        for labels, share in (({**by_code, "tls": "true"}, 1 - member.plain), (plain, member.plain)):
            if share:
                yield from _family("linkerd", name, "response_total", "response_latency_ms", code, labels, share)


def _family(
    mesh: str, name: str, total: str, took: str, code: Code, labels: Mapping[str, str], share: float
) -> Iterator[Series]:
    """The series of this name with these labels: one, but for the buckets of a histogram."""
    if name == total:
        yield Series(labels=labels, code=code, share=share)
    elif name == f"{took}_sum":
        yield Series(labels=labels, code=code, share=share * MEAN_SECONDS * 1_000)
    elif name == f"{took}_bucket":
        for bound in BOUNDS[mesh]:
            yield Series(labels={**labels, "le": f"{bound:g}"}, code=code, share=share * within(bound / 1_000))
        yield Series(labels={**labels, "le": "+Inf"}, code=code, share=share)


class PrometheusApi(Api):
    """That of one cluster."""

    def __init__(self, world: World, cluster: str) -> None:
        self._world = world
        self._members = tuple(members(world.company, world.scenario, cluster))
        super().__init__(
            {f"{verb} /api/v1/{path}": self._query for verb in ("GET", "POST") for path in ("query", "query_range")}
        )

    def missing(self, request: Request) -> Reply:
        return Reply(body=f"404 page not found: {request.path}\n".encode(), status=404, type="text/plain")

    def _query(self, request: Request) -> Reply:
        said = request.query
        if request.method == "POST":
            length = int(str(request.environ.get("CONTENT_LENGTH") or 0))
            said = dict(parse_qsl(request.environ["wsgi.input"].read(length).decode()))
        now = self._world.now()
        one = request.path.endswith("/query")
        try:
            moments = (
                range(int(float(said.get("time", now.timestamp()))), 2**62)[:1]
                if one
                else range(int(float(said["start"])), int(float(said["end"])) + 1, int(float(said["step"])))
            )
            rows = self._answered(said["query"], moments)
        except (KeyError, ValueError) as error:
            raise self._refused(f"{error}") from None
        result = [
            {"metric": {k: v for k, v in metric.items() if v}, **_values(values, one=one)} for metric, values in rows
        ]
        data = {"resultType": "vector" if one else "matrix", "result": result}
        date = ("Date", format_date_time(now.timestamp()))
        return Reply(body=encode({"status": "success", "data": data}), headers=(date,), type="application/json")

    @staticmethod
    def _refused(why: str) -> Refusal:
        body = {"status": "error", "errorType": "bad_data", "error": f"invalid parameter: {why}"}
        return Refusal(Reply(body=encode(body), status=400, type="application/json"))

    def _answered(self, query: str, moments: range) -> Sequence[tuple[Mapping[str, str], Mapping[int, float]]]:
        if _HEARD.fullmatch(query):
            return [({}, dict.fromkeys(moments, float(len(self._members))))]
        grown = _GROWN.fullmatch(query)
        if grown is None:
            raise ValueError(f"parse error: {query[:100]!r} is nothing that is known here")
        return self._growth(grown, moments)

    def _growth(self, asked: re.Match[str], moments: range) -> Sequence[tuple[Mapping[str, str], Mapping[int, float]]]:
        """Of every series since the beginning of its window, scaled to what is told of, and added up by labels."""
        by = [label.strip() for label in asked["by"].split(",")]
        fits, over = _matcher(asked["fits"]), timedelta(seconds=int(asked["over"]))
        scale = int(asked["window"]) / int(asked["scale"])
        found: dict[tuple[str, ...], dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for member in self._members:
            series = istio(member, asked["name"]) if member.mesh == ISTIO else linkerd(member, asked["name"])
            fitting = [one for one in series if fits(one.labels)]
            for at in moments if fitting else ():
                end = datetime.fromtimestamp(at, UTC)
                grown = member.between(end - over, end)
                for one in fitting:
                    values = found[tuple(one.labels.get(label, "") for label in by)]
                    values[at] += getattr(grown, one.code) * one.share * scale
        return [(dict(zip(by, labels, strict=True)), values) for labels, values in found.items()]


def _values(values: Mapping[int, float], *, one: bool) -> dict[str, Any]:
    pairs = [[at, f"{value:.6f}"] for at, value in values.items()]
    return {"value": pairs[0]} if one else {"values": pairs}


def _matcher(text: str) -> Callable[[Mapping[str, str]], bool]:
    """Whether labels meet a selector.

    Raises:
        ValueError: it can't be read.
    """
    rules: list[tuple[str, str, str]] = []
    at = 0
    while at < len(text):
        found = _FIT.match(text, at)
        if found is None:
            raise ValueError(f"parse error: {text[at:]!r} is no matcher of a label")
        rules.append((found[1], found[2], json.loads(found[3])))
        at = found.end()

    def fits(labels: Mapping[str, str]) -> bool:
        return all(_meets(labels.get(label, ""), sign, wanted) for label, sign, wanted in rules)

    return fits


def _meets(value: str, sign: str, wanted: str) -> bool:
    same = value == wanted if sign in {"=", "!="} else re.fullmatch(wanted, value) is not None
    return same is not sign.startswith("!")

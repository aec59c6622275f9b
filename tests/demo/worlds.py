"""Small companies for the tests of the demo, and ways to ask their APIs without sockets."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from werkzeug.test import Client, TestResponse

from platform_meter.demo.apis.api import Told, instances
from platform_meter.demo.apis.argocd.routes import TOKEN as ARGOCD_TOKEN
from platform_meter.demo.apis.argocd.routes import ArgocdApi
from platform_meter.demo.apis.aws.routes import KEY as AWS_KEY
from platform_meter.demo.apis.aws.routes import AwsApi
from platform_meter.demo.apis.datadog.routes import API_KEY as DATADOG_API_KEY
from platform_meter.demo.apis.datadog.routes import APPLICATION_KEY as DATADOG_APPLICATION_KEY
from platform_meter.demo.apis.datadog.routes import LIMIT as DATADOG_LIMIT
from platform_meter.demo.apis.datadog.routes import DatadogApi
from platform_meter.demo.apis.elasticsearch.routes import KEY as ELASTICSEARCH_KEY
from platform_meter.demo.apis.elasticsearch.routes import ElasticsearchApi
from platform_meter.demo.apis.github.front import LIMIT
from platform_meter.demo.apis.github.front import TOKEN as GITHUB_TOKEN
from platform_meter.demo.apis.github.routes import GithubApi
from platform_meter.demo.apis.gitlab.routes import TOKEN as GITLAB_TOKEN
from platform_meter.demo.apis.gitlab.routes import GitlabApi
from platform_meter.demo.apis.grafana.routes import TOKEN as GRAFANA_TOKEN
from platform_meter.demo.apis.grafana.routes import GrafanaApi
from platform_meter.demo.apis.jenkins.routes import TOKEN as JENKINS_TOKEN
from platform_meter.demo.apis.jenkins.routes import USER as JENKINS_USER
from platform_meter.demo.apis.jenkins.routes import JenkinsApi
from platform_meter.demo.apis.jira.routes import TOKEN as JIRA_TOKEN
from platform_meter.demo.apis.jira.routes import USER, JiraApi
from platform_meter.demo.apis.kong.routes import AdminApi, StatusApi
from platform_meter.demo.apis.kubernetes.routes import TOKEN as KUBERNETES_TOKEN
from platform_meter.demo.apis.kubernetes.routes import KubernetesApi
from platform_meter.demo.apis.nginx.routes import IngressApi
from platform_meter.demo.apis.pagerduty.routes import LIMIT as PAGERDUTY_LIMIT
from platform_meter.demo.apis.pagerduty.routes import TOKEN as PAGERDUTY_TOKEN
from platform_meter.demo.apis.pagerduty.routes import PagerdutyApi
from platform_meter.demo.apis.status.routes import TOKEN as STATUS_TOKEN
from platform_meter.demo.apis.status.routes import StatusApi as StatusPageApi
from platform_meter.demo.apis.tekton.routes import TOKEN as TEKTON_TOKEN
from platform_meter.demo.apis.tekton.routes import TektonApi
from platform_meter.demo.company.layout import Company
from platform_meter.demo.company.scenarios import Scenario
from platform_meter.demo.stage.server import Addresses
from platform_meter.demo.world import World
from platform_meter.testing import Call, Reply

START = datetime(2026, 5, 20, 9, 30, tzinfo=UTC)
"""A Wednesday; the history holds Easter, Labour Day and the change to summer time."""


@dataclass
class Clock:
    """A clock that a test moves; with `step`, each look moves it on."""

    at: datetime = START
    step: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        self.at += self.step
        return self.at


def small_world(clock: Clock, scenario: Scenario | None = None, *, seed: int = 1, services: int = 24) -> World:
    company = Company.build(seed, START, teams=8, services=services)
    return World.build(company, clock, scenario=scenario)


def nowhere(company: Company) -> Addresses:
    """Addresses of all its APIs, at which nothing answers."""
    urls = {name: f"http://127.0.0.1:{number}" for number, name in enumerate(instances(company), 1)}
    return Addresses(urls=urls, start=company.start)


def settings(told: Told, name: str) -> dict[str, Any]:
    """What the exporter's file says of this source, as its `Config` takes it."""
    return {key: value for key, value in told.sources[name].items() if key != "type"}


class Answer:
    """One answer; `json` is its decoded body."""

    def __init__(self, response: TestResponse) -> None:
        self.status_code = response.status_code
        self.headers = response.headers
        self.data: bytes = response.data

    @property
    def text(self) -> str:
        return self.data.decode()

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.data)


@dataclass
class Caller:
    """Asks one WSGI application with one credential."""

    app: Any
    headers: dict[str, str]
    base: str

    def get(self, path: str, **headers: str) -> Answer:
        given = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return Answer(Client(self.app).get(path.removeprefix(self.base), headers=given))

    def post(self, path: str, body: Any) -> Answer:
        data = msgspec.json.encode(body)
        return Answer(Client(self.app).post(path, data=data, headers=self.headers, content_type="application/json"))

    def answer(self, call: Call) -> Reply:
        """What a source is answered: for `FakeOutside`."""
        query = f"?{urlencode(call.params)}" if call.params else ""
        got = self.post(call.path, call.body) if call.method == "POST" else self.get(call.path + query)
        body = got.text if call.method == "LINES" else got.data
        return Reply(body=body, status=got.status_code, headers=dict(got.headers))

    def pages(self, path: str) -> Iterator[Any]:
        """Every page of a list, by its Link headers."""
        url = path
        while url:
            answer = self.get(url)
            assert answer.status_code == 200, answer.text
            yield answer.json
            links = (part for part in answer.headers.get("Link", "").split(", ") if 'rel="next"' in part)
            url = next((part[1 : part.index(">")] for part in links), "")


def github(world: World, limit: int = LIMIT) -> Caller:
    base = "http://github.test"
    return Caller(GithubApi(world, base, limit), {"Authorization": f"Bearer {GITHUB_TOKEN}"}, base)


def jira(world: World) -> Caller:
    basic = base64.b64encode(f"{USER}:{JIRA_TOKEN}".encode()).decode()
    return Caller(JiraApi(world, "http://jira.test"), {"Authorization": f"Basic {basic}"}, "http://jira.test")


def jenkins(world: World) -> Caller:
    basic = base64.b64encode(f"{JENKINS_USER}:{JENKINS_TOKEN}".encode()).decode()
    return Caller(JenkinsApi(world), {"Authorization": f"Basic {basic}"}, "http://jenkins.test")


def gitlab(world: World) -> Caller:
    return Caller(GitlabApi(world, "http://gitlab.test"), {"PRIVATE-TOKEN": GITLAB_TOKEN}, "http://gitlab.test")


def argocd(world: World, cluster: str = "eu") -> Caller:
    headers = {"Authorization": f"Bearer {ARGOCD_TOKEN}"}
    return Caller(ArgocdApi(world, cluster), headers, "http://argocd.test")


def tekton(world: World) -> Caller:
    headers = {"Authorization": f"Bearer {TEKTON_TOKEN}"}
    return Caller(TektonApi(world, beat=0.0001), headers, "http://tekton.test")


def pagerduty(world: World, limit: int = PAGERDUTY_LIMIT) -> Caller:
    base = "http://pagerduty.test"
    return Caller(PagerdutyApi(world, base, limit), {"Authorization": f"Token token={PAGERDUTY_TOKEN}"}, base)


def kong(world: World, node: str = "") -> Caller:
    return Caller(StatusApi(world, node) if node else AdminApi(world), {}, "http://kong.test")


def nginx(world: World) -> Caller:
    return Caller(IngressApi(world), {}, "http://nginx.test")


def aws(world: World) -> Caller:
    signed = f"AWS4-HMAC-SHA256 Credential={AWS_KEY}/20260520/eu-central-1/apigateway/aws4_request, Signature=0"
    return Caller(AwsApi(world), {"Authorization": signed}, "http://aws.test")


def kubernetes(world: World, cluster: str = "eu") -> Caller:
    headers = {"Authorization": f"Bearer {KUBERNETES_TOKEN}"}
    return Caller(KubernetesApi(world, cluster, beat=0.0001), headers, "http://kube.test")


def datadog(world: World, limit: int = DATADOG_LIMIT) -> Caller:
    keys = {"DD-API-KEY": DATADOG_API_KEY, "DD-APPLICATION-KEY": DATADOG_APPLICATION_KEY}
    return Caller(DatadogApi(world, limit), keys, "http://datadog.test")


def elasticsearch(world: World) -> Caller:
    return Caller(ElasticsearchApi(world), {"Authorization": f"ApiKey {ELASTICSEARCH_KEY}"}, "http://elastic.test")


def grafana(world: World) -> Caller:
    return Caller(GrafanaApi(world), {"Authorization": f"Bearer {GRAFANA_TOKEN}"}, "http://grafana.test")


def status_page(world: World) -> Caller:
    return Caller(StatusPageApi(world), {"Authorization": f"Bearer {STATUS_TOKEN}"}, "http://status.test")

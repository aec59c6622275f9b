"""Every number of `Truth` against a count of what the APIs serve, paged to the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.demo.worlds import (
    START,
    Caller,
    Clock,
    aws,
    github,
    gitlab,
    jenkins,
    jira,
    kong,
    kubernetes,
    nginx,
    small_world,
    tekton,
)

from platform_meter.demo.apis.mesh.routes import PrometheusApi
from platform_meter.demo.apis.tekton.routes import ROOT as TEKTON
from platform_meter.demo.company.gateways import AWS, KONG, NGINX, NODES, served
from platform_meter.demo.company.layout import TEAM_LABEL
from platform_meter.demo.company.pipelines import Pipeline, System
from platform_meter.demo.company.records import CHECKOUT, CONTAINERS, SET_UP
from platform_meter.demo.truth import DETAIL, QUEUES, Truth
from platform_meter.demo.world import World

NOW = START + timedelta(minutes=10)
ALWAYS = START - timedelta(days=400)
PLATFORM = {SET_UP, CHECKOUT, CONTAINERS}
WORDS = {"success": "success", "cancelled": "cancelled", "skipped": "skipped", "startup_failure": "user_failure"}


def owner(world: World, name: str) -> str:
    return world.company.repo[name].team


def since(found: Counter[tuple[str, str, date]], first: datetime) -> Counter[tuple[str, str, date]]:
    return Counter({key: n for key, n in found.items() if key[-1] > first.date()})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def day(text: str) -> date:
    return at(text).astimezone(UTC).date()


def everything(api: Caller, path: str, under: str = "") -> list[Any]:
    return [item for page in api.pages(path) for item in (page[under] if under else page)]


def outcome(jobs: list[Any]) -> str:
    failed = [job for job in jobs if job["conclusion"] in {"failure", "timed_out"}]
    if failed:
        steps = {step["name"] for step in failed[0]["steps"] if step["conclusion"] in {"failure", "cancelled"}}
        return "infra_failure" if steps & PLATFORM else "user_failure"
    seen = {job["conclusion"] for job in jobs}
    return "cancelled" if "cancelled" in seen else "success" if "success" in seen else "skipped"


def on_jenkins(world: World) -> Counter[tuple[str, str, date]]:
    """Builds by team, outcome and day, by their results and consoles."""
    api, found = jenkins(world), Counter[tuple[str, str, date]]()
    words = {"SUCCESS": "success", "ABORTED": "cancelled"}
    for pipeline in of(world, System.JENKINS):
        job = "".join(f"/job/{part}" for part in pipeline.name.split("/"))
        for build in api.get(f"{job}/api/json").json["allBuilds"]:
            if not build["building"]:
                ours = "Cannot contact" in api.get(f"{job}/{build['number']}/consoleText").text
                word = words.get(build["result"]) or ("infra_failure" if ours else "user_failure")
                ended = datetime.fromtimestamp((build["timestamp"] + build["duration"]) / 1000, UTC)
                found[pipeline.team.id, word, ended.date()] += 1
    return found


def on_gitlab(world: World) -> Counter[tuple[str, str, date]]:
    """Pipelines by team, outcome and day, by what their jobs say."""
    api, found = gitlab(world), Counter[tuple[str, str, date]]()
    words = {"success": "success", "canceled": "cancelled"}
    for project in of(world, System.GITLAB):
        path = f"/api/v4/projects/{project.id}/pipelines"
        for row in everything(api, f"{path}?per_page=100"):
            if row["status"] not in {"pending", "running"}:
                reasons = {job.get("failure_reason") for job in api.get(f"{path}/{row['id']}/jobs").json}
                ours = "infra_failure" if "runner_system_failure" in reasons else "user_failure"
                found[project.team.id, words.get(row["status"]) or ours, day(row["updated_at"])] += 1
    return found


def on_tekton(world: World) -> Counter[tuple[str, str, date]]:
    """Runs that are not pruned yet by team, outcome and day, by their conditions and those of their tasks."""
    api, found = tekton(world), Counter[tuple[str, str, date]]()
    broken = {
        task["metadata"]["labels"]["tekton.dev/pipelineRun"]
        for task in api.get(f"{TEKTON}/taskruns").json["items"]
        if task["status"]["conditions"][0]["reason"] == "PodCreationFailed"
    }
    words = {"Succeeded": "success", "Cancelled": "cancelled"}
    for run in api.get(f"{TEKTON}/pipelineruns").json["items"]:
        (condition,) = run["status"]["conditions"]
        if condition["status"] != "Unknown":
            ours = "infra_failure" if run["metadata"]["name"] in broken else "user_failure"
            team = run["metadata"]["labels"]["acme.test/team"]
            found[team, words.get(condition["reason"]) or ours, day(run["status"]["completionTime"])] += 1
    return found


def of(world: World, system: System) -> list[Pipeline]:
    return [pipeline for pipeline in world.history.pipelines if pipeline.system is system]


def test_pipeline_runs(still: World) -> None:
    """Attempts by team, outcome and day are what the runs, and the jobs of every attempt, say; so are other systems' builds."""
    api, found = github(still), Counter[tuple[str, str, date]]()
    for repo in still.company.repos:
        path = f"/repos/acme/{repo.name}/actions/runs"
        for run in everything(api, f"{path}?per_page=100", "workflow_runs"):
            for number in range(1, run["run_attempt"] + 1):
                jobs = everything(api, f"{path}/{run['id']}/attempts/{number}/jobs", "jobs")
                last = number == run["run_attempt"]
                if last and run["status"] != "completed":
                    continue
                word = WORDS.get(run["conclusion"], "") if last else ""
                ended = run["updated_at"] if last else max(job["completed_at"] for job in jobs)
                found[owner(still, repo.name), word or outcome(jobs), day(ended)] += 1
    others = (on_jenkins(still), on_gitlab(still), on_tekton(still))
    assert min(other.total() for other in others) >= 3
    truth = Truth(still).pipeline_runs(ALWAYS, NOW + timedelta(seconds=1), first=NOW, lookback=NOW - ALWAYS)
    for other in others:
        found.update(other)
    assert since(found, NOW - DETAIL) == since(truth, NOW - DETAIL)
    assert truth.total() > 1_200


def test_older_runs_without_details(still: World) -> None:
    """Who reads details for 28 days knows of older runs the last attempt alone, and not whose failure it was."""
    truth, since = Truth(still), NOW - timedelta(days=28)
    rough = [ran for ran in truth.attempts(ALWAYS, NOW, details_since=since) if ran.at < since]
    exact = [ran for ran in truth.attempts(ALWAYS, NOW) if ran.at < since]
    unknown = {ran.attempt.conclusion for ran in rough if ran.outcome == "unknown"}
    assert "failure" in unknown <= {"failure", "timed_out"}
    known = {ran.attempt.conclusion for ran in rough if ran.outcome != "unknown"}
    assert known <= {"success", "cancelled", "skipped", "startup_failure"}
    assert 0 < len(exact) - len(rough) < len(exact) / 10


def test_deployments(still: World) -> None:
    """Deployments by team, environment, result, kind and day are what the statuses say."""
    api, found = github(still), Counter[tuple[str, str, str, str, date]]()
    names = {"staging": "staging", "production-eu": "production", "production-us": "production"}
    kinds = {"deploy": "planned", "deploy:hotfix": "hotfix", "deploy:rollback": "rollback"}
    for repo in still.company.repos:
        path = f"/repos/acme/{repo.name}/deployments"
        for deployment in everything(api, f"{path}?per_page=100"):
            statuses = everything(api, f"{path}/{deployment['id']}/statuses?per_page=2")
            ends = [s for s in reversed(statuses) if s["state"] in {"success", "failure", "error"}]
            if ends:
                environment = names.get(deployment["environment"], "_other")
                result = "success" if ends[0]["state"] == "success" else "failed"
                kind = kinds[deployment["task"]]
                found[owner(still, repo.name), environment, result, kind, day(ends[0]["created_at"])] += 1
    for project in of(still, System.GITLAB):
        for deployment in everything(gitlab(still), f"/api/v4/projects/{project.id}/deployments?per_page=100"):
            if deployment["status"] in {"success", "failed"}:
                ended = deployment["deployable"]["finished_at"]
                found[project.team.id, "production", deployment["status"], "planned", day(ended)] += 1
    truth = Truth(still).deployments(ALWAYS, NOW + timedelta(seconds=1))
    assert found == truth
    assert truth.total() > 80


def test_merges(still: World) -> None:
    """Merges by team and day are what the closed pull requests say."""
    api, found = github(still), Counter[tuple[str, date]]()
    for repo in still.company.repos:
        for pull in everything(api, f"/repos/acme/{repo.name}/pulls?state=closed&per_page=100"):
            if pull["merged_at"]:
                found[owner(still, repo.name), day(pull["merged_at"])] += 1
    for project in of(still, System.GITLAB):
        for request in everything(
            gitlab(still), f"/api/v4/projects/{project.id}/merge_requests?state=merged&per_page=100"
        ):
            found[project.team.id, day(request["merged_at"])] += 1
    truth = Truth(still).merges(ALWAYS, NOW + timedelta(seconds=1))
    assert found == truth
    assert truth.total() > 300


def tickets(world: World) -> list[Any]:
    api, found, token = jira(world), [], ""
    while True:
        query = quote("project in (PLAT, HELP) ORDER BY updated ASC")
        path = f"/rest/api/3/search/jql?jql={query}&fields=*all&expand=changelog&maxResults=25&nextPageToken={token}"
        body = api.get(path).json
        found += body["issues"]
        token = body.get("nextPageToken", "")
        if not token:
            return found


def test_tickets(still: World) -> None:
    """Tickets created and open are what search says; each one's steps are its changelog and comments."""
    found = tickets(still)
    created: Counter[tuple[str, str, str, date]] = Counter()
    standing: Counter[tuple[str, str]] = Counter()
    truth = Truth(still)
    steps = {ticket.key: steps for ticket, steps in truth.tickets(NOW)}
    for issue in found:
        fields = issue["fields"]
        changes = [item for entry in issue["changelog"]["histories"] for item in entry["items"]]
        first = [item["fromString"] for item in changes if item["field"] == "priority"][-1:]
        queue, priority = QUEUES[fields["project"]["key"]], fields["priority"]["name"]
        category = fields["issuetype"]["name"] if queue == "developer-help" else fields["components"][0]["name"]
        created[queue, category, (first or [priority])[0], day(fields["created"])] += 1
        if fields["status"]["statusCategory"]["key"] != "done":
            standing[queue, priority] += 1
        comments = [step for step in steps[issue["key"]] if step.comment]
        assert issue["changelog"]["total"] == len(steps[issue["key"]]) - len(comments)
        assert [at(c["created"]) for c in fields["comment"]["comments"]] == [step.at for step in comments]
        assert [c["jsdPublic"] for c in fields["comment"]["comments"]] == [step.public for step in comments]
    assert created == truth.tickets_created(ALWAYS, NOW + timedelta(seconds=1))
    assert standing == truth.tickets_open(NOW)
    assert created.total() > 80


@pytest.mark.parametrize("cluster", ["eu", "us"])
def test_cluster(still: World, cluster: str) -> None:
    """Ready pods by kind of owner, nodes by state and workloads by team are what the API lists."""
    api, truth = kubernetes(still, cluster), Truth(still)
    pods = [pod for pod in api.get("/api/v1/pods").json["items"] if pod["status"]["phase"] == "Running"]
    kinds = {"ReplicaSet": "deployment", "StatefulSet": "statefulset", "DaemonSet": "daemonset", "Job": "job"}
    listed = Counter(kinds[pod["metadata"]["ownerReferences"][0]["kind"]] for pod in pods)
    gone = truth.removed(cluster)
    started = [pod for pod in truth.pods(cluster, NOW) if pod.name not in gone]
    assert {pod["metadata"]["name"] for pod in pods} == {pod.name for pod in started}
    assert listed.total() == len(started) > 20
    assert truth.pods_started(cluster, ALWAYS, NOW + timedelta(seconds=1)).total() == len(truth.pods(cluster, NOW))
    ready = 11 if cluster == "eu" else 7
    assert truth.nodes(cluster, NOW) == {"ready": ready, "cordoned": 1}
    found: Counter[str] = Counter()
    for path in ("apps/v1/deployments", "apps/v1/statefulsets", "apps/v1/daemonsets", "batch/v1/cronjobs"):
        for item in api.get(f"/apis/{path}").json["items"]:
            space = item["metadata"]["namespace"]
            found["_unowned" if space in {"kube-system", "monitoring"} else space] += 1
    assert found == truth.workloads(cluster, NOW)


def test_use(still: World) -> None:
    """Use of GitHub and Jira by owner and day adds up to what people did there and what came to something."""
    truth, end = Truth(still), NOW + timedelta(seconds=1)
    runs = [ran.outcome for ran in truth.attempts(ALWAYS, end) if ran.run.event != "schedule"]
    for verb, total in (
        ("run", sum(outcome == "success" for outcome in runs)),
        ("deploy", sum(d.result == "success" for d in truth.deployments_ended(ALWAYS, end))),
        ("merge", sum(not pull.bot for _, pull in truth.merged(ALWAYS, end))),
        ("ticket", truth.tickets_created(ALWAYS, end).total()),
    ):
        use = truth.use_days(verb, ALWAYS, end)
        assert sum(days.total() for days in use.values()) == total
    with pytest.raises(ValueError, match="nobody counts 'sing' here; ask for run, deploy, merge or ticket"):
        truth.use_days("sing", ALWAYS, end)


def test_waiting(still: World) -> None:
    """Seconds in the queue by pool are those of the jobs that a runner took."""
    found = Truth(still).queue_seconds(START - timedelta(days=7), START)
    assert found.keys() <= {"linux-small", "linux-large", "linux-arm"}
    assert all(seconds >= 1 for waits in found.values() for seconds in waits)
    assert sum(map(len, found.values())) > 100


def counted(page: str, *names: str) -> Counter[tuple[str, ...]]:
    """Samples of a page by name, route, status and bound."""
    found: Counter[tuple[str, ...]] = Counter()
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            labels = sample.labels
            route = labels.get("route") or f"{labels.get('namespace')}/{labels.get('ingress')}"
            status = labels.get("code") or labels.get("status", "")
            if sample.name in names:
                found[sample.name, route, status, labels.get("le", "")] += int(sample.value)
    return found


def of_gateway(world: World, gateway: str) -> Counter[tuple[str, ...]]:
    """What pages of the gateway say now: requests, and how long they took."""
    if gateway == NGINX:
        prefix = "nginx_ingress_controller"
        names = (f"{prefix}_requests_total", f"{prefix}_request_duration_seconds_bucket")
        return counted(nginx(world).get("/metrics").text, *names)
    names = ("kong_http_requests_total", "kong_request_latency_ms_bucket")
    pages = (kong(world, node).get("/metrics").text for node in NODES)
    return sum((counted(page, *names) for page in pages), Counter[tuple[str, ...]]())


@pytest.mark.parametrize(("gateway", "second"), [(KONG, "1000"), (NGINX, "1")])
def test_requests_of_gateways(gateway: str, second: str) -> None:
    """By team and result, and within a second, between two looks of what pages of metrics say."""
    clock = Clock()
    world = small_world(clock)
    before = of_gateway(world, gateway)
    clock.at = NOW
    after = of_gateway(world, gateway)
    teams = {route.name: route.owner[1] for route in served(world.company, world.scenario, gateway)}
    found, timed = Counter[tuple[str, str]](), Counter[str]()
    for (name, route, status, le), n in after.items():
        grown = n - before[name, route, status, le]
        if le and status != "404":
            timed[le] += grown
        elif not le and status in {"200", "500"}:
            found[teams[route], "good" if status == "200" else "bad"] += grown
    truth = Truth(world)
    assert truth.gateway_requests(gateway, START, NOW) == found
    assert truth.gateway_within(gateway, START, NOW, 1) == timed[second]
    assert truth.gateway_within(gateway, START, NOW) == timed["+Inf"] > timed[second] > 100


def test_requests_at_amazon() -> None:
    """By team and result, and how many there were, in whole minutes of CloudWatch."""
    world = small_world(Clock(at=NOW), seed=3, services=60)
    api = aws(world)
    teams = {a["name"]: a["tags"].get(TEAM_LABEL, "_unowned") for a in api.get("/restapis").json["item"]}

    def total(name: str, metric: str, statistic: str) -> int:
        by = [{"Name": "ApiName", "Value": name}, {"Name": "Stage", "Value": "prod"}]
        of = {"Namespace": "AWS/ApiGateway", "MetricName": metric, "Dimensions": by}
        query = {"Id": "q", "MetricStat": {"Metric": of, "Period": 60, "Stat": statistic}}
        body = {"StartTime": START.timestamp(), "EndTime": NOW.timestamp(), "MetricDataQueries": [query]}
        api.headers["X-Amz-Target"] = "GraniteServiceVersion20100801.GetMetricData"
        return sum(api.post("/", body).json["MetricDataResults"][0]["Values"])

    found, all_ = Counter[tuple[str, str]](), 0
    for name, team in teams.items():
        count, missing, bad = (
            total(name, *asked) for asked in (("Count", "SampleCount"), ("4XXError", "Sum"), ("5XXError", "Sum"))
        )
        found.update({(team, "good"): count - missing - bad, (team, "bad"): bad})
        all_ += count
    assert Truth(world).gateway_requests(AWS, START, NOW) == found
    assert Truth(world).gateway_within(AWS, START, NOW) == all_ > 100


def test_routes_of_gateways(still: World) -> None:
    """As lists and pages have them, by team."""
    teams = {route.name: route.owner[1] for route in served(still.company, still.scenario, KONG)}
    listed = Counter(teams[row["name"]] for row in kong(still).get("/routes").json["data"])
    assert Truth(still).gateway_routes(KONG) == listed
    assert Truth(still).gateway_routes(AWS) == {"_unowned": 2}


def owner_of(pod: Any) -> tuple[str, str]:
    """Namespace and name of what a pod belongs to, but for what a workload's name is followed by."""
    reference, meta = pod["metadata"]["ownerReferences"][0], pod["metadata"]
    made = reference["kind"] in {"ReplicaSet", "Job"}
    return meta["namespace"], reference["name"].rpartition("-")[0] if made else reference["name"]


@pytest.mark.parametrize(("cluster", "proxy"), [("eu", "istio-proxy"), ("us", "linkerd-proxy")])
def test_who_is_in_a_mesh(cluster: str, proxy: str) -> None:
    """Workloads by their pods: with the proxy, with a word that they stay out or the cluster's own, and all others."""
    world = small_world(Clock(at=NOW), services=120)
    found: dict[tuple[str, str], str] = {}
    for pod in kubernetes(world, cluster).get("/api/v1/pods").json["items"]:
        meta = pod["metadata"]
        said = meta["labels"].get("sidecar.istio.io/inject"), meta.get("annotations", {}).get("linkerd.io/inject")
        inside = any(container["name"] == proxy for container in pod["spec"]["containers"])
        out = meta["namespace"] == "kube-system" or said in {("false", None), (None, "disabled")}
        found[owner_of(pod)] = "in_mesh" if inside else "exempt" if out else "outside"
    truth = Truth(world).mesh_members(cluster, NOW)
    assert truth == Counter(found.values())
    assert min(truth.values()) > 2


@pytest.mark.parametrize(
    ("cluster", "mesh", "named"), [("eu", "istio", "destination_service_name"), ("us", "linkerd", "deployment")]
)
def test_requests_through_a_mesh(still: World, cluster: str, mesh: str, named: str) -> None:
    """By service, of the five minutes before a moment, and the share of them with mutual TLS."""
    own = {"istio": ("istio_requests_total", "response_code"), "linkerd": ("response_total", "status_code")}
    (name, code), end = own[mesh], START.timestamp()
    secure = "connection_security_policy" if mesh == "istio" else "tls"
    server = 'reporter="destination"' if mesh == "istio" else 'direction="inbound"'
    by = f"{named}, {code}, {secure}"
    query = f"sum by ({by}) (x or increase({name}{{{server}}}[300s]) * 300 / 300)"
    api = Caller(PrometheusApi(still, cluster), {}, "")
    rows = api.get(f"/api/v1/query?query={quote(query)}&time={end:.0f}").json["data"]["result"]
    found, mutual, all_ = defaultdict[tuple[str, str], float](float), 0.0, 0.0
    for row in rows:
        grown, labels = float(row["value"][1]), row["metric"]
        found[labels[named], {"200": "good", "404": "missing", "503": "failed"}[labels[code]]] += grown
        all_ += grown
        mutual += grown if labels[secure] in {"mutual_tls", "true"} else 0
    truth = Truth(still).mesh_requests(cluster, START - timedelta(minutes=5), START)
    assert dict(found) == pytest.approx(
        {(name, word): getattr(one, word) for name, one in truth.items() for word in ("good", "missing", "failed")},
        abs=1e-4,
    )
    share = Truth(still).mesh_mutual(cluster, START - timedelta(minutes=5), START)
    assert mutual / all_ == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("cluster", ["eu", "us"])
def test_what_workloads_keep_to(still: World, cluster: str) -> None:
    """Those that something names, selects or lies over, as the API lists both; and those with a good base."""
    api = kubernetes(still, cluster)
    kinds = ("apps/v1/deployments", "apps/v1/statefulsets", "apps/v1/daemonsets", "batch/v1/cronjobs")
    workloads = [item for kind in kinds for item in api.get(f"/apis/{kind}").json["items"]]

    def listed(path: str) -> list[Any]:
        found: list[Any] = api.get(path).json["items"]
        return found

    def template(workload: Any) -> Any:
        spec = workload["spec"]
        return (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec)["template"]["metadata"]

    targets = {
        (one["metadata"]["namespace"], one["spec"]["scaleTargetRef"]["name"])
        for one in listed("/apis/autoscaling/v2/horizontalpodautoscalers")
    }
    budgets = [
        (one["metadata"]["namespace"], one["spec"]["selector"]["matchLabels"].items())
        for one in listed("/apis/policy/v1/poddisruptionbudgets")
    ]
    quotas = {one["metadata"]["namespace"] for one in listed("/api/v1/resourcequotas")}
    closed = {one["metadata"]["namespace"] for one in listed("/apis/networking.k8s.io/v1/networkpolicies")}
    found = Counter[str]()
    for workload in workloads:
        meta, pods = workload["metadata"], template(workload)
        space, notes = meta["namespace"], pods.get("annotations", {})
        base = notes.get("org.opencontainers.image.base.name", "")
        said = pods["labels"].get("sidecar.istio.io/inject") == "true" or notes.get("linkerd.io/inject") == "enabled"
        found["GoldenImage"] += base.startswith("registry.acme.test/golden/")
        found["Autoscaler"] += (space, meta["name"]) in targets and not meta["name"].endswith("-nightly")
        found["DisruptionBudget"] += any(space == of and labels <= pods["labels"].items() for of, labels in budgets)
        found["Quota"] += space in quotas
        found["NetworkPolicy"] += space in closed
        found["MeshInjection"] += said
    assert Truth(still).covered(cluster, NOW) == found

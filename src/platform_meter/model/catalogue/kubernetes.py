"""Clusters (domain section 8)."""

from __future__ import annotations

from platform_meter.model.catalogue.declare import counter, gauge, histogram
from platform_meter.model.facts.kubernetes import POD_START_BUCKETS

POD_START = histogram(
    "platform_pod_start_seconds",
    "cluster kind",
    "Pod creation to Ready with image pull, as users feel it.",
    buckets=POD_START_BUCKETS,
    fold="cluster",
    bounds={"kind": "deployment, statefulset, daemonset, job, other"},
)
PODS_NEVER_READY = counter(
    "platform_pods_never_ready_total",
    "cluster kind",
    "Pods taken away that never became Ready, though they had a node for longer than a limit.",
    fold="cluster",
    bounds={"kind": "deployment, statefulset, daemonset, job, other"},
)
PODS_WAITING = gauge(
    "platform_pods_waiting",
    "cluster",
    "Pods that have had a node for longer than a limit while their containers have not all started.",
    fold="cluster",
)
CLUSTER_NODES = gauge(
    "platform_cluster_nodes", "cluster state", "Nodes by state: ready, not_ready, cordoned.", fold="cluster"
)
CLUSTER_API_REQUESTS = counter(
    "platform_cluster_api_requests_total",
    "cluster verb_class result",
    "Requests that the API server says it answered; bad is 5xx and 429, WATCH and CONNECT are left out.",
    fold="cluster",
    bounds={"result": "good, bad"},
)
CLUSTER_MEASURED = gauge(
    "platform_cluster_measured",
    "provider account region name version",
    "Clusters that a cloud lists: 1 where a source reads the cluster, 0 where none does.",
    fold="",
    bounds={
        "provider": "eks, gke",
        "account": "accounts and projects of the sources",
        "region": "regions of the sources",
        "name": "clusters of the account and region",
        "version": "1 per cluster",
    },
)

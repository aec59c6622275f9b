"""Tekton in the simulated company: the pipelines of those who train models, in a cluster of their own."""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter.demo.apis.api import SECRETS, DemoApi, Told
from platform_meter.demo.apis.kubernetes import kubeconfig
from platform_meter.demo.apis.tekton.routes import TOKEN, TektonApi
from platform_meter.demo.company.layout import TEAM_LABEL, Company

NAME = "tekton"
CLUSTER, KUBECONFIG = "ml", "kubeconfig-ml"


def told(_company: Company, urls: Mapping[str, str]) -> Told:
    """The cluster; whose each run is, its label says."""
    section = {
        "type": "tekton",
        "cluster": CLUSTER,
        "kubeconfig": f"{SECRETS}/{KUBECONFIG}",
        "context": CLUSTER,
        "labels": [TEAM_LABEL],
    }
    return Told(sources={NAME: section}, secrets={KUBECONFIG: kubeconfig({CLUSTER: urls[NAME]}, TOKEN)})


API = DemoApi(
    name="Tekton",
    instances=lambda _: (NAME,),
    app=lambda world, at: TektonApi(world, at.stop),
    threads=6,
    told=told,
)

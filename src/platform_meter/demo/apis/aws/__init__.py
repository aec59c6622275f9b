"""Amazon in the simulated company: an account with the API Gateway of those who build without servers, and CloudWatch."""

from __future__ import annotations

from collections.abc import Mapping

from platform_meter.demo.apis.api import DemoApi, Profile, Told
from platform_meter.demo.apis.aws.routes import KEY, SECRET, AwsApi, callers
from platform_meter.demo.company.gateways import AWS, served
from platform_meter.demo.company.layout import TEAM_LABEL, Company
from platform_meter.demo.company.scenarios import Scenario

NAME = "aws"
PROFILE = "platform-meter-demo"
"""No other configuration of AWS has one of this name: where the demo's own is not found, no account is entered."""


def told(company: Company, urls: Mapping[str, str]) -> Told:
    """The account, of whose past half a day is enough to look at; tags say whose an API is, and rules of which service it and each key is."""
    return Told(
        sources={
            AWS: {
                "type": "apigateway",
                "region": "eu-central-1",
                "profile": PROFILE,
                "tags": [TEAM_LABEL],
                "latency": True,
                "consumers": True,
                "plans": True,
                "history": "12h",
            }
        },
        profiles={PROFILE: Profile(url=urls[NAME], key=KEY, secret=SECRET)},
        rules=[
            {"match": f"apigateway:{AWS}/{route.name}/**", "service": route.service.id}
            for route in served(company, Scenario(), AWS)[1:]  # of the first its tag tells, and no service
            if route.service
        ]
        + [{"match": f"apigateway:{AWS}/{name}", "service": name} for name in callers(company)],
    )


API = DemoApi(
    name="AWS",
    instances=lambda _: (NAME,),
    app=lambda world, _: AwsApi(world),
    threads=3,
    told=told,
)

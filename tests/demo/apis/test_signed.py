"""Who asks Amazon's services signs with their key."""

from __future__ import annotations

from werkzeug.test import Client

from platform_meter.demo.apis.signed import SignedApi, refused
from platform_meter.demo.apis.wsgi import Reply, Request

SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIAONE/20261130/eu-central-1/eks/aws4_request, Signature=0"}


def _gone(request: Request) -> Reply:
    raise refused(410, "GoneException", f"{request.path} went away")


def test_only_the_known_key_is_answered() -> None:
    """Refusals name their code in a header and in the body: each client looks into one of the two."""
    client = Client(SignedApi("AKIAONE", {"GET /gone": _gone}))
    for headers, path, status, code in (
        ({}, "/gone", 403, "UnrecognizedClientException"),
        ({"Authorization": SIGNED["Authorization"].replace("ONE", "TWO")}, "/gone", 403, "UnrecognizedClientException"),
        (SIGNED, "/nowhere", 404, "NotFoundException"),
        (SIGNED, "/gone", 410, "GoneException"),
    ):
        reply = client.get(path, headers=headers)
        assert (reply.status_code, reply.headers["x-amzn-ErrorType"]) == (status, code)
        assert reply.json is not None
        assert reply.json["__type"] == code

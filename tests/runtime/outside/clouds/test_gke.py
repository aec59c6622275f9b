"""GKE by google-auth itself, against a server that speaks OAuth, metadata and container API as they are documented."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from tests.support.google import CLUSTER, Google, json_of
from tests.support.http import Certificate, Reply, Seen, serving
from tests.support.ways import Kit, Time, authorization, write

from platform_meter.model.source import Limited, Refused, Unexpected, Unreachable
from platform_meter.runtime.outside.clouds.google import SCOPES

OK = Reply(body=b"[1]")


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Google]:
    with serving() as server:
        yield Google(server, tmp_path)


@pytest.fixture
def now(kit: Kit) -> Time:
    """Ends of tokens are told by google-auth in its own time."""
    kit.time.now = datetime.now(UTC)  # noqa: TID251 - google-auth reads no other clock
    return kit.time


@pytest.mark.usefixtures("now")
def test_a_cluster_is_found_and_entered(kit: Kit, google: Google, certs: dict[str, Certificate]) -> None:
    """Address and authority are told by the container API, the token by OAuth for a key in a file."""
    with serving(certs["server"]) as server:
        server.on("/version", OK)
        google.put(server.url, certs["ca"].cert.read_bytes())
        assert kit.way(google.access()).get("/version", list[int]).body == [1]
        assert authorization(server) == ["Bearer token-1"]
    asked, looked = google.server.seen
    assert parse_qs(asked.body.decode())["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    claims = parse_qs(asked.body.decode())["assertion"][0].split(".")[1]
    claimed = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    assert (claimed["iss"], claimed["scope"]) == ("meter@acme.iam.gserviceaccount.com", " ".join(SCOPES))
    assert (looked.path, looked.headers["authorization"]) == (CLUSTER, "Bearer token-1")
    assert kit.outcomes == ["ok", "ok", "ok"]


def test_a_token_is_renewed_five_minutes_before_it_ends(
    kit: Kit, now: Time, google: Google, certs: dict[str, Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here with a key file from the environment."""
    with serving(certs["server"]) as server:
        server.on("/version", OK)
        google.put(server.url, certs["ca"].cert.read_bytes())
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", google.key_file)
        way = kit.way(google.access(key_file=""))
        for minutes in (0, 54, 2):
            now.pass_(minutes=minutes)
            way.get("/version", list[int])
        assert authorization(server) == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]


def test_a_token_that_ends_in_the_middle_of_a_list_loses_nothing(
    kit: Kit, now: Time, google: Google, certs: dict[str, Certificate]
) -> None:
    """The page is asked for once more with a new token; where that is refused too, the source is."""
    with serving(certs["server"]) as server:

        def page(seen: Seen) -> Reply:
            if seen.query == "continue=2" and seen.headers["authorization"] == "Bearer token-1":
                return Reply(401)
            return Reply(body=b"[2]" if seen.query else b"[1]")

        server.on("/pods", page)
        google.put(server.url, certs["ca"].cert.read_bytes())
        way = kit.way(google.access())
        rows = list(way.get("/pods", list[int]).body or [])
        now.pass_(minutes=5)
        rows += way.get("/pods", list[int], params={"continue": 2}).body or []
        assert rows == [1, 2]
        assert authorization(server) == ["Bearer token-1", "Bearer token-1", "Bearer token-2"]
        now.pass_(minutes=5)
        server.on("/pods", Reply(401))
        with pytest.raises(Refused, match="401"):
            way.get("/pods", list[int])
        assert authorization(server)[3:] == ["Bearer token-2", "Bearer token-3"]


@pytest.mark.usefixtures("now")
def test_each_endpoint_is_a_way(kit: Kit, google: Google, certs: dict[str, Certificate]) -> None:
    """Public, private and DNS; what the cluster does not have is told with what it has."""
    with serving(certs["server"]) as server:
        server.on("/version", OK)
        google.put(server.url, certs["ca"].cert.read_bytes())
        host = google.cluster.pop("endpoint")
        dead = "127.0.0.1:1"
        ips = {"publicEndpoint": host, "privateEndpoint": dead}
        google.cluster["controlPlaneEndpointsConfig"] = {"ipEndpointsConfig": ips}
        kit.way(google.access()).get("/version", list[int])
        ips |= {"publicEndpoint": dead, "privateEndpoint": host}
        kit.way(google.access(endpoint="private")).get("/version", list[int])
        google.cluster["controlPlaneEndpointsConfig"] = {}
        google.cluster["privateClusterConfig"] = {"privateEndpoint": host}
        kit.way(google.access(endpoint="private")).get("/version", list[int])
        with pytest.raises(
            Unexpected, match="of project acme is RUNNING and has no dns endpoint; write endpoint: private"
        ):
            kit.way(google.access(endpoint="dns")).get("/version", list[int])
        del google.cluster["privateClusterConfig"]
        with pytest.raises(Unexpected, match="has no public endpoint; wait until it is RUNNING"):
            kit.way(google.access()).get("/version", list[int])
        # Its certificate is of a public authority, which ours on loopback is not: the cluster's own does not count.
        google.cluster["controlPlaneEndpointsConfig"] = {"dnsEndpointConfig": {"endpoint": host}}
        with pytest.raises(Unreachable, match="the server's certificate is not trusted"):
            kit.way(google.access(endpoint="dns")).get("/version", list[int])
        assert len(server.seen) == 3


@pytest.mark.usefixtures("now")
def test_a_pod_is_somebody_by_workload_identity(
    kit: Kit, google: Google, certs: dict[str, Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The metadata server is found and asked; its calls are counted."""
    host = google.server.url.removeprefix("http://")
    monkeypatch.setenv("GCE_METADATA_IP", host)
    monkeypatch.setattr("google.auth.compute_engine._metadata._GCE_METADATA_HOST", host)
    account = {"email": "meter@acme.iam.gserviceaccount.com", "scopes": [], "aliases": ["default"]}
    flavor = {"Metadata-Flavor": "Google", "Content-Type": "application/json"}
    at = "/computeMetadata/v1/instance/service-accounts"
    google.server.on("/", Reply(headers=flavor))
    google.server.on("/computeMetadata/v1/project/project-id", Reply(headers={**flavor, "Content-Type": "text/plain"}))
    google.server.on(f"{at}/default/", Reply(headers=flavor, body=json_of(account)))
    token = {"access_token": "by-metadata", "expires_in": 3599, "token_type": "Bearer"}
    google.server.on(f"{at}/default/token", Reply(headers=flavor, body=json_of(token)))
    with serving(certs["server"]) as server:
        server.on("/version", OK)
        google.put(server.url, certs["ca"].cert.read_bytes())
        kit.way(google.access(key_file="")).get("/version", list[int])
        assert authorization(server) == ["Bearer by-metadata"]
    assert len(kit.outcomes) == len(google.server.seen) + 1


@pytest.mark.parametrize(
    ("path", "reply", "error", "says", "sent"),
    [
        (
            CLUSTER,
            Reply(403),
            Refused,
            (
                "GKE cluster prod in europe-west1 of project acme: the container API answered 403; grant our identity "
                "container.clusters.get (roles/container.clusterViewer) on the project, and enable the API there"
            ),
            2,
        ),
        (CLUSTER, Reply(404), Unexpected, "does not exist; correct project, location or name", 2),
        (CLUSTER, Reply(400), Unexpected, "the container API answered 400", 2),
        (CLUSTER, Reply(429), Limited, "429, too many calls", 2),
        (CLUSTER, Reply(503), Unreachable, "127.0.0.1 answered 503 Service Unavailable", 4),
        (CLUSTER, Reply(body=b"<html>"), Unexpected, "the container API's answer is no cluster", 2),
        (
            "/token",
            Reply(400, body=b'{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}'),
            Refused,
            "google-auth can't sign in (invalid_grant: Invalid JWT Signature.); name a key in key_file",
            1,
        ),
        ("/token", Reply(503), Unreachable, "127.0.0.1 answered 503 Service Unavailable", 3),
    ],
)
@pytest.mark.usefixtures("now")
def test_what_google_refuses_says_what_lacks(
    kit: Kit, google: Google, path: str, reply: Reply, error: type[Exception], says: str, sent: int
) -> None:
    """One of the declared errors, after at most three tries, each of them counted, without token or key."""
    google.server.on(path, reply)
    with pytest.raises(error) as caught:
        kit.way(google.access()).get("/version", list[int])
    assert says in str(caught.value)
    assert "token-1" not in str(caught.value)
    assert len(google.server.seen) == len(kit.outcomes) == sent


def test_nobody_is_told_so(kit: Kit, google: Google, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without credentials, with a file that is not there, and with one that is no key."""
    monkeypatch.setattr("google.auth.compute_engine._metadata._NO_GCE_CHECK", True)
    none = write(tmp_path / "none.json", '{"type": "service_account", "private_key": "s3cret-key"}')
    for key_file, says in (("", "default credentials were not found"), (none, "not in the expected format")):
        with pytest.raises(Refused) as caught:
            kit.way(google.access(key_file=key_file)).get("/version", list[int])
        assert "google-auth can't sign in (" in str(caught.value)
        assert says in str(caught.value)
        assert "s3cret-key" not in str(caught.value)
    with pytest.raises(Refused, match=r"can't sign in \(/does/not/exist: No such file or directory\)"):
        kit.way(google.access(key_file="/does/not/exist")).get("/version", list[int])


def test_a_metadata_server_that_is_not_there_is_nobody(
    kit: Kit, google: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    """google-auth looks for one on its own terms; each look is counted."""
    monkeypatch.setenv("GCE_METADATA_IP", "127.0.0.1:1")
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", kit.time.sleep)
    with pytest.raises(Refused, match="default credentials were not found"):
        kit.way(google.access(key_file="")).get("/version", list[int])
    assert kit.outcomes == ["error"] * 3


def test_without_the_extra_its_name_is_said(kit: Kit, google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    """google-auth is an extra."""
    monkeypatch.setitem(sys.modules, "google.auth.exceptions", None)
    with pytest.raises(Refused, match=r"GKE cluster prod .* needs google-auth: pip install platform-meter\[gcp\]"):
        kit.way(google.access()).get("/version", list[int])

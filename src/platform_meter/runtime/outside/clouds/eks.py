"""A cluster of Amazon EKS: found by eks:DescribeCluster, entered with a signed sts:GetCallerIdentity.

The token is that of aws-iam-authenticator (README, "API Authorization from Outside a Cluster"): a presigned URL that
names the cluster in a signed header. EKS takes it for 15 minutes.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from typing import Any

from platform_meter.model.access import Eks
from platform_meter.model.source import Unexpected
from platform_meter.runtime.outside.clouds.amazon import Amazon
from platform_meter.runtime.outside.clouds.calls import Calls
from platform_meter.runtime.outside.clouds.reader import Pass, Place

LIVES = timedelta(minutes=15)
"""How long EKS takes a token after it was signed, whatever the URL says of its own end."""
_URL_SECONDS = 60
"""The end that the URL itself names: the authenticator takes up to 15 minutes here too, and kubectl's plugin writes 60 s."""
_LACKS = {"DescribeCluster": "allow eks:DescribeCluster on this cluster to that identity"}


class EksCloud:
    """`Cloud` of one EKS cluster."""

    def __init__(self, credential: Eks, calls: Calls) -> None:
        self._eks = credential
        self._where = f"EKS cluster {credential.cluster} in {credential.region}"
        self._amazon = Amazon(credential, calls, where=self._where, lacks=_LACKS)

    @property
    def identity(self) -> tuple[str, ...]:
        return ("eks", self._eks.region, self._eks.cluster, self._eks.role, self._eks.profile)

    def sign_in(self, now: datetime) -> Pass:
        with self._amazon.told():
            self._amazon.sign_in()
            sts = self._amazon.client("sts")
            sts.meta.events.register("before-sign.sts.GetCallerIdentity", self._name_cluster)
            url = sts.generate_presigned_url("get_caller_identity", ExpiresIn=_URL_SECONDS, HttpMethod="GET")
        token = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
        return Pass(token=f"k8s-aws-v1.{token}", ends=now + LIVES)

    def place(self) -> Place:
        with self._amazon.told():
            found = self._amazon.client("eks").describe_cluster(name=self._eks.cluster)["cluster"]
        endpoint, authority = found.get("endpoint"), (found.get("certificateAuthority") or {}).get("data")
        if not endpoint or not authority:
            status = str(found.get("status") or "of unknown status")
            raise Unexpected(f"{self._where} is {status} and has no endpoint yet; wait until it is ACTIVE")
        try:
            return Place(base=endpoint.rstrip("/"), authority=base64.b64decode(authority, validate=True).decode())
        except (binascii.Error, UnicodeDecodeError):
            raise Unexpected(f"{self._where}: its certificate authority is no base64 of a PEM") from None

    def _name_cluster(self, request: Any, **_: Any) -> None:
        request.headers["x-k8s-aws-id"] = self._eks.cluster

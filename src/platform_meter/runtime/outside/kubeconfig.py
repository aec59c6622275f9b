"""A kubeconfig as a credential, read by the official client: tokens, client certificates, exec plugins, OIDC."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from platform_meter.model.access import Kubeconfig
from platform_meter.model.source import Refused
from platform_meter.runtime.outside.grants import Grant, fingerprint

_EARLY = timedelta(minutes=2)
"""A credential is replaced this long before it expires: longer than one request with its retries."""
_KEPT = timedelta(minutes=1)
"""Token files that the kubeconfig points to are looked at again after this long, as client-go does."""
_LOAD_SECONDS = 60.0
"""An exec plugin that has not answered by then (waits for a browser, hangs) counts as failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    grant: Grant
    at: datetime
    stamp: tuple[int, ...]
    expires: datetime | None
    plugin: bool


class KubeconfigReader:
    """What one context of a kubeconfig grants; the default file is `KUBECONFIG` or `~/.kube/config`."""

    def __init__(
        self,
        credential: Kubeconfig,
        *,
        headers: Mapping[str, str],
        clock: Callable[[], datetime],
        environ: Mapping[str, str],
    ) -> None:
        self._path = credential.path or environ.get("KUBECONFIG", "") or "~/.kube/config"
        self._paths = [Path(p).expanduser() for p in self._path.split(os.pathsep) if p]
        self._context, self._headers, self._clock = credential.context, dict(headers), clock
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None
        self._loading: threading.Thread | None = None

    def grant(self) -> Grant:
        """The context's address and credential; plugins run again shortly before what they gave expires."""
        with self._lock:
            now, stamp = self._clock(), self._stamp()
            held = self._loaded
            if held is None or held.stamp != stamp or self._outdated(held, now):
                held = self._loaded = self._load(now, stamp)
            return held.grant

    def renew(self, refused: Grant) -> bool:
        """Read all again, unless that was done within the last minute for this very grant."""
        with self._lock:
            if self._loaded is None or self._loaded.grant != refused:
                return True  # another thread was refused too, and saw to it
            if self._clock() - self._loaded.at < _KEPT:
                return False
            self._loaded = None
            return True

    def _stamp(self) -> tuple[int, ...]:
        found = tuple(p.stat().st_mtime_ns for p in self._paths if p.is_file())
        if not found:
            raise Refused(f"kubeconfig {self._path} does not exist; name another file or use in_cluster")
        return found

    @staticmethod
    def _outdated(held: _Loaded, now: datetime) -> bool:
        if held.expires is not None:
            return now >= held.expires - min(_EARLY, (held.expires - held.at) / 4)
        return not held.plugin and now - held.at >= _KEPT

    def _load(self, now: datetime, stamp: tuple[int, ...]) -> _Loaded:
        """Load on a thread of its own: the client waits for a plugin without end."""
        if self._loading is not None and self._loading.is_alive():
            raise Refused(
                f"the exec plugin of kubeconfig {self._path} still hangs; run it by hand to see what it waits for"
            )
        results: list[_Loaded | Refused] = []

        def work() -> None:
            try:
                results.append(self._read(now, stamp))
            except Refused as error:
                results.append(error)

        self._loading = threading.Thread(target=work, name="kubeconfig", daemon=True)
        self._loading.start()
        self._loading.join(_LOAD_SECONDS)
        if not results:
            raise Refused(
                f"kubeconfig {self._path}: its exec plugin gave no answer in {_LOAD_SECONDS:g} s; run it by hand to see why"
            )
        if isinstance(results[0], Refused):
            raise results[0]
        return results[0]

    def _read(self, now: datetime, stamp: tuple[int, ...]) -> _Loaded:
        try:
            from kubernetes.client import Configuration
            from kubernetes.config import kube_config
        except ImportError:
            raise Refused(
                "kubeconfig needs the official Kubernetes client: pip install platform-meter[kubernetes]"
            ) from None
        client: Any = kube_config  # its loader has no types
        where = f"kubeconfig {self._path}" + (f", context {self._context}" if self._context else "")
        try:
            config = client.KubeConfigMerger(self._path).config
            loader = client.KubeConfigLoader(
                config_dict=config, active_context=self._context or None, config_base_path=None
            )
            found = Configuration()
            loader.load_and_set(found)
            plugin = _has_plugin(config, self._context)
            token = str(found.api_key.get("BearerToken", ""))
            cert = (str(found.cert_file), str(found.key_file)) if found.cert_file and found.key_file else None
            # A plugin may sign a new token at each run; the breaker must still know it as the same credential.
            shown = (token, Path(cert[0]).read_text() if cert else "")
            identity = (self._path, self._context, str(stamp)) if plugin else shown
        except Exception as error:  # noqa: BLE001 - the client raises its own, yaml's, OS and key errors
            # Only the client's own texts are known to hold no secret.
            why = str(error) if type(error).__name__ == "ConfigException" else type(error).__name__
            raise Refused(f"{where} can't be used: {why}; check it with 'kubectl config view'") from None
        if found.verify_ssl is False:
            raise Refused(
                f"{where} sets insecure-skip-tls-verify; set certificate-authority-data instead, TLS is always verified"
            )
        if plugin and not token and cert is None:
            raise Refused(f"{where}: its exec plugin gave neither token nor certificate; the log says why")
        expires: datetime | None = getattr(loader, "expiry", None)
        secret = token.rpartition(" ")[2]
        return _Loaded(
            grant=Grant(
                base=str(found.host).rstrip("/"),
                headers={**self._headers, **({"Authorization": token} if token else {})},
                fingerprint=fingerprint(*identity) if token or cert else "",
                secrets=(secret,) if secret else (),
                verify=str(found.ssl_ca_cert) if found.ssl_ca_cert else True,
                cert=cert,
                server_name=str(found.tls_server_name or ""),
                proxy=str(getattr(loader, "proxy", "") or ""),
            ),
            at=now,
            stamp=stamp,
            expires=expires if expires is None or expires.tzinfo else expires.replace(tzinfo=UTC),
            plugin=plugin,
        )


def _has_plugin(config: Any, context: str) -> bool:
    """Whether the context's user gets its credential from an exec plugin. `config` is the client's ConfigNode."""
    chosen = config["contexts"].get_with_name(context or config["current-context"])["context"]
    if "user" not in chosen:
        return False
    user = config["users"].get_with_name(chosen["user"], safe=True)
    return user is not None and "exec" in user["user"]

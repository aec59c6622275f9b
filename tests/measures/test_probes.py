"""Measures of probes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.history import NOBODY, MemoryHistory, source

from platform_meter.measures import probes
from platform_meter.model.catalogue.probes import PROBE_CERTIFICATE_EXPIRY, PROBE_CHECKS, PROBE_DURATION
from platform_meter.model.definitions import Definitions
from platform_meter.model.facts import Fact, Ref
from platform_meter.model.facts.probes import ProbeCheck, ProbeResult, ServedCertificate
from platform_meter.model.history import Owner
from platform_meter.model.measure import Gauging, Scene
from platform_meter.model.metric import resolve
from platform_meter.testing import adds_up

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
OURS = source("ours", "probes", watermark=NOW)
REF = Ref(system="probes", kind="endpoint", id="portal")
CHECK = ProbeCheck(key="1", at=NOW, about=REF, target="portal", result=ProbeResult.TIMEOUT, seconds=10.0)


def certificate(target: str, days: int, instance: str = "ours") -> tuple[str, Owner, Fact]:
    ref = Ref(system="probes", kind="endpoint", id=target)
    return instance, NOBODY, ServedCertificate(about=ref, target=target, ends=NOW + timedelta(days=days))


def test_a_check_counts_by_target_and_result_and_observes_its_duration() -> None:
    """A timeout took as long as we waited."""
    found = [(i.metric, i.labels, i.amount) for i in probes.count_probe(CHECK, NOBODY, OURS)]
    assert found == [
        (PROBE_CHECKS, ("portal", "timeout"), 1.0),
        (PROBE_DURATION, ("portal",), 10.0),
    ]


def test_the_end_of_a_certificate_is_a_moment_and_the_first_of_two_counts() -> None:
    """In epoch seconds, also once it has passed; two sources that look at one target may be served two certificates."""
    told = [certificate("portal", 30), certificate("portal", 20, "other"), certificate("api", -1)]
    history = MemoryHistory(told, sources=(OURS, source("other", "prometheus", watermark=NOW)))
    scene = Scene(history=history, definitions=Definitions(), now=NOW)
    (gauge,) = (m for m in probes.MEASURES.standing if isinstance(m, Gauging))
    adds_up(gauge, scene)
    samples = list(gauge.compute(scene))
    assert [(s.metric, s.labels, resolve(s.value)) for s in samples] == [
        (PROBE_CERTIFICATE_EXPIRY, ("api",), 1_781_006_400.0),
        (PROBE_CERTIFICATE_EXPIRY, ("portal",), 1_782_820_800.0),
    ]


def test_what_a_stale_source_said_is_not_told() -> None:
    """The certificate may have been renewed since."""
    history = MemoryHistory(
        [certificate("portal", 30)], sources=(source("ours", "probes", watermark=NOW, fresh=False),)
    )
    assert list(probes.certificates(Scene(history=history, definitions=Definitions(), now=NOW))) == []

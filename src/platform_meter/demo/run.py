"""`platform-meter demo`: the simulated company in a process of its own, and the real exporter on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from platform_meter.demo.company import Company
from platform_meter.demo.files import write
from platform_meter.demo.server import DemoProcess, Options, start_process
from platform_meter.problems import render
from platform_meter.runtime.check import Examined, examine
from platform_meter.runtime.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A running company and the exporter's configuration for it."""

    company: DemoProcess
    layout: Company
    """The same company, as it was built."""
    found: Examined


def prepare(options: Options, folder: Path, listen: str, environ: Mapping[str, str], *, prometheus: str = "") -> Demo:
    """Start the company and write the files that measure it into `folder`.

    Args:
        options: what company.
        folder: made where it does not exist.
        listen: where the exporter is to.
        environ: variables that secrets may name.
        prometheus: address of a Prometheus that scrapes the company's services; empty: there is none.

    Raises:
        RuntimeError: the company did not start, or our own files have problems.
    """
    company = start_process(options)
    try:
        made = Company.build(options.seed, company.addresses.start, teams=options.teams, services=options.services)
        found = examine(write(folder, made, company.addresses, prometheus=prometheus), (), environ)
        _sound(found)
    except BaseException:
        company.stop()
        raise
    config = (found.config or Config()).model_copy(update={"listen": listen})
    return Demo(company=company, layout=made, found=replace(found, config=config))


def _sound(found: Examined) -> None:
    if found.problems:
        raise RuntimeError("the demo's own files have problems:\n" + "\n".join(render(p) for p in found.problems))

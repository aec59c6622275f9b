"""`platform-meter demo`: the simulated company in a process of its own, and the real exporter on it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from platform_meter.demo.apis.api import apis
from platform_meter.demo.company.layout import Company
from platform_meter.demo.stage.files import write
from platform_meter.demo.stage.server import DemoProcess, Options, start_process
from platform_meter.demo.stage.stack import DATA
from platform_meter.problems import render
from platform_meter.runtime.files.check import Examined, examine
from platform_meter.runtime.files.config import Config

COMPANY = "company"
"""File of the folder that says whose data the others are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A running company and the exporter's configuration for it."""

    company: DemoProcess
    layout: Company
    """The same company, as it was built."""
    found: Examined
    config: Path
    """The configuration that was written."""

    def again(self, environ: Mapping[str, str]) -> Examined:
        """What the files say now: people may have changed them. The address stays, since that of the file is not used."""
        found = examine(self.config, (), environ)
        listen = self.found.config.listen if self.found.config else ""
        config = found.config.model_copy(update={"listen": listen}) if found.config else None
        return replace(found, config=config)

    @property
    def apis(self) -> dict[str, list[str]]:
        """Where each simulated system answers, by its name."""
        urls = self.company.addresses.urls
        return {api.name: [urls[name] for name in api.instances(self.layout)] for api in apis()}


def prepare(options: Options, folder: Path, listen: str, environ: Mapping[str, str], *, prometheus: str = "") -> Demo:
    """Start the company and write the files that measure it into `folder`.

    Of an earlier demo in this folder the store goes, since this one's 90 days end today; its Prometheus data stay,
    unless they are another company's; and so does whatever else people put there.

    Args:
        options: what company.
        folder: made where it does not exist.
        listen: where the exporter is to.
        environ: variables that secrets may name.
        prometheus: address of a Prometheus that scrapes the company's services; empty: there is none.

    Raises:
        RuntimeError: the company did not start, or our own files have problems.
        OSError: the folder can't be used.
    """
    company = start_process(options)
    try:
        made = Company.build(options.seed, company.addresses.start, teams=options.teams, services=options.services)
        path = write(folder, made, company.addresses, prometheus=prometheus)
        found = examine(path, (), environ)
        config = _sound(found).model_copy(update={"listen": listen})
        _forget(folder, config, f"seed {options.seed}, {options.teams} teams, {options.services} services\n")
    except BaseException:
        company.stop()
        raise
    return Demo(company=company, layout=made, found=replace(found, config=config), config=path)


def _sound(found: Examined) -> Config:
    if found.problems or found.config is None:
        raise RuntimeError("the demo's own files have problems:\n" + "\n".join(render(p) for p in found.problems))
    return found.config


def _forget(folder: Path, config: Config, company: str) -> None:
    """Remove what an earlier demo measured, as far as it is not this company's past."""
    store = Path(config.store.url.removeprefix("sqlite:///"))
    for file in store.parent.glob(f"{store.name}*"):  # SQLite keeps a log and an index beside it
        file.unlink()
    said = folder / COMPANY
    if said.exists() and said.read_text("utf-8") != company:
        shutil.rmtree(folder / DATA, ignore_errors=True)
    said.write_text(company, encoding="utf-8")

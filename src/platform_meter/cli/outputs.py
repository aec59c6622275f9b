"""In which form `generate` writes rules, and for whom: files for Prometheus, or objects for Prometheus' operator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from platform_meter.cli.generated import AGAIN, Folder

if TYPE_CHECKING:
    from platform_meter.model.links import Links
    from platform_meter.render.artifact import Artifact
    from platform_meter.render.rules.text import Group
    from platform_meter.slo.plan import Plan

TESTS = "tests"
"""Folder beside objects, for the same rules as Prometheus loads them and their tests: promtool reads no objects, and what
applies a folder of objects does not go deeper by itself."""


_OF_NO_SLO = "platform-meter.alerts"
"""The object of the meter's own alerts: no service has a dot in its name."""


class Form(StrEnum):
    """In which form rules are written."""

    PROMETHEUS = "prometheus"
    OBJECTS = "prometheusrule"


class _Label(click.ParamType[tuple[str, str]]):
    """A label of an object: KEY=VALUE."""

    name = "KEY=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        from platform_meter.render.rules.objects import label_problem

        key, equals, text = value.partition("=")
        if not equals:
            self.fail(f"'{value}' is no label; write KEY=VALUE, such as release=kube-prometheus-stack", param, ctx)
        if said := label_problem(key, text):
            self.fail(said, param, ctx)
        return key, text


def _namespace(_ctx: click.Context, _param: click.Parameter, namespace: str) -> str:
    from platform_meter.render.rules.objects import namespace_problem

    if namespace and (said := namespace_problem(namespace)):
        raise click.BadParameter(said)
    return namespace


form_option = click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in Form]),
    default=Form.PROMETHEUS.value,
    show_default=True,
    help="Rules as files of Prometheus, or as PrometheusRule objects of its operator, with the files and their tests in a "
    f"folder `{TESTS}` beside them.",
)
namespace_option = click.option(
    "--namespace",
    default="",
    callback=_namespace,
    help="Namespace of every PrometheusRule; without it that is left to whoever applies them.",
)
label_option = click.option(
    "--label",
    "labels",
    type=_Label(),
    multiple=True,
    help="Label of every PrometheusRule, by which a Prometheus may choose them; may stand several times.",
)

sloth_option = click.option(
    "--sloth-series",
    is_flag=True,
    help="Record each SLO under the names of Sloth too, for dashboards that were made for it.",
)


@dataclass(frozen=True, kw_only=True)
class Output:
    """How rules are written."""

    form: Form
    namespace: str = ""
    labels: Mapping[str, str]
    sloth: bool = False
    """Whether SLOs are recorded under the names of Sloth too."""

    @classmethod
    def asked(cls, form: str, namespace: str, labels: Iterable[tuple[str, str]], *, sloth: bool) -> Output:
        """What the options say.

        Raises:
            click.UsageError: options of objects without objects, or one label twice.
        """
        pairs = tuple(labels)
        if form != Form.OBJECTS and (namespace or pairs):
            asked = "--namespace" if namespace else "--label"
            raise click.UsageError(f"{asked} is of PrometheusRule objects; write --format {Form.OBJECTS} with it")
        if twice := {key for key, _ in pairs if [k for k, _ in pairs].count(key) > 1}:
            raise click.UsageError(f"--label {min(twice)}= stands twice; write it once")
        return cls(form=Form(form), namespace=namespace, labels=dict(pairs), sloth=sloth)

    @property
    def again(self) -> str:
        """The command that writes it."""
        return " ".join([AGAIN, *self._words()])

    def folders(self, rules: Path, made: Made) -> list[Folder]:
        """The folders of rules and of their tests."""
        if self.form is Form.PROMETHEUS:
            return [self._folder(rules, made.files())]
        return [self._folder(rules, self._objects(made)), self._folder(rules / TESTS, made.files())]

    def _folder(self, path: Path, artifacts: Iterable[Artifact]) -> Folder:
        elsewhere = "another folder with --rules"
        return Folder(path=path, elsewhere=elsewhere, suffix=".yml", artifacts=artifacts, again=self.again)

    def _objects(self, made: Made) -> Iterator[Artifact]:
        from platform_meter.render.artifact import Artifact
        from platform_meter.render.rules.meter_alerts import NAME
        from platform_meter.render.rules.objects import prometheus_rule_text

        for name, groups in made.services():
            called = _OF_NO_SLO if name == NAME else name
            text = prometheus_rule_text(groups, name=called, namespace=self.namespace, labels=self.labels)
            yield Artifact(path=f"{name}.rules.yml", text=text)

    def _words(self) -> Iterator[str]:
        """The options, as they are written."""
        if self.form is not Form.PROMETHEUS:
            yield f"--format {self.form}"
        if self.namespace:
            yield f"--namespace {self.namespace}"
        for key, value in self.labels.items():
            yield f"--label {key}={value}"
        if self.sloth:
            yield "--sloth-series"


class Made:
    """All that is made of plans for Prometheus, and how many rules there were in its files."""

    def __init__(self, plans: Iterable[Plan], links: Links, *, sloth: bool = False) -> None:
        self.rules = 0
        self._links, self._sloth = links, sloth
        self._plans: dict[str, list[Plan]] = {}
        for plan in sorted(plans, key=lambda p: (p.service, p.slo)):
            self._plans.setdefault(plan.service, []).append(plan)

    def services(self) -> Iterator[tuple[str, list[Group]]]:
        """The groups of every service, and last those of no SLO, each under the name of its file."""
        return ((name, shown) for name, shown, _ in self._services())

    def files(self) -> Iterator[Artifact]:
        """Rule files and their tests, service by service."""
        from platform_meter.render.rules import rule_file
        from platform_meter.render.rules.promtool import rule_tests
        from platform_meter.render.rules.promtool.meter_alerts import meter_alert_tests

        for name, shown, plain in self._services():
            artifact = rule_file(name, shown)
            self.rules += count_rules(artifact.text)
            yield artifact
            yield from rule_tests(self._plans.get(name, ()), plain)
        yield meter_alert_tests()

    def _services(self) -> Iterator[tuple[str, list[Group], Mapping[str, tuple[Group, ...]]]]:
        """The name of each file, its groups, and by SLO those that are tested."""
        from platform_meter.render.rules import groups
        from platform_meter.render.rules.meter_alerts import NAME, meter_group
        from platform_meter.render.rules.sloth import sloth_groups

        for service, those in self._plans.items():
            plain = {plan.slo: groups(plan) for plan in those}
            shown = {plan.slo: sloth_groups(plan) for plan in those} if self._sloth else plain
            yield service, [group for of_slo in shown.values() for group in of_slo], plain
        yield NAME, [meter_group(self._links)], {}


def count_rules(text: str) -> int:
    """Rules in one generated file, as promtool counts them."""
    return sum(text.count(f"\n  - {kind}: ") for kind in ("record", "alert"))

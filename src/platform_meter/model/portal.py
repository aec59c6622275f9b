"""Rule 2 of the ownership join: a portal entry's annotations tie other systems' objects to it (domain section 3).

Annotations are Backstage's "well-known" ones, plus those of its plugins for Jenkins, Argo CD, PagerDuty and SonarQube.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from platform_meter.model.facts import Ref
from platform_meter.model.facts.portal import CatalogEntity

KUBERNETES_ID = "backstage.io/kubernetes-id"
_KUBERNETES_NAMESPACE = "backstage.io/kubernetes-namespace"
_KUBERNETES_SELECTOR = "backstage.io/kubernetes-label-selector"
_ARGO_SELECTOR = "argocd/app-selector"
_JIRA_PROJECT, _JIRA_COMPONENT = "jira/project-key", "jira/component"
_BY_NAME = {
    "github.com/project-slug": "github",
    "gitlab.com/project-slug": "gitlab",
    "jenkins.io/job-full-name": "jenkins",
    "argocd/app-name": "argocd",
    "pagerduty.com/service-id": "pagerduty",
    "pagerduty.com/integration-key": "pagerduty",
    "backstage.io/source-location": "",
    "sonarqube.org/project-key": "sonarqube",
}
"""Annotations that name objects outright, and the system these are in."""
_REPOSITORIES = ("github.com/project-slug", "gitlab.com/project-slug", "backstage.io/source-location")
ANNOTATIONS = frozenset(
    {
        *_BY_NAME,
        KUBERNETES_ID,
        _KUBERNETES_NAMESPACE,
        _KUBERNETES_SELECTOR,
        _ARGO_SELECTOR,
        _JIRA_PROJECT,
        _JIRA_COMPONENT,
    }
)
"""All that are asked; a source need not tell of others."""

Hit = tuple[str, CatalogEntity]
"""The annotation as written, and the entry that carries it; empty for the entry itself."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One part of a Kubernetes label selector: the label is (not) one of `values`; without values, is (not) there."""

    label: str
    values: frozenset[str]
    negative: bool = False

    def holds(self, labels: Mapping[str, str]) -> bool:
        there = self.label in labels and (not self.values or labels[self.label] in self.values)
        return there != self.negative


@dataclass(frozen=True, slots=True)
class _Selection:
    """Objects of one kind of system that an entry claims by labels, namespace or both."""

    hit: Hit
    requirements: tuple[Requirement, ...] = ()
    namespace: str = ""

    def holds(self, labels: Mapping[str, str], namespace: str) -> bool:
        return (not self.namespace or self.namespace == namespace) and all(r.holds(labels) for r in self.requirements)


@dataclass(frozen=True, slots=True)
class Portal:
    """Entries by what their annotations name."""

    by_name: Mapping[str, Sequence[Hit]]
    """By `system:id` or `instance:id`, in lower case."""
    by_label: Mapping[tuple[str, str, str], Sequence[_Selection]]
    """By system and one label that must have one value."""
    by_namespace: Mapping[str, Sequence[_Selection]]
    rest: Mapping[str, Sequence[_Selection]]
    """By system: selectors that ask no label to have a certain value."""
    by_project: Mapping[str, Sequence[tuple[str, Hit]]]
    """By Jira project: component ("" for the whole project) and entry."""

    @classmethod
    def build(cls, entities: Iterable[CatalogEntity]) -> Portal:
        by_name: dict[str, list[Hit]] = {}
        by_label: dict[tuple[str, str, str], list[_Selection]] = {}
        by_namespace: dict[str, list[_Selection]] = {}
        rest: dict[str, list[_Selection]] = {}
        by_project: dict[str, list[tuple[str, Hit]]] = {}
        rows = [(e, dict(e.annotations)) for e in entities]
        for annotation in _BY_NAME:
            for entity, notes in rows:
                for name in _names(annotation, notes.get(annotation, "")):
                    by_name.setdefault(name.lower(), []).append((f"{annotation}={notes[annotation]}", entity))
        for entity, notes in rows:
            by_name.setdefault(entity.about.name.lower(), []).append(("", entity))
            for system, selection in _selections(entity, notes):
                one = next((r for r in selection.requirements if len(r.values) == 1 and not r.negative), None)
                if one:
                    by_label.setdefault((system, one.label, min(one.values)), []).append(selection)
                elif selection.requirements:
                    rest.setdefault(system, []).append(selection)
                else:
                    by_namespace.setdefault(selection.namespace, []).append(selection)
            if project := notes.get(_JIRA_PROJECT):
                component = notes.get(_JIRA_COMPONENT, "")
                receipt = f"{_JIRA_PROJECT}={project}" + (f" {_JIRA_COMPONENT}={component}" if component else "")
                key = project.rpartition("/")[2].upper()
                by_project.setdefault(key, []).append((component.lower(), (receipt, entity)))
        return cls(by_name, by_label, by_namespace, rest, by_project)

    def find(self, ref: Ref, instance: str) -> Iterator[Hit]:
        """Entries that claim the object: by name, by labels, by namespace, by project; in a fixed order."""
        ids = dict.fromkeys((ref.id, ref.id.rpartition("/")[2]) if ref.system == "argocd" else (ref.id,))
        for scope in dict.fromkeys((instance, ref.system)):
            for id_ in ids:
                yield from self.by_name.get(f"{scope}:{id_}".lower(), ())
        if ref.system in ("kubernetes", "argocd"):
            yield from self._selected(ref)
        if ref.system == "jira":
            yield from self._of_project(ref)

    def _selected(self, ref: Ref) -> Iterator[Hit]:
        labels, namespace = dict(ref.labels), _namespace(ref)
        candidates = [s for pair in labels.items() for s in self.by_label.get((ref.system, *pair), ())]
        candidates += self.rest.get(ref.system, ())
        if namespace:
            candidates += self.by_namespace.get(namespace, ())
        yield from (s.hit for s in candidates if s.holds(labels, namespace))

    def _of_project(self, ref: Ref) -> Iterator[Hit]:
        """Jira ids are `PLAT`, `PLAT/component` or `PLAT-12`; a component's entry comes before the project's."""
        project = re.split(r"[/-]", ref.id, maxsplit=1)[0].upper()
        components = {v.lower() for k, v in ref.labels if k == "component"} | {ref.id.partition("/")[2].lower()} - {""}
        claims = self.by_project.get(project, ())
        yield from (hit for component, hit in claims if component and component in components)
        yield from (hit for component, hit in claims if not component)


def repositories(entity: CatalogEntity) -> frozenset[str]:
    """Repositories that an entry names, as their own sources name them (`github:acme/shop`)."""
    notes = dict(entity.annotations)
    return frozenset(name for annotation in _REPOSITORIES for name in _names(annotation, notes.get(annotation, "")))


def _names(annotation: str, value: str) -> Iterator[str]:
    """The objects that an annotation names, as `system:id` or `instance:id`."""
    system = _BY_NAME[annotation]
    if annotation == "backstage.io/source-location":
        yield from _repository(value)
        return
    for part in (p.strip() for p in value.split(",")):
        scope, colon, id_ = part.partition(":")
        if annotation == "sonarqube.org/project-key" and "/" in part:
            scope, colon, id_ = part.partition("/")
        if annotation in ("jenkins.io/job-full-name", "sonarqube.org/project-key") and colon:
            yield f"{scope}:{id_}"
        elif part:
            yield f"{system}:{part}"


def _repository(location: str) -> Iterator[str]:
    """`url:https://github.com/acme/payments/tree/main/` is `github:acme/payments`; GitLab's groups may be deep."""
    url = urlsplit(location.removeprefix("url:"))
    path = url.path.strip("/")
    if "gitlab" in url.netloc:
        path = re.split(r"/(?:-/)?(?:tree|blob)/|/-/", path)[0]
        system = "gitlab"
    else:
        path, system = "/".join(path.split("/")[:2]), "github"
    if url.scheme in ("http", "https") and "/" in path:
        yield f"{system}:{path.removesuffix('.git')}"


def _selections(entity: CatalogEntity, notes: Mapping[str, str]) -> Iterator[tuple[str, _Selection]]:
    """What an entry claims in clusters (a selector stands above an id, both within the namespace) and in Argo CD."""
    namespace = notes.get(_KUBERNETES_NAMESPACE, "")
    for annotation, system in ((_KUBERNETES_SELECTOR, "kubernetes"), (_ARGO_SELECTOR, "argocd")):
        requirements = parse_selector(notes.get(annotation, ""))
        if requirements:
            hit = (f"{annotation}={notes[annotation]}", entity)
            yield system, _Selection(hit, requirements, namespace if system == "kubernetes" else "")
    if parse_selector(notes.get(_KUBERNETES_SELECTOR, "")):
        return
    if id_ := notes.get(KUBERNETES_ID):
        requirement = Requirement(KUBERNETES_ID, frozenset({id_}))
        yield "kubernetes", _Selection((f"{KUBERNETES_ID}={id_}", entity), (requirement,), namespace)
    elif namespace:
        yield "kubernetes", _Selection((f"{_KUBERNETES_NAMESPACE}={namespace}", entity), (), namespace)


_SET = re.compile(r"(\S+)\s+(in|notin)\s*\(([^)]*)\)")
_EQUAL = re.compile(r"([^\s!=]+)\s*(==|=|!=)\s*(\S*)")
_THERE = re.compile(r"(!?)\s*([^\s!=()]+)")


def parse_selector(text: str) -> tuple[Requirement, ...]:
    """A Kubernetes label selector: `app=pay,tier in (web, api),!canary`. Empty where the text is none: it then selects nothing."""
    found: list[Requirement] = []
    for part in (p.strip() for p in re.split(r",(?![^(]*\))", text) if p.strip()):
        if match := _SET.fullmatch(part):
            values = frozenset(v.strip() for v in match[3].split(","))
            found.append(Requirement(match[1], values, negative=match[2] == "notin"))
        elif match := _EQUAL.fullmatch(part):
            found.append(Requirement(match[1], frozenset({match[3]}), negative=match[2] == "!="))
        elif match := _THERE.fullmatch(part):
            found.append(Requirement(match[2], frozenset(), negative=bool(match[1])))
        else:
            return ()
    return tuple(found)


def _namespace(ref: Ref) -> str:
    """The namespace in `cluster/namespace/...`; empty for what is in none."""
    if ref.system != "kubernetes" or ref.kind in ("node", "cluster"):
        return ""
    _, _, rest = ref.id.partition("/")
    return rest.partition("/")[0]

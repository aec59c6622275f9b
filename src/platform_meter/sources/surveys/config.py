"""What a Survey file makes of itself for its source: where answers stand, and which cells of them are read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from platform_meter.model.access import Access, Secret, Token
from platform_meter.model.definitions import Definitions, Survey
from platform_meter.model.scalars import Address, LocalPath, Period, Zone
from platform_meter.model.source import SourceConfig

SYSTEM = "surveys"


class Config(SourceConfig):
    """Settings of one survey. Nobody writes them: they are made of its file."""

    every: Period = timedelta(minutes=5)
    history: Period = timedelta(days=400)
    survey: str
    """Id of the survey."""
    shape: Literal["csv", "http_json", "google_forms", "typeform", "form"]
    """How its answers come; those of a form come by themselves."""
    path: LocalPath | None = None
    """File with the answers."""
    url: Address | None = None
    """Address of the answers."""
    token: Secret | None = None
    """Bearer token for it."""
    params: Mapping[str, str] = {}
    """Sent behind it."""
    items: str = ""
    """Key under which the list of answers stands there."""
    invited: LocalPath | None = None
    """File of those who were asked."""
    zone: Zone = "UTC"
    """Of moments that name none."""
    format: str = ""
    """Of moments, as `strptime` has it."""
    respondent: str = "email"
    """Field that names the person."""
    at: str = "submitted_at"
    """Field of the moment."""
    team: str = "team"
    """Field of the team."""
    persona: str = "persona"
    """Field of the persona."""
    fields: Mapping[str, tuple[int, int]]
    """Lowest and highest answer of each field that is read."""
    themes: Mapping[str, Mapping[str, str]] = {}
    """By field in which themes are chosen, what each answer that may be given is kept as."""

    @property
    def access(self) -> Access:
        parts = urlsplit(self.url or "")
        host = f"{parts.scheme}://{parts.netloc}" if self.url else ""
        return Access(url=host, credential=None if self.token is None else Token(secret=self.token))


def declared(definitions: Definitions) -> Mapping[str, Config]:
    """Settings of every survey whose answers this source reads, by the name of its instance."""
    return {survey.instance: _settings(survey) for survey in definitions.surveys if survey.source.type != "tickets"}


def _settings(survey: Survey) -> Config:
    source = survey.source
    # The file's paths are relative to it no more, so that none is looked for beside another file.
    return Config.model_construct(
        survey=survey.id,
        shape=source.type,
        path=source.path,
        url=source.url,
        token=source.token,
        params=source.params,
        items=source.items,
        invited=source.invited,
        zone=source.zone,
        format=source.format,
        respondent=survey.respondent,
        at=survey.at,
        team=survey.team,
        persona=survey.persona,
        fields={name: q.bounds for q in survey.questions if q.scored for name in q.names},
        themes={q.field or q.id: q.options for q in survey.questions if q.themes},
    )

"""The simulated company as it is laid out: teams, services, repositories and who uses what from when to when.

Everything follows from a seed and the moment at which live time starts; nothing here reads the clock. Names are
made-up words, people are handles such as `u-1a2b`: nobody's name can come out of here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

from platform_meter.demo.company.days import ZONE
from platform_meter.model.metric import UNOWNED

ORG = "acme"
TEAM_LABEL = "acme.test/team"
"""By it a workload says whose it is."""
HISTORY_DAYS = 90
BAD_WEEK = range(51, 56)
"""Days since the history's start on which the runners, the clusters and the help desk had a hard time."""
BAD_RELEASES = range(66, 73)
"""Days on which a few teams released in a hurry, and much of it went wrong."""
FOREVER = 1_000_000

Spans = tuple[tuple[int, int], ...]
"""Half-open ranges of days since the history's start in which something was used."""

_ONSETS = (*"bdfgklmnprstvz", "br", "dr", "gr", "kl", "kr", "pl", "tr", "st")
_VOWELS = tuple("aeiou")
_CODAS = ("", "l", "n", "r", "s")
_MIDDLES = ("zw", "vr", "kn", "gl", "pf", "dw", "skr", "zl")
_ENDS = ("k", "x", "m", "t", "b", "v")
_ORGS = ("shop", "logistics", "data", "mobile", "core")
_PERSONAS = ("app-developer", "data-engineer", "mobile-developer", "service-owner")
_SUFFIXES = ("api", "worker", "web", "batch", "sync", "gateway", "feed", "search")
CODEOWNERS = (".github/CODEOWNERS", "docs/CODEOWNERS", "CODEOWNERS")
"""Where the file may stand."""
TRIALS = tuple(
    (timedelta(days=days, minutes=minutes), template)
    for days, minutes, template in (
        (89, 1415, "new-service"),
        (75, 0, "new-service"),
        (40, 0, ""),
        (21, 0, "new-service"),
        (15, 0, "new-library"),
        (9, 0, ""),
        (3, 0, "new-service"),
    )
)
"""The newest repositories: their ages as live time begins, and by which template they were made."""
CI, DELIVERY, RUNTIME, SUPPORT = "platform-ci", "platform-delivery", "platform-runtime", "platform-support"
PLATFORM_TEAMS = (CI, DELIVERY, RUNTIME, SUPPORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    id: str
    org: str
    persona: str
    people: tuple[str, ...]
    support: Spans
    """When it asked the help desk."""
    until: int = FOREVER
    """The day from which the team uses the platform no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One deployable. The spans say when it used which part of the platform."""

    id: str
    team: str
    system: str
    tier: str
    lifecycle: str
    type: str
    ci: Spans
    delivery: Spans
    kubernetes: Spans
    regions: tuple[str, ...]
    weight: float
    """How busy it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repo:
    """One repository. Sandboxes have no `service`; `team` is `_unowned` where nothing says whose it is.

    Of the sandboxes in use, one in three has an owner by its CODEOWNERS file alone, and one by who may maintain it.
    """

    name: str
    id: int
    service: Service | None
    team: str
    created: datetime
    archived: bool
    pool: str
    codeowners: str = ""
    """Where its CODEOWNERS file stands, which names its team; empty without one."""
    maintained: bool = False
    """Whether its team may maintain it; no other may."""
    trial: bool = False
    """One of the newest, in which nothing happens yet."""
    template: str = ""
    """The portal's template that made it; empty for one that somebody made by hand."""

    @property
    def full_name(self) -> str:
        return f"{ORG}/{self.name}"

    @property
    def owner(self) -> tuple[str, str]:
        """(service, team) as the meter must find them."""
        return (self.service.id if self.service else UNOWNED), self.team


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    name: str
    nodes: tuple[str, ...]
    cordoned: frozenset[str]
    version: str


def mail(person: str) -> str:
    """The address of somebody; all systems have the same one."""
    return f"{person}@acme.example"


def active(spans: Spans, day: int) -> bool:
    return any(start <= day < end for start, end in spans)


@dataclass(frozen=True, kw_only=True)
class Company:
    """The layout. `start` is where live time begins; the history is the `HISTORY_DAYS` days before."""

    seed: int
    start: datetime
    teams: tuple[Team, ...]
    services: tuple[Service, ...]
    repos: tuple[Repo, ...]
    clusters: tuple[Cluster, ...]

    @classmethod
    def build(cls, seed: int, start: datetime, *, teams: int = 40, services: int = 300) -> Company:
        """The company of this seed.

        Raises:
            ValueError: a naive `start`, fewer than 8 teams or fewer services than teams.
        """
        if start.tzinfo is None:
            raise ValueError(f"start={start} has no zone; give it one, such as +00:00")
        if teams < 2 * len(PLATFORM_TEAMS) or services < teams:
            raise ValueError(f"a company needs 8 teams or more, and a service for each; got {teams} and {services}")
        live = start.astimezone(UTC).replace(microsecond=0)
        rng = random.Random(f"company/{seed}")
        words = _words(rng)
        people = _handles(rng)
        squads = tuple(_team(rng, i, teams, words, people) for i in range(teams))
        deployables = tuple(_service(rng, i, squads, words) for i in range(services))
        begin = datetime.combine(start.date() - timedelta(days=700), time(9), tzinfo=UTC)
        return cls(
            seed=seed,
            start=live,
            teams=squads,
            services=deployables,
            repos=(*_repos(rng, deployables, begin), *_trials(squads, live, services)),
            clusters=(_cluster("eu", 12, "v1.31.4"), _cluster("us", 8, "v1.30.8")),
        )

    @cached_property
    def epoch(self) -> date:
        """The local day on which the history begins; days are counted from here."""
        return self.start.astimezone(ZONE).date() - timedelta(days=HISTORY_DAYS)

    def day(self, at: datetime) -> int:
        """The number of the local day of `at` since `epoch`."""
        return (at.astimezone(ZONE).date() - self.epoch).days

    @cached_property
    def served_orgs(self) -> list[str]:
        """Organizations whose teams the platform is for: all but its own."""
        return sorted({team.org for team in self.teams} - {"platform"})

    @cached_property
    def team(self) -> dict[str, Team]:
        return {team.id: team for team in self.teams}

    @cached_property
    def repo(self) -> dict[str, Repo]:
        return {repo.name: repo for repo in self.repos}


def _words(rng: random.Random) -> list[str]:
    """Made-up words, none twice; the cluster in the middle keeps them from being anybody's name."""
    found: dict[str, None] = {}
    while len(found) < 1000:
        first = rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS)
        found[first + rng.choice(_MIDDLES) + rng.choice(_VOWELS) + rng.choice(_ENDS)] = None
    return list(found)


def _handles(rng: random.Random) -> list[str]:
    return [f"u-{n:04x}" for n in rng.sample(range(0x10000), 1000)]


def _team(rng: random.Random, index: int, count: int, words: list[str], people: list[str]) -> Team:
    platform = index < len(PLATFORM_TEAMS)
    until = 20 if index == count - 1 else 45 if index == count - 2 else FOREVER
    return Team(
        id=PLATFORM_TEAMS[index] if platform else f"team-{words.pop()}",
        org="platform" if platform else _ORGS[index % len(_ORGS)],
        persona="platform-engineer" if platform else rng.choice(_PERSONAS),
        people=tuple(people.pop() for _ in range(rng.randint(3, 9))),
        support=() if platform else _cut(_spans(rng, 0.72, 0.15, 0.15), until),
        until=until,
    )


def _cut(spans: Spans, until: int) -> Spans:
    return tuple((a, min(b, until)) for a, b in spans if a < until)


def _spans(rng: random.Random, before: float, during: float, leaving: float) -> Spans:
    """Use since before the history (share `before`), begun in it (`during`), or never; `leaving` of the first stop."""
    draw = rng.random()
    if draw < before:
        if rng.random() >= leaving:
            return ((-FOREVER, FOREVER),)
        stop = rng.randint(12, 66)
        return ((-FOREVER, stop), (stop + 20, FOREVER)) if rng.random() < 0.4 else ((-FOREVER, stop),)
    if draw < before + during:
        return ((rng.randint(4, HISTORY_DAYS - 3), FOREVER),)
    return ()


def _service(rng: random.Random, index: int, teams: tuple[Team, ...], words: list[str]) -> Service:
    team = teams[index] if index < len(teams) else rng.choice(teams)
    kind = rng.choices(("service", "website", "library"), (80, 8, 12))[0]
    suffix = {"library": "lib", "website": "site"}.get(kind) or rng.choice(_SUFFIXES)
    lifecycle = rng.choices(("production", "experimental", "deprecated"), (86, 8, 6))[0]
    platform = team.org == "platform"
    ci = ((-FOREVER, FOREVER),) if platform else _spans(rng, 0.78, 0.12, 0.12)
    deploys = kind != "library" and bool(ci)
    delivery = _spans(rng, 0.5, 0.22, 0.12) if deploys else ()
    kubernetes = _spans(rng, 0.62, 0.26, 0.06) if delivery else ()
    return Service(
        id=f"{words.pop()}-{suffix}",
        team=team.id,
        system=f"{team.org}-{rng.choice(('edge', 'back', 'flow'))}",
        tier=rng.choices(("tier-1", "tier-2", "tier-3"), (15, 45, 40))[0],
        lifecycle=lifecycle,
        type=kind,
        ci=_cut(ci, team.until),
        delivery=_cut(delivery, team.until),
        kubernetes=_cut(kubernetes, team.until),
        regions=("eu", "us") if rng.random() < 0.35 else ("eu",),
        weight=rng.lognormvariate(0, 0.8) if index else 42.0,  # one repository has more runs than a search may list
    )


def _repos(rng: random.Random, services: tuple[Service, ...], begin: datetime) -> tuple[Repo, ...]:
    found = []
    for index, service in enumerate((*services, *(None,) * 8)):
        number = index - len(services)
        by_file, by_rights = (service is None and index % 4 == remainder for remainder in (0, 1))
        other = services[(len(PLATFORM_TEAMS) + number) % len(services)].team
        found.append(
            Repo(
                name=service.id if service else f"sandbox-{number + 1}",
                id=700_000_000 + index * 37,
                service=service,
                team=service.team if service else other if by_file or by_rights else UNOWNED,
                created=begin + timedelta(days=rng.randrange(560), seconds=rng.randrange(28_800)),
                archived=service is None and index % 4 == 3,
                pool=rng.choices(("linux-small", "linux-large", "linux-arm"), (70, 22, 8))[0],
                codeowners=CODEOWNERS[index // 4 % 3] if by_file or (service and index % 3) else "",
                maintained=by_rights,
            )
        )
    return tuple(found)


def _trials(teams: tuple[Team, ...], start: datetime, services: int) -> Iterator[Repo]:
    """What teams began of late, most of it by a template. The first one is 90 days old soon after live time begins."""
    for number, (age, template) in enumerate(TRIALS):
        yield Repo(
            name=f"trial-{number + 1}",
            id=690_000_000 + services + number,
            service=None,
            team=teams[(len(PLATFORM_TEAMS) + 3 * number) % len(teams)].id,
            created=start - age,
            archived=False,
            pool="linux-small",
            codeowners=CODEOWNERS[0] if template else "",
            maintained=not template,
            trial=True,
            template=template,
        )


def _cluster(name: str, nodes: int, version: str) -> Cluster:
    names = tuple(f"{name}-node-{n:02d}" for n in range(1, nodes + 1))
    return Cluster(name=name, nodes=names, cordoned=frozenset(names[-1:]), version=version)

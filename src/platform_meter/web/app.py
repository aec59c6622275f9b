"""The WSGI application: `/metrics`, the pages, and the endpoints that operators and probes ask."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import jinja2
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from platform_meter import __version__
from platform_meter.runtime.access.addresses import is_loopback
from platform_meter.runtime.access.doors import Doors
from platform_meter.runtime.access.roles import Role
from platform_meter.runtime.forms import Forms
from platform_meter.runtime.push import Inbox
from platform_meter.runtime.tick.exposition import Exposition
from platform_meter.web import pages as page_folders
from platform_meter.web.charts import draw, legend
from platform_meter.web.forms import Answering
from platform_meter.web.pages import pages
from platform_meter.web.push import Pushing
from platform_meter.web.view import Banner, Health, View, hours, percent, span, whole

log = logging.getLogger(__name__)

_STATIC = {
    "meter.css": "text/css; charset=utf-8",
    "survey.css": "text/css; charset=utf-8",
    "meter.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_OPEN: Mapping[str, Role | None] = {"survey.css": None}
"""What is for others than viewers: who answers a survey has a link and no role."""
_TEXT = "text/plain; charset=utf-8"
_JSON = "application/json"
_GUARDS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the application serves."""

    exposition: Callable[[], Exposition]
    """That of the service which is current: a reload puts another in its place."""
    view: Callable[[], AbstractContextManager[View]]
    health: Callable[[], str]
    """Why the process is not healthy, or empty."""
    unready: Callable[[], str]
    """Why it can't answer truly yet, or empty."""
    explain: Callable[[str, Mapping[str, str]], Mapping[str, Any]]
    """What stands behind the series of a metric with these labels, for programs; raises as `explain.explain`."""
    inbox: Callable[[], Inbox]
    """Takes what is pushed to the sources of the service that is current."""
    forms: Callable[[], Forms]
    """Forms of surveys of the service that is current."""
    reload: Callable[[], list[str] | None]
    """Loads configuration and definitions again; the problems found, none when it took effect. None: one waits already."""


def environment() -> jinja2.Environment:
    """Templates with autoescape and strict names, so a misspelt value fails in tests, not on a screen."""
    env = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader("platform_meter.web"), jinja2.FileSystemLoader(list(page_folders.__path__))]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.update(draw=draw, legend=legend, percent=percent, whole=whole, span=span, hours=hours)
    return env


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One address, or one for each thing of a kind, and who may ask it."""

    path: str
    role: Role | None
    """None: whoever reaches us, since probes carry no credential."""
    answer: Callable[[Request], Response]
    methods: tuple[str, ...] = ("GET",)
    door: Callable[[Request, Response | None], Response | None] = lambda _, stopped: stopped
    """Where more than the role decides: given the answer that who lacks it gets, the answer to who may not come in."""


def refusal(request: Request, *, local: bool) -> Response | None:
    """The answer to what a web page from elsewhere made a browser send; None for all else.

    A page can have its own name resolved to this machine, but not change the name that the browser then says; and it
    can send a POST to any address, but not hide where it comes from.
    """
    host = request.headers.get("Host", "").lower()  # every browser says it
    if local and host and not is_loopback(re.sub(r":[0-9]*$", "", host)):
        text = "This listens on loopback alone and answers to no other name than localhost; set `listen` to serve others.\n"
        return Response(text, status=421, content_type=_TEXT)
    origin = request.headers.get("Origin", "")
    foreign = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
    if request.method not in ("GET", "HEAD") and (foreign or (origin and origin.partition("://")[2].lower() != host)):
        text = "This came from another site's page, which may not change anything here.\n"
        return Response(text, status=403, content_type=_TEXT)
    return None


def barred(doors: Doors, role: Role | None, environ: WSGIEnvironment) -> Response | None:
    """The answer to somebody who may not have what needs this role; None for all others."""
    if role is None:
        return None
    caller = doors.caller(environ)
    if role in caller.roles:
        return None
    if caller.named:
        text = f"This is for the role {role}, which you do not have; `access` in the configuration gives it.\n"
        return Response(text, status=403, content_type=_TEXT)
    text = (
        f"This is for the role {role}: say who you are, as `access` and `web_config` in the configuration know you.\n"
    )
    response = Response(text, status=401, content_type=_TEXT)
    for challenge in doors.challenges():
        response.headers.add("WWW-Authenticate", challenge)
    return response


def make_app(site: Site, *, local: bool = False, doors: Doors | None = None) -> WSGIApplication:
    """The application. It never raises: what goes wrong is logged and answered with 500.

    Args:
        site: what is served.
        local: only this machine can reach it, so that it answers to names of loopback alone.
        doors: decides who may have what; by default everybody may have all.
    """
    doors = doors or Doors()
    table = routes(site)
    by_rule = {route.path: route for route in table}
    known = ", ".join([*(page.path for page in pages()), "/metrics"])
    rules = Map([Rule(r.path, endpoint=r.path, methods=r.methods) for r in table], strict_slashes=False)

    def answer(request: Request, environ: WSGIEnvironment) -> Response:
        if not doors.has_room():
            text = "More requests than rate_limit of the web configuration allows; come back later.\n"
            return Response(text, status=429, headers={"Retry-After": "1"}, content_type=_TEXT)
        if refused := refusal(request, local=local):
            return refused
        try:
            route = by_rule[rules.bind_to_environ(environ).match()[0]]
            return route.door(request, barred(doors, route.role, environ)) or route.answer(request)
        except NotFound:
            text = f"There is no {request.path} here. There is: {known}\n"
            return barred(doors, Role.VIEWER, environ) or Response(text, status=404, content_type=_TEXT)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        try:
            response = answer(request, environ)
        except HTTPException as error:
            response = Response.from_app(error, environ)
        except Exception:
            # One page that fails must not take the server with it; /metrics is served from other bytes.
            log.exception("%s %s failed", request.method, request.path)
            response = Response("This page failed; the log says why.\n", status=500, content_type=_TEXT)
        for name, value in _GUARDS.items():
            response.headers.setdefault(name, value)
        response.headers.update(doors.headers())
        return response(environ, start_response)

    return app


def routes(site: Site) -> list[Route]:
    """All that there is to ask for."""
    env = environment()
    by_path = {page.path: page for page in pages()}
    pushing, answering = Pushing(site.inbox), Answering(site.forms, env)
    static = {name: (files("platform_meter.web") / "static" / name).read_bytes() for name in _STATIC}

    def metrics(request: Request) -> Response:
        if reason := site.unready():
            # An empty page would look like an exporter with nothing to say; now `up` is 0 until there is something.
            return Response(f"{reason}\n", status=503, content_type=_TEXT)
        body = site.exposition().body(request.headers.get("Accept", ""), request.headers.get("Accept-Encoding", ""))
        response = Response(body.data, content_type=body.content_type)
        response.headers["Vary"] = "Accept, Accept-Encoding"
        if body.gzip:
            response.headers["Content-Encoding"] = "gzip"
        return response

    def shown(view: View, here: str, template: str, title: str, made: Mapping[str, Any]) -> Response:
        text = env.get_template(template).render(
            title=title,
            here=here,
            nav=[(page.path, page.title) for page in by_path.values()],
            banners=banners(view),
            now=view.now.astimezone(view.zone),
            zone=view.zone,
            version=__version__,
            **made,
        )
        return Response(text, content_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"})

    def page(request: Request) -> Response:
        here = request.path.rstrip("/") or "/"
        found = by_path[here]
        with site.view() as view:
            return shown(view, here, found.template, found.title, found.fill(view))

    def detail(request: Request) -> Response:
        here, _, name = request.path.rstrip("/").rpartition("/")
        found = by_path[here].detail
        with site.view() as view:
            filled = found.fill(view, name) if found else None
            if found is None or filled is None:
                raise NotFound
            return shown(view, here, found.template, name, filled)

    def asset(request: Request) -> Response:
        name = request.path.rpartition("/")[2]
        return Response(static[name], content_type=_STATIC[name], headers={"Cache-Control": "max-age=300"})

    def explained(request: Request) -> Response:
        names = request.args.getlist("metric")
        labels = {name: value for name, value in request.args.items() if name != "metric"}
        if len(names) > 1:  # one of its labels is called so too
            labels["metric"] = names[1]
        try:
            found = site.explain(next(iter(names), ""), labels)
        except LookupError as error:
            return Response(json.dumps({"error": str(error)}), status=404, content_type=_JSON)
        return Response(json.dumps(found), content_type=_JSON, headers={"Cache-Control": "no-store"})

    def healthy(_: Request) -> Response:
        reason = site.health()
        return Response(f"{reason or 'healthy'}\n", status=503 if reason else 200, content_type=_TEXT)

    def ready(_: Request) -> Response:
        reason = site.unready()
        return Response(f"{reason or 'ready'}\n", status=503 if reason else 200, content_type=_TEXT)

    def reload(_: Request) -> Response:
        problems = site.reload()
        if problems is None:
            text = "A reload runs and another waits, which will load what you would have loaded.\n"
            return Response(text, status=429, headers={"Retry-After": "5"}, content_type=_TEXT)
        text = "\n".join(problems) if problems else "reloaded"
        return Response(f"{text}\n", status=400 if problems else 200, content_type=_TEXT)

    return [
        Route(path="/metrics", role=Role.VIEWER, answer=metrics),
        *(Route(path=path, role=found.role, answer=page) for path, found in by_path.items()),
        *(
            Route(path=f"{path}/<name>", role=found.detail.role or found.role, answer=detail)
            for path, found in by_path.items()
            if found.detail
        ),
        *(Route(path=f"/static/{name}", role=_OPEN.get(name, Role.VIEWER), answer=asset) for name in _STATIC),
        Route(path="/api/v1/explain", role=Role.PM, answer=explained),
        *(
            Route(path=path, role=Role.REPORTER, answer=pushing.answer, door=pushing.door, methods=("POST",))
            for path in ("/api/v1/events", "/api/v1/events/<instance>")
        ),
        Route(path="/survey/<id>", role=None, answer=answering.answer, methods=("GET", "POST")),
        Route(path="/-/healthy", role=None, answer=healthy),
        Route(path="/-/ready", role=None, answer=ready),
        Route(path="/-/reload", role=Role.ADMIN, answer=reload, methods=("POST", "PUT")),
    ]


def banners(view: View) -> list[Banner]:
    """What a reader of any page must know first."""
    out = []
    by_health: dict[Health, list[str]] = {}
    for source in sorted(view.history.sources(), key=lambda s: s.instance):
        by_health.setdefault(view.health(source), []).append(source.instance)
    first = [f"{name}: {view.progress(name)[0][1]}" for name in by_health.get(Health.IMPORTING, ())]
    first += [f"{name} is starting" for name in by_health.get(Health.STARTING, ())]
    if first:
        out.append(Banner(text="The first import is going on; numbers are not complete yet: " + "; ".join(first)))
    down = by_health.get(Health.DOWN)
    if down:
        out.append(
            Banner(
                text=f"No fresh data from {', '.join(down)}: numbers that rest on it are absent. See Sources.",
                level="bad",
            )
        )
    if view.problems:
        out.append(
            Banner(
                text=f"The last reload found {view.problems} problems and was not taken; platform-meter check shows them.",
                level="bad",
            )
        )
    return out

"""Every address of the application, and who may have it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.views import site, view
from werkzeug.test import Client

from platform_meter.runtime.access.doors import Doors
from platform_meter.runtime.access.file import WebFile
from platform_meter.runtime.access.roles import Role
from platform_meter.runtime.access.settings import AccessSettings
from platform_meter.web.app import Route, make_app, routes
from platform_meter.web.pages import pages

SITE = site(view(datetime(2026, 6, 10, 12, tzinfo=UTC)))
WHO = ("nobody", "wrong", "viewer", "pm", "reporter", "admin")
ROLES = {
    "/metrics": Role.VIEWER,
    "/static/meter.css": Role.VIEWER,
    "/static/meter.js": Role.VIEWER,
    "/static/icon.svg": Role.VIEWER,
    "/api/v1/explain": Role.PM,
    "/api/v1/events": Role.REPORTER,
    "/api/v1/events/<instance>": Role.REPORTER,
    "/static/survey.css": None,
    "/survey/<id>": None,
    "/-/healthy": None,
    "/-/ready": None,
    "/-/reload": Role.ADMIN,
}
"""Who may have what is no page."""
PAGES = {f"/{page}{more}": Role.PM for page in ("delivery", "teams") for more in ("", "/<name>")} | {
    "/satisfaction/<name>": Role.PM
}
"""Pages, with their details, that are not for every viewer."""
STATUS = {
    None: (200, 200, 200, 200, 200, 200),
    Role.VIEWER: (401, 401, 200, 200, 403, 200),
    Role.PM: (401, 401, 403, 200, 403, 200),
    Role.REPORTER: (401, 401, 403, 403, 200, 200),
    Role.ADMIN: (401, 401, 403, 403, 403, 200),
}
"""By the role that an address is for, and by who asks; 404 stands for 200 where it is the page of one thing."""
ASKED = [(method, route) for route in routes(SITE) for method in route.methods]
TOKENS = {name: {"role": name, "token": {"env": name.upper()}} for name in WHO[2:]}
ENVIRON = {name.upper(): f"{name}-secret" for name in WHO[2:]}


def headers(who: str) -> dict[str, str]:
    return {} if who == "nobody" else {"Authorization": f"Bearer {who}-secret"}


def doors(**said: object) -> Doors:
    settings = AccessSettings.model_validate({"tokens": TOKENS, **said})
    return Doors(lambda: settings, environ=ENVIRON, alone=False)


@pytest.mark.parametrize(("method", "route"), ASKED, ids=lambda one: one if isinstance(one, str) else one.path)
def test_who_may_have_what(method: str, route: Route) -> None:
    """Each address there is, by each role, without a credential and with a wrong one."""
    client = Client(make_app(SITE, doors=doors()))
    body: dict[str, str] | None = {} if method == "POST" else None
    found = tuple(client.open(route.path, method=method, headers=headers(who), json=body).status_code for who in WHO)
    paths = {**{path: Role.VIEWER for page in pages() for path in (page.path, f"{page.path}/<name>")}, **PAGES}
    well = 404 if "<" in route.path else 200
    expected = STATUS[{**paths, **ROLES}[route.path]]
    assert found == tuple(well if status == 200 else status for status in expected)


def test_a_refused_reload_loads_nothing() -> None:
    """Whoever asks without the role has changed nothing."""
    asked: list[str] = []

    def reload() -> list[str]:
        asked.append("once")
        return []

    made = site(view(datetime(2026, 6, 10, 12, tzinfo=UTC)), reload=reload)
    client = Client(make_app(made, doors=doors()))
    for who in WHO[:-1]:
        client.post("/-/reload", headers=headers(who))
    assert asked == []
    client.post("/-/reload", headers=headers("admin"))
    assert asked == ["once"]


def test_a_page_from_elsewhere_cannot_reload_for_an_admin() -> None:
    """A browser that knows the password sends it along with what another site's page makes it send."""
    client = Client(make_app(SITE, doors=doors()))
    said = {**headers("admin"), "Origin": "https://evil.example"}
    assert client.post("/-/reload", headers=said).status_code == 403


def test_somebody_unknown_learns_nothing() -> None:
    """Neither which addresses there are, nor what is in them; the answer says how to come in, and is guarded too."""
    client = Client(make_app(SITE, doors=doors()))
    for path in ("/nowhere", "/slos/nowhere", "/metrics"):
        answer = client.get(path)
        assert answer.status_code == 401
        assert answer.text == (
            "This is for the role viewer: say who you are, as `access` and `web_config` in the configuration know you.\n"
        )
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="platform-meter"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_who_lacks_a_role_is_told_which() -> None:
    """Another credential would help, so it is 403 and no question."""
    answer = Client(make_app(SITE, doors=doors())).post("/-/reload", headers=headers("pm"))
    assert answer.text == "This is for the role admin, which you do not have; `access` in the configuration gives it.\n"
    assert "WWW-Authenticate" not in answer.headers


def test_the_web_configurations_headers_and_bound(tmp_path: Path) -> None:
    """Its headers stand on every answer, before our own; a request too many is told so before anything is done for it."""
    file = tmp_path / "web.yml"
    file.write_text(
        "http_server_config: {headers: {Strict-Transport-Security: max-age=60, Content-Security-Policy: default-src 'none'}}\n"
        "rate_limit: {interval: 1h, burst: 2}\n"
    )
    client = Client(make_app(SITE, doors=Doors(web=WebFile(str(file)))))
    answers = [client.get(path) for path in ("/", "/nowhere", "/-/healthy")]
    assert [a.status_code for a in answers] == [200, 404, 429]
    assert {a.headers["Strict-Transport-Security"] for a in answers} == {"max-age=60"}
    assert {a.headers["Content-Security-Policy"] for a in answers} == {"default-src 'none'"}
    assert answers[2].headers["Retry-After"] == "1"

"""The portal's first page."""

from __future__ import annotations

from platform_meter.demo.apis.wsgi import Api, Reply, Request

TITLE = "Developer portal"
_TYPE = "text/html; charset=utf-8"


class PortalApi(Api):
    def __init__(self) -> None:
        super().__init__({"GET /": self._page})

    def missing(self, request: Request) -> Reply:
        del request
        return Reply(body=b"<title>Not found</title>", status=404, type=_TYPE)

    def _page(self, request: Request) -> Reply:
        del request
        return Reply(body=f"<!doctype html><title>{TITLE}</title><h1>{TITLE}</h1>".encode(), type=_TYPE)

"""The whole table of routes, the API's own description among them."""

from functools import lru_cache

from recognizance.api.openapi import MEDIA_TYPE_OPENAPI, openapi_json
from recognizance.api.resources import ROUTES
from recognizance.api.routes import Call, File, Media, Method, Nothing, Route, RouteTable, Who
from recognizance.api.services import Services


def show_openapi(_: Services, __: Call[Nothing, Nothing]) -> File:
    return File(MEDIA_TYPE_OPENAPI, _document())


def whole_table() -> RouteTable:
    """Every route."""
    described = Route(
        "show_openapi",
        Method.GET,
        "/openapi.json",
        "This document.",
        show_openapi,
        Media((MEDIA_TYPE_OPENAPI,)),
        Who.ANYBODY,
    )
    return RouteTable((*ROUTES, described))


@lru_cache(maxsize=1)
def _document() -> bytes:
    # The same for as long as the program runs, and a tenth of a second to write.
    return openapi_json(whole_table())

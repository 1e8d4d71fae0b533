"""Our own HTTP API: everything of governing that people do, as OpenAPI 3.1, with refusals as RFC 9457 problems.

It stands beside Rekognition's protocol, which has no words for uses, votes, reviews and people who ask about
themselves. It calls the services and adds no rule to theirs. `routes` declares what there is, `resources/` answers it,
`identification` says who asks, `server` speaks HTTP. Implements docs/api.md.
"""

from recognizance.api.identification import (
    ByKey,
    BySignature,
    FirstThatKnows,
    Identification,
    Identified,
    Incoming,
)
from recognizance.api.once import Once
from recognizance.api.openapi import openapi_document, openapi_json
from recognizance.api.routes import PREFIX, Route, RouteTable, Who
from recognizance.api.server import Api
from recognizance.api.services import Services
from recognizance.api.table import whole_table

__all__ = [
    "PREFIX",
    "Api",
    "ByKey",
    "BySignature",
    "FirstThatKnows",
    "Identification",
    "Identified",
    "Incoming",
    "Once",
    "Route",
    "RouteTable",
    "Services",
    "Who",
    "openapi_document",
    "openapi_json",
    "whole_table",
]

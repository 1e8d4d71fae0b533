"""The OpenAPI 3.1 document, generated from the table of routes and the annotations of their forms.

Implements OpenAPI 3.1.0; schemas are JSON Schema 2020-12, which it adopts. Pure.
"""

import json
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from recognizance.api.forms import schemas_of
from recognizance.api.once import HEADER
from recognizance.api.problems import MEDIA_TYPE, Problem
from recognizance.api.routes import PREFIX, Media, Nothing, Repeat, Route, RouteTable, Who

MEDIA_TYPE_OPENAPI = "application/vnd.oai.openapi+json;version=3.1"
_REF = "#/components/schemas/{model}"
_SIGNED_IN: list[dict[str, list[str]]] = [{"accessKey": []}, {"signature": []}]

_DESCRIPTION = """\
Governing a face recognition service: who takes part, which uses are proposed, approved and stopped, what reviewers
find, what people ask about themselves, and the public register. Searching is done through Amazon Rekognition's protocol
at `/`.

An answer that made entries in the ledger names them in `x-recognizance-entry` and carries the last one's receipt, in
base64, in `x-recognizance-receipt`; so does a refusal by policy. docs/api.md tells more.
"""


def openapi_document(table: RouteTable) -> dict[str, Any]:
    """Describe a table of routes."""
    bodies = [route.body for route in table.routes if route.body is not Nothing]
    queries = [route.query for route in table.routes if route.query is not Nothing]
    answers = [
        route.answer for route in table.routes if not isinstance(route.answer, Media) and route.answer is not Nothing
    ]
    taken, given, shared = schemas_of([*bodies, *queries], [*answers, Problem], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in table.routes:
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route, taken, given, shared)
    for name in {_name(taken[each]) for each in queries}:
        # Their fields stand as parameters where they are taken.
        shared.pop(name, None)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Recognizance", "version": metadata.version("recognizance"), "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {name: _described(schema) for name, schema in sorted(shared.items())},
            "securitySchemes": _SECURITY,
        },
    }


def openapi_json(table: RouteTable) -> bytes:
    """The document as it is served."""
    return json.dumps(openapi_document(table), indent=1, ensure_ascii=False).encode() + b"\n"


_SECURITY = {
    "accessKey": {
        "type": "http",
        "scheme": "basic",
        "description": "An access key's id as user and its secret as password; over https or on the same machine only.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "AWS Signature Version 4 for the service `recognizance`, with a key or a session of AssumeRole.",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
}


def _operation(
    route: Route,
    taken: Mapping[type[Any], Mapping[str, Any]],
    given: Mapping[type[Any], Mapping[str, Any]],
    shared: Mapping[str, Any],
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": _who(route),
        "tags": [route.segments[0]],
        "security": [] if route.who is Who.ANYBODY else _SIGNED_IN,
        "responses": {
            str(204 if route.answer is Nothing else route.status): _answer(route, given),
            "default": {
                "description": "A problem (RFC 9457)",
                "content": {MEDIA_TYPE: {"schema": given[Problem]}},
            },
        },
    }
    if route.act is not None:
        operation["x-recognizance-act"] = route.act.value
    if parameters := [*_in_path(route), *_in_query(route, taken, shared), *_in_headers(route)]:
        operation["parameters"] = parameters
    if route.body is not Nothing:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": taken[route.body]}},
        }
    return operation


def _who(route: Route) -> str:
    if route.act is not None:
        said = f"Whom the policy permits the act `{route.act.value}` (docs/policy.md)."
        return said + (" What isn't the caller's is not found." if route.hides else "")
    return (
        "Anybody, without signing in." if route.who is Who.ANYBODY else "Whoever has signed in, about what is theirs."
    )


def _answer(route: Route, given: Mapping[type[Any], Mapping[str, Any]]) -> dict[str, Any]:
    if isinstance(route.answer, Media):
        return {"description": "The file", "content": {each: {} for each in route.answer.types}}
    if route.answer is Nothing:
        return {"description": "Done"}
    return {"description": "The answer", "content": {"application/json": {"schema": given[route.answer]}}}


def _in_path(route: Route) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in route.variables]


def _in_query(
    route: Route, taken: Mapping[type[Any], Mapping[str, Any]], shared: Mapping[str, Any]
) -> list[dict[str, Any]]:
    if route.query is Nothing:
        return []
    schema = shared[_name(taken[route.query])]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": each}
        for name, each in schema["properties"].items()
    ]


def _in_headers(route: Route) -> list[dict[str, Any]]:
    if route.repeat is not Repeat.KEYED or route.who is Who.ANYBODY:
        return []
    said = "Asked again with the same key and the same request, it answers as the first time and does nothing twice."
    header = "-".join(word.capitalize() for word in HEADER.split("-"))
    return [{"name": header, "in": "header", "required": False, "description": said, "schema": {"type": "string"}}]


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _described(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema whose attributes are described each by itself, out of its docstring."""
    text = str(schema.get("description", ""))
    summary, found, attributes = text.partition("Attributes:\n")
    described = {**schema, "description": " ".join(summary.split())} if text else dict(schema)
    if not found or "properties" not in schema:
        return described
    properties = {name: dict(each) for name, each in schema["properties"].items()}
    for names, said in _attributes(attributes):
        for name in names:
            if name in properties:
                properties[name]["description"] = said
    return {**described, "properties": properties}


def _attributes(text: str) -> list[tuple[list[str], str]]:
    """The entries of an `Attributes` section: a line that begins less deep than the rest begins one."""
    lines = [line for line in text.splitlines() if line.strip()]
    depth = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    entries: list[tuple[list[str], str]] = []
    for line in lines:
        if len(line) - len(line.lstrip()) == depth and ":" in line:
            names, _, said = line.strip().partition(":")
            entries.append(([name.strip() for name in names.split(",")], said.strip()))
        elif entries:
            names_before, said_before = entries[-1]
            entries[-1] = (names_before, f"{said_before} {line.strip()}")
    return entries

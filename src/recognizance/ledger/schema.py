"""The published schema of ledger entries: JSON Schema 2020-12, generated from the kinds, and itself an entry.

It is the first entry of a ledger, and comes again, with a higher version, before the first entry that needs it. So
nobody can leave a field out of the record, such as who made a search, without an entry that says so.
"""

import inspect
from hashlib import sha256

from recognizance.ledger.canonical import JsonObject, JsonValue, write_canonical
from recognizance.ledger.entries import SCHEMA_VERSION
from recognizance.ledger.facts import KINDS, Facts, Schema
from recognizance.ledger.facts.fields import (
    DEFINITIONS,
    ENTRY_ID_TYPE,
    MOMENT_TYPE,
    object_schema,
    private_types,
    public_types,
)

SCHEMA_ID = f"urn:recognizance:ledger-entry:{SCHEMA_VERSION}"


def schema_document() -> bytes:
    """Return the schema, in canonical JSON."""
    kinds: list[JsonValue] = [{"$ref": f"#/$defs/kind.{kind}"} for kind in KINDS]
    by_kind: JsonObject = {f"kind.{kind}": _kind_schema(facts) for kind, facts in KINDS.items()}
    return write_canonical(
        {
            "$defs": DEFINITIONS | by_kind,
            "$id": SCHEMA_ID,
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            # What every entry has is said once, so that the schema stays an entry itself. A kind names all members,
            # because nothing else is allowed beside them.
            "oneOf": kinds,
            "properties": {
                "id": ENTRY_ID_TYPE.schema,
                "schema": {"const": SCHEMA_VERSION},
                "time": MOMENT_TYPE.schema,
            },
            "required": ["commitments", "id", "kind", "public", "schema", "time"],
            "title": f"Entry of a Recognizance ledger, version {SCHEMA_VERSION}",
            "type": "object",
        }
    )


def schema_facts() -> Schema:
    """Return what the entry that publishes the schema says."""
    document = schema_document()
    return Schema(version=SCHEMA_VERSION, digest=sha256(document).hexdigest(), document=document.decode())


def _kind_schema(facts: type[Facts]) -> JsonObject:
    properties: JsonObject = {
        "commitments": object_schema(private_types(facts)),
        "id": True,
        "kind": {"const": facts.kind},
        "public": object_schema(public_types(facts)),
        "schema": True,
        "time": True,
    }
    return {
        "additionalProperties": False,
        "description": inspect.cleandoc(facts.__doc__ or ""),
        "properties": properties,
    }

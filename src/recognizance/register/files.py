"""The register as files, under the names by which a server or a folder holds them.

    register.json                the whole register
    register.schema.json         its JSON Schema (2020-12)
    register/<section>.csv       one section as a table

Pure.
"""

from collections.abc import Iterator

from recognizance.errors import NotFoundError
from recognizance.register.document import MEDIA_TYPE_CSV, MEDIA_TYPE_JSON, json_schema, to_csv, to_json
from recognizance.register.rows import SECTIONS, Register

MEDIA_TYPE_SCHEMA = "application/schema+json"
_TITLE = "The public register of a face recognition service"


def register_file(register: Register, path: str) -> tuple[str, bytes]:
    """Return the media type and the bytes of one file.

    Raises:
        NotFoundError: If the register has no file of that name.
    """
    if path == "register.json":
        return MEDIA_TYPE_JSON, to_json(register)
    if path == "register.schema.json":
        return MEDIA_TYPE_SCHEMA, json_schema(Register, _TITLE)
    for section in SECTIONS:
        if path == _csv_path(section):
            return MEDIA_TYPE_CSV, to_csv(getattr(register, section)).encode()
    raise NotFoundError("the register has no such file")


def register_files(register: Register) -> Iterator[tuple[str, bytes]]:
    """Yield every file's path and bytes."""
    for path in ("register.json", "register.schema.json", *map(_csv_path, SECTIONS)):
        yield path, register_file(register, path)[1]


def _csv_path(section: str) -> str:
    return f"register/{section}.csv"

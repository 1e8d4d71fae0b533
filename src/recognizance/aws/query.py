"""AWS's query protocol: form-encoded requests and XML answers, held against the service model like the JSON ones.

Implements https://smithy.io/2.0/aws/protocols/aws-query-protocol.html as far as STS uses it: structures, lists
(`Tags.member.1.Key=...`), strings, whole numbers and moments. As in `shapes.py`, what the model doesn't have is refused
and not passed over. Knows no operation.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from recognizance.aws.service_model import OperationShape, Shape
from recognizance.aws.shapes import Answer, Members, SerializationError, check_members

MAX_FORM_BYTES = 65_536
"""Ours: fifty tags of the model's greatest length, percent-encoded, fit several times over."""
MAX_FIELDS = 256

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")
# XML 1.0, production 2, as far as a caller's own text can hold anything else.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_form(body: bytes) -> dict[str, str]:
    """Read the fields of a form.

    Raises:
        SerializationError: If it is too large, no UTF-8, or names a field twice.
    """
    if len(body) > MAX_FORM_BYTES:
        raise SerializationError(f"the form has {len(body)} bytes; the limit is {MAX_FORM_BYTES}")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise SerializationError(f"the body is no form of UTF-8 text with at most {MAX_FIELDS} fields") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise SerializationError("the form names a field twice")
    return fields


def check_form(operation: OperationShape, fields: Mapping[str, str]) -> Members:
    """Prove that a form, without `Action` and `Version`, is what the model says.

    Raises:
        InputError: If members are missing, unknown, or of a wrong type or value.
    """
    used: set[str] = set()
    value = _structure(operation.takes, fields, "", used)
    # Whatever no member claimed is given as it came, for the check to name it.
    return check_members(operation, {**value, **{name: fields[name] for name in fields.keys() - used}})


def write_answer(operation: OperationShape, answer: Mapping[str, Answer], *, namespace: str, request_id: str) -> bytes:
    """Write an answer as XML, members in the model's order."""
    root = ET.Element(f"{operation.name}Response", {"xmlns": namespace})
    _write_structure(ET.SubElement(root, f"{operation.name}Result"), operation.gives, answer)
    ET.SubElement(ET.SubElement(root, "ResponseMetadata"), "RequestId").text = request_id
    return _bytes(root)


def write_error(code: str, message: str, *, namespace: str, request_id: str, is_sender: bool) -> bytes:
    """Write an error as XML."""
    root = ET.Element("ErrorResponse", {"xmlns": namespace})
    error = ET.SubElement(root, "Error")
    ET.SubElement(error, "Type").text = "Sender" if is_sender else "Receiver"
    ET.SubElement(error, "Code").text = code
    ET.SubElement(error, "Message").text = _NOT_XML.sub("?", message)
    ET.SubElement(root, "RequestId").text = request_id
    return _bytes(root)


def _structure(shape: Shape, fields: Mapping[str, str], prefix: str, used: set[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, member in shape.members.items():
        path = prefix + name
        if path in fields or any(field.startswith(f"{path}.") for field in fields):
            found[name] = _value(member, fields, path, used)
    return found


def _value(shape: Shape, fields: Mapping[str, str], path: str, used: set[str]) -> object:
    if shape.kind == "structure":
        return _structure(shape, fields, f"{path}.", used)
    if shape.kind == "list" and shape.element is not None:
        return _list(shape.element, fields, path, used)
    used.add(path)
    text = fields.get(path)
    if text is not None and shape.kind in {"integer", "long"} and _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    return text


def _list(element: Shape, fields: Mapping[str, str], path: str, used: set[str]) -> list[object]:
    # An empty list is the list's name with nothing behind it.
    if fields.get(path) == "":
        used.add(path)
    values: list[object] = []
    while True:
        item = f"{path}.member.{len(values) + 1}"
        if item not in fields and not any(field.startswith(f"{item}.") for field in fields):
            return values
        values.append(_value(element, fields, item, used))


def _write_structure(parent: ET.Element, shape: Shape, values: Mapping[str, Answer]) -> None:
    unknown = values.keys() - shape.members.keys()
    if unknown:
        raise ValueError(f"the model's {shape.name} has no member {min(unknown)!r}")
    for name, member in shape.members.items():
        value = values.get(name)
        if value is None:
            continue
        child = ET.SubElement(parent, name)
        if isinstance(value, Mapping):
            _write_structure(child, member, value)
        elif isinstance(value, datetime):
            child.text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        else:
            child.text = str(value)


def _bytes(root: ET.Element) -> bytes:
    written: bytes = ET.tostring(root, encoding="utf-8")
    return written

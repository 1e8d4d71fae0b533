"""The service model that every AWS client carries, compiled into what a check needs.

botocore ships it as data; beside the S3 client, this file alone imports botocore.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from botocore.loaders import Loader


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape of the model, as far as a check needs it.

    Attributes:
        kind: `structure`, `list`, `map`, `string`, `blob`, `integer`, `long`, `float`, `timestamp` or `boolean`.
        low, high: Bounds of a number's value, or of the length of anything else.
    """

    name: str
    kind: str
    members: Mapping[str, "Shape"]
    required: tuple[str, ...]
    element: "Shape | None"
    key: "Shape | None"
    low: int | None
    high: int | None
    pattern: re.Pattern[str] | None
    written_pattern: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OperationShape:
    """One operation of the model: what it takes, what it answers, and the codes of its errors."""

    name: str
    takes: Shape
    gives: Shape
    errors: frozenset[str]


@dataclass(frozen=True, slots=True)
class ServiceModel:
    """All operations of a service.

    Attributes:
        faults: The codes of errors that are the service's own, and therefore have HTTP status 500.
    """

    operations: Mapping[str, OperationShape]
    faults: frozenset[str]


def load_model(service: str = "rekognition") -> ServiceModel:
    """Read a service's model out of botocore. Costs about 50 ms: do it once."""
    raw = cast("Mapping[str, Any]", Loader().load_service_model(service, "service-2"))
    shapes: dict[str, Shape] = {}
    return ServiceModel(
        operations={
            name: OperationShape(
                name=name,
                takes=_shape(raw, operation["input"]["shape"], shapes),
                gives=_shape(raw, operation["output"]["shape"], shapes),
                errors=frozenset(error["shape"] for error in operation.get("errors", ())),
            )
            for name, operation in raw["operations"].items()
        },
        faults=frozenset(name for name, shape in raw["shapes"].items() if shape.get("fault")),
    )


def _shape(raw: Mapping[str, Any], name: str, known: dict[str, Shape]) -> Shape:
    """Compile one shape and what it consists of. The face operations have no shape that contains itself."""
    if name not in known:
        spec = raw["shapes"][name]
        member, value = spec.get("member"), spec.get("value")
        inner = member or value
        known[name] = Shape(
            name=name,
            kind=spec["type"],
            members={each: _shape(raw, ref["shape"], known) for each, ref in spec.get("members", {}).items()},
            required=tuple(spec.get("required", ())),
            element=_shape(raw, inner["shape"], known) if inner else None,
            key=_shape(raw, spec["key"]["shape"], known) if "key" in spec else None,
            low=spec.get("min"),
            high=spec.get("max"),
            pattern=compile_pattern(spec["pattern"]) if "pattern" in spec else None,
            written_pattern=spec.get("pattern", ""),
            choices=tuple(spec.get("enum", ())),
        )
    return known[name]


# Unicode's separators (Zs, Zl, Zp). They're listed because Python's `re` knows no categories.
_SEPARATORS = " \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# The model writes letters, separators, numbers and an underscore. Python's `\w` is all of these but the separators.
_JAVA_WORD = r"\p{L}\p{Z}\p{N}_"


def compile_pattern(java: str) -> re.Pattern[str]:
    r"""Compile a pattern of the model, which is written for Java.

    Raises:
        ValueError: If it uses a category in a way that is not understood here.

    >>> bool(compile_pattern(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*").fullmatch("Prénom: été"))
    True
    """
    python = java.replace(_JAVA_WORD, r"\w" + _SEPARATORS)
    if r"\p" in python or r"\P" in python:
        raise ValueError(f"the pattern {java!r} can't be written for Python")
    return re.compile(python)

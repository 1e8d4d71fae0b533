"""What a manifest of models says, read strictly (docs/models.md).

`manifest.toml` beside this file lists the models that this version knows; an installation's own manifest may add
recognisers. An unknown field, a missing one or a wrong type is an error, because a mean or a channel order that is
guessed gives templates that are wrong and look right.
"""

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar, cast

from recognizance.errors import InputError
from recognizance.identifiers import ModelId

MAX_SIZE_BYTES = 2 << 30
"""Protocol Buffers, and so ONNX files, end at 2 GiB."""
MAX_DIMENSION = 4096
"""Eight times the longest template in common use."""
MAX_INPUT_PX = 4096
ALIGNED_SIZE_HW = (112, 112)
"""What the alignment `five-point-112` makes."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SPELLED: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}
_SPELLED_MANY: Mapping[type, str] = {int: "whole numbers", float: "finite numbers with a point"}
_T = TypeVar("_T")
_Choice = TypeVar("_Choice", bound=StrEnum)
_Number = TypeVar("_Number", int, float)


class ModelKind(StrEnum):
    DETECTOR = "detector"
    RECOGNISER = "recogniser"


class Decoder(StrEnum):
    """How a detector's outputs are read."""

    YUNET = "yunet"


class Alignment(StrEnum):
    """How a face is brought into a recogniser's input."""

    FIVE_POINT_112 = "five-point-112"


class Normalisation(StrEnum):
    """What is done to a recogniser's output."""

    L2 = "l2"


DECODER_OUTPUTS = {Decoder.YUNET: 12}


@dataclass(frozen=True, slots=True)
class PackageSource:
    """A file inside an installed Python package, which is located but never imported."""

    package: str
    path: str


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A file to be pulled."""

    url: str


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A file that the operator put there. `path` is absolute once read."""

    path: Path


class ChannelOrder(StrEnum):
    RGB = "RGB"
    BGR = "BGR"


@dataclass(frozen=True, slots=True)
class InputGeometry:
    """What a model's own first layer takes, as its manifest states it.

    Attributes:
        size_hw: Height and width in pixels. A detector is also run at other sizes.
        mean: Subtracted from each channel, in the model's channel order, on the scale 0 to 255.
        scale: Multiplied after that, in the model's channel order.
    """

    size_hw: tuple[int, int]
    channel_order: ChannelOrder
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class DetectorOutput:
    decoder: Decoder
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecogniserOutput:
    """How a template is made from a recogniser's answer.

    Attributes:
        mirrored: The template is made from the face and its mirror image together (docs/decisions/0003).
    """

    name: str
    dimension: int
    alignment: Alignment
    normalisation: Normalisation
    mirrored: bool


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of a manifest."""

    name: str
    kind: ModelKind
    licence: str
    origin: str
    sha256: str
    size_bytes: int
    source: PackageSource | UrlSource | LocalSource
    geometry: InputGeometry
    output: DetectorOutput | RecogniserOutput

    @property
    def id(self) -> ModelId:
        return ModelId(f"{self.name}@{self.sha256[:16]}")

    @property
    def output_names(self) -> tuple[str, ...]:
        return self.output.names if isinstance(self.output, DetectorOutput) else (self.output.name,)


def read_manifest(file: Path) -> tuple[Model, ...]:
    """Read a manifest in full, or refuse it.

    Raises:
        InputError: Names the file, the model and the field.
    """
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: {error}") from error
    fields = _Fields(table, str(file))
    entries = fields.take("model", list)
    fields.finish()
    return tuple(_model(entry, file, position) for position, entry in enumerate(entries, start=1))


class _Fields:
    """A TOML table whose every field has to be asked for, once, with its type."""

    def __init__(self, table: object, where: str) -> None:
        if not isinstance(table, dict):
            raise InputError(f"{where} has to be a table")
        self._rest: dict[str, Any] = dict(cast("Mapping[str, Any]", table))
        self.where = where

    def take(self, name: str, kind: type[_T]) -> _T:
        if name not in self._rest:
            raise InputError(f"{self.where}: the field {name!r} is missing")
        value = self._rest.pop(name)
        # `bool` is an `int` to Python, and not here.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise InputError(f"{self.where}: the field {name!r} has to be {_SPELLED[kind]}")
        return value

    def has(self, name: str) -> bool:
        return name in self._rest

    def finish(self) -> None:
        if self._rest:
            raise InputError(f"{self.where}: there is no field {min(self._rest)!r}")

    def text(self, name: str) -> str:
        value = self.take(name, str)
        if not value.strip():
            raise InputError(f"{self.where}: the field {name!r} is empty")
        return value

    def count(self, name: str, high: int) -> int:
        value = self.take(name, int)
        if not 1 <= value <= high:
            raise InputError(f"{self.where}: the field {name!r} is {value}; it has to lie from 1 to {high}")
        return value

    def choice(self, name: str, kind: type[_Choice]) -> _Choice:
        value = self.text(name)
        try:
            return kind(value)
        except ValueError as error:
            raise InputError(f"{self.where}: {name} is {value!r}; choose from {', '.join(kind)}") from error

    def numbers(self, name: str, kind: type[_Number], count: int) -> tuple[_Number, ...]:
        values = self.take(name, list)
        if len(values) != count or any(type(value) is not kind or not math.isfinite(value) for value in values):
            raise InputError(f"{self.where}: the field {name!r} has to be {count} {_SPELLED_MANY[kind]}")
        return tuple(values)

    def names(self, name: str) -> tuple[str, ...]:
        values = self.take(name, list)
        if not values or not all(isinstance(value, str) and value for value in values):
            raise InputError(f"{self.where}: the field {name!r} has to be a list of names")
        return tuple(values)

    def table(self, name: str) -> "_Fields":
        return _Fields(self.take(name, dict), f"{self.where}: {name}")


def _model(entry: object, file: Path, position: int) -> Model:
    fields = _Fields(entry, f"{file}: model {position}")
    name = fields.text("name")
    if not _NAME.fullmatch(name):
        raise InputError(f"{fields.where}: the name {name!r} has to be lower-case letters, digits, dots and hyphens")
    fields.where = f"{file}: model {name}"
    sha256 = fields.text("sha256")
    if not _SHA256.fullmatch(sha256):
        raise InputError(f"{fields.where}: sha256 has to be 64 lower-case hexadecimal digits")
    kind = fields.choice("kind", ModelKind)
    geometry = _geometry(fields.table("input"))
    output = _detector(fields.table("output")) if kind is ModelKind.DETECTOR else _recogniser(fields.table("output"))
    if kind is ModelKind.RECOGNISER and geometry.size_hw != ALIGNED_SIZE_HW:
        raise InputError(f"{fields.where}: a recogniser's size_hw has to be {list(ALIGNED_SIZE_HW)}, as its alignment")
    model = Model(
        name=name,
        kind=kind,
        licence=fields.text("licence"),
        origin=fields.text("origin"),
        sha256=sha256,
        size_bytes=fields.count("size_bytes", MAX_SIZE_BYTES),
        source=_source(fields.table("source"), file),
        geometry=geometry,
        output=output,
    )
    fields.finish()
    return model


def _source(fields: _Fields, file: Path) -> PackageSource | UrlSource | LocalSource:
    source: PackageSource | UrlSource | LocalSource
    if fields.has("package"):
        source = PackageSource(fields.text("package"), fields.text("path"))
    elif fields.has("url"):
        source = UrlSource(fields.text("url"))
    else:
        source = LocalSource((file.parent / fields.text("file")).absolute())
    fields.finish()
    return source


def _geometry(fields: _Fields) -> InputGeometry:
    height, width = fields.numbers("size_hw", int, 2)
    if not (1 <= height <= MAX_INPUT_PX and 1 <= width <= MAX_INPUT_PX):
        raise InputError(f"{fields.where}: size_hw has to lie from 1 to {MAX_INPUT_PX}")
    mean, scale = fields.numbers("mean", float, 3), fields.numbers("scale", float, 3)
    if 0.0 in scale:
        raise InputError(f"{fields.where}: a scale of 0 would blank the image")
    geometry = InputGeometry(
        size_hw=(height, width),
        channel_order=fields.choice("channel_order", ChannelOrder),
        mean=(mean[0], mean[1], mean[2]),
        scale=(scale[0], scale[1], scale[2]),
    )
    fields.finish()
    return geometry


def _detector(fields: _Fields) -> DetectorOutput:
    output = DetectorOutput(decoder=fields.choice("decoder", Decoder), names=fields.names("names"))
    if len(output.names) != DECODER_OUTPUTS[output.decoder]:
        raise InputError(f"{fields.where}: {output.decoder} reads {DECODER_OUTPUTS[output.decoder]} outputs")
    fields.finish()
    return output


def _recogniser(fields: _Fields) -> RecogniserOutput:
    names = fields.names("names")
    if len(names) != 1:
        raise InputError(f"{fields.where}: a recogniser has 1 output")
    output = RecogniserOutput(
        name=names[0],
        dimension=fields.count("dimension", MAX_DIMENSION),
        alignment=fields.choice("alignment", Alignment),
        normalisation=fields.choice("normalisation", Normalisation),
        mirrored=fields.take("mirrored", bool),
    )
    fields.finish()
    return output

"""The values that go into the records and come out: complete when built, checked when they enter."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final, NewType, TypeAlias

import numpy as np
from numpy.typing import NDArray

from recognizance.identifiers import AccessKeyId, FaceId, GalleryId, ImageId, ModelId, PrincipalId, SubjectId
from recognizance.records.keys import Secret

Templates: TypeAlias = NDArray[np.float32]
"""(n, d), unit L2 norm, C-contiguous, as `recognizance.faces` makes them. Spelt again here because importing that would
load the inference runtime into programs that only look something up."""

Template: TypeAlias = NDArray[np.float32]
"""One row of `Templates`: (d,)."""

SubjectKey = NewType("SubjectKey", str)
"""A subject's internal name, a lower-case UUID drawn by us. Unlike a `SubjectId` it never returns after a deletion."""

MAX_FACES_IN_GALLERY = 20_000_000
"""Rekognition's quota for a collection."""

MAX_FACES_OF_SUBJECT = 100
"""Rekognition's quota for a user."""

MAX_TAGS = 200
"""The service model's bound on a `TagMap`."""

HORIZON_ROWS = 100_000
"""How many removals a gallery remembers for indexes that catch up."""

MAX_CATCH_UP = 65_536
"""The most additions that are handed over at once (32 MiB of 128-d templates); beyond it, a reload streams."""

_UNIT_NORM_TOLERANCE = 1e-3


class Reload(Enum):
    """The answer to "what changed?" when it is no longer known, or too much: load the whole gallery."""

    RELOAD = "reload"


RELOAD: Final = Reload.RELOAD


@dataclass(frozen=True, slots=True)
class GalleryRow:
    """A gallery as it stands.

    Attributes:
        version: Rises with every change of faces or subjects, and never returns to an earlier value, not even when a
            gallery is deleted and another takes its name.
        dimension: Length of its templates; `None` until the first.
    """

    id: GalleryId
    model: ModelId
    created: datetime
    face_count: int
    subject_count: int
    version: int
    dimension: int | None
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Box:
    """A face's place as ratios of the upright image; it may leave 0 to 1."""

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.left, self.top, self.width, self.height))):
            raise ValueError("a box has a side that isn't finite")


@dataclass(frozen=True, slots=True)
class Pose:
    yaw_deg: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True, slots=True)
class Quality:
    """On Rekognition's scale, 0 to 100."""

    brightness: float
    sharpness: float


Landmarks: TypeAlias = tuple[tuple[float, float], ...]
"""Five points (x, y) as ratios of the upright image: left eye, right eye, nose, left and right corner of the mouth."""

LANDMARK_COUNT = 5


@dataclass(frozen=True, slots=True, eq=False)
class NewFace:
    """A face to be stored.

    Attributes:
        image_id: Faces of one image share it, and then also `image_sha256` and `external_image_id`.
        template: (d,) float32 of unit length.
        confidence: That this is a face, 0 to 1.
    """

    face_id: FaceId
    image_id: ImageId
    template: Template
    model: ModelId
    box: Box
    confidence: float
    created: datetime
    external_image_id: str | None = None
    image_sha256: bytes | None = None
    landmarks: Landmarks | None = None
    pose: Pose | None = None
    quality: Quality | None = None

    def __post_init__(self) -> None:
        if self.template.dtype != np.float32 or self.template.ndim != 1 or self.template.size == 0:
            raise ValueError(f"a template is (d,) float32, not {self.template.shape} {self.template.dtype}")
        # Written so that NaN fails too.
        if not abs(float(np.linalg.norm(self.template)) - 1) <= _UNIT_NORM_TOLERANCE:
            raise ValueError("a template has unit length")
        if not 0 <= self.confidence <= 1:
            raise ValueError("a confidence lies from 0 to 1")
        if self.image_sha256 is not None and len(self.image_sha256) != 32:  # SHA-256's own length
            raise ValueError("a SHA-256 has 32 bytes")
        if self.landmarks is not None and len(self.landmarks) != LANDMARK_COUNT:
            raise ValueError(f"a face has {LANDMARK_COUNT} landmarks")
        # The list of a pack's faces is separated by spaces.
        if not self.face_id or not self.face_id.isascii() or any(map(str.isspace, self.face_id)):
            raise ValueError("a face id is ASCII without white space")


@dataclass(frozen=True, slots=True)
class FaceRow:
    """All that is known of a stored face except its template."""

    face_id: FaceId
    image_id: ImageId
    external_image_id: str | None
    image_sha256: bytes | None
    subject: SubjectId | None
    model: ModelId
    box: Box
    confidence: float
    created: datetime
    landmarks: Landmarks | None
    pose: Pose | None
    quality: Quality | None


@dataclass(frozen=True, slots=True, eq=False)
class TemplateBlock:
    """Some of a gallery's templates, all read at one version. Row i of `templates` belongs to `face_ids[i]`."""

    version: int
    face_ids: list[FaceId]
    templates: Templates


@dataclass(frozen=True, slots=True, eq=False)
class SubjectBlock:
    """Some of a gallery's subjects that have faces, and the mean of each, all read at one version."""

    version: int
    subject_keys: list[SubjectKey]
    templates: Templates


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What separates two versions. Apply `removed` first: a face id may have been removed and stored again.

    Attributes:
        templates: (n, d) for the n of `added`; (0, 0) if there are none.
        removed: May name faces that were added after the earlier version, and so were never seen.
    """

    to_version: int
    added: list[FaceId]
    templates: Templates
    removed: list[FaceId]


@dataclass(frozen=True, slots=True, eq=False)
class SubjectChanges:
    """As `Changes`. A subject in `changed` replaces what was held under its key."""

    to_version: int
    changed: list[SubjectKey]
    templates: Templates
    removed: list[SubjectKey]


@dataclass(frozen=True, slots=True)
class RemovedFaces:
    """Both in the order they were asked in; `unknown` are those that the gallery does not hold."""

    removed: tuple[FaceId, ...]
    unknown: tuple[FaceId, ...]


class SubjectStatus(StrEnum):
    """Rekognition's `UserStatus`. Its CREATING and UPDATING don't occur: a change is finished when it is answered."""

    CREATED = "CREATED"
    ACTIVE = "ACTIVE"


@dataclass(frozen=True, slots=True)
class SubjectRow:
    subject_id: SubjectId
    key: SubjectKey
    created: datetime
    face_count: int

    @property
    def status(self) -> SubjectStatus:
        """ACTIVE once a face is associated."""
        return SubjectStatus.ACTIVE if self.face_count else SubjectStatus.CREATED


class Association(StrEnum):
    """What became of one face that was to be associated with a subject."""

    ASSOCIATED = "associated"
    ALREADY_ASSOCIATED = "already associated"
    OTHER_SUBJECT = "belongs to another subject"
    FACE_NOT_FOUND = "face not found"


class Disassociation(StrEnum):
    """What became of one face that was to be taken from a subject."""

    DISASSOCIATED = "disassociated"
    NOT_ASSOCIATED = "belongs to no subject"
    OTHER_SUBJECT = "belongs to another subject"
    FACE_NOT_FOUND = "face not found"


class TokenUse(StrEnum):
    """What a client's request token says about the request that carries it."""

    FIRST = "first"
    REPLAY = "replay"
    """The same request came before and succeeded: answer as then, and change nothing."""
    MISMATCH = "mismatch"
    """The token came before with another request."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    id: AccessKeyId
    principal: PrincipalId
    created: datetime
    active: bool


@dataclass(frozen=True, slots=True)
class AccessKeyPair:
    """An access key with its secret, for checking a signature."""

    key: AccessKey
    secret: Secret


class ImportState(StrEnum):
    ENROLLED = "enrolled"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ImportItem:
    """What became of one file of an import.

    Attributes:
        digest: The file's SHA-256.
        reason: Why it was rejected; empty if it was enrolled.
    """

    path: str
    digest: bytes
    state: ImportState
    reason: str = ""
    face_count: int = 0

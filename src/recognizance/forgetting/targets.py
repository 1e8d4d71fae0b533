"""What goes with a face or a subject: ids, names, photographs, templates, and the openings that name them.

Only reads. What also stands for somebody else is no trace of the one who is erased, and stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from recognizance.errors import NotFoundError
from recognizance.identifiers import FaceId, GalleryId, ImageId, SubjectId
from recognizance.records import FaceRow, Needles, OpeningPlace, Reader, Transaction

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """What is to go.

    Attributes:
        names: Of photographs and subjects.
        photographs: SHA-256 of those that show nobody else.
    """

    faces: tuple[FaceId, ...]
    images: frozenset[ImageId]
    ids: frozenset[str]
    names: frozenset[str]
    photographs: frozenset[bytes]
    templates: frozenset[bytes]
    subject: SubjectId | None = None

    @property
    def needles(self) -> Needles:
        return Needles(ids=self.ids, names=self.names, blobs=self.photographs | self.templates)


@dataclass(frozen=True, slots=True)
class Seen:
    """Openings that were found before the transaction began, so that it needn't read them all."""

    target: Target
    openings: frozenset[OpeningPlace]
    position: int


def faces_target(reader: Reader, gallery: GalleryId, asked: Sequence[FaceId], spare_owned: bool) -> Target | None:
    rows = reader.faces_by_id(gallery, asked)
    there = [rows[face] for face in asked if face in rows and not (spare_owned and rows[face].subject)]
    return target_of(reader, gallery, there) if there else None


def subject_target(reader: Reader, gallery: GalleryId, subject: SubjectId) -> Target | None:
    reader.gallery(gallery)
    try:
        row = reader.subject(gallery, subject)
    except NotFoundError:
        return None
    rows: list[FaceRow] = []
    while page := reader.faces(gallery, subject=subject, after=rows[-1].face_id if rows else None, limit=_PAGE):
        rows += page
    found = target_of(reader, gallery, rows)
    return replace(found, ids=found.ids | {row.key}, names=found.names | {subject}, subject=subject)


def target_of(reader: Reader, gallery: GalleryId, rows: Sequence[FaceRow]) -> Target:
    """What goes with faces: also the photographs that show nobody else."""
    going = {row.face_id for row in rows}
    shared = {
        image
        for image in {row.image_id for row in rows}
        if any(face not in going for face in reader.faces_from_image(gallery, image))
    }
    alone = [row for row in rows if row.image_id not in shared]
    _, templates = reader.templates_of(gallery, list(going))
    return Target(
        faces=tuple(row.face_id for row in rows),
        images=frozenset(row.image_id for row in alone),
        ids=frozenset(going | {row.image_id for row in alone}),
        names=frozenset(row.external_image_id for row in alone if row.external_image_id),
        photographs=frozenset(row.image_sha256 for row in alone if row.image_sha256),
        templates=frozenset(template.astype("<f4").tobytes() for template in templates),
    )


def looked_through(reader: Reader, target: Target | None) -> Seen | None:
    if target is None:
        return None
    position = reader.last_position()
    return Seen(target, frozenset(reader.openings_naming(target.needles)), position)


def openings_of(transaction: Transaction, target: Target, seen: Seen | None) -> set[OpeningPlace]:
    """All openings that name the target: those seen before, if it's still the same, and those that came since."""
    if seen is None or seen.target != target:
        return set(transaction.openings_naming(target.needles))
    return set(seen.openings) | set(transaction.openings_naming(target.needles, after_position=seen.position))


def places(reader: Reader, entry_id: str) -> list[OpeningPlace]:
    return [OpeningPlace(entry_id, opening.field) for opening in reader.openings(entry_id)]

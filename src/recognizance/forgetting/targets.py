"""What goes with a face or a subject: ids, names, photographs, templates, and the openings that name them.

Only reads. What also stands for somebody else is no trace of the one who is erased, and stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from recognizance.errors import NotFoundError
from recognizance.identifiers import FaceId, GalleryId, ImageId, SubjectId
from recognizance.records import DocumentPlace, FaceRow, Needles, OpeningPlace, Reader, Transaction

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
    """What was found before the transaction began, so that it needn't open all there is while others wait.

    Attributes:
        position, change: Where openings and changes of documents ended then.
    """

    target: Target
    openings: frozenset[OpeningPlace]
    position: int
    documents: frozenset[DocumentPlace]
    change: int


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
    found = looked_through_documents(reader, target)
    return replace(found, openings=frozenset(reader.openings_naming(target.needles)), position=reader.last_position())


def looked_through_documents(reader: Reader, target: Target) -> Seen:
    """As `looked_through`, for documents alone."""
    documents = frozenset(reader.documents_naming(target.needles))
    return Seen(target, frozenset(), 0, documents, reader.last_document_change())


def openings_of(transaction: Transaction, target: Target, seen: Seen | None) -> set[OpeningPlace]:
    """All openings that name the target: those seen before, if it's still the same, and those that came since."""
    if seen is None or seen.target != target:
        return set(transaction.openings_naming(target.needles))
    return set(seen.openings) | set(transaction.openings_naming(target.needles, after_position=seen.position))


def documents_of(transaction: Transaction, target: Target, seen: Seen | None) -> set[DocumentPlace]:
    """All documents that name the target, as `openings_of` finds openings."""
    if seen is None or not _is_within(target.needles, seen.target.needles):
        return set(transaction.documents_naming(target.needles))
    return set(transaction.documents_naming_still(target.needles, seen.documents, since=seen.change))


def _is_within(some: Needles, others: Needles) -> bool:
    return some.ids <= others.ids and some.names <= others.names and some.blobs <= others.blobs


def places(reader: Reader, entry_id: str) -> list[OpeningPlace]:
    return [OpeningPlace(entry_id, opening.field) for opening in reader.openings(entry_id)]

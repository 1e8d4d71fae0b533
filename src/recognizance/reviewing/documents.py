"""Reviews, leads and probe edits as documents of the records: one type for each kind, sealed, found by labels.

A review knows its candidates by ids that were drawn for it alone. Whose faces they are stands in a document of its own,
so that no view, answer or lead can show it by mistake, and so that forgetting a face means striking it out there.

Labels and ids are stored in the clear; a case or a picture's digest stands there only as an HMAC under a key of this
installation. Implements `docs/review.md`, "What is kept".
"""

import base64
import dataclasses
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from recognizance.governance.codec import read_document, write_document
from recognizance.governance.leads import Lead, ProbeEdit
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.parties import AgencyId, CourseId, PersonId, UseId
from recognizance.governance.review import OPEN_STATES, Answer, Candidate, Review, ReviewId, ReviewState
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.records import Document, Reader, Transaction

PAGE = 200

_LABEL_KEY = "labels of reviews"

_Value = TypeVar("_Value")


class ReviewKind(StrEnum):
    """Kinds of documents."""

    REVIEW = "review"
    IDENTITIES = "review_identities"
    PICTURE = "review_picture"
    LEAD = "lead"
    EDIT = "probe_edit"
    VERSION = "probe_version"


@dataclass(frozen=True, slots=True)
class ReviewFile:
    """A review with what it belongs to.

    Attributes:
        review: Its candidates go by ids of this review's own.
        search_entry: The ledger's entry of the search.
        edits: What was done to the probe before it was searched for, in order.
        ended_at: When it was settled or withdrawn; `None` before.
    """

    review: Review
    use: UseId
    gallery: GalleryId
    case: str | None
    search_entry: str
    opened_at: datetime
    edits: tuple[ProbeEdit, ...]
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose face a candidate is."""

    alias: FaceId
    face: FaceId
    subject: SubjectId | None


@dataclass(frozen=True, slots=True)
class Identities:
    """Whose faces the candidates of a review are. What was forgotten is absent."""

    review: ReviewId
    gallery: GalleryId
    known: tuple[Identity, ...]


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture, sealed with its document."""

    data_base64: str

    @property
    def data(self) -> bytes:
        return base64.b64decode(self.data_base64)


@dataclass(frozen=True, slots=True)
class LeadFile:
    """A lead with what it belongs to."""

    lead: Lead
    use: UseId
    gallery: GalleryId
    case: str | None


@dataclass(frozen=True, slots=True)
class EditFile:
    """An edit of a probe, and the case that it was made for."""

    edit: ProbeEdit
    case: str | None
    entry: str


@dataclass(frozen=True, slots=True)
class Filed(Generic[_Value]):
    """A value, and the document that it was read from, which a change replaces."""

    value: _Value
    document: Document


@dataclass(frozen=True, slots=True)
class _StoredReview:
    """A `Review` as it is written: its seed in hexadecimal."""

    id: ReviewId
    agency: AgencyId
    searcher: PersonId
    course: CourseId
    probe_sha256: Sha256Hex
    candidates: tuple[Candidate, ...]
    seed_hex: str
    state: ReviewState
    claims: tuple[PersonId, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class _StoredReviewFile:
    review: _StoredReview
    use: UseId
    gallery: GalleryId
    case: str | None
    search_entry: str
    opened_at: datetime
    edits: tuple[ProbeEdit, ...]
    ended_at: datetime | None


def review_label_key(reader: Reader) -> bytes:
    """The key under which cases and digests of pictures stand in labels."""
    return reader.derived_key(_LABEL_KEY).reveal()


def case_label(label_key: bytes, case: str) -> str:
    """What a case stands for in labels."""
    return blinded(label_key, "case", case)


def picture_file(data: bytes) -> PictureFile:
    return PictureFile(base64.b64encode(data).decode())


def picture_id(review: ReviewId, face: FaceId | None) -> str:
    """The id of a candidate's picture, or of the probe's."""
    return f"{review}.{face or 'probe'}"


def blinded(key: bytes, what: str, text: str) -> str:
    """What stands in the clear for something private: nobody without the key can try values out."""
    return hmac.digest(key, f"{what}\n{text}".encode(), "sha256").hex()


def read_review(document: Document) -> ReviewFile:
    """Read a review.

    Raises:
        CorruptionError: If it can't be read.
    """
    stored = read_document(_StoredReviewFile, document.body)
    given, said = _fields_of(stored), _fields_of(stored.review)
    said["seed"] = bytes.fromhex(said.pop("seed_hex"))
    given["review"] = Review(**said)
    return ReviewFile(**given)


def write_review(file: ReviewFile) -> bytes:
    given, said = _fields_of(file), _fields_of(file.review)
    said["seed_hex"] = said.pop("seed").hex()
    given["review"] = _StoredReview(**said)
    return write_document(_StoredReviewFile(**given))


def review_of(reader: Reader, review: ReviewId) -> Filed[ReviewFile]:
    """One review.

    Raises:
        NotFoundError: If there is none of this id.
    """
    document = reader.document(ReviewKind.REVIEW, review)
    return Filed(read_review(document), document)


def filed(reader: Reader, kind: ReviewKind, document_id: str, value: type[_Value]) -> Filed[_Value]:
    """One document of another kind.

    Raises:
        NotFoundError: If there is none of this kind and id.
    """
    document = reader.document(kind, document_id)
    return Filed(read_document(value, document.body), document)


def documents_of(
    reader: Reader, kind: ReviewKind, *, state: str | None = None, label: tuple[str, str] | None = None
) -> Iterator[Document]:
    """All documents of a kind, ordered by id."""
    after = ""
    while page := reader.documents(kind, state=state, label=label, after=after, limit=PAGE):
        after = page[-1].id
        yield from page


def is_under_review(reader: Reader, search: str) -> bool:
    """Whether the candidates of a search, by its entry, wait for reviewers who haven't all answered."""
    reviews = documents_of(reader, ReviewKind.REVIEW, label=("search", search))
    return any(ReviewState(each.state) in OPEN_STATES for each in reviews)


def replace_review(transaction: Transaction, before: Filed[ReviewFile], file: ReviewFile) -> None:
    """Replace a review by its next revision."""
    document = dataclasses.replace(before.document, body=write_review(file), state=file.review.state.value)
    transaction.replace_document(document)


def replace_filed(transaction: Transaction, before: Filed[_Value], value: _Value, *, state: str | None = None) -> None:
    """Replace a document of another kind by its next revision."""
    document = dataclasses.replace(before.document, body=write_document(value), state=state or before.document.state)
    transaction.replace_document(document)


def _fields_of(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}

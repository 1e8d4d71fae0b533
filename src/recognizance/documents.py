"""What is on record about parties, galleries and uses: documents of the records, read and replaced as values.

Each kind of document has one type, written and read by `governance.codec`. Who may change what is in `governing/`; a
change names the revision that it was made from, and loses against one that came first. See docs/governance.md,
"Documents".
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

from recognizance.errors import NotFoundError
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.parties import (
    AgencyId,
    Person,
    PersonId,
    UseId,
)
from recognizance.governance.profiles import ProfileName
from recognizance.governance.purposes import LawfulBasis, Source
from recognizance.governance.terms import UseTerms
from recognizance.governance.uses import Use
from recognizance.identifiers import GalleryId
from recognizance.ledger import EntryId
from recognizance.records import Document, Reader, Transaction

PAGE = 500

_Value = TypeVar("_Value")


class Kind(StrEnum):
    """Kinds of documents."""

    INSTALLATION = "installation"
    AGENCY = "agency"
    PERSON = "person"
    PROGRAM = "program"
    KEY = "access_key"
    USE = "use"
    EVALUATION = "evaluation"
    """One that was published, under the commitment to its result."""
    GALLERY = "gallery"
    COUNT = "search_count"
    REQUEST = "subject_request"
    """What somebody asked the desk; its content is the desk's, its state is policy's as well."""
    ANSWER = "api_answer"
    """What was answered to a request that may come again; deleted after a day."""


class Standing(StrEnum):
    """Whether a party takes part at this time: the state of its document."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Installation:
    """This installation: how strict it is, and who answers for the machine.

    Attributes:
        agency: Of the owner, in the profile `private`; `None` in the others, where agencies are registered.
        owner: The person whom keys without another owner, and the machine's command line, act for.
    """

    profile: ProfileName
    agency: AgencyId | None
    owner: PersonId
    started: datetime


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person, and who that is: the name stands here, sealed, and nowhere else."""

    person: Person
    name: str


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody of the public said about a proposal, with their consent to publish it.

    Attributes:
        entry: The ledger's, which keeps the statement whatever becomes of it here.
        hidden: Why an overseer hid it; `None` for one that is shown.
    """

    at: datetime
    statement: str
    entry: EntryId
    hidden: str | None = None

    @property
    def published(self) -> "Comment":
        """As everybody is shown it: without its text, if it is hidden."""
        return self if self.hidden is None else replace(self, statement="")


@dataclass(frozen=True, slots=True)
class UseRecord:
    """A use and its public discussion.

    Attributes:
        proposal_entry: The ledger entry that proposes it, which votes and comments are about.
    """

    use: Use
    proposal_entry: str
    comments: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True)
class GalleryDeclaration:
    """Whose a gallery is, where all its images come from, and what allows keeping them."""

    gallery: GalleryId
    agency: AgencyId
    source: Source
    basis: LawfulBasis


@dataclass(frozen=True, slots=True)
class SearchCount:
    """Pictures searched for under a use on a UTC day."""

    use: UseId
    day: date
    searches: int


@dataclass(frozen=True, slots=True)
class Stored(Generic[_Value]):
    """A value, and the document that it was read from, which a change replaces."""

    value: _Value
    document: Document


@lru_cache(maxsize=4096)
def _read(kind: Any, body: bytes) -> Any:
    # Values never change, so that the same bytes needn't be read for each request.
    return read_document(kind, body)


def stored(reader: Reader, kind: Kind, document_id: str, value: type[_Value]) -> Stored[_Value]:
    """One document.

    Raises:
        NotFoundError: If there is none of this kind and id.
        CorruptionError: If it can't be read.
    """
    document = reader.document(kind.value, document_id)
    return Stored(_read(cast("Any", value), document.body), document)


def found(reader: Reader, kind: Kind, document_id: str, value: type[_Value]) -> Stored[_Value] | None:
    """As `stored`, with `None` for what isn't there."""
    try:
        return stored(reader, kind, document_id, value)
    except NotFoundError:
        return None


def every(reader: Reader, kind: Kind, value: type[_Value]) -> Iterator[Stored[_Value]]:
    """All documents of a kind, ordered by id."""
    after = ""
    while page := reader.documents(kind.value, after=after, limit=PAGE):
        after = page[-1].id
        for document in page:
            yield Stored(_read(cast("Any", value), document.body), document)


def inserted(
    transaction: Transaction,
    kind: Kind,
    document_id: str,
    value: object,
    *,
    state: str = Standing.ACTIVE,
    due: datetime | None = None,
) -> None:
    """Store a new document.

    Raises:
        ConflictError: If the kind has one of this id.
    """
    transaction.insert_document(Document(kind.value, document_id, state, write_document(value), due=due))


def replaced(
    transaction: Transaction,
    before: Stored[_Value],
    value: _Value,
    *,
    state: str | None = None,
    due: datetime | None = None,
) -> None:
    """Replace a document by its next revision, if nobody else has.

    Raises:
        ConflictError: If somebody has.
    """
    document = replace(before.document, body=write_document(value), state=state or before.document.state, due=due)
    transaction.replace_document(document, before=before.document)


def terms_sha256(terms: UseTerms) -> Sha256Hex:
    """The SHA-256 of the canonical JSON of a use's terms: what votes are bound to."""
    return Sha256Hex(hashlib.sha256(write_document(terms)).hexdigest())


INSTALLATION_ID = "this"


def installation_of(reader: Reader) -> Installation | None:
    """What `init` or the first start wrote; `None` before either."""
    known = found(reader, Kind.INSTALLATION, INSTALLATION_ID, Installation)
    return None if known is None else known.value

"""Declarations: whose a gallery is, where all its images come from, and what allows keeping them.

Said once for a gallery, before a face is in it: with the command `gallery declare`, with tags at the Rekognition API,
or by the import that makes it. Each is on the record. Afterwards it can't be changed, because nobody can say for faces
that are there already where they came from. A declaration outlives its gallery: the name stays its agency's.

It must never be guessed: a gallery that nobody declared has none, and what follows from that is for policy to say.

Implements `docs/governance.md`, "Sources and lawful bases", and `docs/decisions/0032-sources-are-declared.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from recognizance.documents import GalleryDeclaration, Kind, PersonRecord, found, inserted, installation_of, replaced
from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.governance.parties import Agency, AgencyId, Program
from recognizance.governance.purposes import LawfulBasis, Source
from recognizance.governance.requests import EnrolmentFacts
from recognizance.identifiers import GalleryId, PrincipalId
from recognizance.ledger import facts
from recognizance.recording import Change, Provenance, acts
from recognizance.records import Reader

TAG_PREFIX = "recognizance:"
SOURCE_TAG = "recognizance:source"
BASIS_TAG = "recognizance:basis"
AGENCY_TAG = "recognizance:agency"
_TAGS = (SOURCE_TAG, BASIS_TAG, AGENCY_TAG)

_Word = TypeVar("_Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Stated:
    """What somebody states of a gallery; `None` for what they leave as it is."""

    source: Source | None = None
    basis: LawfulBasis | None = None
    agency: AgencyId | None = None


def split_tags(tags: Mapping[str, str]) -> tuple[Stated | None, dict[str, str]]:
    """Tell the tags that declare from those that are the caller's own; `None` if none declares.

    Raises:
        InputError: If a tag begins like ours and is none, or has a value that we have no word for.
    """
    own = {name: value for name, value in tags.items() if not name.startswith(TAG_PREFIX)}
    unknown = sorted(tags.keys() - own.keys() - set(_TAGS))
    if unknown:
        raise InputError(f"there is no tag {unknown[0]!r}; a gallery is declared with {', '.join(_TAGS)}")
    if len(own) == len(tags):
        return None, own
    agency = tags.get(AGENCY_TAG)
    return (
        Stated(
            _word(Source, SOURCE_TAG, tags.get(SOURCE_TAG)),
            _word(LawfulBasis, BASIS_TAG, tags.get(BASIS_TAG)),
            None if agency is None else AgencyId(agency),
        ),
        own,
    )


def stated_enrolment(tags: Mapping[str, str]) -> EnrolmentFacts | None:
    """What tags declare, for policy to judge; `None` if none does.

    Raises:
        InputError: As for `split_tags`.
    """
    stated, _ = split_tags(tags)
    return None if stated is None else EnrolmentFacts(stated.source, stated.basis)


def tags_of(declaration: GalleryDeclaration | None) -> dict[str, str]:
    """The tags that say what is declared; they are nowhere stored as tags."""
    if declaration is None:
        return {}
    return {
        SOURCE_TAG: declaration.source.value,
        BASIS_TAG: declaration.basis.value,
        AGENCY_TAG: declaration.agency,
    }


def declared(reader: Reader, gallery: GalleryId) -> GalleryDeclaration | None:
    """What is declared of a gallery."""
    known = found(reader, Kind.GALLERY, gallery, GalleryDeclaration)
    return None if known is None else known.value


def provenance_of(reader: Reader, gallery: GalleryId, undeclared: Provenance) -> Provenance:
    """What the ledger says of where a gallery's faces come from."""
    known = declared(reader, gallery)
    if known is None:
        return undeclared
    return Provenance(known.source.value, known.basis.value, agency=known.agency)


def resolve(reader: Reader, gallery: GalleryId, stated: Stated, *, by: PrincipalId) -> GalleryDeclaration:
    """Complete what somebody states with what is declared already, and with their own agency.

    Raises:
        InputError: If something is still missing, or they name an agency that isn't theirs.
    """
    known = declared(reader, gallery)
    source = stated.source or (known.source if known else None)
    basis = stated.basis or (known.basis if known else None)
    if source is None or basis is None:
        raise InputError(f"a gallery is declared with both {SOURCE_TAG} and {BASIS_TAG}")
    own = _agency_of(reader, by)
    agency = stated.agency or (known.agency if known else None) or own
    if agency is None:
        raise InputError(f"{by!r} belongs to no agency: say whose the gallery is with {AGENCY_TAG}")
    if own is not None and agency != own:
        raise InputError(f"a gallery of {agency!r} is declared by somebody of that agency, or by an administrator")
    return GalleryDeclaration(gallery, agency, source, basis)


def declare(change: Change, declaration: GalleryDeclaration, *, by: PrincipalId) -> None:
    """Declare a gallery, before it is created or while it is empty. Again with the same words changes nothing.

    Raises:
        ConflictError: If it holds faces, whose source nobody can declare for them afterwards.
        InputError: If there is no such agency.
    """
    transaction = change.transaction
    known = found(transaction, Kind.GALLERY, declaration.gallery, GalleryDeclaration)
    if known is not None and known.value == declaration:
        return
    _require_agency(transaction, declaration.agency)
    faces = _face_count(transaction, declaration.gallery)
    if faces:
        raise ConflictError(
            f"gallery {declaration.gallery!r} holds {faces} faces, whose source and lawful basis can't be declared or"
            " changed afterwards: empty it first, or enrol into another one"
        )
    if known is None:
        inserted(transaction, Kind.GALLERY, declaration.gallery, declaration)
    else:
        replaced(transaction, known, declaration)
    change.enter(
        lambda entry: facts.GalleryDeclaration(
            gallery=declaration.gallery,
            agency=acts.token(declaration.agency),
            source=declaration.source.value,
            lawful_basis=declaration.basis.value,
            declared_by=entry.pseudonym(by),
        )
    )


def _word(words: type[_Word], tag: str, value: str | None) -> _Word | None:
    try:
        return None if value is None else words(value)
    except ValueError:
        known = ", ".join(f"'{word.value}'" for word in words)
        raise InputError(f"the tag {tag} can't be {value!r:.100}; it is one of {known}") from None


def _agency_of(reader: Reader, principal: PrincipalId) -> AgencyId | None:
    """Whose somebody is; an administrator of the service may be nobody's."""
    installation = installation_of(reader)
    if installation is not None and installation.agency is not None:
        return installation.agency
    person = found(reader, Kind.PERSON, principal, PersonRecord)
    if person is not None:
        return person.value.person.agency
    program = found(reader, Kind.PROGRAM, principal, Program)
    return None if program is None else program.value.agency


def _require_agency(reader: Reader, agency: AgencyId) -> None:
    installation = installation_of(reader)
    # The owner of a private installation is its agency, and registered nowhere.
    if installation is not None and installation.agency == agency:
        return
    if found(reader, Kind.AGENCY, agency, Agency) is None:
        raise InputError(f"there is no agency {agency!r}")


def _face_count(reader: Reader, gallery: GalleryId) -> int:
    try:
        return reader.gallery(gallery).face_count
    except NotFoundError:
        return 0

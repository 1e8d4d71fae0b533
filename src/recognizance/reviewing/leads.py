"""Leads: what reviewers confirmed, whose face that is, what lets it leave the service, and what became of it.

Only here does a candidate get a name, and only for the agency whose search it was: whoever searched, and its
supervisors. Every form in which a lead leaves carries its stamp. Export stays locked until independent evidence is
attested by a supervisor who neither searched nor reviewed. What became of a lead is said by its agency, and counted in
the register; nothing of it can be taken back.

Implements `docs/review.md`, "Leads"; Maryland 2-502, Williams v. Detroit (2024).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from recognizance.errors import NotFoundError
from recognizance.governance import Act
from recognizance.governance.codec import read_document
from recognizance.governance.leads import (
    OVER,
    Attestation,
    EvidenceKind,
    Lead,
    LeadId,
    LeadOutcome,
    LeadState,
    OutcomeKind,
    attest,
    conclude,
    export,
)
from recognizance.governance.oversight import sha256_hex
from recognizance.governance.parties import AgencyId, PersonId, Role
from recognizance.governance.review import LEAD_STAMP
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.ledger import facts
from recognizance.recording import Recorder
from recognizance.records import Reader, Records
from recognizance.reviewing.askers import Asker, Door, person_of
from recognizance.reviewing.documents import (
    Filed,
    Identities,
    LeadFile,
    PictureFile,
    ReviewKind,
    documents_of,
    filed,
    picture_id,
    replace_filed,
)
from recognizance.reviewing.entries import OUTCOME_EVENTS
from recognizance.reviewing.entries import lead as lead_entry
from recognizance.reviewing.upkeep import PICTURES_KEPT, let_identities_go


@dataclass(frozen=True, slots=True)
class NamedLead:
    """A lead with whose face it is, as far as that is still on record.

    Attributes:
        face: `None` once the face was forgotten.
        external_image_id: What whoever enrolled the face called its photograph.
    """

    lead: Lead
    case: str | None
    gallery: GalleryId
    face: FaceId | None
    subject: SubjectId | None
    external_image_id: str | None
    stamp: str = LEAD_STAMP


@dataclass(frozen=True, slots=True)
class ExportedLead:
    """What leaves the service for a line-up or a case file.

    Attributes:
        probe_png, candidate_png: As the reviewers saw them; `None` once they were destroyed.
    """

    named: NamedLead
    probe_png: bytes | None
    candidate_png: bytes | None


class Leads:
    """The service of leads. Safe to share between threads."""

    def __init__(self, records: Records, recorder: Recorder, door: Door, *, clock: Callable[[], datetime]) -> None:
        self._records = records
        self._recorder = recorder
        self._door = door
        self._clock = clock

    def list(self, asker: Asker) -> tuple[NamedLead, ...]:
        """The leads that this person may see, by id."""
        with self._records.reading() as reader:
            agency = person_of(reader, asker.person).agency
            if agency is None:
                return ()
            files = [
                read_document(LeadFile, document.body)
                for document in documents_of(reader, ReviewKind.LEAD, label=("agency", agency))
            ]
            return tuple(self._named(reader, file) for file in files if self._may_see(reader, file, asker.person))

    def show(self, lead: LeadId, asker: Asker) -> NamedLead:
        """One lead, and whose face it is.

        Raises:
            NotFoundError: If there is none, or not for this person.
        """
        with self._records.reading() as reader:
            return self._named(reader, self._visible(reader, lead, asker).value)

    def attest(self, lead: LeadId, asker: Asker, *, kind: EvidenceKind, description: str, document_sha256: str) -> None:
        """State that evidence exists which has nothing to do with the face; unlocks the lead's export.

        Args:
            document_sha256: Of the document that says so, which stays with the agency.

        Raises:
            NotFoundError: If there is no such lead, or not for this person.
            DeniedError: If this person searched or reviewed, or is no supervisor of the agency.
            ConflictError: If the lead isn't locked.
            InputError: If the description is blank or the digest is none.
        """
        self._allow(asker, Act.ATTEST_EVIDENCE, lead)
        with self._recorder.changing() as change:
            before = self._visible(change.transaction, lead, asker)
            person = person_of(change.transaction, asker.person)
            given = Attestation(person.id, kind, description, sha256_hex(document_sha256), self._clock())
            after = replace(before.value, lead=attest(before.value.lead, person, given))
            replace_filed(change.transaction, before, after, state=after.lead.state.value)
            change.enter(lead_entry(after, facts.LeadEvent.EVIDENCE_ATTESTED, asker.person))

    def export(self, lead: LeadId, asker: Asker) -> ExportedLead:
        """Take a lead out of the service; on record each time.

        Raises:
            NotFoundError: If there is no such lead, or not for this person.
            ConflictError: If it is locked or withdrawn.
        """
        self._allow(asker, Act.EXPORT_LEAD, lead)
        with self._recorder.changing() as change:
            before = self._visible(change.transaction, lead, asker)
            after = replace(before.value, lead=export(before.value.lead))
            replace_filed(change.transaction, before, after, state=after.lead.state.value)
            change.enter(lead_entry(after, facts.LeadEvent.EXPORTED, asker.person))
            named = self._named(change.transaction, after)
            review, alias = after.lead.review, after.lead.confirmation.face
            probe = _picture(change.transaction, picture_id(review, None))
            candidate = _picture(change.transaction, picture_id(review, alias))
        return ExportedLead(named, probe, candidate)

    def conclude(self, lead: LeadId, asker: Asker, *, kind: OutcomeKind, statement: str) -> None:
        """Say what became of a lead; final, but that one acted on may lead to an arrest, and any may prove false.

        Once none of a review's leads is followed any more, whose faces it was about is destroyed 30 days later.

        Args:
            statement: What was done, or why nothing was; only committed to, and opened in the case's record.

        Raises:
            NotFoundError: If there is no such lead, or not for this person.
            DeniedError: If this person is no supervisor of the agency.
            ConflictError: If this can't become of a lead in its state.
            InputError: If the statement is blank.
        """
        self._allow(asker, Act.CONCLUDE_LEAD, lead)
        with self._recorder.changing() as change:
            before, now = self._visible(change.transaction, lead, asker), self._clock()
            person = person_of(change.transaction, asker.person)
            steps = conclude(before.value.lead, person, LeadOutcome(kind, statement, person.id, now))
            for each in steps:
                event = OUTCOME_EVENTS[each.outcomes[-1].kind]
                change.enter(lead_entry(replace(before.value, lead=each), event, asker.person))
            after = replace(before.value, lead=steps[-1])
            replace_filed(change.transaction, before, after, state=after.lead.state.value)
            if after.lead.state in OVER:
                let_identities_go(change.transaction, after.lead.review, now + PICTURES_KEPT)

    def _allow(self, asker: Asker, act: Act, lead: LeadId) -> None:
        with self._records.reading() as reader:
            file = self._visible(reader, lead, asker).value
        self._door.require(asker, act, file.use)

    def _visible(self, reader: Reader, lead: LeadId, asker: Asker) -> Filed[LeadFile]:
        found = filed(reader, ReviewKind.LEAD, lead, LeadFile)
        if not self._may_see(reader, found.value, asker.person):
            raise NotFoundError(f"there is no {ReviewKind.LEAD.value} {lead!r}")
        return found

    def _may_see(self, reader: Reader, file: LeadFile, person: PersonId) -> bool:
        known = person_of(reader, person)
        is_supervisor = Role.SUPERVISOR in known.roles and known.agency == file.lead.agency
        return person == file.lead.searcher or is_supervisor

    def _named(self, reader: Reader, file: LeadFile) -> NamedLead:
        alias = file.lead.confirmation.face
        # Of one that was withdrawn or false nobody is told any more whose face it was taken for.
        if file.lead.state in {LeadState.FALSE, LeadState.WITHDRAWN}:
            return NamedLead(file.lead, file.case, file.gallery, None, None, None)
        try:
            identities = filed(reader, ReviewKind.IDENTITIES, file.lead.review, Identities).value
            identity = next(each for each in identities.known if each.alias == alias)
            row = reader.faces_by_id(file.gallery, [identity.face])[identity.face]
        except (NotFoundError, StopIteration, KeyError):
            return NamedLead(file.lead, file.case, file.gallery, None, None, None)
        return NamedLead(file.lead, file.case, file.gallery, row.face_id, row.subject, row.external_image_id)


def acted_on_in(reader: Reader, agency: AgencyId, year: int, /) -> int:
    """How many leads an agency acted on in a year (UTC), by the day on which it put that on record."""
    leads = [
        read_document(LeadFile, document.body).lead
        for document in documents_of(reader, ReviewKind.LEAD, label=("agency", agency))
    ]
    return sum(
        each.kind is OutcomeKind.ACTED_ON and each.recorded_at.astimezone(UTC).year == year
        for lead in leads
        for each in lead.outcomes
    )


def _picture(reader: Reader, document_id: str) -> bytes | None:
    try:
        return filed(reader, ReviewKind.PICTURE, document_id, PictureFile).value.data
    except NotFoundError:
        return None

"""How policy is told of what is on record, and how searches are counted in the transaction that records them.

Only reads, but for that count. What isn't found is absent, and absence is refused further up.

Implements the `Docket` of `governance.authority` over the records. See docs/governance.md, "Documents".
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import TypeVar

from recognizance.documents import (
    GalleryDeclaration,
    Installation,
    Kind,
    PersonRecord,
    SearchCount,
    Standing,
    UseRecord,
    found,
    inserted,
    replaced,
    stored,
    terms_sha256,
)
from recognizance.errors import DeniedError, NotFoundError
from recognizance.governance.authority import Docket, OwnerDocket, Party
from recognizance.governance.gate import Evidence, PublishedEvaluation, Running, assess, nothing_runs
from recognizance.governance.parties import (
    Agency,
    AgencyId,
    AgencyKind,
    CourseId,
    OwnerKind,
    Program,
    UseId,
)
from recognizance.governance.purposes import LawfulBasis, Source
from recognizance.governance.requests import EnrolmentFacts, GalleryFacts, tester_of
from recognizance.governance.subjects import RequestId, RequestState
from recognizance.governance.terms import UseTerms
from recognizance.governance.uses import Use, settled
from recognizance.identifiers import GalleryId, PrincipalId
from recognizance.permits import Permit
from recognizance.records import Reader, Records, Transaction

_Value = TypeVar("_Value")


def evidence_of(reader: Reader, terms: UseTerms, running: Running, now: datetime) -> Evidence:
    """What the evaluation that a use relies on comes to at a moment, of what runs and of its gallery as it is."""
    reference = terms.evaluation
    published = None
    if reference is not None:
        published = found(reader, Kind.EVALUATION, reference.report_sha256, PublishedEvaluation)
    return assess(
        reference,
        None if published is None else published.value,
        None if published is None else running(),
        floor_pct=terms.limits.threshold_floor_pct,
        searches=terms.gallery is not None,
        gallery_faces=_faces_in(reader, terms.gallery),
        now=now,
    )


def _faces_in(reader: Reader, gallery: GalleryId | None) -> int:
    try:
        return 0 if gallery is None else reader.gallery(gallery).face_count
    except NotFoundError:
        return 0


PHOTOGRAPHS_FOR = "desk/request/"
"""With a request's id, what its photographs are counted under, for their limit; no entry of the ledger names that."""


def searches_on(reader: Reader, use: UseId, day: date) -> int:
    """Pictures searched for under a use on a UTC day."""
    counted = found(reader, Kind.COUNT, _count_id(use, day), SearchCount)
    return 0 if counted is None else counted.value.searches


def count_search(transaction: Transaction, permit: Permit, *, now: datetime, pictures: int = 1) -> None:
    """Count a search under its use, in the transaction that records it, and refuse it if it is one too many.

    Policy looks at the count before a search, and cannot see those that are under way. There is one writer at a time,
    so here every search sees all that were answered before it: however many run side by side, no more than the use's
    limit are answered.

    Raises:
        DeniedError: If the use has no search left today. Nothing was answered then.
    """
    mandate = permit.mandate
    if mandate is None:
        return
    use, day = UseId(mandate.use), utc_day(now)
    if searches_on(transaction, use, day) + pictures > mandate.searches_per_day:
        raise DeniedError(
            f"'search' is refused. Missing: a search left for today, of the {mandate.searches_per_day} that the use"
            f" {use!r} allows; ask nobody before tomorrow (UTC); the overseers, by approving a new use",
            decision_id=permit.decision_id,
        )
    add_searches(transaction, use, day, pictures)


def add_searches(transaction: Transaction, use: UseId, day: date, pictures: int) -> None:
    """Count searches that were made under a use on a day, whatever its limit is."""
    counted = found(transaction, Kind.COUNT, _count_id(use, day), SearchCount)
    if counted is None:
        inserted(transaction, Kind.COUNT, _count_id(use, day), SearchCount(use, day, pictures))
    else:
        replaced(transaction, counted, SearchCount(use, day, counted.value.searches + pictures))


def utc_day(moment: datetime) -> date:
    """The day that a search counts for."""
    return moment.astimezone(UTC).date()


def counting(permit: Permit, *, pictures: int = 1) -> Callable[[Transaction, datetime], None]:
    """`count_search` for one permit, as the recorder takes it."""

    def count(transaction: Transaction, now: datetime) -> None:
        count_search(transaction, permit, now=now, pictures=pictures)

    return count


def _count_id(use: UseId, day: date) -> str:
    # A default use is named after its gallery, whose name may be as long as an id can be.
    return hashlib.sha256(f"{day.isoformat()} {use}".encode()).hexdigest()


def docket_of(
    records: Records, installation: Installation, *, clock: Callable[[], datetime], running: Running = nothing_runs
) -> Docket:
    """What policy is told in this installation: in the profile `private` everything is its owner's.

    Args:
        running: What runs here. Without it no evaluation fits, so that no use that relies on one allows a search.
    """
    if installation.agency is None:
        return RecordsDocket(records, installation, clock=clock, running=running)

    return OwnersDocket(records, installation, installation.agency)


def request_state(reader: Reader, request: RequestId) -> RequestState | None:
    """How a request to the desk stands; `None` if there is none of this id."""
    try:
        return RequestState(reader.document(Kind.REQUEST.value, request).state)
    except NotFoundError:
        return None


def _declared(reader: Reader, gallery: GalleryId) -> EnrolmentFacts | None:
    known = found(reader, Kind.GALLERY, gallery, GalleryDeclaration)
    return None if known is None else EnrolmentFacts(known.value.source, known.value.basis)


class OwnersDocket(OwnerDocket):
    """Answers in the profile `private`, where the records hold what was declared, counted and asked of the desk."""

    def __init__(self, records: Records, installation: Installation, agency: AgencyId) -> None:
        def newest(read: Callable[[Reader], _Value]) -> _Value:
            with records.reading() as reader:
                return read(reader)

        super().__init__(
            agency=agency,
            owner=installation.owner,
            started=installation.started,
            commit=terms_sha256,
            searches_on=lambda use, day: newest(lambda reader: searches_on(reader, use, day)),
            declared=lambda gallery: newest(lambda reader: _declared(reader, gallery)),
            request_state=lambda request: newest(lambda reader: request_state(reader, request)),
        )
        self._records = records

    @contextmanager
    def at_once(self) -> Iterator[Docket]:
        with self._records.reading() as reader:
            yield self.asking(
                searches_on=partial(searches_on, reader),
                declared=partial(_declared, reader),
                request_state=partial(request_state, reader),
            )


class RecordsDocket:
    """Answers from committed records, so that a suspension or a dismissal counts on the next request."""

    def __init__(
        self,
        records: Records,
        installation: Installation,
        *,
        clock: Callable[[], datetime],
        running: Running = nothing_runs,
        within: Reader | None = None,
    ) -> None:
        """Answer from what `within` sees, or each time from the newest records."""
        self._records = records
        self._installation = installation
        self._clock = clock
        self._running = running
        self._within = within

    @contextmanager
    def at_once(self) -> Iterator[Docket]:
        with self._records.reading() as reader:
            yield RecordsDocket(
                self._records, self._installation, clock=self._clock, running=self._running, within=reader
            )

    def party(self, principal: PrincipalId) -> Party | None:
        # Whoever runs the machine, by whatever name the program calls them.
        known_as = self._installation.owner if principal == MACHINE else principal
        with self._reading() as reader:
            person = found(reader, Kind.PERSON, known_as, PersonRecord)
            program = None if person else found(reader, Kind.PROGRAM, known_as, Program)
            if person is not None and person.document.state == Standing.ACTIVE:
                who = person.value.person
                party = Party(OwnerKind.PERSON, who.roles, who.agency, id=who.id)
            elif program is not None and program.document.state == Standing.ACTIVE:
                party = Party(OwnerKind.PROGRAM, program.value.roles, program.value.agency, id=program.value.id)
            else:
                return None
            return party if _takes_part(reader, party.agency) else None

    def trained_until(self, principal: PrincipalId, course: CourseId) -> datetime | None:
        known_as = self._installation.owner if principal == MACHINE else principal
        with self._reading() as reader:
            record = found(reader, Kind.PERSON, known_as, PersonRecord)
        last = None if record is None else record.value.person.trained_until(course)
        return None if last is None else datetime.combine(last + timedelta(days=1), time(), UTC)

    def gallery(self, gallery: GalleryId) -> GalleryFacts:
        tester = tester_of(gallery)
        if tester is not None:
            tested = EnrolmentFacts(Source.RESEARCH_DATA, LawfulBasis.RESEARCH)
            return GalleryFacts(gallery, None, frozenset({Source.RESEARCH_DATA}), enrolment=tested, tester=tester)
        with self._reading() as reader:
            declared = found(reader, Kind.GALLERY, gallery, GalleryDeclaration)
            if declared is None:
                try:
                    return GalleryFacts(gallery, None, faces_without_source=reader.gallery(gallery).face_count)
                except NotFoundError:
                    return GalleryFacts(gallery, None)
        said = declared.value
        enrolment = EnrolmentFacts(said.source, said.basis)
        return GalleryFacts(gallery, said.agency, frozenset({said.source}), enrolment=enrolment)

    def use(self, use: UseId) -> Use | None:
        with self._reading() as reader:
            record = found(reader, Kind.USE, use, UseRecord)
            if record is None:
                return None
            now, known = self._clock(), record.value.use
            # What time or votes have brought about counts even if no sweep has recorded it yet.
            steps = settled(known, now, evidence_of(reader, known.terms, self._running, now))
        return steps[-1][1] if steps else known

    def evidence(self, use: Use, now: datetime) -> Evidence:
        with self._reading() as reader:
            return evidence_of(reader, use.terms, self._running, now)

    def default_use(
        self,
        principal: PrincipalId,  # noqa: ARG002 - nobody has one here
        gallery: GalleryId | None,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> Use | None:
        """Outside the profile `private` a use is always named."""
        return None

    def agency_kind(self, agency: AgencyId) -> AgencyKind:
        with self._reading() as reader:
            return stored(reader, Kind.AGENCY, agency, Agency).value.kind

    def searches_on(self, use: UseId, day: date) -> int:
        with self._reading() as reader:
            return searches_on(reader, use, day)

    def desk_request(self, request: RequestId) -> RequestState | None:
        with self._reading() as reader:
            return request_state(reader, request)

    def _reading(self) -> AbstractContextManager[Reader]:
        return self._records.reading() if self._within is None else nullcontext(self._within)


MACHINE = PrincipalId("administrator")
"""Whoever can run commands on the data folder, and keys that were drawn there for nobody in particular."""


def _takes_part(reader: Reader, agency: AgencyId | None) -> bool:
    """A suspended agency has no people."""
    if agency is None:
        return True
    record = found(reader, Kind.AGENCY, agency, Agency)
    return record is not None and record.document.state == Standing.ACTIVE

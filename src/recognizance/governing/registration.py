"""Registration: who takes part in this installation. Agencies, people, programs, trainings, keys, galleries' owners.

Each change is one transaction with its entry in the ledger. A person's name is kept in the records, sealed, and only
committed to in the ledger, where the person is a pseudonym. Who may do what here is for the policy to say: every method
takes whoever acts, and asks.

Implements docs/governance.md, "Parties".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time

from recognizance.declarations import declare
from recognizance.docket import MACHINE
from recognizance.documents import (
    INSTALLATION_ID,
    GalleryDeclaration,
    Installation,
    Kind,
    PersonRecord,
    Standing,
    every,
    found,
    inserted,
    installation_of,
    replaced,
    stored,
)
from recognizance.errors import ConflictError, InputError
from recognizance.galleries import Clock
from recognizance.governance import AT_THE_MACHINE, Act, Asking, Principal, Role, RuledPolicy
from recognizance.governance.parties import (
    AccessKey,
    Agency,
    AgencyId,
    AgencyKind,
    OwnerKind,
    Person,
    PersonId,
    Program,
    ProgramId,
    Training,
    UseId,
    check_separation,
)
from recognizance.governance.profiles import Profile, ProfileName
from recognizance.governance.requests import EnrolmentFacts, SearchFacts
from recognizance.governance.subjects import RequestId
from recognizance.governing.access import IssuedKey, draw_key_pair
from recognizance.governing.account_news import AccountNews, Happening
from recognizance.identifiers import DecisionId, GalleryId, PrincipalId
from recognizance.ledger import facts
from recognizance.permits import Action, Permit
from recognizance.recording import EntryDraft, Recorder, acts
from recognizance.records import Reader, Records, Secret

ASSUMED = "assumed"
"""The state of an installation whose profile nobody chose."""

NO_AGENCY = "none"
"""What the ledger says of a person who belongs to no agency."""

AGENCY_ID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}")
"""What can stand in addresses, commands and file names, for good."""

_KINDS = {
    AgencyKind.LAW_ENFORCEMENT: facts.AgencyKind.LAW_ENFORCEMENT,
    AgencyKind.SERVING_LAW_ENFORCEMENT: facts.AgencyKind.LAW_ENFORCEMENT_SUPPLIER,
    AgencyKind.BUSINESS: facts.AgencyKind.BUSINESS,
    AgencyKind.RESEARCH: facts.AgencyKind.RESEARCH,
    AgencyKind.PRIVATE: facts.AgencyKind.PRIVATE,
}
_STANDINGS = {
    Standing.ACTIVE: facts.Standing.RESUMED,
    Standing.SUSPENDED: facts.Standing.SUSPENDED,
    Standing.REMOVED: facts.Standing.REMOVED,
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever asks for an act of governing, and what they brought."""

    principal: Principal
    asking: Asking = AT_THE_MACHINE


def at_the_machine(principal: PrincipalId = MACHINE) -> Actor:
    """Somebody at the machine's own command line; which roles they have is looked up."""
    return Actor(Principal(principal, frozenset()))


class Gate:
    """Asks the policy about acts of governing, on behalf of the services that do them."""

    def __init__(self, policy: RuledPolicy, *, new_id: Callable[[], str]) -> None:
        self._policy = policy
        self._new_id = new_id

    def require(self, actor: Actor, act: Act) -> tuple[PrincipalId, AgencyId | None]:
        """Refuse unless `actor` may; answers who they are on the record, and of which agency.

        Raises:
            DeniedError: Names what is missing and who can grant it.
        """
        ruling = self._policy.require(
            actor.principal, act, gallery=None, decision_id=DecisionId(self._new_id()), asking=actor.asking
        )
        return ruling.request.caller.principal, ruling.request.caller.agency

    def permit(self, actor: Actor, action: Action, gallery: GalleryId) -> Permit:
        """A permit for an act on a gallery.

        Raises:
            DeniedError: Names what is missing and who can grant it.
        """
        decision = DecisionId(self._new_id())
        return self._policy.decide(actor.principal, action, gallery=gallery, decision_id=decision, asking=actor.asking)

    def permit_for_asker(self, actor: Actor, gallery: GalleryId, request: RequestId, search: SearchFacts) -> Permit:
        """A permit for one search of a gallery on behalf of somebody who asked the desk.

        Raises:
            DeniedError: Names what is missing and who can grant it.
        """
        asking = replace(actor.asking, desk_request=request, search=search)
        decision = DecisionId(self._new_id())
        return self._policy.decide_for_asker(actor.principal, gallery=gallery, decision_id=decision, asking=asking)


def establish(
    records: Records,
    recorder: Recorder,
    profile: ProfileName,
    *,
    owner_name: str,
    clock: Clock,
    new_id: Callable[[], str],
    is_assumed: bool = False,
) -> Installation:
    """Set an installation up, once and for all; one that is set up with the same profile is left as it is.

    Args:
        is_assumed: Whether nobody chose the profile; until something begins, somebody still may (`beginning`).

    Raises:
        ConflictError: If it was set up with another profile: rules that others rely on aren't loosened by a command.
    """
    with records.reading() as reader:
        known = installation_of(reader)
    if known is not None:
        if known.profile is not profile:
            raise ConflictError(
                f"this installation was set up with the profile {known.profile.value!r}, which can't be changed;"
                f" set another folder up for {profile.value!r}"
            )
        return known
    owner = PersonId(PrincipalId(new_id()))
    agency = AgencyId(f"owner-{owner[:8]}") if profile is ProfileName.PRIVATE else None
    installation = Installation(profile, agency, owner, clock())
    with recorder.changing() as change:
        state = ASSUMED if is_assumed else Standing.ACTIVE
        inserted(change.transaction, Kind.INSTALLATION, INSTALLATION_ID, installation, state=state)
        if agency is None:
            person = Person(owner, None, frozenset({Role.ADMINISTRATOR}))
            inserted(change.transaction, Kind.PERSON, owner, PersonRecord(person, owner_name))
            change.enter(lambda entry: person_facts(entry, person, owner_name, facts.Standing.ADDED))
        else:
            change.enter(lambda _: private_agency_facts(agency, facts.Standing.ADDED))
    return installation


class Registration:
    """Registers whoever takes part, and answers who does.

    Args:
        random_bytes: `os.urandom`, or a test's own.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        gate: Gate,
        profile: Profile,
        news: AccountNews,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._news = news
        self._records = records
        self._recorder = recorder
        self._gate = gate
        self._profile = profile
        self._clock = clock
        self._new_id = new_id
        self._random_bytes = random_bytes

    def add_agency(self, agency: Agency, *, by: Actor) -> Agency:
        """Register an agency.

        Raises:
            ConflictError: If its id is taken.
            InputError: In a private installation, which is its owner's alone, or if the id can't stand in addresses
                and commands: it has 1 to 64 letters, digits and `. _ -`, and begins with a letter or a digit.
        """
        self._gate.require(by, Act.REGISTER_AGENCY)
        if AGENCY_ID.fullmatch(agency.id) is None:
            raise InputError(
                "an agency's id has 1 to 64 letters, digits and . _ -, and begins with a letter or a digit:"
                f" {agency.id!r}"
            )
        if self._profile.name is ProfileName.PRIVATE:
            raise InputError("a private installation has its owner and no agencies; set one up with another profile")
        with self._recorder.changing() as change:
            inserted(change.transaction, Kind.AGENCY, agency.id, agency)
            change.enter(lambda _: _agency_facts(agency, facts.Standing.ADDED, None))
        return agency

    def set_agency_standing(self, agency: AgencyId, standing: Standing, *, reason: str, by: Actor) -> None:
        """Suspend an agency with all its people from the next request on, or let it resume.

        Raises:
            NotFoundError: If there is none of this id.
        """
        self._gate.require(by, Act.REGISTER_AGENCY)
        with self._recorder.changing() as change:
            known = stored(change.transaction, Kind.AGENCY, agency, Agency)
            replaced(change.transaction, known, known.value, state=standing)
            change.enter(lambda _: _agency_facts(known.value, _STANDINGS[standing], reason))

    def add_person(
        self,
        name: str,
        *,
        agency: AgencyId | None,
        roles: frozenset[Role],
        interests: frozenset[AgencyId] = frozenset(),
        by: Actor,
    ) -> Person:
        """Register somebody under a pseudonym that is drawn for them.

        Raises:
            InputError: If their duties contradict each other, or there is no such agency.
        """
        self._gate.require(by, Act.MANAGE_PEOPLE)
        if not name.strip():
            raise InputError("a person needs a name; it's kept sealed and never published")
        person = Person(PersonId(PrincipalId(self._new_id())), agency, roles, interests=interests)
        check_separation([person], self._profile.separation)
        with self._recorder.changing() as change:
            _require_agency(change.transaction, agency)
            inserted(change.transaction, Kind.PERSON, person.id, PersonRecord(person, name))
            change.enter(lambda entry: person_facts(entry, person, name, facts.Standing.ADDED))
        return person

    def set_person_standing(self, person: PersonId, standing: Standing, *, by: Actor) -> None:
        """Suspend or dismiss somebody from the next request on, or let them resume.

        Raises:
            NotFoundError: If there is nobody of this pseudonym.
        """
        self._gate.require(by, Act.MANAGE_PEOPLE)
        with self._recorder.changing() as change:
            known = stored(change.transaction, Kind.PERSON, person, PersonRecord)
            who = known.value
            replaced(change.transaction, known, who, state=standing)
            change.enter(lambda entry: person_facts(entry, who.person, who.name, _STANDINGS[standing]))

    def add_program(self, name: str, *, agency: AgencyId, by: Actor) -> Program:
        """Register a program of an agency, which searches and enrols and judges nothing."""
        self._gate.require(by, Act.MANAGE_PEOPLE)
        program = Program(ProgramId(PrincipalId(self._new_id())), agency, name)
        with self._recorder.changing() as change:
            _require_agency(change.transaction, agency)
            inserted(change.transaction, Kind.PROGRAM, program.id, program)
            change.enter(
                lambda entry: facts.Person(
                    person=program.id,
                    standing=facts.Standing.ADDED,
                    agency=agency,
                    roles=("program", *sorted(program.roles)),
                    name=entry.commit("name", name),
                )
            )
        return program

    def add_training(self, person: PersonId, training: Training, *, certificate: str, by: Actor) -> Person:
        """Record that somebody passed a course.

        Args:
            certificate: What proves it, such as a file's SHA-256 or a number; committed to, not published.

        Raises:
            NotFoundError: If there is nobody of this pseudonym.
        """
        self._gate.require(by, Act.MANAGE_PEOPLE)
        with self._recorder.changing() as change:
            known = stored(change.transaction, Kind.PERSON, person, PersonRecord)
            trained = replace(known.value.person, trainings=(*known.value.person.trainings, training))
            replaced(change.transaction, known, replace(known.value, person=trained))
            change.enter(
                lambda entry: facts.Training(
                    person=person,
                    course=acts.token(training.course),
                    completed=datetime.combine(training.completed, time(), UTC),
                    expires=datetime.combine(training.expires, time(), UTC),
                    certificate=entry.commit("certificate", certificate),
                )
            )
        return trained

    def issue_key(
        self, owner: PrincipalId, *, use: UseId | None = None, expires: datetime | None = None, by: Actor
    ) -> IssuedKey:
        """Draw an access key for a person or a program, bound to one use if that is named.

        A person is told, because whoever drew it could act in their name.

        Raises:
            InputError: If there is nobody of this id.
        """
        self._gate.require(by, Act.ISSUE_KEY)
        issued, now = draw_key_pair(self._random_bytes), self._clock()
        with self._recorder.changing() as change:
            kind, agency = _owner(change.transaction, owner)
            key = AccessKey(issued.id, kind, owner, issued=now, expires=expires, bound_use=use)
            change.transaction.add_access_key(
                issued.id, secret=Secret(issued.secret.encode()), principal=owner, created=now
            )
            inserted(change.transaction, Kind.KEY, issued.id, key)
            if kind is OwnerKind.PERSON:
                self._news.note(change.transaction, PersonId(owner), Happening.KEY_DRAWN)
            change.enter(
                acts.access_key(
                    issued.id, owner, facts.Standing.ADDED, agency=agency or NO_AGENCY, use=use, expires=expires
                )
            )
        return issued

    def declare_gallery(self, declaration: GalleryDeclaration, *, by: Actor) -> None:
        """Say whose a gallery is, and where all its images come from; before it is created, or of one that is empty.

        Raises:
            ConflictError: If it holds faces already, whose source nobody can declare for them afterwards.
            DeniedError: If the caller may not, or the images are scraped.
        """
        stated = EnrolmentFacts(declaration.source, declaration.basis)
        said = replace(by, asking=replace(by.asking, enrolment=stated))
        principal, _ = self._gate.require(said, Act.REGISTER_AGENCY)
        with self._recorder.changing() as change:
            declare(change, declaration, by=principal)

    def agencies(self) -> list[tuple[Agency, Standing]]:
        """All agencies, by id; public."""
        with self._records.reading() as reader:
            return [(each.value, Standing(each.document.state)) for each in every(reader, Kind.AGENCY, Agency)]

    def people(self) -> list[tuple[PersonRecord, Standing]]:
        """All people with their names: for whoever runs the machine, and nobody else."""
        with self._records.reading() as reader:
            return [(each.value, Standing(each.document.state)) for each in every(reader, Kind.PERSON, PersonRecord)]

    def programs(self) -> list[tuple[Program, Standing]]:
        with self._records.reading() as reader:
            return [(each.value, Standing(each.document.state)) for each in every(reader, Kind.PROGRAM, Program)]


def _require_agency(reader: Reader, agency: AgencyId | None) -> None:
    if agency is not None and found(reader, Kind.AGENCY, agency, Agency) is None:
        raise InputError(f"there is no agency {agency!r}")


def _owner(reader: Reader, owner: PrincipalId) -> tuple[OwnerKind, AgencyId | None]:
    person = found(reader, Kind.PERSON, owner, PersonRecord)
    if person is not None:
        return OwnerKind.PERSON, person.value.person.agency
    program = found(reader, Kind.PROGRAM, owner, Program)
    if program is None:
        raise InputError(f"there is no person and no program {owner!r}")
    return OwnerKind.PROGRAM, program.value.agency


def _agency_facts(agency: Agency, standing: facts.Standing, reason: str | None) -> facts.Facts:
    return facts.Agency(
        agency=acts.token(agency.id),
        standing=standing,
        agency_kind=_KINDS[agency.kind],
        name=agency.name,
        accountable_person=agency.accountable_person,
        contact=agency.contact,
        reason=reason,
    )


def private_agency_facts(agency: AgencyId, standing: facts.Standing) -> facts.Facts:
    """The owner of a private installation names themselves to nobody."""
    return facts.Agency(
        agency=agency,
        standing=standing,
        agency_kind=facts.AgencyKind.PRIVATE,
        name="a private installation",
        accountable_person="its owner",
        contact="its owner",
        reason=None,
    )


def person_facts(entry: EntryDraft, person: Person, name: str, standing: facts.Standing) -> facts.Facts:
    return facts.Person(
        person=entry.pseudonym(person.id),
        standing=standing,
        agency=person.agency or NO_AGENCY,
        roles=tuple(sorted(person.roles)),
        name=entry.commit("name", name),
    )

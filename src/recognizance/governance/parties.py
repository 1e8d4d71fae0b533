"""Who takes part: agencies, people with roles and training, programs, and the access keys that they sign with.

What is public about each is in the value; names of people other than the accountable one never are, because a person is
known by a pseudonym. This module never decides what anybody may do: policies do (`cedar.py`). It only refuses parties
whose duties contradict each other, so that the two-person rules further up can rely on them. Pure: no clock, no I/O.

Implements `docs/governance.md`, "Parties" and "Separation of duties".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import combinations
from typing import NewType

from recognizance.errors import InputError
from recognizance.identifiers import AccessKeyId, PrincipalId

AgencyId = NewType("AgencyId", str)
"""An organisation that uses the service; public."""

PersonId = NewType("PersonId", PrincipalId)
"""A pseudonym drawn by us. Who it is stands in the operator's records only, never in the ledger."""

ProgramId = NewType("ProgramId", PrincipalId)
"""A program of an agency that signs with its own key."""

UseId = NewType("UseId", str)
"""An approved or proposed use; public, and the role that an `AssumeRole` call names."""

CourseId = NewType("CourseId", str)
"""A training course, as the operator names it: `face-examination-2026`."""


class AgencyKind(StrEnum):
    LAW_ENFORCEMENT = "law_enforcement"
    SERVING_LAW_ENFORCEMENT = "serving_law_enforcement"
    """A company that searches for law enforcement, or sells it the results."""
    BUSINESS = "business"
    RESEARCH = "research"
    PRIVATE = "private"
    """One person with their own machine and photographs."""


class Role(StrEnum):
    OPERATOR = "operator"
    """Searches and enrols under a use."""
    EXAMINER = "examiner"
    """Compares candidates with the probe, blind, as one of two reviewers."""
    SUPERVISOR = "supervisor"
    """Asks for uses, declares emergencies, attests independent evidence, exports leads."""
    OVERSEER = "overseer"
    """Decides on uses and changes of the rules; belongs to no agency."""
    DESK_OFFICER = "desk_officer"
    """Answers people who ask about themselves."""
    ADMINISTRATOR = "administrator"
    """Runs the machine: registers agencies, issues keys, runs retention."""
    AUDITOR = "auditor"
    """Reads the record and measures; changes nothing."""
    TESTER = "tester"
    """Measures the service from outside, with pictures of their own that aren't kept; may do nothing else."""


AGENCY_ROLES = frozenset({Role.OPERATOR, Role.EXAMINER, Role.SUPERVISOR, Role.DESK_OFFICER})
"""Roles that act for an agency, so nobody holds one without belonging to it."""

PROGRAM_ROLES = frozenset({Role.OPERATOR})
"""What a program may be. Judgement is left to people: a program never reviews, votes or attests."""


class Separation(StrEnum):
    """How far duties are kept apart."""

    STRICT = "strict"
    ONE_PERSON = "one_person"
    """One person at home is operator, administrator and auditor of their own photographs. Never an overseer."""


INCOMPATIBLE_ROLES = frozenset(
    frozenset(pair)
    for pair in [
        # An overseer decides about everybody else's acts, an auditor reports on them.
        *((Role.OVERSEER, role) for role in Role if role not in {Role.OVERSEER, Role.AUDITOR}),
        *((Role.AUDITOR, role) for role in Role if role not in {Role.OVERSEER, Role.AUDITOR}),
        # Whoever hands out keys and roles could give themselves every search.
        (Role.ADMINISTRATOR, Role.OPERATOR),
        (Role.ADMINISTRATOR, Role.EXAMINER),
        (Role.ADMINISTRATOR, Role.SUPERVISOR),
        # The desk sees whom a picture resembles, and how much, without a case and before any review.
        (Role.DESK_OFFICER, Role.OPERATOR),
        (Role.DESK_OFFICER, Role.EXAMINER),
    ]
)
"""Pairs of roles that one person can't hold under `Separation.STRICT`."""


@dataclass(frozen=True, slots=True)
class Agency:
    """An organisation that uses the service. Every field is public.

    Attributes:
        accountable_person: Name and office of the person who answers for what the agency does with this service.
        contact: Where the public reaches the agency about it.
    """

    id: AgencyId
    kind: AgencyKind
    name: str
    accountable_person: str
    contact: str

    def __post_init__(self) -> None:
        _require_text("agency", id=self.id, name=self.name, contact=self.contact)
        _require_text("agency", accountable_person=self.accountable_person)


@dataclass(frozen=True, slots=True)
class Training:
    """A course that somebody passed, and the last day on which it counts.

    >>> training = Training(CourseId("examination"), completed=date(2026, 1, 31), expires=date(2027, 1, 31))
    >>> training.is_valid_on(date(2027, 1, 31)), training.is_valid_on(date(2027, 2, 1))
    (True, False)
    """

    course: CourseId
    completed: date
    expires: date

    def __post_init__(self) -> None:
        _require_text("training", course=self.course)
        if self.expires < self.completed:
            raise InputError(f"training {self.course!r} expires on {self.expires}, before it was completed")

    def is_valid_on(self, day: date) -> bool:
        """Both the day of completion and the day of expiry count."""
        return self.completed <= day <= self.expires


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in, known by a pseudonym.

    Attributes:
        agency: `None` for overseers, and for administrators and auditors who come from outside.
        interests: Agencies that this person worked for, is paid by or is otherwise too close to; an overseer has no
            vote on them.
    """

    id: PersonId
    agency: AgencyId | None
    roles: frozenset[Role]
    trainings: tuple[Training, ...] = ()
    interests: frozenset[AgencyId] = frozenset()

    def __post_init__(self) -> None:
        _require_text("person", id=self.id)
        if not self.roles:
            raise InputError(f"person {self.id!r} has no role")
        if Role.OVERSEER in self.roles and self.agency is not None:
            raise InputError(f"person {self.id!r} belongs to agency {self.agency!r}; an overseer belongs to none")
        if Role.TESTER in self.roles and (len(self.roles) > 1 or self.agency is not None):
            raise InputError(f"person {self.id!r} is a tester, who has no other role and belongs to no agency")
        homeless = sorted(self.roles & AGENCY_ROLES)
        if homeless and self.agency is None:
            raise InputError(f"person {self.id!r} belongs to no agency; the role {homeless[0]!r} needs one")

    def trained_until(self, course: CourseId) -> date | None:
        """The last day on which `course` counts for this person; `None` if they never took it."""
        return max((training.expires for training in self.trainings if training.course == course), default=None)

    def is_trained_in(self, course: CourseId, day: date) -> bool:
        return any(training.course == course and training.is_valid_on(day) for training in self.trainings)


def separation_breaches(person: Person, separation: Separation) -> tuple[str, ...]:
    """Name each pair of this person's roles that must not meet in one person, in alphabetical order.

    >>> both = Person(PersonId(PrincipalId("p-1")), AgencyId("a-1"), frozenset({Role.OPERATOR, Role.ADMINISTRATOR}))
    >>> separation_breaches(both, Separation.STRICT)
    ('administrator and operator',)
    >>> separation_breaches(both, Separation.ONE_PERSON)
    ()
    """
    pairs = (frozenset(pair) for pair in combinations(sorted(person.roles), 2))
    return tuple(
        " and ".join(sorted(pair))
        for pair in pairs
        if pair in INCOMPATIBLE_ROLES and (separation is Separation.STRICT or Role.OVERSEER in pair)
    )


def check_separation(people: Iterable[Person], separation: Separation) -> None:
    """Refuse the first person whose duties contradict each other.

    Raises:
        InputError: Names the person's pseudonym and the pair of roles.
    """
    for person in people:
        for breach in separation_breaches(person, separation):
            raise InputError(f"person {person.id!r} can't be {breach} at once")


@dataclass(frozen=True, slots=True)
class Program:
    """A program of an agency. It searches and enrols; what needs judgement it can't do."""

    id: ProgramId
    agency: AgencyId
    name: str
    roles: frozenset[Role] = PROGRAM_ROLES

    def __post_init__(self) -> None:
        _require_text("program", id=self.id, name=self.name)
        excess = sorted(self.roles - PROGRAM_ROLES)
        if excess:
            raise InputError(f"program {self.id!r} can't have the role {excess[0]!r}; only people can")


class OwnerKind(StrEnum):
    PERSON = "person"
    PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class AccessKey:
    """The public half of a key pair, and whose it is. The secret half is nowhere in governance.

    Attributes:
        bound_use: If set, the key works for this use and no other, without naming it.
        expires: `None` for a key that is good until it is revoked.
    """

    id: AccessKeyId
    owner_kind: OwnerKind
    owner: PrincipalId
    issued: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    bound_use: UseId | None = None

    def __post_init__(self) -> None:
        _require_text("access key", id=self.id, owner=self.owner)
        if self.expires is not None and self.expires <= self.issued:
            raise InputError(f"access key {self.id!r} expires before it is issued")

    def is_valid_at(self, now: datetime) -> bool:
        """From the moment of issue up to, not including, expiry or revocation."""
        ends = [end for end in (self.expires, self.revoked) if end is not None]
        return self.issued <= now and all(now < end for end in ends)


def _require_text(what: str, **fields: str) -> None:
    for name, value in fields.items():
        if not value.strip():
            raise InputError(f"{what} needs {name.replace('_', ' ')}")

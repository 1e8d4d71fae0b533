"""Parties: duties that don't meet in one person, training with an end, keys with an owner."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations

import pytest

from recognizance.errors import InputError
from recognizance.governance.parties import (
    AGENCY_ROLES,
    AccessKey,
    Agency,
    AgencyId,
    AgencyKind,
    CourseId,
    OwnerKind,
    Person,
    PersonId,
    Program,
    ProgramId,
    Role,
    Separation,
    Training,
    check_separation,
    separation_breaches,
)
from recognizance.identifiers import AccessKeyId, PrincipalId

AGENCY = AgencyId("harbour-police")
NAME = PersonId(PrincipalId("p-1"))
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)

# Written by hand from docs/governance.md: the only pairs of roles that one person may hold where duties are kept apart.
COMPATIBLE = {
    "operator examiner",
    "operator supervisor",
    "examiner supervisor",
    "supervisor desk_officer",
    "administrator desk_officer",
    "auditor overseer",
}


@pytest.mark.parametrize("pair", list(combinations(Role, 2)), ids=" and ".join)
def test_each_pair_of_roles_is_kept_apart_or_not_as_written(pair: tuple[Role, Role]) -> None:
    """28 pairs, six of them allowed; an overseer with anybody but an auditor can't even be built, nor a tester."""
    allowed = any(set(words.split()) == {role.value for role in pair} for words in COMPATIBLE)
    outside = Role.OVERSEER in pair
    try:
        person = Person(NAME, None if outside else AGENCY, frozenset(pair))
        breaches = separation_breaches(person, Separation.STRICT)
    except InputError:
        assert outside or Role.TESTER in pair
        assert not allowed
        return

    assert (breaches == ()) == allowed
    if not allowed:
        with pytest.raises(InputError, match="at once"):
            check_separation([person], Separation.STRICT)


def test_one_person_at_home_holds_every_role_of_their_own() -> None:
    """The profile for one person keeps no duties apart, and has no overseer and no tester, who come from outside."""
    owner = Person(NAME, AGENCY, frozenset(Role) - {Role.OVERSEER, Role.TESTER})

    check_separation([owner], Separation.ONE_PERSON)
    assert separation_breaches(owner, Separation.STRICT)


@pytest.mark.parametrize(("agency", "roles"), [(AGENCY, {Role.TESTER}), (None, {Role.TESTER, Role.AUDITOR})])
def test_a_tester_is_nothing_else_and_of_no_agency(agency: AgencyId | None, roles: set[Role]) -> None:
    """Whoever tests from outside has no use of the service, and no other say in it."""
    with pytest.raises(InputError, match="is a tester"):
        Person(NAME, agency, frozenset(roles))


def test_an_overseer_belongs_to_no_agency() -> None:
    """Nobody oversees from within."""
    with pytest.raises(InputError, match="an overseer belongs to none"):
        Person(NAME, AGENCY, frozenset({Role.OVERSEER}))


@pytest.mark.parametrize("role", sorted(AGENCY_ROLES))
def test_who_acts_for_an_agency_belongs_to_one(role: Role) -> None:
    """Operators, examiners, supervisors and desk officers are somebody's."""
    with pytest.raises(InputError, match="needs one"):
        Person(NAME, None, frozenset({role}))


def test_the_best_training_counts_on_its_days() -> None:
    """Of two trainings in a course the later expiry counts; another course counts for nothing."""
    course = CourseId("face-examination")
    person = Person(
        NAME,
        AGENCY,
        frozenset({Role.EXAMINER}),
        (Training(course, date(2024, 1, 1), date(2025, 1, 1)), Training(course, date(2025, 6, 1), date(2026, 6, 1))),
    )

    assert person.trained_until(course) == date(2026, 6, 1)
    assert person.trained_until(CourseId("other")) is None
    assert person.is_trained_in(course, date(2026, 6, 1))
    assert not person.is_trained_in(course, date(2026, 6, 2))
    assert not person.is_trained_in(course, date(2025, 3, 1)), "the months between two trainings"


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OPERATOR}))
def test_a_program_has_no_judgement(role: Role) -> None:
    """A program is an operator and nothing else."""
    with pytest.raises(InputError, match="only people can"):
        Program(ProgramId(PrincipalId("camera-1")), AGENCY, "camera", frozenset({role}))


def test_a_key_counts_from_issue_to_its_first_end() -> None:
    """Expiry and revocation both end it, to the moment."""
    key = AccessKey(AccessKeyId("AKIA"), OwnerKind.PERSON, NAME, issued=NOON, expires=NOON + timedelta(days=1))
    revoked = replace(key, revoked=NOON + timedelta(hours=1))

    assert not key.is_valid_at(NOON - timedelta(seconds=1))
    assert key.is_valid_at(NOON)
    assert not key.is_valid_at(NOON + timedelta(days=1))
    assert revoked.is_valid_at(NOON + timedelta(minutes=59))
    assert not revoked.is_valid_at(NOON + timedelta(hours=1))
    assert replace(key, expires=None).is_valid_at(NOON + timedelta(days=10_000))


@pytest.mark.parametrize("field", ["id", "name", "accountable_person", "contact"])
def test_an_agency_leaves_nothing_open(field: str) -> None:
    """Everything the public is told about an agency has to be there."""
    agency = Agency(AGENCY, AgencyKind.LAW_ENFORCEMENT, "Harbour Police", "the chief of police", "1 Quay")

    with pytest.raises(InputError, match=field.replace("_", " ")):
        replace(agency, **{field: " "})  # type: ignore[arg-type] # each row names a text field of Agency

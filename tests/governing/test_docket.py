"""What policy is told of the records: for one decision, all of it as it stood at one moment."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from recognizance.docket import RecordsDocket
from recognizance.documents import Installation, Kind, PersonRecord, Standing, inserted, replaced, stored
from recognizance.governance.parties import Agency, AgencyId, AgencyKind, CourseId, Person, PersonId, Role, Training
from recognizance.governance.profiles import ProfileName
from recognizance.identifiers import GalleryId, PrincipalId
from recognizance.records import MasterKey, Records

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AGENCY = AgencyId("harbour-police")
OPERATOR = PersonId(PrincipalId("operator"))
COURSE = CourseId("examination")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """An agency with one trained operator."""
    with closing(Records.open(tmp_path, master_key=MasterKey.create_file(tmp_path / "master.key"))) as opened:
        training = Training(COURSE, date(2026, 1, 1), date(2027, 1, 1))
        person = Person(OPERATOR, AGENCY, frozenset({Role.OPERATOR}), (training,))
        with opened.transaction() as transaction:
            agency = Agency(AGENCY, AgencyKind.LAW_ENFORCEMENT, "Harbour Police", "The Chief", "desk@harbour.example")
            inserted(transaction, Kind.AGENCY, AGENCY, agency)
            inserted(transaction, Kind.PERSON, OPERATOR, PersonRecord(person, "Olga"))
        yield opened


@pytest.fixture
def docket(records: Records) -> RecordsDocket:
    return RecordsDocket(records, Installation(ProfileName.LAW_ENFORCEMENT, None, OPERATOR, NOW), clock=lambda: NOW)


def suspend_agency(records: Records) -> None:
    with records.transaction() as transaction:
        replaced(
            transaction,
            before := stored(transaction, Kind.AGENCY, AGENCY, Agency),
            before.value,
            state=Standing.SUSPENDED,
        )


def test_one_decision_sees_one_moment(records: Records, docket: RecordsDocket) -> None:
    """What changes while the facts are looked up counts for the next decision, as a whole."""
    with docket.at_once() as then:
        before = then.party(OPERATOR)
        suspend_agency(records)
        still = then.party(OPERATOR), then.agency_kind(AGENCY), then.trained_until(OPERATOR, COURSE)
    with docket.at_once() as now:
        after = now.party(OPERATOR)

    assert before is not None
    assert still == (before, AgencyKind.LAW_ENFORCEMENT, datetime(2027, 1, 2, tzinfo=UTC))
    assert after is None


def test_without_one_moment_each_answer_is_of_its_own(records: Records, docket: RecordsDocket) -> None:
    """Committed records, as they are when they are asked for."""
    before = docket.party(OPERATOR)
    suspend_agency(records)

    assert before is not None
    assert docket.party(OPERATOR) is None
    assert docket.gallery(GalleryId("arrests")).agency is None

"""Publishing: who may say what, what the ledger then says, and that the register has all nine sections of it."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from recognizance.errors import ConflictError, DeniedError, InputError, NotFoundError
from recognizance.governance.codec import write_document
from recognizance.governance.leads import Lead, LeadId, LeadOutcome, OutcomeKind
from recognizance.governance.parties import AgencyId, Role, UseId
from recognizance.governance.purposes import Purpose
from recognizance.governance.review import Confirmation, ReviewId
from recognizance.governing.incidents import Incident
from recognizance.governing.installation import Governing
from recognizance.governing.publishing import (
    DeploymentStatement,
    Dimension,
    LeadCounts,
    PublishedReport,
    RightsImpactAssessment,
    SharedData,
)
from recognizance.governing.registration import Actor, at_the_machine
from recognizance.identifiers import FaceId, GalleryId
from recognizance.ledger import Entry, Facts, FolderSource, facts
from recognizance.recording import Recorder
from recognizance.records import Document
from recognizance.register import Register, build_register, read_log
from recognizance.reviewing.documents import LeadFile, ReviewKind

from ..contract.police_world import AGENCY, USE, Clock, Police, approve, governed, take_up

DIGEST = hashlib.sha256(b"a report").hexdigest()
ROOT = at_the_machine()
DEPLOYMENT = DeploymentStatement(
    "Harbour County",
    "The County Clerk",
    "clerk@harbour.example",
    "County Code 7",
    frozenset({Purpose.INVESTIGATE_OFFENCE}),
)
ASSESSMENT = RightsImpactAssessment(
    "impact-2026", AGENCY, "find suspects", "a year, ten a day", "people with an arrest record", "wrong accusations",
    "two reviewers", "suspension; the clerk hears complaints", use=USE,
)  # fmt: skip
SHARED = SharedData(AGENCY, "State Police", "leads of case 7", "agreement of 2025", use=USE)
COUNTS = LeadCounts(AGENCY, 2025, Dimension.AGE, {"under_18": 2, "18_to_39": 90, "40_and_over": 20})


@dataclass
class Town:
    """A police installation with somebody in each role."""

    governing: Governing
    police: Police
    clock: Clock
    data: Path
    auditor: Actor

    @property
    def supervisor(self) -> Actor:
        return at_the_machine(self.police.supervisor.id)

    @property
    def overseer(self) -> Actor:
        return at_the_machine(self.police.overseers[0].id)

    @property
    def operator(self) -> Actor:
        return at_the_machine(self.police.operator.id)

    @property
    def recorder(self) -> Recorder:
        return self.governing.publishing._recorder

    def said(self, publish: Callable[[], object]) -> list[Facts]:
        """What entries an act left."""
        with self.recorder.following() as promised:
            publish()
        return [Entry.parse(each.data).facts for each in promised]


@contextmanager
def town_in(data: Path) -> Iterator[Town]:
    clock = Clock(datetime(2026, 10, 1, 12, tzinfo=UTC))
    with governed(data, clock) as governing:
        police = take_up(governing, began=clock.now)
        approve(governing, police, clock, began=clock.now)
        auditor = governing.registration.add_person("An Auditor", agency=None, roles=frozenset({Role.AUDITOR}), by=ROOT)
        town = Town(governing, police, clock, data, at_the_machine(auditor.id))
        act_on(town, sum(COUNTS.counts.values()), COUNTS.year)
        yield town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town_in(tmp_path_factory.mktemp("town") / "data") as made:
        yield made


def acts_of(town: Town) -> dict[str, tuple[set[str], Callable[[Actor], object]]]:
    """Each thing that can be published, and the roles that may."""
    publishing, incidents = town.governing.publishing, town.governing.incidents
    audit = PublishedReport("audit-2026", facts.ReportKind.AUDIT, AGENCY, DIGEST)
    yearly = PublishedReport("yearly-2026", facts.ReportKind.YEARLY, AGENCY, DIGEST, use=USE, cost_cents=1_250_000)
    violation = Incident(facts.Occurrence.VIOLATION, town.clock.now, "A search was made for another case.", AGENCY)
    return {
        "deployment": ({"administrator"}, lambda by: publishing.deployment(DEPLOYMENT, by=by)),
        "body": ({"overseer"}, lambda by: publishing.oversight_body("Harbour Oversight Board", by=by)),
        "member": ({"overseer"}, lambda by: publishing.oversight_member("Ada L.", "for the library", by=by)),
        "report": ({"supervisor"}, lambda by: publishing.report(yearly, by=by)),
        "audit": ({"auditor"}, lambda by: publishing.report(audit, by=by)),
        "rights impact": ({"supervisor"}, lambda by: publishing.rights_impact(ASSESSMENT, by=by)),
        "sharing": ({"supervisor"}, lambda by: publishing.sharing(SHARED, by=by)),
        "leads": ({"supervisor"}, lambda by: publishing.lead_figures(COUNTS, by=by)),
        "incident": (
            {"administrator", "overseer", "supervisor", "auditor", "operator"},
            lambda by: incidents.report(violation, by=by),
        ),
    }


def test_each_thing_is_published_by_those_who_answer_for_it(town: Town) -> None:
    """Every act by every role: allowed, or refused with what is missing; nobody publishes for somebody else."""
    people = {
        "administrator": ROOT,
        "overseer": town.overseer,
        "supervisor": town.supervisor,
        "auditor": town.auditor,
        "operator": town.operator,
    }
    for name, (allowed, publish) in acts_of(town).items():
        for role, somebody in people.items():
            if role not in allowed:
                with pytest.raises(DeniedError, match="ask an administrator, who assigns roles"):
                    publish(somebody)
        for role in sorted(allowed):
            [said] = town.said(partial(publish, people[role]))
            assert not isinstance(said, facts.Refusal), name


def test_what_the_service_enforces_is_not_typed_in(town: Town) -> None:
    """Profile, votes, comment period and overseers come from where they are enforced."""
    publishing = town.governing.publishing
    [deployment] = town.said(lambda: publishing.deployment(DEPLOYMENT, by=ROOT))
    [body] = town.said(lambda: publishing.oversight_body("Board", by=town.overseer))

    assert isinstance(deployment, facts.Deployment)
    assert deployment.profile == "law-enforcement"
    assert set(deployment.prohibited_uses) >= {"protected_trait", "lawful_protest", "immigration_status", "prediction"}
    assert isinstance(body, facts.OversightBody)
    assert (body.votes_needed, body.comment_period_days) == (3, 30)
    assert set(body.members) == {overseer.id for overseer in town.police.overseers}


def act_on(town: Town, count: int, year: int) -> None:
    """Leads of the agency that it acted on in a year, as the records hold them."""
    day, who = datetime(year, 7, 1, tzinfo=UTC), town.police.operator.id
    said = LeadOutcome(OutcomeKind.ACTED_ON, "asked where they had been", town.police.supervisor.id, day)
    confirmed = Confirmation(FaceId("f"), None, (who,), dissent=False)
    with town.governing.publishing._records.transaction() as transaction:
        for number in range(count):
            lead = Lead(
                LeadId(f"{year}-{number}"), ReviewId("r"), AGENCY, who, (who,), confirmed, day, outcomes=(said,)
            )
            body = write_document(LeadFile(lead, USE, GalleryId("arrests"), "case-7"))
            transaction.insert_document(Document(ReviewKind.LEAD, lead.id, "acted_on", body, labels={"agency": AGENCY}))


@pytest.mark.parametrize("off", [-1, 1])
def test_the_groups_are_the_leads_that_are_on_record(tmp_path: Path, off: int) -> None:
    """Nobody publishes fewer leads than were acted on, nor more; leads of another year don't count."""
    with town_in(tmp_path / "data") as town:
        act_on(town, 3, 2023)
        act_on(town, 5, 2022)
        counts = replace(COUNTS, year=2023, counts={"under_18": 1, "18_to_39": 2 + off})
        with pytest.raises(InputError, match="on record are 3 that the agency acted on in 2023"):
            town.governing.publishing.lead_figures(counts, by=town.supervisor)
        right = replace(COUNTS, year=2023, counts={"under_18": 1, "18_to_39": 2})
        [said] = town.said(lambda: town.governing.publishing.lead_figures(right, by=town.supervisor))

    assert isinstance(said, facts.LeadFigures)


def test_small_counts_of_people_never_reach_the_ledger(tmp_path: Path) -> None:
    """The entry has ranges, and what would give them away is a range too; exact counts are sealed. Once a year only."""
    with town_in(tmp_path / "data") as town:
        publishing = town.governing.publishing
        act_on(town, 4, 2024)
        [said] = town.said(lambda: publishing.lead_figures(COUNTS, by=town.supervisor))
        few = replace(COUNTS, year=2024, dimension=Dimension.SEX, counts={"female": 3, "male": 1})
        [withheld] = town.said(lambda: publishing.lead_figures(few, by=town.supervisor))
        with pytest.raises(ConflictError):
            publishing.lead_figures(replace(COUNTS, counts={"under_18": 3, "40_and_over": 109}), by=town.supervisor)
        with pytest.raises(InputError, match="isn't over"):
            publishing.lead_figures(replace(COUNTS, year=2026), by=town.supervisor)

    assert isinstance(said, facts.LeadFigures)
    assert {each.group: (each.count.least, each.count.most) for each in said.groups} == {
        "under_18": (1, 4),
        "18_to_39": (88, 91),
        "40_and_over": (20, 20),
    }
    assert (said.total.least, said.total.most) == (112, 112)
    assert isinstance(withheld, facts.LeadFigures)
    assert (withheld.groups, withheld.are_groups_withheld, withheld.total.most) == ((), True, 4)


def test_a_violation_reaches_an_overseer_within_a_day_or_is_shown_as_late(tmp_path: Path) -> None:
    """Reported at once, received by an overseer in time or not; another kind of incident has no clock."""
    with town_in(tmp_path / "data") as town:
        incidents, clock = town.governing.incidents, town.clock
        early, _ = incidents.report(Incident(facts.Occurrence.VIOLATION, clock.now, "one", AGENCY), by=town.operator)
        late, _ = incidents.report(Incident(facts.Occurrence.BREACH, clock.now, "two"), by=ROOT)
        outage, _ = incidents.report(Incident(facts.Occurrence.OUTAGE, clock.now, "three"), by=ROOT)
        clock.now += timedelta(hours=23)
        received = incidents.receive(early.id, "The use is suspended.", by=town.overseer)
        clock.now += timedelta(hours=2)
        waiting = [each.id for each in incidents.list(waiting=True, by=town.auditor)]
        was_late = late.is_late_at(clock.now)
        incidents.receive(late.id, "Too late; see our report.", by=town.overseer)
        with pytest.raises(ConflictError, match="received the incident"):
            incidents.receive(late.id, "again", by=town.overseer)
        with pytest.raises(DeniedError, match="the role overseer"):
            incidents.receive(outage.id, "nothing to see", by=town.supervisor)
        with pytest.raises(DeniedError, match="its own people"):
            incidents.report(Incident(facts.Occurrence.ERROR, clock.now, "x", AgencyId("other")), by=town.operator)
        with pytest.raises(InputError, match="later than now"):
            incidents.report(Incident(facts.Occurrence.ERROR, clock.now + timedelta(1), "x"), by=town.operator)
        register = register_of(town)

    assert received.time_left_at(clock.now) is None
    assert not received.is_late_at(clock.now)
    assert waiting == [late.id, outage.id]
    assert was_late
    assert [(row.statement, row.in_time) for row in register.incidents.incidents] == [
        ("one", True),
        ("two", False),
        ("three", None),
    ]


def test_an_incident_that_nobody_received_becomes_late_by_itself(tmp_path: Path) -> None:
    """As of the register's newest entry, so that everybody builds the same one."""
    with town_in(tmp_path / "data") as town:
        violation = Incident(facts.Occurrence.VIOLATION, town.clock.now, "one", AGENCY)
        town.governing.incidents.report(violation, by=town.operator)
        soon = register_of(town)
        town.clock.now += timedelta(hours=25)
        town.governing.publishing.deployment(DEPLOYMENT, by=ROOT)
        later = register_of(town)

    assert [row.in_time for row in soon.incidents.incidents] == [True]
    assert [row.in_time for row in later.incidents.incidents] == [False]
    assert later.incidents.incidents[0].received is None


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"agency": AgencyId("hill-police")}, DeniedError, "its own supervisors"),
        ({"use": UseId("unknown")}, NotFoundError, "unknown"),
        ({"risks": ""}, InputError, "risks"),
        ({"measures": "x" * 4001}, InputError, "measures: has 4001 characters"),
        ({"expires": datetime(2026, 1, 1, tzinfo=UTC)}, InputError, "expired"),
    ],
)
def test_an_assessment_that_says_too_little_is_refused(
    town: Town, change: dict[str, Any], error: type[Exception], words: str
) -> None:
    """All six elements, of the agency's own use, and not expired."""
    with pytest.raises(error, match=words):
        town.governing.publishing.rights_impact(replace(ASSESSMENT, **change), by=town.supervisor)


def test_a_rights_impact_assessment_is_no_mere_digest(town: Town) -> None:
    """It is published with its elements, so the kind of report that names one is refused."""
    report = PublishedReport("r", facts.ReportKind.RIGHTS_IMPACT, AGENCY, DIGEST)
    with pytest.raises(InputError, match="six elements"):
        town.governing.publishing.report(report, by=town.supervisor)


@pytest.mark.parametrize("counts", [{}, {"a b": 1}, {"adults": -1}, {f"g{n}": 1 for n in range(65)}])
def test_a_table_of_leads_that_is_none_is_refused(counts: dict[str, int]) -> None:
    """No group, a group that is no name, a negative count, more groups than people could read."""
    with pytest.raises(InputError):
        LeadCounts(AGENCY, 2025, Dimension.AGE, counts)


def register_of(town: Town) -> Register:
    with town.governing.publishing._records.reading() as reader:
        size = reader.marked_size()
    source, keys = FolderSource(town.recorder.public), (town.recorder.verifier,)
    reading = read_log(source, keys)
    while reading.state.size < size:
        reading = read_log(source, keys)
    return build_register(reading)


def test_the_register_has_everything_that_was_published(tmp_path: Path) -> None:
    """One entry of each kind, published by those who may: their tables have rows, and say what was said."""
    with town_in(tmp_path / "data") as town:
        who = {"administrator": ROOT, "overseer": town.overseer, "supervisor": town.supervisor, "auditor": town.auditor}
        for allowed, publish in acts_of(town).values():
            publish(who[min(allowed & who.keys())])
        register = register_of(town)

    assert [row.operator for row in register.deployment.statements] == ["Harbour County"]
    assert [row.risks for row in register.deployment.rights_impact] == ["wrong accusations"]
    assert {row.kind for row in register.deployment.reports} == {"yearly", "audit"}
    assert [row.name for row in register.oversight.bodies] == ["Harbour Oversight Board"]
    assert [(row.name, row.office) for row in register.oversight.members] == [("Ada L.", "for the library")]
    assert [row.recipient for row in register.incidents.sharing] == ["State Police"]
    assert [row.report for row in register.incidents.audits] == ["audit-2026"]
    assert [row.cost_cents for row in register.incidents.costs] == [1_250_000]
    shown = {row.group: row.count.value for row in register.use.leads_by_group}
    assert shown == {None: 112, "under_18": "<5", "18_to_39": "88 to 91", "40_and_over": 20}

"""Leads: stamped, locked, and only what two people made them."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from recognizance.errors import ConflictError, DeniedError, InputError
from recognizance.governance.leads import (
    LEAD_TABLE,
    Attestation,
    EditKind,
    EvidenceKind,
    Lead,
    LeadEvent,
    LeadId,
    LeadOutcome,
    LeadState,
    OutcomeKind,
    ProbeEdit,
    attest,
    check_edits,
    conclude,
    export,
    possible_outcomes,
    withdraw_lead,
)
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.parties import AgencyId, Person, PersonId, Role
from recognizance.governance.review import Confirmation, ReviewId
from recognizance.identifiers import FaceId, PrincipalId, SubjectId

AGENCY = AgencyId("harbour-police")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EXPECTED = {
    "locked": "attest:attested leave:not_used refute:false withdraw:withdrawn",
    "attested": "export:exported act:acted_on leave:not_used refute:false withdraw:withdrawn",
    "exported": "export:exported act:acted_on leave:not_used refute:false withdraw:withdrawn",
    "acted_on": "export:acted_on arrest:arrest refute:false withdraw:withdrawn",
    "arrest": "export:arrest refute:false withdraw:withdrawn",
    "not_used": "refute:false",
    "false": "",
    "withdrawn": "",
}


def person(name: str, role: Role = Role.SUPERVISOR, agency: AgencyId = AGENCY) -> Person:
    return Person(PersonId(PrincipalId(name)), agency, frozenset({role}))


def word_of(name: str) -> Attestation:
    identifier = PersonId(PrincipalId(name))
    return Attestation(identifier, EvidenceKind.DOCUMENT, "the ticket names them", Sha256Hex("e1" * 32), NOON)


@pytest.fixture
def lead() -> Lead:
    reviewers = (PersonId(PrincipalId("ada")), PersonId(PrincipalId("ben")))
    return Lead(
        id=LeadId("lead-1"),
        review=ReviewId("review-1"),
        agency=AGENCY,
        searcher=PersonId(PrincipalId("operator-1")),
        reviewers=reviewers,
        confirmation=Confirmation(FaceId("f"), SubjectId("s"), reviewers, dissent=False),
        created_at=NOON,
    )


@pytest.mark.parametrize(("state", "event"), list(product(LeadState, LeadEvent)))
def test_each_cell_of_the_table_is_as_written(state: LeadState, event: LeadEvent) -> None:
    """Every state and event either leads where the hand-written table says, or nowhere."""
    steps = dict(step.split(":") for step in EXPECTED[state.value].split())

    following = LEAD_TABLE.get((state, event))

    assert (following and following.value) == steps.get(event.value)


def test_a_locked_lead_does_not_leave(lead: Lead) -> None:
    """Without independent evidence there is no export, and the refusal says what unlocks it."""
    with pytest.raises(ConflictError, match="has to attest independent evidence"):
        export(lead)


def test_attested_evidence_unlocks_a_lead(lead: Lead) -> None:
    """A supervisor's word about other evidence lets it out, with that word attached."""
    out = export(attest(lead, person("sue"), word_of("sue")))

    assert out.state is LeadState.EXPORTED
    assert out.attestation == word_of("sue")


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (person("operator-1"), "whoever searched or reviewed"),
        (person("ada"), "whoever searched or reviewed"),
        (person("eve", Role.OPERATOR), "only a supervisor"),
        (person("eve", Role.SUPERVISOR, AgencyId("hill-police")), "another agency's"),
    ],
)
def test_nobody_involved_attests(lead: Lead, who: Person, why: str) -> None:
    """Neither the searcher nor a reviewer nor a stranger says that there is other evidence."""
    with pytest.raises(DeniedError, match=why):
        attest(lead, who, word_of(who.id))


def test_nobody_attests_in_anothers_name(lead: Lead) -> None:
    """The attestation names the person who brings it."""
    with pytest.raises(DeniedError, match="somebody else"):
        attest(lead, person("sue"), word_of("sam"))


def test_a_withdrawn_lead_never_leaves_again(lead: Lead) -> None:
    """A lead found to be wrong stays in, attested or not."""
    with pytest.raises(ConflictError, match="withdrawn"):
        export(withdraw_lead(attest(lead, person("sue"), word_of("sue"))))


def said(kind: OutcomeKind, name: str = "sue") -> LeadOutcome:
    return LeadOutcome(kind, "he was asked where he had been", PersonId(PrincipalId(name)), NOON)


def test_an_arrest_is_acting_on_a_lead_as_well(lead: Lead) -> None:
    """Both steps are on record, whether they are told of at once or one after the other."""
    ready = attest(lead, person("sue"), word_of("sue"))
    at_once = conclude(ready, person("sue"), said(OutcomeKind.ARREST))
    [acted_on] = conclude(ready, person("sue"), said(OutcomeKind.ACTED_ON))
    [later] = conclude(acted_on, person("sue"), said(OutcomeKind.ARREST))

    assert [each.state for each in at_once] == [LeadState.ACTED_ON, LeadState.ARREST]
    assert later == at_once[-1]
    assert [each.kind for each in later.outcomes] == [OutcomeKind.ACTED_ON, OutcomeKind.ARREST]


def test_nobody_acts_on_a_locked_lead(lead: Lead) -> None:
    """Whoever did has an incident to report; that it was false or not used can be said of a locked one."""
    for kind in (OutcomeKind.ACTED_ON, OutcomeKind.ARREST):
        with pytest.raises(ConflictError, match="report that as an incident"):
            conclude(lead, person("sue"), said(kind))
    assert possible_outcomes(lead) == (OutcomeKind.NOT_USED, OutcomeKind.FALSE)


@pytest.mark.parametrize("state", LeadState)
def test_what_can_be_said_of_a_lead_is_what_is_accepted(lead: Lead, state: LeadState) -> None:
    """In every state the choices that a page offers are those that go through."""
    there = replace(lead, state=state)
    accepted: list[OutcomeKind] = []
    for kind in OutcomeKind:
        try:
            conclude(there, person("sue"), said(kind))
        except ConflictError:
            continue
        accepted.append(kind)

    assert possible_outcomes(there) == tuple(accepted)


@pytest.mark.parametrize(
    ("who", "speaker"),
    [
        (person("eve", Role.OPERATOR), "eve"),
        (person("eve", Role.SUPERVISOR, AgencyId("hill-police")), "eve"),
        (person("sue"), "sam"),
    ],
    ids=["no supervisor", "another agency", "somebody else's word"],
)
def test_what_became_of_a_lead_is_its_agencys_word(lead: Lead, who: Person, speaker: str) -> None:
    with pytest.raises(DeniedError, match="a supervisor of its own agency"):
        conclude(lead, who, said(OutcomeKind.NOT_USED, speaker))


def test_an_outcome_says_what_was_done() -> None:
    """A bare tick is no outcome."""
    with pytest.raises(InputError, match="what was done"):
        replace(said(OutcomeKind.NOT_USED), statement=" ")


def test_the_stamp_cannot_be_changed(lead: Lead) -> None:
    """There is no lead without the words that it is no more than that."""
    assert lead.stamp == "investigative lead, not the sole basis for any action"
    with pytest.raises(ValueError, match="stamp"):
        replace(lead, stamp="match")


def test_an_attestation_describes_the_evidence() -> None:
    """A bare tick is no attestation."""
    with pytest.raises(InputError, match="what the evidence is"):
        replace(word_of("sue"), description=" ")


def edit(before: str, after: str) -> ProbeEdit:
    by = PersonId(PrincipalId("operator-1"))
    return ProbeEdit(EditKind.CROP, "0,0,80,80", Sha256Hex(before * 32), Sha256Hex(after * 32), by, NOON)


def test_a_chain_of_edits_leads_from_the_original_to_what_was_searched() -> None:
    """Each edit starts from the picture before it, and the last one made what was searched."""
    check_edits(Sha256Hex("aa" * 32), [edit("aa", "bb"), edit("bb", "cc")], Sha256Hex("cc" * 32))
    check_edits(Sha256Hex("aa" * 32), [], Sha256Hex("aa" * 32))


@pytest.mark.parametrize(
    ("edits", "searched", "why"),
    [
        ([edit("bb", "cc")], "cc", r"edit 1 \(crop\)"),
        ([edit("aa", "bb"), edit("aa", "cc")], "cc", r"edit 2 \(crop\)"),
        ([edit("aa", "bb")], "cc", "1 recorded edits"),
        ([], "bb", "0 recorded edits"),
    ],
)
def test_a_gap_in_the_edits_is_named(edits: list[ProbeEdit], searched: str, why: str) -> None:
    """An unrecorded change of the picture is found, and where."""
    with pytest.raises(ConflictError, match=why):
        check_edits(Sha256Hex("aa" * 32), edits, Sha256Hex(searched * 32))

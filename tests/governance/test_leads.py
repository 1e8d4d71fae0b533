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
    LeadState,
    ProbeEdit,
    attest,
    check_edits,
    export,
    withdraw_lead,
)
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.parties import AgencyId, Person, PersonId, Role
from recognizance.governance.review import Confirmation, ReviewId
from recognizance.identifiers import FaceId, PrincipalId, SubjectId

AGENCY = AgencyId("harbour-police")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
EXPECTED = {
    "locked": "attest:attested withdraw:withdrawn",
    "attested": "export:exported withdraw:withdrawn",
    "exported": "export:exported withdraw:withdrawn",
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

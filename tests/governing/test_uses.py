"""Uses over the records: who may take which step, what time brings about, and that each step is on the record."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from recognizance.documents import GalleryDeclaration, Standing, terms_sha256
from recognizance.errors import ConflictError, DeniedError, InputError
from recognizance.governance import Asking, Credential, Principal
from recognizance.governance.oversight import Choice
from recognizance.governance.parties import Agency, AgencyId, AgencyKind, Role, UseId
from recognizance.governance.profiles import ProfileName
from recognizance.governance.purposes import LawfulBasis, Purpose, Source
from recognizance.governance.uses import UseState
from recognizance.governing.installation import POLICIES_FOLDER, Governing
from recognizance.governing.registration import at_the_machine
from recognizance.governing.uses import Question
from recognizance.identifiers import DecisionId, GalleryId
from recognizance.permits import Action, Permit

from ..contract.police_world import AGENCY, USE, Clock, Police, approve, governed, take_up, terms

OTHER = UseId("other")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def governing(tmp_path: Path, clock: Clock) -> Iterator[Governing]:
    with governed(tmp_path / "data", clock) as opened:
        yield opened


@pytest.fixture
def police(governing: Governing) -> Police:
    return take_up(governing)


def state_of(governing: Governing, use: UseId = USE) -> UseState:
    return governing.uses.get(use).use.state


def test_a_use_becomes_active_when_enough_overseers_have_approved(
    governing: Governing, police: Police, clock: Clock
) -> None:
    """Two are too few, the third decides, and the terms voted on are those on record."""
    governing.uses.propose(USE, terms(), by=at_the_machine(police.supervisor.id))
    clock.now += timedelta(days=31)
    states = []
    for overseer in police.overseers[:3]:
        after = governing.uses.vote(USE, Choice.APPROVE, "weighed", by=at_the_machine(overseer.id))
        states.append(after.state)

    assert states == [UseState.COMMENTED, UseState.COMMENTED, UseState.ACTIVE]
    assert governing.uses.get(USE).use.terms_sha256 == terms_sha256(terms())


def test_nobody_votes_while_the_public_may_comment(governing: Governing, police: Police, clock: Clock) -> None:
    """Comments are published; after their period they are refused."""
    governing.uses.propose(USE, terms(), by=at_the_machine(police.supervisor.id))
    governing.uses.comment(USE, "Please publish the error rates.")
    with pytest.raises(ConflictError, match="isn't voted on now"):
        governing.uses.vote(USE, Choice.APPROVE, "weighed", by=at_the_machine(police.overseers[0].id))
    clock.now += timedelta(days=31)

    with pytest.raises(ConflictError, match="comments are over"):
        governing.uses.comment(USE, "Too late.")
    assert [comment.statement for comment in governing.uses.get(USE).comments] == ["Please publish the error rates."]


def test_a_use_that_could_never_be_searched_under_is_refused_when_it_is_proposed(
    governing: Governing, police: Police
) -> None:
    """Without an evaluation every search is refused, so nobody votes on it and no emergency begins with it."""
    unmeasured = replace(terms(), evaluation=None)
    with pytest.raises(InputError, match=r"the terms name no evaluation.*evaluate publish"):
        governing.uses.propose(USE, unmeasured, by=at_the_machine(police.supervisor.id))

    assert governing.uses.list() == []


def test_each_step_needs_its_role(governing: Governing, police: Police) -> None:
    """Whoever runs the machine proposes nothing, votes on nothing, and stops nothing."""
    governing.uses.propose(USE, terms(), by=at_the_machine(police.supervisor.id))
    root, operator = at_the_machine(), at_the_machine(police.operator.id)
    for somebody in (root, operator):
        with pytest.raises(DeniedError, match="the role supervisor"):
            governing.uses.propose(OTHER, terms(), by=somebody)
        with pytest.raises(DeniedError, match="the role overseer"):
            governing.uses.vote(USE, Choice.APPROVE, "weighed", by=somebody)
        with pytest.raises(DeniedError, match="the role overseer"):
            governing.uses.suspend(USE, "no", by=somebody)
    with pytest.raises(DeniedError, match="the role administrator"):
        governing.registration.add_person("Somebody", agency=None, roles=frozenset({Role.OVERSEER}), by=operator)

    assert state_of(governing) is UseState.PROPOSED


def test_an_overseer_votes_once(governing: Governing, police: Police, clock: Clock) -> None:
    """A vote is final, and a refused one changes nothing."""
    governing.uses.propose(USE, terms(), by=at_the_machine(police.supervisor.id))
    clock.now += timedelta(days=31)
    voter = at_the_machine(police.overseers[0].id)
    governing.uses.vote(USE, Choice.APPROVE, "weighed", by=voter)
    with pytest.raises(ConflictError, match="has voted already"):
        governing.uses.vote(USE, Choice.REJECT, "changed my mind", by=voter)

    assert len(governing.uses.get(USE).use.votes) == 1


def test_an_overseer_with_an_interest_has_no_vote(governing: Governing, police: Police, clock: Clock) -> None:
    """Being appointed after the proposal gives none either."""
    late = governing.registration.add_person(
        "Too close",
        agency=None,
        roles=frozenset({Role.OVERSEER}),
        interests=frozenset({AgencyId("harbour-police")}),
        by=at_the_machine(),
    )
    governing.uses.propose(USE, terms(), by=at_the_machine(police.supervisor.id))
    clock.now += timedelta(days=31)

    with pytest.raises(ConflictError, match="has no vote"):
        governing.uses.vote(USE, Choice.APPROVE, "weighed", by=at_the_machine(late.id))


def test_a_use_that_ended_is_over_at_once_and_recorded_by_the_sweep(
    governing: Governing, police: Police, clock: Clock
) -> None:
    """Reading says so before any job ran; the job records it once."""
    approve(governing, police, clock)
    clock.now += timedelta(days=400)
    seen = state_of(governing)

    assert seen is UseState.EXPIRED
    assert [governing.uses.sweep(), governing.uses.sweep()] == [1, 0]
    assert state_of(governing) is UseState.EXPIRED


def test_an_emergency_lapses_after_48_hours_by_itself(governing: Governing, police: Police, clock: Clock) -> None:
    """Begun without a vote, over without one."""
    supervisor = at_the_machine(police.supervisor.id)
    governing.uses.propose(USE, terms(), by=supervisor)
    begun = governing.uses.declare_emergency(USE, "a child was taken", by=supervisor).state
    clock.now += timedelta(hours=47, minutes=59)
    running = state_of(governing)
    clock.now += timedelta(minutes=1)

    assert (begun, running, state_of(governing)) == (UseState.EMERGENCY, UseState.EMERGENCY, UseState.LAPSED)
    assert governing.uses.sweep() == 1


def test_one_emergency_after_the_other_is_no_way_round_the_overseers(
    governing: Governing, police: Police, clock: Clock
) -> None:
    """After one that nobody authorised, the next waits as long as the public would; one that was agreed to is none."""
    supervisor = at_the_machine(police.supervisor.id)

    def declare(use: str, purpose: Purpose = Purpose.INVESTIGATE_OFFENCE) -> UseState:
        began = clock.now - timedelta(days=1)
        asked = replace(terms(began=began), purpose=purpose)
        governing.uses.propose(UseId(use), asked, by=supervisor)
        return governing.uses.declare_emergency(UseId(use), "it can't wait", by=supervisor).state

    first = declare("first")
    with pytest.raises(ConflictError, match=r"an emergency of this gallery, 'first', was declared"):
        declare("at-once", Purpose.PREVENT_IMMINENT_HARM)
    clock.now += timedelta(days=29)
    with pytest.raises(ConflictError, match="until overseers authorise it or"):
        declare("too-soon")
    clock.now += timedelta(days=1)
    second = declare("second")
    for overseer in police.overseers[:3]:
        governing.uses.vote(UseId("second"), Choice.APPROVE, "weighed", by=at_the_machine(overseer.id))

    assert [first, second, declare("third")] == [UseState.EMERGENCY] * 3


def test_a_suspended_use_is_revoked_or_reinstated_by_votes(governing: Governing, police: Police, clock: Clock) -> None:
    """One overseer stops, three decide."""
    approve(governing, police, clock)
    overseers = [at_the_machine(person.id) for person in police.overseers]
    stopped = governing.uses.suspend(USE, "complaints", by=overseers[4]).state
    for overseer in overseers[:3]:
        revoked = governing.uses.vote(USE, Choice.APPROVE, "too many", question=Question.REVOKE, by=overseer)

    assert (stopped, revoked.state) == (UseState.SUSPENDED, UseState.REVOKED)


def test_an_agency_does_not_forestall_a_revocation(governing: Governing, police: Police, clock: Clock) -> None:
    """Given up, a use keeps its leads; revoked, it doesn't. Once overseers won't revoke it, it's the agency's again."""
    approve(governing, police, clock)
    supervisor, overseers = at_the_machine(police.supervisor.id), [at_the_machine(each.id) for each in police.overseers]

    def refused() -> bool:
        with pytest.raises(ConflictError, match="until that is decided"):
            governing.uses.withdraw(USE, by=supervisor)
        return state_of(governing) is not UseState.WITHDRAWN

    governing.uses.vote(USE, Choice.APPROVE, "too many", question=Question.REVOKE, by=overseers[0])
    assert refused()
    governing.uses.suspend(USE, "complaints", by=overseers[1])
    assert refused()
    for overseer in overseers[1:4]:
        governing.uses.vote(USE, Choice.REJECT, "it was explained", question=Question.REVOKE, by=overseer)
    assert governing.uses.withdraw(USE, by=supervisor).state is UseState.WITHDRAWN


def test_only_its_own_agency_gives_a_use_up(governing: Governing, police: Police) -> None:
    """And afterwards it is over for good."""
    governing.uses.propose(USE, terms(), by=at_the_machine(police.supervisor.id))

    assert governing.uses.withdraw(USE, by=at_the_machine(police.supervisor.id)).state is UseState.WITHDRAWN
    with pytest.raises(ConflictError):
        governing.uses.withdraw(USE, by=at_the_machine(police.supervisor.id))


def test_a_purpose_stays_new_until_it_was_approved(governing: Governing, police: Police, clock: Clock) -> None:
    """Proposing and giving up again doesn't spare a purpose its public comments; an approval does, given up or not."""
    supervisor = at_the_machine(police.supervisor.id)
    governing.uses.propose(USE, terms(), by=supervisor)
    governing.uses.withdraw(USE, by=supervisor)
    again = governing.uses.propose(OTHER, terms(), by=supervisor)
    clock.now += timedelta(days=31)
    for overseer in police.overseers[:3]:
        governing.uses.vote(OTHER, Choice.APPROVE, "weighed", by=at_the_machine(overseer.id))
    governing.uses.withdraw(OTHER, by=supervisor)
    third = governing.uses.propose(UseId("third"), terms(), by=supervisor)

    assert again.comments_until == again.proposed_at + timedelta(days=30)
    assert third.comments_until == third.proposed_at


def test_a_dismissed_supervisor_proposes_nothing(governing: Governing, police: Police) -> None:
    """Standing counts at once."""
    governing.registration.set_person_standing(police.supervisor.id, Standing.REMOVED, by=at_the_machine())

    with pytest.raises(DeniedError):
        governing.uses.propose(USE, terms(), by=at_the_machine(police.supervisor.id))


def test_a_suspended_agency_has_no_people(governing: Governing, police: Police) -> None:
    """All of them at once, until it resumes."""
    governing.registration.set_agency_standing(
        AgencyId("harbour-police"), Standing.SUSPENDED, reason="an inquiry", by=at_the_machine()
    )
    with pytest.raises(DeniedError):
        governing.uses.propose(USE, terms(), by=at_the_machine(police.supervisor.id))
    governing.registration.set_agency_standing(
        AgencyId("harbour-police"), Standing.ACTIVE, reason="it is over", by=at_the_machine()
    )

    assert governing.uses.propose(USE, terms(), by=at_the_machine(police.supervisor.id)).id == USE


@pytest.mark.parametrize("name", ["Harbour!", "harbour police", "../harbour", "-x", "h" * 65, "häfen"])
def test_an_agencys_id_can_stand_in_an_address(governing: Governing, police: Police, name: str) -> None:
    """It is in the paths of its pages, in commands and in published files, for good."""
    agency = Agency(AgencyId(name), AgencyKind.LAW_ENFORCEMENT, "Harbour", "the chief", "the clerk")

    with pytest.raises(InputError, match="letters, digits"):
        governing.registration.add_agency(agency, by=at_the_machine())
    assert name not in {each.id for each, _ in governing.registration.agencies()}


def test_duties_stay_apart(governing: Governing, police: Police) -> None:
    """Nobody searches and hands out keys, and nobody judges for an agency of their own."""
    for roles in ({Role.OPERATOR, Role.ADMINISTRATOR}, {Role.OVERSEER, Role.SUPERVISOR}):
        with pytest.raises(InputError):
            governing.registration.add_person(
                "Both", agency=AgencyId("harbour-police"), roles=frozenset(roles), by=at_the_machine()
            )


def test_a_profile_is_not_changed_afterwards(tmp_path: Path, clock: Clock) -> None:
    """Setting up again with the same one changes nothing; with another it is refused."""
    with governed(tmp_path / "data", clock) as first:
        owner = first.installation.owner
    with governed(tmp_path / "data", clock) as again:
        assert again.installation.owner == owner
    with (
        pytest.raises(ConflictError, match="set up with the profile 'law-enforcement'"),
        governed(tmp_path / "data", clock, profile=ProfileName.PRIVATE),
    ):
        pass


OWN = """
@id("{name}")
@title("A rule of this place")
@missing("another day")
@ask("nobody")
{effect} (principal{role}, action == Recognizance::Action::"detect", resource);
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN.format(name="anybody", effect="permit", role=' in Recognizance::Role::"overseer"'), "may only forbid"),
        (OWN.format(name="needs-a-case", effect="forbid", role=""), "is taken"),
        ("forbid (principal, action, resource", "no valid policy"),
    ],
)
def test_a_policy_of_the_operators_that_does_not_fit_stops_the_start(
    tmp_path: Path, clock: Clock, text: str, said: str
) -> None:
    """Nothing is opened under rules that nobody can read, and nobody is permitted anything without a vote."""
    folder = tmp_path / "data" / POLICIES_FOLDER
    with governed(tmp_path / "data", clock):
        pass
    folder.mkdir()
    (folder / "own.cedar").write_text(text)

    with pytest.raises(InputError, match=said), governed(tmp_path / "data", clock):
        pass


def test_a_policy_of_the_operators_that_forbids_is_in_force(tmp_path: Path, clock: Clock) -> None:
    """And is part of the policy that the ledger has."""
    with governed(tmp_path / "data", clock):
        pass
    (tmp_path / "data" / POLICIES_FOLDER).mkdir()
    rule = OWN.format(name="not-here", effect="forbid", role="")
    (tmp_path / "data" / POLICIES_FOLDER / "own.cedar").write_text(rule)

    with governed(tmp_path / "data", clock) as governing:
        assert governing.rulebook.rule("not-here").title == "A rule of this place"
        assert rule in governing.statement()[1].document  # type: ignore[attr-defined]  # facts of a policy have one


def test_no_policy_of_the_operators_stops_those_who_watch_them(tmp_path: Path, clock: Clock) -> None:
    """A rule against everything refuses what their own people do, and no vote, no suspension and no audit."""
    with governed(tmp_path / "data", clock) as governing:
        police = take_up(governing)
        approve(governing, police, clock)
    (tmp_path / "data" / POLICIES_FOLDER).mkdir()
    rule = OWN.format(name="nothing-at-all", effect="forbid", role="")
    everything = rule.replace('action == Recognizance::Action::"detect"', "action")
    (tmp_path / "data" / POLICIES_FOLDER / "own.cedar").write_text(everything)

    with governed(tmp_path / "data", clock) as governing:
        overseers = [at_the_machine(overseer.id) for overseer in police.overseers[:3]]
        assert governing.uses.suspend(USE, "complaints", by=overseers[0]).state is UseState.SUSPENDED
        with pytest.raises(DeniedError, match="another day"):
            governing.uses.withdraw(USE, by=at_the_machine(police.supervisor.id))
        for overseer in overseers:
            ended = governing.uses.vote(USE, Choice.APPROVE, "weighed", question=Question.REVOKE, by=overseer)

    assert ended.state is UseState.REVOKED


def test_nothing_is_enrolled_into_a_gallery_that_nobody_declared(
    governing: Governing, police: Police, clock: Clock
) -> None:
    """Whoever asks, under an active use; the refusal says how to declare it, and then it is allowed."""
    gallery = GalleryId("undeclared")
    approve(governing, police, clock, gallery=gallery)
    asking = Asking(Credential.PERSON_KEY, use=USE)

    def enrol() -> Permit:
        operator = Principal(police.operator.id, frozenset())
        return governing.policy.decide(
            operator, Action.ENROL, gallery=gallery, decision_id=DecisionId("decision"), asking=asking
        )

    with pytest.raises(DeniedError, match=r"recognizance gallery declare.*recognizance:source"):
        enrol()
    declaration = GalleryDeclaration(gallery, AGENCY, Source.MISSING_PERSON_REPORT, LawfulBasis.VITAL_INTERESTS)
    governing.registration.declare_gallery(declaration, by=at_the_machine())

    assert Action.ENROL in enrol().actions


@pytest.mark.usefixtures("police")
def test_scraped_images_are_refused_as_soon_as_they_are_declared(governing: Governing) -> None:
    """On the record, as a refusal of policy that nobody can lift."""
    declaration = GalleryDeclaration(GalleryId("web"), AGENCY, Source.SCRAPED, LawfulBasis.STATUTE)

    with pytest.raises(DeniedError, match="nobody: no one can grant this"):
        governing.registration.declare_gallery(declaration, by=at_the_machine())

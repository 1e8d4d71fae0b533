"""Policies: each prohibition by itself, what a refused caller is told, and what is no valid policy."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizance.errors import InputError
from recognizance.governance.cedar import Rulebook, _entities, _question
from recognizance.governance.gate import Fitness
from recognizance.governance.parties import AgencyId, AgencyKind, OwnerKind, Role, UseId
from recognizance.governance.profiles import PROFILES, SCHEMA_FILE, ProfileName, policy_file, rulebook
from recognizance.governance.purposes import (
    Capture,
    Declaration,
    OffenceCode,
    SearchClass,
    Source,
)
from recognizance.governance.requests import (
    NOTHING_STATED,
    Act,
    Caller,
    Credential,
    GalleryFacts,
    Grounds,
    Request,
    SearchFacts,
)
from recognizance.governance.rules import Effect, PolicyFile
from recognizance.governance.subjects import RequestState
from recognizance.governance.terms import UseTerms
from recognizance.governance.uses import Use, UseState
from recognizance.identifiers import GalleryId, PrincipalId
from recognizance.permits import Action

from ..evidence import PASSED
from .faults import (
    AGENCY,
    FAULTS,
    LE,
    NOW,
    ORG,
    OTHER,
    declaring,
    evaluated,
    for_asker,
    use_of,
    with_caller,
    with_gallery,
    with_grounds,
    with_limits,
    with_search,
    with_terms,
)

MakeUse = Callable[..., Use]


LAW_ENFORCEMENT_BOOK = rulebook(PROFILES[ProfileName.LAW_ENFORCEMENT])


@pytest.fixture(scope="module")
def books() -> dict[ProfileName, Rulebook]:
    """The rulebook of each profile, loaded once."""
    return {name: rulebook(profile) for name, profile in PROFILES.items()}


@pytest.fixture
def faultless(use_in: MakeUse) -> Request:
    """A police search with which nothing is wrong."""
    return Request(
        caller=Caller(
            principal=PrincipalId("operator-1"),
            kind=OwnerKind.PERSON,
            credential=Credential.SESSION,
            roles=frozenset({Role.OPERATOR}),
            agency=AGENCY,
            bound_use=UseId("robberies-2026"),
            trained_until=NOW + timedelta(days=1),
        ),
        act=Act.SEARCH,
        now=NOW,
        gallery=GalleryFacts(GalleryId("arrests"), AGENCY, frozenset({Source.ARREST_RECORD})),
        use=use_in(UseState.ACTIVE),
        use_agency_kind=AgencyKind.LAW_ENFORCEMENT,
        search=SearchFacts(SearchClass.INITIAL_IDENTIFICATION, Capture.STILL, threshold_pct=99.0, candidates=10),
        grounds=Grounds("case-7", "a witness filmed it", OffenceCode("robbery")),
        searches_today=19,
        evidence=PASSED,
    )


LIMITS_TOLD = {
    "limit-threshold": " (the floor is 99 %, asked for was 98.9999 %)",
    "limit-candidates": " (the limit is 10, asked for were 11)",
}
# These never come alone: a stopped or unstarted use has other faults too, a live search needs a use approved for it.
ACCOMPANIED = {"needs-an-active-use", "needs-a-use-in-its-time", "needs-authority-for-live", "needs-a-stated-search"}


def test_the_faultless_search_is_allowed(books: dict[ProfileName, Rulebook], faultless: Request) -> None:
    """The starting point of every test below is allowed, by the one permission there is for it."""
    decision = books[LE].decide(faultless)

    assert decision.missing == ()
    assert (decision.allowed, decision.policies) == (True, ("operators-search",))


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_one_fault_is_refused_by_its_one_policy(
    name: str, books: dict[ProfileName, Rulebook], faultless: Request
) -> None:
    """Each prohibition refuses alone, and says what is missing, for a limit by how much, and who can grant it."""
    profile, spoil = FAULTS[name]
    request = spoil(faultless)
    rule = books[profile].rule(name)

    decision = books[profile].decide(request)

    assert (decision.allowed, decision.policies) == (False, (name,))
    assert decision.missing == (f"{rule.missing}{LIMITS_TOLD.get(name, '')}; ask {rule.ask}",)


def test_every_prohibition_has_its_fault(books: dict[ProfileName, Rulebook]) -> None:
    """No policy file holds a prohibition that no test here brings about."""
    prohibitions = {rule.name for book in books.values() for rule in book.rules if rule.effect is Effect.FORBID}

    assert prohibitions == FAULTS.keys() | ACCOMPANIED


@pytest.mark.parametrize("state", [state for state in UseState if state.value not in {
    "active", "emergency", "emergency_authorised",
}])  # fmt: skip
def test_a_use_that_is_not_active_allows_no_search(
    state: UseState, books: dict[ProfileName, Rulebook], faultless: Request, use_in: MakeUse
) -> None:
    """Proposed, suspended, expired and the others are refused by the policy of that name."""
    decision = books[LE].decide(replace(faultless, use=use_in(state)))

    assert "needs-an-active-use" in decision.policies


def test_a_use_is_refused_outside_its_time(books: dict[ProfileName, Rulebook], faultless: Request) -> None:
    """A second before its start and at its very end, a use allows nothing."""
    terms: UseTerms = use_of(faultless).terms
    for moment in (terms.starts - timedelta(seconds=1), terms.expires):
        request = with_caller(replace(faultless, now=moment), trained_until=moment + timedelta(days=1))

        assert "needs-a-use-in-its-time" in books[LE].decide(request).policies


def test_live_search_needs_an_authority_in_force(books: dict[ProfileName, Rulebook], faultless: Request) -> None:
    """Approved for live and with a statute in force it is allowed; a day after the statute's end it isn't."""
    live = with_limits(with_search(faultless, capture=Capture.LIVE), captures=frozenset({Capture.LIVE}))
    authority = use_of(live).terms.authority
    assert authority is not None
    ended = with_terms(live, authority=replace(authority, ends=NOW))

    assert books[LE].decide(live).allowed
    assert books[LE].decide(ended).policies == ("needs-authority-for-live",)


def test_a_program_may_search_live_with_authority(books: dict[ProfileName, Rulebook], faultless: Request) -> None:
    """Cameras are read by programs; people review what they find."""
    live = with_limits(with_search(faultless, capture=Capture.LIVE), captures=frozenset({Capture.LIVE}))
    program = with_caller(live, kind=OwnerKind.PROGRAM, credential=Credential.PROGRAM_KEY, trained_until=None)

    assert books[LE].decide(program).allowed


def test_a_search_that_states_nothing_is_refused(books: dict[ProfileName, Rulebook], faultless: Request) -> None:
    """Without class, threshold and number of candidates no limit could be held."""
    decision = books[LE].decide(replace(faultless, search=None))

    assert "needs-a-stated-search" in decision.policies


def test_a_threshold_is_never_rounded_into_the_limits(books: dict[ProfileName, Rulebook], faultless: Request) -> None:
    """Cedar's decimals have four places; what lies between is rounded against the caller."""
    floor = with_limits(faultless, threshold_floor_pct=99.00001)

    assert not books[LE].decide(with_search(floor, threshold_pct=99.00001)).allowed
    assert books[LE].decide(with_search(floor, threshold_pct=99.0001)).allowed


def test_the_desk_searches_for_whoever_asked_and_nobody_else(
    books: dict[ProfileName, Rulebook], faultless: Request
) -> None:
    """In every profile, under no use; each limit refuses by itself, and so does another agency's gallery."""
    limits: list[dict[str, Any]] = [
        {"threshold_pct": 79.99999},
        {"candidates": 11},
        {"capture": Capture.LIVE},
        {"probes": 2},
    ]
    closed = [state for state in RequestState if state is not RequestState.VERIFIED]
    for book in books.values():
        assert book.decide(for_asker(faultless)).allowed
        assert all(not book.decide(for_asker(faultless, **limit)).allowed for limit in limits)
        assert all(not book.decide(for_asker(faultless, state=state)).allowed for state in closed)
        assert not book.decide(replace(for_asker(faultless), asker=None)).allowed
        assert not book.decide(with_gallery(for_asker(faultless), agency=OTHER)).allowed
        session = with_caller(for_asker(faultless), credential=Credential.SESSION)
        assert book.decide(session).policies == ("needs-people-for-judgement",)


def test_the_last_search_of_the_day_is_allowed(books: dict[ProfileName, Rulebook], faultless: Request) -> None:
    """Twenty a day means that the twentieth is allowed and the twenty-first is not."""
    assert books[LE].decide(replace(faultless, searches_today=19)).allowed
    assert not books[LE].decide(replace(faultless, searches_today=20)).allowed


def test_a_refusal_names_the_missing_role_first(books: dict[ProfileName, Rulebook], faultless: Request) -> None:
    """Somebody without the role is told of it, and of everything else that is missing too."""
    decision = books[LE].decide(with_grounds(with_caller(faultless, roles=frozenset({Role.AUDITOR})), case=None))

    assert decision.missing[0] == "the role operator; ask an administrator, who assigns roles"
    assert decision.missing[1].startswith("a case: send it as the session tag Case")


def test_nobody_without_a_role_does_anything(books: dict[ProfileName, Rulebook], faultless: Request) -> None:
    """Default deny: no role, no act, in any profile."""
    for book in books.values():
        for act in Act:
            on_gallery = faultless.gallery if act.value in set(Action) else None
            request = replace(with_caller(faultless, roles=frozenset()), act=act, gallery=on_gallery)
            decision = book.decide(request)

            assert not decision.allowed
            assert decision.missing


def test_stating_a_prohibited_aim_outweighs_everything(books: dict[ProfileName, Rulebook], faultless: Request) -> None:
    """In each profile, the search is refused once a prohibited aim is stated."""
    for book in books.values():
        for aim in Declaration:
            assert not book.decide(declaring(aim)(faultless)).allowed


PERMIT = """@id("ok")
@title("Fine")
permit (principal in Recognizance::Role::"auditor", action == Recognizance::Action::"measure", resource);
"""
FORBID = """@id("no")
@title("No")
@missing("x")
@ask("y")
forbid (principal, action, resource)
when { context.searchesToday > 0 };
"""

BROKEN = {
    "the schema's attributes": (
        FORBID.replace("searchesToday", "searchesTomorow"),
        r"a\.cedar:5: policy 'no' doesn't fit the schema",
    ),
    "the schema's types": (FORBID.replace("> 0", '== "0"'), r"a\.cedar:5: policy 'no' doesn't fit the schema"),
    "an unknown act": (PERMIT.replace("measure", "guess"), r"a\.cedar:5: 'guess' is not a valid Act"),
    "syntax": (FORBID.replace("when", "whenever"), r"a\.cedar:5: no valid policy"),
    "an end": (FORBID.replace(";", ""), r"a\.cedar:5: "),
    "a name": (FORBID.replace('@id("no")\n', ""), r"a\.cedar:5: the policy needs the annotation @id"),
    "a proper name": (FORBID.replace('"no"', '"No!"'), r"a\.cedar:5: the name 'No!' isn't lower-case"),
    "a title": (FORBID.replace('@title("No")\n', ""), r"a\.cedar:5: the policy needs the annotation @title"),
    "what is missing": (FORBID.replace('@missing("x")', ""), r"a\.cedar:5: the policy needs the annotation @missing"),
    "who can grant it": (FORBID.replace('"y"', '" "'), r"a\.cedar:5: the policy needs the annotation @ask"),
    "a role": (PERMIT.replace('principal in Recognizance::Role::"auditor"', "principal"), r"a\.cedar:5: a permission"),
    "a known role": (PERMIT.replace('"auditor"', '"king"'), r"a\.cedar:5: a permission is for a role"),
    "a name of its own": (FORBID + FORBID, r"a\.cedar:11: the name 'no' is taken by the policy at a\.cedar:5"),
    "no slots": (
        FORBID.replace("forbid (principal", "forbid (principal == ?principal"),
        r"a\.cedar:5: not one complete policy",
    ),
}


@pytest.mark.parametrize("lack", sorted(BROKEN))
def test_a_service_refuses_to_start_with_a_broken_policy(lack: str) -> None:
    """The error names the file, the line and what is wrong."""
    text, message = BROKEN[lack]

    with pytest.raises(InputError, match=message):
        Rulebook(policy_file(SCHEMA_FILE), [PolicyFile("a.cedar", "// why\n\n\n\n" + text)])


def test_a_service_refuses_to_start_with_a_broken_schema() -> None:
    """A schema that isn't one is named."""
    with pytest.raises(InputError, match=r"s\.cedarschema is no valid schema"):
        Rulebook(PolicyFile("s.cedarschema", "entiti X;"), [])


def test_a_prohibition_that_cannot_be_computed_refuses(faultless: Request) -> None:
    """Cedar skips a policy whose arithmetic overflows; we refuse instead of letting the permission stand."""
    overflowing = FORBID.replace("context.searchesToday > 0", "context.searchesToday * 9223372036854775807 > 0")
    permit = PERMIT.replace("auditor", "operator").replace("measure", "search")
    book = Rulebook(policy_file(SCHEMA_FILE), [PolicyFile("a.cedar", permit + overflowing)])

    decision = book.decide(replace(faultless, searches_today=3))

    assert not decision.allowed
    assert decision.missing == (
        "policies that can be evaluated: one failed, so the request is refused; ask an administrator",
    )


def test_semicolons_in_strings_and_comments_end_no_policy() -> None:
    """A title may hold a semicolon, an escaped quotation mark and two slashes."""
    text = PERMIT.replace('"Fine"', r'"Fine; \"really\" // yes"') + "// the end; truly\n"

    book = Rulebook(policy_file(SCHEMA_FILE), [PolicyFile("a.cedar", text)])

    assert [rule.title for rule in book.rules] == ['Fine; "really" // yes']


def test_packaged_policies_have_names_of_their_own_across_files(books: dict[ProfileName, Rulebook]) -> None:
    """A name cites one policy, whichever profile it is in."""
    places = {(rule.name, rule.statement.place) for book in books.values() for rule in book.rules}

    assert len({name for name, _ in places}) == len(places)


def test_an_act_without_anything_stated_is_judged_too(books: dict[ProfileName, Rulebook], faultless: Request) -> None:
    """Grounds that were never stated are absent, not empty."""
    decision = books[LE].decide(replace(faultless, grounds=NOTHING_STATED))

    assert decision.policies == ("needs-a-case", "needs-a-justification", "needs-a-listed-offence")


def test_only_policies_that_cannot_match_an_act_are_left_out(
    books: dict[ProfileName, Rulebook], faultless: Request
) -> None:
    """Whatever the act, all the policies together, as Cedar reads them itself, give the decision that we give."""
    book = books[LE]
    schema, *files = (file.text for file in book.files)
    asked = (faultless, with_grounds(faultless, case=None), replace(faultless, gallery=None, search=None))
    decided: set[Act] = set()
    for act, example in itertools.product(Act, asked):
        request = replace(example, act=act)
        whole = cedarpy.is_authorized(_question(request), "\n".join(files), _entities(request), schema)
        if whole.decision is cedarpy.Decision.NoDecision:  # an act on galleries without one, or the other way round
            continue
        decided.add(act)

        decision = book.decide(request)

        assert decision.allowed is whole.allowed
        assert set(decision.policies) == set(whole.diagnostics.id_annotations_by_reason.values())
    assert decided == set(Act)


def test_policy_knows_every_act_on_faces() -> None:
    """What a permit can allow, policy can be asked about, in the same words."""
    assert {action.value for action in Action} <= {act.value for act in Act}


@given(text=st.text(max_size=300))
def test_any_text_as_a_case_is_judged_or_refused_as_input(text: str) -> None:
    """Quotation marks, other scripts and broken characters never reach Cedar as anything but a string."""
    book = LAW_ENFORCEMENT_BOOK
    try:
        grounds = Grounds(case=text)
    except InputError:
        assert len(text) > 256 or not text.isprintable()
        return
    caller = Caller(PrincipalId(text), OwnerKind.PERSON, Credential.SESSION, frozenset({Role.OPERATOR}), AgencyId(text))
    request = Request(
        caller=caller, act=Act.SEARCH, now=NOW, gallery=GalleryFacts(GalleryId(text), None), grounds=grounds
    )

    decision = book.decide(request)

    assert not decision.allowed
    assert ("needs-a-case" in decision.policies) == (not text.strip())


@pytest.mark.parametrize("fitness", sorted(set(Fitness) - {Fitness.PASSED}))
@pytest.mark.parametrize("act", [Act.SEARCH, Act.COMPARE])
def test_only_a_passed_evaluation_opens_a_search(
    fitness: Fitness, act: Act, books: dict[ProfileName, Rulebook], faultless: Request
) -> None:
    """Whatever else the gate finds, nothing is searched or compared, and the caller is told for whom it errs."""
    for profile in (ORG, LE):
        decision = books[profile].decide(
            evaluated(replace(faultless, act=act), fitness, "FPIR of sex:female is too high")
        )

        assert not decision.allowed
        assert sum("evaluation" in policy for policy in decision.policies) == 1
        assert any("(FPIR of sex:female is too high)" in missing for missing in decision.missing)

"""The denial matrix: credential × role × use state × purpose × act, in every profile, each cell asserted.

What is expected is in `denials.py`, written by hand from the sentences of docs/policy.md.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import product

import pytest

from recognizance.governance.parties import AgencyId, AgencyKind, OwnerKind, Role
from recognizance.governance.profiles import PROFILES, ProfileName, rulebook
from recognizance.governance.purposes import (
    PURPOSE_CLASSES,
    Capture,
    LawfulBasis,
    OffenceCode,
    Purpose,
    Source,
)
from recognizance.governance.requests import (
    Act,
    AskerFacts,
    Caller,
    Credential,
    EnrolmentFacts,
    GalleryFacts,
    Grounds,
    Request,
    SearchFacts,
)
from recognizance.governance.subjects import RequestId, RequestState
from recognizance.governance.uses import Use, UseState
from recognizance.identifiers import GalleryId, PrincipalId

from ..denials import DEPENDS_ON_PURPOSE, ON_A_GALLERY, expected
from ..evidence import PASSED

MakeUse = Callable[..., Use]

Cell = tuple[str, str, str | None, str, str]
STATES = (None, *UseState)


def cells(
    profile: ProfileName, credential: Credential, use_in: MakeUse, now: datetime
) -> Iterator[tuple[Cell, Request]]:
    """Every combination with a credential, otherwise without fault: trained, in limits, with case, source and basis."""
    agency = AgencyId("harbour-police")
    kind = {
        ProfileName.PRIVATE: AgencyKind.PRIVATE,
        ProfileName.ORGANISATION: AgencyKind.BUSINESS,
        ProfileName.LAW_ENFORCEMENT: AgencyKind.LAW_ENFORCEMENT,
    }[profile]
    gallery = GalleryFacts(GalleryId("arrests"), agency, frozenset({Source.ARREST_RECORD}))
    grounds = Grounds("case-7", "a witness filmed it", OffenceCode("robbery"))
    for state, purpose in product(STATES, Purpose):
        acts = [act for act in Act if act.value in DEPENDS_ON_PURPOSE or purpose is Purpose.INVESTIGATE_OFFENCE]
        classes = PURPOSE_CLASSES[purpose]
        use = None if state is None else use_in(state, purpose=purpose, search_classes=classes)
        search = SearchFacts(min(classes), Capture.STILL, threshold_pct=99.0, candidates=10)
        for role, act in product(Role, acts):
            # Overseers, administrators, auditors and testers come from outside the agency.
            outside = role in {Role.OVERSEER, Role.ADMINISTRATOR, Role.AUDITOR, Role.TESTER}
            caller = Caller(
                principal=PrincipalId("p"),
                kind=OwnerKind.PROGRAM if credential is Credential.PROGRAM_KEY else OwnerKind.PERSON,
                credential=credential,
                roles=frozenset({role}),
                agency=None if outside else agency,
                trained_until=now + timedelta(days=1),
            )
            request = Request(
                caller=caller,
                act=act,
                now=now,
                gallery=gallery if act.value in ON_A_GALLERY else None,
                use=use,
                use_agency_kind=None if use is None else kind,
                search=search if act in {Act.SEARCH, Act.COMPARE, Act.SEARCH_FOR_ASKER} else None,
                enrolment=EnrolmentFacts(Source.ARREST_RECORD, LawfulBasis.STATUTE) if act is Act.ENROL else None,
                grounds=grounds,
                evidence=PASSED,
                asker=AskerFacts(RequestId("r-1"), RequestState.VERIFIED) if act is Act.SEARCH_FOR_ASKER else None,
            )
            yield (credential.value, role.value, state and state.value, purpose.value, act.value), request


@pytest.mark.slow
@pytest.mark.parametrize("credential", Credential)
@pytest.mark.parametrize("profile", ProfileName)
def test_every_cell_of_the_denial_matrix(
    profile: ProfileName, credential: Credential, use_in: MakeUse, now: datetime
) -> None:
    """Tens of thousands of requests a profile, each allowed or refused as the sentences say, each refusal explained."""
    book = rulebook(PROFILES[profile])
    wrong: list[Cell] = []
    unexplained: list[Cell] = []
    count = 0
    for cell, request in cells(profile, credential, use_in, now):
        decision = book.decide(request)
        count += 1
        if decision.allowed != expected(profile, *cell):
            wrong.append(cell)
        if decision.allowed == bool(decision.missing):
            unexplained.append(cell)

    acts = len(DEPENDS_ON_PURPOSE) * len(Purpose) + len(Act) - len(DEPENDS_ON_PURPOSE)
    assert count == len(Role) * len(STATES) * acts
    assert wrong == []
    assert unexplained == []

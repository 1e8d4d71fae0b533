"""What a decision of the policies costs, beside what a search costs on the same machine in the same run.

The proxy for a search is the arithmetic of one template: as many float32 multiplications as the default recogniser
needs (0.56 GMAC), by NumPy on one thread. A real search decodes, detects and aligns as well, so the share printed here
is too high rather than too low. The two are measured alternately, and the share is of the fastest of each: a template
is long enough to be interrupted on a busy machine, a decision is not, and a share of medians would flatter us.

    python benchmarks/policy.py
"""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read once, when NumPy is imported

import numpy as np

from recognizance.governance.authority import Authority, OwnerDocket
from recognizance.governance.oversight import Sha256Hex
from recognizance.governance.parties import AgencyId, AgencyKind, OwnerKind, PersonId, Role, UseId
from recognizance.governance.profiles import (
    PROFILES,
    ProfileName,
    activate_default_use,
    default_use_terms,
    propose,
    rulebook,
)
from recognizance.governance.purposes import Capture, OffenceCode, SearchClass, Source
from recognizance.governance.requests import (
    Act,
    Asking,
    Caller,
    Credential,
    GalleryFacts,
    Grounds,
    Request,
    SearchFacts,
)
from recognizance.governance.terms import EvaluationId, EvaluationOutcome, EvaluationReference
from recognizance.identifiers import DecisionId, GalleryId, ModelId, PrincipalId

ROUNDS = 40
DECISIONS_A_ROUND = 10
TEMPLATE_GMAC = 0.56
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def main() -> None:
    left, right = _factors()
    cases: dict[str, Callable[[], object]] = {
        "law-enforcement, allowed": _police(allowed=True),
        "law-enforcement, refused": _police(allowed=False),
        "private, with look-ups": _private(),
    }
    template_s: list[float] = []
    decision_s: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        template_s.append(_seconds(lambda: left @ right))
        for name, decide in cases.items():
            decision_s[name] += [_seconds(decide) for _ in range(DECISIONS_A_ROUND)]
    template_ms = min(template_s) * 1000
    print(f"template proxy ({TEMPLATE_GMAC} GMAC): {template_ms:.2f} ms at best")
    for name, timings in decision_s.items():
        best_ms, median_ms = min(timings) * 1000, statistics.median(timings) * 1000
        share = best_ms / template_ms
        print(f"{name}: {best_ms:.3f} ms at best, {median_ms:.3f} ms median, {share:.1%} of a template")


def _factors() -> tuple[np.ndarray, np.ndarray]:
    """Two square matrices whose product takes as many multiplications as a template."""
    side = round((TEMPLATE_GMAC * 1e9) ** (1 / 3))
    random = np.random.default_rng(0)
    return (
        random.random((side, side), dtype=np.float32),
        random.random((side, side), dtype=np.float32),
    )


def _seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def _police(*, allowed: bool) -> Callable[[], object]:
    """A police search that meets every policy, or one without a case."""
    agency, gallery = AgencyId("harbour-police"), GalleryId("arrests")
    terms = default_use_terms(agency, gallery, NOW - timedelta(days=1))
    model = ModelId("sface-2021dec@fb143eea07838aa5")
    terms = replace(
        terms,
        review_required=True,
        course="face-examination",
        evaluation=EvaluationReference(EvaluationId("lab"), model, EvaluationOutcome.PASSED, terms.starts),
        limits=replace(terms.limits, offences=frozenset({OffenceCode("robbery")})),
    )
    proposed = propose(
        PROFILES[ProfileName.PRIVATE],
        use=UseId("robberies"),
        terms=terms,
        terms_sha256=Sha256Hex("00" * 32),
        proposer=PersonId(PrincipalId("supervisor")),
        overseers=frozenset(),
        purpose_is_new=False,
        now=terms.starts,
    )
    request = Request(
        caller=Caller(
            PrincipalId("operator"),
            OwnerKind.PERSON,
            Credential.SESSION,
            frozenset({Role.OPERATOR}),
            agency,
            trained_until=NOW + timedelta(days=1),
        ),
        act=Act.SEARCH,
        now=NOW,
        gallery=GalleryFacts(gallery, agency, frozenset({Source.ARREST_RECORD})),
        use=activate_default_use(proposed, terms.starts),
        use_agency_kind=AgencyKind.LAW_ENFORCEMENT,
        search=SearchFacts(SearchClass.ARCHIVE, Capture.STILL, threshold_pct=99.0, candidates=10),
        grounds=Grounds("case-7" if allowed else None, "a witness filmed it", OffenceCode("robbery")),
    )
    book = rulebook(PROFILES[ProfileName.LAW_ENFORCEMENT])
    if book.decide(request).allowed is not allowed:
        raise SystemExit(f"the benchmark's request is decided otherwise than meant: {book.decide(request)}")
    return lambda: book.decide(request)


def _private() -> Callable[[], object]:
    """A search at home, with the look-ups that precede its decision."""
    docket = OwnerDocket(
        agency=AgencyId("home"),
        owner=PersonId(PrincipalId("owner")),
        started=NOW - timedelta(days=1),
        commit=lambda _: Sha256Hex("00" * 32),
        searches_on=lambda _, __: 0,
    )
    profile = PROFILES[ProfileName.PRIVATE]
    authority = Authority(profile, rulebook(profile), docket)
    asking = Asking(Credential.PERSON_KEY, search=SearchFacts(None, Capture.STILL, 80.0, 10))

    def decide() -> None:
        authority.rule(
            PrincipalId("owner"),
            Act.SEARCH,
            gallery=GalleryId("family"),
            asking=asking,
            decision_id=DecisionId("d"),
            now=NOW,
        ).require()

    return decide


if __name__ == "__main__":
    main()

"""What a decision of the policies costs, beside what a search costs on the same machine in the same run.

The proxy for a search is the arithmetic of one template: as many float32 multiplications as the default recogniser
needs (0.56 GMAC), by NumPy on one thread. A real search decodes, detects and aligns as well, so the share printed here
is too high rather than too low. The two are measured alternately, and the share is of the fastest of each: a template
is long enough to be interrupted on a busy machine, a decision is not, and a share of medians would flatter us.

The look-ups of a police search in the records are made in one transaction, beside a transaction each, by turns.

    python benchmarks/policy.py
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read once, when NumPy is imported

import numpy as np

from recognizance.docket import RecordsDocket
from recognizance.documents import GalleryDeclaration, Installation, Kind, PersonRecord, UseRecord, inserted
from recognizance.governance.authority import Authority, Docket, OwnerDocket
from recognizance.governance.gate import Evidence, Fitness
from recognizance.governance.oversight import Quorum, Sha256Hex
from recognizance.governance.parties import (
    Agency,
    AgencyId,
    AgencyKind,
    CourseId,
    OwnerKind,
    Person,
    PersonId,
    Role,
    Training,
    UseId,
)
from recognizance.governance.profiles import (
    PROFILES,
    ProfileName,
    activate_default_use,
    default_use_terms,
    propose,
    rulebook,
)
from recognizance.governance.purposes import Capture, LawfulBasis, OffenceCode, SearchClass, Source
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
from recognizance.governance.terms import ErrorLimits, EvaluationId, EvaluationReference
from recognizance.identifiers import DecisionId, GalleryId, PrincipalId
from recognizance.records import MasterKey, Records

ROUNDS = 40
DECISIONS_A_ROUND = 10
TEMPLATE_GMAC = 0.56
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
POLICE = AgencyId("harbour-police")
ARRESTS = GalleryId("arrests")


def main() -> None:
    left, right = _factors()
    with tempfile.TemporaryDirectory() as folder, closing(_records(Path(folder))) as records:
        _measure(left, right, _recorded(records))


def _measure(left: np.ndarray, right: np.ndarray, recorded: dict[str, Callable[[], object]]) -> None:
    cases: dict[str, Callable[[], object]] = {
        "law-enforcement, allowed": _police(allowed=True),
        "law-enforcement, refused": _police(allowed=False),
        "private, with look-ups": _private(),
        **recorded,
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
    request = _police_request(allowed=allowed)
    book = rulebook(PROFILES[ProfileName.LAW_ENFORCEMENT])
    if book.decide(request).allowed is not allowed:
        raise SystemExit(f"the benchmark's request is decided otherwise than meant: {book.decide(request)}")
    return lambda: book.decide(request)


def _police_request(*, allowed: bool) -> Request:
    """A police search that meets every policy, or one without a case."""
    agency, gallery = POLICE, ARRESTS
    terms = default_use_terms(agency, gallery, NOW - timedelta(days=1))
    terms = replace(
        terms,
        review_required=True,
        course=CourseId("face-examination"),
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
    use = activate_default_use(proposed, terms.starts)
    # Named afterwards: a use that relies on an evaluation isn't activated without its results, which are nobody's here.
    evaluation = EvaluationReference(EvaluationId("lab"), Sha256Hex("1e" * 32), ErrorLimits(fpir=0.01))
    return Request(
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
        use=replace(use, terms=replace(terms, evaluation=evaluation)),
        use_agency_kind=AgencyKind.LAW_ENFORCEMENT,
        search=SearchFacts(SearchClass.ARCHIVE, Capture.STILL, threshold_pct=99.0, candidates=10),
        grounds=Grounds("case-7" if allowed else None, "a witness filmed it", OffenceCode("robbery")),
        evidence=Evidence(Fitness.PASSED),
    )


def _records(folder: Path) -> Records:
    """A police installation as far as a search of its operator asks for it."""
    records = Records.open(folder, master_key=MasterKey.create_file(folder / "master.key"))
    request = _police_request(allowed=True)
    if request.use is None:
        raise SystemExit("a police search is of some use")
    training = Training(CourseId("face-examination"), NOW.date(), (NOW + timedelta(days=1)).date())
    person = Person(PersonId(PrincipalId("operator")), POLICE, frozenset({Role.OPERATOR}), (training,))
    with records.transaction() as transaction:
        agency = Agency(POLICE, AgencyKind.LAW_ENFORCEMENT, "Harbour Police", "The Chief", "desk@harbour.example")
        inserted(transaction, Kind.AGENCY, POLICE, agency)
        inserted(transaction, Kind.PERSON, person.id, PersonRecord(person, "Olga"))
        declared = GalleryDeclaration(ARRESTS, POLICE, Source.ARREST_RECORD, LawfulBasis.STATUTE)
        inserted(transaction, Kind.GALLERY, ARRESTS, declared)
        # A use that nobody would have to vote on is revoked by the votes of nobody.
        use = replace(request.use, quorum=Quorum(1, frozenset({PersonId(PrincipalId("overseer"))})))
        inserted(transaction, Kind.USE, use.id, UseRecord(use, "entry"))
    return records


class _Apart(RecordsDocket):
    """A docket that opens a transaction for every answer."""

    @contextmanager
    def at_once(self) -> Iterator[Docket]:
        yield self


def _recorded(records: Records) -> dict[str, Callable[[], object]]:
    """A police search with its look-ups, in one transaction and in many.

    It's refused in the end, since nobody has published the evaluation that its use relies on; looking for it is one of
    the look-ups.
    """
    profile = PROFILES[ProfileName.LAW_ENFORCEMENT]
    book = rulebook(profile)
    request = _police_request(allowed=True)
    asking = Asking(
        Credential.SESSION,
        use=UseId("robberies"),
        search=request.search,
        grounds=request.grounds,
    )
    here = Installation(ProfileName.LAW_ENFORCEMENT, None, PersonId(PrincipalId("owner")), NOW)

    def decide(kind: type[RecordsDocket]) -> Callable[[], object]:
        authority = Authority(profile, book, kind(records, here, clock=lambda: NOW))

        def rule() -> None:
            authority.rule(
                PrincipalId("operator"),
                Act.SEARCH,
                gallery=ARRESTS,
                asking=asking,
                decision_id=DecisionId("d"),
                now=NOW,
            )

        rule()
        return rule

    return {
        "law-enforcement, look-ups in one transaction": decide(RecordsDocket),
        "law-enforcement, a transaction for each look-up": decide(_Apart),
    }


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

"""What the register's tests share: entries of every kind that it reads, at moments that a test chooses."""

import datetime as dt
import itertools
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from recognizance.ledger import Commitment, Entry, EntryId, Facts, Log, MemoryStore, NoteKey, facts
from recognizance.register import Reading, fold, read_log
from recognizance.register.state import State

KEY = NoteKey("recognizance.example/ledger", bytes(range(32)))
KEYS = (KEY.verifier,)
HIDDEN = Commitment("c" * 64)
DIGEST = "d" * 64
NIGHT = dt.datetime(2026, 1, 31, 23, 59, tzinfo=dt.UTC)

_numbers = itertools.count(1)


def someone(number: int) -> str:
    """Return the pseudonym of person number so."""
    return str(uuid.UUID(int=number))


def entry(said: Facts, *, day: str = "2026-01-15") -> Entry:
    """Return an entry of noon on a day, with an id of its own."""
    moment = dt.datetime.fromisoformat(f"{day}T12:00:00+00:00")
    return Entry(EntryId(str(uuid.UUID(int=next(_numbers)))), moment, said)


def search(**changes: Any) -> facts.Search:
    """Return a search that ended with three candidates, or as `changes` say."""
    said: dict[str, Any] = {
        "use": "robberies",
        "agency": "springfield-pd",
        "searched_by": someone(1),
        "gallery": "arrests",
        "gallery_version": 3,
        "model": "sface",
        "threshold": 0.42,
        "purpose": "investigate_offence",
        "search_class": facts.SearchClass.INITIAL_IDENTIFICATION,
        "offence": "robbery",
        "is_late_authorisation": False,
        "outcome": facts.SearchOutcome.CANDIDATES,
        "candidates": 3,
        "decision": "d1",
        "policies": ("permit-use",),
        "case": HIDDEN,
        "justification": HIDDEN,
        "probe": HIDDEN,
        "result": HIDDEN,
    }
    return facts.Search(**{**said, **changes})


def refusal(*missing: str, agency: str | None = "springfield-pd") -> facts.Refusal:
    return facts.Refusal(
        decision="d2",
        action="search",
        use=None,
        agency=agency,
        refused=someone(1),
        gallery="arrests",
        purpose=None,
        policies=("needs-case",),
        missing=missing,
        granted_by=("overseers",),
        case=HIDDEN,
    )


def proposal(**changes: Any) -> facts.UseProposal:
    said: dict[str, Any] = {
        "use": "robberies",
        "agency": "springfield-pd",
        "gallery": "arrests",
        "purpose": "investigate_offence",
        "search_classes": (facts.SearchClass.INITIAL_IDENTIFICATION,),
        "offences": ("robbery",),
        "is_live": False,
        "threshold_floor_pct": 99.0,
        "max_candidates": 10,
        "max_searches_per_day": 20,
        "needs_review": True,
        "evaluation": "eval-1",
        "authority_digest": None,
        "starts": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        "expires": dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
        "comments_until": dt.datetime(2025, 12, 20, tzinfo=dt.UTC),
        "approvals_needed": 3,
        "overseers": (someone(11), someone(12), someone(13)),
        "terms_digest": DIGEST,
        "terms": "{}",
        "proposed_by": someone(2),
    }
    return facts.UseProposal(**{**said, **changes})


def transition(before: str, after: str, **changes: Any) -> facts.UseTransition:
    said: dict[str, Any] = {"use": "robberies", "cause": "votes", "decided_by": None, "conditions": None}
    return facts.UseTransition(**{**said, **changes}, from_state=facts.UseState(before), to_state=facts.UseState(after))


def answer(review: str, reviewer: int, outcome: str) -> facts.ReviewAnswer:
    return facts.ReviewAnswer(
        review=review,
        reviewer=someone(reviewer),
        round=1,
        outcome=facts.ReviewOutcome(outcome),
        candidate=HIDDEN,
        reasons=HIDDEN,
    )


def opened(review: str) -> facts.ReviewOpened:
    return facts.ReviewOpened(
        review=review, search=EntryId(someone(99)), use="robberies", candidates=3, reviewers_needed=2
    )


def lead(event: str, name: str = "lead-1") -> facts.Lead:
    return facts.Lead(
        lead=name,
        review="r1",
        use="robberies",
        event=facts.LeadEvent(event),
        done_by=someone(3),
        case=HIDDEN,
        evidence=HIDDEN,
    )


def request(name: str, event: str, *, due: str = "2026-02-10", kind: str = "access") -> facts.SubjectRequest:
    return facts.SubjectRequest(
        request=name,
        request_kind=facts.RequestKind(kind),
        event=facts.RequestEvent(event),
        due=dt.datetime.fromisoformat(f"{due}T00:00:00+00:00"),
        handled_by=None,
        reason=None,
        subject=HIDDEN,
        answer=HIDDEN,
    )


def evaluation(*groups: facts.GroupResult) -> facts.Evaluation:
    return facts.Evaluation(
        evaluation="eval-1",
        model="sface",
        tester="University of Springfield",
        is_independent=True,
        protocol="recognizance-1",
        data_digest=DIGEST,
        report_digest=DIGEST,
        seed=7,
        threshold=0.42,
        groups=groups,
        verdict=facts.Verdict.PASSED,
    )


def group(name: str, false_matches: int, false_non_matches: int) -> facts.GroupResult:
    return facts.GroupResult(
        group=name,
        impostor_comparisons=100_000,
        false_matches=false_matches,
        mated_comparisons=1_000,
        false_non_matches=false_non_matches,
        non_mated_searches=535,
        false_positive_identifications=28,
        mated_searches=0,
        false_negative_identifications=0,
    )


def gallery(**changes: Any) -> facts.Gallery:
    said: dict[str, Any] = {
        "gallery": "arrests",
        "standing": facts.Standing.ADDED,
        "agency": "springfield-pd",
        "model": "sface",
        "source": "arrest_record",
        "lawful_basis": "statute",
        "categories": ("arrested",),
        "retention_days": 365,
        "changed_by": someone(2),
    }
    return facts.Gallery(**{**said, **changes})


def deployment(**changes: Any) -> facts.Deployment:
    said: dict[str, Any] = {
        "operator": "State of Example",
        "accountable_person": "A. Coordinator",
        "contact": "register@state.example",
        "profile": "law-enforcement",
        "legal_basis": "Example Code 1-2",
        "purposes": ("investigate_offence",),
        "prohibited_uses": ("lawful_protest",),
    }
    return facts.Deployment(**{**said, **changes})


def agency(**changes: Any) -> facts.Agency:
    said: dict[str, Any] = {
        "agency": "springfield-pd",
        "standing": facts.Standing.ADDED,
        "agency_kind": facts.AgencyKind.LAW_ENFORCEMENT,
        "name": "Springfield Police Department",
        "accountable_person": "C. Chief",
        "contact": "chief@springfield.example",
        "reason": None,
    }
    return facts.Agency(**{**said, **changes})


def one_year() -> list[Entry]:
    """Return the entries of an agency's first months: rules, searches, reviews, requests, an incident."""
    found = [
        entry(facts.LedgerKey(former_key=None, new_key=str(KEY.verifier), reason="the first one"), day="2026-01-01"),
        entry(deployment(), day="2026-01-01"),
        entry(agency(), day="2026-01-01"),
        entry(gallery(), day="2026-01-01"),
    ]
    proposed = entry(proposal(), day="2026-01-01")
    found.append(proposed)
    found += [
        entry(
            facts.Vote(
                about=proposed.id, voter=someone(11), choice=facts.Choice.APPROVE, statement="Narrow and reviewed."
            ),
            day="2026-01-02",
        ),
        entry(transition("proposed", "active", conditions="A report each month."), day="2026-01-03"),
        entry(evaluation(group("women", 4, 12), group("men", 2, 10)), day="2026-01-03"),
    ]
    for month, searches in (("01", 40), ("02", 52), ("03", 3)):
        found += [entry(search(), day=f"2026-{month}-10") for _ in range(searches - searches // 4)]
        nothing = search(outcome=facts.SearchOutcome.NO_CANDIDATE, candidates=0, offence="homicide")
        found += [entry(nothing, day=f"2026-{month}-11") for _ in range(searches // 4)]
        found += [entry(refusal("case"), day=f"2026-{month}-12") for _ in range(7)]
        found += [entry(refusal("valid-training"), day=f"2026-{month}-13") for _ in range(2)]
    for number in range(30):
        review = f"r{number}"
        found.append(entry(opened(review), day="2026-02-14"))
        found += [entry(answer(review, 21, "same_person"), day="2026-02-15")]
        found += [entry(answer(review, 22, "different" if number < 9 else "same_person"), day="2026-02-15")]
        if number < 9:
            found += [entry(answer(review, 23, "different"), day="2026-02-16")]
    found += [entry(lead("confirmed", f"lead-{number}"), day="2026-02-17") for number in range(21)]
    found += [entry(lead("acted_on", f"lead-{number}"), day="2026-02-18") for number in range(8)]
    found += [entry(lead("false", "lead-1"), day="2026-02-19")]
    for number in range(6):
        found.append(entry(request(f"q{number}", "received"), day="2026-01-20"))
        found.append(entry(request(f"q{number}", "answered"), day=f"2026-02-{2 + number:02d}"))
    found.append(
        entry(
            facts.Incident(
                occurrence=facts.Occurrence.VIOLATION,
                discovered=NIGHT,
                agency="springfield-pd",
                about=None,
                statement="A search was made for another case than stated.",
                people_affected=1,
            ),
            day="2026-02-20",
        )
    )
    found.append(
        entry(
            facts.Report(
                report="accountability-2026",
                report_kind=facts.ReportKind.ACCOUNTABILITY,
                agency="springfield-pd",
                use="robberies",
                digest=DIGEST,
                expires=None,
                cost_cents=1_250_000,
            ),
            day="2026-02-21",
        )
    )
    return [*found, *published()]


def published() -> list[Entry]:
    """Return one entry of each kind that only people can write."""
    body = facts.OversightBody(
        name="Example Oversight Board",
        members=(someone(11), someone(12), someone(13)),
        votes_needed=3,
        emergency_votes_needed=3,
        comment_period_days=30,
    )
    member = facts.OversightMember(
        person=someone(11), standing=facts.Standing.ADDED, name="B. Overseer", office="the county library"
    )
    impact = facts.RightsImpact(
        report="impact-2026",
        agency="springfield-pd",
        use="robberies",
        processes="find suspects",
        period_and_frequency="a year, twenty a day",
        people_affected="people with an arrest record",
        risks="wrong accusations",
        oversight="two reviewers",
        measures="suspension",
        expires=None,
    )
    breach = entry(
        facts.Incident(
            occurrence=facts.Occurrence.BREACH,
            discovered=NIGHT,
            agency=None,
            about=None,
            statement="A laptop was lost.",
            people_affected=None,
        ),
        day="2026-01-31",
    )
    notice = facts.IncidentNotice(incident=breach.id, received_by=someone(11), statement="We wait for the report.")
    some = facts.PublishedCount(least=1, most=4)
    leads = facts.LeadFigures(
        agency="springfield-pd",
        year=2025,
        dimension="age",
        total=facts.PublishedCount(least=30, most=30),
        groups=(
            facts.GroupCount(group="adults", count=facts.PublishedCount(least=26, most=29)),
            facts.GroupCount(group="under_18", count=some),
        ),
        are_groups_withheld=False,
        counted_by=someone(2),
        counts=HIDDEN,
    )
    hidden = facts.LeadFigures(
        agency="springfield-pd",
        year=2025,
        dimension="sex",
        total=some,
        groups=(),
        are_groups_withheld=True,
        counted_by=someone(2),
        counts=HIDDEN,
    )
    sharing = facts.Sharing(
        agency="springfield-pd", recipient="State Police", data="leads", standard="agreement of 2025", use="robberies"
    )
    audit = facts.Report(
        report="audit-2026",
        report_kind=facts.ReportKind.AUDIT,
        agency="springfield-pd",
        use=None,
        digest=DIGEST,
        expires=None,
        cost_cents=None,
    )
    return [
        breach,
        *(entry(said, day="2026-02-22") for said in (body, member, impact, notice, leads, hidden, sharing, audit)),
    ]


def state_of(entries: Iterable[Entry]) -> State:
    return fold(State(), entries)


def a_store(entries: Sequence[Entry], key: NoteKey = KEY) -> MemoryStore:
    """Return a closed log of these entries."""
    store = MemoryStore()
    log = Log.create(store, key)
    for start in range(0, len(entries), 4096):
        log.append([each.data for each in entries[start : start + 4096]])
    log.close()
    return store


def reading_of(entries: Sequence[Entry]) -> Reading:
    return read_log(a_store(entries), KEYS)

"""Uses in the records: proposed, commented on, voted on, suspended, ended. Each step is a transaction with its entry.

What the steps are and when each may be taken is in `governance.uses`, which is pure; this file stores what it says and
puts it on the record. Time and counted votes bring steps about by themselves: they hold for every request as soon as
they are due (`docket.RecordsDocket`), and `sweep` records them.

Implements docs/governance.md, "The life of a use".
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from recognizance.docket import MACHINE, evidence_of
from recognizance.documents import (
    PAGE,
    Comment,
    Kind,
    PersonRecord,
    Standing,
    Stored,
    UseRecord,
    every,
    inserted,
    stored,
    terms_sha256,
)
from recognizance.errors import ConflictError, DeniedError, InputError
from recognizance.galleries import Clock
from recognizance.governance import Act, Role
from recognizance.governance.codec import write_document
from recognizance.governance.gate import Evidence, Running
from recognizance.governance.oversight import Choice, Sha256Hex, Suspension, Vote, quorum_of
from recognizance.governance.parties import Person, PersonId, UseId
from recognizance.governance.profiles import Profile, ProfileName, propose
from recognizance.governance.purposes import Capture
from recognizance.governance.terms import UseTerms
from recognizance.governance.uses import (
    Emergency,
    Use,
    UseEvent,
    UseState,
    advance,
    declare_emergency,
    next_moment,
    settled,
    suspend,
    vote,
    vote_on_suspended,
)
from recognizance.governing.other_uses import purpose_is_new, require_no_other_emergency
from recognizance.governing.registration import Actor, Gate
from recognizance.identifiers import PrincipalId
from recognizance.ledger import EntryId, facts
from recognizance.recording import Change, Recorder, acts
from recognizance.records import Document, Reader, Records

MAX_COMMENTS = 1_000
"""Comments on one proposal; beyond it the proposal has to be talked about elsewhere."""

_BY_TIME = "time"
_BY_VOTES = "votes"
_TAKES_RESULTS = frozenset({UseState.REVOKED, UseState.LAPSED})
"""The ends after which nothing that the use's searches led to may be followed any further."""


class Question(StrEnum):
    """What overseers are asked about a use."""

    TERMS = "terms"
    REINSTATE = "reinstate"
    REVOKE = "revoke"


class EndsUse(Protocol):
    """Ends what a use's searches led to, in the transaction that ends the use."""

    def __call__(self, change: Change, use: UseId, now: datetime, *, done_by: PrincipalId) -> int:
        """Leave no review open and no lead that could still be followed; answers how many reviews were withdrawn."""
        ...


@dataclass(frozen=True, slots=True)
class Outlook:
    """What would become of terms if they were proposed at this moment; public, and promises nothing.

    Attributes:
        comments_until: The end of public comments; `None` where the purpose isn't new and overseers vote at once.
        overseers: How many would have a vote.
    """

    evidence: Evidence
    comments_until: datetime | None
    approvals_needed: int
    overseers: int


class Uses:
    """Everything that happens to uses.

    Args:
        ends_use: Called when a use is revoked, or its emergency lapses. Reviews stand further up, so it is passed in.
        running: What this installation searches with, which evaluations are held against.
    """

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        gate: Gate,
        profile: Profile,
        *,
        clock: Clock,
        ends_use: EndsUse,
        running: Running,
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._gate = gate
        self._profile = profile
        self._clock = clock
        self._ends_use = ends_use
        self._running = running

    def propose(self, use: UseId, terms: UseTerms, *, by: Actor) -> Use:
        """Propose a use of the caller's own agency. Who may vote on it is fixed now.

        Raises:
            InputError: If there are too few overseers for the quorum, or this is a private installation.
            ConflictError: If the id is taken.
        """
        proposer, agency = self._gate.require(by, Act.PROPOSE_USE)
        if self._profile.name is ProfileName.PRIVATE:
            raise InputError("a private installation has a standing use and needs no other")
        if agency != terms.agency:
            raise DeniedError(f"a use of the agency {terms.agency!r} is proposed by one of its own supervisors")
        if acts.token(use) != use:
            raise InputError("the id of a use has letters, digits and _.:@/- only")
        if self._profile.needs_evaluation and terms.evaluation is None:
            raise InputError(
                "the terms name no evaluation, and outside the profile private nothing is ever searched for without"
                " one: publish it (evaluate publish) and name it with the limits it is held against"
            )
        now, person = self._clock(), PersonId(proposer)
        with self._recorder.changing() as change:
            proposed = propose(
                self._profile,
                use=use,
                terms=terms,
                terms_sha256=terms_sha256(terms),
                proposer=person,
                overseers=quorum_of(
                    _overseers(change.transaction),
                    needed=self._profile.approvals_needed,
                    agency=terms.agency,
                    proposer=person,
                ).overseers,
                purpose_is_new=purpose_is_new(change.transaction, terms),
                now=now,
            )
            entry = change.enter(lambda _: _proposal(proposed))
            inserted(
                change.transaction,
                Kind.USE,
                use,
                UseRecord(proposed, entry),
                state=proposed.state.value,
                due=next_moment(proposed, now),
            )
        return proposed

    def comment(self, use: UseId, statement: str) -> None:
        """Publish what somebody says about a proposal. Anybody may; who they are is not asked.

        Raises:
            ConflictError: If its comment period is over.
        """
        now = self._clock()
        with self._recorder.changing() as change:
            known = self._settle(change, stored(change.transaction, Kind.USE, use, UseRecord), now)
            record = known.value
            if record.use.state is not UseState.PROPOSED:
                raise ConflictError(f"use {use!r} is {record.use.state.value!r}; comments are over")
            if len(record.comments) >= MAX_COMMENTS:
                raise ConflictError(f"use {use!r} has {MAX_COMMENTS} comments, which is the limit")
            entry = change.enter(lambda _: facts.Comment(about=EntryId(record.proposal_entry), statement=statement))
            comments = (*record.comments, Comment(now, statement, entry))
            self._store(change, known, replace(record, comments=comments), now)

    def vote(
        self,
        use: UseId,
        choice: Choice,
        reasons: str,
        *,
        matter_sha256: Sha256Hex | None = None,
        conditions: tuple[str, ...] = (),
        question: Question = Question.TERMS,
        by: Actor,
    ) -> Use:
        """Cast an overseer's vote, and take the steps that it decides.

        Args:
            matter_sha256: The terms that the overseer read; `None` takes those on record.

        Raises:
            ConflictError: If the use isn't voted on now, or the vote can't be counted.
        """
        voter, _ = self._gate.require(by, Act.VOTE)

        def cast(before: Use, now: datetime) -> Use:
            matter = matter_sha256 or before.terms_sha256
            ballot = Vote(PersonId(voter), choice, matter, reasons, now, conditions)
            if question is Question.TERMS:
                return vote(before, ballot)
            return vote_on_suspended(before, ballot, revoke=question is Question.REVOKE)

        def entered(record: UseRecord) -> facts.Facts:
            return facts.Vote(
                about=EntryId(record.proposal_entry),
                question=facts.VoteQuestion(question.value),
                voter=voter,
                choice=facts.Choice(choice.value),
                statement=reasons,
                conditions=conditions,
            )

        return self._change(use, cast, entered, by=voter)

    def suspend(self, use: UseId, reasons: str, *, by: Actor) -> Use:
        """Stop a use from the next request on. One overseer is enough."""
        overseer, _ = self._gate.require(by, Act.SUSPEND_USE)

        def stop(before: Use, now: datetime) -> Use:
            return suspend(before, Suspension(PersonId(overseer), reasons, now))

        return self._change(use, stop, cause=UseEvent.SUSPEND, by=overseer, said=reasons)

    def withdraw(self, use: UseId, *, by: Actor) -> Use:
        """Give a use up. Only its own agency can."""
        supervisor, agency = self._gate.require(by, Act.WITHDRAW_USE)

        def give_up(before: Use, now: datetime) -> Use:
            if before.terms.agency != agency:
                raise DeniedError(f"use {before.id!r} is withdrawn by a supervisor of {before.terms.agency!r}")
            return advance(before, UseEvent.WITHDRAW, now)

        return self._change(use, give_up, cause=UseEvent.WITHDRAW, by=supervisor)

    def declare_emergency(self, use: UseId, grounds: str, *, by: Actor) -> Use:
        """Begin a proposed use before anybody agreed, for 48 hours at the most.

        Raises:
            ConflictError: If an emergency of the same agency and gallery was declared not long ago, and overseers
                didn't authorise it: one after the other would be a use that nobody agreed to.
        """
        supervisor, agency = self._gate.require(by, Act.DECLARE_EMERGENCY)

        def declare(before: Use, now: datetime) -> Use:
            if before.terms.agency != agency:
                raise DeniedError(f"an emergency of {before.terms.agency!r} is declared by one of its own supervisors")
            return declare_emergency(before, Emergency(PersonId(supervisor), grounds, now))

        def require(reader: Reader, before: Use, now: datetime) -> None:
            require_no_other_emergency(reader, before, now, rest=self._profile.comment_period)

        cause = UseEvent.DECLARE_EMERGENCY
        return self._change(use, declare, cause=cause, by=supervisor, said=grounds, require=require)

    def get(self, use: UseId) -> UseRecord:
        """A use as it stands at this moment; public.

        Raises:
            NotFoundError: If there is none of this id.
        """
        with self._records.reading() as reader:
            return self._now(reader, stored(reader, Kind.USE, use, UseRecord).value, self._clock())

    def outlook(self, terms: UseTerms) -> Outlook:
        """What would become of these terms if they were proposed now; changes nothing."""
        now = self._clock()
        with self._records.reading() as reader:
            able = [each for each in _overseers(reader) if terms.agency not in each.interests]
            return Outlook(
                evidence_of(reader, terms, self._running, now),
                now + self._profile.comment_period if purpose_is_new(reader, terms) else None,
                self._profile.approvals_needed,
                len(able),
            )

    def evidence(self, use: UseId) -> Evidence:
        """What the use's evaluation comes to at this moment, with every group that doesn't pass; public.

        Raises:
            NotFoundError: If there is no such use.
        """
        with self._records.reading() as reader:
            terms = stored(reader, Kind.USE, use, UseRecord).value.use.terms
            return evidence_of(reader, terms, self._running, self._clock())

    def list(self) -> list[UseRecord]:
        """All uses as they stand at this moment, by id; public."""
        now = self._clock()
        with self._records.reading() as reader:
            return [self._now(reader, each.value, now) for each in every(reader, Kind.USE, UseRecord)]

    def settle_those_on(self, change: Change, report_sha256: Sha256Hex) -> None:
        """Take the steps that uses relying on this evaluation waited for, in the change that publishes it."""
        now = self._clock()
        for known in every(change.transaction, Kind.USE, UseRecord):
            reference = known.value.use.terms.evaluation
            if reference is not None and reference.report_sha256 == report_sha256:
                self._settle(change, known, now)

    def sweep(self) -> int:
        """Record every step that time has brought about; answers how many. Cheap where there is none."""
        now, steps = self._clock(), 0
        with self._records.reading() as reader:
            due = [document.id for document in reader.documents_due(Kind.USE, now, limit=PAGE)]
        for use in due:
            with self._recorder.changing() as change:
                known = stored(change.transaction, Kind.USE, use, UseRecord)
                after = self._settle(change, known, now)
                steps += len(change.entries)
                if after is known:
                    # Its moment has passed and brought nothing about, such as a start before the votes were counted.
                    self._store(change, known, known.value, now)
        return steps

    def _change(
        self,
        use: UseId,
        step: Callable[[Use, datetime], Use],
        entered: Callable[[UseRecord], facts.Facts] | None = None,
        *,
        by: PrincipalId,
        cause: UseEvent | None = None,
        said: str | None = None,
        require: Callable[[Reader, Use, datetime], None] = lambda _reader, _use, _now: None,
    ) -> Use:
        """Take what is overdue, then somebody's step, then what that decides, all in one transaction.

        Args:
            require: Refuses the step for what stands elsewhere in the records.
            by: Who takes the step.
            cause: Set for a step that is somebody's decision alone; a vote's outcome is entered by what it decides.
        """
        now = self._clock()
        with self._recorder.changing() as change:
            known = self._settle(change, stored(change.transaction, Kind.USE, use, UseRecord), now)
            record = known.value
            require(change.transaction, record.use, now)
            after = replace(record, use=step(record.use, now))
            if entered is not None:
                change.enter(lambda _: entered(record))
            if cause is not None:
                change.enter(lambda _: _transition(record.use, after.use, cause.value, by, said))
            known = self._store(change, known, after, now)
            return self._settle(change, known, now, by=by).value.use

    def _settle(
        self, change: Change, known: Stored[UseRecord], now: datetime, *, by: PrincipalId = MACHINE
    ) -> Stored[UseRecord]:
        """Record the steps that need nobody, and end what ends with them; gives `known` itself if there are none.

        Args:
            by: Whose step decided them; time's own steps are the machine's.
        """
        before = known.value.use
        steps = settled(before, now, evidence_of(change.transaction, before.terms, self._running, now))
        if not steps:
            return known
        for event, after in steps:
            cause = _BY_TIME if event in {UseEvent.CLOSE_COMMENTS, UseEvent.ACTIVATE} else _BY_VOTES
            if event in {UseEvent.EXPIRE, UseEvent.LAPSE}:
                cause = _BY_TIME
            change.enter(_entering(before, after, f"{event.value}.{cause}"))
            if after.state in _TAKES_RESULTS:
                self._ends_use(change, after.id, now, done_by=by)
            before = after
        return self._store(change, known, replace(known.value, use=before), now)

    def _now(self, reader: Reader, record: UseRecord, now: datetime) -> UseRecord:
        steps = settled(record.use, now, evidence_of(reader, record.use.terms, self._running, now))
        return replace(record, use=steps[-1][1]) if steps else record

    def _store(self, change: Change, known: Stored[UseRecord], record: UseRecord, now: datetime) -> Stored[UseRecord]:
        document = Document(
            Kind.USE,
            record.use.id,
            record.use.state.value,
            write_document(record),
            due=next_moment(record.use, now),
            revision=known.document.revision,
        )
        return Stored(record, change.transaction.replace_document(document))


def _overseers(reader: Reader) -> list[Person]:
    return [
        each.value.person
        for each in every(reader, Kind.PERSON, PersonRecord)
        if Role.OVERSEER in each.value.person.roles and each.document.state == Standing.ACTIVE
    ]


def _entering(before: Use, after: Use, cause: str) -> Callable[[object], facts.Facts]:
    return lambda _: _transition(before, after, cause, None, None)


def _transition(before: Use, after: Use, cause: str, decided_by: str | None, said: str | None) -> facts.Facts:
    conditions = "\n".join(after.count.conditions) if after.state is UseState.APPROVED else ""
    return facts.UseTransition(
        use=after.id,
        from_state=facts.UseState(before.state.value),
        to_state=facts.UseState(after.state.value),
        cause=cause,
        decided_by=decided_by,
        conditions=said or conditions or None,
    )


def _proposal(use: Use) -> facts.Facts:
    terms = use.terms
    limits = terms.limits
    return facts.UseProposal(
        use=use.id,
        agency=acts.token(terms.agency),
        gallery=terms.gallery,
        purpose=terms.purpose.value,
        search_classes=tuple(facts.SearchClass(each.value) for each in sorted(terms.search_classes)),
        offences=tuple(acts.token(offence) for offence in sorted(limits.offences)),
        is_live=Capture.LIVE in limits.captures,
        threshold_floor_pct=limits.threshold_floor_pct,
        max_candidates=limits.candidates,
        max_searches_per_day=limits.searches_per_day,
        needs_review=terms.review_required,
        evaluation=None if terms.evaluation is None else acts.token(terms.evaluation.evaluation),
        authority_digest=None if terms.authority is None else terms.authority.document_sha256,
        starts=terms.starts,
        expires=terms.expires,
        comments_until=use.comments_until,
        approvals_needed=use.quorum.needed,
        overseers=tuple(sorted(use.quorum.overseers)),
        terms_digest=use.terms_sha256,
        terms=write_document(terms).decode(),
        proposed_by=use.proposer,
    )

"""Changes of the rule for thresholds: proposed, voted on by overseers, and in effect from the next start.

Outside the profile `private` a service starts with the rule that is in force, or with one that overseers approved, and
with no other: whoever edits the setting `max_fpir`, or puts another table or model in place, finds that it doesn't
start. Each rule that takes effect is an entry of the ledger, with the proposal that allowed it. In a private
installation the owner changes it, and it is recorded all the same.

The ledger has a rule's hash. The rule itself, its table whole, is kept in the records from its proposal or first start
on, so that overseers and the public read what is voted on, and can hold it to the hash.

Implements docs/evaluation-gate.md, "The rule for thresholds"; votes are `governance.oversight`'s.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from recognizance.documents import Kind, PersonRecord, Standing, every
from recognizance.errors import ConflictError, InputError, NotFoundError
from recognizance.galleries import Clock
from recognizance.governance import Act, Role
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.oversight import (
    Change,
    ChangeEvent,
    ChangeId,
    ChangeKind,
    ChangeState,
    Choice,
    Outcome,
    Sha256Hex,
    Vote,
    advance_change,
    quorum_of,
    tally,
    vote_on_change,
)
from recognizance.governance.parties import PersonId
from recognizance.governance.profiles import Profile, ProfileName
from recognizance.governing.registration import Actor, Gate
from recognizance.governing.running import Starting, StatedRule, ThresholdRule
from recognizance.ledger import EntryId, facts
from recognizance.recording import Recorder
from recognizance.records import Document, Reader, Records, Transaction

RULE_KIND = "threshold_rule"
CHANGE_KIND = "rule_change"
STATED_KIND = "stated_rule"
_KEPT = "kept"
_IN_FORCE = "in_force"
_PAGE = 500
_DECIDED = {Outcome.APPROVED: ChangeEvent.APPROVE, Outcome.REJECTED: ChangeEvent.REJECT}


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """The rule that searches follow.

    Attributes:
        reference_score: What a similarity of 80 is under it, as the ledger says it.
        change: Whose votes brought it about; `None` for the first one, and in a private installation.
    """

    rule: ThresholdRule
    reference_score: float
    since: datetime
    change: ChangeId | None = None


@dataclass(frozen=True, slots=True)
class ProposedRule:
    """A change of the rule, and where it stands.

    Attributes:
        entry: The ledger's entry of the proposal, which votes are about.
    """

    change: Change
    rule: ThresholdRule
    entry: str


class Thresholds:
    """Keeps the rule for thresholds. Safe to share between threads."""

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        gate: Gate,
        profile: Profile,
        *,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._gate = gate
        self._profile = profile
        self._clock = clock
        self._new_id = new_id

    def in_force(self) -> RuleInForce | None:
        """The rule in force; `None` before the first start. Public."""
        with self._records.reading() as reader:
            document = _rule_document(reader)
        return None if document is None else read_document(RuleInForce, document.body)

    def list(self) -> list[ProposedRule]:
        """All changes that were ever proposed, the oldest first; public."""
        with self._records.reading() as reader:
            return sorted(_changes(reader), key=lambda each: (each.change.proposed_at, each.change.id))

    def get(self, change: str) -> ProposedRule:
        """One proposed change.

        Raises:
            NotFoundError: If there is none of this id.
        """
        with self._records.reading() as reader:
            return read_document(ProposedRule, reader.document(CHANGE_KIND, change).body)

    def stated(self, rule_sha256: Sha256Hex) -> StatedRule | None:
        """A rule whole, by its hash; public. `None` for one of which the records have the hash only."""
        with self._records.reading() as reader:
            try:
                return read_document(StatedRule, reader.document(STATED_KIND, rule_sha256).body)
            except NotFoundError:
                return None

    def propose(self, asked: StatedRule, summary: str, *, by: Actor) -> ProposedRule:
        """Propose another rule. Who may vote on it is fixed now, and from now on everybody can read it.

        Raises:
            DeniedError: If whoever proposes may not.
            InputError: If it changes nothing, says nothing, there are too few overseers, or this is a private
                installation, whose owner just changes it.
            ConflictError: If no service has started here yet.
        """
        proposer, _ = self._gate.require(by, Act.PROPOSE_CHANGE)
        if self._profile.name is ProfileName.PRIVATE:
            raise InputError("a private installation needs no votes: change the setting or the table, and start")
        before = self.in_force()
        if before is None:
            raise ConflictError("no rule is in force before the service has started once")
        person, rule = PersonId(proposer), asked.rule
        with self._recorder.changing() as change:
            overseers = [
                each.value.person
                for each in every(change.transaction, Kind.PERSON, PersonRecord)
                if Role.OVERSEER in each.value.person.roles and each.document.state == Standing.ACTIVE
            ]
            proposed = Change(
                id=ChangeId(self._new_id()),
                kind=ChangeKind.MODEL if rule.model != before.rule.model else ChangeKind.THRESHOLD,
                summary=summary,
                before_sha256=before.rule.sha256,
                after_sha256=rule.sha256,
                proposer=person,
                proposed_at=self._clock(),
                quorum=quorum_of(overseers, needed=self._profile.approvals_needed, agency=None, proposer=person),
            )
            entry = change.enter(
                lambda draft: facts.ChangeProposal(
                    change=proposed.id,
                    rule=proposed.kind.value,
                    summary=summary,
                    before=proposed.before_sha256,
                    after=proposed.after_sha256,
                    approvals_needed=proposed.quorum.needed,
                    overseers=tuple(sorted(draft.pseudonym(each) for each in proposed.quorum.overseers)),
                    proposed_by=draft.pseudonym(proposer),
                )
            )
            known = ProposedRule(proposed, rule, entry)
            change.transaction.insert_document(_document(known))
            _keep(change.transaction, asked)
        return known

    def vote(
        self, change: str, choice: Choice, reasons: str, *, after_sha256: Sha256Hex | None = None, by: Actor
    ) -> ProposedRule:
        """Cast an overseer's vote, public and final, and take the step that it decides.

        Args:
            after_sha256: Of the rule that the overseer read; `None` takes the one on record.

        Raises:
            DeniedError: If whoever votes may not.
            NotFoundError: If there is no such change.
            ConflictError: If voting is over or the vote can't be counted.
        """
        voter, _ = self._gate.require(by, Act.VOTE)
        with self._recorder.changing() as open_change:
            document = open_change.transaction.document(CHANGE_KIND, change)
            known = read_document(ProposedRule, document.body)
            matter = after_sha256 or known.change.after_sha256
            after = vote_on_change(known.change, Vote(PersonId(voter), choice, matter, reasons, self._clock()))
            event = _DECIDED.get(tally(after.votes, after.quorum, after.after_sha256).outcome)
            if event is not None:
                after = advance_change(after, event, in_force_sha256=after.before_sha256)
            voted = replace(known, change=after)
            open_change.transaction.replace_document(replace(_document(voted), revision=document.revision))
            open_change.enter(
                lambda draft: facts.Vote(
                    about=EntryId(known.entry),
                    voter=draft.pseudonym(voter),
                    choice=facts.Choice(choice.value),
                    statement=reasons,
                )
            )
        return voted

    def require_startable(self, rule: ThresholdRule) -> None:
        """Refuse a rule that a service here wouldn't start with.

        Raises:
            InputError: Says which rule is in force, and what would change it.
        """
        with self._records.reading() as reader:
            self._allowing(reader, rule)

    def start(self, starting: Starting) -> bool:
        """Put the rule that a service is about to search with into force; answers whether it is another than before.

        Raises:
            InputError: If overseers have to approve it and haven't. The service must not start.
        """
        with self._recorder.changing() as change:
            document = _rule_document(change.transaction)
            before = None if document is None else read_document(RuleInForce, document.body)
            _keep(change.transaction, starting.stated)
            if before is not None and before.rule == starting.rule:
                return False
            allowing = self._allowing(change.transaction, starting.rule)
            if before is not None and allowing is not None:
                known, held = allowing
                taken = advance_change(known.change, ChangeEvent.TAKE_EFFECT, in_force_sha256=before.rule.sha256)
                change.transaction.replace_document(
                    replace(_document(replace(known, change=taken)), revision=held.revision)
                )
            proposal = None if allowing is None else allowing[0]
            now = RuleInForce(
                starting.rule,
                starting.reference_score,
                self._clock(),
                None if proposal is None else proposal.change.id,
            )
            fresh = Document(RULE_KIND, _IN_FORCE, _IN_FORCE, write_document(now))
            if document is None:
                change.transaction.insert_document(fresh)
            else:
                change.transaction.replace_document(replace(fresh, revision=document.revision))
            change.enter(lambda _: _fact(starting, before, proposal))
        return True

    def _allowing(self, reader: Reader, rule: ThresholdRule) -> tuple[ProposedRule, Document] | None:
        """The approved change that allows this rule; `None` where none is needed."""
        document = _rule_document(reader)
        if document is None or self._profile.name is ProfileName.PRIVATE:
            return None
        in_force = read_document(RuleInForce, document.body).rule
        if in_force == rule:
            return None
        for known in _changes(reader):
            change = known.change
            if change.state is ChangeState.APPROVED and known.rule == rule and change.before_sha256 == in_force.sha256:
                return known, reader.document(CHANGE_KIND, change.id)
        raise InputError(
            f"the rule for thresholds isn't the approved one. In force: {_described(in_force)}. Asked for:"
            f" {_described(rule)}. Overseers have to approve it first: `recognizance threshold propose`"
        )


def _fact(starting: Starting, before: RuleInForce | None, proposal: ProposedRule | None) -> facts.Facts:
    is_same_model = before is not None and before.rule.model == starting.rule.model
    return facts.ThresholdChange(
        model=starting.rule.model,
        gallery=None,
        former=before.reference_score if before is not None and is_same_model else None,
        new=starting.reference_score,
        false_match_rate=starting.false_match_rate,
        evaluation=None,
        proposal=None if proposal is None else EntryId(proposal.entry),
        changed_by=None,
        reason=starting.reason,
    )


def _described(rule: ThresholdRule) -> str:
    return f"model {rule.model}, table {rule.table_sha256[:16]}, max_fpir {rule.max_fpir:g}"


def _rule_document(reader: Reader) -> Document | None:
    try:
        return reader.document(RULE_KIND, _IN_FORCE)
    except NotFoundError:
        return None


def _keep(transaction: Transaction, stated: StatedRule) -> None:
    """Keep a rule whole, once; under its hash nothing else can stand."""
    try:
        transaction.document(STATED_KIND, stated.rule.sha256)
    except NotFoundError:
        transaction.insert_document(Document(STATED_KIND, stated.rule.sha256, _KEPT, write_document(stated)))


def _changes(reader: Reader) -> Iterator[ProposedRule]:
    after = ""
    while page := reader.documents(CHANGE_KIND, after=after, limit=_PAGE):
        after = page[-1].id
        yield from (read_document(ProposedRule, document.body) for document in page)


def _document(known: ProposedRule) -> Document:
    return Document(CHANGE_KIND, known.change.id, known.change.state.value, write_document(known))

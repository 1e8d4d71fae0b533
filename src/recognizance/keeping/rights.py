"""Rights that were taken away in the time that older records have lost, taken away again.

Public entries say of uses, agencies, people and owners of keys that they were stopped. Of each, the last entry counts.
They also say under which use somebody searched, which takes a search of that day away.
What gives a right is never taken from the ledger: nobody becomes entitled because a copy of records was put back.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from recognizance.docket import add_searches, utc_day
from recognizance.documents import Kind, Standing, UseRecord, found
from recognizance.governance.codec import write_document
from recognizance.governance.oversight import Suspension
from recognizance.governance.parties import PersonId, UseId
from recognizance.governance.uses import Use, UseState, next_moment
from recognizance.governing.uses import EndsUse
from recognizance.identifiers import PrincipalId
from recognizance.ledger import Entry, facts
from recognizance.recording import Change
from recognizance.records import Transaction

_SUSPENDED = frozenset({UseState.SUSPENDED, UseState.EMERGENCY_SUSPENDED})
_ENDED = frozenset({UseState.REJECTED, UseState.REVOKED, UseState.EXPIRED, UseState.WITHDRAWN, UseState.LAPSED})
_TAKES_RESULTS = frozenset({UseState.REVOKED, UseState.LAPSED})
_STANDINGS = {facts.Standing.SUSPENDED: Standing.SUSPENDED, facts.Standing.REMOVED: Standing.REMOVED}


def end_rights(
    change: Change,
    lost: Sequence[Entry],
    pseudonym: Callable[[PrincipalId], str],
    ends_use: EndsUse,
    *,
    now: datetime,
    by: PrincipalId,
) -> tuple[str, ...]:
    """End what `lost` entries ended; answers what, by kind and name, in order."""
    ended: list[str] = []
    for use, (transition, at) in _last_transitions(lost).items():
        if _end_use(change, UseId(use), transition, at, ends_use, now=now, by=by):
            ended.append(f"use {use}")
    for kind, name, standing in _last_standings(lost):
        if _set_standing(change.transaction, kind, name, standing):
            ended.append(f"{kind.value} {name}")
    ended += [f"keys of {owner}" for owner in _switch_keys_off(change.transaction, lost, pseudonym)]
    return tuple(sorted(ended))


def count_searches(transaction: Transaction, lost: Sequence[Entry], *, now: datetime) -> None:
    """Count today's searches that the records have lost under their uses, so that nobody has them a second time.

    A comparison counts once, because its entry doesn't say with how many faces it was.
    """
    made = Counter(
        entry.facts.use
        for entry in lost
        if isinstance(entry.facts, facts.Search | facts.Comparison) and utc_day(entry.time) == utc_day(now)
    )
    for use, searches in sorted(made.items()):
        add_searches(transaction, UseId(use), utc_day(now), searches)


def _last_transitions(lost: Sequence[Entry]) -> dict[str, tuple[facts.UseTransition, datetime]]:
    return {
        entry.facts.use: (entry.facts, entry.time) for entry in lost if isinstance(entry.facts, facts.UseTransition)
    }


def _end_use(
    change: Change,
    use: UseId,
    said: facts.UseTransition,
    at: datetime,
    ends_use: EndsUse,
    *,
    now: datetime,
    by: PrincipalId,
) -> bool:
    state = UseState(said.to_state.value)
    known = found(change.transaction, Kind.USE, use, UseRecord)
    if known is None or known.value.use.state is state or state not in _SUSPENDED | _ENDED:
        return False
    after = _stopped(known.value.use, state, said, at)
    record = replace(known.value, use=after)
    change.transaction.replace_document(
        replace(known.document, state=state.value, body=write_document(record), due=next_moment(after, now))
    )
    if state in _TAKES_RESULTS:
        ends_use(change, use, now, done_by=by)
    return True


def _stopped(use: Use, state: UseState, said: facts.UseTransition, at: datetime) -> Use:
    if state not in _SUSPENDED:
        return replace(use, state=state)
    by, reasons = PersonId(PrincipalId(said.decided_by or "")), said.conditions or "as the ledger has it"
    return replace(use, state=state, suspension=Suspension(by, reasons, at))


def _last_standings(lost: Sequence[Entry]) -> list[tuple[Kind, str, Standing]]:
    last: dict[tuple[Kind, str], facts.Standing] = {}
    for entry in lost:
        if isinstance(entry.facts, facts.Agency):
            last[Kind.AGENCY, entry.facts.agency] = entry.facts.standing
        elif isinstance(entry.facts, facts.Person):
            kind = Kind.PROGRAM if "program" in entry.facts.roles else Kind.PERSON
            last[kind, entry.facts.person] = entry.facts.standing
    return [(kind, name, _STANDINGS[said]) for (kind, name), said in last.items() if said in _STANDINGS]


def _set_standing(transaction: Transaction, kind: Kind, name: str, standing: Standing) -> bool:
    for document in transaction.documents_by_id(kind.value, [name]).values():
        if document.state != standing.value:
            transaction.replace_document(replace(document, state=standing.value))
            return True
    return False


def _switch_keys_off(
    transaction: Transaction, lost: Sequence[Entry], pseudonym: Callable[[PrincipalId], str]
) -> list[str]:
    """Which key it was is only committed to, so all keys of its owner go: a new one is quickly drawn."""
    owners = {
        entry.facts.owner
        for entry in lost
        if isinstance(entry.facts, facts.AccessKey) and entry.facts.standing in _STANDINGS
    }
    off: set[str] = set()
    for key in transaction.access_keys():
        if key.active and pseudonym(key.principal) in owners:
            transaction.set_access_key_active(key.id, active=False)
            off.add(pseudonym(key.principal))
    return sorted(off)

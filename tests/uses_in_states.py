"""A small world of values: one police agency, its use of one gallery in each state, five overseers, and a moment."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from recognizance.governance.oversight import Choice, Quorum, Sha256Hex, Suspension, Vote
from recognizance.governance.parties import AgencyId, CourseId, PersonId, UseId
from recognizance.governance.terms import (
    UseTerms,
)
from recognizance.governance.uses import (
    Emergency,
    Use,
    UseEvent,
    UseState,
    advance,
    declare_emergency,
    suspend,
    vote,
    vote_on_suspended,
)
from recognizance.identifiers import GalleryId, PrincipalId

from .evidence import PASSED
from .investigation import investigation_terms, statute

TERMS_SHA256 = Sha256Hex("7e" * 32)
PROPOSED = datetime(2026, 1, 1, tzinfo=UTC)
STARTS = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
EXPIRES = datetime(2027, 3, 1, tzinfo=UTC)
OVERSEERS = tuple(PersonId(PrincipalId(f"overseer-{number}")) for number in range(1, 6))
NEEDED = 3


def ballot_of(number: int, at: datetime, choice: Choice = Choice.APPROVE) -> Vote:
    return Vote(OVERSEERS[number], choice, TERMS_SHA256, "read and weighed", at)


def terms_with(**changes: object) -> UseTerms:
    terms = investigation_terms(
        agency=AgencyId("harbour-police"),
        gallery=GalleryId("arrests"),
        course=CourseId("face-examination"),
        proposed=PROPOSED,
        starts=STARTS,
        expires=EXPIRES,
    )
    changed = {"authority": statute(PROPOSED, EXPIRES)} | changes
    return replace(terms, **changed)  # type: ignore[arg-type] # each test names fields of UseTerms


def proposed(**changes: object) -> Use:
    return Use(
        id=UseId("robberies-2026"),
        terms=terms_with(**changes),
        terms_sha256=TERMS_SHA256,
        proposer=PersonId(PrincipalId("supervisor-1")),
        proposed_at=PROPOSED,
        comments_until=PROPOSED + timedelta(days=30),
        quorum=Quorum(NEEDED, frozenset(OVERSEERS)),
    )


def use_in(state: UseState, **changes: object) -> Use:
    """A use that reached `state` by the table's own steps, at times that leave it there at `NOW`."""
    return _ROADS[state](proposed(**changes))


def _commented(use: Use) -> Use:
    return advance(use, UseEvent.CLOSE_COMMENTS, use.comments_until)


def _voted(use: Use, choice: Choice, at: datetime) -> Use:
    for number in range(NEEDED):
        use = vote(use, ballot_of(number, at, choice))
    return use


def _approved(use: Use) -> Use:
    at = use.comments_until + timedelta(days=1)
    return advance(_voted(_commented(use), Choice.APPROVE, at), UseEvent.APPROVE, at)


def _rejected(use: Use) -> Use:
    at = use.comments_until + timedelta(days=1)
    return advance(_voted(_commented(use), Choice.REJECT, at), UseEvent.REJECT, at)


def _active(use: Use) -> Use:
    at = max(use.terms.starts, use.comments_until + timedelta(days=1))
    return advance(_approved(use), UseEvent.ACTIVATE, at, PASSED)


def _suspended(use: Use) -> Use:
    return suspend(_active(use), Suspension(OVERSEERS[0], "complaints", STARTS + timedelta(days=1)))


def _revoked(use: Use) -> Use:
    use, at = _active(use), STARTS + timedelta(days=2)
    for number in range(NEEDED):
        use = vote_on_suspended(use, ballot_of(number, at), revoke=True)
    return advance(use, UseEvent.REVOKE, at)


def _expired(use: Use) -> Use:
    shortened = replace(use, terms=replace(use.terms, expires=NOW - timedelta(days=1)))
    return advance(_active(shortened), UseEvent.EXPIRE, NOW - timedelta(days=1))


def _emergency(use: Use) -> Use:
    # An emergency's terms start with it.
    started = replace(use, terms=replace(use.terms, starts=NOW - timedelta(hours=2)))
    return declare_emergency(started, Emergency(use.proposer, "a child was taken", NOW - timedelta(hours=2)))


def _emergency_authorised(use: Use) -> Use:
    at = NOW - timedelta(hours=1)
    return advance(_voted(_emergency(use), Choice.APPROVE, at), UseEvent.APPROVE, at)


def _emergency_suspended(use: Use) -> Use:
    return suspend(_emergency(use), Suspension(OVERSEERS[0], "no grounds", NOW - timedelta(hours=1)))


def _lapsed(use: Use) -> Use:
    at = NOW - timedelta(hours=1)
    return advance(_voted(_emergency(use), Choice.REJECT, at), UseEvent.REJECT, at)


_ROADS: dict[UseState, Callable[[Use], Use]] = {
    UseState.PROPOSED: lambda use: use,
    UseState.COMMENTED: _commented,
    UseState.APPROVED: _approved,
    UseState.REJECTED: _rejected,
    UseState.ACTIVE: _active,
    UseState.SUSPENDED: _suspended,
    UseState.EXPIRED: _expired,
    UseState.REVOKED: _revoked,
    UseState.WITHDRAWN: lambda use: advance(use, UseEvent.WITHDRAW, PROPOSED),
    UseState.EMERGENCY: _emergency,
    UseState.EMERGENCY_AUTHORISED: _emergency_authorised,
    UseState.EMERGENCY_SUSPENDED: _emergency_suspended,
    UseState.LAPSED: _lapsed,
}

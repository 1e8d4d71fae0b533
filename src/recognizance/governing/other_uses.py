"""What an agency's other uses of a gallery say of a proposed one: whether the public was asked before, and emergencies.

Without it a use could be proposed in pieces, each of which spares the next one its comments or its votes.
Implements docs/governance.md, "The life of a use", and decision 0059.
"""

from datetime import datetime, timedelta

from recognizance.documents import Kind, UseRecord, every
from recognizance.errors import ConflictError
from recognizance.governance.oversight import Outcome
from recognizance.governance.terms import UseTerms
from recognizance.governance.uses import Use, UseState
from recognizance.records import Reader

_NEVER_APPROVED = frozenset({UseState.PROPOSED, UseState.COMMENTED, UseState.REJECTED})


def require_no_other_emergency(reader: Reader, use: Use, now: datetime, *, rest: timedelta) -> None:
    """Refuse an emergency that follows another one which overseers were asked about and didn't authorise.

    Args:
        rest: For how long after it was declared.

    Raises:
        ConflictError: If there is such a one.
    """
    whose = (use.terms.agency, use.terms.gallery)
    for each in every(reader, Kind.USE, UseRecord):
        other = each.value.use
        if other.emergency is None or (other.terms.agency, other.terms.gallery) != whose:
            continue
        began, again = other.emergency.declared_at, other.emergency.declared_at + rest
        if now < again and other.count.outcome is not Outcome.APPROVED:
            raise ConflictError(
                f"an emergency of this gallery, {other.id!r}, was declared on {began:%Y-%m-%d}; until overseers"
                f" authorise it or {again:%Y-%m-%d} has come there is no other: what is wanted is voted on"
            )


def purpose_is_new(reader: Reader, terms: UseTerms) -> bool:
    """Whether this agency has no use of this gallery for this purpose that was ever approved."""
    return not any(
        each.value.use.terms.agency == terms.agency
        and each.value.use.terms.gallery == terms.gallery
        and each.value.use.terms.purpose is terms.purpose
        and _was_approved(each.value.use)
        for each in every(reader, Kind.USE, UseRecord)
    )


def _was_approved(use: Use) -> bool:
    """Whether it was ever agreed to after the public could comment.

    An emergency wasn't. A use may be given up before anybody has voted, which must not spare the next one its comments.
    """
    if use.emergency is not None or use.state in _NEVER_APPROVED:
        return False
    return use.state is not UseState.WITHDRAWN or use.count.outcome is Outcome.APPROVED

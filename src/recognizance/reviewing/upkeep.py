"""The end of what reviews keep: destroyed when its time is over, or when a use lapses or its gallery goes.

Pictures and identities are documents of their own, so that they can go while the review stays on record as a form
without a face. Each function works in a transaction of its caller's, so that what ends together ends at once.

Implements `docs/review.md`, "What is kept".
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from recognizance.governance.codec import read_document
from recognizance.governance.leads import OVER, withdraw_lead
from recognizance.governance.parties import UseId
from recognizance.governance.review import ReviewId, ReviewState, withdraw
from recognizance.identifiers import GalleryId, PrincipalId
from recognizance.ledger import facts
from recognizance.recording import Change, EntryDraft, Maker, Recorder
from recognizance.records import Transaction
from recognizance.reviewing.documents import (
    Filed,
    LeadFile,
    ReviewKind,
    documents_of,
    read_review,
    replace_filed,
    replace_review,
)
from recognizance.reviewing.entries import Step, lead, step

PICTURES_KEPT = timedelta(days=30)
"""How long after its end a review's pictures are kept: an answer to it can still be questioned then."""

BATCH = 500
PERISHABLE = (ReviewKind.PICTURE, ReviewKind.IDENTITIES, ReviewKind.VERSION, ReviewKind.EDIT)
CAUSE = "review-retention"


def withdraw_results(change: Change, label: tuple[str, str], now: datetime, *, done_by: PrincipalId) -> int:
    """End every review and lead of a use or a gallery, and destroy whose faces they were about.

    Args:
        label: `("use", ...)` for an emergency that nobody authorised, `("gallery", ...)` for a gallery that goes.

    Returns:
        How many reviews were withdrawn.
    """
    withdrawn = 0
    for document in list(documents_of(change.transaction, ReviewKind.REVIEW, label=label)):
        before = Filed(read_review(document), document)
        if before.value.review.state is not ReviewState.WITHDRAWN:
            after = replace(before.value, review=withdraw(before.value.review), ended_at=now)
            replace_review(change.transaction, before, after)
            change.enter(step(after, Step.WITHDRAWN, done_by))
            withdrawn += 1
        _destroy(change.transaction, ReviewKind.PICTURE, ("review", document.id))
        _destroy(change.transaction, ReviewKind.IDENTITIES, ("review", document.id))
    end_leads(change, label, done_by=done_by)
    return withdrawn


def end_leads(change: Change, label: tuple[str, str], *, done_by: PrincipalId) -> int:
    """Withdraw every lead of a review, a use or a gallery that isn't over; answers how many there were."""
    ended = 0
    for document in list(documents_of(change.transaction, ReviewKind.LEAD, label=label)):
        before = Filed(read_document(LeadFile, document.body), document)
        if before.value.lead.state not in OVER:
            after = replace(before.value, lead=withdraw_lead(before.value.lead))
            replace_filed(change.transaction, before, after, state=after.lead.state.value)
            change.enter(lead(after, facts.LeadEvent.CLOSED, done_by))
            ended += 1
    return ended


def set_due(transaction: Transaction, review: ReviewId, due: datetime, *, is_identity_kept: bool) -> None:
    """Say when what belongs to a review that is over is to be destroyed."""
    kinds = [ReviewKind.PICTURE] if is_identity_kept else [ReviewKind.PICTURE, ReviewKind.IDENTITIES]
    for kind in kinds:
        for document in list(documents_of(transaction, kind, label=("review", review))):
            transaction.replace_document(replace(document, due=due))


def let_identities_go(transaction: Transaction, review: ReviewId, due: datetime) -> None:
    """Say when whose faces a review was about is to be destroyed, once none of its leads is followed any more."""
    leads = documents_of(transaction, ReviewKind.LEAD, label=("review", review))
    if any(read_document(LeadFile, document.body).lead.state not in OVER for document in leads):
        return
    for document in list(documents_of(transaction, ReviewKind.IDENTITIES, label=("review", review))):
        if document.due is None:
            transaction.replace_document(replace(document, due=due))


def withdraw_use(change: Change, use: UseId, now: datetime, *, done_by: PrincipalId) -> int:
    """End all that a use's searches led to."""
    return withdraw_results(change, ("use", use), now, done_by=done_by)


def forget_gallery(change: Change, gallery: GalleryId, now: datetime, *, done_by: PrincipalId) -> int:
    """End all that searches of a gallery led to. To be called before the gallery itself goes."""
    return withdraw_results(change, ("gallery", gallery), now, done_by=done_by)


def destroy_due(recorder: Recorder, now: datetime) -> int:
    """Destroy whatever of reviews and probes is due, with an entry that says how much; answers how much that is."""
    destroyed = 0
    while True:
        with recorder.changing() as change:
            due = [
                document for kind in PERISHABLE for document in change.transaction.documents_due(kind, now, limit=BATCH)
            ]
            if not due:
                return destroyed
            for document in due:
                change.transaction.delete_document(document.kind, document.id)
            named = sorted(f"{document.kind} {document.id}" for document in due)
            pictures = sum(document.kind in {ReviewKind.PICTURE, ReviewKind.VERSION} for document in due)
            change.enter(_erasure(named, pictures))
            destroyed += len(due)


def _erasure(names: Sequence[str], images: int) -> Maker:
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()

    def make(entry: EntryDraft) -> facts.Facts:
        return facts.Erasure(
            scope=facts.ErasureScope.RESULTS,
            gallery=None,
            cause=CAUSE,
            request=None,
            faces=0,
            images=images,
            salts=0,
            done_by=None,
            proof_digest=digest,
            subject=entry.commit("subject", None),
        )

    return make


def _destroy(transaction: Transaction, kind: ReviewKind, label: tuple[str, str]) -> None:
    for document in list(documents_of(transaction, kind, label=label)):
        transaction.delete_document(kind, document.id)

"""Taking an erased face out of reviews, and a review out of the records when its search's results are erased.

A review names its candidates by ids of its own. Whose faces they are, and their pictures, go; what the reviewers said
stays, about a candidate that nobody can name any more: two people's work and their disagreement remain on the record.
Implements `Holder` of `forgetting/holders.py` for the kinds of documents in `documents.py`.
"""

from collections.abc import Mapping
from dataclasses import replace

from recognizance.errors import NotFoundError
from recognizance.forgetting.holders import DELETES_DOCUMENT, Holder
from recognizance.governance.codec import read_document, write_document
from recognizance.governance.review import ReviewId
from recognizance.identifiers import PrincipalId
from recognizance.recording import Change
from recognizance.records import Document, Needles, Transaction
from recognizance.reviewing.documents import Identities, ReviewKind, picture_id, read_review
from recognizance.reviewing.upkeep import end_leads


class StrikesIdentities:
    """Strikes erased faces from the list of whose faces a review's candidates are, and destroys their pictures."""

    def forget(self, change: Change, document: Document, needles: Needles, *, done_by: PrincipalId) -> None:  # noqa: ARG002
        transaction = change.transaction
        identities = read_document(Identities, document.body)
        struck = [
            each
            for each in identities.known
            if each.face in needles.ids or (each.subject is not None and needles.are_in_text(each.subject))
        ]
        for each in struck:
            _delete_if_there(transaction, ReviewKind.PICTURE, picture_id(identities.review, each.alias))
        known = tuple(each for each in identities.known if each not in struck)
        transaction.replace_document(replace(document, body=write_document(replace(identities, known=known))))


class DeletesReview:
    """Destroys a review with its pictures, because the search that it was made for left nothing that may be kept.

    A lead that came of it ends, whatever the cause: whose face it was can't be shown any more, to anybody.
    """

    def forget(self, change: Change, document: Document, needles: Needles, *, done_by: PrincipalId) -> None:  # noqa: ARG002
        transaction, file = change.transaction, read_review(document)
        review: ReviewId = file.review.id
        end_leads(change, ("review", review), done_by=done_by)
        _delete_if_there(transaction, ReviewKind.IDENTITIES, review)
        for alias in (None, *(candidate.face for candidate in file.review.candidates)):
            _delete_if_there(transaction, ReviewKind.PICTURE, picture_id(review, alias))
        transaction.delete_document(document.kind, document.id)


def _delete_if_there(transaction: Transaction, kind: ReviewKind, document_id: str) -> None:
    try:
        transaction.delete_document(kind, document_id)
    except NotFoundError:
        return


REVIEW_HOLDERS: Mapping[str, Holder] = {
    ReviewKind.REVIEW: DeletesReview(),
    ReviewKind.IDENTITIES: StrikesIdentities(),
    ReviewKind.PICTURE: DELETES_DOCUMENT,
}
"""For `Erasure`."""

"""Who knows how to take faces out of documents, and what a gallery's searches led to.

The kinds of documents belong to services further up; they say here how each is cleaned, and `Erasure` refuses a kind
that nobody has spoken for.
"""

from datetime import datetime
from typing import Protocol

from recognizance.identifiers import GalleryId, PrincipalId
from recognizance.recording import Change
from recognizance.records import Document, Needles


class Holder(Protocol):
    """Knows how to take faces out of the documents of one kind."""

    def forget(self, change: Change, document: Document, needles: Needles, *, done_by: PrincipalId) -> None:
        """Remove or replace the document, so that nothing in it holds one of `needles`; enter what that ends."""
        ...


class DeletesDocument:
    """A `Holder` for documents that mean nothing without the face."""

    def forget(self, change: Change, document: Document, needles: Needles, *, done_by: PrincipalId) -> None:  # noqa: ARG002
        change.transaction.delete_document(document.kind, document.id)


DELETES_DOCUMENT = DeletesDocument()
"""The one of these that is needed."""


class EndsGallery(Protocol):
    """Ends what searches of a gallery led to, in the transaction that erases it."""

    def __call__(self, change: Change, gallery: GalleryId, now: datetime, *, done_by: PrincipalId) -> int:
        """Leave no document that names a face of the gallery, and no lead that could still be followed.

        Returns:
            How many documents were cleaned.
        """
        ...

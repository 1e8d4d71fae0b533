"""Orders to preserve, as an erasure asks them: what one of them holds isn't erased until it ends."""

from collections.abc import Collection, Iterator
from datetime import date

from recognizance.errors import ConflictError
from recognizance.governance.codec import read_document
from recognizance.governance.retention import Hold
from recognizance.identifiers import FaceId, GalleryId
from recognizance.records import Document, Reader

HOLD_KIND = "hold"
_PAGE = 1000


def held(reader: Reader, holdings: Collection[str], today: date) -> list[date]:
    """Until when those among `holdings` are held that an order to preserve holds today."""
    documents = reader.documents_by_id(HOLD_KIND, holdings).values()
    return _ends([read_document(Hold, document.body) for document in documents], today)


def held_in(reader: Reader, gallery: GalleryId, today: date) -> list[date]:
    """Until when things of a gallery are held today: its faces, and whatever an order was said to be about it for."""
    ordered = [(read_document(Hold, document.body), document.labels.get("gallery")) for document in _documents(reader)]
    faces = {str(face) for face in reader.faces_by_id(gallery, [FaceId(hold.holding) for hold, _ in ordered])}
    return _ends([hold for hold, said in ordered if said == gallery or hold.holding in faces], today)


def refuse_held(until: Collection[date]) -> None:
    """Refuse an erasure of which `until` says how long parts of it are held.

    Raises:
        ConflictError: If anything is.
    """
    if until:
        raise ConflictError(f"an order to preserve holds {len(until)} of what would be erased, until {max(until)}")


def _ends(holds: Collection[Hold], today: date) -> list[date]:
    return [hold.until for hold in holds if today < hold.until]


def _documents(reader: Reader) -> Iterator[Document]:
    after = ""
    while page := reader.documents(HOLD_KIND, after=after, limit=_PAGE):
        after = page[-1].id
        yield from page

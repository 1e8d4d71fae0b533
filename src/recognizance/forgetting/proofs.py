"""What an erasure leaves behind: on whose word it was done, and a proof that names nobody.

The proof is kept as a document; the ledger has its SHA-256. It must never hold an id, a name or a picture of anybody
who was erased: it is for people who want to see that the erasure took place.

Implements `docs/forgetting.md`, "Erasure".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from recognizance.governance.codec import write_document
from recognizance.identifiers import FaceId, GalleryId, PrincipalId
from recognizance.ledger import EntryId, Facts, Receipt, facts
from recognizance.recording import EntryDraft, Maker
from recognizance.records import Needles

PROOF_KIND = "erasure"
MOST_COVERED = 4096
"""Faces that an erasure's entry commits to one by one; more than any request can name."""


class Cause(StrEnum):
    """Why something was erased; public."""

    DELETION = "deletion"
    """Whoever keeps the gallery deleted it."""
    REQUEST = "request"
    """The person asked for it."""
    RETENTION = "retention"
    EMERGENCY_LAPSED = "emergency_lapsed"
    """An emergency was not authorised in time."""
    RESTORATION = "restoration"
    """It had been erased before, and came back with older records."""


@dataclass(frozen=True, slots=True)
class Order:
    """On whose word something is erased.

    Attributes:
        request: The desk's request that it answers, if one does.
    """

    cause: Cause
    request: str | None = None


DELETION = Order(Cause.DELETION)


@dataclass(frozen=True, slots=True)
class DestroyedOpening:
    entry: str
    field: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What was destroyed, in numbers and in the names of ledger entries that can't be opened any more. Names nobody.

    Its SHA-256 is in the erasure's own entry. Whoever holds the proof can ask for each opening, and finds it gone.

    Attributes:
        version_before, version_after: Of the gallery; the same where only results were erased, and the last one is 0
            for a gallery that is gone.
        faces: How many; `images` those photographs that no other face came from, `documents` those that were cleaned.
        openings: All that were found one by one. Those of a whole gallery went with its key and are only counted.
    """

    id: str
    scope: facts.ErasureScope
    gallery: GalleryId
    cause: Cause
    at: datetime
    version_before: int
    version_after: int
    faces: int
    images: int
    documents: int
    salts: int
    openings: tuple[DestroyedOpening, ...]

    @property
    def data(self) -> bytes:
        """The proof as a file to hand over: canonical JSON, whose SHA-256 anybody can compare with the entry's."""
        return write_document(self)

    @property
    def sha256(self) -> str:
        return sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure that happened.

    Attributes:
        faces: In the order they were asked in; `unknown` are those that the gallery did not hold.
        proof: `None` if there was nothing to erase; then nothing was entered either. Or if it is under way.
        receipts: Of the ledger's entries about it, the erasure's own last; `entry` is that one.
        needles: What was looked for and must not be found again; `None` where nothing was there.
        under_way: The erasure of a gallery that is closed, of which not everything is gone yet; its proof comes then.
    """

    faces: tuple[FaceId, ...]
    unknown: tuple[FaceId, ...]
    proof: Proof | None
    receipts: tuple[Receipt, ...]
    needles: Needles | None
    entry: EntryId | None = None
    under_way: str | None = None


def said(proof: Proof, order: Order, principal: PrincipalId, faces: Sequence[FaceId]) -> Maker:
    """The erasure's own entry."""

    def make(entry: EntryDraft) -> Facts:
        # A face's id is random: only whoever was told it before can tell that this erasure was of it.
        covered = tuple(sha256(face.encode()).hexdigest() for face in faces[:MOST_COVERED])
        return facts.Erasure(
            scope=proof.scope,
            gallery=proof.gallery,
            cause=order.cause.value,
            request=order.request,
            faces=proof.faces,
            images=proof.images,
            salts=proof.salts,
            done_by=entry.pseudonym(principal),
            proof_digest=proof.sha256,
            subject=entry.commit("subject", covered),
        )

    return make

"""The desk at which somebody may also be looked for by their photograph, because they may be enrolled under no name.

Looking is a search for the asker: permitted by the desk's own policy, recorded, and bounded for each request. It must
never say whose a face is that the photograph brought up, nor keep the photograph.

Implements `docs/forgetting.md`, "The desk".
"""

from collections.abc import Callable
from dataclasses import dataclass

from recognizance.desk import Desk
from recognizance.docket import PHOTOGRAPHS_FOR, add_searches, searches_on
from recognizance.errors import LimitError, NotFoundError
from recognizance.faces import QualityFilter, open_photograph
from recognizance.forgetting.erasure import Erasure
from recognizance.forgetting.marks import Marks
from recognizance.galleries import Clock
from recognizance.governance.parties import UseId
from recognizance.governance.purposes import Capture
from recognizance.governance.requests import SearchFacts
from recognizance.governance.subjects import (
    DeskTerms,
    RequestId,
)
from recognizance.governing.registration import Actor, Gate
from recognizance.identifiers import FaceId, GalleryId
from recognizance.recording import Recorder
from recognizance.records import Records
from recognizance.search import Search

LEAST_SIMILARITY_PCT = 80.0
MOST_FACES = 10
"""What a photograph may ask of each gallery; `desk.cedar` holds the same limits against everybody."""

MOST_PHOTOGRAPHS = 5
"""For one request: more than anybody needs who looks for themselves, and too few to look for others."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """A face that resembles the asker's photograph. Whose it is isn't said: it may be somebody else's."""

    gallery: GalleryId
    face: FaceId
    similarity_pct: float


@dataclass(frozen=True, slots=True)
class Likenesses:
    """What a photograph brought up, most similar first, and galleries that other desks answer for."""

    faces: tuple[Likeness, ...]
    elsewhere: tuple[GalleryId, ...] = ()


class SearchingDesk(Desk):
    """A desk at which somebody may also be looked for by their photograph."""

    def __init__(
        self,
        records: Records,
        recorder: Recorder,
        gate: Gate,
        search: Search,
        erasure: Erasure,
        marks: Marks,
        *,
        clock: Clock,
        new_id: Callable[[], str],
        terms: DeskTerms = DeskTerms(),  # noqa: B008 - a value that never changes
    ) -> None:
        super().__init__(records, recorder, gate, erasure, marks, clock=clock, new_id=new_id, terms=terms)
        self._search = search

    def faces_like(
        self, request: str, photograph: bytes, *, threshold_pct: float = LEAST_SIMILARITY_PCT, by: Actor
    ) -> Likenesses:
        """Faces like the largest one of the asker's photograph, in every gallery that this desk answers for.

        Each gallery is a search of its own, permitted and recorded as the desk's. The photograph isn't kept.

        Raises:
            DeniedError: If there is no such request on this desk, it isn't open, its asker hasn't proven who they are,
                or the threshold is below 80.
            LimitError: If `MOST_PHOTOGRAPHS` were searched for on behalf of this request.
            ImageError: If the photograph can't be read.
        """
        # Policy judges what is on another agency's desk as what isn't there, and its refusal is on the record.
        stated = RequestId(request) if self._is_here(request, by) else RequestId(self._new_id())
        own, elsewhere = self._galleries(by)
        faces: list[Likeness] = []
        asked = SearchFacts(None, Capture.STILL, threshold_pct, MOST_FACES)
        permits = {gallery: self._gate.permit_for_asker(by, gallery, stated, asked) for gallery in own}
        self._count_photograph(stated, by)
        for gallery, permit in permits.items():
            found = self._search.faces_by_photograph(
                gallery,
                open_photograph(photograph, permit),
                threshold_pct=threshold_pct,
                limit=MOST_FACES,
                quality_filter=QualityFilter.NONE,
                permit=permit,
            ).found
            if found is not None:
                faces += [Likeness(gallery, each.enrolled.face_id, each.similarity_pct) for each in found.matches]
        return Likenesses(tuple(sorted(faces, key=lambda each: (-each.similarity_pct, each.face))), elsewhere)

    def _count_photograph(self, request: RequestId, by: Actor) -> None:
        day = self.file(request, by=by).request.received
        counted = UseId(f"{PHOTOGRAPHS_FOR}{request}")
        with self._records.transaction() as transaction:
            if searches_on(transaction, counted, day) >= MOST_PHOTOGRAPHS:
                raise LimitError(
                    f"request {request!r} was searched for with {MOST_PHOTOGRAPHS} photographs, which is the limit"
                )
            add_searches(transaction, counted, day, 1)

    def _is_here(self, request: str, by: Actor) -> bool:
        try:
            self.file(request, by=by)
        except NotFoundError:
            return False
        return True

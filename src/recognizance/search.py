"""One search, start to end: a probe to candidates that clear a threshold which means something.

The threshold is never the caller's number alone. `Calibration.operating_score` raises it with the size of the gallery,
so that a stranger comes back as nobody, however many people are enrolled.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from recognizance.errors import NotFoundError
from recognizance.faces import Calibration, DetectedFace, FaceReader, Photograph, QualityFilter, is_good_enough
from recognizance.galleries import Galleries
from recognizance.gallery import Candidate, Index, Template, Templates
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.permits import Action, Permit
from recognizance.records import FaceRow, Records, SubjectKey, SubjectRow

_Row = TypeVar("_Row", FaceRow, SubjectRow)


@dataclass(frozen=True, slots=True)
class Match(Generic[_Row]):
    """A candidate: a machine's suggestion, never an identification.

    Attributes:
        similarity_pct: 0 to 100; docs/similarity.md says what it means.
    """

    enrolled: _Row
    similarity_pct: float


@dataclass(frozen=True, slots=True)
class Found(Generic[_Row]):
    """What a search gave.

    Attributes:
        matches: Most similar first, ties by id. Empty is an answer: nobody in this gallery.
        gallery_size: How many faces, or subjects, were searched.
        operating_pct: The similarity that a candidate had to reach: at least what the caller asked for.
        model: The recogniser whose templates were compared.
    """

    matches: tuple[Match[_Row], ...]
    gallery_size: int
    operating_pct: float
    model: str


@dataclass(frozen=True, slots=True)
class PhotographSearch(Generic[_Row]):
    """A search with the largest good face of a photograph.

    Attributes:
        searched: `None` if no face passes the quality filter; `found` is then `None` as well.
        passed_over: The other faces, largest first.
    """

    searched: DetectedFace | None
    passed_over: tuple[DetectedFace, ...]
    found: Found[_Row] | None


class Search:
    """Searches galleries for faces and for subjects.

    Args:
        max_fpir: Bound on the expected false positive identification rate of a search, 0 to 1; 1 leaves the caller's
            threshold as it is.
    """

    def __init__(
        self,
        records: Records,
        galleries: Galleries,
        reader: FaceReader,
        calibration: Calibration,
        *,
        max_fpir: float,
    ) -> None:
        self._records = records
        self._galleries = galleries
        self._reader = reader
        self._calibration = calibration
        self._max_fpir = max_fpir

    def faces_by_photograph(
        self,
        gallery: GalleryId,
        photograph: Photograph,
        *,
        threshold_pct: float,
        limit: int,
        quality_filter: QualityFilter,
        permit: Permit,
    ) -> PhotographSearch[FaceRow]:
        """Search for the enrolled faces that resemble the photograph's largest face.

        Args:
            threshold_pct: The least similarity that is of interest, 0 to 100; a larger gallery asks for more.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        permit.require(Action.SEARCH, gallery)
        return self._by_photograph(
            photograph, quality_filter, permit, self._face_search(gallery, threshold_pct, limit, permit)
        )

    def subjects_by_photograph(
        self,
        gallery: GalleryId,
        photograph: Photograph,
        *,
        threshold_pct: float,
        limit: int,
        quality_filter: QualityFilter,
        permit: Permit,
    ) -> PhotographSearch[SubjectRow]:
        """Search for the subjects who resemble the photograph's largest face.

        Raises:
            NotFoundError: If there is no such gallery.
        """
        permit.require(Action.SEARCH, gallery)
        return self._by_photograph(
            photograph, quality_filter, permit, self._subject_search(gallery, threshold_pct, limit, permit)
        )

    def faces_by_face(
        self, gallery: GalleryId, face_id: FaceId, *, threshold_pct: float, limit: int, permit: Permit
    ) -> Found[FaceRow]:
        """Search for the enrolled faces that resemble one of them; that one itself is left out.

        Raises:
            NotFoundError: If there is no such gallery, or no such face in it.
        """
        permit.require(Action.SEARCH, gallery)
        probe = self._face_template(gallery, face_id, permit)
        return self._face_search(gallery, threshold_pct, limit, permit, excluded=(face_id,))(probe)

    def subjects_by_face(
        self, gallery: GalleryId, face_id: FaceId, *, threshold_pct: float, limit: int, permit: Permit
    ) -> Found[SubjectRow]:
        """Search for the subjects who resemble an enrolled face. Its own subject is one of them.

        Raises:
            NotFoundError: If there is no such gallery, or no such face in it.
        """
        permit.require(Action.SEARCH, gallery)
        probe = self._face_template(gallery, face_id, permit)
        return self._subject_search(gallery, threshold_pct, limit, permit)(probe)

    def subjects_by_subject(
        self, gallery: GalleryId, subject: SubjectId, *, threshold_pct: float, limit: int, permit: Permit
    ) -> Found[SubjectRow]:
        """Search for the subjects who resemble another one, who is left out. Somebody without faces resembles nobody.

        Raises:
            NotFoundError: If there is no such gallery, or no such subject in it.
        """
        permit.require(Action.SEARCH, gallery)
        with self._records.reading() as reader:
            key = reader.subject(gallery, subject).key
        index = self._galleries.subjects_index(gallery, model=self._reader.model, permit=permit)
        try:
            probe = index.template(key, permit=permit, gallery=gallery)
        except NotFoundError:
            return self._answer((), index, threshold_pct)
        return self._subject_search(gallery, threshold_pct, limit, permit, excluded=(key,))(probe)

    def _by_photograph(
        self,
        photograph: Photograph,
        quality_filter: QualityFilter,
        permit: Permit,
        search: Callable[[Template], Found[_Row]],
    ) -> PhotographSearch[_Row]:
        faces = self._reader.detect(photograph, permit)
        searched = next((face for face in faces if is_good_enough(face, quality_filter)), None)
        if searched is None:
            return PhotographSearch(searched=None, passed_over=faces, found=None)
        template = self._reader.templates([searched], permit)[0]
        others = tuple(face for face in faces if face is not searched)
        return PhotographSearch(searched=searched, passed_over=others, found=search(template))

    def _face_template(self, gallery: GalleryId, face_id: FaceId, permit: Permit) -> Template:
        index = self._galleries.faces_index(gallery, model=self._reader.model, permit=permit)
        try:
            return index.template(face_id, permit=permit, gallery=gallery)
        except NotFoundError as error:
            raise NotFoundError(f"there is no face {face_id!r} in the gallery {gallery!r}") from error

    def _face_search(
        self, gallery: GalleryId, threshold_pct: float, limit: int, permit: Permit, excluded: Sequence[str] = ()
    ) -> Callable[[Template], Found[FaceRow]]:
        def search(probe: Template) -> Found[FaceRow]:
            index = self._galleries.faces_index(gallery, model=self._reader.model, permit=permit)
            candidates = self._candidates(index, gallery, probe, threshold_pct, limit, permit, excluded)
            with self._records.reading() as reader:
                rows = reader.faces_by_id(gallery, [candidate.key for candidate in candidates])
            return self._answer(self._matches(candidates, rows), index, threshold_pct)

        # A gallery that isn't there is refused before any face is looked for.
        self._galleries.faces_index(gallery, model=self._reader.model, permit=permit)
        return search

    def _subject_search(
        self, gallery: GalleryId, threshold_pct: float, limit: int, permit: Permit, excluded: Sequence[str] = ()
    ) -> Callable[[Template], Found[SubjectRow]]:
        def search(probe: Template) -> Found[SubjectRow]:
            index = self._galleries.subjects_index(gallery, model=self._reader.model, permit=permit)
            candidates = self._candidates(index, gallery, probe, threshold_pct, limit, permit, excluded)
            with self._records.reading() as reader:
                rows = reader.subjects_by_key(gallery, [SubjectKey(candidate.key) for candidate in candidates])
            return self._answer(self._matches(candidates, rows), index, threshold_pct)

        self._galleries.subjects_index(gallery, model=self._reader.model, permit=permit)
        return search

    def _candidates(
        self,
        index: Index,
        gallery: GalleryId,
        probe: Template,
        threshold_pct: float,
        limit: int,
        permit: Permit,
        excluded: Sequence[str],
    ) -> list[Candidate]:
        probes: Templates = probe[None, :]
        [candidates] = index.search(
            probes,
            limit=limit,
            threshold=self._operating_score(index, threshold_pct),
            permit=permit,
            gallery=gallery,
            excluded=excluded,
        )
        return candidates

    def _operating_score(self, index: Index, threshold_pct: float) -> float:
        return self._calibration.operating_score(
            threshold_pct, gallery_size=max(len(index), 1), max_fpir=self._max_fpir
        )

    def _matches(self, candidates: Sequence[Candidate], rows: Mapping[Any, _Row]) -> tuple[Match[_Row], ...]:
        # A face that was deleted since the index answered is no candidate any more.
        return tuple(
            Match(rows[candidate.key], self._calibration.similarity_pct(candidate.similarity))
            for candidate in candidates
            if candidate.key in rows
        )

    def _answer(self, matches: tuple[Match[_Row], ...], index: Index, threshold_pct: float) -> Found[_Row]:
        return Found(
            matches=matches,
            gallery_size=len(index),
            operating_pct=self._calibration.similarity_pct(self._operating_score(index, threshold_pct)),
            model=str(self._reader.model),
        )

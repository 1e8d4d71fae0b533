"""One search, start to end: a probe to candidates that clear a threshold which means something.

The threshold is never the caller's number alone. `Calibration.operating_score` raises it with the size of the gallery,
so that a stranger comes back as nobody, however many people are enrolled.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Generic, TypeVar

from recognizance.errors import NotFoundError
from recognizance.faces import Calibration, DetectedFace, FaceReader, Photograph, QualityFilter, is_good_enough
from recognizance.galleries import Galleries, Searchable
from recognizance.gallery import Candidate, Index, Template, Templates
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.ledger import PrivateValue
from recognizance.ledger.facts import SearchOutcome
from recognizance.permits import Action, Permit
from recognizance.recording import Recorder, Searched, acts
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
        recorder: Recorder,
        galleries: Galleries,
        reader: FaceReader,
        calibration: Calibration,
        *,
        max_fpir: float,
    ) -> None:
        self._records = records
        self._recorder = recorder
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
        asked = _Asked(gallery, threshold_pct, limit, permit)
        with self._recorder.attempting(permit, Action.SEARCH, gallery):
            return self._by_photograph(photograph, quality_filter, asked, self._among_faces)

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
        asked = _Asked(gallery, threshold_pct, limit, permit)
        with self._recorder.attempting(permit, Action.SEARCH, gallery):
            return self._by_photograph(photograph, quality_filter, asked, self._among_subjects)

    def faces_by_face(
        self, gallery: GalleryId, face_id: FaceId, *, threshold_pct: float, limit: int, permit: Permit
    ) -> Found[FaceRow]:
        """Search for the enrolled faces that resemble one of them; that one itself is left out.

        Raises:
            NotFoundError: If there is no such gallery, or no such face in it.
        """
        permit.require(Action.SEARCH, gallery)
        asked = _Asked(gallery, threshold_pct, limit, permit)
        with self._recorder.attempting(permit, Action.SEARCH, gallery):
            probe = _Probe(self._face_template(asked, face_id), ("face", face_id))
            return self._among_faces(asked, probe, excluded=(face_id,))

    def subjects_by_face(
        self, gallery: GalleryId, face_id: FaceId, *, threshold_pct: float, limit: int, permit: Permit
    ) -> Found[SubjectRow]:
        """Search for the subjects who resemble an enrolled face. Its own subject is one of them.

        Raises:
            NotFoundError: If there is no such gallery, or no such face in it.
        """
        permit.require(Action.SEARCH, gallery)
        asked = _Asked(gallery, threshold_pct, limit, permit)
        with self._recorder.attempting(permit, Action.SEARCH, gallery):
            probe = _Probe(self._face_template(asked, face_id), ("face", face_id))
            return self._among_subjects(asked, probe)

    def subjects_by_subject(
        self, gallery: GalleryId, subject: SubjectId, *, threshold_pct: float, limit: int, permit: Permit
    ) -> Found[SubjectRow]:
        """Search for the subjects who resemble another one, who is left out. Somebody without faces resembles nobody.

        Raises:
            NotFoundError: If there is no such gallery, or no such subject in it.
        """
        permit.require(Action.SEARCH, gallery)
        asked = _Asked(gallery, threshold_pct, limit, permit)
        with self._recorder.attempting(permit, Action.SEARCH, gallery):
            with self._records.reading() as reader:
                key = reader.subject(gallery, subject).key
            searchable = self._galleries.searchable_subjects(gallery, model=self._reader.model, permit=permit)
            described = ("subject", key)
            try:
                template = searchable.index.template(key, permit=permit, gallery=gallery)
            except NotFoundError:
                return self._on_record(asked, searchable, described, SearchOutcome.NO_FACE, ())
            return self._among_subjects(asked, _Probe(template, described), excluded=(key,))

    def _by_photograph(
        self,
        photograph: Photograph,
        quality_filter: QualityFilter,
        asked: "_Asked",
        search: Callable[["_Asked", "_Probe"], Found[_Row]],
    ) -> PhotographSearch[_Row]:
        # A gallery that isn't there, or is another model's, is refused before any face is looked for.
        searchable = self._galleries.searchable_faces(asked.gallery, model=self._reader.model, permit=asked.permit)
        faces = self._reader.detect(photograph, asked.permit)
        searched = next((face for face in faces if is_good_enough(face, quality_filter)), None)
        if searched is None:
            self._on_record(asked, searchable, ("photograph", photograph.sha256), SearchOutcome.NO_FACE, ())
            return PhotographSearch(searched=None, passed_over=faces, found=None)
        template = self._reader.templates([searched], asked.permit)[0]
        probe = _Probe(template, ("photograph", photograph.sha256, sha256(template.tobytes()).hexdigest()))
        others = tuple(face for face in faces if face is not searched)
        return PhotographSearch(searched=searched, passed_over=others, found=search(asked, probe))

    def _face_template(self, asked: "_Asked", face_id: FaceId) -> Template:
        index = self._galleries.faces_index(asked.gallery, model=self._reader.model, permit=asked.permit)
        try:
            return index.template(face_id, permit=asked.permit, gallery=asked.gallery)
        except NotFoundError as error:
            raise NotFoundError(f"there is no face {face_id!r} in the gallery {asked.gallery!r}") from error

    def _among_faces(self, asked: "_Asked", probe: "_Probe", excluded: Sequence[str] = ()) -> Found[FaceRow]:
        searchable = self._galleries.searchable_faces(asked.gallery, model=self._reader.model, permit=asked.permit)
        candidates = self._candidates(searchable.index, asked, probe, excluded)
        with self._records.reading() as reader:
            rows = reader.faces_by_id(asked.gallery, [candidate.key for candidate in candidates])
        return self._found(asked, searchable, probe, candidates, rows)

    def _among_subjects(self, asked: "_Asked", probe: "_Probe", excluded: Sequence[str] = ()) -> Found[SubjectRow]:
        searchable = self._galleries.searchable_subjects(asked.gallery, model=self._reader.model, permit=asked.permit)
        candidates = self._candidates(searchable.index, asked, probe, excluded)
        with self._records.reading() as reader:
            rows = reader.subjects_by_key(asked.gallery, [SubjectKey(candidate.key) for candidate in candidates])
        return self._found(asked, searchable, probe, candidates, rows)

    def _candidates(self, index: Index, asked: "_Asked", probe: "_Probe", excluded: Sequence[str]) -> list[Candidate]:
        probes: Templates = probe.template[None, :]
        [candidates] = index.search(
            probes,
            limit=asked.limit,
            threshold=self._operating_score(index, asked.threshold_pct),
            permit=asked.permit,
            gallery=asked.gallery,
            excluded=excluded,
        )
        return candidates

    def _operating_score(self, index: Index, threshold_pct: float) -> float:
        return self._calibration.operating_score(
            threshold_pct, gallery_size=max(len(index), 1), max_fpir=self._max_fpir
        )

    def _found(
        self,
        asked: "_Asked",
        searchable: Searchable,
        probe: "_Probe",
        candidates: Sequence[Candidate],
        rows: Mapping[Any, _Row],
    ) -> Found[_Row]:
        # A face that was deleted since the index answered is no candidate any more.
        present = [candidate for candidate in candidates if candidate.key in rows]
        matches = tuple(
            Match(rows[candidate.key], self._calibration.similarity_pct(candidate.similarity)) for candidate in present
        )
        outcome = SearchOutcome.CANDIDATES if present else SearchOutcome.NO_CANDIDATE
        named = tuple((candidate.key, candidate.similarity) for candidate in present)
        return self._on_record(asked, searchable, probe.described, outcome, matches, named)

    def _on_record(
        self,
        asked: "_Asked",
        searchable: Searchable,
        probe: PrivateValue,
        outcome: SearchOutcome,
        matches: tuple[Match[_Row], ...],
        candidates: tuple[tuple[str, float], ...] = (),
    ) -> Found[_Row]:
        """The answer, once it's on the record; nothing that a search found leaves on another path."""
        score = self._operating_score(searchable.index, asked.threshold_pct)
        searched = Searched(
            gallery=asked.gallery,
            gallery_version=searchable.version,
            model=str(self._reader.model),
            threshold=min(max(score, -1.0), 1.0),
            outcome=outcome,
            probe=probe,
            candidates=candidates,
        )
        self._recorder.record(acts.search(asked.permit, searched), gallery=asked.gallery)
        return Found(
            matches=matches,
            gallery_size=len(searchable.index),
            operating_pct=self._calibration.similarity_pct(score),
            model=str(self._reader.model),
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """One search, as its caller asked for it."""

    gallery: GalleryId
    threshold_pct: float
    limit: int
    permit: Permit


@dataclass(frozen=True, slots=True, eq=False)
class _Probe:
    """What is searched for, and how the ledger commits to it."""

    template: Template
    described: PrivateValue

"""One search, start to end: a probe to candidates that clear a threshold which means something.

The threshold is never the caller's number alone. `Calibration.operating_score` raises it with the size of the gallery,
so that a stranger comes back as nobody, however many people are enrolled.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Generic, TypeVar, cast

from recognizance.docket import counting
from recognizance.errors import InputError, NotFoundError
from recognizance.faces import Calibration, DetectedFace, FaceReader, Photograph, QualityFilter, is_good_enough
from recognizance.forgetting.marks import NOTHING_SUPPRESSED, Marks, Suppressed, both
from recognizance.galleries import Galleries, Searchable
from recognizance.gallery import Candidate, Index, Template, Templates
from recognizance.identifiers import FaceId, GalleryId, SubjectId
from recognizance.ledger import PrivateValue
from recognizance.ledger.facts import SearchOutcome
from recognizance.permits import Action, Permit
from recognizance.recording import Recorder, Searched, acts
from recognizance.records import Box, FaceRow, Reader, Records, SubjectKey, SubjectRow
from recognizance.reviewing.openings import Hit, Openings, UnderReview
from recognizance.reviewing.pictures import PlacedFace

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
        matches: Most similar first, ties by id. Empty is an answer: nobody in this gallery; or, of a use whose
            candidates are reviewed, that nobody is named before the review is over.
        gallery_size: How many faces, or subjects, were searched.
        operating_pct: The similarity that a candidate had to reach: at least what the caller asked for.
        model: The recogniser whose templates were compared.
        review: Candidates that wait for reviewers, by ids that were drawn for this search; `None` if none do.
    """

    matches: tuple[Match[_Row], ...]
    gallery_size: int
    operating_pct: float
    model: str
    review: UnderReview | None = None


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
        openings: Openings,
        *,
        max_fpir: float,
        marks: Marks | None = None,
    ) -> None:
        self._records = records
        self._recorder = recorder
        self._galleries = galleries
        self._reader = reader
        self._calibration = calibration
        self._openings = openings
        self._max_fpir = max_fpir
        self._marks = marks

    def faces_by_photograph(
        self,
        gallery: GalleryId,
        photograph: Photograph,
        *,
        threshold_pct: float,
        limit: int,
        quality_filter: QualityFilter,
        permit: Permit,
        chosen: int | None = None,
    ) -> PhotographSearch[FaceRow]:
        """Search for the enrolled faces that resemble one face of a photograph.

        Args:
            threshold_pct: The least similarity that is of interest, 0 to 100; a larger gallery asks for more.
            chosen: Which of the faces, from 0, the largest first, as detection finds them; no other is searched for
                in its place. `None` takes the largest that passes the filter.

        Raises:
            NotFoundError: If there is no such gallery.
            InputError: If the photograph has fewer faces than `chosen` says.
        """
        permit.require(Action.SEARCH, gallery)
        asked = _Asked(gallery, threshold_pct, limit, permit, chosen)
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
        _require_unreviewed(permit)
        asked = _Asked(gallery, threshold_pct, limit, permit)
        with self._recorder.attempting(permit, Action.SEARCH, gallery):
            return self._by_photograph(photograph, quality_filter, asked, self._among_subjects)

    def faces_by_face(
        self, gallery: GalleryId, face_id: FaceId, *, threshold_pct: float, limit: int, permit: Permit
    ) -> Found[FaceRow]:
        """Search for the enrolled faces that resemble one of them; that one itself is left out.

        Raises:
            NotFoundError: If there is no such gallery, or no such face in it.
            InputError: If candidates wait for reviewers, and its photograph was not kept.
        """
        permit.require(Action.SEARCH, gallery)
        asked = _Asked(gallery, threshold_pct, limit, permit)
        with self._recorder.attempting(permit, Action.SEARCH, gallery):
            template = self._face_template(asked, face_id)
            with self._records.reading() as reader:
                row = reader.faces_by_id(gallery, [face_id]).get(face_id)
            if row is None:
                raise NotFoundError(f"there is no face {face_id!r} in the gallery {gallery!r}")
            if _is_reviewed(permit):
                # A refusal that came only where there are candidates would say that there are some, uncounted.
                self._openings.require_picture(gallery, row)
            return self._among_faces(asked, _Probe(template, ("face", face_id), row), excluded=(face_id,))

    def subjects_by_face(
        self, gallery: GalleryId, face_id: FaceId, *, threshold_pct: float, limit: int, permit: Permit
    ) -> Found[SubjectRow]:
        """Search for the subjects who resemble an enrolled face. Its own subject is one of them.

        Raises:
            NotFoundError: If there is no such gallery, or no such face in it.
        """
        permit.require(Action.SEARCH, gallery)
        _require_unreviewed(permit)
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
        _require_unreviewed(permit)
        asked = _Asked(gallery, threshold_pct, limit, permit)
        with self._recorder.attempting(permit, Action.SEARCH, gallery):
            with self._records.reading() as reader:
                key = reader.subject(gallery, subject).key
            searchable = self._galleries.searchable_subjects(gallery, model=self._reader.model, permit=permit)
            described = ("subject", key)
            try:
                template = searchable.index.template(key, permit=permit, gallery=gallery)
            except NotFoundError:
                return self._on_record(asked, searchable, described, SearchOutcome.NO_FACE)
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
        eligible = faces if asked.chosen is None else faces[asked.chosen : asked.chosen + 1]
        if asked.chosen is not None and not eligible:
            raise InputError(f"the photograph has {len(faces)} faces, and none with the number {asked.chosen + 1}")
        searched = next((face for face in eligible if is_good_enough(face, quality_filter)), None)
        if searched is None:
            self._on_record(asked, searchable, ("photograph", photograph.sha256), SearchOutcome.NO_FACE)
            return PhotographSearch(searched=None, passed_over=faces, found=None)
        template = self._reader.templates([searched], asked.permit)[0]
        described = ("photograph", photograph.sha256, sha256(template.tobytes()).hexdigest())
        probe = _Probe(template, described, _placed(searched, photograph))
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

        def rows_of(reader: Reader, keys: Sequence[str]) -> Mapping[Any, FaceRow]:
            return reader.faces_by_id(asked.gallery, [FaceId(key) for key in keys])

        candidates, rows, suppressed = self._unmarked(searchable.index, asked, probe, excluded, rows_of)
        return self._found(asked, searchable, probe, candidates, rows, suppressed)

    def _among_subjects(self, asked: "_Asked", probe: "_Probe", excluded: Sequence[str] = ()) -> Found[SubjectRow]:
        searchable = self._galleries.searchable_subjects(asked.gallery, model=self._reader.model, permit=asked.permit)

        def rows_of(reader: Reader, keys: Sequence[str]) -> Mapping[Any, SubjectRow]:
            return reader.subjects_by_key(asked.gallery, [SubjectKey(key) for key in keys])

        candidates, rows, suppressed = self._unmarked(searchable.index, asked, probe, excluded, rows_of)
        return self._found(asked, searchable, probe, candidates, rows, suppressed)

    def _unmarked(
        self,
        index: Index,
        asked: "_Asked",
        probe: "_Probe",
        excluded: Sequence[str],
        rows_of: Callable[[Reader, Sequence[str]], Mapping[Any, _Row]],
    ) -> tuple[list[Candidate], Mapping[Any, _Row], Suppressed]:
        """The candidates, without those who were found before not to be who is looked for; others take their places."""
        suppressed: Suppressed = NOTHING_SUPPRESSED
        while True:
            candidates = self._candidates(index, asked, probe, [*excluded, *suppressed.keys])
            with self._records.reading() as reader:
                rows = rows_of(reader, [candidate.key for candidate in candidates])
                marked = self._marked(reader, asked, probe, rows)
            if not marked.keys:
                return candidates, rows, suppressed
            suppressed = both(suppressed, marked)

    def _marked(self, reader: Reader, asked: "_Asked", probe: "_Probe", rows: Mapping[Any, _Row]) -> Suppressed:
        if self._marks is None or not rows:
            return NOTHING_SUPPRESSED
        case = None if asked.permit.mandate is None else asked.permit.mandate.case
        return self._marks.suppressed(
            reader, asked.gallery, cast("Any", rows), probe_sha256=probe.picture_sha256, case=case
        )

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
        suppressed: Suppressed,
    ) -> Found[_Row]:
        # A face that was deleted since the index answered is no candidate any more.
        present = [candidate for candidate in candidates if candidate.key in rows]
        matches = tuple(
            Match(rows[candidate.key], self._calibration.similarity_pct(candidate.similarity)) for candidate in present
        )
        outcome = SearchOutcome.CANDIDATES if present else SearchOutcome.NO_CANDIDATE
        named = tuple((candidate.key, candidate.similarity) for candidate in present)
        found = self._searched(asked, searchable, probe.described, outcome, named)
        if not present or not _is_reviewed(asked.permit):
            if self._marks is None or not suppressed.keys:
                self._recorder.record(
                    acts.search(asked.permit, found), gallery=asked.gallery, before=counting(asked.permit)
                )
            else:
                with self._recorder.changing() as change:
                    change.require(counting(asked.permit))
                    entry = change.enter(acts.search(asked.permit, found), gallery=asked.gallery)
                    self._marks.enter(change, entry, asked.gallery, suppressed)
            return self._answer(asked, searchable, matches)
        review = self._under_review(asked, probe, found, matches, suppressed)
        # From here on nobody is named: not to the caller either.
        return self._answer(asked, searchable, (), review)

    def _under_review(
        self, asked: "_Asked", probe: "_Probe", found: Searched, matches: Sequence[Match[Any]], suppressed: Suppressed
    ) -> UnderReview:
        """Record the search and open its review, both or neither."""
        if probe.shown is None:
            raise InputError(_FACES_ONLY)
        hits = [Hit(match.enrolled, match.similarity_pct) for match in matches]
        prepared = self._openings.prepare(asked.gallery, probe.shown, hits, asked.permit)
        with self._recorder.changing() as change:
            change.require(counting(asked.permit))
            entry = change.enter(acts.search(asked.permit, found), gallery=asked.gallery)
            if self._marks is not None and suppressed.keys:
                self._marks.enter(change, entry, asked.gallery, suppressed)
            return self._openings.open(change, prepared, entry)

    def _on_record(
        self, asked: "_Asked", searchable: Searchable, probe: PrivateValue, outcome: SearchOutcome
    ) -> Found[_Row]:
        """An answer without candidates, once it's on the record."""
        found = self._searched(asked, searchable, probe, outcome, ())
        self._recorder.record(acts.search(asked.permit, found), gallery=asked.gallery, before=counting(asked.permit))
        return self._answer(asked, searchable, ())

    def _searched(
        self,
        asked: "_Asked",
        searchable: Searchable,
        probe: PrivateValue,
        outcome: SearchOutcome,
        candidates: tuple[tuple[str, float], ...],
    ) -> Searched:
        score = self._operating_score(searchable.index, asked.threshold_pct)
        return Searched(
            gallery=asked.gallery,
            gallery_version=searchable.version,
            model=str(self._reader.model),
            threshold=min(max(score, -1.0), 1.0),
            outcome=outcome,
            probe=probe,
            candidates=candidates,
        )

    def _answer(
        self,
        asked: "_Asked",
        searchable: Searchable,
        matches: tuple[Match[_Row], ...],
        review: UnderReview | None = None,
    ) -> Found[_Row]:
        score = self._operating_score(searchable.index, asked.threshold_pct)
        return Found(
            matches=matches,
            gallery_size=len(searchable.index),
            # A table read forth and back ends beside the threshold that was asked for, by the last bit of a float.
            operating_pct=round(self._calibration.similarity_pct(score), 9),
            model=str(self._reader.model),
            review=review,
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """One search, as its caller asked for it."""

    gallery: GalleryId
    threshold_pct: float
    limit: int
    permit: Permit
    chosen: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Probe:
    """What is searched for, how the ledger commits to it, and what reviewers would compare; `None` of subjects."""

    template: Template
    described: PrivateValue
    shown: PlacedFace | FaceRow | None = None

    @property
    def picture_sha256(self) -> str | None:
        """Of the picture that is searched with, or that the enrolled face comes from."""
        if isinstance(self.shown, FaceRow):
            return None if self.shown.image_sha256 is None else self.shown.image_sha256.hex()
        return None if self.shown is None else self.shown.photograph.sha256


_FACES_ONLY = (
    "the candidates of this use wait for reviewers, who compare faces: search for faces, with SearchFacesByImage or "
    "SearchFaces, and not for users"
)


def _is_reviewed(permit: Permit) -> bool:
    return permit.mandate is not None and permit.mandate.review_required


def _require_unreviewed(permit: Permit) -> None:
    """Refuse to search for subjects where reviewers decide: a subject is a name, and no picture."""
    if _is_reviewed(permit):
        raise InputError(_FACES_ONLY)


def _placed(face: DetectedFace, photograph: Photograph) -> PlacedFace:
    height, width = photograph.size_hw
    left, top, right, bottom = map(float, face.detection.box_xyxy_px)
    box = Box(left / width, top / height, (right - left) / width, (bottom - top) / height)
    landmarks = tuple((float(x) / width, float(y) / height) for x, y in face.detection.landmarks_px)
    return PlacedFace(photograph, box, landmarks)

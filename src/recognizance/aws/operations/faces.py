"""IndexFaces, ListFaces, DeleteFaces, SearchFaces, SearchFacesByImage."""

import hashlib
from collections.abc import Iterable, Mapping

from recognizance.aws.dispatch import Call, Handler
from recognizance.aws.images import ImageSource
from recognizance.aws.operations.collections import gallery_of
from recognizance.aws.operations.details import detected_box, face_detail, numeric_version, stored_face
from recognizance.aws.operations.pages import page_of, page_size
from recognizance.aws.pagination import PageTokens
from recognizance.aws.shapes import Answer, Members
from recognizance.enrolling.enrolment import Enrolment
from recognizance.errors import InputError
from recognizance.faces import MAX_FACES, QualityFilter
from recognizance.galleries import Galleries
from recognizance.governance import SearchFacts
from recognizance.governance.purposes import Capture
from recognizance.identifiers import FaceId, ModelId, SubjectId
from recognizance.permits import Action
from recognizance.records import FaceRow
from recognizance.search import Found, Search

DEFAULT_THRESHOLD_PCT = 80.0
MAX_MATCHES = 4096
REVIEW_HEADER = "x-recognizance-review"


class FaceOperations:
    """What is done with the faces of a gallery."""

    def __init__(
        self,
        galleries: Galleries,
        enrolment: Enrolment,
        search: Search,
        images: ImageSource,
        tokens: PageTokens,
        model: ModelId,
    ) -> None:
        self._galleries = galleries
        self._enrolment = enrolment
        self._search = search
        self._images = images
        self._tokens = tokens
        self._model = model

    def handlers(self) -> dict[str, Handler]:
        return {
            "IndexFaces": self._index,
            "ListFaces": self._list,
            "DeleteFaces": self._delete,
            "SearchFaces": self._search_by_face,
            "SearchFacesByImage": self._search_by_image,
        }

    def _index(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery = gallery_of(request)
        permit = call.permit(Action.ENROL, gallery)
        photograph = self._images.open(request, "Image", permit)
        enrolled = self._enrolment.enrol(
            gallery,
            photograph,
            external_image_id=request.optional_text("ExternalImageId"),
            # The detector finds no more than this, so asking for more changes nothing.
            max_faces=min(request.integer("MaxFaces", default=MAX_FACES), MAX_FACES),
            quality_filter=quality_filter_of(request, default=QualityFilter.AUTO),
            permit=permit,
        )
        size_hw = photograph.size_hw
        return {
            "FaceRecords": [
                {"Face": stored_face(each.row), "FaceDetail": face_detail(each.face, size_hw)}
                for each in enrolled.faces
            ],
            "UnindexedFaces": [
                {"Reasons": [reason.value for reason in each.reasons], "FaceDetail": face_detail(each.face, size_hw)}
                for each in enrolled.unindexed
            ],
            "FaceModelVersion": self._model,
        }

    def _list(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery, size = gallery_of(request), page_size(request)
        subject, face_ids = request.optional_text("UserId"), request.texts("FaceIds")
        # A token goes on with the list it was given out for, which other filters would make another list.
        filters = hashlib.sha256("\n".join([subject or "", *face_ids]).encode()).hexdigest()
        within = f"{gallery}/{filters}"
        after = self._tokens.read_optional(request.optional_text("NextToken"), operation="ListFaces", within=within)
        permit = call.permit(Action.READ_GALLERY, gallery)
        described = self._galleries.describe(gallery, permit=permit)
        rows = self._enrolment.faces(
            gallery,
            subject=None if subject is None else SubjectId(subject),
            face_ids=_unique(face_ids) if "FaceIds" in request else None,
            after=None if after is None else FaceId(after),
            limit=size + 1,
            permit=permit,
        )
        page, more = page_of(rows, size)
        answer: dict[str, Answer] = {
            "Faces": [stored_face(row) for row in page],
            "FaceModelVersion": described.model,
        }
        if more:
            answer["NextToken"] = self._tokens.make(page[-1].face_id, operation="ListFaces", within=within)
        return answer

    def _delete(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery = gallery_of(request)
        permit = call.permit(Action.FORGET, gallery)
        forgotten = self._enrolment.forget_unassociated_faces(gallery, _unique(request.texts("FaceIds")), permit=permit)
        failures: list[Answer] = [
            {"FaceId": face_id, "UserId": subject, "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]}
            for face_id, subject in forgotten.associated.items()
        ]
        failures += [{"FaceId": face_id, "Reasons": ["FACE_NOT_FOUND"]} for face_id in forgotten.unknown]
        # The model says that `DeletedFaces` has at least one member, and no client checks that of an answer. Programs
        # that read it after each call would fail without it, so it's an empty list if nothing was deleted.
        return {"DeletedFaces": list(forgotten.removed), "UnsuccessfulFaceDeletions": failures}

    def _search_by_face(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery, face_id = gallery_of(request), FaceId(request.text("FaceId"))
        asked = still_search_of(request, "FaceMatchThreshold", "MaxFaces", default_candidates=MAX_MATCHES)
        found = self._search.faces_by_face(
            gallery,
            face_id,
            threshold_pct=asked.threshold_pct,
            limit=asked.candidates,
            permit=call.permit(Action.SEARCH, gallery, search=asked),
        )
        return {
            "SearchedFaceId": face_id,
            "FaceMatches": _face_matches(found, call),
            "FaceModelVersion": found.model,
        }

    def _search_by_image(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery = gallery_of(request)
        asked = still_search_of(request, "FaceMatchThreshold", "MaxFaces", default_candidates=MAX_MATCHES)
        permit = call.permit(Action.SEARCH, gallery, search=asked)
        photograph = self._images.open(request, "Image", permit)
        result = self._search.faces_by_photograph(
            gallery,
            photograph,
            threshold_pct=asked.threshold_pct,
            limit=asked.candidates,
            quality_filter=quality_filter_of(request, default=QualityFilter.NONE),
            permit=permit,
        )
        if result.searched is None or result.found is None:
            raise InputError("there are no faces in the image that pass the quality filter")
        searched = detected_box(result.searched, photograph.size_hw)
        return {
            "SearchedFaceBoundingBox": searched["BoundingBox"],
            "SearchedFaceConfidence": searched["Confidence"],
            "FaceMatches": _face_matches(result.found, call),
            "FaceModelVersion": result.found.model,
        }


def quality_filter_of(request: Members, *, default: QualityFilter) -> QualityFilter:
    given = request.optional_text("QualityFilter")
    return default if given is None else QualityFilter(given)


def still_search_of(request: Members, threshold: str, limit: str, *, default_candidates: int) -> SearchFacts:
    """What a search asks for, defaults put in; its class is the use's, because the protocol has no word for it.

    Args:
        threshold, limit: What the operation calls the two members.
    """
    return SearchFacts(
        search_class=None,
        capture=Capture.STILL,
        threshold_pct=request.number(threshold, default=DEFAULT_THRESHOLD_PCT),
        candidates=request.integer(limit, default=default_candidates),
    )


def _face_matches(found: Found[FaceRow], call: Call) -> list[Answer]:
    """The matches; or, where reviewers decide, that there are some, and the review that they wait for.

    Of a candidate under review the caller learns an id that means nothing elsewhere. Its photograph's id, its box and
    the detector's confidence would lead to the enrolled face by way of `ListFaces`, and its similarity to a judgement
    before the reviewers' own: each is answered with what all of them had to reach.
    """
    if found.review is not None:
        call.headers[REVIEW_HEADER] = found.review.review
        version = numeric_version(ModelId(found.model))
        return [
            {"Similarity": found.operating_pct, "Face": {"FaceId": alias, "IndexFacesModelVersion": version}}
            for alias in found.review.faces
        ]
    return [{"Similarity": match.similarity_pct, "Face": stored_face(match.enrolled)} for match in found.matches]


def _unique(face_ids: Iterable[str]) -> list[FaceId]:
    """Each id once, in the order of its first place."""
    return [FaceId(face_id) for face_id in dict.fromkeys(face_ids)]

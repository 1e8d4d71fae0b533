"""CreateUser, DeleteUser, ListUsers, AssociateFaces, DisassociateFaces, SearchUsers, SearchUsersByImage."""

from collections.abc import Iterable, Mapping

from recognizance.aws.dispatch import Call, Handler
from recognizance.aws.images import ImageSource
from recognizance.aws.operations.collections import gallery_of
from recognizance.aws.operations.details import face_detail
from recognizance.aws.operations.faces import quality_filter_of, still_search_of
from recognizance.aws.operations.pages import MAX_USERS_PAGE, page_of, page_size
from recognizance.aws.pagination import PageTokens
from recognizance.aws.shapes import Answer, Members
from recognizance.enrolling.subjects import AssociationOutcome, Subjects
from recognizance.errors import InputError
from recognizance.faces import QualityFilter, unindexed_reasons
from recognizance.identifiers import FaceId, GalleryId, ModelId, SubjectId
from recognizance.permits import Action, Permit
from recognizance.records import Disassociation, SubjectRow
from recognizance.search import Match, Search

ASSOCIATION_THRESHOLD_PCT = 75.0

_NOT_ASSOCIATED = {
    AssociationOutcome.FACE_NOT_FOUND: "FACE_NOT_FOUND",
    AssociationOutcome.OTHER_SUBJECT: "ASSOCIATED_TO_A_DIFFERENT_USER",
    AssociationOutcome.LOW_SIMILARITY: "LOW_MATCH_CONFIDENCE",
}
_NOT_DISASSOCIATED = {
    Disassociation.FACE_NOT_FOUND: "FACE_NOT_FOUND",
    Disassociation.OTHER_SUBJECT: "ASSOCIATED_TO_A_DIFFERENT_USER",
}


class UserOperations:
    """What is done with the subjects of a gallery, which Rekognition calls users."""

    def __init__(
        self, subjects: Subjects, search: Search, images: ImageSource, tokens: PageTokens, model: ModelId
    ) -> None:
        self._model = model
        self._subjects = subjects
        self._search = search
        self._images = images
        self._tokens = tokens

    def handlers(self) -> dict[str, Handler]:
        return {
            "CreateUser": self._create,
            "DeleteUser": self._delete,
            "ListUsers": self._list,
            "AssociateFaces": self._associate,
            "DisassociateFaces": self._disassociate,
            "SearchUsers": self._search_by_id,
            "SearchUsersByImage": self._search_by_image,
        }

    def _create(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery, token = gallery_of(request), request.optional_text("ClientRequestToken")
        permit = call.permit(Action.ENROL, gallery)
        self._subjects.create_subject(gallery, _subject_of(request), token=token, permit=permit)
        return {}

    def _delete(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery, token = gallery_of(request), request.optional_text("ClientRequestToken")
        permit = call.permit(Action.FORGET, gallery)
        self._subjects.delete_subject(gallery, _subject_of(request), token=token, permit=permit)
        return {}

    def _list(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery, size = gallery_of(request), page_size(request, default=MAX_USERS_PAGE)
        after = self._tokens.read_optional(request.optional_text("NextToken"), operation="ListUsers", within=gallery)
        permit = call.permit(Action.READ_GALLERY, gallery)
        rows = self._subjects.subjects(
            gallery, after=None if after is None else SubjectId(after), limit=size + 1, permit=permit
        )
        page, more = page_of(rows, size)
        answer: dict[str, Answer] = {"Users": [_user(row) for row in page]}
        if more:
            answer["NextToken"] = self._tokens.make(page[-1].subject_id, operation="ListUsers", within=gallery)
        return answer

    def _associate(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery, subject = gallery_of(request), _subject_of(request)
        permit = call.permit(Action.ENROL, gallery)
        outcomes = self._subjects.associate(
            gallery,
            subject,
            _face_ids_of(request),
            threshold_pct=request.number("UserMatchThreshold", default=ASSOCIATION_THRESHOLD_PCT),
            token=request.optional_text("ClientRequestToken"),
            permit=permit,
        )
        return {
            "AssociatedFaces": [
                {"FaceId": face} for face, outcome in outcomes.items() if outcome is AssociationOutcome.ASSOCIATED
            ],
            "UnsuccessfulFaceAssociations": self._failures(
                gallery,
                {face: _NOT_ASSOCIATED[outcome] for face, outcome in outcomes.items() if outcome in _NOT_ASSOCIATED},
                permit,
            ),
            "UserStatus": self._subjects.subject(gallery, subject, permit=permit).status.value,
        }

    def _disassociate(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery, subject = gallery_of(request), _subject_of(request)
        permit = call.permit(Action.ENROL, gallery)
        outcomes = self._subjects.disassociate(
            gallery,
            subject,
            _face_ids_of(request),
            token=request.optional_text("ClientRequestToken"),
            permit=permit,
        )
        return {
            "DisassociatedFaces": [
                {"FaceId": face} for face, outcome in outcomes.items() if outcome is Disassociation.DISASSOCIATED
            ],
            "UnsuccessfulFaceDisassociations": self._failures(
                gallery,
                {
                    face: _NOT_DISASSOCIATED[outcome]
                    for face, outcome in outcomes.items()
                    if outcome in _NOT_DISASSOCIATED
                },
                permit,
            ),
            "UserStatus": self._subjects.subject(gallery, subject, permit=permit).status.value,
        }

    def _search_by_id(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery = gallery_of(request)
        subject, face = request.optional_text("UserId"), request.optional_text("FaceId")
        asked = still_search_of(request, "UserMatchThreshold", "MaxUsers", default_candidates=MAX_USERS_PAGE)
        threshold_pct, limit = asked.threshold_pct, asked.candidates
        permit = call.permit(Action.SEARCH, gallery, search=asked)
        searched: dict[str, Answer]
        if subject is not None and face is None:
            found = self._search.subjects_by_subject(
                gallery, SubjectId(subject), threshold_pct=threshold_pct, limit=limit, permit=permit
            )
            searched = {"SearchedUser": {"UserId": subject}}
        elif face is not None and subject is None:
            found = self._search.subjects_by_face(
                gallery, FaceId(face), threshold_pct=threshold_pct, limit=limit, permit=permit
            )
            searched = {"SearchedFace": {"FaceId": face}}
        else:
            raise InputError("SearchUsers needs a UserId or a FaceId, and not both")
        return {"UserMatches": _user_matches(found.matches), "FaceModelVersion": found.model, **searched}

    def _search_by_image(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery = gallery_of(request)
        quality_filter = quality_filter_of(request, default=QualityFilter.NONE)
        asked = still_search_of(request, "UserMatchThreshold", "MaxUsers", default_candidates=MAX_USERS_PAGE)
        permit = call.permit(Action.SEARCH, gallery, search=asked)
        photograph = self._images.open(request, "Image", permit)
        result = self._search.subjects_by_photograph(
            gallery,
            photograph,
            threshold_pct=asked.threshold_pct,
            limit=asked.candidates,
            quality_filter=quality_filter,
            permit=permit,
        )
        size_hw = photograph.size_hw
        answer: dict[str, Answer] = {
            "UserMatches": [] if result.found is None else _user_matches(result.found.matches),
            "FaceModelVersion": self._model,
            "UnsearchedFaces": [
                {
                    "FaceDetails": face_detail(face, size_hw),
                    "Reasons": [reason.value for reason in unindexed_reasons(face, quality_filter)]
                    or ["FACE_NOT_LARGEST"],
                }
                for face in result.passed_over
            ],
        }
        if result.searched is not None:
            answer["SearchedFace"] = {"FaceDetail": face_detail(result.searched, size_hw)}
        return answer

    def _failures(self, gallery: GalleryId, reasons: Mapping[FaceId, str], permit: Permit) -> list[Answer]:
        """Name the faces that something was not done to, why, and whose they are if that is why."""
        owners = self._subjects.owners(gallery, list(reasons), permit=permit) if reasons else {}
        failures: list[Answer] = []
        for face, reason in reasons.items():
            failure: dict[str, Answer] = {"FaceId": face, "Reasons": [reason]}
            if face in owners:
                failure["UserId"] = owners[face]
            failures.append(failure)
        return failures


def _subject_of(request: Members) -> SubjectId:
    return SubjectId(request.text("UserId"))


def _face_ids_of(request: Members) -> list[FaceId]:
    """Each id once, in the order of its first place."""
    return [FaceId(face_id) for face_id in dict.fromkeys(request.texts("FaceIds"))]


def _user(row: SubjectRow) -> dict[str, Answer]:
    return {"UserId": row.subject_id, "UserStatus": row.status.value}


def _user_matches(matches: Iterable[Match[SubjectRow]]) -> list[Answer]:
    return [{"Similarity": match.similarity_pct, "User": _user(match.enrolled)} for match in matches]

"""CreateCollection, DeleteCollection, DescribeCollection, ListCollections, and the tags of collections."""

from collections.abc import Mapping

from recognizance.aws.dispatch import Call, Handler
from recognizance.aws.operations.arns import Arns
from recognizance.aws.operations.pages import page_of, page_size
from recognizance.aws.pagination import PageTokens
from recognizance.aws.shapes import Answer, Members
from recognizance.declarations import stated_enrolment
from recognizance.forgetting.erasure import Erasure
from recognizance.galleries import Galleries
from recognizance.identifiers import GalleryId
from recognizance.permits import Action

LONGEST_DELETION_S = 5.0
"""How long `DeleteCollection` erases before it answers. The collection is gone at once in any case; clients give up
after a minute and try again, and would then be told that there is no such collection."""

_OK = 200


class CollectionOperations:
    """What is done to galleries as a whole."""

    def __init__(self, galleries: Galleries, erasure: Erasure, tokens: PageTokens, arns: Arns) -> None:
        self._galleries = galleries
        self._erasure = erasure
        self._tokens = tokens
        self._arns = arns

    def handlers(self) -> dict[str, Handler]:
        return {
            "CreateCollection": self._create,
            "DeleteCollection": self._delete,
            "DescribeCollection": self._describe,
            "ListCollections": self._list,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list_tags,
        }

    def _create(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery = gallery_of(request)
        tags = request.text_map("Tags")
        permit = call.permit(Action.MANAGE_GALLERY, gallery, enrolment=stated_enrolment(tags))
        row = self._galleries.create(gallery, tags=tags, permit=permit)
        return {"StatusCode": _OK, "CollectionArn": self._arns.bare(row.id), "FaceModelVersion": row.model}

    def _delete(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery = gallery_of(request)
        permit = call.permit(Action.MANAGE_GALLERY, gallery)
        self._erasure.gallery(gallery, permit=permit, within_s=LONGEST_DELETION_S)
        return {"StatusCode": _OK}

    def _describe(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery = gallery_of(request)
        row = self._galleries.describe(gallery, permit=call.permit(Action.READ_GALLERY, gallery))
        return {
            "FaceCount": row.face_count,
            "UserCount": row.subject_count,
            "FaceModelVersion": row.model,
            "CollectionARN": self._arns.of(row.id),
            "CreationTimestamp": row.created,
        }

    def _list(self, request: Members, call: Call) -> Mapping[str, Answer]:
        size = page_size(request)
        after = self._tokens.read_optional(request.optional_text("NextToken"), operation="ListCollections")
        permit = call.permit(Action.READ_GALLERY)
        rows = self._galleries.page(after=None if after is None else GalleryId(after), limit=size + 1, permit=permit)
        page, more = page_of(rows, size)
        answer: dict[str, Answer] = {
            "CollectionIds": [row.id for row in page],
            "FaceModelVersions": [row.model for row in page],
        }
        if more:
            answer["NextToken"] = self._tokens.make(page[-1].id, operation="ListCollections")
        return answer

    def _tag(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery = self._arns.gallery(request.text("ResourceArn"))
        tags = request.text_map("Tags")
        permit = call.permit(Action.MANAGE_GALLERY, gallery, enrolment=stated_enrolment(tags))
        self._galleries.tag(gallery, tags, permit=permit)
        return {}

    def _untag(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery = self._arns.gallery(request.text("ResourceArn"))
        self._galleries.untag(gallery, request.texts("TagKeys"), permit=call.permit(Action.MANAGE_GALLERY, gallery))
        return {}

    def _list_tags(self, request: Members, call: Call) -> Mapping[str, Answer]:
        gallery = self._arns.gallery(request.text("ResourceArn"))
        row = self._galleries.describe(gallery, permit=call.permit(Action.READ_GALLERY, gallery))
        return {"Tags": dict(row.tags)}


def gallery_of(request: Members) -> GalleryId:
    return GalleryId(request.text("CollectionId"))

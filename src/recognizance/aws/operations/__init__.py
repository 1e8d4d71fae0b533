"""The 21 operations on collections, faces, users, tags and single images: Rekognition's shapes to services and back."""

from recognizance.aws.dispatch import Handler
from recognizance.aws.images import ImageSource
from recognizance.aws.operations.arns import Arns
from recognizance.aws.operations.collections import CollectionOperations
from recognizance.aws.operations.faces import FaceOperations
from recognizance.aws.operations.stateless import StatelessOperations
from recognizance.aws.operations.users import UserOperations
from recognizance.aws.pagination import PageTokens
from recognizance.enrolling.enrolment import Enrolment
from recognizance.enrolling.subjects import Subjects
from recognizance.forgetting.erasure import Erasure
from recognizance.galleries import Galleries
from recognizance.identifiers import ModelId
from recognizance.oneshot import OneShot
from recognizance.search import Search

__all__ = ["Arns", "rekognition_handlers"]


def rekognition_handlers(
    *,
    galleries: Galleries,
    enrolment: Enrolment,
    subjects: Subjects,
    erasure: Erasure,
    search: Search,
    oneshot: OneShot,
    model: ModelId,
    images: ImageSource,
    tokens: PageTokens,
    arns: Arns,
) -> dict[str, Handler]:
    """Every operation that is answered, by its name in the service model.

    Args:
        model: The recogniser that `enrolment` and `search` make templates with.
    """
    return {
        **CollectionOperations(galleries, erasure, tokens, arns).handlers(),
        **FaceOperations(galleries, enrolment, search, images, tokens, model).handlers(),
        **UserOperations(subjects, search, images, tokens, model).handlers(),
        **StatelessOperations(oneshot, images).handlers(),
    }

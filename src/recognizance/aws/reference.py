"""The reference of operations, written from what the service does: `docs/operations.md`, held to it by a test.

Limits and errors come from the service model, defaults and remarks from the tables below. A member that the model has
and the tables don't know is written all the same; one that only the tables know is a mistake and refused.
"""

from collections.abc import Mapping

from recognizance.aws.service_model import OperationShape, ServiceModel, Shape
from recognizance.aws.unsupported import LATER, NEVER

GUESSED = (
    *("AgeRange", "Smile", "Eyeglasses", "Sunglasses", "Gender", "Beard", "Mustache", "EyesOpen", "MouthOpen"),
    *("Emotions", "FaceOccluded", "EyeDirection"),
)
"""Members of `FaceDetail` that are never answered."""

PURPOSES: Mapping[str, str] = {
    "CreateCollection": "Creates an empty gallery.",
    "DeleteCollection": (
        "Deletes a gallery with all it holds, destroys its key, and leaves a proof. Refused while an order to preserve"
        " holds something in it."
    ),
    "DescribeCollection": "Counts a gallery's faces and users, and names its model.",
    "ListCollections": "Lists galleries in order of their names.",
    "IndexFaces": "Enrols the faces of an image. The image itself is not kept, unless the setting `keep_images` is on.",
    "ListFaces": "Lists a gallery's faces in order of their ids.",
    "DeleteFaces": (
        "Deletes faces and their templates. Faces of a user stay, and are answered as unsuccessful. If nothing was"
        " deleted, `DeletedFaces` is an empty list, although the model asks for one member: programs read it anyhow."
    ),
    "SearchFaces": "Searches with an enrolled face, which is itself left out.",
    "SearchFacesByImage": "Searches with the largest face of an image. An image without faces is an error.",
    "CreateUser": "Creates a user without faces.",
    "DeleteUser": "Deletes a user. Their faces stay enrolled and belong to nobody.",
    "ListUsers": "Lists a gallery's users in order of their names.",
    "AssociateFaces": "Gives faces to a user.",
    "DisassociateFaces": "Takes faces from a user. They stay enrolled.",
    "SearchUsers": "Searches for users with an enrolled face or with another user, who is left out.",
    "SearchUsersByImage": "Searches for users with the largest face of an image. Without faces nobody matches.",
    "DetectFaces": "Finds the faces of an image, the largest first, at most 100. Nothing is kept.",
    "CompareFaces": "Compares the largest face of one image with all faces of another. Nothing is kept.",
    "TagResource": "Adds tags to a gallery, or changes their values.",
    "UntagResource": "Removes tags from a gallery. Tags that it does not have are passed over.",
    "ListTagsForResource": "Lists a gallery's tags.",
}

_ANY_SEARCH = "A larger gallery asks for more, see docs/similarity.md."
_LAST_PAGE = "As answered before, by the same operation with the same other members."
_FILTER = "NONE filters nothing; docs/decisions/0005-quality-gates.md has the bars."
_SHOWN = "Changes nothing: what is measured is always answered, and what would be guessed never."
_ONCE = "The same request with the same token is done once; with another request it is an error."
_DECLARING = (
    "`recognizance:source` and `recognizance:basis` (and `recognizance:agency`) declare where its images come from, see"
    " docs/governance.md."
)
_FOUR_THOUSAND = "4096"

REMARKS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("CreateCollection", "Tags"): ("", _DECLARING),
    ("ListCollections", "MaxResults"): ("1000", "0 counts as absent."),
    ("ListCollections", "NextToken"): ("", _LAST_PAGE),
    ("IndexFaces", "DetectionAttributes"): ("", _SHOWN),
    ("IndexFaces", "MaxFaces"): ("100", "The largest are kept. More than 100 counts as 100."),
    ("IndexFaces", "QualityFilter"): ("AUTO", _FILTER),
    ("IndexFaces", "ExternalImageId"): ("", "The same bytes under the same id are enrolled once."),
    ("ListFaces", "MaxResults"): ("1000", "0 counts as absent."),
    ("ListFaces", "NextToken"): ("", _LAST_PAGE),
    ("SearchFaces", "MaxFaces"): (_FOUR_THOUSAND, "The most similar are kept."),
    ("SearchFaces", "FaceMatchThreshold"): ("80", _ANY_SEARCH),
    ("SearchFacesByImage", "MaxFaces"): (_FOUR_THOUSAND, "The most similar are kept."),
    ("SearchFacesByImage", "FaceMatchThreshold"): ("80", _ANY_SEARCH),
    ("SearchFacesByImage", "QualityFilter"): ("NONE", _FILTER),
    ("CreateUser", "ClientRequestToken"): ("", _ONCE),
    ("DeleteUser", "ClientRequestToken"): ("", _ONCE),
    ("ListUsers", "MaxResults"): ("500", ""),
    ("ListUsers", "NextToken"): ("", _LAST_PAGE),
    ("AssociateFaces", "UserMatchThreshold"): ("75", "Against the mean of the user's faces, or the first face given."),
    ("AssociateFaces", "ClientRequestToken"): ("", _ONCE),
    ("DisassociateFaces", "ClientRequestToken"): ("", _ONCE),
    ("SearchUsers", "UserId"): ("", "Either this or FaceId, and not both."),
    ("SearchUsers", "FaceId"): ("", "Either this or UserId, and not both."),
    ("SearchUsers", "UserMatchThreshold"): ("80", _ANY_SEARCH),
    ("SearchUsers", "MaxUsers"): ("500", "The most similar are kept."),
    ("SearchUsersByImage", "UserMatchThreshold"): ("80", _ANY_SEARCH),
    ("SearchUsersByImage", "MaxUsers"): ("500", "The most similar are kept."),
    ("SearchUsersByImage", "QualityFilter"): ("NONE", _FILTER),
    ("DetectFaces", "Attributes"): ("", _SHOWN),
    ("CompareFaces", "SimilarityThreshold"): ("80", "There is no gallery here, so it holds as it is."),
    ("CompareFaces", "QualityFilter"): ("NONE", _FILTER),
    ("TagResource", "ResourceArn"): ("", "As DescribeCollection or CreateCollection answers it."),
    ("TagResource", "Tags"): ("", "Those that declare change nothing once a face is enrolled. " + _DECLARING),
    ("UntagResource", "TagKeys"): ("", "A declaration can't be removed."),
    ("UntagResource", "ResourceArn"): ("", "As DescribeCollection or CreateCollection answers it."),
    ("ListTagsForResource", "ResourceArn"): ("", "As DescribeCollection or CreateCollection answers it."),
}
"""By operation and member: the default, and a remark."""


def operations_reference(model: ServiceModel) -> str:
    """Write the generated part of `docs/operations.md`.

    Raises:
        ValueError: If the tables above name what the model does not have.
    """
    for name, member in REMARKS:
        if name not in PURPOSES or member not in model.operations[name].takes.members:
            raise ValueError(f"the service model has no member {member!r} of {name!r}")
    parts = [_operation(model.operations[name], purpose) for name, purpose in PURPOSES.items()]
    guessed = ", ".join(f"`{name}`" for name in GUESSED)
    return (
        "\n".join(parts)
        + f"\n## Members that are never answered\n\nOf `FaceDetail`: {guessed}.\n"
        + f"\n## Operations that come later\n\n{_by_reason(LATER)}\n"
        + f"\n## Operations that never come\n\n{_by_reason(NEVER)}\n"
    )


def _by_reason(unsupported: Mapping[str, str]) -> str:
    names: dict[str, list[str]] = {}
    for name, why in unsupported.items():
        names.setdefault(why, []).append(f"`{name}`")
    return "\n".join(f"- {', '.join(each)}: {why}." for why, each in names.items())


def _operation(operation: OperationShape, purpose: str) -> str:
    rows = ["| member | type and limits | required | default | remarks |", "|---|---|---|---|---|"]
    for name, shape in operation.takes.members.items():
        default, remark = REMARKS.get((operation.name, name), ("", ""))
        required = "yes" if name in operation.takes.required else ""
        rows.append(f"| `{name}` | {_limits(shape)} | {required} | {default} | {remark} |")
    errors = ", ".join(f"`{code}`" for code in sorted(operation.errors))
    return f"## {operation.name}\n\n{purpose}\n\n" + "\n".join(rows) + f"\n\nErrors: {errors}.\n"


def _limits(shape: Shape) -> str:
    """Say a shape's type and limits in a few words."""
    if shape.choices:
        return ", ".join(f"`{choice}`" for choice in shape.choices)
    words = {
        "blob": "base64",
        "float": "number",
        "integer": "whole number",
        "string": "text",
        "structure": f"`{shape.name}`",
    }.get(shape.kind, shape.kind)
    unit = {"string": " characters", "blob": " bytes", "list": " entries", "map": " entries"}.get(shape.kind, "")
    if shape.low is not None and shape.high is not None:
        words += f", {shape.low} to {shape.high}{unit}"
    elif shape.high is not None:
        words += f", at most {shape.high}{unit}"
    elif shape.low is not None:
        words += f", at least {shape.low}{unit}"
    if shape.pattern is not None:
        words += f", `{shape.written_pattern.replace('|', chr(92) + '|')}`"
    if shape.kind == "list" and shape.element is not None:
        words += f" of {_limits(shape.element)}"
    return words


def main() -> None:
    """Write `docs/operations.md` of the working tree anew, keeping the part that is written by hand."""
    from pathlib import Path

    from recognizance.aws.service_model import load_model

    file = Path("docs/operations.md")
    by_hand = file.read_text(encoding="utf-8").partition("## CreateCollection\n")[0]
    file.write_text(by_hand + operations_reference(load_model()), encoding="utf-8")


if __name__ == "__main__":
    main()

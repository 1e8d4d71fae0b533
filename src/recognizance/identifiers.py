"""The names of things. A `FaceId` can't be passed where a `SubjectId` belongs."""

from typing import NewType

GalleryId = NewType("GalleryId", str)
"""What the operator calls the gallery: `[a-zA-Z0-9_.-]{1,255}`. A *CollectionId* at the Rekognition API."""

FaceId = NewType("FaceId", str)
"""A lower-case UUID, drawn by us. Ties between equal scores are broken by it, ascending."""

ImageId = NewType("ImageId", str)
"""A lower-case UUID that all faces of one enrolled image share."""

SubjectId = NewType("SubjectId", str)
"""Somebody enrolled, as the caller names them: `[a-zA-Z0-9_.:-]{1,128}`. A *UserId* at the Rekognition API."""

ModelId = NewType("ModelId", str)
"""A recogniser's name and the first 16 hexadecimal digits of its file's SHA-256: `sface-2021dec@fb143eea07838aa5`.

Templates carry it. Templates of different models are never compared.
"""

PrincipalId = NewType("PrincipalId", str)
"""Who acts: the person or program that an access key belongs to."""

AccessKeyId = NewType("AccessKeyId", str)
"""The public half of a key pair: 20 characters, `[A-Z2-7]`, as AWS spells them."""

DecisionId = NewType("DecisionId", str)
"""One answer of the policy. A permit and a refusal both have one."""

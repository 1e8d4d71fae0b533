"""Names of galleries as Amazon writes them."""

import re
from dataclasses import dataclass

from recognizance.errors import InputError, NotFoundError
from recognizance.identifiers import GalleryId

_ARN = re.compile(r"(?:arn:)?aws:rekognition:([^:]*):([^:]*):(.+)")
_COLLECTION = re.compile(r"collection/([a-zA-Z0-9_.\-]{1,255})")


@dataclass(frozen=True, slots=True)
class Arns:
    """Writes and reads the ARNs of one installation.

    >>> Arns("us-east-1", "000000000000").of(GalleryId("visitors"))
    'arn:aws:rekognition:us-east-1:000000000000:collection/visitors'
    """

    region: str
    account: str

    def of(self, gallery: GalleryId) -> str:
        return "arn:" + self.bare(gallery)

    def bare(self, gallery: GalleryId) -> str:
        """Without `arn:` in front: so, and only there, Rekognition answers CreateCollection."""
        return f"aws:rekognition:{self.region}:{self.account}:collection/{gallery}"

    def gallery(self, arn: str) -> GalleryId:
        """Read the gallery out of an ARN in either form.

        Raises:
            InputError: If it's no ARN of Rekognition's.
            NotFoundError: If it's one of another region or account, or of something else than a collection.
        """
        match = _ARN.fullmatch(arn)
        if match is None:
            raise InputError("the ResourceArn is not the ARN of a Rekognition resource")
        collection = _COLLECTION.fullmatch(match[3])
        if collection is None or (match[1], match[2]) != (self.region, self.account):
            raise NotFoundError("there is no resource of this ARN here")
        return GalleryId(collection[1])

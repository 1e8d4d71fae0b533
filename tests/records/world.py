"""What the tests of the records draw from."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from recognizance.identifiers import FaceId, GalleryId, ImageId, ModelId
from recognizance.records import Box, GalleryRow, NewFace, Records, Transaction
from recognizance.records.rows import Templates


@dataclass(frozen=True)
class World:
    """What tests draw from: a seeded generator, a fixed time, one gallery's name and model."""

    rng: np.random.Generator
    now: datetime = datetime(2026, 11, 22, 5, 0, 0, 123456, tzinfo=UTC)
    gallery: GalleryId = field(default=GalleryId("mugshots"))
    model: ModelId = field(default=ModelId("test@0123456789abcdef"))
    dimension: int = 128

    def uuid(self) -> str:
        digits = self.rng.bytes(16).hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def templates(self, count: int) -> Templates:
        rows = self.rng.standard_normal((count, self.dimension), dtype=np.float32)
        unit: Templates = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    def faces(self, count: int, *, image_id: ImageId | None = None) -> list[NewFace]:
        """Faces with random templates, one image each unless `image_id` says that they share one."""
        return [
            NewFace(
                face_id=FaceId(self.uuid()),
                image_id=image_id or ImageId(self.uuid()),
                template=template,
                model=self.model,
                box=Box(left=0.25, top=-0.125, width=0.5, height=0.75),
                confidence=0.875,
                created=self.now,
            )
            for template in self.templates(count)
        ]


def stored(records: Records, gallery: GalleryId) -> dict[FaceId, bytes]:
    """Every face with its template's bytes."""
    with records.reading() as reader:
        return {
            face_id: template.tobytes()
            for block in reader.templates(gallery)
            for face_id, template in zip(block.face_ids, block.templates, strict=True)
        }


def erase_gallery(transaction: Transaction, gallery: GalleryId) -> GalleryRow:
    """All of a small gallery's erasure in one transaction; what it was."""
    erasure = f"erasure of {gallery}"
    row = transaction.close_gallery(gallery, erasure=erasure)
    transaction.erase_closed(erasure, most=1_000_000)
    transaction.drop_closed(erasure)
    return row

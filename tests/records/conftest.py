"""A fresh data folder with records in it, and faces to put there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from recognizance.identifiers import FaceId, GalleryId, ImageId, ModelId
from recognizance.records import Box, MasterKey, NewFace, Records, Secret
from recognizance.records.rows import Templates


@dataclass(frozen=True)
class World:
    """What tests draw from: a seeded generator, a fixed time, one gallery's name and model."""

    rng: np.random.Generator
    now: datetime = datetime(2026, 11, 22, 5, 0, 0, 123456, tzinfo=UTC)
    gallery: GalleryId = GalleryId("mugshots")
    model: ModelId = ModelId("test@0123456789abcdef")
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


@pytest.fixture
def world() -> World:
    return World(np.random.default_rng(20261122))


@pytest.fixture
def master_key() -> MasterKey:
    return MasterKey(Secret(bytes(range(32))))


@pytest.fixture
def records(tmp_path: Path, master_key: MasterKey) -> Iterator[Records]:
    opened = Records.open(tmp_path / "data", master_key=master_key)
    yield opened
    opened.close()


@pytest.fixture
def gallery(records: Records, world: World) -> GalleryId:
    """An empty gallery."""
    with records.transaction() as transaction:
        transaction.create_gallery(world.gallery, model=world.model, created=world.now)
    return world.gallery

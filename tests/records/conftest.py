"""A fresh data folder with records in it, and faces to put there."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recognizance.identifiers import GalleryId
from recognizance.records import MasterKey, Records, Secret

from .world import World


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

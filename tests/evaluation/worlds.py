"""Small sets to evaluate on: portraits that installed packages ship, cut and turned into several pictures of each."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from recognizance.evaluation.cache import Cache
from recognizance.evaluation.conduct import Conduct
from recognizance.evaluation.engines_local import LocalEngine, LocalSettings
from recognizance.evaluation.testset import TestSet, open_test_set
from recognizance.faces import Calibration, FaceReader
from recognizance.permits import Permit

from ..conftest import jpeg

FACES = Path(__file__).parents[3] / "shared" / "faces"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def portraits(folder: Path, collins: Image.Image, hopper: Image.Image, nobody: Image.Image) -> TestSet:
    """Two women, three pictures each, a picture of nobody, and the second woman's twin under a name of her own."""
    pictures = {
        "collins/1.jpg": ("Collins", "civil", collins),
        "collins/2.jpg": ("Collins", "civil", collins.rotate(8)),
        "collins/3.jpg": ("Collins", "civil", collins.resize((300, 300))),
        "hopper/1.jpg": ("Hopper", "navy", hopper),
        "hopper/2.jpg": ("Hopper", "navy", hopper.rotate(-7)),
        "hopper/3.jpg": ("Hopper", "navy", hopper.resize((hopper.width // 2, hopper.height // 2))),
        "double/1.jpg": ("Double", "", hopper),
        "room/1.jpg": ("Room", "", nobody),
    }
    rows = ["path,subject,branch"]
    for path, (subject, branch, picture) in pictures.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(jpeg(picture))
        rows.append(f"{path},{subject},{branch}")
    (folder / "set.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return open_test_set(folder / "set.csv")


def some_people(folder: Path, people: int, several: int) -> Path:
    """A manifest of the first people of the shared faces: so many, of which so many have several pictures."""
    lines = (FACES / "lfw.csv").read_text(encoding="utf-8").splitlines()
    images: dict[str, list[str]] = {}
    for line in lines[1:]:
        images.setdefault(line.split(",")[1], []).append(line)
    many = [rows for rows in images.values() if len(rows) > 2][:several]
    single = [rows for rows in images.values() if len(rows) == 1][: people - several]
    rows = [lines[0], *(row for each in [*many, *single] for row in each[:3])]
    (folder / "lfw").symlink_to(FACES / "lfw")
    (folder / "some.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "some.csv"


@contextmanager
def local_engine(
    test_set: TestSet, faces: tuple[FaceReader, Calibration], permit: Permit, folder: Path, **settings: Any
) -> Iterator[LocalEngine]:
    with closing(Cache(folder / "cache")) as cache, ThreadPoolExecutor(2) as workers:
        yield LocalEngine(test_set, *faces, permit, cache, settings=LocalSettings(**settings), workers=workers)


def conduct(**changed: Any) -> Conduct:
    said: dict[str, Any] = {
        "name": "test",
        "tester": "the tests",
        "is_independent": False,
        "description": "portraits",
        "seed": 5,
        "operating": "80",
        "now": lambda: NOW,
        "resamples": 100,
    }
    return Conduct(**(said | changed))


def numbers(*samples: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.array(samples, dtype=np.int32)

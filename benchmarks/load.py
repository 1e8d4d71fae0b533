"""How long a gallery takes to load, sealed as it is, against SQLite's own speed with bare rows.

Builds a gallery in a temporary folder with the calls that the service uses, and beside it a plain table of the same
faces: id and template, one row each, nothing sealed. Then reads both in turn, several times, each to the same end: a
list of face ids and one float32 array. Prints one line for each figure, or JSON.

    python benchmarks/load.py --faces 1000000
"""

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from recognizance.identifiers import FaceId, GalleryId, ImageId, ModelId
from recognizance.records import Box, MasterKey, NewFace, Records, Secret

GALLERY = GalleryId("benchmark")
MODEL = ModelId("benchmark@0000000000000000")
BATCH = 8192
BOX = Box(0.25, 0.25, 0.5, 0.5)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def uuids(rng: np.random.Generator, count: int) -> list[str]:
    digits = rng.bytes(16 * count).hex()
    words = (digits[start : start + 32] for start in range(0, len(digits), 32))
    return [f"{word[:8]}-{word[8:12]}-{word[12:16]}-{word[16:20]}-{word[20:]}" for word in words]


def build(records: Records, plain: sqlite3.Connection, *, faces: int, dimension: int) -> float:
    """Fill both with the same faces; the seconds that the records took."""
    rng = np.random.default_rng(1)
    plain.execute("CREATE TABLE faces (number INTEGER PRIMARY KEY, face_id TEXT, template BLOB)")
    with records.transaction() as transaction:
        transaction.create_gallery(GALLERY, model=MODEL, created=NOW)
    seconds = 0.0
    for start in range(0, faces, BATCH):
        count = min(BATCH, faces - start)
        templates = rng.standard_normal((count, dimension), dtype=np.float32)
        templates /= np.linalg.norm(templates, axis=1, keepdims=True)
        ids = uuids(rng, count)
        batch = [
            NewFace(FaceId(face_id), ImageId(image_id), template, MODEL, BOX, 0.99, NOW)
            for face_id, image_id, template in zip(ids, uuids(rng, count), templates, strict=True)
        ]
        begun = time.perf_counter()
        with records.transaction() as transaction:
            transaction.add_faces(GALLERY, batch)
        seconds += time.perf_counter() - begun
        rows = [(face_id, template.tobytes()) for face_id, template in zip(ids, templates, strict=True)]
        plain.executemany("INSERT INTO faces (face_id, template) VALUES (?, ?)", rows)
        plain.commit()
    return seconds


def load_sealed(records: Records, templates: np.ndarray) -> list[FaceId]:
    ids: list[FaceId] = []
    with records.reading() as reader:
        for block in reader.templates(GALLERY):
            templates[len(ids) : len(ids) + len(block.face_ids)] = block.templates
            ids += block.face_ids
    return ids


def load_plain(plain: sqlite3.Connection, templates: np.ndarray) -> list[FaceId]:
    ids: list[FaceId] = []
    cursor = plain.execute("SELECT face_id, template FROM faces ORDER BY number")
    while rows := cursor.fetchmany(BATCH):
        block = np.frombuffer(b"".join([row[1] for row in rows]), dtype=np.float32)
        templates[len(ids) : len(ids) + len(rows)] = block.reshape(len(rows), -1)
        ids += [row[0] for row in rows]
    return ids


def seconds_of(load: Callable[[], list[FaceId]]) -> tuple[float, list[FaceId]]:
    begun = time.perf_counter()
    ids = load()
    return time.perf_counter() - begun, ids


def single_adds_per_second(records: Records) -> float:
    """Faces stored a second when each has a transaction, and so a wait for the disk, of its own."""
    rng = np.random.default_rng(2)
    count = 200
    dimension = 128
    with records.transaction() as transaction:
        transaction.create_gallery(GalleryId("singles"), model=MODEL, created=NOW)
    template = np.zeros(dimension, dtype=np.float32)
    template[0] = 1
    begun = time.perf_counter()
    for face_id, image_id in zip(uuids(rng, count), uuids(rng, count), strict=True):
        face = NewFace(FaceId(face_id), ImageId(image_id), template, MODEL, BOX, 0.99, NOW)
        with records.transaction() as transaction:
            transaction.add_faces(GalleryId("singles"), [face])
    return count / (time.perf_counter() - begun)


def measure(folder: Path, *, faces: int, dimension: int, rounds: int) -> dict[str, float]:
    records = Records.open(folder / "data", master_key=MasterKey(Secret(bytes(32))))
    plain = sqlite3.connect(folder / "plain.sqlite3")
    built = build(records, plain, faces=faces, dimension=dimension)
    templates = np.zeros((faces, dimension), dtype=np.float32)  # touched now, so that neither reading pays for it
    sealed: list[float] = []
    bare: list[float] = []
    for _ in range(rounds):
        seconds, ids = seconds_of(lambda: load_sealed(records, templates))
        sealed.append(seconds)
        seconds, plain_ids = seconds_of(lambda: load_plain(plain, templates))
        bare.append(seconds)
        if ids != plain_ids:
            raise SystemExit("the two readings differ")
    begun = time.perf_counter()
    with records.reading() as reader:
        reader.gallery(GALLERY)
    describe = time.perf_counter() - begun
    figures = {
        "faces": faces,
        "dimension": dimension,
        "add_s": built,
        "load_s": statistics.median(sealed),
        "plain_rows_s": statistics.median(bare),
        "load_over_plain_rows": statistics.median(a / b for a, b in zip(sealed, bare, strict=True)),
        "describe_ms": describe * 1000,
        "bytes_a_face": records.path.stat().st_size / faces,
        "single_adds_per_s": single_adds_per_second(records),
    }
    plain.close()
    records.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), faces=given.faces, dimension=given.dimension, rounds=given.rounds)
    if given.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:22} {value:,.3f}".rstrip("0").rstrip("."))


if __name__ == "__main__":
    main()

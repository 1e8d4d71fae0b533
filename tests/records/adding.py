"""Processes that store and remove faces and say so, until they are killed.

`adding.py FOLDER KEY_FILE` reads lines of `SEED TRANSACTIONS`. For each it forks a process, which says its `pid` and
what it does; once that is gone, it says `ended STATUS`. Forking spares each of them a second of imports.
"""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from recognizance.identifiers import FaceId, GalleryId, ImageId, ModelId
from recognizance.records import Box, MasterKey, NewFace, Records

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FACES_AT_ONCE = 5


def add_and_remove(folder: Path, key_file: Path, seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    gallery = GalleryId("mugshots")
    model = ModelId("test@0123456789abcdef")
    records = Records.open(folder, master_key=MasterKey.from_file(key_file))
    held: list[FaceId] = []
    for number in range(count):
        templates = rng.standard_normal((FACES_AT_ONCE, 128), dtype=np.float32)
        templates /= np.linalg.norm(templates, axis=1, keepdims=True)
        faces = [
            NewFace(FaceId(rng.bytes(16).hex()), ImageId(f"{seed}-{number}"), row, model, Box(0, 0, 1, 1), 0.9, NOW)
            for row in templates
        ]
        with records.transaction() as transaction:
            transaction.add_faces(gallery, faces)
        announce("added", [face.face_id for face in faces])
        held += [face.face_id for face in faces]
        if number % 3 == 2:
            chosen = held[:FACES_AT_ONCE]
            announce("removing", chosen)
            with records.transaction() as transaction:
                transaction.remove_faces(gallery, chosen)
            announce("removed", chosen)
            held = held[FACES_AT_ONCE:]
    records.close()


def announce(verb: str, words: Sequence[str]) -> None:
    # One write to a pipe, and short enough to be atomic: a line arrives whole or not at all.
    os.write(sys.stdout.fileno(), (" ".join([verb, *words]) + "\n").encode())


def main(folder: Path, key_file: Path) -> None:
    for line in sys.stdin:
        seed, count = map(int, line.split())
        child = os.fork()
        if child == 0:
            announce("pid", [str(os.getpid())])
            add_and_remove(folder, key_file, seed, count)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        announce("ended", [str(os.waitstatus_to_exitcode(status))])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""How long others wait while a gallery is erased: in turns, as the service does it, against all in one transaction.

Builds a gallery in a temporary folder with the calls that the service uses, copies it for each round, and erases the
copies in both ways, in turn. Beside each erasure a writer stores a face in another gallery, again and again, and notes
how long each took. Prints one line for each figure, or JSON.

    python benchmarks/erasure.py --faces 100000
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from recognizance.errors import ThrottledError
from recognizance.forgetting.closing import ClosedGalleries, Turns
from recognizance.forgetting.proofs import DELETION
from recognizance.galleries import Galleries
from recognizance.gallery import BruteForceIndex
from recognizance.governance import Policy
from recognizance.governing.access import ADMINISTRATOR, principal_of
from recognizance.identifiers import DecisionId, FaceId, GalleryId, ImageId, ModelId, PrincipalId
from recognizance.permits import Action
from recognizance.recording import Change, Recorder
from recognizance.records import Box, MasterKey, NewFace, Records, Secret
from recognizance.storage import new_id

ERASED, WRITTEN = GalleryId("erased"), GalleryId("written")
MODEL = ModelId("benchmark@0000000000000000")
KEY = MasterKey(Secret(bytes(32)))
BATCH = 8192
DIMENSION = 128
BOX = Box(0.25, 0.25, 0.5, 0.5)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WAYS = {"turns": Turns(), "one": Turns(first=1 << 40)}
PAUSE_S = 0.02
"""Between two writes of the writer, so that it isn't alone with the disk."""


@dataclass(frozen=True)
class Round:
    """One erasure.

    Attributes:
        answer_s: Until nobody can find a face any more.
        whole_s: Until all is gone.
        waits_s: What each write beside it took.
    """

    answer_s: float
    whole_s: float
    waits_s: list[float]


def faces(rng: np.random.Generator, count: int) -> list[NewFace]:
    templates = rng.standard_normal((count, DIMENSION), dtype=np.float32)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    return [
        NewFace(
            FaceId(new_id()),
            ImageId(new_id()),
            template,
            MODEL,
            BOX,
            0.99,
            NOW,
            external_image_id=f"portrait-{number}.jpg",
            image_sha256=rng.bytes(32),
        )
        for number, template in enumerate(templates)
    ]


def build(data: Path, count: int) -> None:
    rng = np.random.default_rng(1)
    records = Records.open(data, master_key=KEY)
    with records.transaction() as transaction:
        for gallery in (ERASED, WRITTEN):
            transaction.create_gallery(gallery, model=MODEL, created=NOW)
    for start in range(0, count, BATCH):
        some = faces(rng, min(BATCH, count - start))
        with records.transaction(durable=False) as transaction:
            transaction.add_faces(ERASED, some)
    records.close()


def write(records: Records, ends: threading.Event, waits_s: list[float]) -> None:
    rng = np.random.default_rng(2)
    while not ends.is_set():
        some = faces(rng, 1)
        begun = time.perf_counter()
        # Whoever gives up has waited too.
        with suppress(ThrottledError), records.transaction() as transaction:
            transaction.add_faces(WRITTEN, some)
        waits_s.append(time.perf_counter() - begun)
        time.sleep(PAUSE_S)


def _nothing_came_of_it(change: Change, gallery: GalleryId, now: datetime, *, done_by: PrincipalId) -> int:  # noqa: ARG001
    return 0


def erase(data: Path, turns: Turns) -> Round:
    records = Records.open(data, master_key=KEY)
    recorder = Recorder.open(data, records, clock=lambda: NOW, new_id=new_id, new_salt=lambda: os.urandom(32))
    galleries = Galleries(
        records, recorder, model=MODEL, open_index=lambda _model: BruteForceIndex(DIMENSION), clock=lambda: NOW
    )
    closing = ClosedGalleries(
        records,
        recorder,
        galleries,
        clock=lambda: NOW,
        new_id=new_id,
        ends_gallery=_nothing_came_of_it,
        turns=turns,
    )
    permit = Policy().decide(
        principal_of(ADMINISTRATOR), Action.MANAGE_GALLERY, gallery=ERASED, decision_id=DecisionId("benchmark")
    )
    ends, waits_s = threading.Event(), list[float]()
    writer = threading.Thread(target=write, args=(records, ends, waits_s))
    writer.start()
    begun = time.perf_counter()
    closing.erase(ERASED, order=DELETION, permit=permit, within_s=0)
    answered = time.perf_counter()
    closing.finish()
    whole = time.perf_counter()
    ends.set()
    writer.join()
    if closing.under_way():
        raise SystemExit("something is left")
    recorder.close()
    records.close()
    return Round(answered - begun, whole - begun, waits_s)


def measure(folder: Path, *, count: int, rounds: int, shown: bool) -> dict[str, float]:
    build(folder / "built", count)
    done: dict[str, list[Round]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, turns in WAYS.items():
            shutil.copytree(folder / "built", folder / way)
            done[way].append(erase(folder / way, turns))
            if shown:
                print(
                    f"{way}: {done[way][-1].whole_s:.1f} s, longest wait {max(done[way][-1].waits_s):.2f} s", flush=True
                )
            shutil.rmtree(folder / way)
    figures: dict[str, float] = {"faces": count}
    for way, several in done.items():
        waits = sorted(wait for each in several for wait in each.waits_s)
        figures[f"{way}_longest_wait_s"] = statistics.median(max(each.waits_s) for each in several)
        figures[f"{way}_usual_wait_s"] = statistics.median(waits)
        figures[f"{way}_closed_s"] = statistics.median(each.answer_s for each in several)
        figures[f"{way}_all_gone_s"] = statistics.median(each.whole_s for each in several)
    figures["longest_wait_ratio"] = statistics.median(
        max(one.waits_s) / max(turns.waits_s) for one, turns in zip(done["one"], done["turns"], strict=True)
    )
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), count=given.faces, rounds=given.rounds, shown=not given.json)
    if given.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:24} {value:,.3f}")


if __name__ == "__main__":
    main()

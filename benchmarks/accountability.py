"""What answering for it costs: the same searches with and without policy, records and ledger, turn by turn.

    python benchmarks/accountability.py [--faces N] [--searches N] [--clients 1 8] [--data FOLDER] [--json FILE]

Both sides run the same code on the same gallery: the photograph is decoded, its face found and made a template, the
gallery searched. One asks the policy and leaves a promised ledger entry; the other has a permit from before, and a
recorder that writes nothing. They take turns search by search (with several clients: round by round), so that what else
the machine does falls on both alike. Printed are medians and the ratio of medians, with the range of ratios that halves
of the run gave.
"""

import argparse
import io
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rich.progress import Progress

from recognizance.app import Service, open_service
from recognizance.cli.portraits import collins_portrait
from recognizance.config import Settings
from recognizance.faces import QualityFilter, open_photograph
from recognizance.governance import Policy, SearchFacts
from recognizance.governance.purposes import Capture
from recognizance.governance.requests import AT_THE_MACHINE
from recognizance.governing.access import ADMINISTRATOR, principal_of
from recognizance.identifiers import FaceId, GalleryId, ImageId
from recognizance.permits import Action, Permit
from recognizance.records import Box, NewFace
from recognizance.search import Search
from recognizance.storage import new_decision_id, new_id

GALLERY = GalleryId("benchmark")


class Silent:
    """A recorder that keeps nothing, for the side that answers for nothing."""

    @contextmanager
    def attempting(self, *_given: object) -> Iterator[None]:
        yield

    def record(self, *_given: object, **_named: object) -> None:
        return None


def fill(service: Service, faces: int) -> None:
    """Enrol faces of nobody: random unit vectors, which no portrait resembles."""
    rng = np.random.default_rng(1)
    permit = permitted()
    service.galleries.create(GALLERY, tags={}, permit=permit(Action.MANAGE_GALLERY))
    for _ in range(0, faces, 5000):
        rows = rng.standard_normal((min(5000, faces), service.reader.dimension), dtype=np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        with service.records.transaction() as transaction:
            transaction.add_faces(
                GALLERY,
                [
                    NewFace(
                        face_id=FaceId(new_id()),
                        image_id=ImageId(new_id()),
                        template=row,
                        model=service.reader.model,
                        box=Box(0.25, 0.25, 0.5, 0.5),
                        confidence=0.9,
                        created=datetime.now(UTC),
                    )
                    for row in rows
                ],
            )


def permitted() -> Callable[[Action], Permit]:
    def permit(action: Action) -> Permit:
        decide = Policy().decide
        return decide(principal_of(ADMINISTRATOR), action, gallery=GALLERY, decision_id=new_decision_id())

    return permit


def both_sides(service: Service) -> tuple[Callable[[bytes], None], Callable[[bytes], None]]:
    """The search with everything, and the bare one."""
    bare = Search(
        service.records,
        Silent(),  # type: ignore[arg-type]  # keeps the two methods that a search calls
        service.galleries,
        service.reader,
        service.calibration,
        service.reviewing,
        max_fpir=service.settings.max_fpir,
    )
    ahead = permitted()(Action.SEARCH)

    def run(search: Search, permit: Permit, data: bytes) -> None:
        photograph = open_photograph(data, permit)
        search.faces_by_photograph(
            GALLERY, photograph, threshold_pct=80, limit=10, quality_filter=QualityFilter.NONE, permit=permit
        )

    def accountable(data: bytes) -> None:
        run(service.search, decided(service), data)

    return accountable, lambda data: run(bare, ahead, data)


def decided(service: Service) -> Permit:
    """A permit as each request gets one: by the service's own policy."""

    asked = replace(AT_THE_MACHINE, search=SearchFacts(None, Capture.STILL, threshold_pct=80.0, candidates=10))
    return service.policy.decide(
        principal_of(ADMINISTRATOR), Action.SEARCH, gallery=GALLERY, decision_id=new_decision_id(), asking=asked
    )


def measure(
    sides: tuple[Callable[[bytes], None], Callable[[bytes], None]],
    data: bytes,
    *,
    searches: int,
    clients: int,
    advance: Callable[[], None],
) -> tuple[list[float], list[float]]:
    """Seconds of each search, of both sides."""
    times: tuple[list[float], list[float]] = ([], [])

    def timed(side: int) -> float:
        began = time.perf_counter()
        sides[side](data)
        return time.perf_counter() - began

    with ThreadPoolExecutor(clients) as pool:
        for side in (0, 1):
            list(pool.map(timed, [side] * clients))
        for turn in range(max(1, searches // clients)):
            # Each side goes first as often as second.
            for side in ((0, 1), (1, 0))[turn % 2]:
                times[side].extend(pool.map(timed, [side] * clients))
            advance()
    return times


def fsync_ms(folder: Path) -> float:
    """The median wait for this disk, without which the rest can't be read."""
    waits: list[float] = []
    with (folder / "fsync").open("wb") as file:
        for _ in range(20):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            waits.append(time.perf_counter() - began)
    return 1000 * statistics.median(waits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, default=10_000)
    parser.add_argument("--searches", type=int, default=64)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=given.data))
    file = io.BytesIO()
    collins_portrait().save(file, format="JPEG", quality=92)
    service = open_service(folder / "data", Settings())
    found: dict[str, object] = {"faces": given.faces, "fsync_ms": fsync_ms(folder)}
    try:
        with Progress() as progress:
            filling = progress.add_task("filling the gallery", total=None)
            fill(service, given.faces)
            progress.remove_task(filling)
            sides = both_sides(service)
            for clients in given.clients:
                turns = max(1, given.searches // clients)
                task = progress.add_task(f"{clients} client(s)", total=turns)
                accountable, bare = measure(
                    sides,
                    file.getvalue(),
                    searches=given.searches,
                    clients=clients,
                    advance=lambda task=task: progress.advance(task),  # type: ignore[misc]
                )
                found[f"clients_{clients}"] = report(clients, accountable, bare)
    finally:
        service.close()
        shutil.rmtree(folder)
    print(f"one wait for the disk: {found['fsync_ms']:.2f} ms")
    if given.json is not None:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def report(clients: int, accountable: list[float], bare: list[float]) -> dict[str, float]:
    """Print and return the medians and their ratio, also of both halves of the run."""
    ratio = statistics.median(accountable) / statistics.median(bare)
    half = len(bare) // 2
    halves = [
        statistics.median(accountable[part]) / statistics.median(bare[part])
        for part in (slice(None, half), slice(half, None))
        if bare[part]
    ]
    with_ms, without_ms = 1000 * statistics.median(accountable), 1000 * statistics.median(bare)
    print(
        f"{clients} client(s): {with_ms:.1f} ms with, {without_ms:.1f} ms without: ratio {ratio:.3f}"
        f" ({min(halves):.3f} to {max(halves):.3f} in halves)"
    )
    return {"with_ms": with_ms, "without_ms": without_ms, "ratio": ratio}


if __name__ == "__main__":
    main()

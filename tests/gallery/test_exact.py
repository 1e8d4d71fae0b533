"""The fast index on data made to mislead it, under threads, and on machines where nothing can be cached."""

import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from recognizance.gallery import Candidate, Index, Templates
from recognizance.gallery.exact import _MOST_DEFERRED, _SEED_FACES, ExactIndex
from recognizance.gallery.index import scores
from recognizance.governance import Policy, Principal
from recognizance.governance.policy import Role
from recognizance.identifiers import DecisionId, FaceId, GalleryId, PrincipalId
from recognizance.permits import Action

GALLERY = GalleryId("mugshots")
PERMIT = Policy().decide(
    Principal(PrincipalId("test"), frozenset({Role.ADMINISTRATOR})),
    Action.SEARCH,
    gallery=GALLERY,
    decision_id=DecisionId("d"),
)


def unit(vectors: np.ndarray) -> Templates:
    return np.ascontiguousarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def keys(number: int, *, seed: int = 0) -> list[str]:
    rng = np.random.default_rng([seed, number])
    return [str(uuid.UUID(bytes=rng.bytes(16))) for _ in range(number)]


def search(index: Index, probes: Templates, *, limit: int, threshold: float = -1.0) -> list[list[Candidate]]:
    return index.search(probes, limit=limit, threshold=threshold, permit=PERMIT, gallery=GALLERY)


def best(probe: Templates, faces: Templates, names: np.ndarray, limit: int, threshold: float) -> list[Candidate]:
    """Brute force in NumPy."""
    values = scores(probe, faces)
    order = np.lexsort((names, -values))[:limit]
    return [
        Candidate(FaceId(str(names[row])), float(values[row])) for row in order.tolist() if values[row] >= threshold
    ]


@pytest.fixture
def workers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


def clusters(rng: np.random.Generator) -> np.ndarray:
    """Four hundred subjects in forty dimensions of a hundred and twenty-eight, a hundred faces each."""
    centres = rng.standard_normal((400, 128)) * np.r_[np.ones(40), np.full(88, 0.1)]
    return np.repeat(centres, 100, axis=0) + 0.4 * rng.standard_normal((40_000, 128))


def near_ties(rng: np.random.Generator) -> np.ndarray:
    """One face moved by single units in the last place: scores that differ in the last bit, or not at all."""
    face = rng.standard_normal(128)
    return np.tile(face, (40_000, 1)) * (1 + 2.0**-23 * rng.integers(-2, 3, (40_000, 128)))


def rising(rng: np.random.Generator) -> np.ndarray:
    """Every face is closer to the first axis than all before it, so no bar is ever high enough to spare work."""
    vectors = 0.2 * rng.standard_normal((40_000, 128))
    vectors[:, 0] = np.linspace(-3, 3, 40_000)
    return vectors


def duplicates(rng: np.random.Generator) -> np.ndarray:
    """Seven faces, thousands of times each, and more of them than a thread puts off."""
    distinct: np.ndarray = rng.standard_normal((7, 128))
    faces: np.ndarray = distinct[rng.integers(0, 7, _MOST_DEFERRED + 4_000)]
    return faces


def opposite(rng: np.random.Generator) -> np.ndarray:
    """A face and its negative, where scores reach 1 and -1 and are limited there."""
    face = rng.standard_normal(128)
    faces: np.ndarray = np.tile(face, (40_000, 1)) * rng.choice([-1.0, 1.0], (40_000, 1))
    return faces


@pytest.mark.parametrize("kind", [clusters, near_ties, rising, duplicates, opposite])
def test_answers_are_those_of_brute_force_on_data_made_to_mislead(
    kind: Callable[[np.random.Generator], np.ndarray], workers: ThreadPoolExecutor
) -> None:
    """The same keys and the same scores to the last bit, from several segments on two threads."""
    rng = np.random.default_rng(20)
    faces = unit(kind(rng))
    probes = np.concatenate([faces[[0, -1]], unit(rng.standard_normal((1, 128))), np.eye(128, dtype=np.float32)[:1]])
    names = np.array(keys(len(faces)))
    kept = np.ones(len(faces), dtype=bool)
    kept[100:20_000:400] = False
    index = ExactIndex(128, workers=workers, threads=2)
    index.add(names[:30_000].tolist(), faces[:30_000])
    index.add(names[30_000:].tolist(), faces[30_000:])
    index.remove(names[~kept].tolist())
    assert len(index) > 2 * _SEED_FACES

    for limit, threshold in ((1, -1.0), (10, -1.0), (300, -1.0), (50, 0.35), (4096, 0.9)):
        answers = search(index, probes, limit=limit, threshold=threshold)

        assert answers == [best(probe, faces[kept], names[kept], limit, threshold) for probe in probes]


def test_a_search_during_changes_sees_each_of_them_whole_or_not_at_all(workers: ThreadPoolExecutor) -> None:
    """One thread adds and removes a pair of faces again and again; no search ever finds one without the other."""
    rng = np.random.default_rng(21)
    index = ExactIndex(32, workers=workers, threads=2)
    names = keys(40_000)
    index.add(names, unit(rng.standard_normal((40_000, 32))))
    pair = unit(np.ones((2, 32)))
    pair_keys = keys(2, seed=1)
    done = threading.Event()
    seen: list[set[str]] = []
    lock = threading.Lock()

    def look() -> None:
        while not done.is_set():
            (answer,) = search(index, pair[:1], limit=5, threshold=0.99)
            with lock:
                seen.append({candidate.key for candidate in answer})

    with ThreadPoolExecutor(3) as searchers:
        running = [searchers.submit(look) for _ in range(3)]
        for round_ in range(150):
            index.add(pair_keys, pair)
            (answer,) = search(index, pair[:1], limit=5, threshold=0.99)
            assert {candidate.key for candidate in answer} == set(pair_keys)
            # Other faces move into gaps meanwhile, from one segment into another.
            index.remove([*pair_keys, names[round_]])
        done.set()
        for each in running:
            each.result()

    assert len(seen) > 10
    assert all(found in (set(), set(pair_keys)) for found in seen)


def test_many_threads_that_add_lose_no_face() -> None:
    """Four threads add a thousand faces each in small steps; all are there, and each finds itself."""
    rng = np.random.default_rng(22)
    index = ExactIndex(16)
    faces, names = unit(rng.standard_normal((4000, 16))), keys(4000)

    def add(first: int) -> None:
        for start in range(first, first + 1000, 25):
            index.add(names[start : start + 25], faces[start : start + 25])

    with ThreadPoolExecutor(4) as adders:
        list(adders.map(add, range(0, 4000, 1000)))

    answers = search(index, faces, limit=1)
    assert [answer[0].key for answer in answers] == names


def test_a_search_is_answered_while_every_worker_is_busy() -> None:
    """The searching thread does all of it: a full executor slows a search down and never stops it."""
    rng = np.random.default_rng(23)
    release = threading.Event()
    with ThreadPoolExecutor(1) as workers:
        workers.submit(release.wait)
        try:
            index = ExactIndex(16, workers=workers, threads=2)
            faces, names = unit(rng.standard_normal((50_000, 16))), keys(50_000)
            index.add(names, faces)

            assert search(index, faces[:1], limit=1)[0][0].key == names[0]
        finally:
            release.set()


def test_nothing_of_a_removed_face_stays_in_the_segments() -> None:
    """The places that a removal frees are overwritten: templates, codes and keys."""
    rng = np.random.default_rng(24)
    faces, names = unit(rng.standard_normal((1500, 16))), keys(1500)
    index = ExactIndex(16)
    index.add(names, faces)
    segments, held_keys = index._snapshot.segments, index._snapshot.keys

    index.remove(names[:700])

    rows = np.concatenate([segment.rows for segment in segments])
    octets = [uuid.UUID(name).bytes for name in names[:700]]
    assert not any((rows == face).all(axis=1).any() for face in faces[:700])
    assert not any(octet in held_keys.astype(">u8").tobytes() for octet in octets)


@pytest.mark.slow
def test_it_works_where_compiled_kernels_cannot_be_kept(tmp_path: Path) -> None:
    """A read-only installation without a home folder: compiled anew in the process, and the answer is there."""
    program = """
import numpy as np
from numba.core import caching
for locator in caching.CacheImpl._locator_classes:
    locator.from_function = classmethod(lambda cls, function, path: None)
from recognizance.gallery.exact import ExactIndex
index = ExactIndex(4)
index.add(["00000000-0000-0000-0000-000000000001"], np.eye(4, dtype=np.float32)[:1])
print(len(index))
"""
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}

    finished = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120, check=True
    )

    assert finished.stdout == "1\n"

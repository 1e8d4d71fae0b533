"""Exact search beside FAISS and NumPy: the same gallery, the same probes, alternately in one process.

Every answer is checked against float32 brute force before a time is printed, and every round runs each engine once, so
that a busy machine slows all of them alike. What counts is the median of the rounds' ratios.

    python benchmarks/search.py            10 thousand to 1 million faces of 128 dimensions
    python benchmarks/search.py --big      10 million as well (needs 20 GB)
    python benchmarks/search.py --data clusters --sizes 1000000
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import faiss
import numpy as np

from recognizance.gallery.exact import ExactIndex
from recognizance.gallery.index import scores
from recognizance.gallery.kernels import warm_up
from recognizance.governance import Policy, Principal
from recognizance.governance.policy import Role
from recognizance.identifiers import DecisionId, GalleryId, PrincipalId
from recognizance.permits import Action

DIMENSIONS = 128
GALLERY = GalleryId("benchmark")
PERMIT = Policy().decide(
    Principal(PrincipalId("benchmark"), frozenset({Role.ADMINISTRATOR})),
    Action.SEARCH,
    gallery=GALLERY,
    decision_id=DecisionId("benchmark"),
)


def unit(vectors: np.ndarray) -> np.ndarray:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def gallery(rng: np.random.Generator, faces: int, data: str) -> np.ndarray:
    """`uniform` on the sphere; `clusters`: subjects with three faces each, whose energy falls over the dimensions.

    The clusters' spectrum is such that half the energy lies in a quarter of the dimensions, and two faces of a subject
    have a cosine of about 0.65.
    """
    if data == "uniform":
        return unit(rng.standard_normal((faces, DIMENSIONS), dtype=np.float32))
    spectrum = np.exp(-np.arange(DIMENSIONS, dtype=np.float32) / 64)
    vectors = np.repeat(rng.standard_normal((-(-faces // 3), DIMENSIONS), dtype=np.float32), 3, axis=0)[:faces]
    vectors += 0.73 * rng.standard_normal(vectors.shape, dtype=np.float32)
    return unit(np.ascontiguousarray(rng.permutation(vectors * spectrum)))


def spelled_keys(rng: np.random.Generator, number: int) -> list[str]:
    digits = rng.bytes(16 * number).hex()
    return [
        f"{digits[i : i + 8]}-{digits[i + 8 : i + 12]}-{digits[i + 12 : i + 16]}-"
        f"{digits[i + 16 : i + 20]}-{digits[i + 20 : i + 32]}"
        for i in range(0, 32 * number, 32)
    ]


def check(index: ExactIndex, faces: np.ndarray, keys: list[str], probes: np.ndarray, limit: int, bar: float) -> None:
    answers = index.search(probes, limit=limit, threshold=bar, permit=PERMIT, gallery=GALLERY)
    for probe, answer in zip(probes, answers, strict=True):
        values = np.concatenate([scores(probe, faces[i : i + 262_144]) for i in range(0, len(faces), 262_144)])
        limit_here = min(limit, len(values))
        least = max(np.partition(values, -limit_here)[-limit_here], bar)
        best = sorted((-float(values[row]), keys[row]) for row in np.flatnonzero(values >= least))[:limit]
        if [(-candidate.similarity, candidate.key) for candidate in answer] != best:
            raise SystemExit("the answer differs from brute force")


def numpy_search(faces: np.ndarray, probes: np.ndarray, limit: int) -> None:
    for probe in probes:
        values = faces @ probe
        best = np.argpartition(values, -limit)[-limit:]
        best[np.argsort(-values[best])]


def alternately(engines: dict[str, Callable[[np.ndarray], object]], probes: list[np.ndarray]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in engines}
    for turn, probe in enumerate(probes):
        order = list(engines)
        for name in order[turn % len(order) :] + order[: turn % len(order)]:
            begin = time.perf_counter()
            engines[name](probe)
            times[name].append((time.perf_counter() - begin) * 1e3)
    return {name: measured[1:] for name, measured in times.items()}


def measure(size: int, data: str, rounds: int, threads: int, workers: ThreadPoolExecutor) -> None:
    rng = np.random.default_rng(size)
    faces = gallery(rng, size, data)
    keys = spelled_keys(rng, size)
    index = ExactIndex(DIMENSIONS, workers=workers, threads=threads)
    begin = time.perf_counter()
    index.add(keys, faces)
    print(f"\n{size:,} {data} faces; added in {time.perf_counter() - begin:.2f} s")
    flat = faiss.IndexFlatIP(DIMENSIONS)
    flat.add(faces)
    sq8 = faiss.IndexScalarQuantizer(DIMENSIONS, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    sq8.train(faces[:100_000])
    sq8.add(faces)
    print(f"{'batch':>5} {'limit':>5} {'least':>5} | {'ours ms':>8} | times as long: IndexFlatIP, SQ8 (inexact), NumPy")
    # 0.363 is the cosine that SFace's authors recommend for "the same person".
    for batch, limit, least in ((1, 10, -1.0), (1, 100, -1.0), (1, 10, 0.363), (1, 100, 0.363), (16, 10, -1.0)):
        # A probe is another photograph of somebody enrolled.
        probes = [
            unit(
                faces[rng.integers(0, size, batch)] + 0.06 * rng.standard_normal((batch, DIMENSIONS), dtype=np.float32)
            )
            for _ in range(rounds + 1)
        ]
        check(index, faces, keys, probes[0][:2], limit, least)

        def ours(probe: np.ndarray, limit: int = limit, least: float = least) -> object:
            return index.search(probe, limit=limit, threshold=least, permit=PERMIT, gallery=GALLERY)

        times = alternately(
            {
                "ours": ours,
                "flat": lambda probe, limit=limit: flat.search(probe, limit),
                "sq8": lambda probe, limit=limit: sq8.search(probe, limit),
                "numpy": lambda probe, limit=limit: numpy_search(faces, probe, limit),
            },
            probes,
        )
        ratios = {
            name: statistics.median(other / own for other, own in zip(times[name], times["ours"], strict=True))
            for name in ("flat", "sq8", "numpy")
        }
        own = statistics.median(times["ours"])
        print(
            f"{batch:>5} {limit:>5} {least:>5} | {own:>8.2f} | "
            f"{ratios['flat']:>6.1f} {ratios['sq8']:>6.1f} {ratios['numpy']:>6.1f}"
        )
        print(json.dumps({"faces": size, "data": data, "batch": batch, "limit": limit, "threshold": least} | ratios))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--data", choices=["uniform", "clusters"], nargs="+", default=["uniform", "clusters"])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=min(os.cpu_count() or 1, 2))
    parser.add_argument("--big", action="store_true", help="10 million faces as well")
    options = parser.parse_args()
    begin = time.perf_counter()
    warm_up()
    print(f"kernels ready after {time.perf_counter() - begin:.2f} s; {options.threads} threads for every engine")
    faiss.omp_set_num_threads(options.threads)
    with ThreadPoolExecutor(options.threads) as workers:
        for size in [*options.sizes, *([10_000_000] if options.big else [])]:
            for data in options.data:
                measure(size, data, options.rounds, options.threads, workers)


if __name__ == "__main__":
    main()

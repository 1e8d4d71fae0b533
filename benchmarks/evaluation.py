"""What counting an evaluation costs: the bootstrap beside the plain loop, and the memory of 85 million comparisons.

    python benchmarks/evaluation.py

Both bootstraps resample the same people with the same draws, alternately in one process, and have to agree to the last
digit before a ratio is printed. The plain loop is what a reader of the textbook writes: expand the resample into
images, look their scores up in the matrix, count. It is vectorised, and it is given a matrix that fits into memory.
"""

import resource
import statistics
import sys
import time

import numpy as np
from numpy.typing import NDArray

from recognizance.evaluation.bootstrap import SubjectBootstrap
from recognizance.evaluation.curves import det_curve, equal_errors, match_rates_at
from recognizance.evaluation.groups import differentials, group_matrix
from recognizance.evaluation.samples import Samples, ScoreBlock, each_pair_once
from recognizance.evaluation.tallies import Tally

THRESHOLDS = np.array([0.30, 0.40, 0.50])
ROUNDS = 5
PLAIN_RESAMPLES = 4
"""A round of the plain loop; the fast one does a thousand. What is compared is the time for one."""


def people(rng: np.random.Generator, images: int) -> tuple[Samples, NDArray[np.float32]]:
    """About as many images a person as in Labeled Faces in the Wild, and templates of 128 dimensions."""
    subjects = np.unique(rng.integers(images // 2, size=images), return_inverse=True)[1].astype(np.int32)
    templates = rng.standard_normal((images, 128), dtype=np.float32)
    templates += 0.9 * rng.standard_normal((int(subjects.max()) + 1, 128), dtype=np.float32)[subjects]
    # A few dimensions carry most, as in recognisers: impostors spread, and some are alike.
    templates *= np.exp(-np.arange(128, dtype=np.float32) / 24)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    sex = (subjects % 2).astype(np.int32)
    return Samples(subjects, {"sex": (sex, ("female", "male"))}), templates


def tally(samples: Samples, templates: NDArray[np.float32]) -> tuple[Tally, float]:
    """Count all with all in strips; seconds without the matrix products."""
    counting, spent = Tally(samples), 0.0
    everybody = np.arange(len(samples), dtype=np.int32)
    for start in range(0, len(samples), 512):
        rows, columns = everybody[start : start + 512], everybody[start:]
        block = ScoreBlock(templates[rows] @ templates[columns].T, rows, columns, each_pair_once(rows, columns))
        began = time.perf_counter()
        counting.add(block)
        spent += time.perf_counter() - began
    return counting, spent


def plain_rates(scores: NDArray[np.float32], subjects: NDArray[np.int32], drawn: NDArray[np.int16]) -> list[float]:
    """FMR at each threshold in one resample, pair by pair."""
    images = np.repeat(np.arange(len(subjects)), drawn[subjects])
    impostor = subjects[images][:, np.newaxis] != subjects[images]
    found = scores[np.ix_(images, images)][impostor]
    return [np.count_nonzero(found >= threshold) / len(found) for threshold in THRESHOLDS]


def compare_bootstraps(rng: np.random.Generator) -> dict[str, float]:
    samples, templates = people(rng, 3_000)
    counted = tally(samples, templates)[0].result()
    scores = np.triu(templates @ templates.T, k=1)
    scores += scores.T
    ratios, fast, plain = [], [], []
    for seed in range(ROUNDS):
        began = time.perf_counter()
        bootstrap = SubjectBootstrap(counted, seed=seed)
        rates = bootstrap.false_match_rates(THRESHOLDS)[:, 0]
        fast.append((time.perf_counter() - began) / rates.shape[1])
        began = time.perf_counter()
        for resample in range(PLAIN_RESAMPLES):
            expected = plain_rates(scores, samples.subjects, bootstrap.weights[:, resample])
            if not np.allclose(rates[:, resample], expected, rtol=1e-12):
                sys.exit("the bootstraps differ")
        plain.append((time.perf_counter() - began) / PLAIN_RESAMPLES)
        ratios.append(plain[-1] / fast[-1])
    return {
        "images": len(samples),
        "comparisons": counted.impostor_trials(),
        "error_pairs": int(counted.false_matches(THRESHOLDS[:1])[0]),
        "plain_ms_a_resample": 1e3 * statistics.median(plain),
        "fast_ms_a_resample": 1e3 * statistics.median(fast),
        "ratio": statistics.median(ratios),
        "ratio_least": min(ratios),
    }


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_memory(rng: np.random.Generator) -> dict[str, float]:
    samples, templates = people(rng, 13_000)
    before = peak_mib()
    counting, counted_s = tally(samples, templates)
    counted = counting.result()
    after_tally = peak_mib()
    began = time.perf_counter()
    bootstrap = SubjectBootstrap(counted, seed=1)
    det_curve(counted, bootstrap=bootstrap)
    equal_errors(counted)
    match_rates_at(counted, (1e-2, 1e-3, 1e-4, 1e-5, 1e-6), bootstrap=bootstrap)
    group_matrix(counted, "sex", 0.5, bootstrap=bootstrap)
    differentials(counted, "sex", 0.5, bootstrap=bootstrap)
    metrics_s = time.perf_counter() - began
    return {
        "images": len(samples),
        "subjects": int(samples.subjects.max()) + 1,
        "comparisons": counted.impostor_trials() + len(counted.mated_scores),
        "exact_below_fmr": len(counted.tail.scores) / counted.impostor_trials(),
        "tally_mib": after_tally - before,
        "tally_and_metrics_mib": peak_mib() - before,
        "whole_matrix_mib": 4 * len(samples) ** 2 / 2**20,
        "tally_s": counted_s,
        "metrics_with_1000_resamples_s": metrics_s,
    }


def main() -> None:
    rng = np.random.default_rng(0)
    # Memory first: the peak of a process never falls again.
    warm, templates = people(rng, 600)
    SubjectBootstrap(tally(warm, templates)[0].result(), seed=0, resamples=10).false_match_rates(THRESHOLDS)
    found = {"memory": measure_memory(rng), "bootstrap": compare_bootstraps(rng)}
    for part, values in found.items():
        print(part)
        for name, value in values.items():
            print(f"  {name:32} {value:,.4g}" if isinstance(value, float) else f"  {name:32} {value:,}")


if __name__ == "__main__":
    main()

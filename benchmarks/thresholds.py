"""What the shipped table of similarities promises, and what its thresholds cost: the numbers of docs/similarity.md.

Run `python benchmarks/thresholds.py`. On the shared crops of Labeled Faces in the Wild, with the labels of
benchmarks/lfw-decision.csv set aside, it prints the score of each similarity and the mated pairs that reach it; what
each bound on the false positive identification rate does in galleries of half of the people, and by a gallery's size;
and how scores may go on beyond what was counted, by four rules (docs/decisions/0046-the-tail-of-a-table.md). Templates
are kept as `accuracy.py` keeps them.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from scipy import stats

from accuracy import FACES, ROOT, permit_to_measure, read_all
from recognizance.evaluation.labels import parse_decision
from recognizance.evaluation.manifest import parse_manifest
from recognizance.faces import open_reader
from recognizance.faces.calibration import Calibration, load_calibration

SIMILARITIES = (20.0, 40.0, 60.0, 80.0, 89.5, 95.0, 99.0, 99.6)
BOUNDS = (0.001, 0.003, 0.01, 0.03, 0.1, 1.0)
SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
BEYOND = (0.50, 0.55, 0.60, 0.65, 0.70)
TAIL_FROM_FMR = 1e-4
MARGIN = 2.326 * math.sqrt(2.0)
"""Standard deviations to what another set of as many people stays under 99 times in 100."""
HALVES = 10
RESAMPLES = 300

Scores = NDArray[np.float32]
Counts = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Faces:
    """Images in which a face was found, and the scores between all of them.

    Attributes:
        subjects: (n,) whose image each is.
        scores: (n, n), NaN where a comparison doesn't count.
    """

    subjects: Counts
    scores: Scores

    def pairs(self, *, mated: bool) -> tuple[Scores, Counts, Counts]:
        """Scores of the comparisons that count, and the two people of each."""
        rows, columns = np.triu_indices(len(self.subjects), 1)
        first, second = self.subjects[rows], self.subjects[columns]
        scores = self.scores[rows, columns]
        wanted = ((first == second) == mated) & ~np.isnan(scores)
        return scores[wanted], first[wanted], second[wanted]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--faces", type=Path, default=FACES, help="folder with lfw.csv and the images")
    arguments.add_argument("--threads", type=int, default=2)
    given = arguments.parse_args()
    reader = open_reader(threads=given.threads)
    table = load_calibration(reader.model)
    manifest = parse_manifest((given.faces / "lfw.csv").read_bytes())
    read = read_all(
        reader, permit_to_measure(), [given.faces / each.path for each in manifest.samples], given.threads, "crops"
    )
    names = sorted({each.subject for each in manifest.samples})
    code = {name: number for number, name in enumerate(names)}
    subjects = np.array([code[each.subject] for each in manifest.samples], dtype=np.int32)
    # Only which comparisons count is asked of the decision, so that it needn't be bound to the images' hashes here.
    decision = parse_decision((ROOT / "lfw-decision.csv").read_bytes(), manifest, "")
    everything = np.arange(len(subjects), dtype=np.int32)
    counts = decision.allows(subjects, names).mask(everything, everything)
    counts &= read.found[:, None] & read.found[None, :]
    scores = np.where(counts, read.templates @ read.templates.T, np.float32("nan"))
    faces = Faces(subjects, scores)

    mated, _, _ = faces.pairs(mated=True)
    print_similarities(table, mated)
    print_halves(table, faces)
    print_sizes(table, mated)
    print_tails(table, faces)


def print_similarities(table: Calibration, mated: Scores) -> None:
    print(f"{len(mated)} mated pairs\nsimilarity  bound on FMR  score   mated pairs that reach it")
    for pct in SIMILARITIES:
        score = table.score_at_pct(pct)
        rate = table.false_match_rate(score)
        mark = "*" if rate.extrapolated else " "
        print(f"{pct:10.1f}  {rate.bound:9.1e}{mark}  {score:7.3f} {(mated >= score).mean():8.1%}")


def print_halves(table: Calibration, faces: Faces) -> None:
    """Galleries of the first images of half of the people, searched with their others, and with the other half's."""
    rng = np.random.default_rng(2)
    usable = ~np.isnan(faces.scores).all(axis=1)
    people = np.unique(faces.subjects[usable])
    first = np.zeros(len(faces.subjects), dtype=bool)
    first[[int(np.flatnonzero(usable & (faces.subjects == who))[0]) for who in people]] = True
    scores = np.nan_to_num(faces.scores, nan=-1.0)
    wrong: dict[float, list[float]] = {bound: [] for bound in BOUNDS}
    missed: dict[float, list[float]] = {bound: [] for bound in BOUNDS}
    size = len(people) // 2
    thresholds = {bound: table.operating_score(80.0, gallery_size=size, max_fpir=bound) for bound in BOUNDS}
    for _ in range(HALVES):
        enrolled = np.isin(faces.subjects, rng.permutation(people)[:size])
        gallery = np.flatnonzero(first & enrolled)
        mates = np.flatnonzero(usable & enrolled & ~first)
        strangers = np.flatnonzero(usable & ~enrolled)
        best = scores[np.ix_(mates, gallery)]
        right = faces.subjects[gallery[best.argmax(axis=1)]] == faces.subjects[mates]
        highest = scores[np.ix_(strangers, gallery)].max(axis=1)
        for bound, threshold in thresholds.items():
            wrong[bound].append(float((highest >= threshold).mean()))
            missed[bound].append(1.0 - float((right & (best.max(axis=1) >= threshold)).mean()))
    print(f"\ngalleries of {size} faces, one of each person, threshold 80 ({HALVES} random halves)")
    print("max_fpir  threshold  strangers who meet a candidate  mates missed")
    for bound, threshold in thresholds.items():
        print(f"{bound:8.3f} {threshold:10.3f} {np.mean(wrong[bound]):31.3%} {np.mean(missed[bound]):13.1%}")


def print_sizes(table: Calibration, mated: Scores) -> None:
    print("\nmated pairs below the threshold of a search at 80, by the gallery's size (* beyond what was measured)")
    print("max_fpir " + "".join(f"{size:>12,}" for size in SIZES))
    for bound in BOUNDS:
        cells = []
        for size in SIZES:
            threshold = table.operating_score(80.0, gallery_size=size, max_fpir=bound)
            mark = "*" if threshold > table.measured_up_to else " "
            cells.append(f"{(mated < threshold).mean():11.1%}{mark}")
        print(f"{bound:8.3f} " + "".join(cells))


def print_tails(table: Calibration, faces: Faces) -> None:
    """Rates beyond what was counted: A by mean excess, B and C by the fall of the bounds, and a Pareto tail's 99 %."""
    scores, first, second = faces.pairs(mated=False)
    start = float(np.partition(scores, -int(len(scores) * TAIL_FROM_FMR))[-int(len(scores) * TAIL_FROM_FMR)])
    beyond = scores > start
    excess, first, second = (scores[beyond] - start).astype(np.float64), first[beyond], second[beyond]
    images = np.bincount(faces.subjects)
    fits, means = [], []
    for weights in track(_resampled(len(images)), "resampling people", console=Console(stderr=True)):
        often = weights[first] * weights[second]
        drawn = np.repeat(excess, often)
        shape, _, scale = stats.genpareto.fit(drawn, floc=0.0)
        all_images = (weights * images).astype(np.float64)
        pairs = (all_images.sum() ** 2 - (all_images**2).sum()) / 2
        fits.append((shape, [len(drawn) / pairs * stats.genpareto.sf(s - start, shape, scale=scale) for s in BEYOND]))
        means.append(float(drawn.mean()))
    mean_excess = 1.0 / ((float(excess.mean()) + MARGIN * float(np.std(means))) * math.log(10.0))
    last = table.knots[-1]
    tenth = table.score_at_fmr(last.fmr_bound * 10)
    slopes = {"A": mean_excess, "B": 1.0 / (last.score - tenth), "C": table.decades_per_score}
    shapes = [shape for shape, _ in fits]
    print(f"\n{len(scores)} pairs of different people; the bound at {last.score} is {last.fmr_bound:.3g}")
    by_rule = "  ".join(f"{name} {slope:.1f}" for name, slope in slopes.items())
    print(f"tenths for a unit of score: {by_rule}; Pareto shape {np.mean(shapes):.2f} +- {np.std(shapes):.2f}")
    print("score  counted             A        B        C   Pareto 99 %")
    for place, score in enumerate(BEYOND):
        count = int((excess >= np.float32(score) - np.float32(start)).sum())
        rates = [last.fmr_bound * 10 ** (-slope * (score - last.score)) for slope in slopes.values()]
        high = float(np.quantile([found[place] for _, found in fits], 0.99))
        by_rule = "".join(f"{rate:9.1e}" for rate in rates)
        print(f"{score:.2f} {count:4d} {count / len(scores):8.1e}   {by_rule}{high:12.1e}")


def _resampled(people: int) -> Sequence[NDArray[np.int64]]:
    """How often each person is drawn, with all of their images, in each resample."""
    rng = np.random.default_rng(2018)
    return [np.bincount(rng.integers(people, size=people), minlength=people) for _ in range(RESAMPLES)]


if __name__ == "__main__":
    main()

"""Draw a result document's pictures as SVG files, as they stand in the README and in docs/.

    python benchmarks/draw_result.py benchmarks/results/lfw-aclu.json docs/pictures

writes one file for each drawing of the report, named by its title, and prints for each the words that say what it
shows: they belong beside the picture wherever it stands. The same document gives the same files.

    python benchmarks/draw_result.py benchmarks/results/lfw-one-to-one.json docs --table sface-2021dec.json

draws docs/similarity.svg alone: the rates that the document counted, with and without the labels that a decision left
out, and what a table of similarities makes of them.
"""

import argparse
import re
from pathlib import Path

import matplotlib as mpl
import numpy as np

from recognizance.evaluation.measures import Curve
from recognizance.evaluation.reports import evaluation_report
from recognizance.evaluation.results import Evaluation, read_evaluation
from recognizance.faces import Calibration, parse_calibration
from recognizance.register.reports.blocks import Picture


def draw(evaluation: Evaluation, folder: Path) -> None:
    """Write the drawings of a result into a folder, which may exist."""
    pictures = [block for block in evaluation_report(evaluation).blocks if isinstance(block, Picture)]
    folder.mkdir(parents=True, exist_ok=True)
    names: set[str] = set()
    for picture in pictures:
        slug = re.sub(r"[^a-z0-9]+", "-", picture.title.lower()).strip("-")
        name = slug if slug not in names else f"{slug}-{len(names)}"
        names.add(name)
        (folder / f"{name}.svg").write_bytes(picture.svg)
        print(f"{name}.svg: {picture.text}")


def draw_similarity(evaluation: Evaluation, table: Calibration, file: Path) -> None:
    """Draw the false match rate at each score, counted and as the table has it, beside the similarity."""
    mpl.use("svg")
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "recognizance"
    figure, (rates, similarities) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    counted = evaluation.findings.verification, evaluation.concluded.verification
    if counted[0] is None or counted[1] is None:
        raise SystemExit("the document is of no comparison of pictures")
    rates.semilogy(*_counted(counted[0].curve), color="0.6", linestyle=":", label="counted, every label")
    rates.semilogy(*_counted(counted[1].curve), color="0.2", label="counted, wrong labels left out")
    scores = np.linspace(table.knots[0].score, 0.85, 400)
    bounds = np.array([table.false_match_rate(float(score)).bound for score in scores])
    inside = scores <= table.measured_up_to
    rates.semilogy(scores[inside], bounds[inside], color="C0", label="bound (used)")
    rates.semilogy(scores[~inside], bounds[~inside], color="C0", linestyle="--", label="bound, extrapolated")
    rates.set(xlabel="score (cosine)", ylabel="false match rate", ylim=(1e-10, 1.5), xlim=(-0.15, 0.85))
    rates.legend()
    scores = np.linspace(-0.2, 1.0, 500)
    similarities.plot(scores, [table.similarity_pct(float(score)) for score in scores])
    for pct, beside in ((80, 66), (95, 79), (99, 92)):
        at = table.score_at_pct(pct)
        similarities.annotate(f"{pct} at {at:.3f}", (at, pct), (0.7, beside), arrowprops={"arrowstyle": "-"})
    similarities.set(xlabel="score (cosine)", ylabel="similarity", ylim=(0, 102))
    figure.savefig(file, metadata={"Date": None})


def _counted(curve: Curve) -> tuple[list[float], list[float]]:
    """Scores and their rates, down to the last error."""
    points = [(point.threshold, point.fmr.rate.value) for point in curve.points if point.fmr.rate.errors]
    return [score for score, _ in points], [rate or 0.0 for _, rate in points]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("result", type=Path, help="A result.json.")
    parser.add_argument("folder", type=Path, help="Where the pictures go.")
    parser.add_argument("--table", type=Path, help="A table of similarities: similarity.svg alone is drawn.")
    arguments = parser.parse_args()
    document = read_evaluation(arguments.result.read_bytes())
    if arguments.table is None:
        draw(document, arguments.folder)
    else:
        table = parse_calibration(arguments.table.read_text(encoding="utf-8"))
        draw_similarity(document, table, arguments.folder / "similarity.svg")

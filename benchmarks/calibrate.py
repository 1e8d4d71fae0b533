"""Measure what a recogniser's scores mean, and write the table that `recognizance.faces.calibration` reads.

    python benchmarks/calibrate.py ../shared/faces

compares every two images of different people of Labeled Faces in the Wild (13.2 million pairs), and writes
`src/recognizance/faces/tables/MODEL.json` and `docs/similarity.svg`. Prints the curve with and without the set's wrong
names, what the shipped thresholds do to people that they were not set on, and what each bound on the false positive
identification rate costs in missed mates. `--check` writes nothing and fails if the shipped table differs.

Method (docs/decisions/0006-similarity.md): pairs aren't independent, people are. So people are resampled, 300 times,
each with all of their images; the spread of log10 FMR, times the root of two for a second set of people, times 2.326,
is added to the measured rate. That is the bound which another set of as many people stays under 99 times in 100.
"""

import argparse
import csv
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from recognizance.faces.calibration import Calibration, parse_calibration
from recognizance.faces.image import open_photograph
from recognizance.faces.reader import FaceReader, open_reader
from recognizance.governance.policy import Policy, Principal, Role
from recognizance.identifiers import DecisionId, PrincipalId
from recognizance.permits import Action

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "src" / "recognizance" / "faces" / "tables"
PLOT = ROOT / "docs" / "similarity.svg"
CACHE = ROOT / "benchmarks" / "results"
PIPELINE = (
    "image.py",
    "detection.py",
    "alignment.py",
    "templates.py",
    "reader.py",
    "weights.py",
    "openvino_runtime.py",
)

SAME_PICTURE = (
    ("Carlos_Beltran", "Raul_Ibanez"),
    ("Elizabeth_Regan", "Whoopi_Goldberg"),
    ("Gabrielle_Rose", "Martha_Bowen_0002"),
    ("Andrew_Caldecott", "Andrew_Gilligan"),
    ("Harold_Scott", "Jeff_Roehm"),
)
"""One photograph under two names: aligned pixels correlate above 0.9, and the score is above 0.7."""

SAME_PERSON = (
    ("Choi_Sung-hong", "Sung_Hong_Choi"),
    ("Nan_Wang", "Wang_Nan"),
    ("Wang_Yingfan", "Yingfan_Wang"),
    ("Doc_Rivers", "Glenn_Rivers"),
    ("John_Barnett", "John_Burnett"),
    ("Felipe_De_Borbon", "Prince_Felipe"),
    ("Mireya_Elisa_Moscoso_Rodriguez", "Mireya_Moscoso"),
    ("Ruano_Pascual", "Virgina_Ruano_Pascal"),
)
"""One person under two spellings of a name or a title; seen by reading the names of all pairs above 0.5."""

WRONG_NAME = (
    ("Erika_Harold_0003", "Katie_Harman"),
    ("Todd_Haynes_0001", "Julianne_Moore"),
    ("Chok_Tong_Goh_0001", "George_W_Bush"),
    ("Mahmoud_Abbas_0012", "Hamad_Bin_Isa_al-Khalifa"),
    ("Elena_de_Chavez", "Hugo_Chavez"),
)
"""An image that is like nobody of its own name (at most 0.1) and like somebody of another (above 0.5); looked at.

`Elena_de_Chavez` has no other image; it shows a man who is like all twelve of the other name.
"""

# Relatives and doubles stay in, for they are what a false match is made of: the brothers Bush and Bilal, the Hentzens.

GRID = np.round(np.arange(-0.60, 0.90, 0.01), 2)
LEAST_ERRORS = 100
"""A rate is called measured from a hundred errors on; below, one pair of brothers decides. The tail begins beyond."""
TAIL_FROM_FMR = 1e-4
RESAMPLES = 300
SAFETY = 2.326 * np.sqrt(2.0)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Faces:
    """The set's images in which a face was found.

    Attributes:
        templates: (n, d) unit rows.
        subjects: (n,) the index of each image's name.
        names: The image's name without extension.
    """

    templates: NDArray[np.float32]
    subjects: NDArray[np.int64]
    names: NDArray[np.str_]
    people: NDArray[np.str_]
    missed: int


def read_faces(folder: Path, reader: FaceReader) -> Faces:
    """Run every image of the manifest through the default pipeline; kept on disk for the next run."""
    manifest = (folder / "lfw.csv").read_bytes()
    # What is kept is good for exactly these images and this pipeline.
    pipeline = b"".join((ROOT / "src" / "recognizance" / "faces" / name).read_bytes() for name in PIPELINE)
    digest = hashlib.sha256(manifest + pipeline).hexdigest()[:16]
    cache = CACHE / f"lfw-{digest}-{reader.model}.npz"
    rows = list(csv.DictReader(manifest.decode().splitlines()))
    if not cache.exists():
        principal = Principal(PrincipalId("benchmark"), frozenset({Role.ADMINISTRATOR}))
        permit = Policy().decide(principal, Action.MEASURE, gallery=None, decision_id=DecisionId("calibrate"))
        templates = np.zeros((len(rows), reader.dimension), dtype=np.float32)
        for index, row in enumerate(track(rows, "templates")):
            photograph = open_photograph((folder / row["path"]).read_bytes(), permit)
            if faces := reader.detect(photograph, permit)[:1]:
                templates[index] = reader.templates(faces, permit)[0]
        CACHE.mkdir(parents=True, exist_ok=True)
        np.savez(cache, templates=templates)
    templates = np.load(cache)["templates"]
    found = templates.any(axis=1)
    people, subjects = np.unique([row["subject"] for row in rows], return_inverse=True)
    names = np.array([Path(row["path"]).stem for row in rows])
    return Faces(templates[found], subjects[found], names[found], people, int((~found).sum()))


def wrong_pairs(faces: Faces) -> NDArray[np.bool_]:
    """(n, n): which pairs are one person under two names."""

    def chosen(name: str) -> NDArray[np.bool_]:
        images = np.asarray((faces.people[faces.subjects] == name) | (faces.names == name), dtype=np.bool_)
        if not images.any():
            raise SystemExit(f"{name} is in the list of wrong names but not in the set")
        return images

    wrong: NDArray[np.bool_] = np.zeros((len(faces.names), len(faces.names)), dtype=np.bool_)
    for first, second in (*SAME_PICTURE, *SAME_PERSON, *WRONG_NAME):
        wrong[np.ix_(chosen(first), chosen(second))] = True
        wrong[np.ix_(chosen(second), chosen(first))] = True
    return wrong


@dataclass(frozen=True, slots=True)
class Impostors:
    """Every pair of images of different people.

    Attributes:
        scores: (m,) by rising score.
        first, second: (m,) the two people.
    """

    scores: NDArray[np.float32]
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    people: int

    def errors(self, thresholds: Floats) -> NDArray[np.int64]:
        return len(self.scores) - np.searchsorted(self.scores, thresholds.astype(np.float32), side="left")

    def among(self, chosen: NDArray[np.bool_]) -> "Impostors":
        kept = chosen[self.first] & chosen[self.second]
        return Impostors(self.scores[kept], self.first[kept], self.second[kept], self.people)


def impostors(faces: Faces, excluded: NDArray[np.bool_] | None) -> Impostors:
    pairs = np.triu(faces.subjects[:, None] != faces.subjects[None, :], 1)
    if excluded is not None:
        pairs &= ~excluded
    rows, columns = np.nonzero(pairs)
    scores = (faces.templates @ faces.templates.T)[rows, columns]
    order = np.argsort(scores, kind="stable")
    subjects = faces.subjects.astype(np.int32)
    return Impostors(scores[order], subjects[rows[order]], subjects[columns[order]], len(faces.people))


def calibrated(model: str, found: Impostors, *, resamples: int = RESAMPLES, quiet: bool = False) -> dict[str, object]:
    """Build the table: knots with their bounds, and the tail."""
    rng = np.random.default_rng(2018)
    pairs = len(found.scores)
    present = np.unique(np.concatenate([found.first, found.second]))
    draws = np.zeros((found.people, resamples), dtype=np.float32)
    for column in range(resamples):
        draws[:, column] = np.bincount(rng.choice(present, len(present)), minlength=found.people)

    def resampled_counts(start: int) -> Floats:
        """How many pairs from `start` on each resampled set of people has."""
        if pairs - start < 20_000:
            return np.asarray(weights(start).sum(axis=0), dtype=np.float64)
        codes = found.first[start:].astype(np.int64) * found.people + found.second[start:]
        counts = np.bincount(codes, minlength=found.people**2).astype(np.float32)
        total = np.einsum("ar,ar->r", draws, counts.reshape(found.people, found.people) @ draws, dtype=np.float64)
        return np.asarray(total, dtype=np.float64)

    def weights(start: int) -> Floats:
        """How often each pair from `start` on occurs in each resampled set of people."""
        return np.asarray(draws[found.first[start:]] * draws[found.second[start:]], dtype=np.float64)

    pairs_resampled = resampled_counts(0)
    errors = found.errors(GRID)
    measured = GRID[errors >= LEAST_ERRORS]
    bounds = []
    for score, count in track(list(zip(measured, errors, strict=False)), "resampling people", disable=quiet):
        resampled = resampled_counts(int(np.searchsorted(found.scores, np.float32(score), side="left")))
        spread = np.log10((resampled + 0.5) / pairs_resampled).std()
        bounds.append(float(f"{min(1.0, float(count) / pairs * 10 ** (SAFETY * spread)):.6g}"))
    for index in range(len(bounds) - 2, -1, -1):
        # A rate never rises with the score; where the noise says so, the lower score takes the higher bound.
        bounds[index] = max(bounds[index], float(f"{min(1.0, bounds[index + 1] * 1.0001):.6g}"))
    first = max(index for index, bound in enumerate(bounds) if bound == 1.0)
    knots = [
        [float(score), int(count), bound]
        for score, count, bound in zip(measured[first:], errors[first:], bounds[first:], strict=False)
    ]
    # Scores beyond a high threshold fall off exponentially; their mean excess is the maximum likelihood estimate of how
    # fast. The slower fall that another set of people may show is used, and starts at the last knot's bound.
    start = pairs - int(pairs * TAIL_FROM_FMR)
    excess = found.scores[start:].astype(np.float64) - float(found.scores[start - 1])
    resampled_means = (excess @ weights(start)) / weights(start).sum(axis=0)
    slope = 1.0 / ((excess.mean() + SAFETY * resampled_means.std()) * np.log(10.0))
    return {
        "model": model,
        "set": "Labeled Faces in the Wild, 5,151 crops of 2,795 people",
        "pairs": pairs,
        "tail": {"form": "exponential", "decades_per_score": float(f"{slope:.4g}"), "extrapolated": True},
        "columns": ["score", "errors", "fmr_bound"],
        "knots": knots,
    }


def print_curve(faces: Faces, raw: Impostors, clean: Impostors, table: Calibration) -> None:
    mated = mated_scores(faces)
    print(
        f"\n{len(faces.names)} faces ({faces.missed} missed), {len(mated)} mated and {len(raw.scores)} impostor pairs,"
    )
    print(f"{len(raw.scores) - len(clean.scores)} of them one person under two names\n")
    print("            score at this rate                    TMR")
    print("     FMR   all pairs  without wrong names  bound   without   bound")
    for fmr in (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6):
        scores = [float(each.scores[-1 - int(len(each.scores) * fmr)]) for each in (raw, clean)]
        bound = table.score_at_fmr(fmr)
        rates = [(mated >= score).mean() for score in (scores[1], bound)]
        print(f"{fmr:8.0e} {scores[0]:11.4f} {scores[1]:19.4f} {bound:7.4f} {rates[0]:9.4f} {rates[1]:7.4f}")
    start = len(clean.scores) - int(len(clean.scores) * TAIL_FROM_FMR)
    beyond = clean.scores[start:] - clean.scores[start - 1]
    print(f"\ntail: {table.decades_per_score:.1f} decades per unit of score beyond {table.measured_up_to}, ", end="")
    print(f"without its margin {1 / (beyond.mean() * np.log(10)):.1f}")
    print("scores at 1e-8, 1e-10: " + ", ".join(f"{table.score_at_fmr(fmr):.3f}" for fmr in (1e-8, 1e-10)))


def mated_scores(faces: Faces) -> NDArray[np.float32]:
    same = np.triu(faces.subjects[:, None] == faces.subjects[None, :], 1)
    rows, columns = np.nonzero(same)
    return np.asarray((faces.templates[rows] * faces.templates[columns]).sum(axis=1), dtype=np.float32)


def print_held_out(model: str, raw: Impostors, clean: Impostors, *, splits: int = 12) -> None:
    """Set thresholds on one half of the people, and count on the other half."""
    rng = np.random.default_rng(1)
    rates: dict[tuple[int, str], list[float]] = {}
    for _ in track(range(splits), "halves"):
        half = rng.permutation(clean.people) < clean.people // 2
        half_table = parse_calibration(json.dumps(calibrated(model, clean.among(half), resamples=100, quiet=True)))
        for label, each in (("clean", clean.among(~half)), ("all", raw.among(~half))):
            for pct in (80, 99):
                error = each.errors(np.array([half_table.score_at_pct(pct)]))[0]
                rates.setdefault((pct, label), []).append(float(error) / len(each.scores))
    print(f"\npeople that the thresholds weren't set on ({splits} random halves)")
    print("similarity  pairs   FMR median   worst     at or under its promise")
    for (pct, label), found in sorted(rates.items()):
        promise = {80: 1e-4, 99: 1e-6}[pct]
        kept = sum(rate <= promise for rate in found)
        print(f"{pct:10d}  {label:6s} {np.median(found):10.1e} {max(found):8.1e} {kept:6d} of {splits}")


def print_identification(faces: Faces, wrong: NDArray[np.bool_], table: Calibration, *, splits: int = 10) -> None:
    """Galleries of half of the people, searched with their other images and with the other half."""
    bounds = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    rng = np.random.default_rng(2)
    similarity = np.where(wrong, np.float32(-1), faces.templates @ faces.templates.T)
    _, first_images = np.unique(faces.subjects, return_index=True)
    is_first = np.zeros(len(faces.subjects), dtype=bool)
    is_first[first_images] = True
    fpir: dict[float, list[float]] = {bound: [] for bound in bounds}
    fnir: dict[float, list[float]] = {bound: [] for bound in bounds}
    for _ in range(splits):
        known = (rng.permutation(len(faces.people)) < len(faces.people) // 2)[faces.subjects]
        gallery = np.flatnonzero(is_first & known)
        mates, strangers = np.flatnonzero(known & ~is_first), np.flatnonzero(~known)
        best = similarity[np.ix_(mates, gallery)]
        right = faces.subjects[gallery[best.argmax(axis=1)]] == faces.subjects[mates]
        highest = similarity[np.ix_(strangers, gallery)].max(axis=1)
        for bound in bounds:
            threshold = table.operating_score(80.0, gallery_size=len(gallery), max_fpir=bound)
            fpir[bound].append(float((highest >= threshold).mean()))
            fnir[bound].append(1.0 - float((right & (best.max(axis=1) >= threshold)).mean()))
    print(f"\na gallery of {len(gallery)} faces, one of each person; threshold 80 ({splits} random halves)")
    print("max_fpir  threshold   FPIR strangers   FNIR mates")
    for bound in bounds:
        threshold = table.operating_score(80.0, gallery_size=len(gallery), max_fpir=bound)
        print(f"{bound:8.3f} {threshold:10.4f} {np.mean(fpir[bound]):16.5f} {np.mean(fnir[bound]):12.4f}")
    mated = mated_scores(faces)
    print("\nmated pairs under the threshold, by gallery size (* beyond what was measured)")
    sizes = (100, 1_000, 10_000, 100_000, 1_000_000, 20_000_000)
    print("max_fpir " + "".join(f"{size:>12,}" for size in sizes))
    for bound in bounds:
        thresholds = [table.operating_score(80.0, gallery_size=size, max_fpir=bound) for size in sizes]
        cells = [f"{(mated < t).mean():.3f}{'*' if t > table.measured_up_to else ' '}" for t in thresholds]
        print(f"{bound:8.3f} " + "".join(f"{cell:>12}" for cell in cells))


def plot(table: Calibration, clean: Impostors, raw: Impostors) -> None:
    mpl.use("svg")
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "recognizance"
    figure, (rates, similarities) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    scores = np.linspace(table.knots[0].score, 0.75, 300)
    measured = [(score, clean.errors(np.array([score]))[0] / len(clean.scores)) for score in scores]
    with_wrong = [(score, raw.errors(np.array([score]))[0] / len(raw.scores)) for score in scores]
    rates.semilogy(*zip(*with_wrong, strict=True), color="0.6", linestyle=":", label="counted, wrong names included")
    rates.semilogy(*zip(*((s, r) for s, r in measured if r > 0), strict=True), color="0.2", label="counted")
    bounds = [table.false_match_rate(float(score)) for score in scores]
    inside = scores <= table.measured_up_to
    rates.semilogy(scores[inside], [b.bound for b, i in zip(bounds, inside, strict=True) if i], label="bound (used)")
    outside = [b.bound for b, i in zip(bounds, inside, strict=True) if not i]
    rates.semilogy(scores[~inside], outside, color="C0", linestyle="--", label="extrapolated")
    rates.set(xlabel="score (cosine)", ylabel="false match rate", ylim=(1e-11, 1.5))
    rates.legend()
    scores = np.linspace(-0.2, 1.0, 500)
    similarities.plot(scores, [table.similarity_pct(float(score)) for score in scores])
    for pct in (80, 99):
        at = table.score_at_pct(pct)
        similarities.annotate(f"{pct} at {at:.3f}", (at, pct), (at + 0.06, pct - 12), arrowprops={"arrowstyle": "-"})
    similarities.set(xlabel="score (cosine)", ylabel="similarity", ylim=(0, 102))
    figure.savefig(PLOT, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="holds lfw.csv and the images that it names")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the shipped table differs")
    parser.add_argument("--recogniser", default="sface-2021dec")
    options = parser.parse_args()

    reader = open_reader(recogniser=options.recogniser, threads=2)
    faces = read_faces(options.folder, reader)
    wrong = wrong_pairs(faces)
    raw, clean = impostors(faces, None), impostors(faces, wrong)
    text = json.dumps(calibrated(reader.model, clean), indent=1).replace("\n   ", " ").replace("\n  ]", " ]") + "\n"
    path = TABLES / f"{options.recogniser}.json"
    if options.check:
        sys.exit(0 if path.read_text(encoding="utf-8") == text else f"{path} differs from what is measured")
    TABLES.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    table = parse_calibration(text)
    plot(table, clean, raw)
    print_curve(faces, raw, clean, table)
    print_identification(faces, wrong, table)
    print_held_out(reader.model, raw, clean)


if __name__ == "__main__":
    main()

"""How often is it wrong? Error rates of the default reader on the shared test faces, with intervals.

Run `python benchmarks/accuracy.py`. It prints failures to detect, rank-1 identification, verification at three false
match rates over all pairs, pairs of the colour photographs, and searches with the settings that the service ships.
Templates are kept in benchmarks/results/ by the content of the images and of the code that makes them, so a second run
takes seconds. docs/accuracy.md explains each number; decision 0003 says what was tried to improve them.
"""

import argparse
import csv
import hashlib
import json
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

import recognizance.faces
from recognizance.faces import FaceReader, Templates, open_photograph, open_reader
from recognizance.faces.calibration import Calibration, load_calibration
from recognizance.governance.policy import Policy, Principal, Role
from recognizance.identifiers import DecisionId, PrincipalId
from recognizance.permits import Action, Permit

ROOT = Path(__file__).resolve().parent
FACES = ROOT.parent.parent / "shared" / "faces"
RESULTS = ROOT / "results"
SOURCES = (
    "alignment.py",
    "detection.py",
    "headers.py",
    "image.py",
    "manifest.toml",
    "openvino_runtime.py",
    "reader.py",
    "templates.py",
    "weights.py",
    "yunet.py",
)
"""What templates depend on."""
MAX_PROBES = 5
REQUESTED_PCT = 80.0
"""Rekognition's default `FaceMatchThreshold`."""
FALSE_MATCH_RATES = (1e-3, 1e-4, 1e-5)
BOOTSTRAPS = 200

Bools = NDArray[np.bool_]
Ints = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Read:
    """The largest face of each image: its template, or zeros where none was found."""

    found: Bools
    faces: Ints
    templates: Templates


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--faces", type=Path, default=FACES, help="folder with lfw.csv, photos.csv and the images")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    given = arguments.parse_args()
    console = Console(stderr=True)
    permit = permit_to_measure()
    reader = open_reader(threads=given.threads)

    with (given.faces / "lfw.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    subjects = np.unique([row["subject"] for row in rows], return_inverse=True)[1]
    crops = read_all(reader, permit, [given.faces / row["path"] for row in rows], given.threads, "crops")
    report = {"model": str(reader.model), "images": len(rows), "failures_to_detect": int((~crops.found).sum())}
    report |= {"more_than_one_face": int((crops.faces > 1).sum())}
    report |= identification(crops, subjects)
    console.print("comparing all pairs ...")
    report |= verification(crops, subjects)
    report |= strangers(crops, subjects, load_calibration(reader.model))
    report |= photographs(reader, permit, given.faces, given.threads)
    print(json.dumps(report) if given.json else _lines(report))


def read_all(reader: FaceReader, permit: Permit, files: Sequence[Path], threads: int, name: str) -> Read:
    """Read every file, or take what an earlier run read from the same bytes with the same code."""
    contents = [file.read_bytes() for file in files]
    key = hashlib.sha256(str(reader.model).encode())
    for source in SOURCES:
        key.update((Path(recognizance.faces.__path__[0]) / source).read_bytes())
    for content in contents:
        key.update(hashlib.sha256(content).digest())
    cache = RESULTS / f"{name}-{key.hexdigest()[:16]}.npz"
    if cache.exists():
        with np.load(cache) as kept:
            return Read(kept["found"], kept["faces"], kept["templates"])

    def read(content: bytes) -> tuple[int, NDArray[np.float32]]:
        faces = reader.detect(open_photograph(content, permit), permit)
        if not faces:
            return 0, np.zeros(reader.dimension, dtype=np.float32)
        return len(faces), reader.templates(faces[:1], permit)[0]

    with ThreadPoolExecutor(threads) as pool:
        work = track(
            pool.map(read, contents), total=len(contents), description=f"reading {name}", console=Console(stderr=True)
        )
        counts, templates = zip(*work, strict=True)
    faces = np.array(counts, dtype=np.intp)
    result = Read(faces > 0, faces, np.stack(templates))
    RESULTS.mkdir(parents=True, exist_ok=True)
    np.savez(cache, found=result.found, faces=result.faces, templates=result.templates)
    return result


def identification(read: Read, subjects: Ints) -> dict[str, object]:
    """Enrol the first image of each person and search with at most five others; a face not found is a miss."""
    enrolled: dict[int, int] = {}
    probes: list[int] = []
    used: dict[int, int] = {}
    for index, subject in enumerate(subjects.tolist()):
        if subject not in enrolled:
            enrolled[subject] = index
        elif used.get(subject, 0) < MAX_PROBES:
            probes.append(index)
            used[subject] = used.get(subject, 0) + 1
    gallery = np.fromiter(enrolled.values(), dtype=np.intp)
    best = gallery[np.argmax(read.templates[probes] @ read.templates[gallery].T, axis=1)]
    right = int(((subjects[best] == subjects[probes]) & read.found[probes]).sum())
    return {"enrolled": len(gallery), "rank_1": _share(right, len(probes))}


def verification(read: Read, subjects: Ints) -> dict[str, object]:
    """True match rates over all pairs of found faces, with 95 % intervals from a bootstrap over people."""
    templates, people = read.templates[read.found], subjects[read.found]
    first, second = np.triu_indices(len(people), 1)
    scores = (templates @ templates.T)[first, second]
    mated = people[first] == people[second]
    impostor, genuine, genuine_people = scores[~mated], scores[mated], people[first[mated]]
    places = [max(math.floor(rate * impostor.size), 1) for rate in FALSE_MATCH_RATES]
    ordered = -np.partition(-impostor, [place - 1 for place in places])
    results: dict[str, object] = {"impostor_pairs": int(impostor.size), "mated_pairs": int(genuine.size)}
    for rate, place in zip(FALSE_MATCH_RATES, places, strict=True):
        # The highest threshold that accepts at most this many impostors, ties going against us.
        threshold = float(np.nextafter(ordered[place - 1], np.float32(2)))
        accepted = genuine >= threshold
        low, high = _bootstrap(accepted, genuine_people)
        results[f"tmr_at_fmr_{rate:.0e}"] = {
            "threshold": round(threshold, 4),
            "rate": round(float(accepted.mean()), 4),
            "low": round(low, 4),
            "high": round(high, 4),
        }
    return results


def strangers(read: Read, subjects: Ints, calibration: Calibration) -> dict[str, object]:
    """Search an open set with the shipped settings: who comes back for a stranger, and who is missed.

    Enrolled is the first image of everybody with two or more; mated probes are their second images, strangers the only
    images of everybody else. So each person counts once in each rate.
    """
    images: dict[int, list[int]] = {}
    for index, subject in enumerate(subjects.tolist()):
        images.setdefault(subject, []).append(index)
    enrolled = np.array([mine[0] for mine in images.values() if len(mine) > 1])
    mated = np.array([mine[1] for mine in images.values() if len(mine) > 1])
    alone = np.array([mine[0] for mine in images.values() if len(mine) == 1])
    alone = alone[read.found[alone]]
    results: dict[str, object] = {"gallery": len(enrolled)}
    for name, threshold in (
        ("shipped", calibration.operating_score(REQUESTED_PCT, gallery_size=len(enrolled))),
        ("80 alone", calibration.score_at_pct(REQUESTED_PCT)),
    ):
        false = (read.templates[alone] @ read.templates[enrolled].T).max(axis=1) >= threshold
        scores = read.templates[mated] @ read.templates[enrolled].T
        best = scores.argmax(axis=1)
        missed = (best != np.arange(len(mated))) | (scores.max(axis=1) < threshold) | ~read.found[mated]
        results[f"fpir_{name}"] = _share(int(false.sum()), len(alone)) | {"threshold": round(threshold, 4)}
        results[f"fnir_{name}"] = _share(int(missed.sum()), len(mated))
    return results


def photographs(reader: FaceReader, permit: Permit, faces: Path, threads: int) -> dict[str, object]:
    """Compare the labelled pairs of colour photographs, each by its largest face, at the threshold of FMR 1e-4."""
    with (faces / "photos.csv").open(newline="", encoding="utf-8") as file:
        pairs = [(row["file_x"], row["file_y"], row["Decision"].strip() == "Yes") for row in csv.DictReader(file)]
    names = sorted({name for x, y, _ in pairs for name in (x, y)})
    read = read_all(reader, permit, [faces / "photos" / name for name in names], threads, "photographs")
    place = {name: index for index, name in enumerate(names)}
    scores = np.array([read.templates[place[x]] @ read.templates[place[y]] for x, y, _ in pairs])
    same = np.array([decision for _, _, decision in pairs])
    best = max((float(((scores >= cut) == same).mean()), float(cut)) for cut in np.unique(scores))
    return {
        "photographs": len(names),
        "photographs_without_a_face": int((~read.found).sum()),
        "pairs": len(pairs),
        "pair_accuracy": {"best": round(best[0], 4), "threshold": round(best[1], 4)},
        "lowest_mated": round(float(scores[same].min()), 4),
        "highest_impostor": round(float(scores[~same].max()), 4),
    }


def _bootstrap(accepted: Bools, people: Ints) -> tuple[float, float]:
    """Resample people, because one person's pairs are alike."""
    _, person = np.unique(people, return_inverse=True)
    hits, trials = np.bincount(person, weights=accepted), np.bincount(person)
    draws = np.random.default_rng(1).integers(len(trials), size=(BOOTSTRAPS * 10, len(trials)))
    rates = np.sort(hits[draws].sum(axis=1) / trials[draws].sum(axis=1))
    return float(np.quantile(rates, 0.025)), float(np.quantile(rates, 0.975))


def _share(count: int, trials: int) -> dict[str, object]:
    """A rate with its Wilson 95 % interval."""
    z2, rate = 1.959964**2, count / trials
    centre = (rate + z2 / (2 * trials)) / (1 + z2 / trials)
    half = math.sqrt(z2 * (rate * (1 - rate) / trials + z2 / (4 * trials**2))) / (1 + z2 / trials)
    return {
        "count": count,
        "trials": trials,
        "rate": round(rate, 4),
        "low": round(centre - half, 4),
        "high": round(centre + half, 4),
    }


def _lines(report: dict[str, object]) -> str:
    return "\n".join(f"{name:28} {_spelled(value)}" for name, value in report.items())


def _spelled(value: object) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{name} {each}" for name, each in value.items())
    return str(value)


def permit_to_measure() -> Permit:
    administrator = Principal(PrincipalId("benchmark"), frozenset({Role.ADMINISTRATOR}))
    return Policy().decide(administrator, Action.MEASURE, gallery=None, decision_id=DecisionId("benchmark"))


if __name__ == "__main__":
    main()

"""How many photographs a second? Ours beside OpenCV's own pipeline and dlib's, on the same files in the same run.

Run `python benchmarks/pipeline.py`. Each pipeline takes the bytes of a file to the template of its largest face, with
its project's ordinary settings:

- ours: `open_photograph`, `FaceReader.detect`, `FaceReader.templates`;
- OpenCV: `imdecode`, `FaceDetectorYN` at the picture's size, `FaceRecognizerSF`, with the same two model files;
- OpenCV, fitted: the same, after scaling pictures down to at most 640 pixels, as some of its users do;
- dlib: its frontal face detector with one enlargement, five points and `face_recognition_model_v1`, as the package
  `face_recognition` wires them.

Each runs in a process of its own that is held to the same cores and uses as many threads as there are cores: ours and
OpenCV's with one worker per core (OpenCV does better so than with its own threads), dlib likewise. They work in turns,
a few photographs at a time, so that other load on the machine meets all of them; ratios are medians over the turns.
"""

import argparse
import importlib.util
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from recognizance.permits import Action, Permit

FACES = Path(__file__).resolve().parent.parent.parent / "shared" / "faces"
PIPELINES = ("ours", "opencv", "opencv fitted", "dlib")
TURN = 8
FITTED_PX = 640

Read = Callable[[bytes], bool]
"""Takes a file to a template; says whether a face was found."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--faces", type=Path, default=FACES, help="folder with photos/ and lfw/")
    arguments.add_argument("--photographs", type=int, default=64, help="how many of each set")
    arguments.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    arguments.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    given = arguments.parse_args()
    crops = sorted((given.faces / "lfw").glob("*/*.jpg"))
    sets = {
        "photographs": sorted((given.faces / "photos").glob("*.jpg"))[: given.photographs],
        "crops": crops[:: max(len(crops) // given.photographs, 1)][: given.photographs],
    }
    report: dict[str, Any] = {
        f"{name}, {cores} core{'s' if cores > 1 else ''}": race(files, cores)
        for cores in given.cores
        for name, files in sets.items()
    }
    report["stages"] = stages([file.read_bytes() for file in sets["photographs"]])
    if given.json:
        print(json.dumps(report))
    else:
        show(report)


def race(files: Sequence[Path], cores: int) -> dict[str, dict[str, float]]:
    """Let every pipeline read every file, in turns."""
    context = multiprocessing.get_context("spawn")
    usable = sorted(os.sched_getaffinity(0))[:cores]
    lines, racers = {}, []
    for name in PIPELINES:
        line, far_end = context.Pipe()
        racer = context.Process(target=run_pipeline, args=(name, usable, far_end), daemon=True)
        racer.start()
        lines[name] = line
        racers.append(racer)
    contents = [file.read_bytes() for file in files]
    turns = [contents[start : start + TURN] for start in range(0, len(contents), TURN)]
    seconds: dict[str, list[float]] = {name: [] for name in PIPELINES}
    found = dict.fromkeys(PIPELINES, 0)
    # What happens once in the life of a service is not compared: loading, and ours compiles each canvas size.
    for name in PIPELINES:
        for turn in turns if name == "ours" else turns[:1]:
            lines[name].send(turn)
            lines[name].recv()
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(f"{len(files)} files on {cores} core(s)", total=len(turns) * len(PIPELINES))
        for number, turn in enumerate(turns):
            for place in range(len(PIPELINES)):
                name = PIPELINES[(place + number) % len(PIPELINES)]
                lines[name].send(turn)
                took_s, faces = lines[name].recv()
                seconds[name].append(took_s)
                found[name] += faces
                progress.advance(task)
    for name, racer in zip(PIPELINES, racers, strict=True):
        lines[name].send([])
        racer.join()
    ours = np.array(seconds["ours"])
    return {
        name: {
            "images_per_s": round(len(contents) / sum(seconds[name]), 1),
            "ms_per_image": round(1000 * sum(seconds[name]) / len(contents), 1),
            "found": found[name],
            "ours_is_faster": round(float(np.median(np.array(seconds[name]) / ours)), 2),
        }
        for name in PIPELINES
    }


def run_pipeline(name: str, cores: Sequence[int], line: Connection) -> None:
    """Serve turns in a process of its own, until an empty one."""
    os.sched_setaffinity(0, cores)
    makers = {"ours": make_ours, "opencv": make_opencv, "opencv fitted": make_opencv_fitted, "dlib": make_dlib}
    # OpenCV's and dlib's objects belong to one thread each; ours is shared, as in the service.
    readers = [makers[name](len(cores))] * len(cores) if name == "ours" else [makers[name](1) for _ in cores]
    with ThreadPoolExecutor(len(cores)) as pool:
        while turn := line.recv():
            waiting = list(turn)

            def work(read: Read, waiting: list[bytes] = waiting) -> int:
                faces = 0
                while True:
                    try:
                        content = waiting.pop()
                    except IndexError:
                        return faces
                    faces += read(content)

            started = time.perf_counter()
            faces = sum(pool.map(work, readers))
            line.send((time.perf_counter() - started, faces))


def make_ours(threads: int) -> Read:
    from recognizance.faces import open_photograph, open_reader

    permit = _permit()
    reader = open_reader(threads=threads)

    def read(content: bytes) -> bool:
        faces = reader.detect(open_photograph(content, permit), permit)
        return len(reader.templates(faces[:1], permit)) > 0

    return read


def make_opencv(_threads: int) -> Read:
    return _opencv(longest_px=None)


def make_opencv_fitted(_threads: int) -> Read:
    return _opencv(longest_px=FITTED_PX)


def _opencv(*, longest_px: int | None) -> Read:
    import cv2

    from recognizance.faces import ModelStore

    cv2.setNumThreads(1)
    store = ModelStore(None)
    detector = cv2.FaceDetectorYN.create(str(store.path(store.model("yunet-2023mar"))), "", (320, 320), 0.6, 0.3, 5000)
    recogniser = cv2.FaceRecognizerSF.create(str(store.path(store.model("sface-2021dec"))), "")

    def read(content: bytes) -> bool:
        pixels = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), cv2.IMREAD_COLOR)
        assert pixels is not None
        if longest_px is not None and max(pixels.shape[:2]) > longest_px:
            scale = longest_px / max(pixels.shape[:2])
            pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        detector.setInputSize((pixels.shape[1], pixels.shape[0]))
        # OpenCV's type stubs don't know that it answers `None` where there is no face.
        faces = cast("NDArray[np.float32] | None", detector.detect(pixels)[1])
        if faces is None:
            return False
        recogniser.feature(recogniser.alignCrop(pixels, max(faces, key=lambda face: face[2] * face[3])))
        return True

    return read


def make_dlib(_threads: int) -> Read:
    import cv2
    import dlib  # type: ignore[import-untyped]  # it ships no types

    # The package's own module asks for pkg_resources, so its files are found without importing it.
    found = importlib.util.find_spec("face_recognition_models")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("install the development dependencies: face_recognition_models is absent")
    models = Path(found.submodule_search_locations[0]) / "models"
    detector = dlib.get_frontal_face_detector()
    points = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
    recogniser = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))

    def read(content: bytes) -> bool:
        pixels = cv2.imdecode(np.frombuffer(content, dtype=np.uint8), cv2.IMREAD_COLOR_RGB)
        faces = detector(pixels, 1)
        if not faces:
            return False
        recogniser.compute_face_descriptor(pixels, points(pixels, max(faces, key=lambda face: face.area())), 1)
        return True

    return read


def stages(contents: Sequence[bytes]) -> dict[str, float]:
    """Where our time goes: milliseconds on one thread, medians over the photographs; templates per face."""
    from recognizance.faces import open_photograph, open_reader
    from recognizance.faces.detection import WIDEST_VIEW_PX

    permit = _permit()
    reader = open_reader(threads=1)
    spent: dict[str, list[float]] = {"decode": [], "detect and align": [], "template": []}
    for _ in range(2):
        # The first round compiles.
        for times in spent.values():
            times.clear()
        for content in contents:
            marks = [time.perf_counter()]
            photograph = open_photograph(content, permit)
            photograph.pixels(long_side_px=WIDEST_VIEW_PX)
            marks.append(time.perf_counter())
            faces = reader.detect(photograph, permit)
            marks.append(time.perf_counter())
            reader.templates(faces[:1], permit)
            marks.append(time.perf_counter())
            for name, took_s in zip(spent, np.diff(marks), strict=True):
                spent[name].append(1000 * took_s)
    return {name: round(float(np.median(times)), 2) for name, times in spent.items()}


def show(report: dict[str, Any]) -> None:
    console = Console()
    for title, results in report.items():
        if title == "stages":
            console.print(f"one thread, median: {', '.join(f'{name} {each} ms' for name, each in results.items())}")
            continue
        table = Table(title=title)
        for heading in ("pipeline", "images/s", "ms/image", "found", "ours is faster by"):
            table.add_column(heading, justify="left" if heading == "pipeline" else "right")
        for name, row in results.items():
            table.add_row(name, *(str(each) for each in row.values()))
        console.print(table)


def _permit() -> Permit:
    from recognizance.governance.policy import Policy, Principal, Role
    from recognizance.identifiers import DecisionId, PrincipalId

    administrator = Principal(PrincipalId("benchmark"), frozenset({Role.ADMINISTRATOR}))
    return Policy().decide(administrator, Action.MEASURE, gallery=None, decision_id=DecisionId("benchmark"))


if __name__ == "__main__":
    main()

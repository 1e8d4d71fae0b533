"""What the commands of `recognizance evaluate` open and write: engines, the cache, the record, results."""

import os
from collections.abc import Callable, Container, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from recognizance.cli.opening import governing_of, permit_by
from recognizance.cli.output import progress
from recognizance.config import Settings, read_settings
from recognizance.errors import InputError, NotFoundError, UnavailableError
from recognizance.evaluation.cache import Cache
from recognizance.evaluation.endpoint import open_endpoint
from recognizance.evaluation.engines import Engine
from recognizance.evaluation.engines_local import LocalEngine, LocalSettings
from recognizance.evaluation.engines_rekognition import COLLECTIONS, RekognitionEngine
from recognizance.evaluation.engines_scores import ScoreListEngine, parse_scores
from recognizance.evaluation.recorded import Recorded, operating_score, recorded, require_recordable
from recognizance.evaluation.results import Scale
from recognizance.evaluation.runs import Run
from recognizance.evaluation.testset import BucketReader, Progress, TestSet
from recognizance.faces import QualityFilter, load_calibration, open_reader
from recognizance.governance import Policy
from recognizance.office import TABLES_FOLDER, open_models
from recognizance.permits import Action, Permit
from recognizance.recording import Recorder
from recognizance.storage import RECORDS_FILE, open_recorder, open_records

CACHE_FOLDER = "evaluation-cache"
_CALLS_AT_ONCE = 8
"""Requests to an endpoint side by side: what keeps a small server busy and Amazon's quotas unhurt."""


class EngineKind(StrEnum):
    """What is measured."""

    LOCAL = "local"
    """Our own pipeline, in this process."""
    REKOGNITION = "rekognition"
    """An endpoint that speaks Rekognition's protocol: this server's, or Amazon's."""
    SCORES = "scores"
    """A list of scores that another recogniser computed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChoice:
    """Which engine, and how.

    Attributes:
        name: The recogniser, the endpoint's URL or the list's file; empty for the usual one.
        default_threshold: Of a list of scores: what its vendor sets.
        collections: Of an endpoint: what the names of its collections begin with.
    """

    kind: EngineKind
    name: str
    similarity: bool
    quality: QualityFilter
    default_threshold: float | None
    collections: str | None = None

    @classmethod
    def parse(
        cls, text: str, *, similarity: bool, quality: str, default_threshold: float | None = None
    ) -> "EngineChoice":
        """Read `local`, `local:RECOGNISER`, `rekognition`, `rekognition:URL` or `scores:FILE`.

        Raises:
            InputError: If it's none of these, or an option doesn't go with it.
        """
        kind, _, name = text.partition(":")
        if kind not in set(EngineKind) or (kind == EngineKind.SCORES and not name):
            raise InputError(
                f"--engine {text!r}: choose local, local:RECOGNISER, rekognition, rekognition:URL or scores:FILE"
            )
        if quality not in set(QualityFilter):
            raise InputError(f"--quality {quality!r}: choose from {', '.join(QualityFilter)}")
        if similarity and kind != EngineKind.LOCAL:
            raise InputError("--similarity goes with a local engine: others have one scale only")
        if default_threshold is not None and kind != EngineKind.SCORES:
            raise InputError("--default-threshold goes with a list of scores: other engines have their own")
        return cls(
            kind=EngineKind(kind),
            name=name,
            similarity=similarity,
            quality=QualityFilter(quality),
            default_threshold=default_threshold,
        )


class Measuring:
    """An open engine, and the record that its results go on."""

    def __init__(self, engine: Engine, permit: Permit | None, recorder: Recorder | None) -> None:
        self.engine, self._permit, self._recorder = engine, permit, recorder

    @property
    def is_recorded(self) -> bool:
        return self._recorder is not None

    def run(self, measure: Callable[[], Run]) -> Recorded:
        """Measure; what our own pipeline finds goes on the installation's record before it goes anywhere else."""
        if self._permit is None:
            return Recorded(measure(), None)
        return recorded(
            measure,
            permit=self._permit,
            recorder=self._recorder,
            score_of=lambda evaluation: operating_score(self.engine, evaluation),
        )


@contextmanager
def measuring(
    choice: EngineChoice, test_set: TestSet, cache: Path | None, data: Path, *, columns: tuple[str, ...] | None
) -> Iterator[Measuring]:
    """Open the engine on a set, for the time of a `with` block.

    Raises:
        DeniedError: If the installation's policy doesn't let the caller measure, or an endpoint refuses.
        NotFoundError: If there is no such recogniser.
    """
    settings = read_settings(data)
    threads = settings.inference_threads or (os.cpu_count() or 1)
    with ExitStack() as stack:
        if choice.kind is EngineKind.SCORES:
            listed = parse_scores(read_file(Path(choice.name)), test_set.manifest, name=choice.name)
            named = Path(choice.name).stem
            yield Measuring(
                ScoreListEngine(listed, model=named, default_threshold=choice.default_threshold), None, None
            )
            return
        kept = stack.enter_context(closing(Cache(cache or cache_folder(data))))
        calls = threads if choice.kind is EngineKind.LOCAL else _CALLS_AT_ONCE
        workers = stack.enter_context(ThreadPoolExecutor(calls))
        if choice.kind is EngineKind.REKOGNITION:
            endpoint = open_endpoint(url=choice.name or None, connections=calls)
            yield Measuring(
                RekognitionEngine(
                    test_set,
                    endpoint,
                    kept,
                    quality=choice.quality,
                    workers=workers,
                    collections=choice.collections or COLLECTIONS,
                ),
                None,
                None,
            )
            return
        policy, recorder = stack.enter_context(_authority(data, settings))
        permit = permit_by(policy, Action.MEASURE)
        if recorder is not None:
            require_recordable(test_set.manifest, columns)
        local = _local_engine(choice, test_set, kept, data, settings, permit, workers, threads)
        yield Measuring(local, permit, recorder)


def cache_folder(data: Path) -> Path:
    """Where what was measured is kept: in the installation, or, without one, where the user's caches are."""
    if (data / RECORDS_FILE).exists():
        return data / CACHE_FOLDER
    caches = os.environ.get("XDG_CACHE_HOME")
    return (Path(caches) if caches else Path.home() / ".cache") / "recognizance" / "evaluation"


def buckets(data: Path) -> BucketReader:
    """Where pictures at `s3://` are read from: the S3 of the settings."""
    from recognizance.aws import open_store

    return open_store(read_settings(data))


@contextmanager
def bars() -> Iterator[Callable[[str, int], Progress]]:
    """Progress in steps: each begins a bar and ends the one before."""
    with ExitStack() as last:

        def step(title: str, total: int) -> Progress:
            last.close()
            return last.enter_context(progress(title, total))

        yield step


def write_files(out: Path, files: dict[str, bytes], *, private: Container[str] = ()) -> None:
    """Write results; each file whole, or not at all.

    Args:
        private: Names of files that only their owner may read, as they name people.

    Raises:
        UnavailableError: If the folder can't be written.
    """
    try:
        for name, data in files.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.new")
            beside.unlink(missing_ok=True)
            mode = 0o600 if name in private else 0o666
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(data)
            beside.replace(path)
    except OSError as error:
        raise UnavailableError(f"{out} can't be written: {error.strerror}") from error


@contextmanager
def _authority(data: Path, settings: Settings) -> Iterator[tuple[Policy, Recorder | None]]:
    """The policy that decides who may measure, and the record; beside any installation, there is no record."""
    if not (data / RECORDS_FILE).exists():
        yield Policy(), None
        return
    with closing(open_records(data, settings)) as records, closing(open_recorder(data, settings, records)) as recorder:
        yield governing_of(data, records, recorder).policy, recorder


def _local_engine(
    choice: EngineChoice,
    test_set: TestSet,
    cache: Cache,
    data: Path,
    settings: Settings,
    permit: Permit,
    workers: Executor,
    threads: int,
) -> LocalEngine:
    models, recogniser = open_models(data), choice.name or settings.recogniser
    reader = open_reader(
        models,
        recogniser=recogniser,
        runtime=settings.runtime,
        threads=threads,
        widest_view_px=settings.widest_view_px,
    )
    try:
        calibration = load_calibration(reader.model, own=data / TABLES_FOLDER)
    except NotFoundError:
        # One that nobody has measured yet: this is how its table begins.
        calibration = None
    how = LocalSettings(
        scale=Scale.SIMILARITY_PCT if choice.similarity else Scale.COSINE,
        quality=choice.quality,
        max_fpir=settings.max_fpir,
        reading=f"{settings.runtime}, view of {settings.widest_view_px} px",
        model_sha256=models.model(recogniser).sha256,
    )
    return LocalEngine(test_set, reader, calibration, permit, cache, settings=how, workers=workers)


def read_file(path: Path) -> bytes:
    """Read a file that an option names.

    Raises:
        InputError: If it can't be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error

"""Any endpoint that speaks Rekognition's protocol as an engine: this server over HTTP, or Amazon's.

One to one is CompareFaces; one to many is a collection of its own that is filled, searched and deleted again, whatever
happens in between. Each answer is kept in the cache under the endpoint, its model and the pictures' hashes, so that a
run that was killed, throttled or cut off asks nothing twice: calls to Amazon are paid for. A collection that a killed
run left behind is found by its name, used and deleted.

Pictures go to the endpoint, so whoever runs this must be allowed to send them there.
"""

import functools
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, wait
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from recognizance.errors import UnavailableError
from recognizance.evaluation.cache import Cache, Store, content_key
from recognizance.evaluation.endpoint import (
    MAX_CANDIDATES,
    AbsentError,
    Endpoint,
    ExistsError,
    NoFaceError,
    UnreadableError,
    picture,
)
from recognizance.evaluation.engines import PCT_ENDS, Acquisition, EngineIdentity, Scores, Searching, wanted_pairs
from recognizance.evaluation.protocols import Mask, Numbers
from recognizance.evaluation.results import Scale
from recognizance.evaluation.testset import Progress, TestSet, silent
from recognizance.faces import QualityFilter

DEFAULT_PCT = 80.0
"""Rekognition's documented `FaceMatchThreshold` of a search that states none."""
COLLECTIONS = "evaluation-"
"""What the names of an evaluation's collections begin with."""
_AT_ONCE = 64
"""Calls between two writes to the cache."""
_FOUND, _NO_FACE, _UNREADABLE = range(3)
_REASONS = {_NO_FACE: "no face", _UNREADABLE: "unreadable picture"}

_Item = TypeVar("_Item")


class RekognitionEngine:
    """An endpoint, as an `Engine`.

    Args:
        quality: Sent with every request that takes it.
        workers: Send requests side by side.
        collections: What the names of its collections begin with: a tester of this server may make only those that
            begin with their own (`test.ID.`).

    Raises:
        DeniedError: If the endpoint refuses to make a collection, by which its model's version is known.
        UnavailableError: If it doesn't answer.
    """

    def __init__(
        self,
        test_set: TestSet,
        endpoint: Endpoint,
        cache: Cache,
        *,
        quality: QualityFilter = QualityFilter.NONE,
        workers: Executor,
        collections: str = COLLECTIONS,
    ) -> None:
        self._set, self._endpoint, self._cache = test_set, endpoint, cache
        self._workers, self._quality = workers, quality
        self._collections = collections
        self._model = _model_version(endpoint, collections)
        self._detected = self._store("detected", 1)
        self._compared = self._store("compared", 4)

    @property
    def identity(self) -> EngineIdentity:
        return EngineIdentity(
            name="rekognition",
            version=self._endpoint.api_version,
            model=self._model,
            model_sha256=None,
            endpoint=self._endpoint.host,
            scale=Scale.SIMILARITY_PCT,
            ends=PCT_ENDS,
            settings=(("quality filter", self._quality.value), ("region", self._endpoint.region)),
        )

    def acquire(self, samples: Numbers, progress: Progress = silent) -> Acquisition:
        """Ask DetectFaces about each picture."""
        missing = [int(number) for number in samples if self._key(int(number)) not in self._detected]
        progress(len(samples) - len(missing))
        for some in _batches(missing):
            states = self._workers.map(self._detect, some)
            self._detected.put({self._key(number): bytes([state]) for number, state in zip(some, states, strict=True)})
            progress(len(some))
        states_of = {int(number): (self._detected.get(self._key(int(number))) or b"")[0] for number in samples}
        found = np.zeros(len(self._set), dtype=np.bool_)
        found[[number for number, state in states_of.items() if state == _FOUND]] = True
        reasons = tuple((number, _REASONS[state]) for number, state in states_of.items() if state != _FOUND)
        return Acquisition(found, reasons)

    def scores(
        self, rows: Numbers, columns: Numbers, compared: Mask | None = None, progress: Progress = silent
    ) -> Scores:
        """Ask CompareFaces about each wanted pair that wasn't asked about before."""
        block = np.full((len(rows), len(columns)), np.nan, dtype=np.float32)
        missing: list[tuple[int, int]] = []
        for row, column in wanted_pairs(rows, columns, compared):
            kept = self._compared.get(self._pair_key(int(rows[row]), int(columns[column])))
            if kept is None:
                missing.append((row, column))
            else:
                block[row, column] = np.frombuffer(kept, dtype="<f4")[0]
                progress(1)
        for some in _batches(missing):
            pairs = [(int(rows[row]), int(columns[column])) for row, column in some]
            asked = [self._workers.submit(self._compare, pair) for pair in pairs]
            # Whoever goes on after a failure must not meet questions of the run that failed, still under way.
            ended, others = wait(asked, return_when=FIRST_EXCEPTION)
            for other in others:
                other.cancel()
            wait(others)
            for failed in ended:
                failed.result()
            answers = [each.result() for each in asked]
            kept_now = zip(pairs, answers, strict=True)
            self._compared.put(
                {self._pair_key(*pair): np.array(score, dtype="<f4").tobytes() for pair, score in kept_now}
            )
            for (row, column), score in zip(some, answers, strict=True):
                block[row, column] = score
            progress(len(some))
        return block

    @contextmanager
    def gallery(self, samples: Numbers, progress: Progress = silent) -> Iterator[Searching]:
        """A collection that is filled when it's first needed and deleted when the block is left, whatever ends it."""
        pictures = [self._set.image_sha256[number] for number in samples]
        key = content_key(self._identity_text, *sorted(set(pictures)))
        collection = _Collection(
            self._endpoint,
            f"{self._collections}{key.hex()[:32]}",
            [int(number) for number in samples],
            self._set,
            self._quality,
            self._workers,
            enrolled=self._store("enrolled", 1),
            # The order of the columns belongs to what is kept.
            searched=self._cache.store(
                "searched", f"{self._identity_text}\n{content_key(*pictures).hex()}", value_bytes=4 * len(samples)
            ),
        )
        try:
            collection.learn(progress)
            yield collection
        finally:
            collection.delete()

    def score_at_pct(self, similarity_pct: float) -> float | None:
        return similarity_pct

    def cosine(self, score: float) -> float | None:  # noqa: ARG002
        return None

    def default_threshold(self, gallery_faces: int) -> float | None:  # noqa: ARG002
        return DEFAULT_PCT

    def accepted_from(self, similarity_pct: float, gallery_faces: int) -> float | None:  # noqa: ARG002
        return similarity_pct

    @property
    def _identity_text(self) -> str:
        return f"{self._endpoint.host}\n{self._endpoint.region}\n{self._model}\n{self._quality}"

    def _store(self, kind: str, value_bytes: int) -> Store:
        return self._cache.store(kind, self._identity_text, value_bytes=value_bytes)

    def _key(self, number: int) -> bytes:
        return content_key(self._set.image_sha256[number])

    def _pair_key(self, first: int, second: int) -> bytes:
        return content_key(*sorted((self._set.image_sha256[first], self._set.image_sha256[second])))

    def _detect(self, number: int) -> int:
        try:
            answer = self._endpoint.ask("detect_faces", Image=picture(self._set.picture(number)))
        except UnreadableError:
            return _UNREADABLE
        return _FOUND if answer["FaceDetails"] else _NO_FACE

    def _compare(self, pair: tuple[int, int]) -> float:
        """The similarity of the two pictures' largest faces; NaN where one shows none."""
        try:
            answer = self._endpoint.ask(
                "compare_faces",
                SourceImage=picture(self._set.picture(pair[0])),
                TargetImage=picture(self._set.picture(pair[1])),
                SimilarityThreshold=0.0,
                QualityFilter=self._quality.value,
            )
        except (NoFaceError, UnreadableError):
            return float("nan")
        # Each picture stands for its largest face; the answer begins with the most similar one.
        largest: dict[str, Any] | None = max(answer["FaceMatches"], key=_area, default=None)
        if largest is not None:
            return float(largest["Similarity"])
        return 0.0 if answer["UnmatchedFaces"] else float("nan")


class _Collection:
    """A gallery at an endpoint. It is there from the first call that needs it until `delete`."""

    def __init__(
        self,
        endpoint: Endpoint,
        name: str,
        samples: Sequence[int],
        test_set: TestSet,
        quality: QualityFilter,
        workers: Executor,
        *,
        enrolled: Store,
        searched: Store,
    ) -> None:
        self._endpoint, self._name, self._samples, self._set = endpoint, name, samples, test_set
        self._quality, self._workers = quality, workers
        self._enrolled, self._searched = enrolled, searched
        self._is_there = False
        self._places: dict[str, list[int]] = {}
        for place, number in enumerate(samples):
            self._places.setdefault(test_set.image_sha256[number], []).append(place)

    @property
    def enrolled(self) -> Mask:
        states = [self._enrolled.get(content_key(self._set.image_sha256[number])) for number in self._samples]
        return np.array([state == bytes([_FOUND]) for state in states], dtype=np.bool_)

    def learn(self, progress: Progress) -> None:
        """Fill the collection, unless an earlier run knows already which pictures can be enrolled."""
        if all(content_key(image) in self._enrolled for image in self._places):
            progress(len(self._samples))
        else:
            self._fill(progress)

    def search(self, probes: Numbers, threshold: float | None, progress: Progress = silent) -> Scores:
        keys = {int(probe): content_key(self._set.image_sha256[int(probe)], repr(threshold)) for probe in probes}
        missing = [number for number, key in keys.items() if key not in self._searched]
        progress(len(probes) - len(missing))
        if missing:
            self._fill(silent)
        for some in _batches(missing):
            rows = self._workers.map(functools.partial(self._row, threshold=threshold), some)
            self._searched.put(
                {keys[number]: row.astype("<f4").tobytes() for number, row in zip(some, rows, strict=True)}
            )
            progress(len(some))
        kept = b"".join(self._searched.get(keys[int(probe)]) or b"" for probe in probes)
        scores = np.frombuffer(kept, dtype="<f4").reshape(len(probes), len(self._samples)).astype(np.float32)
        scores[:, ~self.enrolled] = np.nan
        return scores

    def delete(self) -> None:
        """Leave nothing behind.

        Raises:
            UnavailableError: If the endpoint doesn't delete it. Says that faces are still there.
        """
        if not self._is_there:
            return
        try:
            with suppress(AbsentError):
                self._endpoint.ask("delete_collection", CollectionId=self._name)
        except UnavailableError as error:
            raise UnavailableError(
                f"the collection {self._name!r} could not be deleted from {self._endpoint.host} and still holds faces:"
                " run the same command again, or delete it there"
            ) from error

    def _fill(self, progress: Progress) -> None:
        """Enrol what isn't in the collection yet; each picture once, however many samples it is."""
        if self._is_there:
            return
        # From here on there may be something to delete, whatever is answered.
        self._is_there = True
        with suppress(ExistsError):
            self._endpoint.ask("create_collection", CollectionId=self._name)
        there = self._listed()
        self._enrolled.put({content_key(image): bytes([_FOUND]) for image in there if image in self._places})
        refused = {image for image in self._places if self._state(image) not in {None, _FOUND}}
        missing = sorted(self._places.keys() - there - refused)
        progress(sum(len(self._places[image]) for image in self._places.keys() - set(missing)))
        for some in _batches(missing):
            states = self._workers.map(self._enrol, some)
            self._enrolled.put({content_key(image): bytes([state]) for image, state in zip(some, states, strict=True)})
            progress(sum(len(self._places[image]) for image in some))

    def _state(self, image: str) -> int | None:
        kept = self._enrolled.get(content_key(image))
        return None if kept is None else kept[0]

    def _listed(self) -> set[str]:
        """The pictures whose faces are in the collection already, because a killed run couldn't delete it."""
        found: set[str] = set()
        token: dict[str, str] = {}
        while True:
            answer = self._endpoint.ask("list_faces", CollectionId=self._name, MaxResults=MAX_CANDIDATES, **token)
            found |= {face.get("ExternalImageId", "") for face in answer["Faces"]}
            if not answer.get("NextToken"):
                return found
            token = {"NextToken": answer["NextToken"]}

    def _enrol(self, image: str) -> int:
        try:
            answer = self._endpoint.ask(
                "index_faces",
                CollectionId=self._name,
                Image=picture(self._set.picture(self._samples[self._places[image][0]])),
                ExternalImageId=image,
                MaxFaces=1,
                QualityFilter=self._quality.value,
            )
        except NoFaceError:
            return _NO_FACE
        except UnreadableError:
            return _UNREADABLE
        return _FOUND if answer["FaceRecords"] else _NO_FACE

    def _row(self, probe: int, threshold: float | None) -> NDArray[np.float32]:
        """The similarities of the candidates that came back for a probe, at the places of their pictures."""
        row = np.full(len(self._samples), -np.inf, dtype=np.float32)
        asked = {} if threshold is None else {"FaceMatchThreshold": threshold}
        try:
            answer = self._endpoint.ask(
                "search_faces_by_image",
                CollectionId=self._name,
                Image=picture(self._set.picture(probe)),
                MaxFaces=MAX_CANDIDATES,
                QualityFilter=self._quality.value,
                **asked,
            )
        except (NoFaceError, UnreadableError):
            row[:] = np.nan
            return row
        for match in answer["FaceMatches"]:
            row[self._places.get(match["Face"].get("ExternalImageId", ""), [])] = match["Similarity"]
        return row


def _model_version(endpoint: Endpoint, collections: str) -> str:
    """Which model answers: a new collection says so, and nothing else does."""
    name = f"{collections}version-{secrets.token_hex(8)}"
    answer = endpoint.ask("create_collection", CollectionId=name)
    with suppress(AbsentError):
        endpoint.ask("delete_collection", CollectionId=name)
    return str(answer.get("FaceModelVersion", ""))


def _area(match: dict[str, Any]) -> float:
    box = match["Face"]["BoundingBox"]
    return float(box["Width"] * box["Height"])


def _batches(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]

"""Templates to candidates: what every index of a gallery promises, and the plainest one that keeps the promise.

A score is defined once, here, so that an auditor who searches again, on any machine and with any implementation, gets
the same answer to the last bit (docs/search.md). An index must never approximate: codes, bounds and threads may decide
which faces are looked at closely, never what is answered. It holds no names, only keys and templates, and it keeps
nothing beyond the process: the records are the truth.
"""

import math
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recognizance.errors import ConflictError, NotFoundError
from recognizance.gallery.keys import parse_keys
from recognizance.identifiers import FaceId, GalleryId
from recognizance.permits import Action, Permit

Template = NDArray[np.float32]
"""(d,) float32 of unit length."""

Templates = NDArray[np.float32]
"""(n, d) float32, C-contiguous, every row of unit length."""

UNIT_TOLERANCE = 1e-4
"""How far a template's length may be from 1. Rounding to float32 moves it by at most 1e-6 at 512 dimensions."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A face that came back.

    Attributes:
        similarity: The canonical score of `scores`, in [-1, 1].
    """

    key: FaceId
    similarity: float


class Index(Protocol):
    """The templates of one gallery, all of one model, searched exactly.

    Everything may be called from any thread. A change is seen by every search that starts after it returns, and a
    search sees each call of `add` and of `remove` whole or not at all. Keys are lower-case UUIDs.
    """

    @property
    def dimensions(self) -> int:
        """The length of a template."""
        ...

    def add(self, keys: Sequence[str], templates: Templates) -> None:
        """Add faces: all of them, or none and an error.

        Raises:
            ConflictError: If a key is there already, or twice in `keys`.
            ValueError: If the two differ in number, a key is no lower-case UUID, or `check_templates` refuses.
        """
        ...

    def remove(self, keys: Collection[str]) -> int:
        """Remove faces and return how many there were; unknown keys are passed over.

        The template's bytes in the index's own memory are overwritten or released before this returns.

        Raises:
            ValueError: If a key is no lower-case UUID.
        """
        ...

    def replace(self, removed: Collection[str], keys: Sequence[str], templates: Templates) -> None:
        """Remove faces and add others as one change: no search sees the one without the other.

        A key may be in both, and has the new template afterwards. Unknown keys in `removed` are passed over.

        Raises:
            ConflictError: If a key of `keys` is there already and not in `removed`, or is twice in `keys`. Nothing is
                changed then.
            ValueError: As for `add`.
        """
        ...

    def search(
        self,
        probes: Templates,
        *,
        limit: int,
        threshold: float,
        permit: Permit,
        gallery: GalleryId,
        excluded: Collection[str] = (),
    ) -> list[list[Candidate]]:
        """Return, for each probe, the faces with the highest scores, best first.

        Equal scores are ordered by key, ascending. The answer is that of scoring every face with `scores`.

        Args:
            probes: (n, d), n >= 0.
            limit: How many candidates a probe gets at most; at least 1.
            threshold: A score equal to it is accepted. In [-1, 1]; -1 accepts every face.
            gallery: What the permit has to cover.
            excluded: Keys that are no candidates, such as the probe's own face. Unknown keys are passed over.

        Raises:
            DeniedError: If `permit` does not cover a search of `gallery`.
            ValueError: If an argument is out of range, or `check_templates` refuses the probes.
        """
        ...

    def template(self, key: str, *, permit: Permit, gallery: GalleryId) -> Template:
        """Return a copy of an enrolled face's template, (d,) float32, to be searched for.

        Raises:
            DeniedError: If `permit` does not cover a search of `gallery`.
            NotFoundError: If no face has this key.
            ValueError: If `key` is no lower-case UUID.
        """
        ...

    def __contains__(self, key: str) -> bool: ...

    def __len__(self) -> int: ...


def scores(probe: Template, templates: Templates) -> NDArray[np.float32]:
    """Score every template against `probe`: the definition that all implementations keep to the last bit.

    The products of the float32 components are added in double precision in the order of the dimensions, starting from
    zero; the sum is rounded to float32 (to nearest, ties to even) and limited to [-1, 1]. A product of two float32
    numbers is exact in double precision, so a fused multiply-add gives the same sum and no instruction set differs.

    Args:
        probe: (d,) float32.
        templates: (n, d) float32.

    Returns:
        (n,) float32.

    >>> scores(np.array([0.6, 0.8], dtype=np.float32), np.array([[1, 0], [0.6, 0.8]], dtype=np.float32))
    array([0.6, 1. ], dtype=float32)
    """
    sums = np.zeros(len(templates), dtype=np.float64)
    for dimension in range(templates.shape[1]):
        sums += templates[:, dimension].astype(np.float64) * np.float64(probe[dimension])
    return np.clip(sums.astype(np.float32), np.float32(-1), np.float32(1))


def check_templates(templates: Templates, *, dimensions: int) -> None:
    """Refuse what is no (n, d) C-contiguous float32 array of unit rows.

    Raises:
        ValueError: Names the fault and the first row that has it.
    """
    if templates.dtype != np.float32 or not templates.flags.c_contiguous:
        raise ValueError(f"templates are a C-contiguous float32 array, not {templates.dtype} as given")
    if templates.ndim != 2 or templates.shape[1] != dimensions:
        raise ValueError(f"templates have the shape (n, {dimensions}), not {templates.shape}")
    lengths = np.sqrt(np.einsum("ij,ij->i", templates, templates, dtype=np.float64))
    # Written so that NaN, which compares false, is bad as well.
    good = np.abs(lengths - 1.0) <= UNIT_TOLERANCE
    if not good.all():
        raise ValueError(f"template {int(good.argmin())} is not of unit length within {UNIT_TOLERANCE}")


def check_search(*, limit: int, threshold: float) -> None:
    """Refuse a limit below 1 and a threshold outside [-1, 1].

    Raises:
        ValueError: Names the argument.
    """
    if limit < 1:
        raise ValueError(f"limit is {limit}; the least is 1")
    if math.isnan(threshold) or not -1.0 <= threshold <= 1.0:
        raise ValueError(f"threshold is {threshold}; it lies in [-1, 1]")


class BruteForceIndex:
    """Scores every face in NumPy and sorts: slow, and short enough to be read as the specification of `Index`."""

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._lock = threading.Lock()
        self._faces: dict[str, Template] = {}

    @property
    def dimensions(self) -> int:
        return self._dimensions

    def add(self, keys: Sequence[str], templates: Templates) -> None:
        check_templates(templates, dimensions=self._dimensions)
        parse_keys(keys)
        if len(keys) != len(templates):
            raise ValueError(f"{len(keys)} keys for {len(templates)} templates")
        with self._lock:
            if len(set(keys)) < len(keys) or not self._faces.keys().isdisjoint(keys):
                raise ConflictError("a key is in the index already, or twice among those to add")
            self._faces.update((key, template.copy()) for key, template in zip(keys, templates, strict=True))

    def remove(self, keys: Collection[str]) -> int:
        parse_keys(list(keys))
        with self._lock:
            return sum(self._faces.pop(key, None) is not None for key in keys)

    def replace(self, removed: Collection[str], keys: Sequence[str], templates: Templates) -> None:
        check_templates(templates, dimensions=self._dimensions)
        parse_keys(keys)
        parse_keys(list(removed))
        if len(keys) != len(templates):
            raise ValueError(f"{len(keys)} keys for {len(templates)} templates")
        with self._lock:
            if len(set(keys)) < len(keys) or not (self._faces.keys() - set(removed)).isdisjoint(keys):
                raise ConflictError("a key is in the index already, or twice among those to add")
            for key in removed:
                self._faces.pop(key, None)
            self._faces.update((key, template.copy()) for key, template in zip(keys, templates, strict=True))

    def search(
        self,
        probes: Templates,
        *,
        limit: int,
        threshold: float,
        permit: Permit,
        gallery: GalleryId,
        excluded: Collection[str] = (),
    ) -> list[list[Candidate]]:
        permit.require(Action.SEARCH, gallery)
        check_search(limit=limit, threshold=threshold)
        check_templates(probes, dimensions=self._dimensions)
        parse_keys(list(excluded))
        with self._lock:
            faces = {key: template for key, template in self._faces.items() if key not in excluded}
        templates = np.array(list(faces.values()), dtype=np.float32).reshape(-1, self._dimensions)
        answers = []
        for probe in probes:
            scored = zip(faces, scores(probe, templates).tolist(), strict=True)
            found = [Candidate(FaceId(key), score) for key, score in scored if score >= threshold]
            answers.append(sorted(found, key=lambda candidate: (-candidate.similarity, candidate.key))[:limit])
        return answers

    def template(self, key: str, *, permit: Permit, gallery: GalleryId) -> Template:
        permit.require(Action.SEARCH, gallery)
        parse_keys([key])
        with self._lock:
            template = self._faces.get(key)
        if template is None:
            raise NotFoundError("no face of this gallery has that key")
        return template.copy()

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return key in self._faces

    def __len__(self) -> int:
        with self._lock:
            return len(self._faces)

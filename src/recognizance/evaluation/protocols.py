"""Who is compared with whom: one-to-one and one-to-many, drawn from a manifest and a seed and from nothing else.

Every choice hangs on a hash of the seed and of what is chosen, not on a generator's state. So the same manifest and
seed give the same people on every machine and with every version of every library, and adding a person changes nothing
for the others. Mated, non-mated, enrolment and probe are as in ISO/IEC 19795-1. Pure: a manifest in, sample numbers
out.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from recognizance.errors import InputError
from recognizance.evaluation.manifest import Manifest

Numbers = NDArray[np.int32]
"""(n,) int32, numbers of samples."""

Mask = NDArray[np.bool_]

BLOCK = 1_024
"""Samples a side of one block of scores: 4 MiB of float32."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """A block of comparisons.

    Attributes:
        rows, columns: The samples on either side.
        compared: (r, c), which of them count; `None` where all do.
    """

    rows: Numbers
    columns: Numbers
    compared: Mask | None


@dataclass(frozen=True, slots=True, eq=False)
class AllPairs:
    """Every two samples once; a sample is never compared with itself."""

    samples: int

    @property
    def comparisons(self) -> int:
        return self.samples * (self.samples - 1) // 2

    def blocks(self, size: int = BLOCK) -> Iterator[Pairing]:
        """The upper triangle, a square at a time."""
        for top in range(0, self.samples, size):
            rows = np.arange(top, min(top + size, self.samples), dtype=np.int32)
            for left in range(top, self.samples, size):
                columns = np.arange(left, min(left + size, self.samples), dtype=np.int32)
                yield Pairing(rows, columns, rows[:, None] < columns[None, :] if left == top else None)


@dataclass(frozen=True, slots=True, eq=False)
class GivenPairs:
    """The pairs of a list, each once.

    Attributes:
        first, second: (n,) with first < second, in order.
    """

    first: Numbers
    second: Numbers

    @property
    def comparisons(self) -> int:
        return len(self.first)

    def blocks(self, size: int = BLOCK) -> Iterator[Pairing]:
        """Some pairs' samples at a time, as a square in which only those pairs count."""
        step = max(size // 16, 1)
        for start in range(0, len(self.first), step):
            first, second = self.first[start : start + step], self.second[start : start + step]
            rows, row_of = np.unique(first, return_inverse=True)
            columns, column_of = np.unique(second, return_inverse=True)
            compared = np.zeros((len(rows), len(columns)), dtype=np.bool_)
            compared[row_of, column_of] = True
            yield Pairing(rows, columns, compared)


def parse_pairs(data: bytes, manifest: Manifest, *, name: str = "pairs") -> GivenPairs:
    """Read a CSV file of pairs: two columns, `first` and `second`, each a path of the manifest.

    Who is the same person, the manifest says.

    Raises:
        InputError: Names the line: a path that the manifest lacks, a pair that is there twice, a picture with itself.
    """
    numbers = {sample.path: number for number, sample in enumerate(manifest.samples)}
    pairs: dict[tuple[int, int], int] = {}
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        if next(reader, None) != ["first", "second"]:
            raise InputError(f"{name}, line 1: the columns have to be first,second")
        for row in reader:
            if not row:
                continue
            where = f"{name}, line {reader.line_num}"
            if len(row) != 2:
                raise InputError(f"{where}: {len(row)} fields; there are 2 columns")
            for path in row:
                if path not in numbers:
                    raise InputError(f"{where}: the manifest has no picture {path!r}")
            low, high = sorted((numbers[row[0]], numbers[row[1]]))
            if low == high:
                raise InputError(f"{where}: {row[0]!r} is paired with itself")
            if (low, high) in pairs:
                raise InputError(f"{where}: this pair is on line {pairs[low, high]} too")
            pairs[low, high] = reader.line_num
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{name}: {error}") from error
    if not pairs:
        raise InputError(f"{name}: there is no pair in it")
    ordered = np.array(sorted(pairs), dtype=np.int32)
    return GivenPairs(ordered[:, 0].copy(), ordered[:, 1].copy())


class Enrolment(StrEnum):
    """Which pictures of an enrolled person are enrolled."""

    FIRST = "first"
    """The earliest one."""
    ALL_BUT_LAST = "all-but-last"
    """Every one but the latest, which becomes the probe."""


@dataclass(frozen=True, slots=True)
class IdentificationRules:
    """How a set is divided into a gallery and probes.

    Attributes:
        seed: What the division hangs on, beside the people's names.
        absent_share: Share of the people who are never enrolled; their pictures are the non-mated probes.
        enrolment: What is enrolled of the others. Their remaining pictures are the mated probes.
        probes_a_person: How many probes one person gives at most, mated or not.
        gallery_sizes: In enrolled people, besides all of them; each gallery holds all smaller ones.
    """

    seed: int
    absent_share: float = 0.5
    enrolment: Enrolment = Enrolment.FIRST
    probes_a_person: int = 5
    gallery_sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.seed < 0 or not 0.0 < self.absent_share < 1.0 or self.probes_a_person < 1:
            raise InputError("a seed is not negative, the share of absent people lies between 0 and 1, probes above 0")
        if any(size < 1 for size in self.gallery_sizes):
            raise InputError("a gallery has one person at least")


@dataclass(frozen=True, slots=True, eq=False)
class Identification:
    """A gallery and those who are searched for in it.

    Attributes:
        people: The enrolled, in the order in which galleries of growing size take them in.
        enrolled: (g,) the gallery's samples, in the order of their people.
        enrolled_of: (g,) each one's place in `people`.
        mated, non_mated: Probes of people who are enrolled in the largest gallery, and of people who are in none.
        gallery_sizes: In people, rising; the last is `len(people)`.
    """

    people: tuple[str, ...]
    enrolled: Numbers
    enrolled_of: Numbers
    mated: Numbers
    non_mated: Numbers
    gallery_sizes: tuple[int, ...]

    def gallery(self, size: int) -> Numbers:
        """The samples of the first `size` people."""
        return self.enrolled[self.enrolled_of < size]


def divide(manifest: Manifest, rules: IdentificationRules) -> Identification:
    """Divide a set into a gallery, mated and non-mated probes, with nobody on both sides.

    People with a single picture can't be searched for once they are enrolled, so of those with several a share is drawn
    and of the others a share: both sides keep the mixture.

    Raises:
        InputError: If a gallery would be empty, nobody would be absent, or a gallery is larger than there are people.
    """
    images = manifest.by_subject()
    single = [subject for subject, numbers in images.items() if len(numbers) == 1]
    several = [subject for subject, numbers in images.items() if len(numbers) > 1]
    absent = {
        subject
        for subjects in (single, several)
        for subject in drawn(subjects, round(rules.absent_share * len(subjects)), rules.seed, "absent")
    }
    people = ordered((subject for subject in images if subject not in absent), rules.seed, "gallery")
    if not people or not absent:
        raise InputError(f"{len(images)} people can't be divided into enrolled and absent ones; there are too few")
    if too_large := [size for size in rules.gallery_sizes if size > len(people)]:
        raise InputError(f"a gallery of {max(too_large)} people is asked for; {len(people)} can be enrolled")
    enrolled: list[tuple[int, int]] = []
    mated: list[int] = []
    for place, subject in enumerate(people):
        kept, probes = _enrolment_of(images[subject], rules.enrolment)
        enrolled += [(number, place) for number in kept]
        mated += probes[: rules.probes_a_person]
    non_mated = [number for subject in sorted(absent) for number in images[subject][: rules.probes_a_person]]
    return Identification(
        people=tuple(people),
        enrolled=np.array([number for number, _ in enrolled], dtype=np.int32),
        enrolled_of=np.array([place for _, place in enrolled], dtype=np.int32),
        mated=np.array(sorted(mated), dtype=np.int32),
        non_mated=np.array(sorted(non_mated), dtype=np.int32),
        gallery_sizes=tuple(sorted({*rules.gallery_sizes, len(people)})),
    )


def strangers(manifest: Manifest, *, probes: int, enrolled: int | None, seed: int) -> Identification:
    """Divide a set as the ACLU's test of 2018 did: one picture of each enrolled person, one of each absent person.

    Args:
        probes: How many people are absent and searched for.
        enrolled: How many others are enrolled; `None` takes all of them.

    Raises:
        InputError: If there aren't as many people.
    """
    images = manifest.by_subject()
    rest = len(images) - probes
    if probes < 1 or rest < 1 or (enrolled is not None and not 1 <= enrolled <= rest):
        raise InputError(
            f"the set has {len(images)} people; {probes} who are absent and {enrolled or 'some'} who are enrolled are"
            " asked for"
        )
    order = ordered(images, seed, "absent")
    absent = order[:probes]
    people = ordered(order[probes:], seed, "gallery")[:enrolled]
    return Identification(
        people=tuple(people),
        enrolled=np.array([images[subject][0] for subject in people], dtype=np.int32),
        enrolled_of=np.arange(len(people), dtype=np.int32),
        mated=np.empty(0, dtype=np.int32),
        non_mated=np.array(sorted(images[subject][0] for subject in absent), dtype=np.int32),
        gallery_sizes=(len(people),),
    )


def given_strangers(manifest: Manifest, probes: Sequence[int], seed: int) -> Identification:
    """As `strangers`, where somebody else said who is absent: all of their pictures are probes, all others enrolled."""
    images = manifest.by_subject()
    absent = {manifest.samples[number].subject for number in probes}
    people = ordered((subject for subject in images if subject not in absent), seed, "gallery")
    enrolled = [(number, place) for place, subject in enumerate(people) for number in images[subject]]
    return Identification(
        people=tuple(people),
        enrolled=np.array([number for number, _ in enrolled], dtype=np.int32),
        enrolled_of=np.array([place for _, place in enrolled], dtype=np.int32),
        mated=np.empty(0, dtype=np.int32),
        non_mated=np.array(sorted(probes), dtype=np.int32),
        gallery_sizes=(len(people),),
    )


def ordered(names: Sequence[str] | Iterator[str] | Mapping[str, object], seed: int, purpose: str) -> list[str]:
    """Names in an order that looks random and is the same everywhere: by SHA-256 of seed, purpose and name."""
    return sorted(names, key=lambda name: (sha256(f"{seed}\0{purpose}\0{name}".encode()).digest(), name))


def drawn(names: Sequence[str], count: int, seed: int, purpose: str) -> list[str]:
    """The first `count` of `ordered`."""
    return ordered(names, seed, purpose)[:count]


def _enrolment_of(numbers: Sequence[int], enrolment: Enrolment) -> tuple[list[int], list[int]]:
    """What is enrolled of one person, and what is left to search with. Somebody with one picture has no probe."""
    match enrolment:
        case Enrolment.FIRST:
            return list(numbers[:1]), list(numbers[1:])
        case Enrolment.ALL_BUT_LAST:
            return (list(numbers), []) if len(numbers) == 1 else (list(numbers[:-1]), list(numbers[-1:]))

"""Labels that are likely wrong, and decisions about them.

Below a false match rate of one in a hundred thousand, what a set calls a false match is often one person under two
names, or one picture twice. So the impostor pairs that look most like mates are listed, and the mated pairs that look
most like strangers, each with what speaks for it. Nothing is left out because a machine found it likely: that would
hide the errors that matter, of relatives and doubles. A person looks, and writes a decision file that says who decided
and why; results are then given with every label as it is, and without what was excluded.

A listing names people and pictures: it belongs beside the test set, and nowhere public. Pure.
"""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from recognizance.errors import InputError
from recognizance.evaluation.manifest import Manifest
from recognizance.evaluation.protocols import Mask, Numbers
from recognizance.evaluation.samples import ScoreBlock
from recognizance.evaluation.testset import TestSet

MOST = 500
"""Pairs of each kind that are listed at most: more than anybody looks at."""
_CROWDED = 20_000
"""Pairs that are kept until the least suspect of them are dropped."""

_LISTING = ("kind", "score", "first", "first_subject", "second", "second_subject", "evidence")
_DECISION = ("what", "first", "second", "who", "when", "why")

Floats = NDArray[np.float32]


class Suspicion(StrEnum):
    SAME_PICTURE = "same picture"
    """Byte for byte the same picture under two names."""
    LOOKS_MATED = "looks mated"
    """An impostor pair that scores as mates do."""
    LOOKS_IMPOSTOR = "looks impostor"
    """A mated pair that scores as strangers do."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A pair whose labels look wrong.

    Attributes:
        evidence: What speaks for it, in words, for whoever decides.
    """

    kind: Suspicion
    score: float
    first: int
    second: int
    evidence: str


class Watch:
    """Keeps the most suspect pairs of all that stream by, in bounded memory.

    Args:
        subjects: (n,) codes; equal ones are one person.
    """

    def __init__(self, subjects: NDArray[np.int32], *, most: int = MOST) -> None:
        self._subjects, self._most = subjects, most
        self._impostors: list[tuple[Floats, Numbers, Numbers]] = []
        self._mated: list[tuple[Floats, Numbers, Numbers]] = []
        self._bars = {True: float("inf"), False: float("-inf")}

    def add(self, block: ScoreBlock) -> None:
        """Look at a block; every pair is in one block only."""
        counted = ~np.isnan(block.scores) if block.compared is None else block.compared & ~np.isnan(block.scores)
        counted = counted & (block.rows[:, None] != block.columns[None, :])
        mated = self._subjects[block.rows][:, None] == self._subjects[block.columns][None, :]
        self._keep(block, counted & mated & (block.scores < self._bars[True]), mated=True)
        self._keep(block, counted & ~mated & (block.scores > self._bars[False]), mated=False)

    def lowest_mated(self) -> list[tuple[float, int, int]]:
        """(score, sample, sample), the lowest score first."""
        return self._ordered(self._mated, mated=True)

    def highest_impostors(self) -> list[tuple[float, int, int]]:
        """(score, sample, sample), the highest score first."""
        return self._ordered(self._impostors, mated=False)

    def _keep(self, block: ScoreBlock, chosen: Mask, *, mated: bool) -> None:
        """Take the most suspect of a block's pairs; of the last of them, all that score the same."""
        rows, columns = np.nonzero(chosen)
        # From here on the most suspect pair has the lowest figure.
        figures = block.scores[rows, columns] * np.float32(1 if mated else -1)
        if len(figures) > self._most:
            edge = np.partition(figures, self._most - 1)[self._most - 1]
            near = figures <= edge
            rows, columns, figures = rows[near], columns[near], figures[near]
            # A later pair that scores the same is still looked at: which are listed doesn't hang on the blocks' order.
            bar = float(np.nextafter(edge, np.float32(np.inf)))
            self._bars[mated] = min(self._bars[mated], bar) if mated else max(self._bars[mated], -bar)
        kept = self._mated if mated else self._impostors
        kept.append((block.scores[rows, columns], block.rows[rows], block.columns[columns]))
        if sum(len(scores) for scores, _, _ in kept) > _CROWDED:
            scores, firsts, seconds = zip(*self._ordered(kept, mated=mated), strict=True)
            kept[:] = [
                (
                    np.array(scores, dtype=np.float32),
                    np.array(firsts, dtype=np.int32),
                    np.array(seconds, dtype=np.int32),
                )
            ]

    def _ordered(self, kept: Iterable[tuple[Floats, Numbers, Numbers]], *, mated: bool) -> list[tuple[float, int, int]]:
        found: list[tuple[float, int, int]] = []
        for scores, firsts, seconds in kept:
            low, high = np.minimum(firsts, seconds), np.maximum(firsts, seconds)
            found += zip(scores.tolist(), low.tolist(), high.tolist(), strict=True)
        sign = 1.0 if mated else -1.0
        return sorted(found, key=lambda pair: (sign * pair[0], pair[1], pair[2]))[: self._most]


@dataclass(frozen=True, slots=True)
class Bars:
    """Where scores begin to be suspect.

    Attributes:
        mated: The median of the mated scores. An impostor pair at or above it looks mated.
        impostor: What one impostor comparison in a hundred reaches. A mated pair below it looks impostor.
    """

    mated: float
    impostor: float


def suspects(
    watch: Watch, bars: Bars, test_set: TestSet, nearest: Callable[[int], Sequence[tuple[str, float]]]
) -> tuple[Suspect, ...]:
    """The pairs whose labels look wrong, the most suspect of each kind first.

    Args:
        nearest: For a sample, the subjects whose pictures it is most like on average, best first, with the average;
            itself left out.
    """
    subjects = [sample.subject for sample in test_set.manifest.samples]
    found: list[Suspect] = []
    for score, first, second in watch.highest_impostors():
        if test_set.image_sha256[first] == test_set.image_sha256[second]:
            found.append(Suspect(Suspicion.SAME_PICTURE, score, first, second, "the two files are the same"))
        elif score >= bars.mated:
            words = "; ".join(
                _likeness(subjects[number], subjects[other], nearest(number))
                for number, other in ((first, second), (second, first))
            )
            found.append(Suspect(Suspicion.LOOKS_MATED, score, first, second, words))
    for score, first, second in watch.lowest_mated():
        if score < bars.impostor:
            words = "; then ".join(_misfit(subjects[number], nearest(number)) for number in (first, second))
            found.append(Suspect(Suspicion.LOOKS_IMPOSTOR, score, first, second, words))
    order = list(Suspicion)
    return tuple(sorted(found, key=lambda suspect: order.index(suspect.kind)))


def write_listing(found: Sequence[Suspect], manifest: Manifest) -> bytes:
    """The suspects as a CSV file for whoever looks at them."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_LISTING)
    for suspect in found:
        first, second = manifest.samples[suspect.first], manifest.samples[suspect.second]
        writer.writerow(
            [
                suspect.kind.value,
                f"{suspect.score:.4f}",
                first.path,
                first.subject,
                second.path,
                second.subject,
                suspect.evidence,
            ]
        )
    return file.getvalue().encode()


class Excluded(StrEnum):
    """What a line of a decision leaves out."""

    IMAGE = "image"
    """Every comparison of a picture."""
    PAIR = "pair"
    """One comparison of two pictures."""
    PEOPLE = "people"
    """All comparisons between two names that are one person."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided to leave out of the second set of results.

    Attributes:
        images: (n,) samples of which nothing counts.
        pairs: Samples whose comparison doesn't count, the lower number first.
        people: Subjects whose comparisons with each other don't count.
        who, when, why: As written; several are joined.
        sha256: Of the decision and of the set that it was made about.
    """

    images: frozenset[int]
    pairs: frozenset[tuple[int, int]]
    people: frozenset[tuple[str, str]]
    who: str
    when: datetime
    why: str
    sha256: str

    def allows(self, subjects: NDArray[np.int32], names: Sequence[str]) -> "Allowed":
        """Prepare the decision to be applied.

        Args:
            subjects: (n,) the code of each sample's subject: its place in `names`.
        """
        place = {name: code for code, name in enumerate(names)}
        return Allowed(
            left_out=np.isin(np.arange(len(subjects)), list(self.images)),
            pairs=self.pairs,
            people=frozenset(tuple(sorted((place[one], place[other]))) for one, other in self.people),  # type: ignore[misc]
            subjects=subjects,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """Which comparisons a decision leaves in."""

    left_out: Mask
    pairs: frozenset[tuple[int, int]]
    people: frozenset[tuple[int, int]]
    subjects: NDArray[np.int32]

    def mask(self, rows: Numbers, columns: Numbers) -> Mask:
        """(r, c), true where a comparison counts."""
        counted = ~(self.left_out[rows][:, None] | self.left_out[columns][None, :])
        row_of = {int(number): place for place, number in enumerate(rows)}
        column_of = {int(number): place for place, number in enumerate(columns)}
        for pair in self.pairs:
            for one, other in (pair, pair[::-1]):
                if one in row_of and other in column_of:
                    counted[row_of[one], column_of[other]] = False
        for pair in self.people:
            for one, other in (pair, pair[::-1]):
                theirs, others = self.subjects[rows] == one, self.subjects[columns] == other
                if theirs.any() and others.any():
                    counted &= ~(theirs[:, None] & others[None, :])
        return counted


def parse_decision(data: bytes, manifest: Manifest, commitment: str, *, name: str = "decision") -> Decision:
    """Read a decision file: CSV with the columns `what`, `first`, `second`, `who`, `when`, `why`.

    `image` names one picture, `pair` two pictures, `people` two subjects. Each line says who decided, when, and why.

    Raises:
        InputError: Names the line and the column.
    """
    numbers = {sample.path: number for number, sample in enumerate(manifest.samples)}
    subjects = {sample.subject for sample in manifest.samples}
    images: set[int] = set()
    pairs: set[tuple[int, int]] = set()
    people: set[tuple[str, str]] = set()
    who: dict[str, None] = {}
    why: dict[str, None] = {}
    moments: list[datetime] = []
    for where, row in _decision_rows(data, name):
        what, first, second = row["what"], row["first"], row["second"]
        known = subjects if what == Excluded.PEOPLE else numbers.keys()
        for column in ("first",) if what == Excluded.IMAGE else ("first", "second"):
            if row[column] not in known:
                raise InputError(f"{where}, column {column}: the manifest has no {row[column]!r}")
        if what != Excluded.IMAGE and first == second:
            raise InputError(f"{where}: {first!r} is named twice")
        match what:
            case Excluded.IMAGE:
                images.add(numbers[first])
            case Excluded.PAIR:
                low, high = sorted((numbers[first], numbers[second]))
                pairs.add((low, high))
            case _:
                one, other = sorted((first, second))
                people.add((one, other))
        who[row["who"]], why[row["why"]] = None, None
        moments.append(_moment(row["when"], where))
    if not moments:
        raise InputError(f"{name}: there is no decision in it")
    return Decision(
        images=frozenset(images),
        pairs=frozenset(pairs),
        people=frozenset(people),
        who="; ".join(who),
        when=max(moments),
        why="; ".join(why),
        sha256=decision_digest(data, commitment),
    )


def decision_digest(data: bytes, commitment: str) -> str:
    r"""Commit to a decision file and to the set that it was made about: what results name it by.

    SHA-256 over the set's commitment in hexadecimal, a line feed, and the file's bytes; so the same lines about another
    set are another decision.

    >>> decision_digest(b"what,first,second,who,when,why\n", "00" * 32)[:16]
    'fc833eddaf88f2ed'
    """
    return sha256(f"{commitment}\n".encode() + data).hexdigest()


def _decision_rows(data: bytes, name: str) -> Iterable[tuple[str, dict[str, str]]]:
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        if tuple(next(reader, [])) != _DECISION:
            raise InputError(f"{name}, line 1: the columns have to be {','.join(_DECISION)}")
        for fields in reader:
            if not fields:
                continue
            where = f"{name}, line {reader.line_num}"
            if len(fields) != len(_DECISION):
                raise InputError(f"{where}: {len(fields)} fields; there are {len(_DECISION)} columns")
            row: dict[str, str] = dict(zip(_DECISION, fields, strict=True))
            if row["what"] not in set(Excluded):
                raise InputError(f"{where}, column what: {row['what']!r}; choose from {', '.join(Excluded)}")
            if row["what"] == Excluded.IMAGE and row["second"]:
                raise InputError(f"{where}, column second: an image stands alone")
            for column in ("who", "why"):
                text = row[column]
                if not text.strip() or any(unicodedata.category(character)[0] == "C" for character in text):
                    raise InputError(f"{where}, column {column}: say {column}, in plain words")
            yield where, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{name}: {error}") from error


def _moment(text: str, where: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{where}, column when: {text!r} is no moment such as 2026-11-22T12:00:00Z") from error
    if moment.utcoffset() is None:
        raise InputError(f"{where}, column when: {text!r} lacks its time zone, such as Z")
    return moment


def _likeness(own: str, other: str, near: Sequence[tuple[str, float]]) -> str:
    """How like a picture is to its own name's others, and to the other name's: `Ada: own 0.61, Bo 0.24`."""
    mine, theirs = dict(near).get(own), dict(near).get(other)
    alone = "no other picture" if mine is None else f"own {mine:.2f}"
    return f"{own}: {alone}, {other} {0.0 if theirs is None else theirs:.2f}"


def _misfit(own: str, near: Sequence[tuple[str, float]]) -> str:
    """How like a picture is to its own name's others, and to the name that it is most like."""
    best = next(((name, score) for name, score in near if name != own), None)
    mine = dict(near).get(own)
    closest = "" if best is None else f", most like {best[0]} {best[1]:.2f}"
    return f"own {0.0 if mine is None else mine:.2f}{closest}"

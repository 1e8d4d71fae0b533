"""A whole run of one-to-many searches: galleries of several sizes, people who are enrolled and people who aren't.

Each gallery is searched twice: with the engine's own default settings, as programs do that choose no threshold, and
once for all scores that the engine will give, from which every other threshold follows. An engine that raises its
threshold with the gallery does so in both; where our own scores are at hand they are taken whole.

For galleries beyond the data there is an extreme-value estimate, labelled as such. Reads no clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from recognizance.errors import InputError
from recognizance.evaluation.conduct import Conduct, acquire, acquisition_of, document, gate_of, samples_of
from recognizance.evaluation.engines import Acquisition, Engine, Scores, Searching
from recognizance.evaluation.extremes import extrapolate
from recognizance.evaluation.gate import Agreement
from recognizance.evaluation.identification import (
    Searches,
    SearchTally,
    draw_probes,
    identification,
)
from recognizance.evaluation.labels import Allowed
from recognizance.evaluation.measures import Histogram
from recognizance.evaluation.protocols import Identification, Numbers
from recognizance.evaluation.results import Beyond, Evaluation, Findings, IdentificationAt, Kind, Scale
from recognizance.evaluation.results import Searches as FoundSearches
from recognizance.evaluation.runs import HISTOGRAM_BINS, SIMILARITIES
from recognizance.evaluation.samples import Samples, ScoreBlock
from recognizance.evaluation.testset import TestSet, silent
from recognizance.evaluation.trials import Weights

DEFAULT = "default"
USE = "use"
RAISED = " raised"
"""What the name of a similarity ends with that is taken as the engine takes it, raised with the gallery."""
BEYOND = (25_000, 100_000, 1_000_000)
"""Galleries that no set has: of the ACLU's test, of a city, of a state."""
_PROBES_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of an engine's searches.

    Attributes:
        kind: Of the run.
        protocol: The name of the rules that made the division.
        settings: Their values.
        thresholds: Similarities to report at, by name, whatever the gallery's size; none of them where the engine knows
            no similarities. The engine's default is always reported where there is one.
        scores: Thresholds on the engine's own scale, by name.
        raised: Similarities to report at as the engine searches with them: raised with the gallery, if it does that.
        beyond: Galleries to estimate for, in faces.
        agreements: What has to be as it was authorised.
    """

    kind: Kind
    protocol: str
    settings: tuple[tuple[str, str], ...]
    thresholds: tuple[tuple[str, float], ...] = tuple((f"{pct:g}", pct) for pct in SIMILARITIES)
    scores: tuple[tuple[str, float], ...] = ()
    raised: tuple[tuple[str, float], ...] = ()
    beyond: tuple[int, ...] = ()
    agreements: tuple[Agreement, ...] = ()


def identify(
    test_set: TestSet, engine: Engine, division: Identification, question: Question, conduct: Conduct
) -> Evaluation:
    """Enrol, search, and count.

    Raises:
        InputError: If a threshold or a column is asked for that there isn't.
        UnavailableError: If the engine fails. What it answered is kept; run again.
    """
    question, operating = _operating(engine, question, conduct.operating, division)
    conduct = replace(conduct, operating=operating)
    samples = samples_of(test_set, conduct.columns)
    probes = np.concatenate([division.mated, division.non_mated]).astype(np.int32)
    numbers = np.union1d(division.enrolled, probes).astype(np.int32)
    acquisition = acquire(engine, numbers, conduct.step)
    run = _Run(test_set, engine, samples, question, conduct, acquisition)
    counts = [run.search(division.gallery(size), probes) for size in division.gallery_sizes]
    findings = run.findings([count.everything for count in counts], numbers)
    without = None
    if conduct.decision is not None:
        left = numbers[~np.isin(numbers, list(conduct.decision.images))]
        without = run.findings([count.allowed or count.everything for count in counts], left)
    return document(
        test_set,
        samples,
        engine.identity,
        conduct,
        kind=question.kind,
        protocol=question.protocol,
        settings=(*question.settings, *_division_settings(division), ("resamples", str(conduct.resamples))),
        suspected_labels=None,
        findings=findings,
        without_excluded=without,
        gate=gate_of(findings if without is None else without, conduct, question.agreements),
    )


def _operating(engine: Engine, question: Question, operating: str, division: Identification) -> tuple[Question, str]:
    """Return the name of the threshold that people are searched with, and the question with that threshold in it.

    A similarity is taken as the engine takes it, raised with the gallery, and then called `85 raised`. Who asks for
    what nothing would be measured at is refused before anything is searched: a list of scores has no default.
    """
    number = _number(operating)
    if number is None:
        known = [] if engine.default_threshold(len(division.enrolled)) is None else [DEFAULT]
        known += [name for name, pct in question.thresholds if engine.score_at_pct(pct) is not None]
        known += [name for name, _ in question.scores]
        if operating not in known:
            others = f" or one of: {', '.join(known)}" if known else ""
            raise InputError(f"there is no threshold {operating!r}; give a number{others}")
        return question, operating
    name, (low, high) = f"{number:g}", engine.identity.ends
    plain = engine.score_at_pct(number) if 0.0 <= number <= 100.0 else None
    if plain is None:
        if engine.identity.scale is not Scale.OTHER and not low <= number <= high:
            raise InputError(
                f"the threshold {number:g} is no score from {low:g} to {high:g}, and no table says what it means"
            )
        return replace(question, scores=(*question.scores, (name, number))), name
    faces = [*(len(division.gallery(size)) for size in division.gallery_sizes), *question.beyond]
    if any((engine.accepted_from(number, each) or plain) > plain for each in faces):
        name = f"{number:g}{RAISED}"
        return replace(question, raised=((name, number), *question.raised)), name
    if name in dict(question.thresholds):
        return question, name
    return replace(question, thresholds=((name, number), *question.thresholds)), name


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


@dataclass(frozen=True, slots=True)
class _Gallery:
    """The searches in one gallery: with the engine's default settings, and with all scores that it gives."""

    default: Searches | None
    scored: Searches


@dataclass(frozen=True, slots=True)
class _Count:
    everything: _Gallery
    allowed: _Gallery | None


@dataclass(frozen=True, slots=True)
class _Run:
    test_set: TestSet
    engine: Engine
    samples: Samples
    question: Question
    conduct: Conduct
    acquisition: Acquisition

    def search(self, gallery: Numbers, probes: Numbers) -> _Count:
        """Enrol one gallery and search it."""
        advance = self.conduct.step(f"enrolling {len(gallery):,}", len(gallery))
        with self.engine.gallery(gallery, advance) as searching:
            scored = self._tallies(gallery, probes, self._scores(searching, gallery, probes))
            default: tuple[Searches, Searches | None] | None = None
            if self.engine.default_threshold(len(gallery)) is not None:
                default = self._tallies(gallery, probes, self._answers(searching, probes, None, "default settings"))
        allowed = None
        if scored[1] is not None:
            allowed = _Gallery(None if default is None else default[1], scored[1])
        return _Count(_Gallery(None if default is None else default[0], scored[0]), allowed)

    def findings(self, galleries: Sequence[_Gallery], numbers: Numbers) -> Findings:
        everybody, by_group = acquisition_of(self.samples, self.acquisition, numbers)
        largest = galleries[-1]
        weights = draw_probes(self.samples, largest.scored, seed=self.conduct.seed, resamples=self.conduct.resamples)
        at = [each for gallery in galleries for each in self._at(gallery, weights)]
        names = list(dict.fromkeys(each.name for each in at))
        scored = largest.scored
        return Findings(
            acquisition=everybody,
            acquisition_by_group=by_group,
            verification=None,
            searches=FoundSearches(
                mates=self._histogram(scored.mate_scores[scored.mated]) if self._gives_all_scores else None,
                strangers=self._histogram(scored.best_other[~scored.mated]),
                at=tuple(sorted(at, key=lambda each: names.index(each.name))),
                beyond=tuple(self._beyond(largest)),
            ),
        )

    @property
    def _gives_all_scores(self) -> bool:
        return self.engine.identity.endpoint is None

    def _scores(self, searching: Searching, gallery: Numbers, probes: Numbers) -> Iterator[tuple[Numbers, Scores]]:
        if not self._gives_all_scores:
            yield from self._answers(searching, probes, self.engine.identity.ends[0], "all candidates")
            return
        advance = self.conduct.step("searching", len(probes))
        for some in _parts(probes):
            yield some, self.engine.scores(some, gallery, None, silent)
            advance(len(some))

    def _answers(
        self, searching: Searching, probes: Numbers, threshold: float | None, title: str
    ) -> Iterator[tuple[Numbers, Scores]]:
        advance = self.conduct.step(f"searching: {title}", len(probes))
        for some in _parts(probes):
            yield some, searching.search(some, threshold, advance)

    def _tallies(
        self, gallery: Numbers, probes: Numbers, answers: Iterator[tuple[Numbers, Scores]]
    ) -> tuple[Searches, Searches | None]:
        everything = SearchTally(self.samples, probes, gallery, (len(gallery),))
        rule, kept, enrolled = self._rule(), probes, gallery
        allowed = None
        if rule is not None:
            kept, enrolled = probes[~rule.left_out[probes]], gallery[~rule.left_out[gallery]]
            allowed = SearchTally(self.samples, kept, enrolled, (len(enrolled),))
        for rows, scores in answers:
            everything.add(ScoreBlock(scores, rows, gallery))
            if rule is not None and allowed is not None:
                some = np.isin(rows, kept)
                left = scores[some][:, ~rule.left_out[gallery]]
                allowed.add(ScoreBlock(left, rows[some], enrolled, rule.mask(rows[some], enrolled)))
        return everything.result()[0], None if allowed is None else allowed.result()[0]

    def _rule(self) -> Allowed | None:
        if self.conduct.decision is None:
            return None
        names = sorted({sample.subject for sample in self.test_set.manifest.samples})
        return self.conduct.decision.allows(self.samples.subjects, names)

    def _at(self, gallery: _Gallery, weights: Weights) -> Iterator[IdentificationAt]:
        if gallery.default is not None:
            # Whoever came back came back; the threshold is shown, and decides nothing again.
            found = identification(self.samples, gallery.default, self.engine.identity.ends[0] - 1.0, weights=weights)
            shown = self.engine.default_threshold(gallery.default.gallery_faces)
            # A candidate below the threshold didn't come back, and still has a rank.
            ranks = identification(self.samples, gallery.scored, found.threshold, weights=weights).ranks
            yield IdentificationAt(name=DEFAULT, similarity_pct=None, found=replace(
                found, threshold=found.threshold if shown is None else shown, ranks=ranks))  # fmt: skip
        for name, pct, score in self._thresholds(gallery.scored.gallery_faces):
            found = identification(self.samples, gallery.scored, score, weights=weights)
            yield IdentificationAt(name=name, similarity_pct=pct, found=found)

    def _thresholds(self, faces: int) -> Iterator[tuple[str, float | None, float]]:
        """Yield name, similarity and score of each threshold in a gallery of this size, but for the default."""
        question, engine = self.question, self.engine
        for name, pct in question.raised:
            raised = engine.accepted_from(pct, faces)
            if raised is not None:
                yield name, pct, raised
        for name, pct in question.thresholds:
            score = engine.score_at_pct(pct)
            if score is not None:
                yield name, pct, score
        for name, stated in question.scores:
            yield name, None, stated

    def _beyond(self, largest: _Gallery) -> Iterator[Beyond]:
        sizes = tuple(size for size in self.question.beyond if size > largest.scored.gallery_faces)
        named: list[tuple[str, int, float]] = []
        for size in sizes:
            default = self.engine.default_threshold(size)
            if default is not None and self._gives_all_scores:
                named.append((DEFAULT, size, default))
            named += [(name, size, score) for name, _, score in self._thresholds(size)]
        for name, size, threshold in named:
            estimates = extrapolate(
                self.samples,
                largest.scored,
                threshold,
                (size,),
                seed=self.conduct.seed,
                resamples=self.conduct.resamples,
            )
            yield Beyond(name=name, estimate=estimates[0])

    def _histogram(self, scores: NDArray[np.float32]) -> Histogram:
        low, high = self.engine.identity.ends
        edges = np.linspace(low, high, HISTOGRAM_BINS + 1)
        counts, _ = np.histogram(np.clip(scores[np.isfinite(scores)], low, high), bins=edges)
        return Histogram(tuple(edges.tolist()), tuple(counts.tolist()))


def _parts(probes: Numbers) -> Iterator[Numbers]:
    for start in range(0, len(probes), _PROBES_AT_ONCE):
        yield probes[start : start + _PROBES_AT_ONCE]


def _division_settings(division: Identification) -> tuple[tuple[str, str], ...]:
    """The division itself, by hash, so that two runs can be held against each other without naming anybody."""
    digest = sha256()
    for numbers in (division.enrolled, division.mated, division.non_mated):
        digest.update(len(numbers).to_bytes(8, "big") + numbers.astype("<i4").tobytes())
    return (
        ("enrolled people", str(len(division.people))),
        ("enrolled pictures", str(len(division.enrolled))),
        ("mated probes", str(len(division.mated))),
        ("non-mated probes", str(len(division.non_mated))),
        ("division digest", digest.hexdigest()),
    )

"""The ACLU's test of 2018 as one command: people are enrolled, others who are certainly absent are searched for.

In July 2018 the ACLU enrolled 25,000 public arrest photographs with Amazon's Rekognition and searched for the official
portraits of the 535 members of Congress, with default settings. 28 of them came back as somebody who had been arrested:
5.2 %, and 39 % of those were people of colour, who were about 20 % of Congress. Amazon answered that the threshold
should have been 95, and later 99. So this test reports them all: the engine's default, the use's own threshold, 80,
95 and 99; and it fails if the default is laxer than what the use authorises, or if the rate isn't shown to stay within
its limit.

What so few trials can prove is said with every figure: no false match among 535 proves no more than a rate below 0.7 %.
"""

from collections.abc import Sequence
from dataclasses import replace

from recognizance.errors import InputError
from recognizance.evaluation.conduct import Conduct
from recognizance.evaluation.engines import Engine
from recognizance.evaluation.gate import Agreement
from recognizance.evaluation.intervals import estimate_independent
from recognizance.evaluation.manifest import Manifest
from recognizance.evaluation.measures import Estimate, Evidence, Rate
from recognizance.evaluation.protocols import Identification, given_strangers, strangers
from recognizance.evaluation.results import Evaluation, IdentificationAt, Kind, Scale
from recognizance.evaluation.runs import SIMILARITIES
from recognizance.evaluation.searching import BEYOND, DEFAULT, RAISED, USE, Question, identify
from recognizance.evaluation.testset import PROBES, TestSet
from recognizance.evaluation.words import percent, rate_phrase

ACLU_2018 = Rate(28, 535)
"""False matches among the members of Congress."""
ACLU_2018_GALLERY = 25_000
"""Faces that they were searched among."""
PROBES_OF_2018 = 535


def aclu_test(
    test_set: TestSet, engine: Engine, division: Identification, conduct: Conduct, *, use_pct: float | None = None
) -> Evaluation:
    """Run the test.

    Args:
        use_pct: The threshold that a use authorises, as a similarity; on a list of scores, on its own scale.

    Raises:
        InputError: If a threshold is asked for that there isn't, or there is neither a default nor a use's threshold.
        UnavailableError: If the engine fails. What it answered is kept; run again.
    """
    if len(division.mated):
        raise ValueError("those who are searched for in this test are absent")
    default = engine.default_threshold(len(division.enrolled))
    if default is None and use_pct is None:
        raise InputError("this engine has no default threshold: say which one the use authorises")
    agreements: tuple[Agreement, ...] = ()
    if use_pct is not None:
        agreements = (_agreement(engine, use_pct),)
    named = ((USE, use_pct),) if use_pct is not None else ()
    knows_similarities = engine.identity.scale is not Scale.OTHER
    question = Question(
        kind=Kind.ACLU,
        protocol="aclu-2018/1",
        settings=(
            ("absent people", str(len({test_set.manifest.samples[each].subject for each in division.non_mated}))),
        ),
        thresholds=(*(named if knows_similarities else ()), *((f"{pct:g}", pct) for pct in SIMILARITIES)),
        scores=() if knows_similarities else named,
        beyond=BEYOND,
        agreements=agreements,
    )
    operating = USE if conduct.operating == DEFAULT and default is None else conduct.operating
    return identify(test_set, engine, division, question, replace(conduct, operating=operating))


def division_of(
    manifest: Manifest, *, probes: int = PROBES_OF_2018, enrolled: int | None = None, seed: int
) -> Identification:
    """Divide one set, or take a joined one as it is: its paths say who is absent."""
    absent = [number for number, sample in enumerate(manifest.samples) if sample.path.startswith(f"{PROBES}/")]
    if is_joined(manifest):
        return given_strangers(manifest, absent, seed)
    return strangers(manifest, probes=probes, enrolled=enrolled, seed=seed)


def is_joined(manifest: Manifest) -> bool:
    """Whether a set was put together by `testset.joined`: each path begins with the part that it is of."""
    parts = {sample.path.partition("/")[0] for sample in manifest.samples}
    return parts == {"gallery", PROBES}


def sentences(evaluation: Evaluation) -> tuple[str, ...]:
    """What came of it, in plain words: each threshold's false matches, what they prove, and 2018 beside them."""
    searches = evaluation.concluded.searches
    found: Sequence[IdentificationAt] = () if searches is None else searches.at
    said = [_sentence(each) for each in found]
    beside = estimate_independent(ACLU_2018)
    said.append(
        f"In 2018 Amazon's default settings returned a false match for {rate_phrase(beside)} of the members of"
        f" Congress, searched among {ACLU_2018_GALLERY:,} arrest photographs."
    )
    if found and found[0].found.gallery_faces < ACLU_2018_GALLERY:
        said.append(
            f"This gallery of {found[0].found.gallery_faces:,} is smaller, and a larger one meets more strangers: the"
            " rates are not to be compared as they stand."
        )
    return tuple(said)


def what_it_proves(estimate: Estimate) -> str:
    """What so many trials can show, and what they can't.

    >>> from recognizance.evaluation.intervals import estimate_independent
    >>> what_it_proves(estimate_independent(Rate(0, 535)))
    'none among 535 proves only that the rate is at most 0.71 %, and nothing about rarer errors'
    """
    trials = estimate.independent.trials
    match estimate.evidence:
        case Evidence.NO_TRIALS:
            return "nobody was searched for, so nothing is shown"
        case Evidence.NO_ERRORS:
            high = 1.0 if estimate.interval is None else estimate.interval.high
            bound = f"none among {trials:,} proves only that the rate is at most {percent(high)}"
            return f"{bound}, and nothing about rarer errors"
        case Evidence.FEW_ERRORS:
            return "fewer than 30 errors: the interval says more than the rate"
        case Evidence.SUFFICIENT:
            return "30 errors or more: enough to rely on for people like these"


def _sentence(at: IdentificationAt) -> str:
    spoken = {DEFAULT: "With default settings", USE: "At the use's threshold"}
    own = (
        f"At the threshold {at.name}"
        if at.similarity_pct is None
        else f"At a similarity of {at.name.replace(RAISED, ', raised with the gallery')}"
    )
    name, estimate = spoken.get(at.name, own), at.found.fpir
    return (
        f"{name}, {rate_phrase(estimate)} of the searches for absent people returned somebody among"
        f" {at.found.gallery_faces:,} faces: {what_it_proves(estimate)}."
    )


def _agreement(engine: Engine, use_pct: float) -> Agreement:
    """Whether who chooses no threshold is searched for at one that the use allows, whatever the gallery's size."""
    authorised = engine.score_at_pct(use_pct)
    default = engine.default_threshold(1)
    if default is None:
        return Agreement(what="default threshold", authorised=f"{use_pct:g}", found="none", agrees=False)
    least = use_pct if authorised is None else authorised
    shown = _similarity_of(engine, default)
    return Agreement(
        what="default threshold",
        authorised=f"{use_pct:g} or more",
        found=shown,
        agrees=default >= least - 1e-9,
    )


def _similarity_of(engine: Engine, score: float) -> str:
    """A score as the similarity it stands for, to a hundredth, where the engine knows similarities."""
    low, high = 0.0, 100.0
    if engine.score_at_pct(high) is None:
        return f"{score:g}"
    for _ in range(40):
        middle = (low + high) / 2
        at = engine.score_at_pct(middle)
        low, high = (middle, high) if at is not None and at <= score else (low, middle)
    return f"{high:.2f}".rstrip("0").rstrip(".")

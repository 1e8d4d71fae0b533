"""Whole runs: counts that a hand can check, results with and without doubtful labels, and a seed that repeats a run."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recognizance.errors import InputError
from recognizance.evaluation.aclu import ACLU_2018, aclu_test, division_of, sentences, what_it_proves
from recognizance.evaluation.cache import Cache
from recognizance.evaluation.engines_local import LocalEngine, LocalSettings
from recognizance.evaluation.engines_scores import ScoreListEngine, parse_scores
from recognizance.evaluation.gate import Limit, Measure
from recognizance.evaluation.intervals import estimate_independent
from recognizance.evaluation.labels import parse_decision
from recognizance.evaluation.manifest import Manifest, parse_manifest
from recognizance.evaluation.measures import Rate, Verdict
from recognizance.evaluation.protocols import AllPairs, IdentificationRules, divide, parse_pairs
from recognizance.evaluation.results import Evaluation, IdentificationAt, Kind, VerificationAt, read_evaluation
from recognizance.evaluation.results import write_evaluation as written
from recognizance.evaluation.runs import verify
from recognizance.evaluation.searching import Question, identify
from recognizance.evaluation.testset import TestSet, joined, open_test_set
from recognizance.faces import Calibration, FaceReader
from recognizance.permits import Action, Permit

from .worlds import FACES, conduct, some_people

PEOPLE = 12
needs_faces = pytest.mark.skipif(not FACES.is_dir(), reason="needs ../shared/faces")


def listed(*, people: int = PEOPLE, images: int = 2) -> tuple[TestSet, ScoreListEngine, np.ndarray]:
    """People of two groups, mates at 0.8, strangers at most 0.5, some pairs as noted."""
    rows = [
        f"p{person:02}/{image}.jpg,P{person:02},{'xy'[person % 2]}"
        for person in range(people)
        for image in range(images)
    ]
    manifest = parse_manifest(("path,subject,group\n" + "\n".join(rows)).encode())
    count = len(manifest)
    subject = np.arange(count) // images
    scores = np.random.default_rng(3).uniform(0.0, 0.5, (count, count))
    scores = np.triu(scores, 1) + np.triu(scores, 1).T
    scores[subject[:, None] == subject[None, :]] = 0.8
    for low, high, score in [(0, 1, 0.3), (0, 4, 0.95), (2, 7, 0.9), (4, 8, 0.85)]:
        scores[low, high] = scores[high, low] = score
    test_set = TestSet(manifest, tuple(f"{number:064x}" for number in range(count)), "ab" * 32, lambda _path: b"")
    return test_set, engine_of(scores, manifest), scores


def engine_of(scores: np.ndarray, manifest: Manifest) -> ScoreListEngine:
    paths = [sample.path for sample in manifest.samples]
    lines = ["enrol,probe,score"]
    for low in range(len(paths)):
        for high in range(low + 1, len(paths)):
            score = "" if np.isnan(scores[low, high]) else repr(float(scores[low, high]))
            lines.append(f"{paths[low]},{paths[high]},{score}")
    return ScoreListEngine(parse_scores("\n".join(lines).encode(), manifest), model="m", default_threshold=0.6)


def comparison(evaluation: Evaluation, name: str, *, without: bool = False) -> VerificationAt:
    findings = evaluation.concluded if without else evaluation.findings
    assert findings.verification is not None
    return next(at for at in findings.verification.at if at.name == name)


def search(evaluation: Evaluation, name: str, faces: int | None = None) -> IdentificationAt:
    assert evaluation.findings.searches is not None
    return next(
        at
        for at in evaluation.findings.searches.at
        if at.name == name and (faces is None or at.found.gallery_faces == faces)
    )


def test_errors_are_those_that_a_hand_counts() -> None:
    """24 pictures: 276 pairs, 12 of them mated. At 0.6 three strangers are accepted and one mate isn't."""
    test_set, engine, _ = listed()

    found = comparison(verify(test_set, engine, AllPairs(24), conduct(operating="0.6")).evaluation, "0.6")

    assert found.fmr.rate == Rate(3, 264)
    assert found.fnmr.rate == Rate(1, 12)
    # 0 and 4 are people 0 and 2, both x; 2 and 7 people 1 and 3, both y; 4 and 8 people 2 and 4, both x.
    matrix = found.matrices[0]
    assert matrix.own_group("x").rate.errors == 2
    assert matrix.own_group("y").rate.errors == 1
    assert matrix.cells[0][1].rate.errors == 0
    assert sum(cell.rate.trials for cell in (matrix.cells[0][0], matrix.cells[0][1], matrix.cells[1][1])) == 264
    assert {rate.group: rate.estimate.rate for rate in found.fnmr_by_group[0].rates} == {
        "x": Rate(1, 6),
        "y": Rate(0, 6),
    }


def test_given_pairs_are_counted_and_no_others() -> None:
    """Two pairs, of which one is mated."""
    test_set, engine, _ = listed()
    pairs = b"first,second\np00/0.jpg,p00/1.jpg\np00/0.jpg,p02/0.jpg\n"

    evaluation = verify(test_set, engine, parse_pairs(pairs, test_set.manifest), conduct(operating="0.6")).evaluation
    found = comparison(evaluation, "0.6")

    assert (found.fmr.rate, found.fnmr.rate) == (Rate(1, 1), Rate(1, 1))
    assert evaluation.findings.acquisition.rate == Rate(0, 3)
    assert evaluation.setting("pairs") == "2 given"


def test_a_decision_gives_results_with_and_without() -> None:
    """People 0 and 2 are one person, and picture 7 is someone else: the first results stay as they are."""
    test_set, engine, _ = listed()
    text = (
        "what,first,second,who,when,why\n"
        "people,P00,P02,R. Reader,2026-11-22T12:00:00Z,one person under two names\n"
        "image,p03/1.jpg,,R. Reader,2026-11-22T12:00:00Z,someone else\n"
    )
    decision = parse_decision(text.encode(), test_set.manifest, test_set.commitment)

    evaluation = verify(
        test_set, engine, AllPairs(24), conduct(operating="0.6", decision=decision, columns=())
    ).evaluation

    assert comparison(evaluation, "0.6").fmr.rate == Rate(3, 264)
    # Without: 4 pairs of the two names, and 22 impostor pairs of the picture.
    assert comparison(evaluation, "0.6", without=True).fmr.rate == Rate(1, 264 - 4 - 22)
    assert comparison(evaluation, "0.6", without=True).fnmr.rate == Rate(1, 11)
    assert evaluation.exclusions is not None
    assert (evaluation.exclusions.images, evaluation.exclusions.pairs) == (1, 1)
    assert evaluation.exclusions.decision_digest == decision.sha256


def test_failures_are_counted_and_are_no_trials() -> None:
    """A picture that no score could be had of is a failure to acquire, and in no other rate."""
    test_set, _, scores = listed()
    scores[5] = scores[:, 5] = np.nan
    engine = engine_of(scores, test_set.manifest)

    evaluation = verify(test_set, engine, AllPairs(24), conduct(operating="0.6")).evaluation

    assert evaluation.findings.acquisition.rate == Rate(1, 24)
    by_group = evaluation.findings.acquisition_by_group[0].rates
    assert {rate.group: rate.estimate.rate for rate in by_group} == {"x": Rate(1, 12), "y": Rate(0, 12)}
    assert comparison(evaluation, "0.6").fnmr.rate.trials == 11


def test_the_same_seed_gives_the_same_document() -> None:
    """To the last byte; and what was written is read back."""
    test_set, engine, _ = listed()
    runs = [verify(test_set, engine, AllPairs(24), conduct(operating="0.6")) for _ in range(2)]
    other = verify(test_set, engine, AllPairs(24), conduct(operating="0.6", seed=6))
    data = written(runs[0].evaluation)

    assert data == written(runs[1].evaluation)
    assert runs[0].listing == runs[1].listing
    assert data != written(other.evaluation)
    assert read_evaluation(data) == runs[0].evaluation


def test_searches_are_counted_by_hand() -> None:
    """Of 12 people half are absent; a probe errs as its scores with the gallery say, at every size."""
    test_set, engine, scores = listed()
    rules = IdentificationRules(seed=2, gallery_sizes=(3,))
    division = divide(test_set.manifest, rules)
    question = Question(kind=Kind.IDENTIFICATION, protocol="one-to-many/1", settings=(), scores=(("use", 0.4),))

    evaluation = identify(test_set, engine, division, question, conduct(operating="use", columns=("group",)))

    for size in (3, 6):
        gallery = division.gallery(size)
        people = set((gallery // 2).tolist())
        mated = [probe for probe in [*division.mated, *division.non_mated] if probe // 2 in people]
        others = [probe for probe in [*division.mated, *division.non_mated] if probe // 2 not in people]
        false = sum(scores[probe, gallery].max() >= np.float32(0.4) for probe in others)
        missed = sum(
            scores[probe, gallery].max() > scores[probe, [mate for mate in gallery if mate // 2 == probe // 2]].max()
            or scores[probe, [mate for mate in gallery if mate // 2 == probe // 2]].max() < np.float32(0.4)
            for probe in mated
        )
        found = search(evaluation, "use", size).found
        assert found.fpir.rate == Rate(false, len(others))
        assert found.fnir.rate == Rate(missed, len(mated))
        assert search(evaluation, "default", size).found.threshold == 0.6
        # Who doesn't come back at the default threshold still has a rank.
        assert search(evaluation, "default", size).found.ranks == found.ranks


def test_a_threshold_that_nobody_knows_is_refused() -> None:
    """Its name is said, and which there are."""
    test_set, engine, _ = listed()

    with pytest.raises(InputError, match="there is no threshold 'usual'; give a number or one of"):
        verify(test_set, engine, AllPairs(24), conduct(operating="usual"))
    with pytest.raises(InputError, match="there is no threshold 'usual'; give a number or one of: default"):
        aclu_test(test_set, engine, division_of(test_set.manifest, probes=3, seed=1), conduct(operating="usual"))


def test_the_gate_judges_everybody_and_every_group() -> None:
    """A limit that holds for everybody together and not for a group fails, and names the group."""
    test_set, engine, _ = listed()
    limits = (Limit(measure=Measure.FMR, at_most=0.02),)

    run = verify(test_set, engine, AllPairs(24), conduct(operating="0.6", limits=limits))
    together = verify(test_set, engine, AllPairs(24), conduct(operating="0.6", limits=limits, judges_groups=False))

    assert run.evaluation.gate is not None
    assert together.evaluation.gate is not None
    assert [(check.column, check.group) for check in run.evaluation.gate.failed] == [("group", "x")]
    assert run.evaluation.gate.verdict is Verdict.FAILED
    assert together.evaluation.gate.verdict is Verdict.INSUFFICIENT_EVIDENCE


def test_a_default_that_is_laxer_than_the_use_fails() -> None:
    """And one that is as strict, or stricter, agrees."""
    test_set, engine, _ = listed(people=20)
    division = division_of(test_set.manifest, probes=8, seed=1)
    limits = (Limit(measure=Measure.FPIR, at_most=1.0),)

    lax = aclu_test(test_set, engine, division, conduct(limits=limits, operating="default"), use_pct=0.7)
    strict = aclu_test(test_set, engine, division, conduct(limits=limits, operating="default"), use_pct=0.6)

    assert lax.gate is not None
    assert strict.gate is not None
    assert (lax.gate.verdict, strict.gate.verdict) == (Verdict.FAILED, Verdict.PASSED)
    assert [agreement.agrees for agreement in lax.gate.agreements] == [False]
    assert lax.operating == "default"


def test_an_upper_bound_above_the_limit_is_not_a_pass() -> None:
    """No error among eight proves next to nothing, and that isn't enough."""
    test_set, engine, _ = listed(people=20)
    division = division_of(test_set.manifest, probes=8, seed=1)
    limits = (Limit(measure=Measure.FPIR, at_most=0.01),)

    found = aclu_test(test_set, replace_default(engine, 0.99), division, conduct(limits=limits, operating="default"))

    assert search(found, "default").found.fpir.rate == Rate(0, 8)
    assert found.gate is not None
    assert found.gate.verdict is Verdict.INSUFFICIENT_EVIDENCE
    said = sentences(found)
    assert "none among 8 proves only that the rate is at most 32.4 %" in said[0]
    assert "5.2 % (28 of 535; 3.6 to 7.5 %)" in said[-2]


def replace_default(engine: ScoreListEngine, threshold: float) -> ScoreListEngine:
    return ScoreListEngine(engine._list, model="m", default_threshold=threshold)


def test_without_a_default_and_a_use_there_is_no_test() -> None:
    """A threshold is never guessed."""
    test_set, engine, _ = listed()
    nameless = ScoreListEngine(engine._list, model="m")

    with pytest.raises(InputError, match="no default threshold"):
        aclu_test(test_set, nameless, division_of(test_set.manifest, probes=3, seed=1), conduct())


def test_two_manifests_are_joined_unless_somebody_is_in_both() -> None:
    """Every picture of the first is enrolled, every one of the second searched for; absent columns are empty."""
    gallery, _, _ = listed(people=5)
    probes = TestSet(
        parse_manifest(b"path,subject,chamber\n1.jpg,Senator,senate\n"),
        ("f" * 64,),
        "cd" * 32,
        lambda path: path.encode(),
    )

    both = joined(gallery, probes)
    division = division_of(both.manifest, seed=1)

    assert both.manifest.group_columns == ("group", "chamber")
    assert [both.manifest.samples[number].path for number in division.non_mated] == ["probes/1.jpg"]
    assert both.manifest.samples[-1].groups == ("", "senate")
    assert len(division.enrolled) == 10
    assert both.reader("probes/1.jpg") == b"1.jpg"
    with pytest.raises(InputError, match="1 people are in the gallery and among the probes"):
        joined(probes, replace(probes, image_sha256=("e" * 64,)))
    with pytest.raises(InputError, match="1 pictures are in the gallery"):
        joined(gallery, replace(probes, image_sha256=(gallery.image_sha256[0],)))


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (Rate(0, 0), "nobody was searched for"),
        (Rate(0, 535), "at most 0.71 %"),
        (Rate(4, 535), "fewer than 30 errors"),
        (ACLU_2018, "fewer than 30 errors"),
        (Rate(65, 535), "30 errors or more"),
    ],
)
def test_what_so_many_trials_prove_is_said(rate: Rate, said: str) -> None:
    """In words, from the counts."""
    assert said in what_it_proves(estimate_independent(rate))


@needs_faces
def test_real_faces_go_through_every_protocol(
    tmp_path: Path, faces: tuple[FaceReader, Calibration], permit_for: Callable[..., Permit]
) -> None:
    """60 people: mates above strangers, no stranger returned at 99, and a default that follows the gallery's size."""
    test_set = open_test_set(some_people(tmp_path, people=60, several=20))
    cache = Cache(tmp_path / "cache")
    with ThreadPoolExecutor(2) as workers:
        engine = LocalEngine(
            test_set, *faces, permit_for(Action.MEASURE), cache, settings=LocalSettings(max_fpir=0.01), workers=workers
        )
        compared = verify(test_set, engine, AllPairs(len(test_set)), conduct()).evaluation
        searched = aclu_test(
            test_set, engine, division_of(test_set.manifest, probes=20, seed=1), conduct(operating="default")
        )
        asked = aclu_test(
            test_set, engine, division_of(test_set.manifest, probes=20, seed=1), conduct(operating="60", columns=())
        )
    cache.close()

    # A search for 60 among forty people accepts from a higher score than two pictures that are compared at 60.
    raised = search(asked, "60 raised")
    assert (asked.operating, raised.found.threshold) == ("60 raised", engine.accepted_from(60.0, 40))
    assert raised.found.threshold > (engine.score_at_pct(60.0) or 0.0)
    assert compared.findings.verification is not None
    crossing = compared.findings.verification.equal_error
    assert crossing is not None
    assert crossing.value < 0.1
    assert comparison(compared, "99").fmr.rate.errors <= comparison(compared, "80").fmr.rate.errors
    assert search(searched, "99").found.fpir.rate.errors == 0
    # Among forty faces 80 is enough for an FPIR of 0.01; among a thousand it isn't.
    assert search(searched, "default").found.threshold == search(searched, "80").found.threshold
    assert (engine.default_threshold(1000) or 0.0) > search(searched, "80").found.threshold
    assert len((tmp_path / "cache" / "recognizance-evaluation-cache").read_bytes()) == 0

"""Result documents to write reports of, counted here by hand from scores that a seed makes, without any face.

Counting is a comparison with a threshold and a sum, so that what reports say can be held against it.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizance.evaluation import measures as m
from recognizance.evaluation import results as r
from recognizance.evaluation.gate import Agreement, Check, Gate, Limit, Measure, judged
from recognizance.evaluation.intervals import estimate_independent
from recognizance.evaluation.labels import decision_digest

DIGEST = "0f" * 32
HOSTILE = '<script>alert(1)</script>"&\u202egpj'
"""What a manifest might name a group to do harm: markup, a quotation mark, a turned direction of writing."""

_COLUMN = "sex"
_SHIFTS = {"female": 0.05, "male": 0.0}
Scores = NDArray[np.float32]


def scores(seed: int = 7) -> tuple[dict[str, Scores], dict[str, Scores]]:
    """Return mated and impostor scores by group; impostors of one group score higher."""
    rng = np.random.default_rng(seed)
    mated = {name: rng.normal(0.62, 0.12, 2_000).clip(-1, 1).astype(np.float32) for name in _SHIFTS}
    impostors = {
        name: rng.normal(0.05 + shift, 0.09, 60_000).clip(-1, 1).astype(np.float32) for name, shift in _SHIFTS.items()
    }
    return mated, impostors


def rate(errors: int, trials: int) -> m.Estimate:
    """Return a rate of independent trials, with Wilson's interval."""
    return estimate_independent(m.Rate(errors, trials))


def curve(mated: Scores, impostors: Scores) -> m.Curve:
    points = []
    for threshold in np.linspace(-0.1, 0.7, 60):
        fmr = rate(int((impostors >= threshold).sum()), len(impostors))
        fnmr = rate(int((mated < threshold).sum()), len(mated))
        points.append(m.CurvePoint(float(threshold), fmr, fnmr))
    return m.Curve(tuple(points))


def verification(names: tuple[str, str] = ("female", "male")) -> r.Verification:
    mated, impostors = scores()
    all_mated, all_impostors = np.concatenate(list(mated.values())), np.concatenate(list(impostors.values()))
    edges = np.linspace(-1.0, 1.0, 101)
    overall = curve(all_mated, all_impostors)
    crossing = min(overall.points, key=lambda each: abs((each.fmr.rate.value or 0) - (each.fnmr.rate.value or 0)))
    return r.Verification(
        curve=overall,
        group_curves=tuple(
            r.GroupCurve(column=_COLUMN, group=name, curve=curve(mated[key], impostors[key]))
            for name, key in zip(names, mated, strict=True)
        ),
        equal_error=m.EqualErrorRate(
            crossing.threshold,
            crossing.fmr.rate,
            crossing.fnmr.rate,
            ((crossing.fmr.rate.value or 0) + (crossing.fnmr.rate.value or 0)) / 2,
        ),
        match_rates=(m.MatchRateAtFmr(1e-3, overall.points[30]), m.MatchRateAtFmr(1e-7, None)),
        mated=_histogram(all_mated, edges),
        impostors=_histogram(all_impostors, edges),
        calibration=(m.CalibrationRow(0.3, m.Rate(300, 120_000), 0.004),),
        at=tuple(_verification_at(name, threshold, names) for name, threshold in (("default", 0.33), ("80", 0.27))),
    )


def searches(names: tuple[str, str] = ("female", "male"), *, errors: int = 7) -> r.Searches:
    """Return searches of 535 people who aren't there, in galleries of 500, 1,000 and 2,000 faces."""
    found = []
    for name, threshold, pct, factor in (("default", 0.47, 89.0, 1), ("80", 0.40, 80.0, 12)):
        for faces in (500, 1_000, 2_000):
            wrong = errors * factor * faces // 2_000
            women = (wrong + 1) // 2
            found.append(
                r.IdentificationAt(
                    name=name,
                    similarity_pct=pct,
                    found=m.Identification(
                        gallery_faces=faces,
                        gallery_subjects=faces,
                        threshold=threshold,
                        rank=1,
                        fpir=rate(wrong, 535),
                        fnir=rate(faces // 50, 400),
                        ranks=tuple(m.RankRate(rank, rate(20 // rank, 400)) for rank in (1, 5, 10)),
                        fpir_by_group=(_by_group(names, (women, wrong - women), (135, 400)),),
                        fnir_by_group=(_by_group(names, (faces // 100, faces // 50 - faces // 100), (100, 300)),),
                    ),
                )
            )
    fit = m.TailFit(above=0.35, exceedances=80, searches=535, gallery_faces=2_000, shape=-0.1, scale=0.04)
    interval = m.Interval(0.02, 0.09, 0.95, m.IntervalMethod.SUBJECT_BOOTSTRAP)
    return r.Searches(
        mates=None,
        strangers=_histogram(
            np.random.default_rng(1).normal(0.3, 0.05, 535).astype(np.float32), np.linspace(-1, 1, 101)
        ),
        at=tuple(found),
        beyond=(r.Beyond(name="default", estimate=m.Extrapolation(25_000, 0.5, 0.05, interval, fit)),),
    )


def evaluation(kind: r.Kind = r.Kind.IDENTIFICATION, **changes: Any) -> r.Evaluation:
    """Return a document with everything in it."""
    said: dict[str, Any] = {
        "evaluation": "lfw-2026-11",
        "kind": kind,
        "completed": datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
        "tester": "University of Springfield",
        "is_independent": True,
        "software": "recognizance 0.1.0",
        "engine": r.Engine(
            name="in process",
            version="0.1.0",
            model="sface-2021dec@fb143eea07838aa5",
            model_digest=DIGEST,
            endpoint=None,
            scale=r.Scale.COSINE,
        ),
        "data": r.DataSet(
            commitment="ab" * 32,
            description="Labeled Faces in the Wild, cropped",
            subjects=2_795,
            images=5_151,
            groups=(
                r.GroupSize(column=_COLUMN, group="female", subjects=700, images=1_200),
                r.GroupSize(column=_COLUMN, group="male", subjects=2_000, images=3_900),
            ),
        ),
        "protocol": "one-to-many/1",
        "seed": 7,
        "settings": (r.Setting(name="max_fpir", value="0.01"), r.Setting(name="resamples", value="1000")),
        "operating": "default",
        "operator_gallery_faces": 1_500,
        "suspected_labels": r.SuspectedLabels(
            impostors_that_look_mated=12, mated_that_look_impostor=3, listing_digest=DIGEST
        ),
        "exclusions": None,
        "findings": findings(),
        "without_excluded": None,
        "gate": gate(),
    }
    return r.Evaluation(**{**said, **changes})


def findings(**changes: Any) -> r.Findings:
    said: dict[str, Any] = {
        "acquisition": rate(1, 5_151),
        "acquisition_by_group": (_by_group(("female", "male"), (0, 1), (1_200, 3_900)),),
        "verification": verification(),
        "searches": searches(),
    }
    return r.Findings(**{**said, **changes})


def with_exclusions() -> r.Evaluation:
    """Return a document whose conclusions leave wrong labels out: fewer strangers meet a candidate."""
    return evaluation(
        exclusions=r.Exclusions(
            decided_by="A. Reader",
            decided=datetime(2026, 11, 22, 8, 0, tzinfo=UTC),
            reason="The same photograph under two names.",
            decision_digest="cd" * 32,
            images=5,
            pairs=12,
        ),
        without_excluded=findings(searches=searches(errors=2)),
    )


DECISION = (
    b"what,first,second,who,when,why\n"
    b"people,Doc_Rivers,Glenn_Rivers,A. Reader,2026-11-22T08:00:00Z,one person under two names\n"
)


def set_aside(document: r.Evaluation, decision: bytes = DECISION) -> r.Evaluation:
    """Return a document that names a decision to leave labels out, which changed nothing."""
    exclusions = with_exclusions().exclusions
    assert exclusions is not None
    named = replace(exclusions, decision_digest=decision_digest(decision, document.data.commitment))
    return replace(document, exclusions=named, without_excluded=document.findings)


def gate(fpir_at_most: float = 0.05) -> Gate:
    """Return a gate on the searches above: everybody and each group at the operating threshold."""
    largest = next(each for each in searches().at if each.name == "default" and each.found.gallery_faces == 2_000)
    limit = Limit(measure=Measure.FPIR, at_most=fpir_at_most)
    checks = [Check(limit=limit, column=None, group=None, gallery_faces=2_000, estimate=largest.found.fpir)]
    for by_group in largest.found.fpir_by_group:
        checks += [
            Check(limit=limit, column=by_group.column, group=each.group, gallery_faces=2_000, estimate=each.estimate)
            for each in by_group.rates
        ]
    return judged(checks, [Agreement(what="default threshold", authorised="80", found="80", agrees=True)])


def hostile() -> r.Evaluation:
    """Return a document in which everything that a manifest or a tester names is meant to do harm."""
    document = evaluation()
    names = (HOSTILE, "male")
    return replace(
        document,
        tester=HOSTILE,
        data=replace(document.data, description=HOSTILE),
        settings=(r.Setting(name=HOSTILE, value=HOSTILE),),
        findings=findings(verification=verification(names), searches=searches(names)),
        engine=replace(document.engine, name=HOSTILE, model=HOSTILE),
    )


def _by_group(names: tuple[str, str], errors: tuple[int, int], trials: tuple[int, int]) -> m.GroupRates:
    rates = tuple(
        m.GroupRate(name, count, rate(wrong, count)) for name, wrong, count in zip(names, errors, trials, strict=True)
    )
    return m.GroupRates(_COLUMN, rates)


def _histogram(values: Scores, edges: NDArray[np.float64]) -> m.Histogram:
    counts, _ = np.histogram(values, edges)
    return m.Histogram(tuple(edges.tolist()), tuple(counts.tolist()))


def _verification_at(name: str, threshold: float, names: tuple[str, str]) -> r.VerificationAt:
    mated, impostors = scores()
    missed = tuple(int((mated[key] < threshold).sum()) for key in mated)
    false = tuple(int((impostors[key] >= threshold).sum()) for key in impostors)
    cross = rate(false[1], 100_000)
    matrix = m.GroupMatrix(
        _COLUMN,
        threshold,
        names,
        ((rate(false[0], 60_000), cross), (cross, rate(false[1], 60_000))),
    )
    measured, unbounded = (
        m.Differential(2.5, m.Standing.MEASURED, 1.5, None),
        m.Differential(None, m.Standing.UNBOUNDED),
    )
    spread = m.Spread(names[0], names[1], measured, measured, measured, measured)
    return r.VerificationAt(
        name=name,
        threshold=threshold,
        similarity_pct=80.0,
        fmr=rate(sum(false), 120_000),
        fnmr=rate(sum(missed), 4_000),
        fnmr_by_group=(_by_group(names, (missed[0], missed[1]), (2_000, 2_000)),),
        matrices=(matrix,),
        differentials=(m.Differentials(_COLUMN, threshold, 0.5, spread, spread, measured, measured, unbounded),),
    )


def _strangers() -> Scores:
    return np.random.default_rng(1).normal(0.3, 0.05, 535).astype(np.float32)

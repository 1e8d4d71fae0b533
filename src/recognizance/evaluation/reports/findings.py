"""What was measured, section by section: each drawing with its numbers as a table.

Pure. Implements docs/evaluation-reports.md, "The report".
"""

from collections.abc import Iterator, Sequence

from recognizance.evaluation.extremes import LEAST_EXCEEDANCES
from recognizance.evaluation.measures import Curve, Differentials, Estimate, Histogram, MatchRateAtFmr, Spread
from recognizance.evaluation.plots import (
    Reference,
    bars_picture,
    det_picture,
    histogram_picture,
    matrix_picture,
    sizes_picture,
)
from recognizance.evaluation.reports.summary import ACLU_2018
from recognizance.evaluation.reports.views import (
    RATE_COLUMNS,
    group_rows,
    operating_comparison,
    operating_search,
    own_group_rows,
    rate_cells,
    rate_table,
    searches_by_threshold,
)
from recognizance.evaluation.results import (
    Beyond,
    Evaluation,
    Findings,
    IdentificationAt,
    Kind,
    Scale,
    VerificationAt,
)
from recognizance.evaluation.words import differential_words, percent
from recognizance.register.reports.blocks import Block, Heading, Paragraph, Table

_CURVE_ROWS = 12
_HISTOGRAM_ROWS = 12
_SCALES = {
    Scale.COSINE: "score (cosine, -1 to 1)",
    Scale.SIMILARITY_PCT: "similarity (0 to 100)",
    Scale.OTHER: "score on the engine's own scale",
}


def findings_blocks(evaluation: Evaluation) -> Iterator[Block]:
    """Yield the sections on searches, on comparisons, on groups, and on pictures without a usable face."""
    findings = evaluation.concluded
    if findings.searches is not None:
        yield from _searches(evaluation, findings)
    if findings.verification is not None:
        yield from _comparisons(evaluation, findings)
    yield Heading("Pictures in which no face could be used")
    rows = (("everybody", findings.acquisition), *group_rows(findings.acquisition_by_group))
    yield rate_table("Failure to acquire (FTA)", "Group", rows)


def _searches(evaluation: Evaluation, findings: Findings) -> Iterator[Block]:
    by_threshold = searches_by_threshold(findings)
    beyond = () if findings.searches is None else findings.searches.beyond
    yield Heading("Searches, and how the gallery's size changes them")
    if len({at.found.gallery_faces for found in by_threshold.values() for at in found}) > 1 or beyond:
        title = "Wrong people returned, by size of the gallery"
        yield sizes_picture(by_threshold, beyond, evaluation.operator_gallery_faces, title)
    every = [at for found in by_threshold.values() for at in found]
    yield _searches_table("FPIR: searches for absent people that return somebody", every, "fpir")
    if any(at.found.fnir.rate.trials for at in every):
        yield _searches_table("FNIR: searches for enrolled people that miss them", every, "fnir")
    if beyond:
        yield _beyond_table(beyond)
    yield from _thresholds(evaluation, by_threshold)
    at = operating_search(evaluation, findings)
    if at is not None:
        yield from _search_groups(at)
        yield from _ranks(evaluation, at)
    if findings.searches is not None:
        parts = [("mates", findings.searches.mates), ("strangers' best candidates", findings.searches.strangers)]
        there = [(name, histogram) for name, histogram in parts if histogram is not None and any(histogram.counts)]
        lines = [(each.name, each.found.threshold) for each in ([at] if at else [])]
        if there:
            yield histogram_picture(there, lines, "Scores of searches", _SCALES[evaluation.engine.scale], "searches")
            yield from _histogram_tables(there)


def _ranks(evaluation: Evaluation, at: IdentificationAt) -> Iterator[Block]:
    # An endpoint's own threshold cuts the list of candidates off, whatever was asked for.
    whatever = "whatever their score" if evaluation.engine.endpoint is None else "of those that the endpoint returns"
    rows = tuple((str(each.rank), each.missed) for each in at.found.ranks)
    if any(estimate.rate.trials for _, estimate in rows):
        title = f"Mates not among the first candidates, {whatever}, {at.found.gallery_faces:,} faces"
        yield rate_table(title, "Among the first", rows)


def _searches_table(title: str, every: list[IdentificationAt], which: str) -> Table:
    rows: list[tuple[str, ...]] = []
    for at in every:
        estimate: Estimate = at.found.fpir if which == "fpir" else at.found.fnir
        similarity = "" if at.similarity_pct is None else f"{at.similarity_pct:.4g}"
        first = (at.name, f"{at.found.gallery_faces:,}", f"{at.found.threshold:.4g}", similarity)
        rows.append((*first, *rate_cells(estimate)))
    return Table(title, ("Threshold", "Faces", "Score", "Similarity", *RATE_COLUMNS), tuple(rows))


def _beyond_table(beyond: Sequence[Beyond]) -> Table:
    rows: list[tuple[str, ...]] = []
    for each in beyond:
        estimate = each.estimate
        rate = "insufficient evidence" if estimate.fpir is None else percent(min(1.0, estimate.fpir))
        ends = ""
        if estimate.interval is not None:
            ends = f"{percent(max(0.0, estimate.interval.low))} to {percent(min(1.0, estimate.interval.high))}"
        tail = "" if estimate.fit is None else f"{estimate.fit.exceedances:,} of {estimate.fit.searches:,} searches"
        rows.append((each.name, f"{estimate.gallery_faces:,}", f"{estimate.threshold:.4g}", rate, ends, tail))
    columns = ("Threshold", "Faces", "Score", "Estimated FPIR", "95 % interval", "Rests on")
    title = "Extreme-value estimates beyond the data: not measurements"
    if any(each.estimate.fpir is None for each in beyond):
        title += f"; one takes {LEAST_EXCEEDANCES} absent people in the highest tenth of the best scores"
    return Table(title, columns, tuple(rows))


def _thresholds(evaluation: Evaluation, by_threshold: dict[str, tuple[IdentificationAt, ...]]) -> Iterator[Block]:
    """Yield the thresholds beside each other in the largest gallery, where more than one was tried."""
    if len(by_threshold) < 2:
        return
    largest = [(name, found[-1]) for name, found in by_threshold.items() if found]
    rows = [(name, at.found.fpir) for name, at in largest]
    reference = None
    if evaluation.kind is Kind.ACLU:
        reference = Reference(ACLU_2018.errors / ACLU_2018.trials, "28 of 535, ACLU 2018")
    yield Heading("One gallery, several thresholds", 3)
    what = "searches that return a wrong person (FPIR)"
    yield bars_picture(rows, "Wrong people returned, by threshold, largest gallery", what, reference)
    yield Paragraph("The numbers are in the table of FPIR above: the rows with the largest gallery of each threshold.")


def _search_groups(at: IdentificationAt) -> Iterator[Block]:
    for title, what, by_column in (
        ("Wrong people returned, by group", "searches that return a wrong person (FPIR)", at.found.fpir_by_group),
        ("Enrolled people missed, by group", "searches that miss the mate (FNIR)", at.found.fnir_by_group),
    ):
        rows = group_rows(by_column)
        if any(estimate.rate.trials for _, estimate in rows):
            full = f"{title}, threshold {at.name}, {at.found.gallery_faces:,} faces"
            yield bars_picture(rows, full, what)
            yield rate_table(full, "Group", rows)


def _comparisons(evaluation: Evaluation, findings: Findings) -> Iterator[Block]:
    verification = findings.verification
    if verification is None:
        return
    yield Heading("Comparisons of two pictures")
    yield det_picture(verification, "Both errors, at every threshold (DET)")
    yield _curve_table(verification.curve)
    yield _named_thresholds(verification.at)
    yield _match_rates(verification.match_rates)
    if verification.equal_error is not None:
        crossing = verification.equal_error
        yield Paragraph(
            f"Both errors are closest at the score {crossing.threshold:.4g}: FMR {crossing.fmr.errors:,} of"
            f" {crossing.fmr.trials:,}, FNMR {crossing.fnmr.errors:,} of {crossing.fnmr.trials:,}. Their mean, the"
            f" equal error rate, is {percent(crossing.value)}."
        )
    parts = [("one person", verification.mated), ("different people", verification.impostors)]
    lines = [(each.name, each.threshold) for each in verification.at]
    yield histogram_picture(parts, lines, "Scores of comparisons", _SCALES[evaluation.engine.scale])
    yield from _histogram_tables(parts)
    at = operating_comparison(evaluation, findings)
    if at is not None:
        yield from _comparison_groups(at)
    if verification.calibration:
        rows = tuple((f"{each.score:.4g}", f"{each.rate.errors:,}", f"{each.rate.trials:,}", f"{each.fmr_bound:.3g}")
                     for each in verification.calibration)  # fmt: skip
        columns = ("Score", "Different people who reach it", "Comparisons", "Bound on FMR")
        yield Table("Calibration: how often two different people reach a score", columns, rows)


def _curve_table(curve: Curve) -> Table:
    """Return some points of a curve, evenly along it; all of them are in the CSV file."""
    step = -(-len(curve.points) // _CURVE_ROWS)
    rows: list[tuple[str, ...]] = []
    for point in curve.points[::step]:
        for name, estimate in (("FMR", point.fmr), ("FNMR", point.fnmr)):
            rows.append((f"{point.threshold:.4g}", name, *rate_cells(estimate)))
    shown = "" if step == 1 else f", every {step}th of {len(curve.points)} points"
    return Table(f"The curve of everybody{shown}", ("Score", "Measure", *RATE_COLUMNS), tuple(rows))


def _histogram_tables(parts: Sequence[tuple[str, Histogram]]) -> Iterator[Block]:
    """Yield how many scores fell where, several bins of the drawing to a row, without empty ends."""
    for name, histogram in parts:
        filled = [place for place, count in enumerate(histogram.counts) if count]
        if not filled:
            continue
        first, beyond = filled[0], filled[-1] + 1
        step = -(-(beyond - first) // _HISTOGRAM_ROWS)
        rows = tuple(
            (
                f"{histogram.edges[place]:.4g} to {histogram.edges[min(place + step, beyond)]:.4g}",
                f"{sum(histogram.counts[place : min(place + step, beyond)]):,}",
            )
            for place in range(first, beyond, step)
        )
        yield Table(f"Scores: {name}", ("Score", "How many"), rows)


def _named_thresholds(every: tuple[VerificationAt, ...]) -> Table:
    rows: list[tuple[str, ...]] = []
    for at in every:
        similarity = "" if at.similarity_pct is None else f"{at.similarity_pct:.4g}"
        for name, estimate in (("FMR", at.fmr), ("FNMR", at.fnmr)):
            rows.append((at.name, f"{at.threshold:.4g}", similarity, name, *rate_cells(estimate)))
    columns = ("Threshold", "Score", "Similarity", "Measure", *RATE_COLUMNS)
    return Table("Errors at the thresholds that have a name", columns, tuple(rows))


def _match_rates(every: tuple[MatchRateAtFmr, ...]) -> Table:
    rows: list[tuple[str, ...]] = []
    for each in every:
        if each.point is None:
            rows.append(
                (percent(each.target_fmr), "", "insufficient evidence", "finer than one error in all comparisons")
            )
            continue
        accepted = each.point.fnmr.rate.complement
        value = "" if accepted.value is None else percent(accepted.value)
        interval = each.point.fnmr.interval
        ends = "" if interval is None else f"{percent(1 - interval.high)} to {percent(1 - interval.low)}"
        rows.append((percent(each.target_fmr), f"{each.point.threshold:.4g}", value, ends))
    columns = ("FMR at most", "Score", "One person accepted (TMR)", "95 % interval")
    return Table("True match rate at fixed false match rates", columns, tuple(rows))


def _comparison_groups(at: VerificationAt) -> Iterator[Block]:
    for matrix in at.matrices:
        yield Heading(f"Between groups of {matrix.column}, at the threshold {at.name}", 3)
        if len(matrix.groups) > 1:
            yield matrix_picture(matrix, "False match rate between groups")
        yield Table(
            "FMR between groups: two different people, one of each group",
            ("Group", "With", *RATE_COLUMNS),
            tuple(
                (matrix.groups[i], matrix.groups[j], *rate_cells(matrix.cells[i][j]))
                for i in range(len(matrix.groups))
                for j in range(i + 1)
            ),
        )
        own = own_group_rows(matrix)
        yield bars_picture(own, "Strangers of one group taken for one person", "FMR within the group")
    for column in at.fnmr_by_group:
        rows = group_rows((column,))
        yield bars_picture(rows, "One person taken for two, by group", "FNMR")
        yield rate_table("FNMR by group", "Group", rows)
    for each in at.differentials:
        yield _differentials(each)
    if at.differentials:
        yield Paragraph(
            "A ratio of highest to lowest is never below 1, whoever is compared: that its interval leaves 1 out is no"
            " proof that groups differ. Compare the intervals of their rates."
        )


def _differentials(found: Differentials) -> Table:
    return Table(
        f"How unequal groups of {found.column} are (fair: a ratio of 1, a Gini coefficient of 0)",
        ("Figure", "Value, with 95 % interval", "Highest group", "Lowest group"),
        (
            *_spread("FMR", found.fmr),
            *_spread("FNMR", found.fnmr),
            (f"FDR, weight {found.alpha:g}; 1 is fair", differential_words(found.fdr), "", ""),
            (f"GARBE, weight {found.alpha:g}; 0 is fair", differential_words(found.garbe), "", ""),
            (f"Inequity rate, weight {found.alpha:g}; 1 is fair", differential_words(found.inequity_rate), "", ""),
        ),
    )


def _spread(measure: str, spread: Spread) -> tuple[tuple[str, str, str, str], ...]:
    highest, lowest = spread.highest or "", spread.lowest or ""
    return (
        (f"{measure}: highest less lowest", differential_words(spread.gap), highest, lowest),
        (f"{measure}: highest by lowest", differential_words(spread.max_to_min), highest, lowest),
        (f"{measure}: highest by geometric mean", differential_words(spread.max_to_geometric_mean), highest, ""),
        (f"{measure}: Gini coefficient", differential_words(spread.gini), "", ""),
    )

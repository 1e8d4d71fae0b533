"""The numbers of a result document as CSV files, one a kind of number, for whoever wants to compute with them.

Counts and full precision, unlike the report's rounded figures. A text that a spreadsheet would compute is written with
an apostrophe before it. Where labels were excluded, the column `labels` tells `all` from `without_excluded`.

Pure. Implements docs/evaluation-reports.md, "CSV".
"""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from recognizance.evaluation.measures import Differential, Differentials, Estimate, Extrapolation, GroupRates, Histogram
from recognizance.evaluation.results import Evaluation, Findings, Searches, Verification
from recognizance.register.document import csv_text

Row: TypeAlias = tuple[object, ...]

_COUNTS = ("errors", "trials", "independent_errors", "independent_trials")
_RATE = (*_COUNTS, "rate", "low", "high", "level", "method", "evidence")
_EVERYBODY = ("", "everybody")


def csv_files(evaluation: Evaluation) -> dict[str, bytes]:
    """Return the files by name. One without rows has its heading only."""
    parts = [("all", evaluation.findings)]
    if evaluation.without_excluded is not None:
        parts.append(("without_excluded", evaluation.without_excluded))
    made: dict[str, tuple[tuple[str, ...], list[Row]]] = {
        "rates.csv": (("measure", "threshold", "score", "similarity_pct", "faces", "column", "group", *_RATE), []),
        "matrices.csv": (("threshold", "score", "column", "group", "with_group", *_RATE), []),
        "curves.csv": (("column", "group", "score", "measure", *_RATE), []),
        "ranks.csv": (("threshold", "faces", "rank", *_RATE), []),
        "histograms.csv": (("scores", "low", "high", "count"), []),
        "differentials.csv": (("threshold", "score", "column", "figure", "standing", "value", "low", "high"), []),
        "beyond.csv": (("threshold", "faces", "score", "estimated_fpir", "low", "high", "exceedances", "searches"), []),
        "calibration.csv": (("score", "errors", "trials", "fmr_bound"), []),
    }
    for labels, findings in parts:
        for name, row in _rows(findings):
            made[name][1].append((labels, *row))
    return {name: _file(("labels", *columns), rows) for name, (columns, rows) in made.items()}


def _file(columns: tuple[str, ...], rows: Iterable[Row]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue().encode()


def _cell(value: object) -> str:
    # Seventeen digits bring the same number back; the report rounds, this doesn't.
    return repr(value) if isinstance(value, float) else csv_text(value)


def _rows(findings: Findings) -> Iterator[tuple[str, Row]]:
    yield "rates.csv", ("fta", "", "", "", "", *_EVERYBODY, *_rate(findings.acquisition))
    yield from _groups(("fta", "", "", "", ""), findings.acquisition_by_group)
    if findings.verification is not None:
        yield from _verification(findings.verification)
    if findings.searches is not None:
        yield from _searches(findings.searches)


def _verification(found: Verification) -> Iterator[tuple[str, Row]]:
    for at in found.at:
        place = (at.name, at.threshold, at.similarity_pct, "")
        yield "rates.csv", ("fmr", *place, *_EVERYBODY, *_rate(at.fmr))
        yield "rates.csv", ("fnmr", *place, *_EVERYBODY, *_rate(at.fnmr))
        yield from _groups(("fnmr", *place), at.fnmr_by_group)
        for matrix in at.matrices:
            for i, first in enumerate(matrix.groups):
                for j, second in enumerate(matrix.groups[: i + 1]):
                    cell = (at.name, matrix.threshold, matrix.column, first, second, *_rate(matrix.cells[i][j]))
                    yield "matrices.csv", cell
        for found_unequal in at.differentials:
            for name, figure in _figures(found_unequal):
                row = (at.name, found_unequal.threshold, found_unequal.column, name, *_differential(figure))
                yield "differentials.csv", row
    curves = [(*_EVERYBODY, found.curve), *((each.column, each.group, each.curve) for each in found.group_curves)]
    for column_name, group, curve in curves:
        for point in curve.points:
            yield "curves.csv", (column_name, group, point.threshold, "fmr", *_rate(point.fmr))
            yield "curves.csv", (column_name, group, point.threshold, "fnmr", *_rate(point.fnmr))
    yield from _histogram("mated", found.mated)
    yield from _histogram("impostor", found.impostors)
    for knot in found.calibration:
        yield "calibration.csv", (knot.score, knot.rate.errors, knot.rate.trials, knot.fmr_bound)


def _figures(found: Differentials) -> Iterator[tuple[str, Differential]]:
    for name, spread in (("fmr", found.fmr), ("fnmr", found.fnmr)):
        yield f"{name}_gap", spread.gap
        yield f"{name}_max_to_min", spread.max_to_min
        yield f"{name}_max_to_geometric_mean", spread.max_to_geometric_mean
        yield f"{name}_gini", spread.gini
    yield "fdr", found.fdr
    yield "garbe", found.garbe
    yield "inequity_rate", found.inequity_rate


def _searches(found: Searches) -> Iterator[tuple[str, Row]]:
    for at in found.at:
        place = (at.name, at.found.threshold, at.similarity_pct, at.found.gallery_faces)
        for name, estimate, by_group in (
            ("fpir", at.found.fpir, at.found.fpir_by_group),
            ("fnir", at.found.fnir, at.found.fnir_by_group),
        ):
            yield "rates.csv", (name, *place, *_EVERYBODY, *_rate(estimate))
            yield from _groups((name, *place), by_group)
        for rank in at.found.ranks:
            yield "ranks.csv", (at.name, at.found.gallery_faces, rank.rank, *_rate(rank.missed))
    for name, histogram in (("mates", found.mates), ("strangers", found.strangers)):
        if histogram is not None:
            yield from _histogram(name, histogram)
    for each in found.beyond:
        yield "beyond.csv", (each.name, *_extrapolation(each.estimate))


def _extrapolation(found: Extrapolation) -> Row:
    ends = (None, None) if found.interval is None else (found.interval.low, found.interval.high)
    rests_on = (None, None) if found.fit is None else (found.fit.exceedances, found.fit.searches)
    return (found.gallery_faces, found.threshold, found.fpir, *ends, *rests_on)


def _groups(place: Row, by_column: Iterable[GroupRates]) -> Iterator[tuple[str, Row]]:
    for column in by_column:
        for each in column.rates:
            yield "rates.csv", (*place, column.column, each.group, *_rate(each.estimate))


def _histogram(name: str, histogram: Histogram) -> Iterator[tuple[str, Row]]:
    for place, count in enumerate(histogram.counts):
        yield "histograms.csv", (name, histogram.edges[place], histogram.edges[place + 1], count)


def _rate(estimate: Estimate) -> Row:
    interval: Row = (None, None, None, None)
    if estimate.interval is not None:
        interval = (estimate.interval.low, estimate.interval.high, estimate.interval.level, estimate.interval.method)
    counts = (estimate.rate.errors, estimate.rate.trials, estimate.independent.errors, estimate.independent.trials)
    return (*counts, estimate.rate.value, *interval, estimate.evidence)


def _differential(found: Differential) -> Row:
    return (found.standing, found.value, found.low, found.high)

"""What reports look up in a result document: the operating threshold's figures, a group's rates, rows of tables.

Pure. Nothing here computes a rate; it only finds those that the document has.
"""

from collections.abc import Iterator, Sequence

from recognizance.evaluation.measures import Estimate, GroupMatrix, GroupRates
from recognizance.evaluation.results import DataSet, Evaluation, Findings, IdentificationAt, VerificationAt
from recognizance.evaluation.words import evidence_word, interval_words, percent
from recognizance.register.reports.blocks import Table

RATE_COLUMNS = ("Errors", "Trials", "Rate", "95 % interval", "Remark")


def set_in_words(data: DataSet) -> str:
    """Return what was measured on, with its description if whoever ran it gave one."""
    described = f" ({data.description})" if data.description.strip() else ""
    return f"{data.images:,} pictures of {data.subjects:,} people{described}"


def rate_cells(estimate: Estimate) -> tuple[str, ...]:
    """Return a rate as cells under `RATE_COLUMNS`."""
    value = estimate.rate.value
    return (
        f"{estimate.rate.errors:,}",
        f"{estimate.rate.trials:,}",
        "" if value is None else percent(value),
        interval_words(estimate),
        evidence_word(estimate),
    )


def rate_table(title: str, first: str, rows: Sequence[tuple[str, Estimate]]) -> Table:
    """Return a table of rates, one a row."""
    return Table(title, (first, *RATE_COLUMNS), tuple((name, *rate_cells(estimate)) for name, estimate in rows))


def operating_comparison(evaluation: Evaluation, findings: Findings) -> VerificationAt | None:
    """Return the comparisons at the operating threshold."""
    found = () if findings.verification is None else findings.verification.at
    return next((each for each in found if each.name == evaluation.operating), None)


def operating_search(evaluation: Evaluation, findings: Findings) -> IdentificationAt | None:
    """Return the searches at the operating threshold that stand for this operator's gallery.

    That is the smallest gallery measured that isn't smaller than the operator's, so that the figure doesn't flatter;
    without one, or without a stated size, the largest measured.
    """
    return nearest_size(evaluation, searches_at(evaluation.operating, findings))


def nearest_size(evaluation: Evaluation, found: Sequence[IdentificationAt]) -> IdentificationAt | None:
    """Return the one that stands for this operator's gallery, of searches by the gallery's size."""
    wanted = evaluation.operator_gallery_faces
    if wanted is not None:
        for each in found:
            if each.found.gallery_faces >= wanted:
                return each
    return found[-1] if found else None


def searches_at(name: str, findings: Findings) -> tuple[IdentificationAt, ...]:
    """Return the searches under the name of a threshold, by the gallery's size."""
    found = () if findings.searches is None else findings.searches.at
    return tuple(sorted((at for at in found if at.name == name), key=lambda at: at.found.gallery_faces))


def searches_by_threshold(findings: Findings) -> dict[str, tuple[IdentificationAt, ...]]:
    """Return all searches under the names of their thresholds, in the document's order."""
    found = () if findings.searches is None else findings.searches.at
    return {name: searches_at(name, findings) for name in dict.fromkeys(at.name for at in found)}


def own_group_rows(matrix: GroupMatrix) -> tuple[tuple[str, Estimate], ...]:
    """Return FMR within each group of a matrix, named `column: group`."""
    return tuple((f"{matrix.column}: {group}", matrix.own_group(group)) for group in matrix.groups)


def group_rows(by_column: Sequence[GroupRates]) -> tuple[tuple[str, Estimate], ...]:
    """Return the rates of all groups of all columns, named `column: group`."""
    return tuple((f"{each.column}: {rate.group}", rate.estimate) for each in by_column for rate in each.rates)


def group_size_rows(data: DataSet) -> tuple[tuple[str, str, str], ...]:
    """Return how many people and pictures each group has."""
    return tuple((f"{each.column}: {each.group}", f"{each.subjects:,}", f"{each.images:,}") for each in data.groups)


def extremes(rows: Sequence[tuple[str, Estimate]]) -> tuple[tuple[str, Estimate], tuple[str, Estimate]] | None:
    """Return the rows with the highest and the lowest rate; `None` with fewer than two that were tried."""
    tried = [each for each in rows if each[1].rate.trials]
    if len(tried) < 2:
        return None
    by_rate = sorted(tried, key=lambda each: (each[1].rate.value or 0.0, each[0]))
    return by_rate[-1], by_rate[0]


Rows = Sequence[tuple[str, Estimate]]
"""Rates by the name of what they are of."""


def headline_rates(evaluation: Evaluation, findings: Findings) -> Iterator[tuple[str, Estimate]]:
    """Yield the few rates that a result comes down to, named as in tables."""
    for name, estimate, _ in headlines(evaluation, findings):
        yield name, estimate


def headlines(evaluation: Evaluation, findings: Findings) -> Iterator[tuple[str, Estimate, Rows]]:
    """Yield the few rates that a result comes down to, each with that of every group; FMR within each group."""
    compared = operating_comparison(evaluation, findings)
    if compared is not None:
        own = [row for matrix in compared.matrices for row in own_group_rows(matrix)]
        yield "FMR: strangers taken for one person", compared.fmr, own
        yield "FNMR: one person taken for strangers", compared.fnmr, group_rows(compared.fnmr_by_group)
    searched = operating_search(evaluation, findings)
    if searched is not None:
        found, faces = searched.found, f"gallery of {searched.found.gallery_faces:,}"
        fpir = f"FPIR: absent people for whom somebody is returned, {faces}"
        yield fpir, found.fpir, group_rows(found.fpir_by_group)
        if found.fnir.rate.trials:
            yield f"FNIR: enrolled people who are missed, {faces}", found.fnir, group_rows(found.fnir_by_group)
    acquired = group_rows(findings.acquisition_by_group)
    yield "FTA: pictures in which no face could be used", findings.acquisition, acquired

"""Error rates of groups of people at one threshold for all, and how unequal they are.

Groups come from the evaluation's manifest and are never guessed. FMR is a matrix, because an impostor comparison is of
two people; its diagonal, impostors of one's own group, is what differentials are about. A comparison of somebody in no
group counts overall and in no cell; a mated pair whose images are in different groups (of age, say) in none either.

Pure. ISO/IEC 19795-10:2024; NISTIR 8280 and 8429.
"""

import numpy as np

from recognizance.evaluation import differentials as figures
from recognizance.evaluation.bootstrap import SubjectBootstrap
from recognizance.evaluation.estimates import false_match_estimates, false_non_match_estimates
from recognizance.evaluation.measures import Differential, Differentials, GroupMatrix, GroupRate, GroupRates
from recognizance.evaluation.tallies import Comparisons
from recognizance.evaluation.trials import cell_of

ALPHA = 0.5
"""Both errors weigh the same where nothing else is asked for. Whom each of them harms is the reader's to say."""


def group_matrix(
    comparisons: Comparisons, column: str, threshold: float, *, bootstrap: SubjectBootstrap | None = None
) -> GroupMatrix:
    """FMR between every two groups of a column."""
    names = comparisons.samples.groups[column][1]
    thresholds = np.array([threshold])
    resampled = bootstrap.false_match_rates(thresholds, column) if bootstrap else None
    cells = {
        cell_of(low, high): false_match_estimates(comparisons, thresholds, column, low, high, resampled=resampled)[0]
        for high in range(len(names))
        for low in range(high + 1)
    }
    rows = tuple(tuple(cells[cell_of(row, other)] for other in range(len(names))) for row in range(len(names)))
    return GroupMatrix(column, threshold, names, rows)


def fmr_by_group(
    comparisons: Comparisons, column: str, threshold: float, *, bootstrap: SubjectBootstrap | None = None
) -> GroupRates:
    """FMR of impostors of one's own group: the diagonal of the matrix."""
    matrix = group_matrix(comparisons, column, threshold, bootstrap=bootstrap)
    people = _people(comparisons, column)
    rates = (GroupRate(name, number, matrix.own_group(name)) for name, number in people.items())
    return GroupRates(column, tuple(rates))


def fnmr_by_group(
    comparisons: Comparisons, column: str, threshold: float, *, bootstrap: SubjectBootstrap | None = None
) -> GroupRates:
    """FNMR of each group of a column."""
    rates = []
    for group, (name, number) in enumerate(_people(comparisons, column).items()):
        found = false_non_match_estimates(comparisons, np.array([threshold]), column, group, bootstrap=bootstrap)
        rates.append(GroupRate(name, number, found[0]))
    return GroupRates(column, tuple(rates))


def differentials(
    comparisons: Comparisons,
    column: str,
    threshold: float,
    *,
    alpha: float = ALPHA,
    bootstrap: SubjectBootstrap | None = None,
) -> Differentials:
    """How unequal the groups of a column are, in FMR within groups and in FNMR, with intervals if there is a bootstrap.

    Where few errors were made the figures are mostly chance: read them with the rates they are made of.
    """
    names = comparisons.samples.groups[column][1]
    fmr = _values(fmr_by_group(comparisons, column, threshold))
    fnmr = _values(fnmr_by_group(comparisons, column, threshold))
    draws = _resampled(comparisons, column, threshold, bootstrap) if bootstrap else None

    def combined(of: figures.Combined) -> Differential:
        resampled = None if draws is None else of(draws[0], draws[1], alpha)
        return figures.differential(float(of(fmr, fnmr, alpha)), resampled)

    return Differentials(
        column=column,
        threshold=threshold,
        alpha=alpha,
        fmr=figures.spread(names, fmr, None if draws is None else draws[0]),
        fnmr=figures.spread(names, fnmr, None if draws is None else draws[1]),
        fdr=combined(figures.fairness_discrepancy),
        garbe=combined(figures.garbe),
        inequity_rate=combined(figures.inequity_rate),
    )


def _resampled(
    comparisons: Comparisons, column: str, threshold: float, bootstrap: SubjectBootstrap
) -> tuple[figures.GroupedRates, figures.GroupedRates]:
    """FMR within groups and FNMR, both (g, b)."""
    thresholds = np.array([threshold])
    groups = range(comparisons.grouping(column).size)
    within = [cell_of(group, group) for group in groups]
    fnmr = [bootstrap.false_non_match_rates(thresholds, column, group)[0] for group in groups]
    return bootstrap.false_match_rates(thresholds, column)[0, within], np.stack(fnmr)


def _values(rates: GroupRates) -> figures.GroupedRates:
    return np.array([np.nan if each.estimate.rate.value is None else each.estimate.rate.value for each in rates.rates])


def _people(comparisons: Comparisons, column: str) -> dict[str, int]:
    """How many people of each group took part."""
    codes, names = comparisons.samples.groups[column]
    taking_part = comparisons.design.samples()
    subjects = comparisons.samples.subjects[taking_part]
    return {name: len(np.unique(subjects[codes[taking_part] == group])) for group, name in enumerate(names)}

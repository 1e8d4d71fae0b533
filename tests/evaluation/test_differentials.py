"""Figures of inequality, by hand, by what must not change them, and where there is nothing to compare."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognizance.evaluation.differentials import (
    differential,
    fairness_discrepancy,
    gap,
    garbe,
    gini,
    inequity_rate,
    max_to_geometric_mean,
    max_to_min,
    spread,
)
from recognizance.evaluation.measures import Differential, Standing

FIGURES = [gap, max_to_min, max_to_geometric_mean, gini]
some_rates = st.lists(st.floats(1e-6, 0.5), min_size=2, max_size=8).map(np.array)

Floats = NDArray[np.float64]


def test_figures_are_found_by_hand() -> None:
    """Rates of 1, 2, 4 and 8 percent.

    Geometric mean: (1 * 2 * 4 * 8)^(1/4) = 64^(1/4) = 2.828427. Pairwise differences 1 3 7 2 6 4 add up to 23, twice
    that to 46; 46 / (2 * 4^2 * 3.75) = 0.383333, times 4/3 is 0.511111.
    """
    rates = np.array([0.01, 0.02, 0.04, 0.08])

    assert gap(rates) == pytest.approx(0.07)
    assert max_to_min(rates) == pytest.approx(8)
    assert max_to_geometric_mean(rates) == pytest.approx(8 / 2.828427, rel=1e-6)
    assert gini(rates) == pytest.approx(0.511111, abs=1e-6)


def test_combined_figures_are_found_by_hand() -> None:
    """FMR 1e-4 and 4e-4, FNMR 1 % and 3 %, weights 1/4 and 3/4.

    FDR: gaps 3e-4 and 0.02, so 1 - (0.000075 + 0.015) = 0.984925. GARBE: Gini of two is (b - a)/(a + b) with the
    factor 2, so 3/5 and 2/4: 0.15 + 0.375 = 0.525. Inequity: 4^(1/4) * 3^(3/4) = 1.414214 * 2.279507 = 3.223710.
    """
    fmr, fnmr = np.array([1e-4, 4e-4]), np.array([0.01, 0.03])

    assert fairness_discrepancy(fmr, fnmr, 0.25) == pytest.approx(0.984925)
    assert garbe(fmr, fnmr, 0.25) == pytest.approx(0.525)
    assert inequity_rate(fmr, fnmr, 0.25) == pytest.approx(3.223710, abs=1e-5)


@given(some_rates, st.integers(0, 99))
def test_the_order_of_groups_changes_nothing(rates: Floats, seed: int) -> None:
    """Groups are a set."""
    for figure in FIGURES:
        shuffled = np.random.default_rng(seed).permutation(rates)
        assert figure(shuffled) == pytest.approx(figure(rates), rel=1e-9, abs=1e-12)


@given(some_rates, st.floats(0.01, 1.0))
def test_ratios_dont_change_with_the_level_of_errors(rates: Floats, times: float) -> None:
    """All rates halved are as unequal; only the gap halves as well."""
    for figure in (max_to_min, max_to_geometric_mean, gini):
        assert figure(times * rates) == pytest.approx(figure(rates), rel=1e-6, abs=1e-9)
    assert gap(times * rates) == pytest.approx(times * gap(rates))


@given(some_rates)
def test_figures_keep_to_their_bounds(rates: Floats) -> None:
    """Equal rates are the fairest; a group without errors takes the Gini coefficient up to 1 and no further."""
    assert -1e-12 <= float(gini(rates)) <= 1 + 1e-12
    assert 1 - 1e-12 <= float(max_to_geometric_mean(rates)) <= float(max_to_min(rates)) + 1e-9
    equal = np.full(len(rates), rates[0])
    assert [float(figure(equal)) for figure in FIGURES] == pytest.approx([0, 1, 1, 0], abs=1e-9)


@given(some_rates, st.integers(2, 4))
def test_every_group_twice_moves_only_what_counts_groups(rates: Floats, times: int) -> None:
    """Ratios and gaps stay; the Gini coefficient falls by its small-sample factor, and by nothing else."""
    again = np.tile(rates, times)
    groups = len(rates)

    assert max_to_min(again) == pytest.approx(max_to_min(rates))
    assert max_to_geometric_mean(again) == pytest.approx(max_to_geometric_mean(rates))
    uncorrected = float(gini(rates)) * (groups - 1) / groups
    assert float(gini(again)) * (times * groups - 1) / (times * groups) == pytest.approx(uncorrected, abs=1e-9)


def test_a_group_without_errors_makes_a_ratio_unbounded() -> None:
    """It is said, and no number stands for it; gap and Gini coefficient have values."""
    found = spread(("a", "b", "c"), np.array([0.0, 0.02, 0.01]))

    assert found.max_to_min == Differential(None, Standing.UNBOUNDED)
    assert found.max_to_geometric_mean.standing is Standing.UNBOUNDED
    assert found.gap.value == 0.02
    # Differences 2, 1, 1 add up to 4, twice that to 8; 8 / (2 * 3 * 3 * 1) * 3/2 = 2/3.
    assert found.gini.value == pytest.approx(2 / 3)
    assert (found.highest, found.lowest) == ("b", "a")


@pytest.mark.parametrize("rates", [[0.0, 0.0], [0.1, np.nan], [np.nan, np.nan], [0.1]])
def test_without_errors_or_groups_nothing_reads_as_fair(rates: list[float]) -> None:
    """No error in any group, or fewer than two groups with trials: undefined, not 0 and not 1."""
    names = tuple("ab"[: len(rates)])
    some = np.array(rates)

    found = spread(names, some)

    undefined = Differential(None, Standing.UNDEFINED)
    assert (found.gap, found.max_to_min, found.max_to_geometric_mean, found.gini) == (undefined,) * 4
    assert (found.highest, found.lowest) == (None, None)
    for combined in (fairness_discrepancy, garbe, inequity_rate):
        assert np.isnan(combined(some, np.full(len(rates), 0.1), 0.5))


def test_groups_without_trials_take_no_part() -> None:
    """The others are compared as if it weren't there."""
    for figure in FIGURES:
        assert figure(np.array([0.01, np.nan, 0.03])) == pytest.approx(float(figure(np.array([0.01, 0.03]))))


def test_an_error_without_weight_takes_no_part() -> None:
    """At alpha 0 an undefined figure of FMR does no harm, at alpha 1 one of FNMR; other weights are none."""
    none, some = np.array([0.0, 0.0]), np.array([0.1, 0.2])

    assert garbe(none, some, 0.0) == pytest.approx(float(gini(some)))
    assert fairness_discrepancy(some, none, 1.0) == pytest.approx(0.9)
    with pytest.raises(ValueError, match="weight"):
        garbe(some, some, 1.5)


def test_the_first_by_name_stands_for_equals() -> None:
    """Whatever order the groups come in."""
    for names in (("z", "a", "m"), ("m", "z", "a")):
        found = spread(names, np.full(3, 0.1))

        assert (found.highest, found.lowest) == ("a", "a")


def test_resamples_without_a_figure_are_left_out_and_unbounded_ones_leave_it_open() -> None:
    """Of a hundred: three unbounded leave the upper end open; with sixty undefined there is no interval at all."""
    values = np.linspace(1, 2, 100)

    assert differential(1.5, values) == Differential(1.5, Standing.MEASURED, values[2], values[97])
    assert differential(1.5, np.r_[values[:97], [math.inf] * 3]).high is None
    assert differential(1.5, np.r_[values[:97], [math.inf] * 3]).low == values[2]
    assert differential(1.5, np.r_[values[:40], [math.nan] * 60]).low is None
    assert differential(math.inf, np.full(100, math.inf)) == Differential(None, Standing.UNBOUNDED)
    assert differential(math.inf, np.r_[values[:97], [math.inf] * 3]).low == values[2]
    assert differential(math.nan, values) == Differential(None, Standing.UNDEFINED)

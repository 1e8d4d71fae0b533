"""The bound that lets a search pass faces over: never below a score, whatever the data; and the products beneath it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from recognizance.gallery.codes import Coder
from recognizance.gallery.index import Templates, scores
from recognizance.gallery.instructions import CHUNK_BYTES, InstructionSet, chunk_product, instruction_sets
from recognizance.gallery.kernels import warm_up

warm_up()


def unit(vectors: np.ndarray) -> Templates:
    return np.ascontiguousarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def bounds(coder: Coder, probe: Templates, templates: Templates) -> tuple[np.ndarray, np.ndarray]:
    """The bound of each template, evaluated as the scan does but in NumPy, and how wide it is."""
    codes = np.zeros((len(templates), coder.width_bytes), dtype=np.uint8)
    residuals = np.zeros(len(templates), dtype=np.float32)
    coder.encode(templates, codes, residuals)
    prepared = coder.probe_codes(probe)
    products = (codes & 15).astype(np.int64) @ prepared.low[0].astype(np.int64)
    products += (codes >> 4).astype(np.int64) @ prepared.high[0].astype(np.int64)
    limits = prepared.scales[0] * products.astype(np.float32) + prepared.lengths[0] * residuals
    return limits + prepared.margins[0], prepared.lengths[0] * residuals


@settings(max_examples=60)
@given(
    dimensions=st.integers(1, 300),
    seed=st.integers(0, 2**32),
    kind=st.sampled_from(["gaussian", "axes", "sparse", "turned axes", "close to the probe", "heavy tails"]),
)
def test_the_bound_is_never_below_the_score(dimensions: int, seed: int, kind: str) -> None:
    """Random templates, and those that strain a quantiser: single axes, before and after turning, and near copies."""
    rng = np.random.default_rng(seed)
    coder = Coder(dimensions)
    probe = unit(rng.standard_normal((1, dimensions)))
    axes = np.eye(dimensions)[rng.integers(0, dimensions, 50)] * rng.choice([-1.0, 1.0], (50, 1))
    vectors: dict[str, Callable[[], np.ndarray]] = {
        "gaussian": lambda: rng.standard_normal((50, dimensions)),
        "axes": lambda: axes,
        "sparse": lambda: axes + 1e-3 * rng.standard_normal((50, dimensions)),
        # A template that lies along one axis after turning, where the quantiser's range ends long before.
        "turned axes": lambda: axes @ coder._turn.T.astype(np.float64),
        "close to the probe": lambda: probe + 1e-4 * rng.standard_normal((50, dimensions)),
        "heavy tails": lambda: rng.standard_cauchy((50, dimensions)) + 1e-6,
    }
    templates = unit(vectors[kind]())

    limits, _ = bounds(coder, probe, templates)

    assert (limits >= scores(probe[0], templates)).all()


def test_the_bound_is_narrow_for_templates_of_any_orientation() -> None:
    """A bound that holds by being wide would rule nothing out: four bits cost about 0.11 (Max, 1960)."""
    rng = np.random.default_rng(1)
    spread = unit(rng.standard_normal((2000, 128)))
    few_axes = unit(rng.standard_normal((2000, 128)) * np.r_[np.ones(20), np.full(108, 0.05)])

    widths = [bounds(Coder(128), spread[:1], templates)[1] for templates in (spread, few_axes)]

    assert np.median(widths[0]) < 0.115
    assert np.median(widths[1]) < 0.15


@pytest.mark.parametrize("instructions", InstructionSet)
def test_every_instruction_set_computes_the_same_integers(instructions: InstructionSet) -> None:
    """Against NumPy in 64 bits, with the extremes of both operands among the data."""
    if instructions not in instruction_sets():
        pytest.skip(f"this processor has no {instructions}")
    product = chunk_product(instructions)

    def compute(codes: Any, low: Any, high: Any) -> Any:
        out = np.zeros(codes.shape[0], dtype=np.int32)
        for row in range(codes.shape[0]):
            for place in range(0, codes.shape[1], CHUNK_BYTES):
                out[row] += product(codes, row, place, low, high, 1)
        return out

    compiled: Any = njit
    products = compiled(compute)
    rng = np.random.default_rng(2)
    codes = rng.integers(0, 256, (300, 2 * CHUNK_BYTES), dtype=np.uint8)
    codes[0] = 255
    for fill in (-128, 127, None):
        low, high = rng.integers(-128, 128, (2, 3, 2 * CHUNK_BYTES), dtype=np.int8)
        if fill is not None:
            low[:], high[:] = fill, fill
        expected = (codes & 15).astype(np.int64) @ low[1].astype(np.int64)
        expected += (codes >> 4).astype(np.int64) @ high[1].astype(np.int64)

        assert products(codes, low, high).tolist() == expected.tolist()

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.symbols.alphabet import MISSING, breakpoints, centres, to_symbols
from reference.slow_symbols import slow_symbol

SIZES = [2, 3, 4, 5, 8, 10, 20, 64, 250]
# Lin, Keogh, Wei, Lonardi 2007, table 3: the positive half of each column.
PUBLISHED = {
    3: [0.43],
    4: [0, 0.67],
    5: [0.25, 0.84],
    6: [0, 0.43, 0.97],
    7: [0.18, 0.57, 1.07],
    8: [0, 0.32, 0.67, 1.15],
    9: [0.14, 0.43, 0.76, 1.22],
    10: [0, 0.25, 0.52, 0.84, 1.28],
}


@pytest.mark.parametrize("size", PUBLISHED)
def test_breakpoints_are_the_published_ones(size):
    half = breakpoints(size)[(size - 1) // 2 :]
    np.testing.assert_allclose(half, PUBLISHED[size], atol=0.005 + 1e-9)


@pytest.mark.parametrize("size", SIZES)
def test_breakpoints_are_exact_gaussian_quantiles(size):
    exact = [NormalDist().inv_cdf(a / size) for a in range(1, size)]
    np.testing.assert_allclose(breakpoints(size), exact, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("size", SIZES)
def test_breakpoints_rise_and_are_exactly_symmetric(size):
    cuts = breakpoints(size)
    assert len(cuts) == size - 1
    assert (np.diff(cuts) > 0).all()
    np.testing.assert_array_equal(cuts, -cuts[::-1])
    if size % 2 == 0:
        assert cuts[size // 2 - 1] == 0


@pytest.mark.parametrize("size", SIZES)
def test_a_value_on_a_breakpoint_takes_the_lower_symbol(size):
    cuts = breakpoints(size)
    on = to_symbols(cuts, cuts)
    np.testing.assert_array_equal(on, np.arange(1, size))
    np.testing.assert_array_equal(to_symbols(np.nextafter(cuts, np.inf), cuts), on + 1)
    np.testing.assert_array_equal(to_symbols(np.nextafter(cuts, -np.inf), cuts), on)


@pytest.mark.parametrize("size", SIZES)
def test_the_ends_take_the_first_and_the_last_symbol(size):
    ends = to_symbols(np.array([-np.inf, -1e30, 1e30, np.inf]), breakpoints(size))
    assert ends.tolist() == [1, 1, size, size]


def test_nan_is_the_missing_symbol():
    cuts = breakpoints(20)
    assert to_symbols(np.array([np.nan, 0.0, np.nan]), cuts).tolist() == [MISSING, 10, MISSING]


def test_symbols_are_equally_probable_for_a_gaussian():
    gauss = NormalDist()
    for size in SIZES:
        edges = [0.0, *(gauss.cdf(b) for b in breakpoints(size)), 1.0]
        np.testing.assert_allclose(np.diff(edges), 1 / size, rtol=1e-10)


@given(st.lists(st.floats(-20, 20), min_size=1), st.integers(2, 250))
def test_symbols_agree_with_the_slow_twin_or_the_value_is_on_a_breakpoint(values, size):
    cuts = breakpoints(size)
    for z, symbol in zip(values, to_symbols(np.array(values), cuts), strict=True):
        if np.abs(cuts - z).min() > 1e-12:
            assert symbol == slow_symbol(z, size)


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=True), min_size=2), st.sampled_from(SIZES)
)
def test_a_larger_value_never_takes_a_smaller_symbol(values, size):
    symbols = to_symbols(np.sort(np.array(values)), breakpoints(size)).astype(int)
    assert (np.diff(symbols) >= 0).all()
    assert symbols.min() >= 1
    assert symbols.max() <= size


@pytest.mark.parametrize("size", SIZES)
def test_centres_are_exact_gaussian_quantiles(size):
    exact = [NormalDist().inv_cdf((s - 0.5) / size) for s in range(1, size + 1)]
    np.testing.assert_allclose(centres(size)[1:], exact, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("size", SIZES)
def test_every_centre_lies_inside_its_own_symbol(size):
    middle = centres(size)
    assert len(middle) == size + 1
    assert middle[MISSING] == 0
    np.testing.assert_array_equal(to_symbols(middle[1:], breakpoints(size)), np.arange(1, size + 1))
    np.testing.assert_array_equal(middle[1:], -middle[:0:-1])


def test_the_largest_alphabet_fits_a_byte():
    symbols = to_symbols(np.array([9.0]), breakpoints(250))
    assert symbols.dtype == np.uint8
    assert symbols.item() == 250


@pytest.mark.parametrize("size", SIZES)
def test_cells_give_what_a_search_gives(size):
    rng = np.random.default_rng(size)
    cuts = breakpoints(size)
    near = cuts + rng.normal(size=(40, size - 1)) * 10.0 ** -rng.integers(2, 17, (40, 1))
    far = [-np.inf, np.inf, -1e308, 1e308, -4.0, 4.0, np.nan, -0.0]
    values = np.concatenate([near.ravel(), cuts, far, rng.normal(0, 3, 5000)])
    expected = 1 + np.searchsorted(cuts, values, side="left")
    expected[np.isnan(values)] = MISSING
    np.testing.assert_array_equal(to_symbols(values, cuts), expected)

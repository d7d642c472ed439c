from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from maestro_ts.signals.store.quantum import MISSING_CODE, encode


def decoded(codes, lattice):
    out = np.empty(codes.shape, dtype=np.float32)
    lattice.decoder().decode(codes, out)
    return out


def assert_round_trip(values):
    codes, lattice = encode(values)
    assert codes.dtype == np.int16
    found = decoded(codes, lattice)
    there = ~np.isnan(values)
    assert (np.isnan(found) == ~there).all()
    assert found[there].tobytes() == values[there].tobytes()
    return lattice


@given(
    st.sampled_from([1.0, 1 / 64, 1 / 4096, 0.01, 0.001, 1 / 5000, 3 / 65536, 25 / 65536, 4.0]),
    st.integers(-60_000, 60_000),
    st.integers(0, 2**32 - 1),
)
def test_multiples_of_a_quantum_come_back_with_all_their_bits(quantum, middle, seed):
    rng = np.random.default_rng(seed)
    steps = middle + np.clip(rng.integers(-40, 41, (4000, 2)).cumsum(axis=0), -30_000, 30_000)
    values = (steps * quantum).astype(np.float32)
    values[rng.random(values.shape) < 0.05] = np.nan
    if np.signbit(values[values == 0]).any():
        return
    assert_round_trip(values)


@given(arrays(np.float32, (20, 2), elements=st.floats(width=32, allow_infinity=False)))
def test_whatever_is_encoded_comes_back(values):
    found = encode(values)
    if found is not None:
        assert_round_trip(values)


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=1000),
        np.array([-0.0, 1.0]),
        np.arange(70_000) / 64,
        np.array([1e-40, 1.0]),
        np.r_[np.arange(5000) / 64, 0.1],
    ],
    ids=["noise", "negative zero", "too many steps", "tiny beside large", "one value off"],
)
def test_what_would_change_is_left_as_it_is(values):
    assert encode(values.astype(np.float32)[:, None]) is None


def test_one_channel_off_the_lattice_keeps_all_as_they_are():
    values = np.stack([np.arange(50) / 64, np.random.default_rng(0).normal(size=50)], axis=1)
    assert encode(values.astype(np.float32)) is None


def test_missing_samples_have_a_code_of_their_own():
    values = np.array([[-32767.0, np.nan], [np.nan, np.nan], [32767.0, np.nan]], np.float32)
    codes, _ = encode(values)
    assert (codes == MISSING_CODE).tolist() == np.isnan(values).tolist()
    assert_round_trip(values)


def test_an_unsigned_converter_of_16_bits_fits():
    steps = np.random.default_rng(0).permutation(65_535)
    lattice = assert_round_trip((steps * (25 / 65536)).astype(np.float32)[:, None])
    assert lattice.zeros != (0,)


def test_channels_share_their_quantum_where_one_fits():
    values = np.stack([np.arange(100) / 64, np.arange(100) / 4], axis=1).astype(np.float32)
    lattice = assert_round_trip(values)
    assert len(set(lattice.quanta)) == 1
    assert lattice.decoder().quanta.dtype == np.float32


@pytest.mark.parametrize("shape", [(0, 2), (1, 1)])
def test_little_is_enough(shape):
    assert_round_trip(np.full(shape, np.nan, np.float32))

"""Properties of noise: what is spoilt and what is not, how much, and that draws stay in place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from faulty_windows import faulty_windows, same_samples
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_ts.signals.levels import Levels
from maestro_ts.signals.noise import add_noise, add_spikes, replace_by_noise
from maestro_ts.signals.windows import Windows

Spoil = Callable[[Windows, Levels, int], Windows]
NAMES = ("acc", "events")
KINDS: dict[str, Spoil] = {
    "noise": lambda w, levels, seed: add_noise(w, NAMES, 0.5, levels, seed),
    "spikes": lambda w, levels, seed: add_spikes(w, NAMES, 0.5, levels, seed),
    "replaced": lambda w, levels, seed: replace_by_noise(w, NAMES, levels, seed),
}
kinds = pytest.mark.parametrize("spoil", KINDS.values(), ids=list(KINDS))


@kinds
def test_times_gaps_and_other_sensors_stay(spoil: Spoil) -> None:
    windows = faulty_windows()
    before = {name: windows.samples[name].read() for name in windows.schema.names}
    spoilt = spoil(windows, Levels.of(windows), 0)
    for name in windows.schema.names:
        (old, at, _), (new, still_at, _) = windows.samples[name].flat(), spoilt.samples[name].flat()
        assert np.array_equal(old, before[name], equal_nan=True)
        assert np.allclose(at, still_at)
        assert np.array_equal(np.isnan(old), np.isnan(new))
        changed = (old != new) & ~np.isnan(old)
        assert changed.any() == (name in NAMES)
    assert (spoilt.present == windows.present).all()


@kinds
@settings(max_examples=10, deadline=None)
@given(rows=st.lists(st.integers(0, 11), min_size=1, max_size=12), seed=st.integers(0, 3))
def test_draws_are_of_each_window_alone(spoil: Spoil, rows: list[int], seed: int) -> None:
    windows = faulty_windows()
    levels = Levels.of(windows)
    whole, part = spoil(windows, levels, seed), spoil(windows[rows], levels, seed)
    for name in windows.schema.names:
        assert same_samples(whole[rows], part, name)


@kinds
def test_another_seed_draws_otherwise(spoil: Spoil) -> None:
    windows = faulty_windows()
    levels = Levels.of(windows)
    assert same_samples(spoil(windows, levels, 1), spoil(windows, levels, 1), "acc")
    assert not same_samples(spoil(windows, levels, 1), spoil(windows, levels, 2), "acc")


@pytest.mark.parametrize("deviations", [0.1, 0.5, 2.0, 4.0])
def test_noise_has_its_size_and_grows_in_proportion(deviations: float) -> None:
    windows = faulty_windows(60)
    levels = Levels.of(windows)
    clean = windows.samples["acc"].read()
    once = add_noise(windows, ["acc"], 1.0, levels).samples["acc"].read() - clean
    some = add_noise(windows, ["acc"], deviations, levels).samples["acc"].read() - clean
    assert np.allclose(some, deviations * once, atol=1e-3, equal_nan=True)
    assert np.nanstd(once, axis=0) == pytest.approx(levels.deviation["acc"], rel=0.1)


def test_what_replaces_a_signal_has_its_level_and_nothing_of_it() -> None:
    windows = faulty_windows(60)
    levels = Levels.of(windows)
    clean = windows.samples["acc"].read()
    drawn = replace_by_noise(windows, ["acc"], levels).samples["acc"].read()
    assert np.nanmean(drawn, axis=0) == pytest.approx(levels.mean["acc"], abs=0.2)
    assert np.nanstd(drawn, axis=0) == pytest.approx(levels.deviation["acc"], rel=0.1)
    there = ~np.isnan(clean[:, 0])
    assert abs(np.corrcoef(clean[there, 0], drawn[there, 0])[0, 1]) < 0.1
    shifted = windows.replace(
        samples=windows.samples
        | {"acc": add_noise(windows, ["acc"], 3.0, levels, seed=9).samples["acc"]}
    )
    again = replace_by_noise(shifted, ["acc"], levels).samples["acc"].read()
    assert np.array_equal(drawn, again, equal_nan=True)


def test_spikes_are_rare_and_of_either_sign() -> None:
    windows = faulty_windows(120)
    levels = Levels.of(windows)
    added = add_spikes(windows, ["acc"], 0.0, levels).samples["acc"].read()
    gap = (added - windows.samples["acc"].read()) / levels.deviation["acc"]
    hit = np.abs(gap[~np.isnan(gap)]) > 1
    assert hit.mean() == pytest.approx(0.01, abs=0.005)
    assert set(np.round(gap[~np.isnan(gap)][hit], 2)) == {-5.0, 5.0}

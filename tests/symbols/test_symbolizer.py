from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from maestro_ts.contract.batch import Batch
from maestro_ts.errors import DataError
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.recipe import SymbolSettings
from maestro_ts.signals.masks import Mask, hide, point_mask
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.alphabet import MISSING
from maestro_ts.symbols.symbolizer import ModalitySymbols, Symbolizer
from reference.slow_symbols import slow_symbols

SETTINGS = SymbolSettings(tokens=32)


def fitted(windows: Windows, **settings: object) -> Symbolizer:
    return Symbolizer(SymbolSettings(**settings)).fit(windows)


def assert_equal_symbols(a: ModalitySymbols, b: ModalitySymbols) -> None:
    np.testing.assert_array_equal(a.tokens, b.tokens)
    np.testing.assert_array_equal(a.valid, b.valid)
    np.testing.assert_array_equal(a.summary, b.summary)


def assert_equal_batches(a: Batch, b: Batch) -> None:
    for group in ("inputs", "valid", "extras"):
        left, right = getattr(a, group), getattr(b, group)
        assert set(left) == set(right)
        for key in left:
            np.testing.assert_array_equal(left[key].numpy(), right[key].numpy(), err_msg=key)
    np.testing.assert_array_equal(a.present.numpy(), b.present.numpy())
    np.testing.assert_array_equal(a.host_present.numpy(), b.host_present.numpy())


def assert_equal_states(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> None:
    assert set(a) == set(b)
    for key in a:
        assert a[key].tobytes() == b[key].tobytes(), key


# --- agreement with the slow twin ----------------------------------------------------------------


@pytest.mark.parametrize(("alphabet", "tokens"), [(20, 32), (5, 8), (64, 1)])
def test_tokens_and_summaries_agree_with_the_slow_twin(mixed_windows, alphabet, tokens):
    train, others = mixed_windows(6, seed=1), mixed_windows(6, seed=2)
    symbolizer = fitted(train, alphabet=alphabet, tokens=tokens)
    found = symbolizer(others)
    for m in train.schema:
        views, bins = symbolizer.views_of(m), symbolizer.lengths_[m.name]
        slow_tokens, slow_summary = slow_symbols(train, others, m, bins, views, alphabet)
        np.testing.assert_array_equal(found[m.name].tokens, slow_tokens, err_msg=m.name)
        np.testing.assert_array_equal(found[m.name].valid, (slow_tokens > 0).any(axis=(2, 3)))
        if symbolizer.has_summary(m):
            np.testing.assert_array_equal(found[m.name].summary, slow_summary, err_msg=m.name)


# --- how many tokens -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate_hz", "duration_s", "settings", "expected"),
    [
        (700.0, 8.0, {}, 32),
        (4.0, 8.0, {}, 16),  # at most half the samples
        (4.0, 8.0, {"tokens": 10}, 10),
        (1.0, 3.0, {}, 3),  # up to four samples are kept whole
        (1.0, 1.0, {}, 1),
        (64.0, 30.0, {"bin_s": 0.5}, 60),
        (64.0, 30.0, {"bin_s": 100.0}, 1),
        (4.0, 8.0, {"interpolate_hz": 32.0, "tokens": 128}, 128),
    ],
)
def test_token_count_follows_from_rate_duration_and_settings(
    rate_hz, duration_s, settings, expected
):
    x = np.random.default_rng(0).normal(size=(3, int(rate_hz * duration_s)))
    windows = Windows.from_arrays({"a": x}, [Modality("a", 1, rate_hz)])
    symbolizer = fitted(windows, **settings)
    assert symbolizer.lengths_ == {"a": expected}
    assert symbolizer(windows)["a"].tokens.shape == (3, expected, 1, 3)


def test_an_irregular_stream_has_half_its_usual_samples_as_tokens_and_a_static_one():
    times = [np.linspace(0, 7, k) for k in (10, 20, 40, 0, 0, 0)]  # none: not usual
    windows = Windows.from_arrays(
        {"steps": [np.ones((len(t), 1)) for t in times], "age": np.ones((6, 1, 1))},
        [Modality("steps"), Modality("age", static=True)],
        times={"steps": times},
        duration_s=8,
    )
    symbolizer = fitted(windows)
    assert symbolizer.lengths_ == {"age": 1, "steps": 10}
    assert symbolizer(windows)["age"].tokens.shape == (6, 1, 1, 1)
    assert symbolizer(windows)["age"].summary.shape == (6, 1, 0)


# --- every kind of absence -----------------------------------------------------------------------


def absent_in_every_way() -> dict[str, Windows]:
    """Two streams; of "a" (irregular) and "b" (regular) the seconds 2 to 4 are lost in window 0."""
    rng = np.random.default_rng(0)
    t = np.sort(rng.uniform(0, 8, (4, 80)), axis=1)
    a, b = rng.normal(size=(4, 80, 2)), rng.normal(size=(4, 256, 1))
    modalities = [Modality("a", 2), Modality("b", 1, 32.0)]

    def windows(a, b, times) -> Windows:
        return Windows.from_arrays({"a": a, "b": b}, modalities, times={"a": times}, duration_s=8)

    lost = (t[0] >= 2) & (t[0] < 4)
    a_nan, b_nan = a.copy(), b.copy()
    a_nan[0, lost] = np.nan
    b_nan[0, 64:128] = np.nan
    return {
        "whole": windows(a, b, t),
        "nan": windows(a_nan, b_nan, t),
        "gap": windows([a[0][~lost], *a[1:]], b_nan, [t[0][~lost], *t[1:]]),
    }


def test_nan_gap_and_hidden_segment_are_the_same_missing_symbols():
    kinds = absent_in_every_way()
    front = SymbolFrontEnd(SETTINGS).fit(kinds["whole"])
    mask = Mask.nothing(4, 2)
    mask.segments[0] = (0.25, 0.5)
    expected = front(kinds["nan"])
    assert (expected.inputs["a"][0, 8:16] == MISSING).all()
    assert (expected.inputs["b"][0, 8:16] == MISSING).all()
    assert (expected.inputs["b"][0, [7, 16]] != MISSING).all()
    assert_equal_batches(front(kinds["gap"]), expected)
    assert_equal_batches(front(hide(kinds["whole"], mask)), expected)
    whole = front.prepare(kinds["whole"])
    assert_equal_batches(front.collate(whole, np.arange(4), mask), expected)


def test_an_absent_modality_is_the_same_however_it_is_absent():
    x, y = np.random.default_rng(0).normal(size=(2, 4, 64))
    modalities = [Modality("x", 1, 8.0), Modality("y", 1, 8.0)]
    whole = Windows.from_arrays({"x": x, "y": y}, modalities)
    front = SymbolFrontEnd(SETTINGS).fit(whole)
    mask = Mask.nothing(4, 2)
    mask.keep[:, 1] = False
    segment = Mask.nothing(4, 2)
    segment.segments[:, 1] = (0.0, 1.0)
    expected = front(Windows.from_arrays({"x": x}, modalities))
    assert (expected.inputs["y"] == MISSING).all()
    assert (expected.extras["summary/y"] == MISSING).all()
    assert not expected.valid["y"].any()
    assert expected.present.tolist() == [[True, False]] * 4
    nan = np.full_like(y, np.nan)
    none = [None] * 4
    prepared = front.prepare(whole)
    for batch in (
        front(Windows.from_arrays({"x": x, "y": none}, modalities)),
        front(Windows.from_arrays({"x": x, "y": nan}, modalities)),
        front(whole.select(["x"]).with_schema(whole.schema)),
        front(hide(whole, mask)),
        front(hide(whole, segment)),
        front(hide(whole, point_mask(whole, 1.0)).select(["y"]).with_schema(whole.schema)),
        front.collate(prepared, np.arange(4), mask),
        front.collate(prepared, np.arange(4), segment),
    ):
        np.testing.assert_array_equal(batch.inputs["y"], expected.inputs["y"])
        np.testing.assert_array_equal(batch.extras["summary/y"], expected.extras["summary/y"])
        np.testing.assert_array_equal(batch.valid["y"], expected.valid["y"])
        np.testing.assert_array_equal(batch.present[:, 1], expected.present[:, 1])


@pytest.mark.parametrize(("low", "high"), [(0, 1), (3, 7), (8, 16), (0, 16)])
def test_hiding_samples_and_hiding_bins_agree_when_segments_lie_on_borders(
    mixed_windows, low, high
):
    windows = mixed_windows(8)
    front = SymbolFrontEnd(SETTINGS).fit(windows)
    lengths = front.symbolizer.lengths_
    assert lengths["eda"] == 16  # the coarsest time grid: sixteenths lie on the borders of all
    assert lengths["acc"] == lengths["ecg"] == 32
    assert lengths["steps"] < 32
    names = windows.schema.names
    mask = Mask.nothing(8, len(names))
    for m, name in enumerate(names):
        share = 1 / lengths[name] if name == "steps" else 1 / 16
        mask.segments[::2, m] = (low * share, high * share)
    mask.keep[::3, 0] = False
    rows = np.array([6, 0, 3, 4])
    binned = front.collate(front.prepare(windows), rows, mask[rows])
    sampled = front(hide(windows, mask)[rows])
    assert_equal_batches(binned, sampled)


def test_a_mask_leaves_the_prepared_symbols_unchanged(mixed_windows):
    windows = mixed_windows(4, losses=False)
    front = SymbolFrontEnd(SETTINGS).fit(windows)
    prepared = front.prepare(windows)
    mask = Mask.nothing(4, 5)
    mask.keep[:] = False
    assert not front.collate(prepared, np.arange(4), mask).present.any()
    assert front.collate(prepared, np.arange(4)).present.all()


def test_one_nan_leaves_every_bin_there(mixed_windows):
    windows = mixed_windows(3, losses=False)
    hurt = windows.samples["acc"].values.copy()
    hurt[7, 0] = np.nan
    samples = windows.samples | {"acc": replace(windows.samples["acc"], values=hurt)}
    symbolizer = fitted(windows)
    assert (symbolizer(windows.replace(samples=samples))["acc"].tokens != MISSING).all()


def test_a_channel_missing_in_every_training_window_is_missing_and_nothing_else():
    x = np.random.default_rng(0).normal(size=(4, 64, 2))
    x[..., 1] = np.nan
    windows = Windows.from_arrays({"a": x}, [Modality("a", 2, 8.0)])
    symbols = fitted(windows)(windows)["a"]
    assert (symbols.tokens[:, :, 0] > 0).all()
    assert (symbols.tokens[:, :, 1] == MISSING).all()
    assert (symbols.summary[:, 1] == MISSING).all()
    assert symbols.valid.all()


def test_a_bin_with_too_small_a_share_of_valid_samples_is_missing():
    x = np.random.default_rng(0).normal(size=(2, 64))
    x[0, :3] = np.nan  # one of four left
    x[0, 4:6] = np.nan  # two of four left
    windows = Windows.from_arrays({"a": x}, [Modality("a", 1, 8.0)])
    assert fitted(windows, tokens=16)(windows)["a"].valid.all()
    valid = fitted(windows, tokens=16, min_share=0.5)(windows)["a"].valid
    assert np.flatnonzero(~valid[0]).tolist() == [0]
    assert valid[1].all()


# --- numbers in place of the missing symbol ------------------------------------------------------


@pytest.mark.parametrize("missing", ["zero", "mean"])
def test_a_number_for_what_is_missing_gives_the_symbols_of_that_number_measured(missing):
    x = np.random.default_rng(0).normal([3.0, -1.0], size=(6, 64, 2))
    training = Windows.from_arrays({"a": x}, [Modality("a", 2, 8.0)])
    symbolizer = fitted(training, tokens=16, missing=missing, course=True)
    number = (
        x.astype(np.float32).mean(axis=(0, 1), dtype=float) if missing == "mean" else np.zeros(2)
    )
    lacking, measured = x.copy(), x.copy()
    for rows, samples, channels in ((0, slice(None), slice(None)), (1, slice(8, 24), slice(None))):
        lacking[rows, samples, channels] = np.nan
        measured[rows, samples, channels] = number
    lacking[2, :, 1], measured[2, :, 1] = np.nan, number[1]
    schema = [Modality("a", 2, 8.0)]
    found = symbolizer(Windows.from_arrays({"a": lacking}, schema))["a"]
    expected = symbolizer(Windows.from_arrays({"a": measured}, schema))["a"]
    assert found.valid.all()
    # The mean of equal numbers is theirs but for rounding, which may choose a middle symbol.
    assert np.abs(found.tokens.astype(int) - expected.tokens).max() <= 1
    assert np.mean(found.tokens == expected.tokens) > 0.95
    assert np.mean(found.summary == expected.summary) > 0.9


def test_with_a_number_for_what_is_missing_nothing_hidden_shows(mixed_windows):
    settings = SymbolSettings(tokens=8, missing="mean", dictionary=1)
    windows = mixed_windows(8)
    front_end = SymbolFrontEnd(settings).fit(windows)
    n, names = len(windows), windows.schema.names
    rows = np.arange(n)
    keep = np.ones((n, len(names)), dtype=bool)
    keep[:, 0] = False
    mask = Mask(keep, np.zeros((n, len(names), 2)))
    batch = front_end.collate(front_end.prepare(windows), rows, mask)
    without = front_end(hide(windows, mask))
    assert batch.present.all()
    for name in names:
        assert (batch.inputs[name] != MISSING).all()
    for key in (f"words/{names[0]}", f"summary/{names[0]}"):
        if key in batch.extras:
            assert (batch.extras[key] == batch.extras[key][:1]).all()
            assert (batch.extras[key] != MISSING).all()
    assert_equal_batches(batch, without)


# --- values at the edge --------------------------------------------------------------------------


@pytest.mark.parametrize("alphabet", [5, 20])
def test_a_constant_channel_takes_the_middle_symbol(alphabet):
    windows = Windows.from_arrays(np.full((3, 32), 7.7))
    tokens = fitted(windows, alphabet=alphabet)(windows)["x"].tokens
    assert (tokens == (alphabet + 1) // 2).all()


def test_a_channel_that_never_moves_within_a_bin_keeps_a_floor_of_its_own_size():
    steps = np.repeat([[1.0, -5, 2, 4]], 8, axis=1)
    symbolizer = fitted(Windows.from_arrays(steps), tokens=4)
    np.testing.assert_allclose(symbolizer.state()["x/floor"], 5e-9)


def test_rounding_does_not_choose_the_symbol_of_a_constant_statistic():
    x = np.random.default_rng(0).normal(size=(6, 40, 50)).astype(np.float32)
    windows = Windows.from_arrays({"a": x}, [Modality("a", 50, 1.0)])
    summary = fitted(windows, tokens=1)(windows)["a"].summary
    assert (summary[..., 1] == 10).all()  # the deviation of one bin is always zero


@pytest.mark.parametrize("scale", [1e30, 1e-30])
def test_shape_of_huge_and_tiny_values_is_that_of_ordinary_ones(scale):
    x = np.random.default_rng(0).normal(size=(4, 64)).astype(np.float32)
    plain = Windows.from_arrays(x)
    scaled = Windows.from_arrays(x.astype(float) * scale)
    before = fitted(plain)(plain)["x"].tokens
    after = fitted(scaled)(scaled)["x"].tokens
    np.testing.assert_array_equal(after[..., 0], before[..., 0])
    assert after.min() >= 1
    if scale > 1:
        np.testing.assert_array_equal(after, before)


def test_values_far_outside_the_training_range_take_the_last_symbols():
    train = Windows.from_arrays(np.zeros((2, 32)))
    up, down = (Windows.from_arrays(np.full((1, 32), x)) for x in (1e30, -1e30))
    symbolizer = fitted(train)
    assert (symbolizer(up)["x"].tokens[..., 1] == 20).all()
    assert (symbolizer(down)["x"].tokens[..., 1] == 1).all()


@given(
    arrays.arrays(
        np.float32,
        (3, 16, 2),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=False),
    ),
    st.integers(2, 250),
)
def test_every_symbol_lies_in_the_alphabet_and_is_missing_exactly_without_samples(x, alphabet):
    windows = Windows.from_arrays({"a": x}, [Modality("a", 2, 1.0)])
    symbols = fitted(windows[:2], alphabet=alphabet, tokens=4)(windows)["a"]
    assert symbols.tokens.max(initial=0) <= alphabet
    assert symbols.summary.max(initial=0) <= alphabet
    there = ~np.isnan(x).reshape(3, 4, 4, 2).all(axis=2)
    np.testing.assert_array_equal(symbols.tokens > 0, np.repeat(there[..., None], 3, axis=-1))
    seen = there.any(axis=1)
    np.testing.assert_array_equal(symbols.summary > 0, np.repeat(seen[..., None], 6, axis=-1))
    np.testing.assert_array_equal(symbols.valid, there.any(axis=2))


def test_a_higher_level_never_takes_a_lower_symbol():
    train = Windows.from_arrays(np.random.default_rng(0).normal(size=(5, 32)))
    ladder = Windows.from_arrays(np.repeat(np.linspace(-5, 5, 200)[:, None], 32, axis=1))
    level = fitted(train)(ladder)["x"].tokens[:, 0, 0, 1].astype(int)
    assert (np.diff(level) >= 0).all()
    assert (level[0], level[-1]) == (1, 20)


def test_windows_of_different_lengths_have_the_same_count_and_their_length_as_a_symbol():
    x = [np.random.default_rng(i).normal(size=(n, 1)) for i, n in enumerate((64, 128, 256))]
    windows = Windows.from_arrays({"a": x}, [Modality("a", 1, 16.0)])
    symbolizer = fitted(windows, tokens=16)
    assert symbolizer(windows)["a"].tokens.shape[1] == 16
    assert symbolizer.duration_varies
    short, middle, long = symbolizer.duration_symbols(windows.duration_s)
    assert short < middle < long
    assert not fitted(windows[[1, 1]]).duration_varies


# --- what fit may look at ------------------------------------------------------------------------


def poisoned(windows: Windows, keep: np.ndarray, value: float) -> Windows:
    """The same windows over buffers in which every sample that `keep` does not own is `value`."""
    samples = {}
    for name, piece in windows.samples.items():
        own = np.zeros(len(piece.values), dtype=bool)
        for start, length in zip(piece.starts[keep], piece.lengths[keep], strict=True):
            own[start : start + length] = True
        values = piece.values.copy()
        values[~own] = value
        assert not own.all()
        samples[name] = replace(piece, values=values)
    return windows.replace(samples=samples)


@pytest.mark.parametrize("value", [np.nan, 1e9])
def test_the_fit_is_bit_equal_whatever_the_other_windows_hold(mixed_windows, value):
    windows, train = mixed_windows(10), np.array([0, 3, 4, 7])
    other = poisoned(windows, train, value)
    fit = [SymbolFrontEnd(SETTINGS).fit(w[train]) for w in (windows, other)]
    assert_equal_states(fit[0].state(), fit[1].state())
    assert_equal_batches(fit[0](windows[train]), fit[1](other[train]))
    whole = SymbolFrontEnd(SETTINGS).fit(other).state()
    assert any(whole[k].tobytes() != fit[0].state()[k].tobytes() for k in whole)


def test_symbols_of_a_window_do_not_depend_on_its_neighbours(mixed_windows):
    windows = mixed_windows(8)
    symbolizer = fitted(windows[:4])
    together = symbolizer(windows)
    for rows in (np.array([6]), np.array([7, 2, 5])):
        alone = symbolizer(windows[rows])
        for name in together:
            assert_equal_symbols(alone[name], together[name].take(rows))


def test_a_restored_front_end_makes_the_same_symbols(mixed_windows):
    windows = mixed_windows(6)
    front = SymbolFrontEnd(SETTINGS).fit(windows[:4])
    again = SymbolFrontEnd(SETTINGS).restore(windows.schema, front.state())
    assert_equal_states(again.state(), front.state())
    assert_equal_batches(again(windows), front(windows))


def test_a_fit_on_nothing_is_refused(mixed_windows):
    with pytest.raises(DataError, match="No training windows"):
        Symbolizer(SETTINGS).fit(mixed_windows()[[]])

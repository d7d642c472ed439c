from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.recipe import AugmentationSettings, SymbolSettings
from maestro_ts.signals import windows as windows_module
from maestro_ts.signals.masks import Mask, hide
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols import dictionary
from maestro_ts.symbols.alphabet import MISSING
from maestro_ts.symbols.competition import features
from maestro_ts.symbols.dictionary import draw_kernels
from maestro_ts.symbols.symbolizer import Symbolizer
from maestro_ts.training.augmentation import augmented
from reference.slow_dictionary import slow_words

RATE = 8.0
WHOLE = st.integers(-1000, 1000)  # their differences are exact in float32


def fitted(windows: Windows, **settings: object) -> Symbolizer:
    return Symbolizer(SymbolSettings(**{"dictionary": 1, "tokens": 8} | settings)).fit(windows)


def one_stream(x: np.ndarray, rate_hz: float = RATE) -> Windows:
    """Windows (n, T, C) of one modality."""
    return Windows.from_arrays({"a": x}, [Modality("a", x.shape[2], rate_hz)])


def noise(n: int = 6, length: int = 64, channels: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, length, channels))


def words(symbolizer: Symbolizer, windows: Windows, name: str = "a") -> np.ndarray:
    return symbolizer(windows)[name].words


TRAINED = fitted(one_stream(100 * noise()))


# --- agreement with the slow twin ----------------------------------------------------------------


@pytest.mark.parametrize(("groups", "tokens", "alphabet"), [(1, 8, 20), (2, 5, 7)])
def test_words_agree_with_the_slow_twin(mixed_windows, groups, tokens, alphabet):
    train, others = mixed_windows(5, seed=1), mixed_windows(5, seed=2)
    symbolizer = fitted(train, dictionary=groups, tokens=tokens, alphabet=alphabet)
    found = symbolizer(others)
    for name in ("acc", "ecg", "eda"):
        slow = slow_words(
            train, others, train.schema[name], symbolizer.lengths_[name], groups, alphabet
        )
        assert slow.shape[2] == symbolizer.word_count(name) == features(groups)
        assert (slow > 0).any()
        np.testing.assert_array_equal(found[name].words, slow, err_msg=name)


def jumpy(n: int, share: float, seed: int, length: int = 64) -> Windows:
    """Windows of one stream whose samples come when they like, the more so the larger `share`."""
    rng = np.random.default_rng(seed)
    times = np.arange(length) / RATE + rng.exponential(share / RATE, (n, length)).cumsum(axis=1)
    return Windows.from_arrays(
        {"a": noise(n, length, seed=seed)},
        [Modality("a", 2, RATE)],
        times={"a": list(times)},
        duration_s=times.max() + 1 / RATE,
    )


@pytest.mark.parametrize("share", [0.1, 0.6])
def test_words_of_uneven_streams_agree_with_the_slow_twin(share):
    train = jumpy(4, share, seed=1)
    mixed = [jumpy(2, s, seed=2) for s in (0.1, 0.6, 2.0)]
    symbolizer = fitted(train)
    seen = []
    for others in mixed:
        found = words(symbolizer, others)
        slow = slow_words(train, others, train.schema["a"], symbolizer.lengths_["a"], 1, 20)
        np.testing.assert_array_equal(found, slow)
        seen.append((found > MISSING).mean())
    assert seen[0] > 0.6  # no bins past the last sample
    assert seen[2] == 0.0
    # What was learned from uneven streams is not put off by as uneven ones.
    assert (seen[1] > 0.3) == (share == 0.6)


@given(st.sampled_from([2, 3, 4]), st.integers(0, 5))
def test_a_sensor_that_gives_every_second_sample_has_no_words(step, seed):
    windows = one_stream(noise(3, seed=seed))
    samples = windows.samples["a"].timed()
    fewer = Windows.from_arrays(
        {"a": noise(3, seed=seed)[:, ::step]},
        [Modality("a", 2, RATE)],
        times={"a": [samples.times[:64:step]] * 3},
        duration_s=8.0,
    )
    assert (words(TRAINED, windows) > MISSING).all()
    assert (words(TRAINED, fewer) == MISSING).all()


def test_kernels_sum_to_zero_and_depend_on_channels_alone():
    for channels in (1, 2, 5):
        kernels, own = draw_kernels(channels, 3)
        assert kernels.shape == (2, 2, 3, 8, min(channels, 2), 9)
        np.testing.assert_allclose(kernels.sum(axis=-1), 0.0, atol=1e-12)
        np.testing.assert_allclose(np.abs(kernels).sum(axis=(-2, -1)), 1.0)
        assert own.shape == (2, 2, 3, min(channels, 2))
        assert (np.diff(np.sort(own, axis=-1), axis=-1) > 0).all()  # two, and not one twice
        assert set(own.ravel()) <= set(range(channels))
    np.testing.assert_array_equal(draw_kernels(2, 3)[0], draw_kernels(2, 3)[0])


# --- invariances ---------------------------------------------------------------------------------


@given(arrays.arrays(np.float32, (2, 64, 2), elements=WHOLE), st.integers(-(2**20), 2**20))
def test_a_shift_changes_no_word(x, shift):
    plain = words(TRAINED, one_stream(x))
    assert plain.min() > MISSING
    np.testing.assert_array_equal(words(TRAINED, one_stream(x + np.float32(shift))), plain)


@given(arrays.arrays(np.float32, (2, 64, 2), elements=WHOLE), st.integers(-10, 10))
def test_a_scale_changes_no_hard_count(x, power):
    before = words(TRAINED, one_stream(x))
    after = words(TRAINED, one_stream(x * np.float32(2.0**power)))
    before, after = (w.reshape(2, 8, 2, 2, 2, 1, 8)[:, :, :, :, 1] for w in (before, after))
    np.testing.assert_array_equal(after, before)


def test_a_scale_changes_soft_counts():
    x = 100 * noise()
    assert (words(TRAINED, one_stream(x)) < words(TRAINED, one_stream(4 * x))).any()


# --- absence -------------------------------------------------------------------------------------


@given(
    arrays.arrays(np.bool_, (3, 64, 2), elements=st.booleans()),
    arrays.arrays(np.bool_, (3, 8), elements=st.booleans()),
    st.integers(0, 5),
)
def test_hiding_bins_equals_hiding_their_samples(lost, hidden, seed):
    x = noise(3, seed=seed)
    x[lost] = np.nan
    windows = one_stream(x)
    samples = windows.samples["a"]
    gone = samples.values.copy()
    gone[np.repeat(hidden.ravel(), 8)] = np.nan
    sampled = windows.replace(samples={"a": replace(samples, values=gone)})
    raw = TRAINED.words("a", windows)
    complete = ~lost.reshape(3, 8, 8, 2).all(axis=2).any(axis=2) & ~hidden
    np.testing.assert_array_equal(raw.where(complete), words(TRAINED, sampled))
    missing = words(TRAINED, sampled) == MISSING
    np.testing.assert_array_equal(missing.all(axis=2), missing.any(axis=2))
    assert missing[~complete].all()


@pytest.mark.parametrize(("low", "high"), [(0, 1), (3, 7), (0, 16)])
def test_a_mask_on_borders_hides_as_lost_samples_do(mixed_windows, low, high):
    windows = mixed_windows(8)
    front = SymbolFrontEnd(SymbolSettings(tokens=32, dictionary=1)).fit(windows)
    mask = Mask.nothing(8, len(windows.schema))
    mask.segments[::2] = (low / 16, high / 16)
    mask.keep[::3, 0] = False
    mask.segments[:, windows.schema.index("steps")] = 0.0
    rows = np.array([6, 0, 3, 4, 5])
    binned = front.collate(front.prepare(windows), rows, mask[rows]).extras
    sampled = front(hide(windows, mask)[rows]).extras
    assert set(binned) == set(sampled)
    assert {k for k in binned if k.startswith("words/")} == {"words/acc", "words/ecg", "words/eda"}
    for key in binned:
        np.testing.assert_array_equal(binned[key].numpy(), sampled[key].numpy(), err_msg=key)


def test_a_stream_that_begins_late_is_one_that_begins_with_nan():
    x = noise(2, 128)
    whole = one_stream(x)
    x[:, :37] = np.nan
    samples = whole.samples["a"]
    late = replace(
        samples,
        starts=samples.starts + 37,
        lengths=samples.lengths - 37,
        origins_s=samples.origins_s + 37 / RATE,
    )
    symbolizer = fitted(whole)
    found = words(symbolizer, whole.replace(samples={"a": late}))
    np.testing.assert_array_equal(found, words(symbolizer, one_stream(x)))
    assert (found[:, 4:] > MISSING).all()
    assert (found[:, :3] == MISSING).all()


@given(arrays.arrays(np.float32, (3, 16, 2), elements=st.floats(width=32, allow_infinity=False)))
def test_whatever_is_learned_is_finite_and_every_word_lies_in_the_alphabet(x):
    windows = one_stream(x)
    symbolizer = fitted(windows[:2], tokens=4)
    assert symbolizer.word_count("a") == features(1)
    for key, value in symbolizer.state().items():
        assert np.isfinite(value).all() or not key.startswith("a/dictionary"), key
    found = words(symbolizer, windows)
    assert found.max(initial=0) <= 20
    seen = found[:2] > MISSING
    np.testing.assert_array_equal(seen.any(axis=2), seen.all(axis=2))


def test_infinities_are_missing_samples():
    x = noise(2)
    windows = one_stream(x)
    samples = windows.samples["a"]
    bad = samples.values.copy()
    bad[[3, 70]] = np.inf, -np.inf
    gone = np.where(np.isinf(bad), np.nan, bad)
    raw = [
        TRAINED.words("a", windows.replace(samples={"a": replace(samples, values=v)}))
        for v in (bad, gone)
    ]
    np.testing.assert_array_equal(raw[0].symbols, raw[1].symbols)


@pytest.mark.parametrize(
    ("modality", "length", "tokens"),
    [
        (Modality("a", 1, RATE), 64, 3),  # bins
        (Modality("a", 1, RATE), 4, 4),  # one sample a bin
        (Modality("a", 1, static=True), 1, 8),
    ],
)
def test_who_has_no_words(modality, length, tokens):
    windows = Windows.from_arrays({"a": noise(3, length, 1)}, [modality], duration_s=length / RATE)
    symbolizer = fitted(windows, tokens=tokens)
    assert symbolizer.word_count("a") == 0
    assert words(symbolizer, windows).shape == (3, symbolizer.lengths_["a"], 0)


def test_a_stream_without_a_rate_has_no_words_and_no_recipe_asks_for_any(mixed_windows):
    windows = mixed_windows(5)
    symbolizer = fitted(windows)
    assert symbolizer.word_count("steps") == symbolizer.word_count("age") == 0
    plain = SymbolFrontEnd(SymbolSettings()).fit(windows)(windows)
    assert not [key for key in plain.extras if key.startswith("words/")]


# --- independence --------------------------------------------------------------------------------


def test_words_do_not_depend_on_other_windows_or_on_how_many_are_read_at_once(
    mixed_windows, monkeypatch
):
    windows = mixed_windows(8)
    symbolizer = fitted(windows[:5], tokens=16)
    together = {name: words(symbolizer, windows, name) for name in ("acc", "ecg", "eda")}
    for rows in (np.array([6]), np.array([7, 2, 5])):
        for name, whole in together.items():
            np.testing.assert_array_equal(words(symbolizer, windows[rows], name), whole[rows])
    monkeypatch.setattr(windows_module, "CHUNK_ROWS", 900)
    for name, whole in together.items():
        np.testing.assert_array_equal(words(symbolizer, windows, name), whole)


def test_samples_with_times_give_the_words_of_samples_at_a_rate(mixed_windows):
    windows = mixed_windows(4, losses=False)
    symbolizer = fitted(windows)
    still = AugmentationSettings(shift=0.0, stretch=0.0, rotation_deg=0.0)
    timed = augmented(windows, still, np.random.default_rng(0))
    assert timed.samples["acc"].times is not None
    np.testing.assert_array_equal(
        words(symbolizer, timed, "acc"), words(symbolizer, windows, "acc")
    )


def test_a_window_may_have_any_length():
    lengths = (1, 3, 64, 5000)
    x = [np.random.default_rng(k).normal(size=(k, 2)) for k in lengths]
    found = words(TRAINED, Windows.from_arrays({"a": x}, [Modality("a", 2, RATE)]))
    assert found.shape == (4, 8, features(1))
    assert (found[:2] == MISSING).all()  # bins without samples
    assert (found[2:] > MISSING).all()
    nothing = words(TRAINED, one_stream(noise())[[]])
    assert nothing.shape == (0, 8, features(1))


def test_a_signal_that_stands_still_has_words_and_all_alike():
    found = words(TRAINED, one_stream(np.full((2, 64, 2), 7.3)))
    assert found.min() > MISSING
    assert (found == found[0, 0]).all()
    flat = fitted(one_stream(np.full((2, 64, 2), 7.3)))
    assert (words(flat, one_stream(np.full((1, 64, 2), -1.0))) == 10).all()  # as in training
    assert set(np.unique(words(flat, one_stream(noise())))) > {1, 20}


def test_a_restored_dictionary_draws_nothing(monkeypatch):
    windows = one_stream(noise())
    symbolizer = fitted(windows)

    def refuse(*_: object) -> None:
        raise AssertionError("drawn")

    monkeypatch.setattr(dictionary, "draw_kernels", refuse)
    again = Symbolizer(symbolizer.settings).restore(windows.schema, symbolizer.state())
    np.testing.assert_array_equal(words(again, windows), words(symbolizer, windows))
    turned = {k: -v if k.endswith("/kernels") else v for k, v in symbolizer.state().items()}
    other = Symbolizer(symbolizer.settings).restore(windows.schema, turned)
    assert (words(other, windows) != words(symbolizer, windows)).any()

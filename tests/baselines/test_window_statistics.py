import numpy as np
import pytest
import scipy.signal
import scipy.stats

from maestro_ts.baselines import statistics
from maestro_ts.baselines.statistics import (
    column_names,
    drop_modalities,
    statistics_51,
    statistics_nine,
    statistics_twelve,
)
from maestro_ts.signals.masks import hide, modality_mask, pattern_mask, segment_mask
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows

SENSORS = [Modality("acc", 3, 50.0), Modality("temp", 1, None), Modality("age", 2, static=True)]
DURATION = 4.0


def toy(n: int = 12, seed: int = 0, labels: bool = False, subjects: int = 4) -> Windows:
    """Noise with gaps, an irregular stream, a static modality; class 1 shakes and is warmer."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) // subjects % 2 if labels else np.zeros(n, dtype=int)
    acc = [rng.normal(size=(200 - i % 5, 3)) * (1 + y[i]) for i in range(n)]
    for i in range(0, n, 3):
        acc[i][rng.random(len(acc[i])) < 0.2] = np.nan
        acc[i][rng.random(acc[i].shape) < 0.1] = np.nan
    stamps = [np.sort(rng.uniform(0, DURATION, 30 + i % 4)) for i in range(n)]
    return Windows.from_arrays(
        {
            "acc": acc,
            "temp": [30 + y[i] + rng.normal(size=(len(t), 1)) for i, t in enumerate(stamps)],
            "age": [rng.normal(size=(1, 2)) for _ in range(n)],
        },
        SENSORS,
        times={"temp": stamps},
        duration_s=DURATION,
        labels=np.array(["rest", "shake"])[y] if labels else None,
        subjects=np.arange(n) % subjects,
    )


def single(x: np.ndarray, rate: float = 50.0) -> Windows:
    """One window of one modality ``x``."""
    x = np.asarray(x, dtype=float)
    x = x[:, None] if x.ndim == 1 else x
    return Windows.from_arrays({"x": x[None]}, [Modality("x", x.shape[1], rate)])


def row(windows: Windows, i: int = 0, table=statistics_51) -> dict[str, float]:
    features, names = table(windows)
    return dict(zip(names, features[i].tolist(), strict=True))


def test_columns_are_31_per_signal_and_extras():
    features, names = statistics_51(toy())
    # 3 channels and the magnitude, 3 correlations, 2 extras; 1 channel; 2 static values.
    assert features.shape == (12, 4 * 31 + 3 + 2 + 31 + 2 + 2 + 2)
    assert features.dtype == np.float32
    assert len(set(names)) == len(names) == features.shape[1]
    assert names == column_names(toy().schema, "31")
    assert statistics_nine(toy())[0].shape == (12, 4 * 9 + 2 + 9)


@pytest.mark.parametrize("i", [0, 1, 7])
@pytest.mark.parametrize("signal", ["0", "2", "norm"])
def test_values_of_regular_samples_against_slow_twins(i, signal):
    windows = toy()
    values, times = windows.samples["acc"].window(i)
    x = np.sqrt((values**2).sum(axis=1)) if signal == "norm" else values[:, int(signal)]
    valid = ~np.isnan(x)
    x, t = x[valid].astype(float), times[valid]
    got = row(windows, i)
    span = t[-1] - t[0]
    frequency, power = scipy.signal.periodogram(x, 50.0, window=np.hanning(len(x)))
    power[-1] *= 2 - len(x) % 2  # One-sided densities count the last bin of an even length once.
    share, frequency = power[1:] / power[1:].sum(), frequency[1:]
    expected = {
        "mean": x.mean(),
        "std": x.std(),
        "range": np.ptp(x),
        "rms": np.sqrt((x**2).mean()),
        "mean_abs_deviation": np.abs(x - x.mean()).mean(),
        "iqr": scipy.stats.iqr(x),
        "skewness": scipy.stats.skew(x),
        "kurtosis": scipy.stats.kurtosis(x),
        "slope_per_s": np.polyfit(t, x, 1)[0],
        "last_minus_first": x[-1] - x[0],
        "mean_abs_step": np.abs(np.diff(x)).mean(),
        "std_step": np.diff(x).std(),
        "line_length_per_s": np.abs(np.diff(x)).sum() / span,
        "mean_crossings": np.mean(np.diff(np.sign(x - x.mean())) != 0),
        "maxima_per_s": len(scipy.signal.argrelmax(x)[0]) / span,
        "dominant_hz": frequency[share.argmax()],
        "centroid_hz": (share * frequency).sum(),
        "entropy": scipy.stats.entropy(share) / np.log(len(share)),
        "power_low": share[frequency < 25 / 16].sum(),
        "power_mid": share[(frequency >= 25 / 16) & (frequency < 25 / 4)].sum(),
        "power_high": share[frequency >= 25 / 4].sum(),
    }
    expected |= {f"q{q:02d}": np.quantile(x, q / 100) for q in (5, 25, 50, 75, 95)}
    for name, value in expected.items():
        assert got[f"acc/{signal}/{name}"] == pytest.approx(value, rel=1e-5, abs=1e-6), name


def test_autocorrelation_against_its_definition():
    rng = np.random.default_rng(3)
    x = (np.sin(2 * np.pi * 2.0 * np.arange(200) / 50) + 0.01 * rng.normal(size=200)).astype("f4")
    c = x.astype(float) - x.astype(float).mean()
    r = np.array([(c[: len(c) - k] * c[k:]).sum() for k in range(len(c))]) / (c**2).sum()
    got = row(single(x))
    assert got["x/0/acf_1"] == pytest.approx(r[1], abs=1e-6)
    # 0.25 s are 12.5 samples; half a period of 2 Hz as well.
    assert got["x/0/acf_quarter_s"] == pytest.approx(r[12], abs=1e-6)
    first = next(k for k in range(1, len(r) - 1) if r[k - 1] > r[k] <= r[k + 1])
    assert got["x/0/acf_first_minimum_s"] == pytest.approx(first / 50)
    assert first / 50 == pytest.approx(0.25, abs=0.011)
    assert got["x/0/dominant_hz"] == pytest.approx(2.0)


def test_irregular_times_give_the_slope_and_lengths_per_second():
    t = np.array([0.0, 0.1, 0.2, 1.0, 1.1, 2.0, 3.5, 3.6, 3.9])
    x = np.array([1.0, 5.0, 2.0, 2.5, 9.0, 3.0, 4.0, 1.0, 0.0])
    windows = Windows.from_arrays(
        {"x": [x[:, None]]}, [Modality("x", 1, None)], times={"x": [t]}, duration_s=4.0
    )
    got = row(windows)
    assert got["x/0/slope_per_s"] == pytest.approx(scipy.stats.linregress(t, x).slope, rel=1e-5)
    assert got["x/0/line_length_per_s"] == pytest.approx(np.abs(np.diff(x)).sum() / 3.9)
    assert got["x/0/maxima_per_s"] == pytest.approx(3 / 3.9)
    # Without a nominal rate the mean rate of the samples counts: 8 steps in 3.9 s.
    assert got["x/0/acf_first_minimum_s"] % (3.9 / 8) == pytest.approx(0.0, abs=1e-6)


def test_samples_of_one_instant_do_not_divide_by_zero():
    windows = Windows.from_arrays(
        {"x": [np.arange(9.0)[:, None]]},
        [Modality("x", 1, None)],
        times={"x": [np.ones(9)]},
        duration_s=4.0,
    )
    got = row(windows)
    assert got["x/0/slope_per_s"] == got["x/0/line_length_per_s"] == 0.0
    assert np.isfinite(list(got.values())).all()


def test_constant_signal_gives_zeros_and_no_nan():
    got = row(single(np.full((100, 2), [0.1, 7.3])))
    level = ("/mean", "/min", "/max", "/rms", "/present", "/share_valid")
    rest = {name: v for name, v in got.items() if not name.endswith(level) and "/q" not in name}
    assert len(rest) == 3 * (31 - 9) + 1
    assert set(rest.values()) == {0.0}
    assert got["x/0/mean"] == got["x/0/q05"] == np.float32(0.1)


def test_correlation_uses_samples_valid_in_both_channels():
    windows = toy()
    values, _ = windows.samples["acc"].window(0)
    both = ~np.isnan(values[:, [0, 2]]).any(axis=1)
    assert 8 < both.sum() < len(values)
    expected = scipy.stats.pearsonr(values[both, 0].astype(float), values[both, 2].astype(float))
    assert row(windows)["acc/0~2/correlation"] == pytest.approx(expected.statistic, rel=1e-5)


def test_fewer_than_eight_valid_samples_are_nan_but_present():
    x = np.full((40, 2), np.nan)
    x[:8, 0], x[:7, 1] = np.arange(8), np.arange(7)
    got = row(single(x))
    assert got["x/0/mean"] == 3.5
    assert np.isnan([got["x/1/mean"], got["x/norm/mean"], got["x/0~1/correlation"]]).all()
    assert got["x/all/present"] == 1.0
    assert got["x/all/share_valid"] == pytest.approx(15 / 80)


def test_absent_modality_is_nan_with_presence_zero():
    windows = toy()
    got = row(hide(windows, pattern_mask(windows, ["temp"])), 2)
    of_acc = {name: value for name, value in got.items() if name.startswith("acc/")}
    assert of_acc.pop("acc/all/present") == of_acc.pop("acc/all/share_valid") == 0.0
    assert np.isnan(list(of_acc.values())).all()
    assert got["temp/all/present"] == 1.0


def test_static_modality_gives_its_values():
    windows = toy()
    values, _ = windows.samples["age"].window(4)
    for table in (statistics_51, statistics_nine, statistics_twelve):
        got = row(windows, 4, table)
        assert [got["age/0/value"], got["age/1/value"]] == values[0].tolist()


def test_nine_statistics_have_the_values_of_the_larger_table():
    windows = toy()
    large, small = row(windows, 3), row(windows, 3, statistics_nine)
    assert small == pytest.approx({name: large[name] for name in small})
    one = row(single(np.array([2.0])), table=statistics_nine)
    assert np.isnan(one.pop("x/0/mean_abs_step"))
    assert set(one.values()) == {2.0, 0.0}


@pytest.mark.parametrize("i", [0, 3, 8])
@pytest.mark.parametrize("name", ["acc", "temp"])
def test_twelve_statistics_against_slow_twins(i, name):
    windows = toy()
    values, times = windows.samples[name].window(i)
    valid = ~np.isnan(values[:, 0])
    x, t = values[valid, 0].astype(float), times[valid]
    got = row(windows, i, statistics_twelve)
    expected = {
        "count": len(x),
        "mean": x.mean(),
        "std": x.std(),
        "min": x.min(),
        "max": x.max(),
        "q50": np.median(x),
        "first": x[0],
        "last": x[-1],
        "last_minus_first": x[-1] - x[0],
        "slope_per_s": scipy.stats.linregress(t, x).slope,
        "first_s": t[0],
        "last_s": t[-1],
    }
    found = {k.split("/")[2]: v for k, v in got.items() if k.startswith(f"{name}/0/")}
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_one_measurement_has_all_twelve():
    one = row(single(np.array([2.0])), table=statistics_twelve)
    assert [v for k, v in one.items() if not k.endswith("_s")] == [1, 2, 0, 2, 2, 2, 2, 2, 0]
    assert one["x/0/slope_per_s"] == 0.0
    assert one["x/0/first_s"] == one["x/0/last_s"]


@pytest.mark.parametrize("table", [statistics_51, statistics_nine, statistics_twelve])
@pytest.mark.parametrize("rate", [0.3, 0.7])
def test_dropping_columns_equals_hiding_modalities_bit_for_bit(table, rate):
    windows = toy(40)
    features, names = table(windows)
    mask = modality_mask(windows, rate, seed=5)
    again = table(hide(windows, mask))[0]
    dropped = drop_modalities(features, names, windows.schema, mask.keep)
    assert dropped.tobytes() == again.tobytes()
    assert dropped.tobytes() != features.tobytes()


@pytest.mark.parametrize("table", [statistics_51, statistics_nine, statistics_twelve])
def test_a_row_does_not_depend_on_its_neighbours_or_on_the_portions(table, monkeypatch):
    windows = toy(40)
    features = table(windows)[0]
    assert table(windows[[17, 3]])[0].tobytes() == features[[17, 3]].tobytes()
    monkeypatch.setattr(statistics, "BLOCK", 500)
    monkeypatch.setattr(statistics, "CHUNK", 3000)
    assert table(windows)[0].tobytes() == features.tobytes()
    assert table(windows[:0])[0].shape == (0, features.shape[1])


def test_a_lost_segment_changes_the_share():
    windows = toy()
    got = row(hide(windows, segment_mask(windows, 0.5)), 1)
    assert got["acc/all/share_valid"] == pytest.approx(0.5, abs=0.01)


def test_extreme_values_stay_finite():
    limit = float(np.finfo(np.float32).max)
    features, _ = statistics_51(single(np.tile([limit, -limit], 10)))
    assert np.isfinite(features).all()

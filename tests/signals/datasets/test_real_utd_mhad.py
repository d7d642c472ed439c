"""UTD-MHAD as its owners published it; skipped without the archive."""

from __future__ import annotations

import io
import zipfile
from collections import Counter

import numpy as np
import pytest
import scipy.io
from real_archives import archive
from test_real_data import windows_of

from maestro_ts.recipe import SymbolSettings
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Reading
from maestro_ts.symbols.symbolizer import Symbolizer

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def utd() -> Reading:
    return read("utd-mhad", archive("utd-mhad"))


def test_utd_counts(utd: Reading) -> None:
    assert not utd.refused
    assert len(utd.recordings) == 861
    assert all(set(r.streams) == {"acc", "gyro", "skeleton"} for r in utd.recordings)
    assert Counter(r.subject for r in utd.recordings).keys() == {f"s{n}" for n in range(1, 9)}
    labels = Counter(r.labels[0].label for r in utd.recordings)
    assert set(labels) == set(card("utd-mhad").classes)
    assert len(labels) == 27
    assert {n: c for n, c in labels.items() if c != 32} == {
        **{"draw_x": 31, "walk": 31, "squat": 31},
    }
    every = {f"a{a}_s{s}_t{t}" for a in range(1, 28) for s in range(1, 9) for t in range(1, 5)}
    assert every - {r.source for r in utd.recordings} == {"a8_s1_t4", "a23_s6_t4", "a27_s8_t4"}


def test_utd_values_are_those_that_scipy_reads(utd: Reading) -> None:
    by_source = {r.source: r.streams for r in utd.recordings}
    with zipfile.ZipFile(archive("utd-mhad")) as file:
        for trial in ("a1_s1_t1", "a25_s6_t3", "a27_s8_t3"):
            content = io.BytesIO(file.read(f"Inertial/{trial}_inertial.mat"))
            raw = scipy.io.loadmat(content)["d_iner"].astype(np.float32)
            assert np.array_equal(by_source[trial]["acc"].values, raw[:, :3])
            assert np.array_equal(by_source[trial]["gyro"].values, raw[:, 3:])
            content = io.BytesIO(file.read(f"Skeleton/{trial}_skeleton.mat"))
            raw = scipy.io.loadmat(content)["d_skel"].astype(np.float32)
            frames = by_source[trial]["skeleton"].values
            assert np.array_equal(frames[:, 3 * 11 + 1], raw[11, 1])  # y of the right hand
            assert np.array_equal(frames.T.reshape(raw.shape), raw)


def test_utd_both_clocks_span_the_trial(utd: Reading) -> None:
    durations, ratios, rates = [], [], []
    for recording in utd.recordings:
        frames = len(recording.streams["skeleton"].values)
        durations.append(recording.duration_s)
        ratios.append(recording.duration_s / (frames / 30))
        times = recording.streams["skeleton"].sample_times()
        rates.append(1 / np.diff(times).mean())
        assert times[-1] + 1 / rates[-1] == pytest.approx(recording.duration_s)
    assert (min(durations), max(durations)) == (2.14, 6.52)
    np.testing.assert_allclose(
        [np.median(ratios), min(ratios), max(ratios)], [1.58, 1.43, 2.71], atol=0.006
    )
    assert 11 < min(rates) < max(rates) < 21.1


def test_utd_symbols_of_both_cover_the_whole_window(utd: Reading) -> None:
    windows = windows_of("utd-mhad", utd)
    symbols = Symbolizer(SymbolSettings()).fit(windows)(windows)
    assert all(s.valid.shape == (861, 32) for s in symbols.values())
    assert all(s.valid.all() for s in symbols.values())


def test_utd_clips_where_the_card_says(utd: Reading) -> None:
    windows = windows_of("utd-mhad", utd)
    assert len(windows) == 861
    assert windows.present.all()
    acc = [np.abs(r.streams["acc"].values).max() for r in utd.recordings]
    gyro = [np.abs(r.streams["gyro"].values).max() for r in utd.recordings]
    assert sum(peak >= 7.99 for peak in acc) == 22
    assert sum(peak >= 1000 for peak in gyro) == 19
    assert max(gyro) < 1000.6

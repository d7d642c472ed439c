from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from maestro_ts.errors import ConfigError, MissingExtraError
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read, simulated
from maestro_ts.signals.failures import Failure
from maestro_ts.signals.recording import Interval

needs_neurokit = pytest.mark.skipif(
    find_spec("neurokit2") is None, reason="not run: neurokit2 is not installed"
)
FUNCTIONS = ("ecg_simulate", "emg_simulate", "eda_simulate", "rsp_simulate", "ppg_simulate")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Functions that are called like NeuroKit2's and make ramps; what they were asked for."""
    asked: list[dict[str, Any]] = []

    def maker(function: str) -> Any:
        def make(*, duration: int, sampling_rate: int, random_state: int, **other: Any) -> Any:
            asked.append({"function": function, "seed": random_state, **other})
            return np.arange(duration * sampling_rate) / sampling_rate

        return make

    made = SimpleNamespace(**{name: maker(name) for name in FUNCTIONS})
    monkeypatch.setattr(simulated, "_neurokit", lambda: made)
    return asked


def test_the_shape_is_wesads(stand_in: list[dict[str, Any]]) -> None:
    recording = simulated.simulate("a", np.random.default_rng(0), condition_s=16)
    assert card("simulated").schema == card("wesad").schema
    assert sorted(recording.streams) == list(card("wesad").schema.names)
    assert recording.duration_s == 48
    assert {s.end_s for s in recording.streams.values()} == {48}
    assert recording.labels == (
        Interval(0, 16, "baseline"),
        Interval(16, 32, "stress"),
        Interval(32, 48, "amusement"),
    )
    windows = cut([recording], card("simulated").schema, card("simulated").windows)
    assert windows.labels.tolist() == ["baseline"] * 3 + ["stress"] * 3 + ["amusement"] * 3
    assert windows.present.all()


def test_a_slow_stream_keeps_every_175th_instant(stand_in: list[dict[str, Any]]) -> None:
    streams = simulated.simulate("a", np.random.default_rng(0), condition_s=16).streams
    assert np.array_equal(streams["wrist_eda"].values, streams["chest_eda"].values[::175])


def test_accelerometers_show_gravity_and_temperature_drifts(stand_in: list[Any]) -> None:
    streams = simulated.simulate("a", np.random.default_rng(0), condition_s=60).streams
    for name in ("chest_acc", "wrist_acc"):
        magnitude = np.linalg.norm(streams[name].values, axis=1)
        assert abs(np.median(magnitude) - 1) < 0.02
        still, stressed = magnitude[: len(magnitude) // 3], magnitude[len(magnitude) // 3 :]
        assert still.std() < 0.5 * stressed.std()
    wrist = streams["wrist_temp"].values[:, 0]
    assert wrist[2 * 240 - 8 : 2 * 240].mean() < wrist[:8].mean() - 0.05  # stress cools by 0.1
    assert np.abs(np.diff(wrist)).max() < 0.1  # no jump between conditions


def test_conditions_differ_and_seeds_too(stand_in: list[dict[str, Any]]) -> None:
    simulated.simulate("a", np.random.default_rng(0), condition_s=60)
    rates = [a["heart_rate"] for a in stand_in if a["function"] == "ecg_simulate"]
    assert rates[1] - rates[0] == 24
    assert [a["scr_number"] for a in stand_in if "scr_number" in a] == [1, 1, 8, 8, 3, 3]
    assert len({a["seed"] for a in stand_in}) == len(stand_in) == 18


def test_failures_are_applied_and_said(stand_in: list[dict[str, Any]]) -> None:
    off = Failure("chest_ecg", "off", 4.0, 9.0)
    recording = simulated.simulate("a", np.random.default_rng(0), condition_s=10, failures=[off])
    lost = np.isnan(recording.streams["chest_ecg"].values[:, 0])
    assert lost.tolist() == [2800 <= i < 6300 for i in range(21_000)]
    assert recording.notes == ("simulated: nobody was recorded", str(off))


def test_the_same_subjects_every_time(stand_in: list[dict[str, Any]]) -> None:
    told: list[tuple[int, int]] = []
    first = read("simulated", None, lambda done, total: told.append((done, total)))
    again = read("simulated", None)
    assert told == [(i, 6) for i in range(1, 7)]
    assert len({r.subject for r in first.recordings}) == 6
    one, two = first.recordings[:2]
    same = again.recordings[0].streams
    assert all(np.array_equal(s.values, same[n].values) for n, s in one.streams.items())
    assert not np.array_equal(one.streams["wrist_acc"].values, two.streams["wrist_acc"].values)


def test_it_is_always_called_simulated() -> None:
    about = card("simulated")
    for text in (about.title, about.task, about.licence, about.quirks[0]):
        assert "simulated" in text.lower()


def test_without_neurokit_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "neurokit2", None)
    with pytest.raises(MissingExtraError, match=r"neurokit2.*pip install \"maestro-ts\[physio\]\""):
        read("simulated", None)


def test_a_path_and_too_short_conditions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is made, not read"):
        read("simulated", tmp_path)
    with pytest.raises(ConfigError, match="10 s at least, got 5"):
        simulated.simulate("a", np.random.default_rng(0), condition_s=5)


# --- with NeuroKit2 ------------------------------------------------------------------------------


def beats_per_minute(signal: np.ndarray, rate_hz: float) -> float:
    """From the mean distance of the peaks that reach half of the largest."""
    from scipy.signal import find_peaks

    high = signal - np.median(signal)
    peaks, _ = find_peaks(
        high, height=0.5 * np.percentile(high, 99.9), distance=int(rate_hz * 0.35)
    )
    return float(60 * rate_hz / np.diff(peaks).mean())


@needs_neurokit
def test_hearts_beat_as_the_condition_says() -> None:
    recording = simulated.simulate("a", np.random.default_rng(1), condition_s=60)
    assert {s.end_s for s in recording.streams.values()} == {180}
    assert all(np.isfinite(s.values).all() for s in recording.streams.values())
    for name, rate in (("chest_ecg", 700), ("wrist_bvp", 64)):
        values = recording.streams[name].values[:, 0]
        rest, stress = values[: 60 * rate], values[60 * rate : 120 * rate]
        difference = beats_per_minute(stress, rate) - beats_per_minute(rest, rate)
        assert 16 < difference < 32, name


@needs_neurokit
def test_the_same_generator_makes_the_same_subject() -> None:
    one, two = (simulated.simulate("a", np.random.default_rng(5), condition_s=10) for _ in range(2))
    for name, stream in one.streams.items():
        assert np.array_equal(stream.values, two.streams[name].values), name

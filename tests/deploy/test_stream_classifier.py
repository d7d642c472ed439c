"""A live stream says of every window what offline prediction says of it."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_streams import SENSORS, SPEC, recording, without

from maestro_ts.deploy.replay import Replay
from maestro_ts.deploy.stream_classifier import StreamClassifier
from maestro_ts.deploy.stream_result import StreamResult
from maestro_ts.deploy.stream_source import run_stream
from maestro_ts.errors import ConfigError, DataError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.regressor import MaestroRegressor
from maestro_ts.signals.cut import cut
from maestro_ts.signals.recording import Recording, Stream
from maestro_ts.signals.window_spec import WindowSpec

SAME = 1e-6


def live(model, taken: Recording, spec: WindowSpec = SPEC, **given) -> list[StreamResult]:
    stream = StreamClassifier(model, windows=spec, start_s=0.0, **given)
    return list(run_stream(stream, Replay(taken), end_s=taken.duration_s))


def check_equal(model, found: list[StreamResult], taken: Recording, spec: WindowSpec = SPEC):
    windows = cut([taken], SENSORS, spec)
    expected = model.explain(windows)
    assert [r.start_s for r in found] == windows.start_s.tolist()
    for i, result in enumerate(found):
        assert list(result.probabilities) == [str(c) for c in model.classes_]
        p = np.array(list(result.probabilities.values()))
        assert np.abs(p - expected.probabilities[i]).max() <= SAME
        assert list(result.budgets.values()) == pytest.approx(expected.budgets[i], abs=1e-5)
        assert list(result.present.values()) == windows.present[i].tolist()
        assert result.answer == str(model.classes_[p.argmax()])


@pytest.mark.parametrize(
    "spec",
    [
        SPEC,
        WindowSpec(8.0, 1.3),
        WindowSpec(8.0, 10.0),
        WindowSpec(8.0, 2.0, min_inside=0.5),
        WindowSpec(8.0, 2.0, baseline_s=7.0),
        WindowSpec(8.0, 2.0, min_coverage=0.97),
    ],
    ids=["aligned", "not-aligned", "apart", "min-inside", "baseline", "min-coverage"],
)
def test_answers_are_those_of_offline_prediction(live_model, spec):
    taken = recording(7)
    check_equal(live_model, live(live_model, taken, spec), taken, spec)


def test_a_sensor_that_is_off_for_a_while_is_missing_for_that_while(live_model):
    taken = recording(7)
    ecg = taken.streams["ecg"]
    times = ecg.sample_times()
    on = (times < 10) | (times > 27)
    cut_off = Stream(ecg.values[on], ecg.rate_hz, times[on])
    taken = replace(taken, streams=dict(taken.streams) | {"ecg": cut_off})
    found = live(live_model, taken, timeout_s=3.0)
    check_equal(live_model, found, taken)
    gone = {r.start_s for r in found if not r.present["ecg"]}
    assert gone == {r.start_s for r in found if 10 <= r.start_s <= 18}


def test_sensors_that_never_come_are_missing(live_model):
    taken = without(recording(7), "acc", "age", "steps")
    check_equal(live_model, live(live_model, taken), taken)


@settings(max_examples=5)
@given(st.integers(0, 2**31))
def test_any_order_within_the_tolerance_gives_the_same_answers(live_model, seed):
    rng, taken = np.random.default_rng(seed), recording(7, 20.0)
    chunks = []
    for name, stream in taken.streams.items():
        times = stream.sample_times()
        # Every sample comes up to .2 s after its time, in an order of its own.
        comes = times + rng.uniform(0, 0.2, len(times))
        for row in np.array_split(np.argsort(comes), max(1, len(times) // 10)):
            chunks.append((comes[row].max(), name, times[row], stream.values[row]))
    chunks.sort(key=lambda chunk: chunk[0])
    # Ten steps span 3.3 s.
    stream = StreamClassifier(
        live_model, windows=SPEC, start_s=0.0, tolerance_s=6.0, timeout_s=12.0
    )
    found = [r for _, *chunk in chunks for r in stream.push(*chunk)]
    found += stream.finish(taken.duration_s)
    assert all(c.late == c.dropped == 0 for c in stream.metrics().sensors.values())
    check_equal(live_model, found, taken)


def ramp(begin_s: float, end_s: float) -> tuple[np.ndarray, np.ndarray]:
    times = np.arange(round(begin_s * 50), round(end_s * 50)) / 50
    return times, np.sin(times[:, None] * [3, 5])


def test_a_window_waits_for_a_sensor_until_its_time_out(live_model):
    stream = StreamClassifier(live_model, windows=SPEC, start_s=0.0, tolerance_s=0, timeout_s=4.0)
    slow = np.arange(4 * 6) / 4
    assert stream.push("eda", slow, np.ones(24)) == []  # until 5.75 s
    assert stream.push("ecg", *ramp(0, 9.7)) == []
    assert "acc" in stream.silent()
    assert "eda" not in stream.silent()
    assert [r.start_s for r in stream.push("ecg", *ramp(9.7, 10.5))] == [0.0, 2.0]
    assert "eda" in stream.silent()
    # It comes again: what it tells of answered windows is late, the rest is taken.
    late = 5.75 + np.arange(1, 24) / 4
    assert stream.push("eda", late, np.ones(23)) == []
    count = stream.metrics().sensors["eda"]
    assert (count.accepted, count.late) == (24 + 7, 16)
    assert "eda" not in stream.silent()


def test_a_late_sample_is_refused_and_counted(live_model):
    stream = StreamClassifier(live_model, windows=SPEC, start_s=0.0, timeout_s=0.5)
    assert len(stream.push("ecg", *ramp(0, 9))) == 1  # the window until 8 s
    stream.push("ecg", [7.99, 8.0, 8.51], np.zeros((3, 2)))
    count = stream.metrics().sensors["ecg"]
    assert (count.accepted, count.late) == (452, 1)


def test_time_goes_on_when_nothing_comes(live_model):
    stream = StreamClassifier(live_model, windows=SPEC, start_s=0.0)
    assert stream.advance(7.0) == []
    stream.push("ecg", *ramp(0, 6))
    assert stream.advance(10.9) == []
    found = stream.advance(22.0)
    assert [r.start_s for r in found] == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]
    assert [r.present["ecg"] for r in found] == [True] * 3 + [False] * 4
    assert stream.metrics().sensors["ecg"].since_last_s == pytest.approx(16.02)
    assert stream.metrics().sensors["ecg"].silent


def test_clock_offsets_of_devices_and_a_start_that_is_not_zero(live_model):
    taken = recording(7)
    stream = StreamClassifier(
        live_model, windows=SPEC, start_s=1000.0, clock_offsets={"wrist": -3.5}
    )
    found = []
    for chunk in Replay(taken):
        device = SENSORS[chunk.modality].device
        times = chunk.times + 1000.0 + 3.5 * (device == "wrist")
        found += stream.push(chunk.modality, times, chunk.values)
    found += stream.finish(1000.0 + taken.duration_s)
    check_equal(live_model, [replace(r, start_s=r.start_s - 1000.0) for r in found], taken)


def test_the_first_sample_begins_the_first_window(live_model):
    stream = StreamClassifier(live_model, windows=SPEC)
    assert stream.now_s is None
    times, values = ramp(0, 20)
    found = stream.push("ecg", times + 77.0, values)
    assert found[0].start_s == 77.0
    assert stream.now_s == pytest.approx(96.98)


def test_a_full_buffer_drops_the_oldest_and_counts_them(live_model, monkeypatch):
    monkeypatch.setattr("maestro_ts.deploy.stream_classifier.IRREGULAR_ROWS", 100)
    stream = StreamClassifier(live_model, windows=SPEC, start_s=0.0)
    stream.push("steps", np.arange(150) / 25, np.ones(150))
    assert stream.metrics().sensors["steps"].dropped == 50


@pytest.mark.parametrize(
    ("modality", "times", "values", "message"),
    [
        ("egc", [0.0], [[1, 2]], "Did you mean 'ecg'"),
        ("ecg", [0.0], [[1, 2, 3]], r"\(1, 3\) at times \(1,\)"),
        ("ecg", [0.0, 1.0], [[1, 2]], "2 channels"),
        ("ecg", [math.nan], [[1, 2]], "not finite"),
        ("ecg", [0.0], [[1, math.inf]], "infinite"),
        ("ecg", [1e9], [[1, 2]], "ahead of the stream"),
        ("ecg", ["soon"], [[1, 2]], "no numbers"),
        ("age", [0.0], [["old"]], "no numbers"),
    ],
)
def test_what_is_no_sample_is_refused_and_counted(live_model, modality, times, values, message):
    stream = StreamClassifier(live_model, windows=SPEC, start_s=0.0)
    with pytest.raises(DataError, match=message):
        stream.push(modality, times, values)
    counts = stream.metrics().sensors
    assert sum(c.rejected for c in counts.values()) == (modality in counts) * len(times)
    assert all(c.accepted == 0 for c in counts.values())


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"stride_s": 0.0}, "stride_s"),
        ({"timeout_s": math.nan}, "timeout_s"),
        ({"tolerance_s": -0.1}, "tolerance_s"),
        ({"clock_offsets": {"wirst": 1.0}}, "Did you mean 'wrist'"),
        ({"windows": WindowSpec(8.0, baseline_s="session")}, "baseline of a session"),
    ],
)
def test_settings_that_do_not_fit_are_refused(live_model, given_, message):
    with pytest.raises(ConfigError, match=message):
        StreamClassifier(live_model, **given_)


def test_numbers_labels_and_models_without_symbols(live_model):
    windows = cut([recording(1, 24.0)], SENSORS, SPEC)
    quick = {"training.epochs": 1}
    number = MaestroRegressor(recipe="tiny", settings=quick, random_state=0)
    number.fit(windows, np.arange(len(windows)))
    several = MaestroClassifier(recipe="tiny", settings=quick, random_state=0)
    several.fit(windows, np.eye(len(windows))[:, :3])
    rival = MaestroClassifier(settings={"model_kind": "majority"})
    rival.fit(windows, ["a", "b"] * (len(windows) // 2) + ["a"])
    taken = recording(7, 20.0)
    unseen = cut([taken], SENSORS, SPEC)
    found = live(number, taken)
    assert [r.answer for r in found] == pytest.approx(number.predict(unseen), abs=1e-5)
    assert "number" in found[0].to_dict()
    found = live(several, taken)
    there = several.predict(unseen)
    assert [r.answer for r in found] == [[str(k) for k in np.flatnonzero(row)] for row in there]
    assert "labels" in found[0].to_dict()
    check_majority = live(rival, taken)
    assert {r.answer for r in check_majority} == {"a"}
    assert check_majority[0].to_dict()["class"] == "a"
    assert check_majority[0].budgets == {}


def test_the_example_of_the_page_runs(live_model, tmp_path, monkeypatch, capsys):
    page = (Path(__file__).parents[2] / "docs" / "streaming.md").read_text()
    (block,) = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    live_model.save(tmp_path / "runs" / "mine")
    monkeypatch.chdir(tmp_path)
    times = np.arange(32 * 20) / 32
    exec(compile(block, "streaming.md", "exec"), {"times": times, "values": np.ones((640, 3))})
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed[:-1]] == ["0.0", "2.0", "4.0", "6.0", "8.0", "10.0"]
    assert "accepted=640" in printed[-1]

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_ts.errors import ConfigError, RunError
from maestro_ts.evaluation.bounds import RATE, learn_bounds, outside
from maestro_ts.evaluation.monitor import FORMAT, Monitor, monitored
from maestro_ts.evaluation.verdicts import BELIEVED, DISTRUSTED
from maestro_ts.recipe import SymbolSettings
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.symbolizer import Symbolizer

SENSORS = (Modality("acc", channels=3, rate_hz=16.0), Modality("eda", rate_hz=4.0))
PEOPLE = np.repeat([f"s{i}" for i in range(6)], 10)


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    """60 windows of 4 s: people at levels of their own, some windows livelier; noise is drawn."""
    rng = np.random.default_rng(seed)
    own = np.repeat(np.linspace(-0.3, 0.3, 6), 10)[:, None, None]
    lively = (1 + np.arange(60) % 5 / 2)[:, None, None]
    acc = lively * rng.normal(size=(60, 64, 3)) + own + [0, 0, 9.81]
    return {"acc": acc, "eda": 2 + own + 0.1 * lively * rng.normal(size=(60, 16, 1))}


def windows(X: dict[str, np.ndarray], subjects: np.ndarray = PEOPLE) -> Windows:
    return Windows.from_arrays(X, SENSORS, duration_s=4.0, subjects=subjects)


TRAIN = windows(arrays())
SYMBOLIZER = Symbolizer(SymbolSettings(tokens=8)).fit(TRAIN)
MONITOR = Monitor.learn(SYMBOLIZER, TRAIN, TRAIN.subjects)


def acc_as(values: np.ndarray) -> list[str]:
    """Verdicts on the accelerometer."""
    found = MONITOR.check(SYMBOLIZER, windows(arrays(1) | {"acc": values}))
    assert set(found.names[:, 1]) == {"ok"}  # the other sensor is not touched by it
    return found.names[:, 0].tolist()


@given(level=st.floats(-30, 30, width=32), channel=st.integers(0, 2), row=st.integers(0, 59))
def test_a_constant_channel_is_always_found(level, channel, row):
    acc = arrays()["acc"]
    acc[row, :, channel] = level
    expected = ["ok"] * 60
    expected[row] = "stuck"
    assert MONITOR.check(SYMBOLIZER, windows(arrays() | {"acc": acc})).names[:, 0].tolist() == (
        expected
    )


def test_each_fault_has_its_name():
    acc = arrays(1)["acc"]
    assert acc_as(np.clip(acc, -0.8, 9.81 + 0.8)) == ["saturated"] * 60
    assert acc_as(acc - [0, 0, 9.81] + [0, 0, 20]) == ["level"] * 60
    assert acc_as((acc - [0, 0, 9.81]) * 57.3 + [0, 0, 9.81]) == ["scale"] * 60
    half = acc.copy()
    half[:, 32:] = half[:, 31:32]
    assert acc_as(half) == ["stuck"] * 60


def test_training_windows_are_trusted_and_absent_sensors_are_missing():
    found = MONITOR.check(SYMBOLIZER, TRAIN)
    assert set(found.names.ravel()) == {"ok"}
    assert not any(d.drifted for d in found.drifts)
    assert found.told() == []
    absent = MONITOR.check(SYMBOLIZER, windows({"acc": arrays()["acc"]}).with_schema(TRAIN.schema))
    assert set(absent.names[:, 1]) == {"missing"}
    assert not absent.suspect.any()


@settings(max_examples=4)
@given(seed=st.integers(0, 2**16), channels=st.integers(1, 2), people=st.integers(1, 4))
def test_training_windows_are_distrusted_at_the_stated_rate_at_most(seed, channels, people):
    rng = np.random.default_rng(seed)
    n = 20_000
    found = rng.standard_t(3, size=(n, channels, 4))
    found[..., :2] = rng.choice([0.0, 0.1, 0.5, 1.0], (n, channels, 2), p=[0.7, 0.2, 0.0999, 1e-4])
    subjects = rng.integers(0, people, n).astype(str)
    rate = outside(found, learn_bounds(found, subjects)).any(axis=1).mean()
    assert rate <= RATE


def test_bounds_leave_room_for_a_person_like_none_before():
    found = np.zeros((40, 1, 4))
    rng = np.random.default_rng(0)
    found[:, 0, 2] = rng.normal(size=40) + np.repeat([0.0, 0.0, 0.0, 6.0], 10)
    alone = learn_bounds(found, np.repeat("a", 40))
    apart = learn_bounds(found, np.repeat(list("abcd"), 10))
    assert apart[1, 0, 2] > alone[1, 0, 2] + 1
    assert apart[0, 0, 2] <= alone[0, 0, 2]


def test_what_is_distrusted_is_missing_and_told():
    X = arrays(1)
    X["eda"][5:9] = 2.0
    verdicts = MONITOR.check(SYMBOLIZER, windows(X))
    assert verdicts.told() == ["eda: 4 of 60 windows (4 stuck)"]
    assert verdicts.counts("eda") == {
        "ok": 56, "stuck": 4, "saturated": 0, "scale": 0, "level": 0, "missing": 0
    }  # fmt: skip
    expected = np.ones((60, 2), dtype=bool)
    expected[5:9, 1] = False
    np.testing.assert_array_equal(verdicts.trusted.present, expected)


def test_a_saturated_sensor_is_told_and_believed():
    X = arrays(1)
    clipped = np.clip(X["acc"], -0.8, 9.81 + 0.8)
    X["acc"][:6] = clipped[:6]
    X["acc"][6:9, :, 0] = 0.5
    verdicts = MONITOR.check(SYMBOLIZER, windows(X))
    assert verdicts.told(BELIEVED) == ["acc: 6 of 60 windows (6 saturated)"]
    assert verdicts.told(DISTRUSTED) == ["acc: 3 of 60 windows (3 stuck)"]
    assert verdicts.suspect[:, 0].nonzero()[0].tolist() == list(range(9))
    assert (~verdicts.trusted.present[:, 0]).nonzero()[0].tolist() == [6, 7, 8]


def test_another_unit_drifts():
    X = arrays(1)
    X["acc"] = X["acc"] * 9.81
    drifts = MONITOR.check(SYMBOLIZER, windows(X)).drifts
    far = {(d.modality, d.view) for d in drifts if d.drifted}
    assert {("acc", "level"), ("acc", "spread")} <= far
    assert ("acc", "shape") not in far
    assert {d.person for d in drifts if d.drifted and d.modality == "acc"} == set(PEOPLE)


def test_it_is_read_as_it_was_written(tmp_path: Path):
    path = tmp_path / "monitor.safetensors"
    MONITOR.save(path)
    again = Monitor.load(path)
    assert again.people == 6
    X = arrays(1) | {"eda": 5 * arrays(1)["eda"]}
    one, two = (m.check(SYMBOLIZER, windows(X)) for m in (MONITOR, again))
    np.testing.assert_array_equal(one.codes, two.codes)
    assert one.drifts == two.drifts


def test_what_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "monitor.safetensors"
    assert Monitor.load(path) is None
    with pytest.raises(ConfigError, match="Fit it anew"):
        monitored(None)
    MONITOR.save(path)
    monkeypatch.setattr("maestro_ts.evaluation.monitor.FORMAT", FORMAT - 1)
    with pytest.raises(RunError, match="Upgrade"):
        Monitor.load(path)
    path.write_bytes(b"broken")
    with pytest.raises(RunError, match="damaged"):
        Monitor.load(path)

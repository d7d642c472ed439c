"""What a run makes of recordings, and which runs are served."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maestro_ts.deploy.service.served import MAX_WINDOWS, ServedRun
from maestro_ts.errors import ConfigError, DataError, RunError
from maestro_ts.regressor import MaestroRegressor
from maestro_ts.signals.conditioning import Conditioning
from maestro_ts.signals.filters import Filter
from maestro_ts.signals.recording import Recording, Stream


def recording(seconds: float = 10.0) -> Recording:
    rng = np.random.default_rng(1)
    acc = rng.normal(size=(round(16 * seconds), 3)).astype(np.float32)
    eda = rng.normal(size=(round(4 * seconds), 1)).astype(np.float32)
    return Recording({"acc": Stream(acc, 16.0), "eda": Stream(eda, 4.0)}, "S", "one")


def test_what_is_switched_off_is_absent_and_the_windows_stay(run: ServedRun) -> None:
    whole, less, none = (
        run.windows([recording()], off) for off in ((), ("acc",), ("acc", "eda", "age"))
    )
    assert whole.start_s.tolist() == less.start_s.tolist() == none.start_s.tolist() == [0.0, 4.0]
    at = whole.schema.index("acc")
    assert whole.present[:, at].all()
    assert not less.present[:, at].any()
    assert less.present.any(axis=1).all()
    assert not none.present.any()


def test_a_recording_that_lacks_a_sensor_is_as_one_with_it_off(run: ServedRun) -> None:
    one = recording()
    lacking = Recording({"acc": one.streams["acc"]}, "S", "one")
    found = [run.model.explain(run.windows(*a)).logits for a in (([one], ("eda",)), ([lacking],))]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    ("streams", "said"),
    [
        ({"acc": Stream(np.zeros((160, 2), np.float32), 16.0)}, "2 channels, 3 expected"),
        ({"acc": Stream(np.zeros((160, 3), np.float32), 20.0)}, "rate 20.0 Hz, 16.0"),
        ({"gyro": Stream(np.zeros((160, 3), np.float32), 16.0)}, "unknown stream 'gyro'"),
        ({"eda": Stream(np.zeros((4, 1), np.float32), 4.0)}, "No window of 4.0 s"),
        (
            {"steps": Stream(np.zeros((2, 1), np.float32), times=np.array([0.0, 1e300]))},
            f"{MAX_WINDOWS} are answered at once",
        ),
    ],
)
def test_a_stream_that_does_not_fit_is_refused(
    run: ServedRun, streams: dict[str, Stream], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        run.windows([Recording(streams, "S", "one")])


def test_filters_of_the_run_are_applied(run: ServedRun) -> None:
    from dataclasses import replace

    smooth = replace(run, conditioning={"acc": Conditioning(Filter(low_pass_hz=1.0))})
    before, after = (r.windows([recording()]).samples["acc"].values for r in (run, smooth))
    assert np.diff(after, axis=0).std() < 0.3 * np.diff(before, axis=0).std()


def test_a_run_that_learned_no_classes_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(8, 40))
    MaestroRegressor(recipe="tiny", settings={"training.epochs": 1}).fit(X, X[:, 0]).save(
        tmp_path / "run"
    )
    with pytest.raises(ConfigError, match="classes are served"):
        ServedRun.load(tmp_path / "run")


def test_no_run_is_told(tmp_path: Path, body: Callable[..., object]) -> None:
    with pytest.raises(RunError, match="not a run folder"):
        ServedRun.load(tmp_path)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from maestro_ts import MaestroClassifier, Modality, load
from maestro_ts.errors import ConfigError, DataError

SENSORS = (Modality("acc", channels=2, rate_hz=20), Modality("eda", rate_hz=4))


def study(people: int, seed: int) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """Ten windows a person, three classes, told through much noise."""
    rng, n = np.random.default_rng(seed), 10 * people
    y = np.array(["rest", "walk", "run"])[np.arange(n) % 3]
    move = (np.arange(n) % 3)[:, None, None]
    X = {
        "acc": rng.normal(size=(n, 40, 2)) + move + 0.5 * rng.normal(size=(n, 1, 1)),
        "eda": rng.normal(size=(n, 8, 1)) - 0.4 * move,
    }
    return X, y, np.array([f"{seed}-{i // 10}" for i in range(n)])


@pytest.fixture(scope="module")
def fitted() -> MaestroClassifier:
    X, y, groups = study(12, 0)
    settings = {"training.epochs": 8, "training.label_smoothing": 0.0}
    clf = MaestroClassifier(SENSORS, recipe="tiny", settings=settings, random_state=0)
    return clf.fit(X, y, groups=groups)


@pytest.fixture
def clf(fitted: MaestroClassifier, tmp_path: Path) -> MaestroClassifier:
    """A copy; it is not calibrated."""
    fitted.save(tmp_path / "plain")
    assert not (tmp_path / "plain" / "calibration.json").exists()
    return load(tmp_path / "plain")


def test_probabilities_are_tempered_and_answers_stay(clf: MaestroClassifier) -> None:
    X, y, groups = study(12, 1)
    new, _, _ = study(3, 2)
    before, logits, classes = clf.predict_proba(new), clf.decision_function(new), clf.predict(new)
    assert clf.calibration_ is None
    doubtful = np.where(np.arange(len(y)) % 7 == 0, "rest", y)
    assert clf.calibrate(X, doubtful, groups=groups) is clf
    temperature = clf.calibration_.temperature.whole  # nothing is missing in the new windows
    odds = before ** (1 / temperature)
    assert temperature != pytest.approx(1.0, abs=0.01)
    assert clf.predict_proba(new) == pytest.approx(odds / odds.sum(axis=1, keepdims=True))
    assert (clf.predict(new) == classes).all()
    assert (clf.decision_function(new) == logits).all()


def test_a_second_calibration_is_not_of_the_first(clf: MaestroClassifier) -> None:
    X, y, groups = study(12, 1)
    first = clf.calibrate(X, y, groups=groups).calibration_
    assert clf.calibrate(X, y, groups=groups).calibration_ == first


def test_sets_of_new_people_with_a_sensor_or_without(
    clf: MaestroClassifier, tmp_path: Path
) -> None:
    X, y, groups = study(20, 1)
    clf.calibrate(X, y, groups=groups)
    new, truth, _ = study(20, 2)
    own = np.searchsorted(clf.classes_, truth)
    for given in (new, {"eda": new["eda"]}):
        sets = clf.predict_sets(given, 0.9)
        assert sets.shape == (200, 3)
        assert sets[np.arange(200), own].mean() > 0.84
        assert (clf.predict_sets(given, 0.8) <= sets).all()
    assert clf.predict_sets({"eda": new["eda"]}).sum() > clf.predict_sets(new).sum()

    clf.save(tmp_path / "run")
    again = load(tmp_path / "run")
    assert again.calibration_ == clf.calibration_
    assert (again.predict_sets(new) == clf.predict_sets(new)).all()
    assert (again.predict_proba(new) == clf.predict_proba(new)).all()


def test_without_groups_every_window_is_a_subject(clf: MaestroClassifier) -> None:
    X, y, _ = study(12, 1)
    assert clf.calibrate(X, y).calibration_.subjects == 120


def test_what_cannot_be_calibrated_or_asked_is_refused(clf: MaestroClassifier) -> None:
    X, y, groups = study(4, 1)
    with pytest.raises(ConfigError, match="calibrated model"):
        clf.predict_sets(X)
    with pytest.raises(DataError, match="'swim'"):
        clf.calibrate(X, np.where(y == "run", "swim", y), groups=groups)
    clf.calibrate(X, y, groups=groups)
    with pytest.raises(ConfigError, match=r"0\.9 needs 9 .* there are 4"):
        clf.predict_sets(X, 0.9)
    with pytest.raises(NotFittedError):
        MaestroClassifier(SENSORS).calibrate(X, y)


def test_a_new_fit_is_not_calibrated() -> None:
    X, y, groups = study(3, 0)
    clf = MaestroClassifier(SENSORS, recipe="tiny", settings={"training.epochs": 1}, random_state=0)
    clf.fit(X, y).calibrate(X, y, groups=groups)
    assert clf.fit(X, y).calibration_ is None

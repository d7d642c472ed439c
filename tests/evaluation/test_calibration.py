from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maestro_ts.errors import ConfigError, RunError
from maestro_ts.evaluation.calibration import (
    FORMAT,
    Calibration,
    ask_held_out,
    calibrated,
    calibration_plan,
    fit_calibration,
    needed,
)
from maestro_ts.evaluation.calibration_scores import score_calibration
from maestro_ts.evaluation.missing_classes import EVERYTHING
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.protocol import RATES, Outcome
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Windows

SENSORS = Schema([Modality("a", rate_hz=10.0), Modality("b", rate_hz=10.0)])
PER_SUBJECT, PEOPLE, K, CLAIM = 8, 80, 3, 2.5


def windows_of(subjects: int, seed: int) -> tuple[Windows, np.ndarray]:
    """Windows whose two sensors tell the class, through noise; some people's tell it worse."""
    rng = np.random.default_rng(seed)
    n = subjects * PER_SUBJECT
    truth = rng.integers(K, size=n)
    noise = np.repeat(rng.uniform(0.4, 1.2, subjects), PER_SUBJECT)
    told = {m: truth + noise * rng.normal(size=n) for m in SENSORS.names}
    X = {m: np.repeat(v[:, None, None], 20, axis=1) for m, v in told.items()}
    owners = [f"{seed}-{i // PER_SUBJECT}" for i in range(n)]
    return Windows.from_arrays(X, SENSORS, duration_s=2.0, subjects=owners), truth


def predict(windows: Windows) -> Prediction:
    """Sum of squared distances to the classes, claimed far too surely."""
    logits = np.zeros((len(windows), K))
    for name in SENSORS.names:
        values, _, owner = windows.samples[name].flat()
        told = ~np.isnan(values[:, 0])
        there = np.bincount(owner[told], minlength=len(windows))
        total = np.bincount(owner[told], values[told, 0], minlength=len(windows))
        mean = total / np.maximum(there, 1)
        logits -= np.where(there > 0, 1.0, 0.0)[:, None] * (mean[:, None] - np.arange(K)) ** 2
    return Prediction(CLAIM * logits)


def outcomes_of(subjects: int, seed: int) -> list[Outcome]:
    return ask_held_out(predict, *windows_of(subjects, seed))


@pytest.fixture(scope="module")
def held() -> list[Outcome]:
    return outcomes_of(PEOPLE, 1)


@pytest.fixture(scope="module")
def tested() -> list[Outcome]:
    return outcomes_of(PEOPLE, 2)


@pytest.fixture(scope="module")
def calibration(held: list[Outcome]) -> Calibration:
    return fit_calibration(held, SENSORS.names, "made up")


def sets_of(calibration: Calibration, outcome: Outcome, coverage: float) -> np.ndarray:
    temperature = calibration.temperature.of(outcome.present, outcome.lost)
    p = replace(outcome.prediction, temperature=temperature).probabilities
    return calibration.sets(p, outcome.present, outcome.lost, coverage)


def test_every_class_of_what_is_missing_has_its_thresholds(calibration: Calibration) -> None:
    n = PEOPLE * PER_SUBJECT
    assert {name: (m.windows, m.subjects) for name, m in calibration.missing.items()} == {
        "nothing absent": (n, PEOPLE),
        "without a": (n, PEOPLE),
        "without b": (n, PEOPLE),
        "nothing absent; up to a quarter lost": (2 * n, PEOPLE),
        "nothing absent; up to half lost": (2 * n, PEOPLE),
        "nothing absent; over half lost": (2 * n, PEOPLE),
        EVERYTHING: (9 * n, PEOPLE),
    }
    assert (calibration.subjects, calibration.source) == (PEOPLE, "made up")
    assert calibration.temperature.whole > 1.5


def test_new_subjects_are_covered_whatever_is_missing(
    calibration: Calibration, tested: list[Outcome]
) -> None:
    for outcome in tested:
        for coverage in (0.8, 0.9):
            sets = sets_of(calibration, outcome, coverage)
            covered = sets[np.arange(len(sets)), outcome.truth].mean()
            assert covered == pytest.approx(coverage, abs=0.05)


def test_less_is_answered_where_a_sensor_is_missing(
    calibration: Calibration, tested: list[Outcome]
) -> None:
    size = [sets_of(calibration, o, 0.9).sum(axis=1).mean() for o in tested[:3]]
    assert size[1] > size[0] + 0.1
    assert size[2] > size[0] + 0.1


def test_sets_grow_with_the_coverage(calibration: Calibration, tested: list[Outcome]) -> None:
    for outcome in tested[:3]:
        smaller = np.zeros((len(outcome.truth), K), dtype=bool)
        for coverage in (0.05, 0.5, 0.8, 0.9, 0.96):
            sets = sets_of(calibration, outcome, coverage)
            assert (smaller <= sets).all()
            assert sets.sum() > smaller.sum()
            smaller = sets


def test_a_class_of_too_few_subjects_gets_all_classes(calibration: Calibration) -> None:
    lacking = replace(
        calibration.missing["without a"],
        thresholds=[None] * 201,
    )
    other = replace(calibration, missing=calibration.missing | {"without a": lacking})
    p = np.full((2, K), [0.98, 0.01, 0.01])
    present = np.array([[True, True], [False, True]])
    sets = other.sets(p, present, np.zeros(2), 0.9)
    assert sets.tolist() == [[True, False, False], [True] * 3]


def test_more_than_the_subjects_can_vouch_for_is_refused(held: list[Outcome]) -> None:
    some = [
        replace(
            o,
            **{
                field: getattr(o, field)[: 5 * PER_SUBJECT]
                for field in ("truth", "subjects", "ids", "complete", "present", "lost")
            },
            prediction=Prediction(o.prediction.logits[: 5 * PER_SUBJECT]),
        )
        for o in held
    ]
    few = fit_calibration(some, SENSORS.names, "five people")
    few.check(0.83)
    with pytest.raises(ConfigError, match=r"0.9 needs 9 .* there are 5") as caught:
        few.check(0.9)
    assert "five people" in str(caught.value)
    assert "Ask for 0.83 at most" in str(caught.value)
    few.check(0.83)


def test_how_many_subjects_are_needed() -> None:
    assert [needed(c) for c in (0.5, 0.8, 0.9, 0.95, 0.99)] == [1, 4, 9, 19, 99]


def test_a_model_that_is_not_calibrated_has_no_sets(calibration: Calibration) -> None:
    assert calibrated(calibration) is calibration
    with pytest.raises(ConfigError, match="calibrated model") as caught:
        calibrated(None)
    assert "maestro-ts calibrate" in str(caught.value)


def test_the_plan_asks_no_condition_twice_and_for_devices_where_they_differ() -> None:
    few = calibration_plan(SENSORS)
    assert [c.mode for c in few] == ["pattern"] * 3 + ["segment"] * 6
    many = Schema([Modality(f"m{i}", rate_hz=1.0, device=f"d{i // 2}") for i in range(6)])
    modes = [c.mode for c in calibration_plan(many)]
    assert modes == ["modality"] * len(RATES) + ["segment"] * 6 + ["device"] * 6
    alone = Schema([Modality(f"m{i}", rate_hz=1.0) for i in range(6)])
    assert {c.mode for c in calibration_plan(alone)} == {"modality", "segment"}


# ------------------------------------------------------------------------ file


def test_a_calibration_comes_back(calibration: Calibration, tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    assert Calibration.load(path) is None
    calibration.save(path)
    assert Calibration.load(path) == calibration


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not a calibration"),
        ("{}", "not a calibration"),
        ('{"missing": 3}', "not a calibration"),
        ('{"missing": {"everything": {}}, "modalities": []}', "not a calibration"),
        (json.dumps({"format": FORMAT + 1}), "format 2"),
    ],
)
def test_another_file_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(text)
    with pytest.raises(RunError, match=message) as caught:
        Calibration.load(path)
    assert str(path) in str(caught.value)


# ---------------------------------------------------------------------- scores


@pytest.fixture(scope="module")
def scores(calibration: Calibration, tested: list[Outcome]) -> dict[str, Any]:
    return score_calibration([tested], [calibration])


def test_scores_tell_every_rate_once(scores: dict[str, Any]) -> None:
    where = [(r["mode"], r["rate"], r["n"]) for r in scores["rows"]]
    n = PEOPLE * PER_SUBJECT
    assert where == [
        ("modality", 0.0, n),
        ("modality", 0.5, 2 * n),
        *(("segment", rate, n) for rate in RATES[1:]),
    ]
    assert scores["levels"] == [0.8, 0.9, 0.95]
    assert json.loads(json.dumps(scores)) == scores


def test_the_temperature_takes_the_error_away(scores: dict[str, Any]) -> None:
    for row in scores["rows"]:
        assert row["before"]["error"] > row["before"]["band"]
        assert row["after"]["error"] < row["before"]["error"] / 2


def test_scores_of_sets_are_counted(
    scores: dict[str, Any], calibration: Calibration, tested: list[Outcome]
) -> None:
    sets = sets_of(calibration, tested[0], 0.9)
    row = next(s for s in scores["rows"][0]["sets"] if s["coverage"] == 0.9)
    right, one = sets[np.arange(len(sets)), tested[0].truth], sets.sum(axis=1) == 1
    assert row["covered"] == right.mean()
    assert row["size"] == sets.sum(axis=1).mean()
    assert row["answered"] == one.mean()
    assert row["right"] == right[one].mean()
    low, high = row["covered_interval"]
    assert low < row["covered"] < high


def test_coverage_is_told_for_every_class_of_what_is_missing(
    scores: dict[str, Any], calibration: Calibration, tested: list[Outcome]
) -> None:
    classes = {c["missing"]: c for c in scores["classes"]}
    assert classes.keys() <= calibration.missing.keys()
    assert "nothing absent" in classes
    assert sum(c["n"] for c in classes.values()) == sum(r["n"] for r in scores["rows"])
    for o in tested:
        if not o.present.all(axis=0)[0] and o.present[:, 1:].all() and o.lost.max() < 0.01:
            break  # the first sensor alone is absent
    name = f"without {calibration.modalities[0]}"
    row = next(s for s in classes[name]["sets"] if s["coverage"] == 0.9)
    sets = sets_of(calibration, o, 0.9)
    assert classes[name]["n"] == len(sets)
    assert row["covered"] == sets[np.arange(len(sets)), o.truth].mean()
    assert json.loads(json.dumps(scores["classes"])) == scores["classes"]


def test_folds_are_scored_with_their_own_calibrations(
    calibration: Calibration, tested: list[Outcome], held: list[Outcome]
) -> None:
    hotter = replace(calibration.temperature, whole=2 * calibration.temperature.whole)
    other = replace(calibration, temperature=hotter, subjects=8)
    both = score_calibration([tested, held], [calibration, other])
    assert both["temperature"] == [asdict(calibration.temperature), asdict(hotter)]
    assert both["levels"] == [0.8]
    assert both["subjects"] == 8
    alone = [
        score_calibration([f], [c])["rows"][0]["sets"][0]["covered"]
        for f, c in ((tested, calibration), (held, other))
    ]
    assert both["rows"][0]["sets"][0]["covered"] == pytest.approx(np.mean(alone))
    assert score_calibration([tested, held], [calibration, None]) == {}
    assert score_calibration([tested], [None]) == {}

"""From files to honest probabilities: `fit --calibrate`, `calibrate`, `predict --coverage`."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from running import Command, refused

from maestro_ts.estimator import MaestroClassifier
from maestro_ts.evaluation.calibration import Calibration
from maestro_ts.evaluation.results import Results
from maestro_ts.experiments import calibration_job, cross_fitting, main_job
from maestro_ts.experiments.main_job import Job, run_job
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.datasets import watch

QUICK = {"training.epochs": 2}
TRAINED = 5  # subjects; the other five are the test


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten subjects, three exercises, 10 s each, in the set's layout."""
    rng = np.random.default_rng(0)
    series, y, subject = [], [], []
    for s in range(2 * TRAINED):
        for k in range(3):
            beat = np.sin(np.arange(500)[:, None] * 2 * np.pi * (k + 1) / 100 + s)
            series.append(beat + rng.normal(size=(500, 6)))
            y.append(k)
            subject.append(s + 1)
    content = {
        "X": np.array([*series, None], dtype=object)[:-1],
        "y": np.array(y),
        "y_labels": ["PEN", "ROW", "IR"],
        "subject": np.array(subject),
        "X_labels": list(watch.CHANNELS),
    }
    path = tmp_path_factory.mktemp("data") / "watch_dataset.npy"
    np.save(path, np.array(content, dtype=object))
    return path


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is not calibrated."""
    out = tmp_path_factory.mktemp("runs") / "run"
    recipe = load_recipe("tiny").override(QUICK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main_job, "write_report", lambda *_: None)
        run_job(Job("watch", data, out, recipe, folds=2, rates=(0.0, 0.5), n_threads=1))
    return out


@pytest.fixture
def run(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(main_job, "write_report", lambda *_: None)
    return Path(shutil.copytree(trained, tmp_path / "run"))


def claimed(run: Path, sensors: int) -> np.ndarray:
    """Probabilities in the table of the test, with so many sensors of the two."""
    table = pq.read_table(run / "predictions.parquet").to_pandas()
    table = table[(table["mode"] == "pattern") & (table["pattern"].str.count(r"\+") == sensors - 1)]
    return table[[name for name in table if name.startswith("p_")]].to_numpy().astype(float)


def test_a_run_is_calibrated_and_tested_as_before(run: Path, data: Path, command: Command) -> None:
    before, raw = Results.load(run / "results.json"), {n: claimed(run, n) for n in (1, 2)}
    assert before.calibration == {}
    done = command("calibrate", run, "--data", data, "--folds", "2", "--no-progress")
    assert done.code == 0
    assert f"Calibrated on: {TRAINED} subjects: 2 folds of the training subjects" in done.out
    assert "Error calibrated" in done.out

    found = Calibration.load(run / "calibration.json")
    table = pq.read_table(run / "calibration.parquet").to_pandas()
    test = set(before.about["subjects_test"])
    assert table["subject"].nunique() == found.subjects == TRAINED
    assert not test & set(table["subject"])
    after = Results.load(run / "results.json")
    assert after.scores == before.scores
    assert after.calibration["temperature"] == [asdict(found.temperature)]
    assert [(r["mode"], r["rate"]) for r in after.calibration["rows"]] == [
        ("modality", 0.0),
        ("modality", 0.5),
        ("segment", 0.5),
    ]
    assert after.calibration["levels"] == [0.8]
    for n in (1, 2):
        odds = raw[n] ** (1 / (found.temperature.whole * (2 / n) ** found.temperature.absent))
        assert len(odds) > 0
        assert claimed(run, n) == pytest.approx(odds / odds.sum(axis=1, keepdims=True), abs=1e-5)

    assert command("evaluate", run, "--data", data, "--rates", "0,.3", "--no-progress").code == 0
    again = Results.load(run / "results.json").calibration
    assert again["rows"][0] == after.calibration["rows"][0]


def test_the_folds_were_not_trained_on_whom_they_judge(
    run: Path, data: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[set[str], set[str]]] = []
    ask, fit = cross_fitting.ask_held_out, MaestroClassifier.fit
    fitted: list[set[str]] = []

    def fitting(self: MaestroClassifier, X: object, *a: object, **k: object) -> MaestroClassifier:
        fitted.append(set(X.subjects.tolist()))
        return fit(self, X, *a, **k)

    def asking(predict: object, windows: object, *a: object) -> object:
        seen.append((fitted[-1], set(windows.subjects.tolist())))
        return ask(predict, windows, *a)

    monkeypatch.setattr(MaestroClassifier, "fit", fitting)
    monkeypatch.setattr(cross_fitting, "ask_held_out", asking)
    assert command("calibrate", run, "--data", data, "--folds", "2").code == 0
    test = set(Results.load(run / "results.json").about["subjects_test"])
    assert len(seen) == 2
    assert set.union(*(held for _, held in seen)) == seen[0][0] | seen[0][1]
    for train, held in seen:
        assert not train & held
        assert not (train | held) & test


def test_validation_subjects_are_taken_where_there_are_some(
    data: Path, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_job, "write_report", lambda *_: None)
    out = tmp_path / "run"
    words = ("--recipe", "tiny", "--set", "training.epochs=2", "--folds", "2", "--rates", "0")
    held = ("--set", "training.validation_share=0.4", "--threads", "1")
    assert command("fit", "watch", "--data", data, "--out", out, *words, *held).code == 0
    monkeypatch.setattr(MaestroClassifier, "fit", None)  # nothing is trained
    assert command("calibrate", out, "--data", data).code == 0
    about = Results.load(out / "results.json").about
    table = pq.read_table(out / "calibration.parquet").to_pandas()
    assert set(table["subject"]) == set(about["subjects_validation"])
    assert Calibration.load(out / "calibration.json").source == "validation subjects"


def test_fit_calibrates_and_predict_says_when_not_to_trust_it(
    data: Path, tmp_path: Path, command: Command
) -> None:
    out, table = tmp_path / "run", tmp_path / "p.parquet"
    words = ("--recipe", "tiny", "--set", "training.epochs=2", "--folds", "2", "--rates", "0,.5")
    fit = ("fit", "watch", "--data", data, "--out", out, *words, "--threads", "1")
    assert command(*fit, "--calibrate", "2").code == 0
    assert Results.load(out / "results.json").calibration["subjects"] == TRAINED
    assert "How sure it may be" in (out / "report.html").read_text()

    assert command("predict", out, data, "--out", table, "--coverage", ".8").code == 0
    rows = pq.read_table(table).to_pandas()
    clf = MaestroClassifier.load(out)
    for chosen, abstains in zip(rows["set"], rows["abstains"], strict=True):
        assert set(chosen) <= set(clf.classes_)
        assert abstains == (len(chosen) != 1)
    assert rows["abstains"].any()

    table.unlink()
    refused(
        command("predict", out, data, "--out", table, "--coverage", ".9"),
        "0.9 needs 9 calibration subjects, there are 5",
        "0.83 at most",
    )
    assert not table.exists()


def test_what_cannot_be_calibrated_is_refused(
    run: Path, data: Path, tmp_path: Path, command: Command
) -> None:
    refused(command("predict", run, data, "--coverage", ".8"), "calibrated model")
    refused(command("calibrate", tmp_path), "not a run folder")
    few = command("calibrate", run, "--data", data, "--folds", "6")
    refused(few, "6 folds by subject need 6 subjects, there are 5")
    schema = json.loads((run / "schema.json").read_text())
    (run / "schema.json").write_text(json.dumps(schema | {"windows_train": "another"}))
    refused(command("calibrate", run, "--data", data), "not those that the run was trained on")
    assert not (run / "calibration.json").exists()


def test_a_class_that_a_fold_never_saw_is_refused(
    run: Path, data: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_out = calibration_job.held_out

    def one_of_a_class(*given: object) -> tuple[object, ...]:
        clf, old, loaded, test = held_out(*given)
        windows = loaded.windows
        alone = windows.subjects == sorted(set(windows.subjects) - set(test.subjects))[0]
        labels = np.where(windows.labels == "IR", "ROW", windows.labels)
        labels[np.flatnonzero(alone)[:1]] = "IR"
        object.__setattr__(loaded, "windows", windows.replace(labels=labels))
        return clf, old, loaded, test

    monkeypatch.setattr(calibration_job, "held_out", one_of_a_class)
    done = command("calibrate", run, "--data", data, "--folds", "2")
    refused(done, "no window has the class IR", "more folds")

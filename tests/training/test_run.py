from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from maestro_ts.errors import RunError
from maestro_ts.estimator import MaestroClassifier, load
from maestro_ts.signals.modality import Modality
from maestro_ts.training.resume import TrainingState, save_state
from maestro_ts.training.run import FORMAT, Run

SENSORS = (Modality("acc", channels=3, rate_hz=20), Modality("eda", rate_hz=4, device="wrist"))
SUFFIXES = {".yaml", ".json", ".jsonl", ".safetensors", ".parquet", ".html", ".md"}


def data(n: int = 40) -> tuple[dict[str, Any], np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.where(np.arange(n) % 2, "walk", "rest")
    move = 1.0 * (np.arange(n) % 2)[:, None, None]
    return {"acc": rng.normal(size=(n, 40, 3)) + move, "eda": rng.normal(size=(n, 8, 1))}, y


def fit(**settings: Any) -> MaestroClassifier:
    X, y = data()
    settings = {"training.epochs": 2} | settings
    clf = MaestroClassifier(SENSORS, recipe="tiny", settings=settings, random_state=0)
    return clf.fit(X, y, groups=np.arange(40) // 10)


@pytest.fixture(scope="module")
def fitted() -> MaestroClassifier:
    return fit()


@pytest.fixture
def saved(fitted: MaestroClassifier, tmp_path: Path) -> Run:
    fitted.save(tmp_path / "run")
    return Run(tmp_path / "run")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def change(path: Path, **entries: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


# ------------------------------------------------------------------ save, load


def test_a_fresh_process_predicts_the_same_from_the_folder(
    fitted: MaestroClassifier, saved: Run, tmp_path: Path
) -> None:
    X, _ = data()
    np.savez(tmp_path / "x.npz", **X)
    code = (
        "import sys, torch, numpy as np; torch.set_num_threads(1); import maestro_ts; "
        "X = dict(np.load(sys.argv[2])); clf = maestro_ts.load(sys.argv[1]); "
        "np.savez(sys.argv[3], p=clf.predict_proba(X), y=clf.predict(X))"
    )
    files = [str(saved.folder), str(tmp_path / "x.npz"), str(tmp_path / "out.npz")]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", code, *files], env=environment, check=True, timeout=120)
    there = np.load(tmp_path / "out.npz")
    assert np.array_equal(there["p"], fitted.predict_proba(X))
    assert np.array_equal(there["y"], fitted.predict(X))


@pytest.mark.parametrize(
    "settings",
    [
        {"model.encoder": "shared"},
        {"model.absent": "symbols", "experts.placement": "head"},
        {"symbols.embedding": "id", "symbols.summary": False, "experts.balance": "loss_free"},
        {"training.average_decay": 0.9, "model.fusion_layers": 0, "model.encoder_layers": 0},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_models_of_other_settings_predict_the_same_when_loaded(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    clf = fit(**settings)
    clf.save(tmp_path / "run")
    X, _ = data()
    assert np.array_equal(load(tmp_path / "run").predict_proba(X), clf.predict_proba(X))


def test_what_was_fitted_comes_back(fitted: MaestroClassifier, saved: Run) -> None:
    back = load(saved.folder)
    assert back.recipe_ == fitted.recipe_
    assert back.schema_ == fitted.schema_
    assert back.schema_["eda"].device == "wrist"
    assert back.classes_.tolist() == ["rest", "walk"]
    assert back.classes_.dtype == fitted.classes_.dtype
    assert back.training_log_ == fitted.training_log_
    assert back.validation_subjects_ == fitted.validation_subjects_
    assert back.duration_ == fitted.duration_ == 2.0


@pytest.mark.parametrize(
    "y",
    [np.array([3, 7]), np.array([True, False]), np.array([1.0, 2.0]), np.array(["ä", "b"], object)],
    ids=["int", "bool", "float", "object"],
)
def test_labels_keep_their_kind(y: np.ndarray, tmp_path: Path) -> None:
    X, _ = data()
    clf = MaestroClassifier(SENSORS, recipe="tiny", settings={"training.epochs": 1})
    clf.fit(X, y[np.arange(40) % 2]).save(tmp_path / "run")
    back = load(tmp_path / "run")
    assert back.classes_.dtype == clf.classes_.dtype
    assert back.classes_.tolist() == clf.classes_.tolist()


def test_loading_leaves_the_global_random_state_alone(saved: Run) -> None:
    before = torch.get_rng_state()
    load(saved.folder)
    assert torch.equal(torch.get_rng_state(), before)


def test_no_pickle_is_in_the_folder(saved: Run) -> None:
    files = contents(saved.folder)
    assert len(files) >= 5
    assert {Path(name).suffix for name in files} <= SUFFIXES
    assert not any(zipfile.is_zipfile(saved.folder / name) for name in files)
    for path in saved.folder.glob("*.safetensors"):
        with safe_open(path, framework="numpy") as opened:
            assert len(opened.keys()) > 0


def test_files_of_a_run_are_as_readable_as_any_other(saved: Run) -> None:
    plain = saved.folder / "plain"
    plain.touch()
    assert {p.stat().st_mode for p in saved.folder.iterdir()} == {plain.stat().st_mode}


# ---------------------------------------------------------------- the folder


def test_a_folder_with_something_in_it_is_refused(saved: Run, fitted: MaestroClassifier) -> None:
    before = contents(saved.folder)
    with pytest.raises(RunError, match="output folder exists") as caught:
        fitted.save(saved.folder)
    assert "--resume" in caught.value.fix
    assert "--overwrite" in caught.value.fix
    assert contents(saved.folder) == before


def test_an_empty_folder_is_fine(tmp_path: Path, fitted: MaestroClassifier) -> None:
    fitted.save(tmp_path)
    assert Run(tmp_path).finished


def test_overwrite_leaves_nothing_of_the_old_run(saved: Run, fitted: MaestroClassifier) -> None:
    saved.results.write_text("{}")
    fitted.save(saved.folder, overwrite=True)
    assert saved.finished
    assert not saved.results.exists()


def test_resume_keeps_what_is_there(saved: Run) -> None:
    before = contents(saved.folder)
    saved.begin(resume=True)
    assert contents(saved.folder) == before


@pytest.mark.parametrize("name", ["thesis.docx", "resume/notes.txt", "fold-0/notes.txt"])
def test_overwrite_spares_a_folder_that_is_no_run(name: str, tmp_path: Path) -> None:
    precious = tmp_path / "home" / name
    precious.parent.mkdir(parents=True)
    precious.write_text("mine")
    with pytest.raises(RunError, match="not a run folder; it is not overwritten"):
        Run(tmp_path / "home").begin(overwrite=True)
    assert precious.read_text() == "mine"


@pytest.mark.parametrize("name", ["settings.yaml", "resume/state.safetensors", "results.json"])
def test_overwrite_replaces_an_unfinished_run(name: str, tmp_path: Path) -> None:
    part = tmp_path / "run" / name
    part.parent.mkdir(parents=True)
    part.touch()
    Run(tmp_path / "run").begin(overwrite=True)
    assert list((tmp_path / "run").iterdir()) == []


def test_overwrite_replaces_the_folds_of_a_cross_validation(tmp_path: Path) -> None:
    (tmp_path / "run/fold-0").mkdir(parents=True)
    (tmp_path / "run/fold-0/settings.yaml").touch()
    Run(tmp_path / "run").begin(overwrite=True)
    assert list((tmp_path / "run").iterdir()) == []


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(RunError, match="is a file"):
            Run(tmp_path / "run").begin(overwrite=overwrite)
    assert (tmp_path / "run").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_a_run_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be made"):
        Run(tmp_path / "file" / "run").begin()


# ----------------------------------------------------- unfinished and damaged


def test_an_unfinished_run_is_told_from_a_finished_one(saved: Run) -> None:
    assert saved.finished
    save_state(saved.state, TrainingState({"x": torch.zeros(1)}, {}))
    assert not saved.finished
    saved.finish()
    assert saved.finished
    assert not saved.state.parent.exists()


def test_loading_an_unfinished_run_says_to_resume(saved: Run) -> None:
    save_state(saved.state, TrainingState({"x": torch.zeros(1)}, {}))
    saved.model.unlink()
    with pytest.raises(RunError, match="not finished") as caught:
        load(saved.folder)
    assert "--resume" in caught.value.fix


def test_loading_no_folder_or_another_one_is_a_run_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no such run folder"):
        load(tmp_path / "nothing")
    with pytest.raises(RunError, match="not a run folder"):
        load(tmp_path)


def test_a_run_of_a_newer_format_is_refused_by_name(saved: Run) -> None:
    change(saved.schema, format=FORMAT + 1, version="9.9.9")
    with pytest.raises(RunError, match=rf"run format {FORMAT + 1}.*9\.9\.9") as caught:
        load(saved.folder)
    assert "Upgrade" in caught.value.fix


def test_settings_of_another_version_are_a_run_error(saved: Run) -> None:
    saved.settings.write_text(saved.settings.read_text() + "flux: {capacitor: 1}\n")
    with pytest.raises(RunError, match=r"settings do not fit this version.*flux"):
        load(saved.folder)


def cut(raw: bytes) -> bytes:
    return raw[: len(raw) // 2]


def flip(raw: bytes) -> bytes:
    return b"\xff" * len(raw)


@pytest.mark.parametrize("damage", [cut, flip, lambda raw: b""], ids=["cut", "flip", "empty"])
@pytest.mark.parametrize("name", ["model.safetensors", "frontend.safetensors", "schema.json"])
def test_a_damaged_file_is_a_run_error_that_names_it(
    name: str, damage: Callable[[bytes], bytes], saved: Run
) -> None:
    path = saved.folder / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RunError) as caught:
        load(saved.folder)
    assert name in str(caught.value)


@pytest.mark.parametrize("name", ["frontend.safetensors", "settings.yaml"])
def test_a_missing_file_is_a_run_error(name: str, saved: Run) -> None:
    (saved.folder / name).unlink()
    with pytest.raises(RunError, match=name):
        load(saved.folder)


def test_weights_of_another_model_are_a_run_error(saved: Run, tmp_path: Path) -> None:
    fit(**{"model.width": 32}).save(tmp_path / "wide")
    saved.model.write_bytes((tmp_path / "wide/model.safetensors").read_bytes())
    with pytest.raises(RunError, match="weights do not fit this run"):
        load(saved.folder)


@pytest.mark.parametrize("text", ["[]", "{}", '{"modalities": [{"colour": 1}], "classes": {}}'])
def test_a_description_that_describes_nothing_is_a_run_error(text: str, saved: Run) -> None:
    saved.schema.write_text(text)
    with pytest.raises(RunError):
        load(saved.folder)


def test_a_damaged_log_is_a_run_error(saved: Run) -> None:
    saved.log.write_text('{"epoch": 1}\n{"epo')
    with pytest.raises(RunError, match=r"training\.jsonl"):
        saved.load_log()


# ------------------------------------------------------------------ full disk


def full(*args: Any, **kwargs: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


WRITERS: dict[str, Callable[[Run, MaestroClassifier], None]] = {
    "settings": lambda run, clf: run.save_settings(clf.recipe_),
    "log": lambda run, clf: run.save_log([{"epoch": 1}]),
    "model": lambda run, clf: clf.write(run),
    "state": lambda run, clf: save_state(run.state, TrainingState({"x": torch.ones(9)}, {})),
}


@pytest.mark.parametrize(
    "where", [(os, "replace"), (os, "fsync"), (Path, "write_bytes")], ids=lambda w: w[1]
)
@pytest.mark.parametrize("what", WRITERS)
def test_a_full_disk_leaves_the_old_files_and_no_partial_ones(
    what: str,
    where: tuple[Any, str],
    saved: Run,
    fitted: MaestroClassifier,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save_state(saved.state, TrainingState({"x": torch.zeros(1)}, {}))
    before = contents(saved.folder)
    monkeypatch.setattr(*where, full)
    with pytest.raises(RunError, match="cannot write: No space left on device"):
        WRITERS[what](saved, fitted)
    monkeypatch.undo()
    assert contents(saved.folder) == before


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system itself refuses to write more: no mocked call can be bypassed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_weights_and_states_that_the_system_cannot_write_are_run_errors(
    saved: Run, fitted: MaestroClassifier
) -> None:
    save_state(saved.state, TrainingState({"x": torch.zeros(1)}, {}))
    before = contents(saved.folder)
    weights = {f"network/{k}": v.clone() for k, v in fitted.network_.state_dict().items()}
    with files_of_at_most(4096):
        with pytest.raises(RunError, match=r"model\.safetensors: cannot write"):
            fitted.write(saved)
        with pytest.raises(RunError, match=r"state\.safetensors: cannot write"):
            save_state(saved.state, TrainingState(weights, {}))
    after = contents(saved.folder)
    assert after["model.safetensors"] == before["model.safetensors"]
    assert after["resume/state.safetensors"] == before["resume/state.safetensors"]
    assert after.keys() == before.keys()


# ------------------------------------------------------------------- replacing


def test_a_save_that_fails_leaves_the_old_model_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = data()
    clf = MaestroClassifier(SENSORS, recipe="tiny", random_state=0).fit(X, y)
    clf.save(tmp_path / "model")
    before = clf.predict_proba(X)

    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", full)
        with pytest.raises(RunError, match="No space left"):
            clf.save(tmp_path / "model", overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["model"]
    assert np.array_equal(MaestroClassifier.load(tmp_path / "model").predict_proba(X), before)
    clf.save(tmp_path / "model", overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["model"]

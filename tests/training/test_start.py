from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maestro_ts import MaestroClassifier, Modality
from maestro_ts.errors import ConfigError, DataError, MaestroError, RunError
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.windows import Windows
from maestro_ts.training.pretrain import HIDDEN, pretrain
from maestro_ts.training.run import Run
from maestro_ts.training.start import Start

ACC, EDA = Modality("acc", channels=2, rate_hz=16), Modality("eda", rate_hz=8)
TEMP = Modality("temp", rate_hz=4)
N = 24
LABELS = np.where(np.arange(N) % 2, "walk", "rest")


def windows(*sensors: Modality, seed: int = 0) -> Windows:
    rng = np.random.default_rng(seed)
    move = (np.arange(N) % 2)[:, None, None]
    arrays = {
        m.name: rng.normal(size=(N, int(2 * (m.rate_hz or 0)), m.channels)) + move for m in sensors
    }
    return Windows.from_arrays(arrays, sensors, duration_s=2.0)


def classifier(init: Path | None = None, epochs: int = 1, **how: Any) -> MaestroClassifier:
    settings = {"training.epochs": epochs} | how.pop("settings", {})
    return MaestroClassifier(recipe="tiny", settings=settings, random_state=1, init=init, **how)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "trained"
    classifier(epochs=3).fit(windows(ACC, EDA), LABELS).save(folder)
    return folder


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = Run(tmp_path_factory.mktemp("runs") / "pretrained")
    run.begin()
    recipe = load_recipe("tiny").override(HIDDEN | {"training.epochs": 2})
    given = windows(ACC, EDA)
    found = pretrain(given, recipe, seed=0, device=torch.device("cpu"))
    none = np.array([], dtype="U1")
    run.save_model(recipe, given.schema, none, found.front_end, found.network, {"pretrained": True})
    return run.folder


def weights(clf: MaestroClassifier) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in clf.network_.state_dict().items()}


def at_step_0(init: Path, labels: Any = LABELS, **how: Any) -> MaestroClassifier:
    """Fitted at a rate of nothing: what the training began with."""
    still = {"training.learning_rate": 1e-30, "training.weight_decay": 0.0}
    return classifier(init, settings=still, **how).fit(windows(ACC, EDA, seed=5), labels)


def test_statistics_and_weights_are_taken_over_exactly(trained: Path, pretrained: Path) -> None:
    for folder in (trained, pretrained):
        run, clf = Run(folder).load_model(pretrained=True), at_step_0(folder)
        for key, value in run.front_end.state().items():
            assert np.array_equal(clf.front_end_.state()[key], value)
        taken = run.network.state_dict()
        assert len(taken) > 20
        assert all(torch.equal(weights(clf)[name], value) for name, value in taken.items())


def test_the_head_is_taken_over_for_the_same_classes_only(trained: Path) -> None:
    before = Run(trained).load_model().network.state_dict()
    other = weights(at_step_0(trained, np.where(LABELS == "walk", "walk", "sit")))
    for name, value in before.items():
        assert torch.equal(other[name], value) != name.startswith("head."), name


def test_a_pre_trained_run_predicts_nothing(pretrained: Path) -> None:
    with pytest.raises(RunError, match=r"pre-trained without labels.*fit … --init"):
        MaestroClassifier.load(pretrained)


def test_a_new_sensor_joins_and_all_else_can_stay(trained: Path, tmp_path: Path) -> None:
    given = windows(ACC, EDA, TEMP)
    clf = classifier(trained, 2, add_modalities=("temp",), freeze=True).fit(given, LABELS)
    before, after = Run(trained).load_model().network.state_dict(), weights(clf)
    for name, value in before.items():
        # temp is last by name: known rows come first.
        part = after[name][tuple(slice(n) for n in value.shape)]
        same = torch.equal(part, value) or "encoders" in name
        assert same != name.startswith("head."), name
    clf.save(tmp_path / "run")
    again = MaestroClassifier.load(tmp_path / "run")
    assert again.schema_.names == ("acc", "eda", "temp")
    assert np.array_equal(again.predict_proba(given), clf.predict_proba(given))


def test_a_replaced_sensor_leaves_the_old_one_absent(trained: Path) -> None:
    clf = classifier(trained, add_modalities=("temp",)).fit(windows(ACC, TEMP), LABELS)
    assert clf.schema_.names == ("acc", "eda", "temp")
    assert clf.predict(windows(ACC, EDA, TEMP)).shape == (N,)


@pytest.mark.parametrize(
    ("sensors", "how", "error", "says"),
    [
        ((ACC, TEMP), {}, DataError, r"no modality 'temp'.*--add-modality temp"),
        ((ACC, EDA), {"add_modalities": ("temp",)}, DataError, "no modality 'temp' to add"),
        ((ACC, EDA), {"add_modalities": ("eda",)}, ConfigError, "has a modality 'eda' already"),
        ((Modality("acc", 3, 16), EDA), {}, DataError, r"'acc'.*3 channels.* 2"),
        (
            (ACC, EDA),
            {"settings": {"model.width": 8, "symbols.tokens": 4}},
            ConfigError,
            r"symbols\.tokens=4 \(run: 8\), model\.width=8 \(run: 16\)",
        ),
    ],
    ids=["unknown", "nothing to add", "known", "channels", "settings"],
)
def test_what_does_not_fit_is_refused(
    trained: Path, sensors: Any, how: Any, error: type[MaestroError], says: str
) -> None:
    with pytest.raises(error, match=says):
        classifier(trained, **how).fit(windows(*sensors), LABELS)


def test_settings_of_training_may_differ(trained: Path) -> None:
    free = {"model.dropout": 0.3, "budget.price": 0.1, "curriculum.modality_max": 0.2}
    assert Start(trained, load_recipe("tiny").override(free)).model.labelled


def test_freezing_and_adding_need_a_run() -> None:
    for how in ({"freeze": True}, {"add_modalities": ("temp",)}):
        with pytest.raises(ConfigError, match="needs a run to start from"):
            classifier(**how).fit(windows(ACC, EDA), LABELS)

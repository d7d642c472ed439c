from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maestro_ts.recipe import Recipe, load_recipe
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows
from maestro_ts.training.callbacks import Callback
from maestro_ts.training.pretrain import HIDDEN, Pretrained, pretrain

SENSORS = (Modality("acc", channels=2, rate_hz=16), Modality("eda", rate_hz=8))
CPU = torch.device("cpu")


class Interrupted(Exception):
    pass


class StopAt(Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, step: int, steps: int, loss: float) -> None:
        if step == self.step:
            raise Interrupted


def windows(labels: Any = None) -> Windows:
    """One level in all channels of a window: what is hidden can be told from what is seen."""
    rng = np.random.default_rng(0)
    level = rng.normal(size=(40, 1, 1))
    arrays = {
        name: level + 0.05 * rng.normal(size=(40, bins, channels))
        for name, bins, channels in (("acc", 32, 2), ("eda", 16, 1))
    }
    return Windows.from_arrays(arrays, SENSORS, labels=labels)


def recipe(**settings: Any) -> Recipe:
    changed = {"training.epochs": 4, "training.batch_size": 20, "model.dropout": 0.2}
    return load_recipe("tiny").override(HIDDEN | changed | settings)


def learn(given: Windows | None = None, chosen: Recipe | None = None, **how: Any) -> Pretrained:
    given = windows() if given is None else given
    return pretrain(given, chosen or recipe(), seed=0, device=CPU, **how)


def equal(one: Pretrained, two: Pretrained) -> bool:
    a, b = one.network.state_dict(), two.network.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_hidden_symbols_are_learned_to_be_told() -> None:
    chosen = recipe(**{"training.epochs": 20, "symbols.views": ["level"]})
    losses = [row["loss"] for row in learn(chosen=chosen).log]
    # The best answer that does not look at the window, the mean, has a loss of .42.
    assert losses[0] > 0.35
    assert losses[-1] < 0.2


def test_labels_are_not_looked_at() -> None:
    assert equal(learn(), learn(windows(labels=np.arange(40) % 2)))


def test_an_interrupted_pre_training_ends_with_the_weights_of_one_that_was_not(
    tmp_path: Path,
) -> None:
    chosen, state = recipe(**{"training.average_decay": 0.9}), tmp_path / "state.safetensors"
    whole = learn(chosen=chosen)
    with pytest.raises(Interrupted):
        learn(chosen=chosen, callbacks=[StopAt(5)], state_path=state)
    gone_on = learn(chosen=chosen, state_path=state, resume=True)
    assert equal(whole, gone_on)
    assert [row["loss"] for row in gone_on.log] == [row["loss"] for row in whole.log]

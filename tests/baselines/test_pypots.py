"""The adapter of PyPOTS, against a stand-in of that package in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from maestro_ts.baselines import peer_process
from maestro_ts.baselines.peer_process import PEERS
from maestro_ts.errors import ConfigError, MaestroError, MissingExtraError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.signals.windows import Windows
from maestro_ts.testing.windows_generator import keep

# Its weights are the mean of every class over what is not NaN; they are chosen on nothing.
STAND_IN = """
import numpy as np, torch
print("a banner that is no reply")
class Adam:
    def __init__(self, lr, weight_decay): pass
class BRITS:
    def __init__(self, n_steps, n_features, n_classes, epochs, patience, **other):
        self.shape = (n_steps, n_features)
        self.classes, self.settings = n_classes, (epochs, patience)
        self.model = torch.nn.Module()
        self.model.register_buffer("means", torch.zeros(n_classes, n_features))
    def _rows(self, X):
        assert X.shape[1:] == self.shape and not np.isnan(X).all(axis=(1, 2)).any()
        return np.nan_to_num(np.nanmean(X, axis=1))
    def fit(self, train, held):
        assert not set(train["y"]) - set(range(self.classes)) and len(held["X"])
        assert self.settings == (7, 5), self.settings
        x = self._rows(train["X"])
        means = [x[train["y"] == k].mean(axis=0) for k in range(self.classes)]
        self.model.means = torch.tensor(np.stack(means), dtype=torch.float32)
    def predict_proba(self, given):
        x = self._rows(given["X"])
        apart = -((x[:, None] - self.model.means.numpy()) ** 2).sum(axis=2)
        return np.exp(apart) / np.exp(apart).sum(axis=1, keepdims=True)
"""
OTHERS = {
    "optim.py": "from pypots import Adam",
    "classification.py": "from pypots import BRITS",
    "utils/__init__.py": "",
    "utils/random.py": "def set_random_seed(seed): pass",
}
SETTINGS = {
    "model_kind": "pypots",
    "rival.grid_hz": 4.0,
    "rival.copies": 1,
    "training.validation_share": 0.25,
}


@pytest.fixture
def peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "peers" / "pypots"
    for name, text in {"__init__.py": STAND_IN, **OTHERS}.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    monkeypatch.setenv(PEERS, sys.executable)
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    peer_process._process.cache_clear()


@pytest.mark.usefixtures("peers")
def test_fitted_saved_and_asked_in_another_process(
    shaken: Callable[..., Windows], tmp_path: Path
) -> None:
    settings = {**SETTINGS, "training.epochs": 7, "training.patience": 5}
    windows = shaken(48)
    clf = MaestroClassifier(settings=settings, random_state=0)
    clf.fit(windows, groups=windows.subjects)
    test = shaken(16, seed=1)
    assert clf.score(test, test.labels) > 0.8
    clf.save(tmp_path / "run")
    back = MaestroClassifier.load(tmp_path / "run")
    np.testing.assert_array_equal(back.predict_proba(test), clf.predict_proba(test))
    nothing = back.predict_proba(keep(test[:2], np.zeros(3, dtype=bool)))
    np.testing.assert_allclose(nothing, 0.5)
    with pytest.raises(ConfigError, match=r"could not fit: AssertionError: \(8, 5\)"):
        clf.set_params(settings={**settings, "training.epochs": 8}).fit(
            windows, groups=windows.subjects
        )
    with pytest.raises(ConfigError, match="weighs all windows alike"):
        clf.fit(windows, sample_weight=np.arange(48) + 1.0)


def test_without_an_environment_it_says_what_makes_one(
    shaken: Callable[..., Windows], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PEERS, str(tmp_path / "python"))
    with pytest.raises(MissingExtraError, match="make peers") as found:
        MaestroClassifier(settings=SETTINGS, random_state=0).fit(shaken(16))
    assert isinstance(found.value, MaestroError)

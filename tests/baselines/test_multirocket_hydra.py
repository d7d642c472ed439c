"""MultiRocket-Hydra: aeon's features, from stored arrays, and what it does without sensors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from maestro_ts import MaestroClassifier, load
from maestro_ts.baselines.rocket_transforms import Transforms, fit_transforms
from maestro_ts.signals.masks import hide, pattern_mask
from maestro_ts.signals.windows import Windows

pytest.importorskip("aeon")

SMALL = {
    "model_kind": "multirocket-hydra",
    "rival.kernels": 84,
    "rival.groups": 4,
    "rival.grid_hz": 10.0,
}


@pytest.mark.parametrize("channels", [1, 3])
def test_features_are_aeons_whatever_the_neighbours(channels: int) -> None:
    from aeon.transformations.collection.convolution_based import HydraTransformer, MultiRocket

    series = np.random.default_rng(0).normal(size=(70, channels, 20)).astype(np.float32)
    states = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    arrays = fit_transforms(series, 84, 4, np.random.default_rng(5))
    hydra, rocket = Transforms(arrays, series.shape[1:], 4)(series)
    assert (np.random.get_state()[1] == states[0]).all()  # noqa: NPY002
    assert torch.get_rng_state().equal(states[1])
    seeds = np.random.default_rng(5).integers(2**31, size=2)
    with torch.random.fork_rng(devices=[]):
        ours = HydraTransformer(8, 4, random_state=int(seeds[0])).fit(series)
        np.testing.assert_allclose(ours.transform(series).numpy(), hydra, rtol=1e-5, atol=1e-6)
    np.random.set_state(("MT19937", states[0], 624))  # noqa: NPY002
    theirs = MultiRocket(n_kernels=84, random_state=int(seeds[1])).fit(series)
    np.testing.assert_allclose(theirs.transform(series), rocket, rtol=1e-6)
    alone = Transforms(arrays, series.shape[1:], 4)(series[66:67])
    np.testing.assert_allclose(alone[0][0], hydra[66], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(alone[1][0], rocket[66])


def test_it_classifies_with_and_without_sensors_and_from_its_folder(
    shaken: Callable[..., Windows], tmp_path: Path
) -> None:
    train, test = shaken(64), shaken(32, 1)
    clf = MaestroClassifier(settings=SMALL, random_state=0).fit(train)
    clf.save(tmp_path / "model")
    assert not [p for p in (tmp_path / "model").iterdir() if "pkl" in p.name]
    stored = load(tmp_path / "model")
    for windows in (test, hide(test, pattern_mask(test, ["acc"]))):
        found = clf.predict_proba(windows)
        assert clf.score(windows, windows.labels) > 0.8
        assert (stored.predict_proba(windows) == found).all()
        # The temperature makes it neither sure nor shy: better than the shares of the classes.
        right = found[np.arange(32), (windows.labels == "shake").astype(int)]
        assert -np.log(right).mean() < 0.6
    again = MaestroClassifier(settings=SMALL, random_state=0).fit(train)
    assert (again.predict_proba(test) == clf.predict_proba(test)).all()


def test_short_windows_are_padded_to_a_kernel(shaken: Callable[..., Windows]) -> None:
    clf = MaestroClassifier(settings=SMALL | {"rival.grid_hz": 1.0}, random_state=0)
    assert np.isfinite(clf.fit(shaken(16)).explain(shaken(4, 1)).logits).all()
    assert clf.front_end_.steps["acc"] == 4

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from maestro_ts.estimator import MaestroClassifier
from maestro_ts.signals.masks import hide, pattern_mask
from maestro_ts.signals.windows import Windows
from maestro_ts.training.predictor import predict_kept


def test_what_is_kept_is_predicted_as_if_the_rest_had_never_been_there(
    mixed_windows: Callable[..., Windows],
) -> None:
    windows = mixed_windows(10)
    clf = MaestroClassifier(recipe="tiny", settings={"training.epochs": 1}, random_state=0)
    clf.fit(windows, windows.labels)
    names = windows.schema.names
    keep = np.random.default_rng(0).random((6, len(names))) < 0.5
    keep[0], keep[1] = True, False
    found = predict_kept(clf.front_end_, clf.network_, windows, batch_size=7)(keep)
    for kept, probabilities in zip(keep, found, strict=True):
        mask = pattern_mask(windows, [n for n, k in zip(names, kept, strict=True) if k])
        expected = clf.predict_proba(hide(windows, mask))
        assert probabilities == pytest.approx(expected, abs=1e-5)
    assert np.ptp(found[1], axis=0) == pytest.approx(np.zeros(2), abs=1e-5)  # the prior alone

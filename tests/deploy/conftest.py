"""A small fitted classifier of every kind of stream."""

from __future__ import annotations

import pytest
from live_streams import SENSORS, SPEC, recording

from maestro_ts.estimator import MaestroClassifier
from maestro_ts.signals.cut import cut


@pytest.fixture(scope="session")
def live_model() -> MaestroClassifier:
    windows = cut([recording(seed, labelled=True) for seed in range(2)], SENSORS, SPEC)
    settings = {"training.epochs": 1, "symbols.dictionary": 1, "symbols.tokens": 16}
    return MaestroClassifier(recipe="tiny", settings=settings, random_state=0).fit(windows)

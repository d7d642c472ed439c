"""Windows of every kind of stream, whose class shows in two of three modalities."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows

SENSORS = (
    Modality("acc", channels=2, rate_hz=50.0),
    Modality("age", static=True),
    Modality("temp"),
)


@pytest.fixture
def shaken() -> Callable[..., Windows]:
    """Function of (n, seed): of two classes one shakes more and is warmer; eight subjects."""

    def make(n: int, seed: int = 0) -> Windows:
        rng = np.random.default_rng(seed)
        y = np.arange(n) // 8 % 2
        stamps = [np.sort(rng.uniform(0, 4.0, 12)) for _ in range(n)]
        acc = rng.normal(size=(n, 200, 2)) * (1 + y)[:, None, None]
        acc[::5, 20:60, 1] = np.nan
        return Windows.from_arrays(
            {
                "acc": acc,
                "temp": [30 + 2 * y[i] + rng.normal(size=(12, 1)) for i in range(n)],
                "age": rng.normal(size=(n, 1, 1)),
            },
            SENSORS,
            times={"temp": stamps},
            duration_s=4.0,
            labels=np.array(["rest", "shake"])[y],
            subjects=np.arange(n) % 8,
        )

    return make

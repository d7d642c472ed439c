"""Windows of unlike sensors that can be spoilt: two on one device, one irregular, one static."""

from __future__ import annotations

import numpy as np

from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Windows

SCHEMA = Schema(
    [
        Modality("acc", 2, 16.0, device="wrist"),
        Modality("age", 1, static=True),
        Modality("events", 1, None),
        Modality("pulse", 1, 4.0, device="wrist"),
    ]
)
DURATION_S = 4.0


def faulty_windows(n: int = 12, seed: int = 0) -> Windows:
    """Noise about a level far from 0; a sixth of the samples is missing, one window lacks `acc`."""
    rng = np.random.default_rng(seed)
    arrays = {
        "acc": rng.normal((100.0, -3.0), (2.0, 0.5), size=(n, 64, 2)),
        "age": rng.normal(40.0, 5.0, size=(n, 1, 1)),
        "events": rng.normal(size=(n, 10, 1)),
        "pulse": rng.normal(60.0, 4.0, size=(n, 16, 1)),
    }
    for name in ("acc", "pulse"):
        arrays[name][rng.random(arrays[name].shape) < 1 / 6] = np.nan
    arrays["acc"][n // 2] = np.nan
    times = np.sort(rng.uniform(0.0, DURATION_S, size=(n, 10)), axis=1)
    return Windows.from_arrays(arrays, SCHEMA, times={"events": list(times)}, duration_s=DURATION_S)


def same_samples(a: Windows, b: Windows, name: str) -> bool:
    """Whether values and times of a modality are the same in all windows."""
    (x, t, i), (y, u, j) = a.samples[name].flat(), b.samples[name].flat()
    return i.tolist() == j.tolist() and np.allclose(t, u) and np.array_equal(x, y, equal_nan=True)

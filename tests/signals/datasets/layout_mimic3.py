"""``im.pk`` in the layout that MultiBench's loader takes apart, unused entries included."""

from __future__ import annotations

import numpy as np

# Columns of adm_labels_all: in hospital, 1, 2 and 3 days, 30 days, 1 year.
LABELS = (
    *((0, 0, 0, 0, 0, 0), (1, 1, 1, 1, 1, 1), (1, 0, 1, 1, 1, 1), (1, 0, 0, 1, 1, 1)),
    *((1, 0, 0, 0, 1, 1), (0, 0, 0, 0, 0, 1), (1, 0, 0, 0, 0, 0)),
)


def mimic3_content() -> dict[str, np.ndarray]:
    """Seven stays; bilirubin of stay 2 was never measured, two values are infinite."""
    rng = np.random.default_rng(0)
    n = len(LABELS)
    series = rng.normal(50, 10, (n, 24, 12))
    series[2, :, 11] = np.nan
    series[3, 5, 4] = np.inf
    statics = rng.integers(0, 3, (n, 5)).astype(float)
    statics[:, 0] = rng.uniform(6000, 32000, n)
    statics[4, 0] = -np.inf
    statics[5, 1] = np.nan
    return {
        "ep_tdata": series,
        "ep_tdata_masking": np.ones((n, 24, 12), int),
        "adm_features_all": statics,
        "adm_labels_all": np.array(LABELS),
        "y_icd9": rng.integers(0, 2, (n, 20)),
        "y_mor": np.array(LABELS)[:, :1],
    }

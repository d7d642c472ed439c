"""WESAD's synchronised files, ``WESAD/SX/SX.pkl``, of 40 s."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from layout_python2 import python2_pickle

SECONDS = 40
CHEST_HZ = 700
# Owners' label from each second on.
PROTOCOL = {0: 0, 2: 1, 14: 0, 16: 2, 26: 4, 28: 3, 38: 7}


def wesad_content(subject: str = "S2", seconds: int = SECONDS) -> dict[str, Any]:
    rng = np.random.default_rng(int(subject[1:]))
    n = CHEST_HZ * seconds

    def column(mean: float, deviation: float, rows: int) -> np.ndarray:
        return rng.normal(mean, deviation, (rows, 1))

    chest = {
        "ACC": np.array([0.9, -0.2, -0.4]) + rng.normal(0, 0.01, (n, 3)),
        "ECG": column(0, 0.2, n),
        "EMG": column(0, 0.01, n),
        "EDA": column(5, 0.1, n),
        "Temp": column(31, 0.1, n).astype(np.float32),
        "Resp": column(0, 2, n),
    }
    wrist = {
        "ACC": np.round(np.array([50.0, -20, 35]) + rng.normal(0, 2, (32 * seconds, 3))),
        "BVP": np.round(column(0, 30, 64 * seconds), 2),
        "EDA": np.round(column(1, 0.1, 4 * seconds), 6),
        "TEMP": np.round(column(34, 0.1, 4 * seconds), 2),
    }
    label = np.zeros(n, dtype=np.int32)
    for second, value in PROTOCOL.items():
        label[second * CHEST_HZ :] = value
    return {"signal": {"chest": chest, "wrist": wrist}, "label": label, "subject": subject}


@cache
def _pickle(subject: str, protocol: int) -> bytes:
    return python2_pickle(wesad_content(subject), protocol)


def wesad_pickles(
    subjects: tuple[str, ...] = ("S2", "S10", "S3"), protocol: int = 2
) -> dict[str, bytes]:
    members = {"WESAD/wesad_readme.pdf": b"%PDF"}
    for s in subjects:
        members[f"WESAD/{s}/{s}.pkl"] = _pickle(s, protocol)
        members[f"WESAD/{s}/{s}_quest.csv"] = b"# Subj;S2;;;;\n"
        members[f"WESAD/{s}/{s}_respiban.txt"] = b"# OpenSignals Text File Format\n"
    return members

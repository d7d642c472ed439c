"""PPG-DaLiA's synchronised files, ``PPG_FieldStudy/SX/SX.pkl``, of 60 s."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from layout_python2 import python2_pickle

SECONDS = 60
# Owners' activity from each second on; sitting (1) and transitions (0) in between.
PROTOCOL = {0: 0, 2: 1, 10: 2, 20: 0, 21: 3, 30: 4, 40: 7, 58: 0}


def dalia_content(subject: str = "S1", seconds: int = SECONDS) -> dict[str, Any]:
    rng = np.random.default_rng(int(subject[1:]))
    n = 700 * seconds
    chest = {
        "ACC": np.array([0.86, -0.07, -0.37]) + rng.normal(0, 0.01, (n, 3)),
        "ECG": rng.normal(0, 0.2, (n, 1)),
        "EMG": np.full((n, 1), -1.5),
        "EDA": np.zeros((n, 1)),
        "Temp": np.full((n, 1), -273.15, dtype=np.float32),
        "Resp": rng.normal(0, 2, (n, 1)),
    }
    wrist = {
        "ACC": np.round(64 * np.array([-0.75, -0.1, 0.65]) + rng.normal(0, 2, (32 * seconds, 3)))
        / 64,
        "BVP": np.round(rng.normal(0, 30, (64 * seconds, 1)), 2),
        "EDA": np.round(rng.normal(4, 0.1, (4 * seconds, 1)), 6),
        "TEMP": np.round(rng.normal(32, 0.1, (4 * seconds, 1)), 2),
    }
    activity = np.zeros((4 * seconds, 1))
    for second, value in PROTOCOL.items():
        activity[4 * second :] = value
    return {
        "rpeaks": np.arange(240, n, 500, dtype=np.int32),
        "signal": {"chest": chest, "wrist": wrist},
        "label": 60 + 40 * rng.random((seconds - 8) // 2 + 1),
        "activity": activity,
        "questionnaire": {
            **{"WEIGHT": 78.0, "Gender": " m", "AGE": 34},
            **{"HEIGHT": 182.0, "SKIN": 3, "SPORT": 6},
        },
        "subject": subject,
    }


@cache
def _pickle(subject: str, protocol: int) -> bytes:
    return python2_pickle(dalia_content(subject), protocol)


def dalia_pickles(
    subjects: tuple[str, ...] = ("S1", "S11", "S2"), protocol: int = 2
) -> dict[str, bytes]:
    members = {"readme.pdf": b"%PDF"}
    for s in subjects:
        members[f"PPG_FieldStudy/{s}/{s}.pkl"] = _pickle(s, protocol)
        members[f"PPG_FieldStudy/{s}/{s}_activity.csv"] = f"# SUBJECT_ID, {s}\n".encode()
        members[f"PPG_FieldStudy/{s}/{s}_quest.csv"] = b"# AGE, 34\n"
    return members

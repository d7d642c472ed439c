"""UTD-MHAD: small trials in exactly the owners' layout."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import scipy.io

JOINT_ORDER = b"The skeleton joint order in UTD-MAD dataset:\n\n1. head; \n2. shoulder_center;"


def mat(**content: Any) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, content, do_compression=True)
    return file.getvalue()


def inertial(rows: int = 160, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, 6)) * [1, 1, 1, 90, 90, 90]


def skeleton(frames: int = 48, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, 1]).normal(size=(20, 3, frames))


def utd_name(kind: str, action: int, subject: int, trial: int) -> str:
    return f"{kind}/a{action}_s{subject}_t{trial}_{kind.lower()}.mat"


def utd_trial(
    action: int, subject: int = 1, trial: int = 1, rows: int = 160, frames: int = 48
) -> dict[str, bytes]:
    seed = 100 * action + 10 * subject + trial
    return {
        utd_name("Inertial", action, subject, trial): mat(d_iner=inertial(rows, seed)),
        utd_name("Skeleton", action, subject, trial): mat(d_skel=skeleton(frames, seed)),
    }


def utd_set() -> dict[str, bytes]:
    """Five trials of three subjects."""
    return {
        "Skeleton/Skeleton_joint_order.txt": JOINT_ORDER,
        **utd_trial(1),
        **utd_trial(2, rows=221, frames=41),
        **utd_trial(10, 2, rows=326, frames=125),
        **utd_trial(27, 2, 3),
        **utd_trial(27, 8, 4, rows=107),
    }

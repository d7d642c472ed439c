"""Windows as the MAESTRO authors' scripts save them: a dict of tensors and a label per file."""

from __future__ import annotations

import io

import numpy as np
import torch

RATES = {
    **{"chest_ACC": 700, "chest_ECG": 700, "chest_EMG": 700, "chest_RESP": 700, "chest_EDA": 700},
    **{"chest_TEMP": 700, "wrist_ACC": 32, "wrist_BVP": 64, "wrist_EDA": 4, "wrist_TEMP": 4},
}
DALIA = ("chest_ACC", "wrist_ACC", "wrist_BVP", "wrist_EDA", "wrist_TEMP")


def saved(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def zenodo_window(label: int, seed: int, rate_hz: int | None = None) -> dict[str, torch.Tensor]:
    """One window of WESAD; `rate_hz` for all modalities instead of their native ones."""
    rng = np.random.default_rng(seed)
    window = {
        key: torch.tensor(rng.normal(label, 1, (8 * (rate_hz or rate), 3 if "ACC" in key else 1)))
        for key, rate in RATES.items()
    }
    return {**window, "label": torch.tensor(label)}


def zenodo_set(rate_hz: int | None = None) -> dict[str, bytes]:
    """Three windows, one of each class, by three subjects."""
    return {
        f"processed_wesad_activity/{subject}/seg{label}.pt": saved(
            zenodo_window(label, 10 * i + label, rate_hz)
        )
        for i, subject in enumerate(("S2", "S3", "S17"))
        for label in range(3)
    }


def zenodo_daliahar_set() -> dict[str, bytes]:
    """One window of the first and the last activity by two subjects."""
    return {
        f"processed_dalia_activity/{subject}/{activity}_seg0.pt": saved(
            {k: v for k, v in zenodo_window(label, label).items() if k in (*DALIA, "label")}
        )
        for subject in ("S1", "S15")
        for activity, label in (("STAIRS", 0), ("WORKING", 6))
    }

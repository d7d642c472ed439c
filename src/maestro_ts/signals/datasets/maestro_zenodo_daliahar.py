"""The MAESTRO authors' own windows of PPG-DaLiA: seven activities, in the layout of their WESAD."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from maestro_ts.signals.datasets import maestro_zenodo
from maestro_ts.signals.datasets.card import Reading
from maestro_ts.signals.datasets.maestro_zenodo import CITATION, QUIRKS, SENSORS, read_windows
from maestro_ts.signals.modality import Schema

__all__ = ["CARD", "read"]

KEYS = ("chest_ACC", "wrist_ACC", "wrist_BVP", "wrist_EDA", "wrist_TEMP")
CARD = replace(
    maestro_zenodo.CARD,
    name="maestro-zenodo-daliahar",
    title="DaliaHAR: PPG-DaLiA as windows, as the authors of MAESTRO published them",
    task="7 activities",
    schema=Schema(SENSORS[key] for key in KEYS),
    classes=("stairs", "soccer", "cycling", "driving", "lunch", "walking", "working"),
    citation=f"{CITATION}; and PPG-DaLiA: A. Reiss et al., Sensors 19 (2019) 3079.",
    label_rule="A file is one window of 8 s; its label is the activity that its number stands for.",
    quirks=(
        *QUIRKS,
        "The numbers of the activities are those of the authors' script, which leaves out the "
        "baseline and all time between activities.",
        "The authors train on S1-S10, validate on S11 and S12 and test on S13-S15.",
    ),
)


def read(
    path: Path | None, progress: Callable[[int, int], None] = lambda done, total: None
) -> Reading:
    """Read as `maestro_zenodo.read` does, five modalities and seven classes."""
    return read_windows(path, progress, CARD)

"""PPG-DaLiA, heart rate: a number to be estimated, not a class, for each 8 s."""

from __future__ import annotations

from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card, Target
from maestro_ts.signals.datasets.ppg_dalia import (
    CITATION,
    DOWNLOADS,
    HOW_TO_GET,
    LICENCE,
    PAGE,
    QUIRKS,
    SENSORS,
    STEP_S,
    WINDOW_S,
    heart_rates,
    part_reader,
)
from maestro_ts.signals.modality import Schema

__all__ = ["CARD", "READER"]

CARD = Card(
    name="dalia-hr",
    title="PPG-DaLiA: heart rate from a chest belt's accelerometer and a wrist band",
    task="regression: heart rate in beats per minute (no classes)",
    schema=Schema(sensor.modality for sensor in SENSORS),
    classes=(),
    windows=WindowSpec(duration_s=WINDOW_S, step_s=STEP_S),
    label_rule=(
        "Each of the owners' windows of 8 s, one every 2 s, has the mean heart rate of its ECG; "
        "the label's text is that number in full."
    ),
    licence=LICENCE,
    citation=CITATION,
    how_to_get=HOW_TO_GET,
    page=PAGE,
    downloads=DOWNLOADS,
    subjects=15,
    quirks=(
        *QUIRKS,
        "A label holds for its own 8 s and overlaps with the next. Windows of another length do "
        "not fit: longer ones have no label, shorter ones lie in several.",
    ),
    read_on_real_data=False,
    target=Target("heart rate", "1/min"),
)

READER = part_reader(heart_rates)

"""PPG-DaLiA, activities: seven kinds of daily life from a chest belt and a wrist band."""

from __future__ import annotations

from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card
from maestro_ts.signals.datasets.ppg_dalia import (
    ACTIVITIES,
    CITATION,
    DOWNLOADS,
    HOW_TO_GET,
    LICENCE,
    PAGE,
    QUIRKS,
    SENSORS,
    STEP_S,
    WINDOW_S,
    activities,
    part_reader,
)
from maestro_ts.signals.modality import Schema

__all__ = ["CARD", "READER"]

CARD = Card(
    name="dalia-har",
    title="PPG-DaLiA: activities of daily life from a chest belt and a wrist band",
    task="7 activities: stairs, soccer, cycling, driving, lunch, walking, working",
    schema=Schema(sensor.modality for sensor in SENSORS),
    classes=tuple(ACTIVITIES.values()),
    windows=WindowSpec(duration_s=WINDOW_S, step_s=STEP_S),
    label_rule="A window lies entirely within one stretch of one activity (labels at 4 Hz).",
    licence=LICENCE,
    citation=CITATION,
    how_to_get=HOW_TO_GET,
    page=PAGE,
    downloads=DOWNLOADS,
    subjects=15,
    quirks=(
        *QUIRKS,
        "Transitions (0) and sitting (1) are not labelled, as in the published task; no window "
        "lies in them. Soccer is table soccer.",
    ),
    read_on_real_data=False,
)

READER = part_reader(activities)

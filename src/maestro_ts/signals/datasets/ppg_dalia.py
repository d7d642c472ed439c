"""PPG-DaLiA, of which two data sets are made: daily activities and heart rate."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from maestro_ts.errors import FormatError
from maestro_ts.signals.datasets.card import Download
from maestro_ts.signals.datasets.parts import PartReader
from maestro_ts.signals.formats.archive import Folder
from maestro_ts.signals.formats.synchronised import (
    MAX_BYTES,
    Sensor,
    label_intervals,
    load_synchronised,
    subject_files,
    take_streams,
    take_vector,
)
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.recording import Interval, Recording

__all__ = [
    "ACTIVITIES",
    "CITATION",
    "DOWNLOADS",
    "HOW_TO_GET",
    "LICENCE",
    "PAGE",
    "QUIRKS",
    "SENSORS",
    "STEP_S",
    "WINDOW_S",
    "Labels",
    "activities",
    "heart_rates",
    "part_reader",
]

# From the content of a subject's file, the seconds it lasts and its name, to the labels.
Labels = Callable[[dict[str, Any], float, str], tuple[Interval, ...]]

SENSORS = (
    Sensor("ACC", Modality("chest_acc", 3, 700.0, "g", "chest")),
    Sensor("ACC", Modality("wrist_acc", 3, 32.0, "g", "wrist")),
    Sensor("BVP", Modality("wrist_bvp", 1, 64.0, "", "wrist")),
    Sensor("EDA", Modality("wrist_eda", 1, 4.0, "uS", "wrist")),
    Sensor("TEMP", Modality("wrist_temp", 1, 4.0, "degC", "wrist")),
)
ACTIVITY_HZ = 4.0
ACTIVITIES = {
    2: "stairs",
    3: "soccer",
    4: "cycling",
    5: "driving",
    6: "lunch",
    7: "walking",
    8: "working",
}
LARGEST_ACTIVITY = 8  # 0 transitions, 1 sitting
WINDOW_S, STEP_S = 8.0, 2.0
LARGEST_DIFFERENCE_S = 10.0

LICENCE = "CC BY 4.0 (UCI Machine Learning Repository)"
CITATION = (
    "A. Reiss, I. Indlekofer, P. Schmidt, K. Van Laerhoven: Deep PPG: Large-Scale Heart Rate "
    "Estimation with Convolutional Neural Networks. Sensors 19 (2019) 3079."
)
HOW_TO_GET = (
    "Owners: Robert Bosch GmbH and Universitaet Siegen; UCI Machine Learning Repository, doi "
    "10.24432/C53890. The download holds data.zip: unpack it once and give data.zip or the folder "
    "PPG_FieldStudy; of its files SX/SX.pkl are read."
)
PAGE = "https://archive.ics.uci.edu/dataset/495/ppg+dalia"
DOWNLOADS = (
    Download(
        "https://archive.ics.uci.edu/static/public/495/ppg+dalia.zip",
        "ppg+dalia.zip",
        member="data.zip",
    ),
)
QUIRKS = (
    "SX.pkl is a pickle of Python 2, which could run anything: it is read by an unpickler that "
    "admits numpy arrays and plain values only. Files above 2 GiB are refused.",
    "Chest EMG, EDA and Temp are constants that stand for no sensor (-1.5, 0, -273.15) and are "
    "not read. Chest ECG and Resp are not read either: the heart rate was taken from that ECG, "
    "and the published activity task has the five signals listed here.",
    "The wrist band's ACC is in g here, in WESAD's files in 1/64 g. A file whose accelerometers "
    "do not show about 1 g in the median is refused.",
    "Two devices: what one device carries fails together when devices are hidden.",
    "A subject is refused by name when a signal is missing or has other channels, when signals "
    "end more than 1 s apart, or labels more than 10 s before or after them.",
)


def part_reader(labels: Labels) -> PartReader:
    """Read a subject at a time.

    Parameters
    ----------
    labels : callable (content, duration_s, where) -> tuple of Interval
        What is predicted: `activities` or `heart_rates`.
    """
    return PartReader(_parts, partial(_read_subject, labels), MAX_BYTES)


def _parts(folder: Folder) -> list[str]:
    """Subjects, by number."""
    subjects = list(subject_files(folder))
    if not subjects:
        raise folder.nothing_found("subject of PPG-DaLiA (SX/SX.pkl)")
    return subjects


def activities(content: dict[str, Any], duration_s: float, where: str) -> tuple[Interval, ...]:
    """Stretches of the seven activities (labels at 4 Hz)."""
    values = take_vector(content, "activity", where)
    _check_duration("activity", len(values) / ACTIVITY_HZ, duration_s, where)
    return label_intervals(values, ACTIVITY_HZ, ACTIVITIES, LARGEST_ACTIVITY, where)


def heart_rates(content: dict[str, Any], duration_s: float, where: str) -> tuple[Interval, ...]:
    """Heart rate of each 8 s, every 2 s; the text of a label is the number, complete."""
    values = take_vector(content, "label", where)
    _check_duration("label", (len(values) - 1) * STEP_S + WINDOW_S, duration_s, where)
    wrong = np.flatnonzero(values <= 0)
    if len(wrong):
        raise FormatError(
            f"the heart rate at index {wrong[0]} is {values[wrong[0]]:g}.", where=where
        )
    return tuple(
        Interval(j * STEP_S, j * STEP_S + WINDOW_S, repr(float(value)))
        for j, value in enumerate(values)
    )


def _read_subject(labels: Labels, folder: Folder, subject: str) -> Recording:
    member = subject_files(folder)[subject]
    content = load_synchronised(folder.read(member), member, subject)
    streams = take_streams(content, SENSORS, member)
    duration_s = max(stream.end_s for stream in streams.values())
    return Recording(
        streams,
        subject=subject,
        source=f"{subject}.pkl",
        labels=labels(content, duration_s, member),
        duration_s=duration_s,
    )


def _check_duration(key: str, labels_s: float, signals_s: float, where: str) -> None:
    if abs(labels_s - signals_s) > LARGEST_DIFFERENCE_S:
        raise FormatError(
            f"{key!r} ends at {labels_s:.1f} s, the signals at {signals_s:.1f} s.", where=where
        )

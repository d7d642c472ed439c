"""The MAESTRO authors' own windows of WESAD: one ``.pt`` file per window, a folder per subject."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from maestro_ts.errors import FormatError
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card, Reading
from maestro_ts.signals.datasets.parts import PartReader, read_by_parts
from maestro_ts.signals.formats.archive import Folder
from maestro_ts.signals.formats.torch_tensors import load_tensors
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream

__all__ = ["CARD", "CITATION", "QUIRKS", "SENSORS", "read", "read_windows"]

WINDOW_S = 8.0
COMMON_HZ = 32.0
LABEL = "label"
FILE = r"(?P<file>(?P<subject>S\d+)/[^/]+\.pt)"
# By their names in the files; rates as the authors' loader takes them.
SENSORS = {
    "chest_ACC": Modality("chest_acc", 3, 700.0),
    "chest_ECG": Modality("chest_ecg", 1, 700.0),
    "chest_EDA": Modality("chest_eda", 1, 700.0),
    "chest_EMG": Modality("chest_emg", 1, 700.0),
    "chest_RESP": Modality("chest_resp", 1, 700.0),
    "chest_TEMP": Modality("chest_temp", 1, 700.0),
    "wrist_ACC": Modality("wrist_acc", 3, 32.0),
    "wrist_BVP": Modality("wrist_bvp", 1, 64.0),
    "wrist_EDA": Modality("wrist_eda", 1, 4.0),
    "wrist_TEMP": Modality("wrist_temp", 1, 4.0),
}
CITATION = (
    "P. Mohapatra, Y. Sui, A. Pandey, S. Xia, Q. Zhu: MAESTRO: Adaptive Sparse Attention and "
    "Robust Learning for Multimodal Dynamic Time Series. arXiv 2509.25278 (2025)"
)
QUIRKS = (
    "Assumed, from the authors' public code, for the files were not at hand: a dict of tensors "
    "[samples, channels] named as chest_ACC or wrist_BVP, and 'label'; every window is 8 s long.",
    "Rates are not in the files. The code takes the windows for native rates (chest 700 Hz, "
    "wrist_ACC 32, wrist_BVP 64, wrist_EDA and wrist_TEMP 4); the paper speaks of 32 Hz. The "
    "number of samples in 8 s tells which, per modality: one or the other, or the file is refused. "
    "The first file that has a modality decides, and files that differ from it are refused.",
    "A modality that a file lacks is absent there. How the values were processed is not "
    "published, so no units are stated; nothing is scaled or repaired.",
    "Windows of one session may overlap (2 s from one to the next in the authors' script for "
    "DaliaHAR): split by subject, never at random.",
    "Chest and wrist signals of one device fail together in life; each is a device of its own "
    "here, as in the paper.",
)

CARD = Card(
    name="maestro-zenodo",
    title="WESAD as windows, as the authors of MAESTRO published them",
    task="3 conditions, by number",
    schema=Schema(SENSORS.values()),
    classes=("0", "1", "2"),
    windows=WindowSpec(duration_s=None),
    label_rule="A file is one window of 8 s; its label is the number in it.",
    licence="as the Zenodo record states it; that of the source set holds too",
    citation=f"{CITATION}; and WESAD: P. Schmidt et al., ICMI 2018, 400-408.",
    how_to_get=(
        "The authors of MAESTRO; Zenodo record 17227234. Give the folder that holds S2, S3, … or a "
        "zip archive of it."
    ),
    page="https://zenodo.org/records/17227234",
    subjects=15,
    quirks=(
        *QUIRKS,
        "Which number is which condition is not published, so the labels stay numbers. From the "
        "raw files 'wesad-e4' reads baseline, stress and amusement.",
        "At native rates a window takes 185 kB: a set of 10,000 windows takes 1.8 GB of memory.",
        "The authors train on S2-S11, validate on S16 and S17 and test on S13-S15.",
    ),
    read_on_real_data=False,
)


def read(
    path: Path | None, progress: Callable[[int, int], None] = lambda done, total: None
) -> Reading:
    """Read every window of the archive or unpacked folder.

    Parameters
    ----------
    path : Path
    progress : callable (done, total)
        Told after each file.

    Returns
    -------
    Reading
        Its schema has the modalities and rates that were found.

    Raises
    ------
    FormatError
        No file of the data set there, or more than half of the files cannot be read.
    """
    return read_windows(path, progress, CARD)


def read_windows(path: Path | None, progress: Callable[[int, int], None], card: Card) -> Reading:
    """Read windows with the modalities and, by their numbers, the classes of `card`."""
    found: dict[str, Modality] = {}

    def read_part(folder: Folder, member: str) -> Recording:
        name = re.search(rf"(?:^|/){FILE}$", member)
        assert name is not None, member
        content = load_tensors(folder.read(member), member)
        label, streams, new = _window(content, member, card, found)
        recording = Recording(
            streams,
            subject=name["subject"],
            source=name["file"],
            labels=(Interval(0.0, WINDOW_S, label),),
            duration_s=WINDOW_S,
        )
        found.update(new)
        return recording

    reading = read_by_parts(card, path, PartReader(_parts, read_part), progress)
    return replace(reading, schema=Schema(found.values()))


def _parts(folder: Folder) -> list[str]:
    """Every window's file; subjects of one set only."""
    windows = folder.matching(FILE)
    if not windows:
        raise folder.nothing_found("window of the set (S*/*.pt)")
    roots = sorted({member.removesuffix(name["file"]) for member, name in windows.items()})
    if len(roots) > 1:
        raise FormatError(
            f"holds subjects in several folders: {', '.join(roots[:5])}.",
            where=folder.where,
            fix="Give one of them: subjects of different sets have the same names.",
        )
    return list(windows)


def _window(
    content: Any, where: str, card: Card, found: Mapping[str, Modality]
) -> tuple[str, dict[str, Stream], dict[str, Modality]]:
    """Label, streams, and the modalities with their rates of one file."""
    if not isinstance(content, dict):
        raise FormatError(f"holds a {type(content).__name__}, a dict is expected.", where=where)
    if LABEL not in content:
        raise FormatError(f"the entry {LABEL!r} is missing.", where=where)
    label = _label(content[LABEL], where, card)
    known = {key: sensor for key, sensor in SENSORS.items() if sensor.name in card.schema}
    streams, modalities = {}, {}
    for key, values in content.items():
        if key == LABEL:
            continue
        if key not in known:
            raise FormatError(
                f"unknown entry {key!r}; the modalities are {', '.join(known)}.", where=where
            )
        sensor = known[key]
        before = found.get(sensor.name)
        modality = _modality(values, sensor, f"{where}, {key}")
        if before is not None and modality != before:
            raise FormatError(
                f"{len(values)} samples, that is {modality.rate_hz:g} Hz; the first file of this "
                f"modality has {before.rate_hz:g} Hz.",
                where=f"{where}, {key}",
            )
        streams[sensor.name] = Stream(values, modality.rate_hz)
        modalities[sensor.name] = modality
    if not streams:
        raise FormatError("holds no modality.", where=where)
    return label, streams, modalities


def _label(value: Any, where: str, card: Card) -> str:
    number = np.asarray(value)
    last = len(card.classes) - 1
    if number.size != 1 or number.dtype.kind not in "iuf" or number.item() not in range(last + 1):
        shown = number.item() if number.size == 1 else f"of shape {number.shape}"
        raise FormatError(f"the label is {shown!r}; 0-{last} expected.", where=where)
    return card.classes[int(number.item())]


def _modality(values: Any, sensor: Modality, where: str) -> Modality:
    """The sensor with the rate that the number of samples tells."""
    if not isinstance(values, np.ndarray) or values.ndim != 2 or values.shape[1] != sensor.channels:
        shown = f"shape {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
        raise FormatError(f"{shown}; [samples, {sensor.channels}] expected.", where=where)
    with np.errstate(over="ignore"):
        infinite = np.isinf(values.astype(np.float32)).any()
    if infinite:
        raise FormatError("infinite values, or larger than 32 bits can hold.", where=where)
    assert sensor.rate_hz is not None
    for rate_hz in (sensor.rate_hz, COMMON_HZ):
        if len(values) == WINDOW_S * rate_hz:
            return replace(sensor, rate_hz=rate_hz)
    raise FormatError(
        f"{len(values)} samples; {WINDOW_S * sensor.rate_hz:g} ({sensor.rate_hz:g} Hz) or "
        f"{WINDOW_S * COMMON_HZ:g} ({COMMON_HZ:g} Hz) expected.",
        where=where,
    )

"""WESAD, wrist band only: baseline, stress and amusement from four signals of an Empatica E4."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError, shown
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card
from maestro_ts.signals.datasets.parts import PartReader
from maestro_ts.signals.datasets.wesad import DOWNLOADS, PAGE
from maestro_ts.signals.formats.archive import Folder, open_zip
from maestro_ts.signals.formats.csv import as_number
from maestro_ts.signals.formats.empatica import read_e4_csv
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream

__all__ = [
    "CARD",
    "READER",
    "quest_seconds",
    "read_signals",
    "signal_files",
]

MODALITIES = {
    "ACC": Modality("wrist_acc", 3, 32.0, "g"),
    "BVP": Modality("wrist_bvp", 1, 64.0, ""),
    "EDA": Modality("wrist_eda", 1, 4.0, "uS"),
    "TEMP": Modality("wrist_temp", 1, 4.0, "degC"),
}
CONDITIONS = {"Base": "baseline", "TSST": "stress", "Fun": "amusement"}
ACC_PER_G = 64
MARGIN_S = 10.0
# The real files end within 1.7 s of each other.
LARGEST_END_DIFFERENCE_S = 10.0
TEMP_NO_MEASUREMENT = 380.0
OFFSETS = "offsets.csv"

CARD = Card(
    name="wesad-e4",
    title="WESAD: stress and amusement from an Empatica E4 wrist band",
    task="3 conditions: baseline, stress, amusement",
    schema=Schema(MODALITIES.values()),
    classes=("baseline", "stress", "amusement"),
    windows=WindowSpec(duration_s=30.0, step_s=15.0),
    label_rule=(
        "A window lies entirely within one condition of the study protocol, which is shortened by "
        "10 s at both ends as the owners did."
    ),
    licence=(
        "CC BY 4.0 (UCI Machine Learning Repository); the owners ask for scientific, "
        "non-commercial use and citation"
    ),
    citation=(
        "P. Schmidt, A. Reiss, R. Duerichen, C. Marberger, K. Van Laerhoven: Introducing WESAD, a "
        "Multimodal Dataset for Wearable Stress and Affect Detection. ICMI 2018, 400-408."
    ),
    how_to_get=(
        "Owners: Robert Bosch GmbH and Universitaet Siegen; UCI Machine Learning Repository, doi "
        "10.24432/C57K5T. Give the zip archive or the unpacked folder WESAD, and lay offsets.csv "
        "(columns subject, e4_start_unix, offset_s) into it or beside it."
    ),
    page=PAGE,
    downloads=DOWNLOADS,
    subjects=15,
    quirks=(
        "Two clocks: the protocol's times count from the start of the chest device, the wrist "
        "band was switched on 15-24 minutes earlier. offsets.csv, which is not the owners', gives "
        "the seconds in between; without it every label would be wrong, so nothing is read.",
        "Times in SX_quest.csv are minutes.seconds: 50.3 is 50 min 30 s. Read as text.",
        "Meditation 1 and 2 and the reading periods are not labelled; no window lies in them.",
        "The first values of TEMP (382.2, 4 of them) and of EDA (0) are no measurements: NaN.",
        "All four signals come from one band. Each is a device of its own here, for with the band "
        "they would all fail together: results on missing modalities are about single sensors.",
        "ACC is converted from 1/64 g; it clips at 2 g. HR and IBI are derived from BVP by the "
        "device and are not read. The chest device is not read.",
        "A subject without SX_quest.csv, without one of the four signals, or whose signals end "
        "more than 10 s apart is refused by name.",
        "Remarks of the owners: S3 was cheerful after the stress and sat in the sun during "
        "baseline; S6 and S15 were hardly stressed; S8 and S16 were cold during the stress.",
    ),
)


def _parts(folder: Folder) -> list[str]:
    """Every subject, by number; without their offsets there is nothing to read."""
    found = folder.matching(r"(?P<subject>S\d+)_(?:quest\.csv|E4_Data(?:\.zip|/[A-Z]+\.csv))")
    if not found:
        raise folder.nothing_found("subject of WESAD (SX_E4_Data, SX_quest.csv)")
    _read_offsets(*_find_offsets(folder))
    return sorted({match["subject"] for match in found.values()}, key=lambda s: int(s[1:]))


def _read_part(folder: Folder, part: str) -> Recording:
    """Read one subject."""
    return _read_subject(folder, part, _read_offsets(*_find_offsets(folder)))


def _find_offsets(folder: Folder) -> tuple[bytes, str]:
    """Content and place of offsets.csv: inside, or beside the archive or folder."""
    inside = folder.matching(re.escape(OFFSETS))
    if inside:
        name = min(inside, key=lambda n: n.count("/"))
        return folder.read(name), name
    beside = Path(folder.where).resolve().parent / OFFSETS
    if beside.is_file():
        return beside.read_bytes(), str(beside)
    raise FormatError(
        f"{OFFSETS} is missing. The protocol's times and the wrist band run on two clocks, 15 to "
        "24 minutes apart; without the offset of each subject every label would be wrong.",
        where=folder.where,
        fix=f"Lay {OFFSETS} (columns subject, e4_start_unix, offset_s) beside or into it.",
    )


def _read_offsets(data: bytes, where: str) -> dict[str, tuple[float, float]]:
    """Start of the wrist band's clock and seconds from there to the protocol's, by subject."""
    lines = data.decode("latin1").splitlines()
    header = [field.strip() for field in lines[0].split(",")] if lines else []
    wanted = ("subject", "e4_start_unix", "offset_s")
    lacking = [column for column in wanted if column not in header]
    if lacking:
        raise FormatError(f"the column {lacking[0]!r} is missing.", where=f"{where}:1")
    at = [header.index(column) for column in wanted]
    offsets = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        fields = line.split(",")
        if len(fields) < len(header):
            raise FormatError(
                f"{len(fields)} columns, {len(header)} expected.", where=f"{where}:{number}"
            )
        start, offset = (as_number(fields[i], f"{where}:{number}") for i in at[1:])
        offsets[fields[at[0]].strip()] = start, offset
    return offsets


def _read_subject(
    folder: Folder, subject: str, offsets: dict[str, tuple[float, float]]
) -> Recording:
    quests = folder.matching(f"{subject}_quest\\.csv")
    if not quests:
        raise FormatError(f"{subject}_quest.csv is missing: no labels.", where=subject)
    if subject not in offsets:
        raise FormatError(f"{OFFSETS} has no line for this subject.", where=subject)
    start_unix, streams = read_signals(folder, subject)
    known_start, offset_s = offsets[subject]
    if abs(start_unix - known_start) >= 1:
        raise FormatError(
            f"EDA.csv starts at {start_unix:.0f}, {OFFSETS} is about a recording that starts at "
            f"{known_start:.0f}.",
            where=subject,
        )
    duration_s = max(stream.end_s for stream in streams.values())
    quest = min(quests, key=len)
    labels = _read_labels(folder.read(quest), quest, offset_s)
    outside = [i for i in labels if i.start_s < 0 or i.end_s > duration_s]
    if outside:
        raise FormatError(
            f"{outside[0].label} would end {outside[0].end_s:.0f} s into a recording of "
            f"{duration_s:.0f} s.",
            where=quest,
        )
    return Recording(
        streams, subject=subject, source=f"{subject}_E4_Data", labels=labels, duration_s=duration_s
    )


def read_signals(folder: Folder, subject: str) -> tuple[float, dict[str, Stream]]:
    """Unix time of the first EDA sample, and the streams with their starts relative to it."""
    files = signal_files(folder, subject, tuple(MODALITIES))
    starts, streams = {}, {}
    for kind, modality in MODALITIES.items():
        if kind not in files:
            raise FormatError(f"{kind}.csv is missing.", where=subject)
        data, where = files[kind]
        starts[kind], streams[kind] = read_e4_csv(
            data, where, columns=modality.channels, rate_hz=modality.rate_hz
        )
    zero = starts["EDA"]
    found = {
        MODALITIES[kind].name: Stream(
            _convert(kind, stream.values),
            rate_hz=stream.rate_hz,
            start_s=starts[kind] - zero,
        )
        for kind, stream in streams.items()
    }
    ends = {name: stream.end_s for name, stream in found.items()}
    if max(ends.values()) - min(ends.values()) > LARGEST_END_DIFFERENCE_S:
        first, last = min(ends, key=ends.__getitem__), max(ends, key=ends.__getitem__)
        raise FormatError(
            f"{first} ends at {ends[first]:.0f} s, {last} at {ends[last]:.0f} s: a file is cut "
            "short.",
            where=subject,
        )
    return zero, found


def signal_files(
    folder: Folder, subject: str, names: Sequence[str]
) -> dict[str, tuple[bytes, str]]:
    """Content and place of each signal; the owners ship the folder as a zip of its own."""
    kinds = f"(?P<kind>{'|'.join(names)})\\.csv"
    plain = folder.matching(f"{subject}_E4_Data/{kinds}")
    if plain:
        return {match["kind"]: (folder.read(name), name) for name, match in plain.items()}
    for name in folder.matching(f"{subject}_E4_Data\\.zip"):
        with open_zip(folder.read(name), name) as inner:
            return {
                match["kind"]: (inner.read(member), f"{name}/{PurePosixPath(member).name}")
                for member, match in inner.matching(kinds).items()
            }
    return {}


def _convert(kind: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    if kind == "ACC":
        return values / np.float32(ACC_PER_G)
    if kind in ("EDA", "TEMP"):
        measured = values > 0 if kind == "EDA" else values < TEMP_NO_MEASUREMENT
        # Only before the first measurement: a zero later on is a lost contact, which is data.
        began = np.logical_or.accumulate(measured)
        return np.where(began, values, np.float32(np.nan))
    return values


def _read_labels(data: bytes, where: str, offset_s: float) -> tuple[Interval, ...]:
    rows: dict[str, tuple[int, list[str]]] = {}
    for number, line in enumerate(data.decode("latin1").splitlines(), start=1):
        found = re.match(r"#\s*(ORDER|START|END);(.*)", line)
        if found:
            rows[found[1]] = number, [field.strip() for field in found[2].split(";")]
    lacking = [key for key in ("ORDER", "START", "END") if key not in rows]
    if lacking:
        raise FormatError(f"the line '# {lacking[0]}' is missing: no labels.", where=where)
    labels = []
    for column, condition in enumerate(rows["ORDER"][1]):
        if condition not in CONDITIONS:
            continue
        times = []
        for number, fields in (rows["START"], rows["END"]):
            text = fields[column] if column < len(fields) else ""
            times.append(offset_s + quest_seconds(text, f"{where}:{number}"))
        start_s, end_s = times[0] + MARGIN_S, times[1] - MARGIN_S
        if start_s >= end_s:
            raise FormatError(f"{condition} ends before it starts.", where=f"{where}:{number}")
        labels.append(Interval(start_s, end_s, CONDITIONS[condition]))
    if not labels:
        raise FormatError(
            f"none of {', '.join(CONDITIONS)} occurs: no labels.",
            where=f"{where}:{rows['ORDER'][0]}",
        )
    return tuple(sorted(labels, key=lambda i: i.start_s))


def quest_seconds(text: str, where: str) -> float:
    """Seconds of a time written ``minutes.seconds``, from which a spreadsheet cut final zeros.

    Examples
    --------
    >>> quest_seconds("50.3", "S2_quest.csv:4")
    3030.0
    """
    found = re.fullmatch(r"(\d{1,3})(?:\.(\d{1,2}))?", text)
    seconds = int(((found[2] or "") if found else "").ljust(2, "0"))
    if not found or seconds >= 60:
        raise FormatError(f"{shown(text)} is not a time in minutes.seconds.", where=where)
    return float(int(found[1]) * 60 + seconds)


READER = PartReader(_parts, _read_part)

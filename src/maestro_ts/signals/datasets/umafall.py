"""UMAFall: falls and daily activities, a phone at 200 Hz and four body-worn SensorTags at 20 Hz."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card
from maestro_ts.signals.datasets.parts import PartReader
from maestro_ts.signals.formats.archive import Folder
from maestro_ts.signals.formats.csv import read_numbers
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream

__all__ = ["CARD", "READER"]

POSITIONS = ("rightpocket", "chest", "waist", "wrist", "ankle")  # by Sensor ID
KINDS = (("acc", "g"), ("gyro", "deg/s"), ("mag", "uT"))  # by Sensor Type
PHONE = 0
TRIAL_S = 15.0
COLUMNS = 7  # TimeStamp(ms); Sample No; X; Y; Z; Sensor Type; Sensor ID
DAILY = (
    *("Aplausing", "Bending", "GoDownstairs", "GoUpstairs", "HandsUp", "Hopping", "Jogging"),
    *("LyingDown_OnABed", "MakingACall", "OpeningDoor", "Sitting_GettingUpOnAChair", "Walking"),
)
FALLS = ("backwardFall", "forwardFall", "lateralFall")
FILE = (
    r"(?P<file>UMAFall_(?P<subject>Subject_\d+)_(?:ADL|Fall)_(?P<activity>\w+?)_\d+"
    r"_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.csv)"
)
SENSOR_ROW = re.compile(rb"^%\S+;\s*(\d+);\s*([A-Z]+);")
# '1.012.598.156.929.010': no number has two decimal points.
THOUSANDS = re.compile(rb"(?:^|;)(-?\d{1,3}(?:\.\d{3}){2,})(?=;|\r|$)")
# SensorTag accelerations, unless clipped, are whole multiples of 1/4096 g. Those that a file gives
# 4 times too small are multiples of 1/16384 g.
FINE_PER_G = 16384


def _schema() -> Schema:
    phone = Modality("rightpocket_acc", 3, 200.0, "g", "rightpocket")
    tags = [
        Modality(f"{position}_{kind}", 3, 20.0, unit, position)
        for position in POSITIONS[1:]
        for kind, unit in KINDS
    ]
    return Schema([phone, *tags])


CARD = Card(
    name="umafall",
    title="UMAFall: falls and activities of daily living with five worn sensors",
    task="15 activities: 12 of daily living, 3 kinds of fall",
    schema=_schema(),
    classes=(*DAILY, *FALLS),
    windows=WindowSpec(duration_s=None),
    label_rule="A trial is one window; its label is the activity in the file's name.",
    licence="CC BY 4.0 (figshare, doi 10.6084/m9.figshare.4214283)",
    citation=(
        "E. Casilari, J. A. Santoyo-Ramon, J. M. Cano-Garcia: UMAFall: A Multisensor Dataset for "
        "the Research on Automatic Fall Detection. Procedia Computer Science 110 (2017) 32-39."
    ),
    how_to_get=(
        "Owners: Universidad de Malaga; figshare, doi 10.6084/m9.figshare.4214283. Give the zip "
        "archive or the unpacked folder UMAFall_Dataset."
    ),
    page="https://doi.org/10.6084/m9.figshare.4214283",
    subjects=19,
    quirks=(
        "Subject_13: a spreadsheet took decimal points for thousands separators in its 20 files; "
        "the values are lost, each file is refused by name, 18 subjects and 726 trials remain.",
        "Missing sensors: of 726 trials 109 lack the waist, 103 the ankle, 1 the chest. The "
        "absence follows the session, so it tells something of the class. A sensor without rows "
        "is absent, also where the header names it (then a note of the recording says so).",
        "Unit change: 213 SensorTag acc streams begin with 0.05-15 s of values 4 times too small "
        "(0.25 g at rest, on the 1/16384 g grid; all others, unless clipped, lie on the 1/4096 g "
        "grid). The grid tells which: they are multiplied by 4, which is exact, and a note of the "
        "recording says for how long; then every SensorTag begins near 1 g. 7 of these streams "
        "never change. In 3 streams one sample at the seam lies on both grids and stays small. "
        "`inspect` shows all of them as recorded; --distrust-scale takes these stretches as "
        "missing instead.",
        "Magnetometers read (0, 0, 0) until their first measurement: those samples become NaN; "
        "6 mag streams are zero throughout and are absent, never zeros.",
        "The phone's samples come in bursts with equal time stamps: kept as they are. Rates are "
        "nominal (phone 198-235 Hz, SensorTags 8-21 Hz); the stamps decide.",
        "A trial ends with the first sample after 15 s; these samples (1-8 a trial, at most "
        "0.09 s late) lie outside its window. 4 acc streams end before 14.5 s.",
        "Clipping: one of the two phones at 2 g; SensorTag acc at 8 g, but 156 streams (119 chest, "
        "37 ankle) at 2 g; gyro at 257 deg/s. Left as it is.",
        "Subject, activity and trial number occur twice or more in 65 cases, on other days: the "
        "date in the file's name, which is the recording's source, tells them apart.",
        "Age, weight, gender and movement type in the headers contradict each other: not used.",
    ),
)


def _parts(folder: Folder) -> list[str]:
    """Every trial's file."""
    trials = list(folder.matching(FILE))
    if not trials:
        raise folder.nothing_found("UMAFall_Subject_*.csv file")
    return trials


def _read_part(folder: Folder, part: str, *, repair: bool = True) -> Recording:
    """Read one trial."""
    name = re.search(rf"(?:^|/){FILE}$", part)
    assert name is not None, part
    return _read_trial(folder.read(part), part, name, repair=repair)


def _read_trial(data: bytes, where: str, name: re.Match[str], *, repair: bool) -> Recording:
    activity = name["activity"]
    if activity not in CARD.classes:
        raise FormatError(f"unknown activity {activity!r}.", where=where)
    n_header, begin, named = _read_header(data, where)
    first_line = n_header + 1
    try:
        rows = read_numbers(
            data[begin:], where, columns=COLUMNS, delimiter=";", first_line=first_line
        )
    except FormatError:
        _raise_if_spreadsheet(data, where)
        raise
    _check_rows(rows, where, first_line)
    streams, notes = _streams(rows, where, first_line, repair=repair)
    worn = {stream.split("_")[0] for stream in streams}
    notes += [f"{p}: named in the header, no rows." for p in named if p not in worn]
    return Recording(
        streams,
        subject=name["subject"],
        source=name["file"],
        labels=(Interval(0.0, TRIAL_S, activity),),
        duration_s=TRIAL_S,
        notes=tuple(notes),
    )


def _read_header(data: bytes, where: str) -> tuple[int, int, list[str]]:
    """Count the header's lines and bytes, and return the positions its sensor table names."""
    begin = 0
    named: list[str] = []
    for number, line in enumerate(io.BytesIO(data), start=1):
        if line.strip(b" ;\r\n") and not line.startswith(b"%"):
            return number - 1, begin, named
        begin += len(line)
        found = SENSOR_ROW.match(line)
        if found:
            index, position = int(found[1]), found[2].decode().lower()
            if index >= len(POSITIONS) or POSITIONS[index] != position:
                raise FormatError(
                    f"sensor {index} is {position!r}; in this data set the sensors are "
                    f"{', '.join(POSITIONS)}.",
                    where=f"{where}:{number}",
                )
            named.append(position)
    raise FormatError("no rows after the header: the file is cut short.", where=where)


def _raise_if_spreadsheet(data: bytes, where: str) -> None:
    for number, line in enumerate(data.split(b"\n"), start=1):
        found = None if line.startswith(b"%") else THOUSANDS.search(line)
        if found:
            raise FormatError(
                "decimal points taken for thousands separators by a spreadsheet: "
                f"{found[1].decode()!r}.",
                where=f"{where}:{number}",
            )


def _check_rows(rows: NDArray[np.float64], where: str, first_line: int) -> None:
    kind, sensor = rows[:, 5], rows[:, 6]
    known = np.isin(kind, range(len(KINDS))) & np.isin(sensor, range(len(POSITIONS)))
    known &= (sensor != PHONE) | (kind == 0)
    if not known.all():
        at = int(np.flatnonzero(~known)[0])
        raise FormatError(
            f"no sensor of this data set has type {kind[at]:g} and id {sensor[at]:g}.",
            where=f"{where}:{first_line + at}",
        )
    # Every recording went on until a stamp passed 15 s.
    if rows[:, 0].max() < TRIAL_S * 1000:
        raise FormatError(
            f"the last time stamp is {rows[:, 0].max():g} ms: the file is cut short.",
            where=f"{where}:{first_line + len(rows) - 1}",
        )


def _streams(
    rows: NDArray[np.float64], where: str, first_line: int, *, repair: bool
) -> tuple[dict[str, Stream], list[str]]:
    streams: dict[str, Stream] = {}
    notes: list[str] = []
    for name, rate_hz, at in _sensors(rows, where, first_line):
        times, values = rows[at, 0] / 1000, rows[at, 2:5]
        back = np.flatnonzero(np.diff(times) < 0)
        if len(back):
            raise FormatError(
                f"{name}: the time stamp goes back.",
                where=f"{where}:{first_line + int(at[back[0] + 1])}",
            )
        if name.endswith("_mag"):
            values = _measured(values)
        elif repair and name != "rightpocket_acc" and name.endswith("_acc"):
            values, n_small = _repair_unit(values)
            if n_small:
                notes.append(
                    f"{name}: the first {n_small} samples (until {times[n_small - 1]:g} s) were 4 "
                    "times too small and are multiplied by 4."
                )
        if np.isnan(values).all():
            notes.append(f"{name}: zero throughout, taken as absent.")
        else:
            streams[name] = Stream(values.astype(np.float32), rate_hz, times)
    return streams, notes


def _sensors(
    rows: NDArray[np.float64], where: str, first_line: int
) -> Iterator[tuple[str, float, NDArray[np.intp]]]:
    """Yield name, nominal rate and row numbers of every sensor that has rows."""
    for sensor, position in enumerate(POSITIONS):
        kinds = KINDS[:1] if sensor == PHONE else KINDS
        chosen = [
            np.flatnonzero((rows[:, 6] == sensor) & (rows[:, 5] == kind))
            for kind in range(len(kinds))
        ]
        counts = [len(at) for at in chosen]
        # A SensorTag sends acc, gyro and mag together; the rows are sorted by sensor and kind.
        if len(set(counts)) > 1:
            raise FormatError(
                f"{position}: {counts[0]} acc, {counts[1]} gyro and {counts[2]} mag rows, which "
                "come together: the file is cut short.",
                where=f"{where}:{first_line + len(rows) - 1}",
            )
        for (kind, _), at in zip(kinds, chosen, strict=True):
            if len(at):
                yield f"{position}_{kind}", 200.0 if sensor == PHONE else 20.0, at


def _measured(mag: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace the zeros before the first measurement by NaN."""
    began = np.logical_or.accumulate(mag.any(axis=1))
    return np.where(began[:, None], mag, np.nan)


def _repair_unit(acc: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Multiply the samples that are 4 times too small; also return how many there are."""
    lsb = np.round(acc * FINE_PER_G)
    if np.abs(acc * FINE_PER_G - lsb).max() > 0.02:
        return acc, 0
    fine = (lsb % 4 != 0).any(axis=1)
    score = np.cumsum(np.where(fine, 1, -1))
    # The last of equal maxima: some rows lie on the coarse grid by chance (1 in 64).
    n_small = len(score) - int(np.argmax(score[::-1]))
    usual_g = 4 * np.median(np.linalg.norm(acc[:n_small], axis=1))
    if fine[:n_small].mean() < 0.8 or not 0.5 <= usual_g <= 2.2:
        return acc, 0
    repaired = acc.copy()
    repaired[:n_small] *= 4
    return repaired, n_small


READER = PartReader(_parts, _read_part, read_as_recorded=partial(_read_part, repair=False))

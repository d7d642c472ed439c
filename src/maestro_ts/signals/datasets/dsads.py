"""DSADS: 19 daily and sports activities, five body-worn units at 25 Hz; a unit is a modality."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

import numpy as np

from maestro_ts.errors import FormatError
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card, Download
from maestro_ts.signals.datasets.parts import PartReader
from maestro_ts.signals.formats.archive import Folder
from maestro_ts.signals.formats.csv import read_numbers
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream

__all__ = [
    "CARD",
    "KINDS",
    "QUIRKS",
    "RATE_HZ",
    "READER",
    "UNITS",
    "part_reader",
]

RATE_HZ = 25.0
SEGMENT_ROWS = 125
UNITS = ("torso", "right_arm", "left_arm", "right_leg", "left_leg")  # in the order of the columns
KINDS = (("acc", "m/s2"), ("gyro", "rad/s"), ("mag", ""))  # x, y, z of each, within a unit
UNIT_COLUMNS = 3 * len(KINDS)
ACTIVITIES = (  # a01 to a19
    *("sitting", "standing", "lying_back", "lying_right", "ascending_stairs"),
    *("descending_stairs", "standing_elevator", "moving_elevator", "walking_parking_lot"),
    *("walking_treadmill_flat", "walking_treadmill_incline", "running_treadmill", "stepper"),
    *("cross_trainer", "cycling_horizontal", "cycling_vertical", "rowing", "jumping"),
    "basketball",
)
FILE = r"(?P<file>a(?P<activity>\d\d)/(?P<subject>p\d)/s\d\d\.txt)"
QUIRKS = (
    "The 60 segments of a subject and activity are consecutive pieces of one session of 5 minutes: "
    "windows must be split by subject, never at random, or neighbouring pieces lie on both sides.",
    "Magnetometer values have no unit in the files: left as they are.",
    "Files carry no header: 45 columns in the order torso, right arm, left arm, right leg, left "
    "leg. A file that has not exactly 125 rows of 45 numbers is refused by name.",
    "A file whose last line has no end may be cut short within its last number: it is read, and a "
    "note of the recording says so.",
)

CARD = Card(
    name="dsads",
    title="DSADS: daily and sports activities with five body-worn inertial units",
    task="19 activities",
    schema=Schema(Modality(unit, UNIT_COLUMNS, RATE_HZ, "m/s2, rad/s, 1") for unit in UNITS),
    classes=ACTIVITIES,
    windows=WindowSpec(duration_s=None),
    label_rule="A segment of 5 s is one window; its label is the activity in the folder's name.",
    licence="CC BY 4.0 (UCI Machine Learning Repository)",
    citation=(
        "K. Altun, B. Barshan, O. Tuncel: Comparative study on classifying human activities with "
        "miniature inertial and magnetic sensors. Pattern Recognition 43 (2010) 3605-3620."
    ),
    how_to_get=(
        "Owners: B. Barshan and K. Altun, Bilkent University; UCI Machine Learning Repository, "
        "data set 256, doi 10.24432/C5C59F. Give the zip archive or the unpacked folder data "
        "(a01/p1/s01.txt to a19/p8/s60.txt)."
    ),
    page="https://archive.ics.uci.edu/dataset/256/daily+and+sports+activities",
    downloads=(
        Download(
            "https://archive.ics.uci.edu/static/public/256/daily+and+sports+activities.zip",
            "daily+and+sports+activities.zip",
        ),
    ),
    subjects=8,
    quirks=(
        *QUIRKS,
        "9 channels per modality: acc, gyro and mag of one unit, x, y, z each. 'dsads-15' reads "
        "the same files with acc, gyro and mag as modalities of their own.",
    ),
    read_on_real_data=False,
)
COLUMNS = {unit: slice(UNIT_COLUMNS * i, UNIT_COLUMNS * (i + 1)) for i, unit in enumerate(UNITS)}


def part_reader(columns: Mapping[str, slice]) -> PartReader:
    """Read a segment at a time, with the modalities that `columns` makes of the 45 columns."""
    return PartReader(_parts, partial(_read_segment, columns))


def _parts(folder: Folder) -> list[str]:
    """Every segment's file."""
    segments = list(folder.matching(FILE))
    if not segments:
        raise folder.nothing_found("segment of DSADS (a??/p?/s??.txt)")
    return segments


def _read_segment(columns: Mapping[str, slice], folder: Folder, where: str) -> Recording:
    name = re.search(rf"(?:^|/){FILE}$", where)
    assert name is not None, where
    data = folder.read(where)
    number = int(name["activity"])
    if not 1 <= number <= len(ACTIVITIES):
        raise FormatError(f"unknown activity a{number:02d}.", where=where)
    notes: tuple[str, ...] = ()
    if data and not data.endswith(b"\n"):
        notes = ("the last line has no end: its last number may be cut short.",)
        data += b"\n"
    rows = read_numbers(data, where, columns=UNIT_COLUMNS * len(UNITS))
    if len(rows) != SEGMENT_ROWS:
        last = min(len(rows), SEGMENT_ROWS + 1)
        raise FormatError(f"{len(rows)} rows, {SEGMENT_ROWS} expected.", where=f"{where}:{last}")
    duration_s = SEGMENT_ROWS / RATE_HZ
    values = rows.astype(np.float32)
    return Recording(
        {m: Stream(values[:, at], RATE_HZ) for m, at in columns.items()},
        subject=name["subject"],
        source=name["file"],
        labels=(Interval(0.0, duration_s, ACTIVITIES[number - 1]),),
        duration_s=duration_s,
        notes=notes,
    )


READER = part_reader(COLUMNS)

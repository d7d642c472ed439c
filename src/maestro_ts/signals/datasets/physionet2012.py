"""PhysioNet 2012: who dies in hospital, from the first 48 hours of an intensive-care stay."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maestro_ts.errors import FormatError, shown
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card, Download, Reading
from maestro_ts.signals.datasets.parts import PartReader, read_by_parts
from maestro_ts.signals.formats.archive import Folder
from maestro_ts.signals.formats.csv import as_number
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream

__all__ = ["CARD", "Outcome", "read", "read_stays"]

STAY_S = 48 * 3600.0
SERIES = {  # irregular; name and unit are the owners'
    **dict.fromkeys(("MAP", "SysABP", "DiasABP", "NIMAP", "NISysABP", "NIDiasABP"), "mmHg"),
    **{"HR": "1/min", "RespRate": "1/min", "Temp": "degC", "GCS": "", "Urine": "mL"},
    **{"Weight": "kg", "FiO2": "", "MechVent": "", "pH": "", "PaCO2": "mmHg", "PaO2": "mmHg"},
    **{"SaO2": "%", "HCT": "%", "Platelets": "1/nL", "WBC": "1/nL", "K": "mEq/L", "Na": "mEq/L"},
    **{"Mg": "mmol/L", "HCO3": "mmol/L", "Lactate": "mmol/L", "Creatinine": "mg/dL"},
    **{"BUN": "mg/dL", "Glucose": "mg/dL", "Bilirubin": "mg/dL", "Cholesterol": "mg/dL"},
    **{"AST": "IU/L", "ALT": "IU/L", "ALP": "IU/L", "Albumin": "g/dL"},
    **{"TroponinT": "ug/L", "TroponinI": "ug/L"},
}
ADMISSION_WEIGHT = "AdmissionWeight"
DESCRIPTORS = {  # parameter at 00:00 -> static modality
    "Age": Modality("Age", unit="years", static=True),
    "Gender": Modality("Gender", unit="0 female, 1 male", static=True),
    "Height": Modality("Height", unit="cm", static=True),
    "ICUType": Modality("ICUType", unit="1-4", static=True),
    "Weight": Modality(ADMISSION_WEIGHT, unit="kg", static=True),
}
RECORD_ID = "RecordID"
UNKNOWN = -1.0
HEADER = "Time,Parameter,Value"
DEATH = "In-hospital_death"
CLASSES = ("survived", "died")  # by the owners' 0 and 1
STAMPS = {f"{m // 60:02d}:{m % 60:02d}": 60.0 * m for m in range(48 * 60 + 1)}
STAY = r"(?P<source>set-(?P<set>[abc])/(?P<id>\d+)\.txt)"

CARD = Card(
    name="physionet2012",
    title="PhysioNet/CinC Challenge 2012: in-hospital death from 48 hours of intensive care",
    task="2 outcomes of a stay: survived, died in hospital",
    schema=Schema([*DESCRIPTORS.values(), *(Modality(n, unit=u) for n, u in SERIES.items())]),
    classes=CLASSES,
    windows=WindowSpec(duration_s=None),
    label_rule=(
        "A stay's first 48 hours are one window; its label is In-hospital_death in Outcomes-a.txt "
        "or Outcomes-b.txt."
    ),
    licence="Open Data Commons Attribution 1.0 (PhysioNet, challenge-2012 1.0.0)",
    citation=(
        "I. Silva, G. Moody, D. J. Scott, L. A. Celi, R. G. Mark: Predicting In-Hospital Mortality "
        "of ICU Patients: The PhysioNet/Computing in Cardiology Challenge 2012. CinC 39 (2012) "
        "245-248."
    ),
    how_to_get=(
        "Owners: PhysioNet, challenge-2012. Give a zip archive of, or the folder that holds, "
        "set-a, set-b, Outcomes-a.txt and Outcomes-b.txt."
    ),
    page="https://physionet.org/content/challenge-2012/1.0.0/",
    downloads=tuple(
        Download(f"https://physionet.org/files/challenge-2012/1.0.0/{file}", file)
        for file in ("set-a.zip", "set-b.zip", "Outcomes-a.txt", "Outcomes-b.txt")
    ),
    subjects=8000,
    positive="died",
    owners_split=("set-a/", "set-b/"),
    quirks=(
        "The owners train on set-a and test on set-b; every recording's source begins with its "
        "set (set-a/132539.txt). A stay is a subject of its own. set-c is read where it is there.",
        "36 series, the weight over the stay and 5 descriptors. Weight is both a descriptor and a "
        "series under one name: the first Weight at 00:00 is the descriptor (AdmissionWeight), "
        "every other row is the series (Weight), so that no value is in both. 149509 has two at "
        "00:00.",
        "-1 is a missing descriptor: Height in 3824 stays, Weight in 673, Gender in 8. They are "
        "absent, never -1. Most stays lack most series.",
        "10 stays have no series at all: kept, with their descriptors alone.",
        "Impossible values are kept as they are: Temp -17.8 (0 deg F), -12.5 and -12.8; pH up to "
        "735 (the decimal point lost); HR and pressures of 0; Height up to 462 cm, Weight up to "
        "472 kg, WBC up to 12500. They stretch the deviation of their series: that of "
        "pH in set-a is 8.2 with them, 0.08 within the middle 99.8 %.",
        "7705 times a parameter has two values at one time: both are kept, at equal stamps.",
        "Stamps are whole minutes from 00:00 to 48:00. The 928 values stamped 48:00 (154 stays) "
        "stand on the window's end and lie outside of it.",
        "MechVent is only ever 1: what it tells is whether and when it was written down.",
        "ICUType is 1 coronary care, 2 cardiac surgery recovery, 3 medical, 4 surgical.",
        "SAPS-I, SOFA, Length_of_stay and Survival are not read: they are the owners' scores and "
        "what became of the patient.",
    ),
)


def read(
    path: Path | None, progress: Callable[[int, int], None] = lambda done, total: None
) -> Reading:
    """Read every stay of the archive or unpacked folder.

    Parameters
    ----------
    path : Path
    progress : callable (done, total)
        Told after each stay.

    Raises
    ------
    FormatError
        No stay there, a set without its outcomes, or more than half of the stays cannot be read.
    """
    return read_stays(CARD, path, progress, DEATH, _survival)


def read_stays(
    card: Card,
    path: Path | None,
    progress: Callable[[int, int], None],
    column: str,
    label: Callable[[Outcome], str],
) -> Reading:
    """Read every stay, with a label from one column of its outcomes.

    Parameters
    ----------
    card : Card
    path : Path or None
    progress : callable (done, total)
    column : str
        Of the outcomes file.
    label : callable (Outcome) -> str
        A `FormatError` refuses the stay by name.
    """
    outcomes: dict[str, _Outcomes] = {}

    def parts(folder: Folder) -> list[str]:
        stays = folder.matching(STAY)
        if not stays:
            raise folder.nothing_found("set-a/ID.txt or set-b/ID.txt file")
        for part in sorted({name["set"] for name in stays.values()}):
            outcomes[part] = _read_outcomes(folder, part, column)
        return list(stays)

    def read_part(folder: Folder, member: str) -> Recording:
        name = re.search(rf"(?:^|/){STAY}$", member)
        assert name is not None, member
        found = label(outcomes[name["set"]].of(name["id"]))
        return _read_stay(folder.read(member), member, name, found)

    return read_by_parts(card, path, PartReader(parts, read_part), progress)


@dataclass(frozen=True)
class Outcome:
    """What stands in the asked column of a stay's outcomes, and where."""

    text: str
    where: str


def _survival(death: Outcome) -> str:
    if death.text not in ("0", "1"):
        raise FormatError(f"{DEATH} is {shown(death.text)}, 0 or 1 expected.", where=death.where)
    return CLASSES[int(death.text)]


class _Outcomes:
    """Lines of an outcomes file by RecordID; a damaged one costs the stay it is about alone."""

    def __init__(self, data: bytes, where: str, column: str) -> None:
        self.where = where
        lines = data.decode("latin1").splitlines()
        self.header = lines[0].split(",") if lines else []
        wanted = (RECORD_ID, column)
        lacking = [name for name in wanted if name not in self.header]
        if lacking:
            raise FormatError(f"the column {lacking[0]!r} is missing.", where=f"{where}:1")
        self.id_at, self.column_at = (self.header.index(name) for name in wanted)
        self.found: dict[str, list[tuple[int, list[str]]]] = {}
        for number, line in enumerate(lines[1:], start=2):
            fields = line.split(",")
            if self.id_at < len(fields):
                self.found.setdefault(fields[self.id_at], []).append((number, fields))

    def of(self, record: str) -> Outcome:
        rows = self.found.get(record, [])
        if not rows:
            raise FormatError(f"no outcome of {record}: no label.", where=self.where)
        number, fields = rows[-1]
        where = f"{self.where}:{number}"
        if len(rows) > 1:
            raise FormatError(f"{len(rows)} outcomes of {record}, one expected.", where=where)
        if len(fields) != len(self.header):
            raise FormatError(f"{len(fields)} columns, {len(self.header)} expected.", where=where)
        return Outcome(fields[self.column_at], where)


def _read_outcomes(folder: Folder, part: str, column: str) -> _Outcomes:
    name = f"Outcomes-{part}.txt"
    members = folder.matching(re.escape(name))
    if not members:
        raise FormatError(
            f"{name} is missing: set-{part} has no labels.",
            where=folder.where,
            fix=f"Lay {name} beside set-{part}.",
        )
    member = min(members, key=lambda n: n.count("/"))
    return _Outcomes(folder.read(member), member, column)


def _read_stay(data: bytes, where: str, name: re.Match[str], label: str) -> Recording:
    known, series = _read_rows(data, where)
    lacking = [parameter for parameter in (RECORD_ID, *DESCRIPTORS) if parameter not in known]
    if lacking:
        raise FormatError(f"no {lacking[0]} at 00:00: the file's beginning is lost.", where=where)
    if known[RECORD_ID] != float(name["id"]):
        raise FormatError(f"the file is about {known[RECORD_ID]:.0f}.", where=where)
    streams = {
        modality.name: Stream.constant(known[parameter])
        for parameter, modality in DESCRIPTORS.items()
        if known[parameter] != UNKNOWN
    }
    for parameter, (times, values) in series.items():
        streams[parameter] = Stream(np.array(values, np.float32), times=np.array(times))
    return Recording(
        streams,
        subject=name["id"],
        source=name["source"],
        labels=(Interval(0.0, STAY_S, label),),
        duration_s=STAY_S,
    )


def _read_rows(
    data: bytes, where: str
) -> tuple[dict[str, float], dict[str, tuple[list[float], list[float]]]]:
    """Descriptors, and times in seconds and values of each series."""
    lines = data.decode("latin1").split("\n")
    if lines[0].rstrip("\r") != HEADER:
        raise FormatError(f"the header is not {HEADER!r}.", where=f"{where}:1")
    if lines.pop():
        raise FormatError("the file is cut short in this line.", where=f"{where}:{len(lines) + 1}")
    known: dict[str, float] = {}
    series: dict[str, tuple[list[float], list[float]]] = {}
    last = 0.0
    for number, line in enumerate(lines[1:], start=2):
        at = f"{where}:{number}"
        fields = line.rstrip("\r").split(",")
        if len(fields) != 3:
            raise FormatError(f"{len(fields)} columns, 3 expected.", where=at)
        stamp, parameter, text = fields
        time = STAMPS.get(stamp)
        if time is None:
            raise FormatError(f"{shown(stamp)} is not a time from 00:00 to 48:00.", where=at)
        if time < last:
            raise FormatError(f"the time goes back to {stamp}.", where=at)
        last, value = time, as_number(text, at)
        is_descriptor = parameter in DESCRIPTORS or parameter == RECORD_ID
        if is_descriptor and not time and parameter not in known:
            known[parameter] = value
        elif parameter in SERIES:
            times, values = series.setdefault(parameter, ([], []))
            times.append(time)
            values.append(value)
        elif is_descriptor:
            raise FormatError(f"a second {parameter}, or one after 00:00.", where=at)
        else:
            raise FormatError(f"unknown parameter {shown(parameter)}.", where=at)
    return known, series

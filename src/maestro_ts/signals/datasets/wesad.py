"""WESAD: baseline, stress and amusement from a chest belt at 700 Hz and a wrist band."""

from __future__ import annotations

from maestro_ts.errors import FormatError
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card, Download
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
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Recording

__all__ = [
    "CARD",
    "DOWNLOADS",
    "PAGE",
    "READER",
    "SENSORS",
]

CHEST_HZ = 700.0
SENSORS = (
    Sensor("ACC", Modality("chest_acc", 3, CHEST_HZ, "g", "chest")),
    Sensor("ECG", Modality("chest_ecg", 1, CHEST_HZ, "mV", "chest")),
    Sensor("EMG", Modality("chest_emg", 1, CHEST_HZ, "mV", "chest")),
    Sensor("EDA", Modality("chest_eda", 1, CHEST_HZ, "uS", "chest")),
    Sensor("Temp", Modality("chest_temp", 1, CHEST_HZ, "degC", "chest")),
    Sensor("Resp", Modality("chest_resp", 1, CHEST_HZ, "%", "chest")),
    Sensor("ACC", Modality("wrist_acc", 3, 32.0, "g", "wrist"), per_unit=64),
    Sensor("BVP", Modality("wrist_bvp", 1, 64.0, "", "wrist")),
    Sensor("EDA", Modality("wrist_eda", 1, 4.0, "uS", "wrist")),
    Sensor("TEMP", Modality("wrist_temp", 1, 4.0, "degC", "wrist")),
)
CONDITIONS = {1: "baseline", 2: "stress", 3: "amusement"}
LARGEST_LABEL = 7  # 0 transient, 4 meditation, 5-7 to be ignored
PAGE = "https://ubi29.informatik.uni-siegen.de/usi/data_wesad.html"
DOWNLOADS = (  # the archive at UCI holds the address of this one and nothing else
    Download(
        "https://uni-siegen.sciebo.de/s/HGdUkoNlW1Ub0Gx/download", "WESAD.zip", bytes=2249444501
    ),
)

CARD = Card(
    name="wesad",
    title="WESAD: stress and amusement from a chest belt and a wrist band",
    task="3 conditions: baseline, stress, amusement",
    schema=Schema(sensor.modality for sensor in SENSORS),
    classes=("baseline", "stress", "amusement"),
    windows=WindowSpec(duration_s=8.0, step_s=4.0),
    label_rule="A window lies entirely within one stretch of the owners' label 1, 2 or 3.",
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
        "10.24432/C57K5T. Give WESAD.zip or the unpacked folder WESAD; of its files SX/SX.pkl are "
        "read."
    ),
    page=PAGE,
    downloads=DOWNLOADS,
    subjects=15,
    quirks=(
        "SX.pkl is a pickle of Python 2, which could run anything: it is read by an unpickler that "
        "admits numpy arrays and plain values only. Files above 2 GiB are refused.",
        "A file is about 1 GB large. Reading one takes about twice its size; all 15 subjects "
        "together stay in memory as 32-bit numbers, about 2 GB.",
        "Two devices: what one device carries fails together when devices are hidden.",
        "The wrist band's ACC is converted from 1/64 g; it clips at 2 g.",
        "Meditation (4), transitions (0) and the labels 5-7, which the owners say to ignore, are "
        "not labelled; no window lies in them.",
        "A subject is refused by name when a signal is missing or has other channels, the labels "
        "are not one per chest sample, or signals end more than 1 s apart.",
        "Remarks of the owners: S3 was cheerful after the stress and sat in the sun during "
        "baseline; S6 and S15 were hardly stressed; S8 and S16 were cold during the stress.",
    ),
    read_on_real_data=False,
)


def _parts(folder: Folder) -> list[str]:
    """Subjects, by number."""
    subjects = list(subject_files(folder))
    if not subjects:
        raise folder.nothing_found("subject of WESAD (SX/SX.pkl)")
    return subjects


def _read_subject(folder: Folder, subject: str) -> Recording:
    member = subject_files(folder)[subject]
    content = load_synchronised(folder.read(member), member, subject)
    labels = take_vector(content, "label", member)
    streams = take_streams(content, SENSORS, member)
    for name, stream in streams.items():
        if name.startswith("chest") and len(stream.values) != len(labels):
            raise FormatError(
                f"{len(labels)} labels, but {name} has {len(stream.values)} samples; the labels "
                "are one per chest sample.",
                where=member,
            )
    return Recording(
        streams,
        subject=subject,
        source=f"{subject}.pkl",
        labels=label_intervals(labels, CHEST_HZ, CONDITIONS, LARGEST_LABEL, member),
    )


READER = PartReader(_parts, _read_subject, MAX_BYTES)

"""WESAD, wrist band only, heart rate: a number to be estimated from four signals of an E4."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from maestro_ts.errors import FormatError
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets import wesad_e4
from maestro_ts.signals.datasets.card import Target
from maestro_ts.signals.datasets.parts import PartReader
from maestro_ts.signals.datasets.wesad_e4 import read_signals, signal_files
from maestro_ts.signals.formats.archive import Folder
from maestro_ts.signals.formats.empatica import read_e4_csv
from maestro_ts.signals.recording import Interval, Recording

__all__ = ["CARD", "READER"]

WINDOW_S, STEP_S = 30.0, 15.0
HR_HZ = 1.0

CARD = replace(
    wesad_e4.CARD,
    name="wesad-e4-hr",
    title="WESAD: heart rate from an Empatica E4 wrist band",
    task="regression: heart rate in beats per minute (no classes)",
    classes=(),
    windows=WindowSpec(duration_s=WINDOW_S, step_s=STEP_S),
    label_rule=(
        "A window of 30 s, one every 15 s from the first value of HR.csv on, has the mean of the "
        "30 values in it; the label's text is that number in full."
    ),
    how_to_get=(
        "Owners: Robert Bosch GmbH and Universitaet Siegen; UCI Machine Learning Repository, doi "
        "10.24432/C57K5T. Give the zip archive or the unpacked folder WESAD."
    ),
    target=Target("heart rate", "1/min"),
    quirks=(
        "HR.csv is no measurement of its own: the band's maker derives it from BVP and the "
        "acceleration, by an algorithm that is not published. A model that is close to it has "
        "found that algorithm, with its errors, and not the heart; the owners advise against HR "
        "and IBI. dalia-hr has heart rates of an ECG.",
        "HR.csv has 1 Hz and begins 10 s after the signals; each value stands for about the 10 s "
        "before it. HR and IBI are not among the inputs.",
        "All of a session counts, its reading, meditation and breaks too: no condition is asked "
        "for, so that neither offsets.csv nor SX_quest.csv is read.",
        "A label holds for its own 30 s and overlaps with the next. Windows of another length do "
        "not fit: longer ones have no label, shorter ones lie in several.",
        "The first values of TEMP (382.2, 4 of them) and of EDA (0) are no measurements: NaN.",
        "All four signals come from one band. Each is a device of its own here, for with the band "
        "they would all fail together: results on missing modalities are about single sensors.",
        "ACC is converted from 1/64 g; it clips at 2 g. The chest device is not read.",
        "A subject without HR.csv, without one of the four signals, whose signals end more than "
        "10 s apart, or with a heart rate of 0 or less is refused by name.",
    ),
)


def _parts(folder: Folder) -> list[str]:
    """Every subject, by number."""
    found = folder.matching(r"(?P<subject>S\d+)_E4_Data(?:\.zip|/[A-Z]+\.csv)")
    if not found:
        raise folder.nothing_found("subject of WESAD (SX_E4_Data)")
    return sorted({match["subject"] for match in found.values()}, key=lambda s: int(s[1:]))


def _read_part(folder: Folder, subject: str) -> Recording:
    """Read one subject."""
    zero, streams = read_signals(folder, subject)
    duration_s = max(stream.end_s for stream in streams.values())
    return Recording(
        streams,
        subject=subject,
        source=f"{subject}_E4_Data",
        labels=_heart_rates(folder, subject, zero, duration_s),
        duration_s=duration_s,
    )


def _heart_rates(
    folder: Folder, subject: str, zero: float, duration_s: float
) -> tuple[Interval, ...]:
    """Mean heart rate of each 30 s, every 15 s; the text of a label is the number, complete."""
    files = signal_files(folder, subject, ("HR",))
    if "HR" not in files:
        raise FormatError("HR.csv is missing: no labels.", where=subject)
    data, where = files["HR"]
    start, stream = read_e4_csv(data, where, columns=1, rate_hz=HR_HZ)
    values = stream.values[:, 0].astype(np.float64)
    wrong = np.flatnonzero(~(values > 0))
    if len(wrong):
        raise FormatError(
            f"the heart rate is {values[wrong[0]]:g}.", where=f"{where}:{wrong[0] + 3}"
        )
    first_s, length, step = start - zero, int(WINDOW_S * HR_HZ), int(STEP_S * HR_HZ)
    labels = tuple(
        Interval(first_s + j, first_s + j + WINDOW_S, repr(float(values[j : j + length].mean())))
        for j in range(0, len(values) - length + 1, step)
        if first_s + j >= 0 and first_s + j + WINDOW_S <= duration_s
    )
    if not labels:
        raise FormatError(
            f"{len(values)} heart rates from {first_s:.0f} s on give no window of 30 s.",
            where=where,
        )
    return labels


READER = PartReader(_parts, _read_part)

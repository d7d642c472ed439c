"""Synchronised pickles of a RespiBAN chest belt and an Empatica E4 wrist band, one per subject.

A dict ``signal`` → device → kind → array (n, channels), every kind at its own rate, all from the
same instant; further entries differ. Python 2 wrote such files, in its protocol 0 with up to four
characters for every byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError
from maestro_ts.signals.formats.archive import Folder
from maestro_ts.signals.formats.safe_pickle import load_pickle
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.recording import Interval, Stream, check_values

__all__ = [
    "MAX_BYTES",
    "Sensor",
    "label_intervals",
    "load_synchronised",
    "subject_files",
    "take_streams",
    "take_vector",
]

# Two and a half hours of eight channels at 700 Hz are 0.4 GB of float64, 1.5 GB in protocol 0.
MAX_BYTES = 2 * 2**30
FILE = r"(?P<subject>S[1-9]\d*)\.pkl"
LARGEST_END_DIFFERENCE_S = 1.0
# Of the median magnitude of a worn accelerometer: a file in another unit lies far outside.
GRAVITY_G = (0.5, 2.0)


@dataclass(frozen=True)
class Sensor:
    """Where one modality lies in the file.

    Attributes
    ----------
    kind : str
        Its key under ``signal`` → `modality`'s device.
    per_unit : float
        What the file's values are divided by.
    """

    kind: str
    modality: Modality
    per_unit: float = 1.0


def subject_files(folder: Folder) -> dict[str, str]:
    """Member of each subject, ``SX.pkl``, in the order of their numbers."""
    found = {match["subject"]: name for name, match in folder.matching(FILE).items()}
    return {s: found[s] for s in sorted(found, key=lambda s: int(s[1:]))}


def load_synchronised(data: bytes, where: str, subject: str) -> dict[str, Any]:
    """Read a file and check that it is this subject's.

    Raises
    ------
    FormatError
        The pickle is damaged or asks to load code, holds no dict, or another subject.
    """
    content = load_pickle(data, where, MAX_BYTES)
    if not isinstance(content, dict):
        raise FormatError(f"holds a {type(content).__name__}, a dict is expected.", where=where)
    found = _entry(content, "subject", where)
    if found != subject:
        raise FormatError(f"is about the subject {found!r}, {subject!r} expected.", where=where)
    return content


def take_streams(
    content: dict[str, Any], sensors: Sequence[Sensor], where: str
) -> dict[str, Stream]:
    """Take the sensors' arrays out of the content, one after another.

    The array of a sensor, as large as a quarter of the file, is let go before the next is taken.

    Raises
    ------
    FormatError
        A sensor is missing, no array of its channels, infinite, not in its unit, or ends before the
        others.
    """
    signal = _entry(content, "signal", where)
    streams: dict[str, Stream] = {}
    for sensor in sensors:
        modality = sensor.modality
        place = f"signal/{modality.device}/{sensor.kind}"
        device = _entry(signal, modality.device, where, "signal/")
        _entry(device, sensor.kind, where, f"signal/{modality.device}/")
        values = _float32(device.pop(sensor.kind), modality.channels, place, where)
        if sensor.per_unit != 1:
            values /= np.float32(sensor.per_unit)
        if modality.unit == "g":
            _check_gravity(values, place, where)
        streams[modality.name] = Stream(values, modality.rate_hz)
    ends = {name: stream.end_s for name, stream in streams.items()}
    first, last = min(ends, key=ends.__getitem__), max(ends, key=ends.__getitem__)
    if ends[last] - ends[first] > LARGEST_END_DIFFERENCE_S:
        raise FormatError(
            f"{first} ends at {ends[first]:.1f} s, {last} at {ends[last]:.1f} s: the signals of a "
            "synchronised file are equally long.",
            where=where,
        )
    return streams


def take_vector(content: dict[str, Any], key: str, where: str) -> NDArray[Any]:
    """Take one entry of the content: numbers of shape (n,) or (n, 1), all finite."""
    _entry(content, key, where)
    values = np.asarray(content.pop(key))
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or values.dtype.kind not in "fiu" or not len(values):
        raise FormatError(
            f"{key!r} is {values.dtype} of shape {values.shape}, numbers of shape (n,) expected.",
            where=where,
        )
    if not np.isfinite(values).all():
        at = int(np.flatnonzero(~np.isfinite(values))[0])
        raise FormatError(f"{key!r} is not finite at index {at}.", where=where)
    return values


def label_intervals(
    values: NDArray[Any], rate_hz: float, names: Mapping[int, str], largest: int, where: str
) -> tuple[Interval, ...]:
    """Stretches in which a sampled label holds one of the named values.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Whole numbers from 0 to `largest`.
    rate_hz : float
    names : mapping of value to label
        Stretches of other values are left out.
    largest : int
    where : str
    """
    wrong = (values < 0) | (values > largest) | (values != np.floor(values))
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise FormatError(
            f"the label at index {at} is {values[at]:g}, a whole number of 0-{largest} expected.",
            where=where,
        )
    borders = np.flatnonzero(np.diff(values)) + 1
    edges = [0, *borders.tolist(), len(values)]
    found = [
        Interval(first / rate_hz, after / rate_hz, names[int(values[first])])
        for first, after in pairwise(edges)
        if int(values[first]) in names
    ]
    if not found:
        raise FormatError(f"none of {', '.join(names.values())} occurs: no labels.", where=where)
    return tuple(found)


def _entry(holder: Any, key: str, where: str, above: str = "") -> Any:
    if not isinstance(holder, dict):
        raise FormatError(
            f"{above.rstrip('/')!r} is a {type(holder).__name__}, a dict is expected.", where=where
        )
    if key not in holder:
        raise FormatError(f"the entry {above + key!r} is missing.", where=where)
    return holder[key]


def _float32(found: Any, channels: int, place: str, where: str) -> NDArray[np.float32]:
    array = np.asarray(found)
    if array.ndim == 1 and channels == 1:
        array = array[:, None]
    if array.ndim != 2 or array.shape[1] != channels or array.dtype.kind not in "fiu":
        raise FormatError(
            f"{place!r} is {array.dtype} of shape {array.shape}, numbers of shape "
            f"(n, {channels}) expected.",
            where=where,
        )
    if not len(array):
        raise FormatError(f"{place!r} is empty.", where=where)
    with np.errstate(over="ignore"):
        values = array.astype(np.float32)
    check_values(values, f"{where}, {place}")
    return values


def _check_gravity(values: NDArray[np.float32], place: str, where: str) -> None:
    """Accelerometers are published in g and in 1/64 g: what was worn for hours tells which."""
    # Every 97th sample: gravity is there at any time, and a full pass would cost a copy.
    magnitude = float(np.nanmedian(np.linalg.norm(values[::97], axis=1)))
    if not GRAVITY_G[0] <= magnitude <= GRAVITY_G[1]:
        raise FormatError(
            f"{place!r} has a median magnitude of {magnitude:.3g} g, about 1 expected: the values "
            "are in another unit, or no accelerometer was worn.",
            where=where,
        )

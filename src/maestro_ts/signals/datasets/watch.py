"""Smart-watch shoulder exercises, which come with the package seglearn: the demo data set."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from maestro_ts.errors import DataError, FormatError, MissingExtraError
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card, Reading
from maestro_ts.signals.formats.safe_pickle import load_npy_pickle
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream

__all__ = ["CARD", "read"]

FILE = "watch_dataset.npy"
RATE_HZ = 50.0
CHANNELS = ["ax", "ay", "az", "wx", "wy", "wz"]

CARD = Card(
    name="watch",
    title="Shoulder physiotherapy exercises from a smart watch",
    task="7 exercises: PEN, ABD, FEL, IR, ER, TRAP, ROW",
    schema=Schema([Modality("acc", 3, RATE_HZ, "g"), Modality("gyro", 3, RATE_HZ, "rad/s")]),
    classes=("PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW"),
    windows=WindowSpec(duration_s=4.0, step_s=2.0),
    label_rule="A recording is one set of repetitions of one exercise; its windows have its label.",
    licence="BSD 3-Clause, as the package seglearn that carries it",
    citation=(
        "D. M. Burns, N. Leung, M. Hardisty, C. M. Whyne, P. Henry, S. McLachlin: Shoulder "
        "physiotherapy exercise recognition: machine learning the inertial signals from a "
        "smartwatch. Physiological Measurement 39 (2018) 075007."
    ),
    how_to_get='pip install "maestro-ts[demo]"',
    subjects=10,
    package="seglearn",
    quirks=(
        "The file is a pickle, which can run anything: it is read by an unpickler that admits "
        "numpy arrays and plain values only.",
        "The units are written nowhere. The median magnitude of acc is 1.09: gravity in g. The "
        "largest gyro value of a recording is 5 in the median: an arm's rotation in rad/s.",
        "Both signals come from one watch. Each is a device of its own here, so results on "
        "missing modalities are about single sensors.",
        "140 recordings: 10 subjects, 7 exercises, left and right arm; the side is not used.",
    ),
)


def read(
    path: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Reading:
    """Read the set from the installed package seglearn, which is not imported.

    Parameters
    ----------
    path : Path, optional
        ``watch_dataset.npy`` or a folder that holds it, instead of the package's.
    progress : callable (done, total)
        Told after each recording.

    Raises
    ------
    MissingExtraError
        No path, and seglearn is not installed.
    FormatError
        The file is damaged, holds something else, or asks to load code.
    """
    file = _installed() if path is None else _given(Path(path))
    series, labels, subjects = _unpack(load_npy_pickle(file), str(file))
    recordings = []
    for i, values in enumerate(series):
        where = f"{FILE}#{i}"
        recordings.append(_recording(values, labels[i], subjects[i], where))
        progress(i + 1, len(series))
    return Reading(recordings)


def _installed() -> Path:
    spec = find_spec("seglearn")
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError.of("seglearn", "demo", "The demo data set")
    return Path(spec.submodule_search_locations[0]) / "data" / FILE


def _given(path: Path) -> Path:
    if not path.exists():
        raise DataError("no such file or folder.", where=str(path), fix=f"Give {FILE}.")
    if path.is_file():
        return path
    found = sorted(path.rglob(FILE))
    if not found:
        raise FormatError(f"holds no {FILE}.", where=str(path))
    return found[0]


def _unpack(content: Any, where: str) -> tuple[list[Any], list[str], list[int]]:
    """Series, exercise and subject of every recording."""
    if not isinstance(content, dict):
        raise FormatError(f"holds a {type(content).__name__}, a dict is expected.", where=where)
    lacking = [k for k in ("X", "y", "y_labels", "subject", "X_labels") if k not in content]
    if lacking:
        raise FormatError(f"the entry {lacking[0]!r} is missing.", where=where)
    if list(content["X_labels"]) != CHANNELS:
        raise FormatError(
            f"the channels are {list(content['X_labels'])}, {CHANNELS} expected.", where=where
        )
    series = list(content["X"])
    if not series:
        raise FormatError("holds no series.", where=where)
    names = [str(name) for name in content["y_labels"]]
    unknown = [name for name in names if name not in CARD.classes]
    if unknown:
        raise FormatError(f"unknown exercise {unknown[0]!r}.", where=where)
    classes, subjects = (np.asarray(content[key]) for key in ("y", "subject"))
    for key, array in (("y", classes), ("subject", subjects)):
        if array.shape != (len(series),) or array.dtype.kind not in "iu":
            raise FormatError(
                f"{len(series)} series, but {key!r} is {array.dtype} of shape {array.shape}.",
                where=where,
            )
    if classes.min() < 0 or classes.max() >= len(names):
        raise FormatError(f"'y' has numbers outside 0-{len(names) - 1}.", where=where)
    return series, [names[c] for c in classes], [int(s) for s in subjects]


def _recording(values: Any, label: str, subject: int, where: str) -> Recording:
    array = np.asarray(values)
    if array.ndim != 2 or array.shape[1] != len(CHANNELS) or array.dtype.kind not in "fiu":
        raise FormatError(
            f"a series is {array.dtype} of shape {array.shape}; numbers of shape "
            f"(T, {len(CHANNELS)}) expected.",
            where=where,
        )
    if not np.isfinite(array).all() or not len(array):
        raise FormatError("a series is empty or not finite throughout.", where=where)
    duration_s = len(array) / RATE_HZ
    streams = {
        "acc": Stream(array[:, :3].astype(np.float32), RATE_HZ),
        "gyro": Stream(array[:, 3:].astype(np.float32), RATE_HZ),
    }
    return Recording(
        streams,
        subject=f"Subject_{subject:02d}",
        source=where,
        labels=(Interval(0.0, duration_s, label),),
        duration_s=duration_s,
    )

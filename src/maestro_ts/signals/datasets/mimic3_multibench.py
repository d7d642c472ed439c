"""MIMIC-III as MultiBench's ``im.pk``: 24 hourly values of 12 variables and 5 statics per stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError, FormatError
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Card, Reading, Refusal
from maestro_ts.signals.formats.archive import check_refused, open_folder
from maestro_ts.signals.formats.safe_pickle import load_pickle
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import Interval, Recording, Stream

__all__ = ["CARD", "mortality_class", "read"]

FILE = "im.pk"
# The arrays that MultiBench does not use lie in the same file.
MAX_BYTES = 2**30
HOURS = 24
HOUR_S = 3600.0
SERIES = (  # in the order of the last axis of ep_tdata
    *("glasgow_coma_scale", "systolic_bp", "heart_rate", "temperature", "pao2_fio2", "urine"),
    *("urea_nitrogen", "white_cells", "bicarbonate", "sodium", "potassium", "bilirubin"),
)
STATICS = ("age", "aids", "hematologic_malignancy", "metastatic_cancer", "admission_type")
CLASSES = ("beyond_1_year", "1_day", "2_days", "3_days", "30_days", "1_year")

CARD = Card(
    name="mimic3-multibench",
    title="MIMIC-III, first 24 hours in intensive care, as prepared for MultiBench",
    task="time of death in 6 classes",
    schema=Schema(
        [
            *(Modality(name, 1, 1 / HOUR_S) for name in SERIES),
            *(Modality(name, 1, static=True) for name in STATICS),
        ]
    ),
    classes=CLASSES,
    windows=WindowSpec(duration_s=None),
    label_rule=(
        "A stay is one window of 24 h; its class is the first of columns 1-5 of adm_labels_all "
        "that is positive, or 'beyond_1_year' if none is."
    ),
    licence=(
        "PhysioNet Credentialed Health Data License: needs training and a signed agreement, and "
        "the data must not be passed on"
    ),
    citation=(
        "A. E. W. Johnson et al.: MIMIC-III, a freely accessible critical care database. "
        "Scientific Data 3 (2016) 160035; S. Purushotham, C. Meng, Z. Che, Y. Liu: Benchmarking "
        "deep learning models on large healthcare datasets. J. Biomed. Inform. 83 (2018) 112-134; "
        "P. P. Liang et al.: MultiBench. NeurIPS Datasets and Benchmarks 2021."
    ),
    how_to_get=(
        "Become a credentialed user of PhysioNet for MIMIC-III, then ask the authors of MultiBench "
        "for im.pk as their page on MIMIC says, or make the arrays with the code of Purushotham et "
        "al. Give im.pk, its folder or a zip archive of it."
    ),
    page="https://physionet.org/content/mimiciii/1.4/",
    subjects=36212,
    quirks=(
        "The file is a pickle, which can run anything: it is read by an unpickler that admits "
        "numpy arrays and plain values only.",
        "Labels: columns 1-5 are death within 1, 2 and 3 days of the first stay in intensive care, "
        "then within 30 days and 1 year after discharge, by the code that made them. MultiBench "
        "documents the fourth as '1 week'; the rule (the first positive column) is the same.",
        "NaN and infinity: MultiBench sets both to 0, which is a measurement; here they are "
        "missing. A note of the recording names each variable with infinite values.",
        "A value that is there need not have been measured: the public code that makes such arrays "
        "fills hours without one from the hours around them or with the mean of the stay; by that "
        "code, what is still missing was never measured.",
        "Units and scales are those of the file; nothing is standardised here. MultiBench "
        "standardises with statistics of all stays, test stays included.",
        "No patient is named: each row counts as a subject of its own, but one patient may have "
        "several rows, on both sides of a split.",
        "The order of the 12 variables and 5 statics is that of the authors' code; the file does "
        "not name them.",
        "The other tasks of the file (20 ICD-9 groups, y_icd9) are several labels at once: not "
        "read.",
    ),
    read_on_real_data=False,
)


def read(
    path: Path | None, progress: Callable[[int, int], None] = lambda done, total: None
) -> Reading:
    """Read every stay of the pickle.

    Parameters
    ----------
    path : Path
        ``im.pk``, a folder or a zip archive that holds it.
    progress : callable (done, total)
        Told after each stay.

    Raises
    ------
    FormatError
        The file is damaged, holds something else, or asks to load code; or more than half of the
        stays cannot be read.
    """
    if path is None:
        raise DataError(
            "The data set 'mimic3-multibench' needs the path to its file.", fix=CARD.how_to_get
        )
    content = load_pickle(*_file(Path(path)), MAX_BYTES)
    series, statics, labels = _arrays(content, str(path))
    recordings: list[Recording] = []
    refused: list[Refusal] = []
    for row in range(len(series)):
        where = f"{FILE}#{row}"
        try:
            label = mortality_class(labels[row], where)
            recordings.append(_recording(series[row], statics[row], label, row, where))
        except FormatError as error:
            refused.append(Refusal(error.where, error.what))
        progress(row + 1, len(series))
    check_refused(str(path), len(recordings), [f"{r.where}: {r.why}" for r in refused])
    return Reading(recordings, refused)


def mortality_class(columns: NDArray[np.float64], where: str) -> str:
    """The class of one row of ``adm_labels_all``: its first positive column among 1 to 5.

    Examples
    --------
    >>> mortality_class(np.array([1.0, 0, 1, 1, 1, 1]), "im.pk#0")
    '2_days'
    >>> mortality_class(np.array([1.0, 0, 0, 0, 0, 0]), "im.pk#0")
    'beyond_1_year'
    """
    used = columns[1 : len(CLASSES)]
    if np.isnan(used).any():
        raise FormatError("a label is missing.", where=where)
    positive = np.flatnonzero(used > 0)
    return CLASSES[positive[0] + 1 if len(positive) else 0]


def _file(path: Path) -> tuple[bytes, str]:
    """Content and place of the pickle."""
    if path.is_file():
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if not data.startswith(b"PK"):
            return data, str(path)
    with open_folder(path, MAX_BYTES) as folder:
        found = folder.matching(r"im\.pk")
        if not found:
            raise folder.nothing_found(FILE)
        name = min(found, key=len)
        return folder.read(name), folder.locate(name)


def _arrays(
    content: Any, where: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Series (n, 24, 12), statics (n, 5) and labels (n, 6)."""
    if not isinstance(content, dict):
        raise FormatError(f"holds a {type(content).__name__}, a dict is expected.", where=where)
    arrays = []
    for key, shape in (
        ("ep_tdata", (HOURS, len(SERIES))),
        ("adm_features_all", (len(STATICS),)),
        ("adm_labels_all", (len(CLASSES),)),
    ):
        if key not in content:
            raise FormatError(f"the entry {key!r} is missing.", where=where)
        array = np.asarray(content[key])
        if array.shape[1:] != shape or array.dtype.kind not in "fiub":
            expected = ", ".join(("n", *map(str, shape)))
            raise FormatError(
                f"{key!r} is {array.dtype} of shape {array.shape}; numbers of shape ({expected}) "
                "expected.",
                where=where,
            )
        arrays.append(array)
    counts = [len(array) for array in arrays]
    if len(set(counts)) > 1 or not counts[0]:
        raise FormatError(
            f"{counts[0]} rows of series, {counts[1]} of statics, {counts[2]} of labels.",
            where=where,
        )
    return arrays[0], arrays[1], arrays[2]


def _recording(
    series: NDArray[np.float64], statics: NDArray[np.float64], label: str, row: int, where: str
) -> Recording:
    streams: dict[str, Stream] = {}
    notes = []
    at_start = np.zeros(1)
    columns = [*zip(SERIES, series.T, strict=True), *zip(STATICS, statics[:, None], strict=True)]
    for name, column in columns:
        with np.errstate(over="ignore"):
            values = column.astype(np.float32)
        infinite = np.isinf(values)
        if infinite.any():
            notes.append(f"{name}: {int(infinite.sum())} infinite values taken as missing.")
            values[infinite] = np.nan
        if len(values) == HOURS:
            streams[name] = Stream(values, 1 / HOUR_S)
        else:
            streams[name] = Stream(values, times=at_start)
    duration_s = HOURS * HOUR_S
    return Recording(
        streams,
        subject=f"row_{row:05d}",
        source=where,
        labels=(Interval(0.0, duration_s, label),),
        duration_s=duration_s,
        notes=tuple(notes),
    )

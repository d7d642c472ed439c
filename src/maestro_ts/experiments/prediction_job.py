"""Files → predictions of a trained run, as Parquet."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np

from maestro_ts.errors import DataError, FormatError, RunError
from maestro_ts.estimator import MaestroClassifier
from maestro_ts.evaluation.results import Results
from maestro_ts.experiments.prediction_table import write_predictions
from maestro_ts.experiments.progress import Progress
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.store import is_store, open_windows
from maestro_ts.signals.windows import Windows
from maestro_ts.training.run import Run

__all__ = ["predict_files"]


def predict_files(
    folder: Path, source: Path, out: Path, progress: Progress | None = None
) -> tuple[int, int]:
    """Predict the windows of some files and write a Parquet table.

    Parameters
    ----------
    folder : Path
        Run folder.
    source : Path
        Archive or folder of the run's data set, a window store, or an ``.npz`` with one array
        ``[n, T, C]`` per modality; modalities that are not in it are missing.
    out : Path

    Returns
    -------
    windows, silent : int
        How many windows, and how many of them have no sensor at all.
    """
    progress = progress or Progress()
    clf = MaestroClassifier.load(folder)
    if not source.exists():
        raise DataError("no such file or folder.", where=str(source))
    if source.suffix == ".npz":
        windows = _from_npz(source, clf)
    else:
        windows = _from_dataset(folder, source, progress)
    prediction = clf.explain(windows)
    seen = windows.with_schema(clf.schema_)
    write_predictions(out, seen, prediction, clf.classes_)
    return len(windows), int((~seen.present.any(axis=1)).sum())


def _from_npz(source: Path, clf: MaestroClassifier) -> Windows:
    try:
        with np.load(source, allow_pickle=False) as arrays:
            X = {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise FormatError(f"not an .npz of plain arrays: {error}.", where=str(source)) from error
    return Windows.from_arrays(X, clf.schema_, duration_s=clf.duration_)


def _from_dataset(folder: Path, source: Path, progress: Progress) -> Windows:
    """Read with the reader and the windows of the data set that the run was trained on."""
    used = None
    if Run(folder).results.exists():
        about = Results.load(Run(folder).results).about["windows"]
        used = WindowSpec(about["duration_s"], about["step_s"])
    if is_store(source):
        return open_windows(source, used)
    name = json.loads(Run(folder).schema.read_text()).get("dataset")
    if name is None:
        raise RunError(
            "this model was not trained on a registered data set.",
            where=str(folder),
            fix="Give an .npz with one array [windows, samples, channels] per modality.",
        )
    reading = read(name, source, lambda done, total: progress.update("reading", done, total))
    for refusal in reading.refused[:5]:
        progress.note(f"not read: {refusal.where}: {refusal.why}")
    return cut(reading.recordings, card(name).schema, used or card(name).windows)

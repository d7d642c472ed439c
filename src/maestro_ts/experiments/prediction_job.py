"""Files → predictions of a trained run, as Parquet."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from maestro_ts.errors import ConfigError, DataError, FormatError, RunError
from maestro_ts.estimator import load
from maestro_ts.evaluation.calibration import calibrated
from maestro_ts.evaluation.missing_classes import lost_share
from maestro_ts.evaluation.monitor import monitored
from maestro_ts.evaluation.results import Results
from maestro_ts.evaluation.verdicts import BELIEVED, DISTRUSTED
from maestro_ts.experiments.learned import Estimator, classes_of, classifier
from maestro_ts.experiments.loading import check_store
from maestro_ts.experiments.prediction_table import write_predictions
from maestro_ts.experiments.progress import Progress
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.datasets import DATASETS
from maestro_ts.signals.distrust import distrusted
from maestro_ts.signals.folder import is_folder
from maestro_ts.signals.folder.agreement import check_store_filters
from maestro_ts.signals.source import Source, read_dataset, read_unlabelled, renamed
from maestro_ts.signals.store import Manifest, is_store, open_windows
from maestro_ts.signals.windows import Windows
from maestro_ts.training.run import Run

__all__ = ["predict_files", "read_unseen", "windows_of", "windows_used"]


def predict_files(
    folder: Path,
    source: Path,
    out: Path,
    progress: Progress | None = None,
    names: Mapping[str, str] | None = None,
    *,
    distrust_scale: bool = False,
    distrust: bool = False,
    precision: str | None = None,
    coverage: float | None = None,
) -> tuple[int, int]:
    """Predict the windows of some files and write a Parquet table.

    Parameters
    ----------
    folder : Path
        Run folder.
    source : Path
        Archive or folder of the run's data set, a folder or zip with a ``schema.yaml``, a window
        store, or an ``.npz`` with one array ``[n, T, C]`` per modality; modalities that are not
        in it are missing.
    out : Path
    names : dict of str to str, optional
        The input's names of modalities and the model's.
    distrust_scale : bool
        Take stretches of another scale as missing, whether the run did or not.
    distrust : bool
        Take as missing, window by window, the sensors with a fault that costs more than their
        absence (`evaluation.verdicts`).
    precision : {"float32", "bfloat16"}, optional
        Of the arithmetic; otherwise as it was trained.
    coverage : float, optional
        Of sets of classes, for a calibrated run.

    Returns
    -------
    windows, silent : int
        How many windows, and how many of them have no sensor at all.
    """
    progress = progress or Progress()
    clf = load(folder, precision=precision)
    if coverage is not None:
        calibrated(classifier(clf, "--coverage").calibration_).check(coverage)
    if distrust:
        monitored(clf.monitor_)
    windows = windows_of(folder, source, clf, progress, names or {}, distrust_scale=distrust_scale)
    seen = windows.with_schema(clf.schema_)
    verdicts = clf.monitor(seen) if distrust else None
    if verdicts is not None:
        seen = verdicts.trusted
        for line in verdicts.told(DISTRUSTED) or ["no sensor"]:
            progress.note(f"distrusted: {line}")
        for line in verdicts.told(BELIEVED):
            progress.note(f"not distrusted: {line}")
    prediction = clf.explain(seen)
    sets = None
    if coverage is not None:
        sets = calibrated(classifier(clf, "--coverage").calibration_).sets(
            prediction.probabilities, seen.present, lost_share(seen), coverage
        )
    words = None if verdicts is None else verdicts.names
    write_predictions(out, seen, prediction, classes_of(clf), sets, words)
    return len(windows), int((~seen.present.any(axis=1)).sum())


def windows_of(
    folder: Path,
    source: Path,
    clf: Estimator,
    progress: Progress,
    names: Mapping[str, str],
    *,
    distrust_scale: bool = False,
) -> Windows:
    """The windows of some files, cut as the run's data was; see `predict_files`."""
    if not source.exists():
        raise DataError("no such file or folder.", where=str(source))
    if source.suffix != ".npz":
        return _from_files(folder, source, progress, names, distrust_scale)
    if distrust_scale:
        raise ConfigError("--distrust-scale looks at recordings, an .npz holds windows.")
    _check_alone(folder)
    return _from_npz(source, clf, names)


def _check_alone(folder: Path) -> None:
    """Refuse windows without their recordings where the model knows values by a baseline."""
    used = windows_used(folder)
    if used is not None and used.baseline_s is not None:
        raise ConfigError(
            f"the run's baseline is of recordings, an .npz holds windows. {used.baseline_text()}",
            where=str(folder),
            fix="Give a folder with a schema.yaml, or the data set's files.",
        )


def windows_used(folder: Path) -> WindowSpec | None:
    """How the run's data was cut; None where its results are not there."""
    if not Run(folder).results.exists():
        return None
    return WindowSpec(**Results.load(Run(folder).results).about["windows"])


def _from_npz(source: Path, clf: Estimator, names: Mapping[str, str]) -> Windows:
    try:
        with np.load(source, allow_pickle=False) as arrays:
            X = {names.get(name, name): arrays[name] for name in arrays.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise FormatError(f"not an .npz of plain arrays: {error}.", where=str(source)) from error
    return Windows.from_arrays(X, clf.schema_, duration_s=clf.duration_)


def _from_files(
    folder: Path, source: Path, progress: Progress, names: Mapping[str, str], distrust: bool
) -> Windows:
    """Read the files and cut them as the run's data was cut."""
    used = windows_used(folder)
    if is_store(source):
        if names:
            raise ConfigError("--map does not rename the modalities of a store.")
        stored = _stored(folder)
        manifest = Manifest.load(source)
        check_store(manifest, source, distrust or stored.get("distrust_scale", False))
        check_store_filters(manifest.layout, stored.get("layout"), str(source))
        return open_windows(source, used)
    found = read_unseen(folder, source, progress, names, distrust=distrust)
    return cut(found.reading.recordings, found.schema, used or found.card.windows)


def read_unseen(
    folder: Path,
    source: Path,
    progress: Progress,
    names: Mapping[str, str],
    *,
    distrust: bool = False,
) -> Source:
    """Read recordings for a run: by the input's own schema, or else as the run's data was read."""
    stored = _stored(folder)
    name, layout = stored.get("dataset"), stored.get("layout")
    distrust = distrust or stored.get("distrust_scale", False)

    def told(done: int, total: int) -> None:
        progress.update("reading", done, total)

    if layout is not None or is_folder(source):
        found = read_unlabelled(source, layout, told, names=names, distrust=distrust)
    elif name in DATASETS:
        found = read_dataset(name, source, told, distrust=distrust)
    else:
        raise RunError(
            "this model was not trained on a registered data set.",
            where=str(folder),
            fix="Give a folder with a schema.yaml, or an .npz with one array "
            "[windows, samples, channels] per modality.",
        )
    found = renamed(found, names)
    for refusal in found.reading.refused[:5]:
        progress.note(f"not read: {refusal.where}: {refusal.why}")
    if note := distrusted(found.reading.recordings):
        progress.note(note)
    return found


def _stored(folder: Path) -> dict[str, Any]:
    """What a run says of its data."""
    stored: dict[str, Any] = json.loads(Run(folder).schema.read_text())
    return stored

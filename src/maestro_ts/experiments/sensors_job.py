"""What the sensors of a finished run are worth, on the windows of its test subjects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from maestro_ts._version import __version__
from maestro_ts.estimator import load
from maestro_ts.evaluation.sensor_file import SensorFile
from maestro_ts.evaluation.sensor_valuation import PERMUTATIONS
from maestro_ts.experiments.learned import classifier, truth_of
from maestro_ts.experiments.main_job import held_out
from maestro_ts.experiments.progress import Progress
from maestro_ts.experiments.sensor_costs import read_costs
from maestro_ts.report.page import write_report
from maestro_ts.signals.modality import Schema
from maestro_ts.training.run import Run

__all__ = ["value_run"]


def value_run(
    folder: Path,
    data: Path | None,
    *,
    by: str | None = None,
    costs: Path | None = None,
    metric: str = "macro_f1",
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    progress: Progress | None = None,
) -> SensorFile:
    """Value the sensors of a run; the run folder gets ``sensors.json`` and a page that shows it.

    Parameters
    ----------
    folder : Path
        Run folder.
    data : Path or None
        Archive, folder or window store of its data set.
    by : {"device", "modality"}, optional
        Both unless given; devices alone where every modality is a device of its own.
    costs : Path, optional
        See `sensor_costs.read_costs`; of devices, or of modalities with ``by="modality"``.
    metric, permutations
        See `evaluation.sensor_valuation.value_sensors`.
    seed : int
        Of the draws of subjects and of the orders.
    """
    progress = progress or Progress()
    prices, unit = (None, "") if costs is None else read_costs(costs)
    clf = classifier(load(folder), "the worth of sensors")  # before data are read for nothing
    _, results, loaded, windows = held_out(folder, data, progress)
    truth_of(clf, windows)  # refuses classes that training never saw
    values = []
    for kind in _kinds(by, clf.schema_):
        priced = prices is not None and (kind == "device" or by == "modality")
        values.append(
            clf.sensor_value(
                windows,
                by=kind,
                metric=metric,
                positive=loaded.card.positive,
                costs=prices if priced else None,
                unit=unit,
                permutations=permutations,
                random_state=seed,
                progress=partial(progress.update, f"testing sets, by {kind}"),
            )
        )
    run = Run(folder)
    found = SensorFile(
        about={
            "dataset": results.about["dataset"],
            "split": results.about.get("split"),
            "subjects_test": sorted({str(s) for s in windows.subjects}),
            "seed": seed,
            "permutations": permutations,
            "version": __version__,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        values=[value.to_dict() for value in values],
    )
    found.save(run.sensors)
    write_report(results, run.report, found)
    return found


def _kinds(by: str | None, schema: Schema) -> Sequence[str]:
    if by is not None:
        return (by,)
    alone = all(m.device == m.name for m in schema)
    return ("device",) if alone else ("device", "modality")

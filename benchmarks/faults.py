"""What faults of sensors cost a run, and what distrusting them wins back.

``python benchmarks/faults.py RUN --data ARCHIVE [--by modality] [--out FILE]``: on the run's test
people, one device (or modality) at a time is spoilt in every window. macro-F1 with everything
fine, with the fault, with the fault and distrust, and with that device absent; beside it how many
of the spoilt windows of its sensors are found, and how many sound ones are distrusted.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts._version import __version__
from maestro_ts.atomic import write_text
from maestro_ts.evaluation.metrics import macro_f1
from maestro_ts.experiments.learned import truth_of
from maestro_ts.experiments.main_job import held_out
from maestro_ts.experiments.progress import Progress
from maestro_ts.signals.levels import Levels
from maestro_ts.signals.masks import Mask, hide
from maestro_ts.signals.windows import Samples, Windows
from maestro_ts.training.monitored import learn_monitor

Values = NDArray[np.float32]
Fault = Callable[[Values, str], Values]  # of one window (T, C) and its modality's name


def faults(train: Windows) -> dict[str, Fault]:
    """The faults by name; sizes are those of the training windows."""
    levels = Levels.of(train)
    held = {n: np.nanquantile(s.read(), (0.1, 0.9), axis=0) for n, s in train.samples.items()}

    def half(values: Values, name: str) -> Values:
        middle = len(values) // 2
        return np.concatenate([values[:middle], _first(values, middle)])

    return {
        "stuck": lambda values, name: _first(values, 0),
        "stuck from the middle": half,
        "clipped at 10 and 90 %": lambda values, name: np.clip(values, *held[name]),
        "unit, × 9.81": lambda values, name: values * np.float32(9.81),
        "unit, / 9.81": lambda values, name: values / np.float32(9.81),
        "offset, 1 deviation": lambda values, name: values + levels.deviation[name],
        "offset, 3 deviations": lambda values, name: values + 3 * levels.deviation[name],
    }


def _first(values: Values, start: int) -> Values:
    """The value at a place in all places from there on; what is missing stays so."""
    rest = values[start:]
    return np.where(np.isnan(rest), rest, rest[:1])


def spoilt(windows: Windows, fault: Fault, names: list[str]) -> Windows:
    """Windows in which these modalities have the fault throughout."""
    samples = dict(windows.samples)
    for name in names:
        piece = windows.samples[name]
        parts = [fault(piece.window(i)[0], name) for i in range(len(windows)) if piece.lengths[i]]
        _, times, _ = piece.flat()
        values = np.concatenate([*parts, np.zeros((0, piece.values.shape[1]))])
        samples[name] = _rewritten(piece, values.astype(np.float32), times)
    return windows.replace(samples=samples, present=windows.present)


def _rewritten(piece: Samples, values: Values, times: NDArray[np.float64]) -> Samples:
    changed = replace(piece, values=values, starts=np.cumsum(piece.lengths) - piece.lengths)
    if piece.times is None:
        return changed
    return replace(changed, times=times, origins_s=np.zeros(len(piece.lengths)))


def main() -> None:
    """Print a line a fault, then one a fault and device."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--by", choices=("device", "modality"), default="device")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    clf, results, loaded, test = held_out(given.run, given.data, Progress())
    everything = loaded.windows
    train = everything[~np.isin(everything.subjects, results.about["subjects_test"])]
    if clf.monitor_ is None:  # a run from before there were monitors
        clf.monitor_ = learn_monitor(clf.front_end_, train, train.subjects)
    test, truth = test.with_schema(clf.schema_), truth_of(clf, test)

    def score(windows: Windows) -> float:
        return round(macro_f1(truth, clf.explain(windows).logits.argmax(axis=1)), 4)

    def without(windows: Windows, off: NDArray[np.bool_]) -> Windows:
        return hide(windows, replace(Mask.nothing(*off.shape), keep=~off))

    whole = clf.monitor(test)
    there, alarm = test.present, whole.distrusted
    told: dict[str, Any] = {
        "version": __version__,
        "run": {k: results.about[k] for k in ("dataset", "recipe", "split", "folds", "seed")},
        "people": {"training": whole.people, "test": len(np.unique(test.subjects))},
        "windows": {"training": len(train), "test": len(test)},
        "false_alarms": {
            "training_sensors": _share(clf.monitor(train).distrusted, train.present),
            "sensors": _share(alarm, there),
            "windows": round(float(alarm.any(axis=1).mean()), 4),
            "by_fault": {n: whole.counts(n) for n in test.schema.names},
            "drifted": [sum(d.drifted for d in whole.drifts), len(whole.drifts)],
        },
        "macro_f1": {"fine": score(test), "fine_distrusted": score(whole.trusted)},
    }
    for key, value in told.items():
        print(key, json.dumps(value), flush=True)
    groups = {
        str(g): [m.name for m in test.schema if getattr(m, attribute) == g]
        for attribute in ("device" if given.by == "device" else "name",)
        for g in dict.fromkeys(getattr(m, attribute) for m in test.schema)
    }
    columns = {g: np.isin(test.schema.names, names) for g, names in groups.items()}
    absent = {g: score(without(test, there & off)) for g, off in columns.items()}
    told["found"], told["rows"] = {}, []
    for kind, fault in faults(train).items():
        bad = spoilt(test, fault, list(test.schema.names))
        found = clf.monitor(bad)
        told["found"][kind] = {
            "all": _share(found.suspect, there),
            **{n: found.counts(n) for n in test.schema.names},
        }
        print(kind, told["found"][kind]["all"], flush=True)
        for g, off in columns.items():
            mixed = spoilt(test, fault, groups[g])
            distrusted = np.where(off, found.distrusted, alarm)
            row = {
                "fault": kind,
                "in": g,
                "found": _share(found.suspect[:, off], there[:, off]),
                "faulty": score(mixed),
                "distrusted": score(without(mixed, distrusted)),
                "absent": absent[g],
            }
            told["rows"].append(row)
            print(json.dumps(row), flush=True)
    if given.out is not None:
        write_text(given.out, json.dumps(told, indent=1) + "\n")


def _share(found: NDArray[np.bool_], there: NDArray[np.bool_]) -> float:
    return round(float(found[there].mean()), 4)


if __name__ == "__main__":
    main()

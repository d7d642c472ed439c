"""What pages take for granted: a study of twelve people with its files, and the same in arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import maestro_ts
from maestro_ts import Modality, Windows

SCHEMA = """
format: 1
name: my-study
modalities:
  acc: {file: "{subject}/{recording}/acc.csv", columns: [x, y, z], rate_hz: 20, device: wrist}
  temp: {file: "{subject}/{recording}/temp.csv", columns: [temp], rate_hz: 4, device: ankle}
labels: {from: recordings}
windows: {duration_s: 4, step_s: 4}
"""
PEOPLE = tuple(f"S{i:02d}" for i in range(12))
RECORDING_S = 12


def write_study(folder: Path, people: tuple[str, ...] = PEOPLE, *, labels: bool = True) -> None:
    """Two recordings a person, ``run`` and ``walk``; with the schema and labels, or the files."""
    rows = ["recording,label"]
    for s, person in enumerate(people):
        for k, label in enumerate(("run", "walk")):
            rng = np.random.default_rng(10 * s + k)
            place = folder / person / f"{person}-{k}"
            place.mkdir(parents=True)
            acc = rng.normal(0, 0.2 + k, (20 * RECORDING_S, 3)).round(3)
            temp = (33 + rng.normal(0, 0.1, (4 * RECORDING_S, 1))).round(2)
            for name, head, values in (("acc", "x,y,z", acc), ("temp", "temp", temp)):
                lines = [",".join(map(str, row)) for row in values.tolist()]
                (place / f"{name}.csv").write_text("\n".join([head, *lines, ""]))
            rows.append(f"{person}-{k},{label}")
    if labels:
        (folder / "schema.yaml").write_text(SCHEMA)
        (folder / "recordings.csv").write_text("\n".join([*rows, ""]))


def names() -> dict[str, Any]:
    """Names that blocks use without defining them, as a reader has them."""
    rng = np.random.default_rng(0)
    y = np.where(np.arange(72) % 2 == 0, "run", "walk")
    subject = np.repeat(PEOPLE, 6)
    X = {
        "acc": rng.normal(size=(72, 80, 3)) * np.where(y == "run", 0.2, 1.2)[:, None, None],
        "temp": rng.normal(33, 0.1, (72, 16, 1)),
    }
    sensors = [
        Modality("acc", channels=3, rate_hz=20, device="wrist"),
        Modality("temp", rate_hz=4, device="ankle"),
    ]
    return {
        **{name: getattr(maestro_ts, name) for name in maestro_ts.__all__},
        **{"X": X, "y": y, "subject": subject, "sensors": sensors},
        **{"X_held": X, "y_held": y, "subject_held": subject},
        **{"X_of_one": {name: x[:6] for name, x in X.items()}, "y_of_one": y[:6]},
        "windows": Windows.from_arrays(X, sensors, labels=y, subjects=subject),
        **{"times": np.arange(400) / 20, "values": rng.normal(size=(400, 3))},
        "heart_rates": rng.normal(70, 5, 72),
        "Y": rng.integers(0, 2, (72, 2)),
    }

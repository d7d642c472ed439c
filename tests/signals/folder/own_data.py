"""Small folders of one's own data in every style, written as users write them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

CLASSES = ("run", "walk")
SUBJECTS = ("S1", "S2", "S3")
DURATION_S = 12
SCHEMA = {
    "format": 1,
    "modalities": {
        "acc": {
            "file": "{subject}/{recording}/acc.csv",
            "columns": ["x", "y", "z"],
            "rate_hz": 20,
            "time": {"column": "t", "unit": "ms"},
            "unit": "g",
            "device": "wrist",
        },
        "temp": {
            "file": "{subject}/{recording}/temp.csv",
            "columns": ["temp"],
            "rate_hz": 4,
            "unit": "degC",
            "device": "wrist",
        },
    },
    "labels": {"from": "recordings"},
    "windows": {"duration_s": 4, "step_s": 4},
}


def signal(label: str, seed: int, rate_hz: float = 20, seconds: float = DURATION_S) -> NDArray:
    """Three axes whose swing tells the class, shape (T, 3)."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    swing = 0.5 if label == "walk" else 1.5
    beat = swing * np.sin(2 * np.pi * (1 + (label == "run")) * t)
    return np.stack([beat, 1 + 0.2 * beat, 0.1 * beat], axis=1) + rng.normal(0, 0.05, (len(t), 3))


def write_csv(path: Path, columns: dict, delimiter: str = ",") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = zip(*columns.values(), strict=True)
    lines = [delimiter.join(columns), *(delimiter.join(_text(v) for v in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def write_parquet(path: Path, columns: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({k: pa.array(v) for k, v in columns.items()}), path)


def _text(value: object) -> str:
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else repr(float(value))
    return str(value)


def write_schema(folder: Path, tree: dict) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "schema.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))


def study(folder: Path, *, parquet: bool = False, labels: bool = True) -> Path:
    """Three subjects, two recordings each, with labels in ``recordings.csv``."""
    table = {"recording": [], "label": []}
    for s, subject in enumerate(SUBJECTS):
        for k, label in enumerate(CLASSES):
            values = signal(label, 10 * s + k)
            place = folder / subject / f"{subject}-{k}"
            acc = {"t": (np.arange(len(values)) * 50).tolist()}
            acc |= {axis: values[:, i].tolist() for i, axis in enumerate("xyz")}
            temp = {"temp": (33 + 0.1 * np.arange(DURATION_S * 4)).tolist()}
            if parquet:
                write_parquet(place / "acc.parquet", acc)
                write_parquet(place / "temp.parquet", temp)
            else:
                write_csv(place / "acc.csv", acc)
                write_csv(place / "temp.csv", temp)
            table["recording"].append(f"{subject}-{k}")
            table["label"].append(label)
    tree = yaml.safe_load(yaml.safe_dump(SCHEMA))
    if parquet:
        for modality in tree["modalities"].values():
            modality["file"] = modality["file"].replace(".csv", ".parquet")
    if labels:
        write_csv(folder / "recordings.csv", table)
    else:
        del tree["labels"]
    write_schema(folder, tree)
    return folder


def zipped(folder: Path, target: Path, *, top: str = "") -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, top + path.relative_to(folder).as_posix())
    return target

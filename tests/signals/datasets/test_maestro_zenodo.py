from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from layout_maestro_zenodo import (
    RATES,
    saved,
    zenodo_daliahar_set,
    zenodo_set,
    zenodo_window,
)
from layouts import write

from maestro_ts.errors import DataError, FormatError
from maestro_ts.experiments.loading import load_data
from maestro_ts.experiments.progress import Progress
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Reading

ROOT = "processed_wesad_activity/"
FILE = ROOT + "S3/seg1.pt"


def read_members(members: dict[str, bytes], root: Path, name: str = "maestro-zenodo") -> Reading:
    return read(name, write(members, root, "folder"))


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_windows_are_read_at_native_rates(tmp_path: Path, kind: str) -> None:
    told: list[tuple[int, int]] = []
    path = write(zenodo_set(), tmp_path, kind)
    reading = read("maestro-zenodo", path, lambda done, total: told.append((done, total)))
    assert told == [(i, 9) for i in range(1, 10)]
    assert not reading.refused
    assert reading.schema == card("maestro-zenodo").schema
    found = {r.source: (r.subject, r.labels[0].label) for r in reading.recordings}
    assert found == {
        f"{subject}/seg{label}.pt": (subject, str(label))
        for subject in ("S2", "S3", "S17")
        for label in range(3)
    }
    (recording,) = [r for r in reading.recordings if r.source == "S3/seg1.pt"]
    window = zenodo_window(1, 11)
    for key, rate in RATES.items():
        stream = recording.streams[key.lower()]
        assert stream.rate_hz == rate
        assert np.array_equal(stream.values, window[key].numpy().astype(np.float32))


def test_a_file_is_a_window(tmp_path: Path) -> None:
    reading = read_members(zenodo_set(), tmp_path)
    assert reading.schema is not None
    windows = cut(reading.recordings, reading.schema, card("maestro-zenodo").windows)
    assert len(windows) == 9
    assert (windows.duration_s == 8).all()
    assert windows.present.all()
    assert windows.samples["chest_ecg"].lengths.tolist() == [5600] * 9


def test_windows_at_32_hz_give_another_schema_than_the_card(tmp_path: Path) -> None:
    path = write(zenodo_set(rate_hz=32), tmp_path, "folder")
    loaded = load_data("maestro-zenodo", path, None, Progress())
    assert {m.rate_hz for m in loaded.windows.schema} == {32.0}
    assert {m.rate_hz for m in card("maestro-zenodo").schema} == {4.0, 32.0, 64.0, 700.0}
    assert all((s.lengths == 256).all() for s in loaded.windows.samples.values())


def test_windows_at_32_hz_are_fitted_and_predicted(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from maestro_ts.cli.main import app

    members = {}
    for i, name in enumerate(zenodo_set()):
        window = zenodo_window(i % 3, i, rate_hz=32)
        members[name] = saved({k: window[k] for k in ("wrist_EDA", "chest_ECG", "label")})
    path = write(members, tmp_path, "folder")
    run, out = tmp_path / "run", tmp_path / "out.parquet"
    fit = ["fit", "maestro-zenodo", "--data", str(path), "--out", str(run), "--recipe", "tiny"]
    done = CliRunner().invoke(app, [*fit, "--folds", "3"])
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(app, ["predict", str(run), str(path), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.is_file()


def test_a_modality_that_a_file_lacks_is_absent(tmp_path: Path) -> None:
    window = zenodo_window(1, 11)
    del window["chest_EDA"]
    reading = read_members(zenodo_set() | {FILE: saved(window)}, tmp_path)
    assert not reading.refused
    assert reading.schema is not None
    windows = cut(reading.recordings, reading.schema, card("maestro-zenodo").windows)
    absent = ~windows.present
    assert absent.sum() == 1
    assert absent[windows.sources == "S3/seg1.pt", windows.schema.index("chest_eda")].all()


def test_daliahar_has_activities_and_five_modalities(tmp_path: Path) -> None:
    name = "maestro-zenodo-daliahar"
    reading = read_members(zenodo_daliahar_set(), tmp_path, name)
    assert not reading.refused
    assert reading.schema == card(name).schema
    assert len(card(name).schema) == 5
    labels = {r.source: r.labels[0].label for r in reading.recordings}
    assert labels["S15/WORKING_seg0.pt"] == "working"
    assert labels["S1/STAIRS_seg0.pt"] == "stairs"
    with pytest.raises(FormatError, match=r"9 of 9 files .*unknown entry 'chest_ECG'"):
        read_members(zenodo_set(), tmp_path / "wesad", name)


def test_torch_is_not_imported(tmp_path: Path) -> None:
    path = write(zenodo_set(), tmp_path, "folder")
    code = (
        "import sys; from pathlib import Path; from maestro_ts.signals.datasets import read; "
        "assert len(read('maestro-zenodo', Path(sys.argv[1])).recordings) == 9; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


# --- damaged files -------------------------------------------------------------------------------


class Evil:
    def __reduce__(self) -> object:
        return os.system, ("true",)


def changed(**entries: object) -> Callable[[], bytes]:
    window = {k: v for k, v in (zenodo_window(1, 11) | entries).items() if v is not None}
    return lambda: saved(window)


CASES: list[tuple[Callable[[], bytes], str, str]] = [
    (lambda: b"", "", "not a file of torch.save"),
    (lambda: zenodo_set()[FILE][:-200], "", "the archive is cut short"),
    (changed(chest_ECG=Evil()), "", "asks to load 'posix.system'"),
    (lambda: saved(torch.ones(3)), "", "holds a ndarray, a dict is expected"),
    (changed(label=None), "", "the entry 'label' is missing"),
    (changed(label=torch.tensor(3)), "", "the label is 3; 0-2 expected"),
    (changed(label=torch.tensor(0.5)), "", "the label is 0.5; 0-2 expected"),
    (changed(label=torch.tensor([1, 1])), "", "the label is 'of shape (2,)'"),
    (changed(label="stress"), "", "the label is 'stress'"),
    (changed(samples=torch.ones(3)), "", "unknown entry 'samples'; the modalities are chest_ACC"),
    (lambda: saved({"label": torch.tensor(1)}), "", "holds no modality"),
    (changed(wrist_EDA=[1.0]), ", wrist_EDA", "list; [samples, 1] expected"),
    (changed(wrist_EDA=torch.ones(32)), ", wrist_EDA", "shape (32,); [samples, 1] expected"),
    (changed(wrist_ACC=torch.ones(256, 1)), ", wrist_ACC", "shape (256, 1); [samples, 3]"),
    (changed(wrist_BVP=torch.ones(511, 1)), ", wrist_BVP", "511 samples; 512 (64 Hz) or 256 (32"),
    (changed(wrist_BVP=torch.ones(256, 1)), ", wrist_BVP", "32 Hz; the first file of this modal"),
    (changed(wrist_TEMP=torch.full((32, 1), torch.inf)), ", wrist_TEMP", "infinite values"),
    (
        changed(wrist_TEMP=torch.full((32, 1), 1e39, dtype=torch.float64)),
        ", wrist_TEMP",
        "infinite values",
    ),
]


@pytest.mark.parametrize(("data", "where", "why"), CASES)
def test_damaged_files_are_refused_by_name(
    tmp_path: Path, data: Callable[[], bytes], where: str, why: str
) -> None:
    reading = read_members(zenodo_set() | {FILE: data()}, tmp_path)
    assert len(reading.recordings) == 8
    (refused,) = reading.refused
    assert refused.where == FILE + where
    assert why in refused.why


def test_a_refused_file_decides_nothing(tmp_path: Path) -> None:
    # The first file in order has one modality at 32 Hz and a label that cannot be.
    first = zenodo_window(1, 0, 32) | {"label": torch.tensor(9)}
    reading = read_members(zenodo_set() | {ROOT + "S17/a.pt": saved(first)}, tmp_path)
    assert [r.where for r in reading.refused] == [ROOT + "S17/a.pt"]
    assert reading.schema == card("maestro-zenodo").schema


def test_nan_is_missing(tmp_path: Path) -> None:
    window = zenodo_window(1, 11)
    window["wrist_EDA"][3] = torch.nan
    reading = read_members(zenodo_set() | {FILE: saved(window)}, tmp_path)
    (recording,) = [r for r in reading.recordings if r.source == "S3/seg1.pt"]
    assert np.flatnonzero(np.isnan(recording.streams["wrist_eda"].values[:, 0])).tolist() == [3]


def test_wrong_places(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'maestro-zenodo' needs the path"):
        read("maestro-zenodo", None)
    with pytest.raises(FormatError, match=r"holds no window of the set \(S\*/\*\.pt\)"):
        read_members({"dsads_train.pt": saved({"samples": torch.ones(1)})}, tmp_path / "a")
    both = zenodo_set() | zenodo_daliahar_set()
    with pytest.raises(FormatError, match=r"several folders: processed_dalia_activity/, proc"):
        read_members(both, tmp_path / "b")

"""Stores of folders with a schema: what reading and cutting in memory gives, part by part."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from format_files import edf_bytes
from own_data import study, write_csv, zipped
from store_cases import assert_equal_windows, contents

from maestro_ts.errors import DataError, FormatError, RunError
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.folder import read_folder
from maestro_ts.signals.store import (
    Manifest,
    append_folder,
    open_windows,
    prepare_folder,
    read_recordings,
    verify,
)
from maestro_ts.signals.window_spec import WindowChanges
from maestro_ts.signals.windows import Windows

KILLED = """
import os, signal, sys
from pathlib import Path
from maestro_ts.signals.store import prepare_folder

left, whole = int(sys.argv[3]), os.replace

def replace(*paths):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    whole(*paths)

os.replace = replace
prepare_folder(Path(sys.argv[1]), sys.argv[2], shard_bytes=3000)
"""


def cut_in_memory(path: Path, spec: WindowSpec | None = None) -> Windows:
    found = read_folder(path)
    return cut(found.reading.recordings, found.card.schema, spec or found.card.windows)


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_store_holds_the_windows_of_the_folder(kind, tmp_path):
    path = study(tmp_path / "study", parquet=kind == "zip")
    if kind == "zip":
        path = zipped(path, tmp_path / "study.zip")
    told: list[tuple[int, int]] = []
    manifest = prepare_folder(path, tmp_path / "store", progress=lambda *done: told.append(done))
    assert told[-1] == (6, 6)
    assert_equal_windows(open_windows(tmp_path / "store"), cut_in_memory(path))
    card = manifest.card("x")
    assert (card.name, card.classes, card.task) == ("study", ("run", "walk"), "2 classes")
    assert manifest.layout == read_folder(path).layout.to_tree()
    assert Manifest.load(tmp_path / "store") == manifest
    verify(tmp_path / "store")


def test_the_store_does_not_depend_on_the_number_of_processes(tmp_path, monkeypatch):
    study(tmp_path / "study")
    monkeypatch.chdir(tmp_path)
    for jobs in (1, 2):
        prepare_folder(Path("study"), f"{jobs}", jobs=jobs, shard_bytes=3000)
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_windows_may_be_changed_and_are_found_anew_on_resuming(tmp_path):
    path, out = study(tmp_path / "study"), tmp_path / "store"
    changes = WindowChanges(label_rule="start", min_inside=0.5, duration_s=5.0)
    manifest = prepare_folder(path, out, changes)
    assert manifest.spec == WindowSpec(5.0, None, "start", min_inside=0.5)
    assert_equal_windows(open_windows(out), cut_in_memory(path, manifest.spec))
    prepare_folder(path, out, resume=True)
    assert_equal_windows(open_windows(out), cut_in_memory(path))
    with pytest.raises(RunError, match="without --distrust-scale"):
        prepare_folder(path, out, distrust=True, resume=True)


@pytest.mark.parametrize("renames", [1, 6, 30])
def test_a_killed_preparation_goes_on_to_the_same_store(renames, tmp_path):
    path = study(tmp_path / "study")
    prepare_folder(path, tmp_path / "whole", shard_bytes=3000)
    words = [sys.executable, "-c", KILLED, str(path), str(tmp_path / "store"), str(renames)]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    assert not (tmp_path / "store").exists()
    prepare_folder(path, tmp_path / "store", shard_bytes=3000, resume=True)
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


def test_an_interrupted_preparation_is_not_mixed_with_other_files_or_settings(tmp_path):
    path, out = study(tmp_path / "study"), tmp_path / "store"

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_folder(path, out, progress=interrupt)
    with pytest.raises(RunError, match="of other files or settings"):
        prepare_folder(path, out, distrust=True, resume=True)
    table = path / "recordings.csv"
    text = table.read_text()
    table.write_text(text.replace("walk", "RIDE"))  # as many bytes
    with pytest.raises(RunError, match="of other files or settings"):
        prepare_folder(path, out, resume=True)
    table.write_text(text)
    schema = path / "schema.yaml"
    schema.write_text(schema.read_text().replace("unit: g", "unit: G"))
    with pytest.raises(RunError, match="of other files or settings"):
        prepare_folder(path, out, resume=True)
    schema.write_text(schema.read_text().replace("unit: G", "unit: g"))
    prepare_folder(path, out, resume=True)
    assert_equal_windows(open_windows(out), cut_in_memory(path))


def test_what_cannot_be_read_is_named_and_most_bad_recordings_stop_it(tmp_path):
    path, out = study(tmp_path / "study"), tmp_path / "store"
    (path / "S1" / "S1-0" / "acc.csv").write_text("t,x,y,z\n0,1,2,high\n")
    with (path / "recordings.csv").open("a") as table:
        table.write("S9-9,walk\n")
    manifest = prepare_folder(path, out)
    wanted = {(r.where, r.why) for r in read_folder(path).reading.refused}
    assert len(wanted) == 2
    assert set(manifest.refused) == wanted
    for subject in ("S1", "S2", "S3"):
        (path / subject / f"{subject}-1" / "acc.csv").write_text("t,x,y,z\n0,1,2,high\n")
    with pytest.raises(FormatError, match="4 of 6 files cannot be read"):
        prepare_folder(path, out, overwrite=True)
    assert len(read_recordings(out, Manifest.load(out))) == 5  # the old store is there still


def add_subject(path: Path) -> None:
    """One more recording, and its label."""
    walk = (path / "S1" / "S1-1" / "acc.csv").read_text()
    (path / "S0" / "S0-0").mkdir(parents=True)
    (path / "S0" / "S0-0" / "acc.csv").write_text(walk)
    with (path / "recordings.csv").open("a") as table:
        table.write("S0-0,ride\n")


def test_recordings_that_came_later_are_added(tmp_path):
    path, out = study(tmp_path / "study"), tmp_path / "store"
    prepare_folder(path, out)
    before = contents(out / "signals")
    with pytest.raises(DataError, match="nothing new to add"):
        append_folder(path, out)
    add_subject(path)
    manifest = append_folder(path, out)
    assert manifest.card("x").classes == ("ride", "run", "walk")
    assert before.items() <= contents(out / "signals").items()
    found = open_windows(out)
    wanted = cut_in_memory(path)
    # The new subject comes first in the folder, last in the store.
    order = sorted(range(len(wanted)), key=lambda i: wanted.subjects[i] == "S0")
    assert_equal_windows(found, wanted[order])
    assert sorted(os.listdir(tmp_path)) == ["store", "study"]
    verify(out)


def test_only_what_the_same_schema_describes_is_added(tmp_path):
    path, out = study(tmp_path / "study"), tmp_path / "store"
    prepare_folder(path, out)
    before = contents(out)
    add_subject(path)
    (path / "S0" / "S0-0" / "acc.csv").write_text("t,x,y,z\n0,1,2,high\n")
    with pytest.raises(FormatError, match="1 of 1 files cannot be read"):
        append_folder(path, out)
    schema = path / "schema.yaml"
    schema.write_text(schema.read_text().replace("rate_hz: 4", "rate_hz: 5"))
    with pytest.raises(RunError, match="not made by the schema"):
        append_folder(path, out)
    assert contents(out) == before
    assert sorted(os.listdir(tmp_path)) == ["store", "study"]


def test_a_stretch_of_another_scale_is_missing_in_the_store_too(tmp_path):
    path = study(tmp_path / "study")
    steps = {"t": [50 * i for i in range(240)]}
    for axis, prime in zip("xyz", (37, 41, 43), strict=True):
        steps[axis] = [(i * prime % 63 + 200) / 256 / (4 if i < 60 else 1) for i in range(240)]
    write_csv(path / "S1" / "S1-0" / "acc.csv", steps)
    prepare_folder(path, tmp_path / "left")
    manifest = prepare_folder(path, tmp_path / "masked", distrust=True)
    assert manifest.distrust_scale
    assert Manifest.load(tmp_path / "masked").distrust_scale
    left, masked = open_windows(tmp_path / "left"), open_windows(tmp_path / "masked")
    assert left.valid_counts()[:2, 0].tolist() == [80, 80]
    assert masked.valid_counts()[:2, 0].tolist() == [20, 80]
    notes = [n for r in read_recordings(tmp_path / "masked", manifest) for n in r.notes]
    assert notes == ["acc: 3 s of 12 s are on another scale (4 times): missing."]


def test_rates_that_only_the_files_tell_are_those_of_the_store(tmp_path: Path) -> None:
    place = tmp_path / "study"
    place.mkdir()
    for name, rate in (("a", 4), ("b", 4), ("c", 8)):
        values = np.linspace(-50, 50, 12 * rate)
        (place / f"{name}.edf").write_bytes(edf_bytes({"Temp": (values, rate)}))
    (place / "recordings.csv").write_text("recording,label\na,x\nb,y\nc,x\n")
    (place / "schema.yaml").write_text(
        "format: 1\nmodalities:\n  temp: {file: '{recording}.edf', columns: [Temp]}\n"
        "subject: {from: recording}\nlabels: {from: recordings}\n"
        "windows: {duration_s: 4, step_s: 4}\n"
    )
    told = prepare_folder(place, tmp_path / "store")
    assert told.schema["temp"].rate_hz == 4
    assert [why for _, why in told.refused] == ["temp has 8 Hz, the first recording 4 Hz."]
    assert_equal_windows(open_windows(tmp_path / "store"), cut_in_memory(place))

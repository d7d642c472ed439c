"""Data sets that are read one recording at a time, and the stores prepared from them."""

from __future__ import annotations

from pathlib import Path

import pytest
from layout_dsads import dsads_set
from layout_ppg_dalia import dalia_pickles
from layout_wesad import wesad_pickles
from layouts import umafall_set, umafall_trial, wesad_hr_set, wesad_set
from layouts import write as write_set

from maestro_ts.errors import DataError, MaestroError, RunError
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.datasets import DATASETS, card, part_reader, read
from maestro_ts.signals.store import open_windows, prepare_dataset
from maestro_ts.signals.windows import Windows

SETS = {
    "dalia-har": dalia_pickles,
    "dalia-hr": dalia_pickles,
    "dsads": dsads_set,
    "dsads-15": dsads_set,
    "umafall": umafall_set,
    "wesad": wesad_pickles,
    "wesad-e4": wesad_set,
    "wesad-e4-hr": wesad_hr_set,
}


def write(members: dict[str, bytes], root: Path, kind: str) -> Path:
    root.mkdir(exist_ok=True)
    return write_set(members, root, kind)


def samples(windows: Windows) -> list[bytes]:
    return [part.tobytes() for s in windows.samples.values() for part in s.flat()]


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_these_sets_are_read_in_parts() -> None:
    assert {name for name in DATASETS if part_reader(name)} == set(SETS)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_parts_are_the_recordings_of_the_whole(name: str, kind: str, tmp_path: Path) -> None:
    path = write(SETS[name](), tmp_path, kind)
    reader = part_reader(name)
    assert reader is not None
    reading = read(name, path)
    found, refused = [], 0
    with reader.open(path) as folder:
        for part in reader.parts(folder):
            try:
                found.append(reader.read_part(folder, part))
            except MaestroError:
                refused += 1
    assert [r.source for r in found] == [r.source for r in reading.recordings]
    assert refused == len(reading.refused)
    for a, b in zip(found, reading.recordings, strict=True):
        assert a.labels == b.labels
        for stream in a.streams:
            assert a.streams[stream].values.tobytes() == b.streams[stream].values.tobytes()


@pytest.mark.parametrize("name", SETS)
def test_a_store_holds_the_windows_of_the_set(name: str, tmp_path: Path) -> None:
    path = write(SETS[name](), tmp_path / "set", "zip")
    reading = read(name, path)
    told: list[tuple[int, int]] = []
    manifest = prepare_dataset(
        name, path, tmp_path / "store", progress=lambda *done: told.append(done)
    )
    assert told[-1][0] == told[-1][1] == len(reading.recordings) + len(reading.refused)
    assert {why for _, why in manifest.refused} == {r.why for r in reading.refused}
    assert manifest.card("x").name == name
    assert manifest.card("x").classes == card(name).classes
    found = open_windows(tmp_path / "store")
    wanted = cut(reading.recordings, card(name).schema, card(name).windows)
    assert found.ids.tolist() == wanted.ids.tolist()
    assert samples(found) == samples(wanted)


def test_the_store_does_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    members = umafall_set()
    members["copy/" + next(n for n in members if n.endswith(".csv"))] = umafall_trial(seed=9)
    path = write(members, tmp_path / "set", "zip")
    for jobs in (1, 2):
        prepare_dataset("umafall", path, tmp_path / f"{jobs}", jobs=jobs, shard_bytes=20_000)
    assert files(tmp_path / "1") == files(tmp_path / "2")


def test_a_set_that_is_read_as_a_whole_makes_a_store_too(tmp_path: Path) -> None:
    prepare_dataset("watch", None, tmp_path / "store")
    found = open_windows(tmp_path / "store")
    wanted = cut(read("watch", None).recordings, card("watch").schema, card("watch").windows)
    assert samples(found) == samples(wanted)


def test_resuming_a_finished_store_verifies_it_or_cuts_it_anew(tmp_path: Path) -> None:
    path, out = write(wesad_set(), tmp_path / "set", "folder"), tmp_path / "store"
    prepare_dataset("wesad-e4", path, out)
    before = files(out)
    prepare_dataset("wesad-e4", path, out, resume=True)
    assert files(out) == before
    n = len(open_windows(out))
    prepare_dataset("wesad-e4", path, out, WindowSpec(10.0), resume=True)
    assert len(open_windows(out)) != n
    signal = next((out / "signals").rglob("*.npy"))
    signal.write_bytes(signal.read_bytes()[:-1])
    with pytest.raises(DataError, match="cut short"):
        prepare_dataset("wesad-e4", path, out, resume=True)
    with pytest.raises(RunError, match="store already"):
        prepare_dataset("wesad-e4", path, out)


def test_another_archive_is_not_mixed_into_an_interrupted_store(tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    members, out = umafall_set(), tmp_path / "store"
    path = write(members, tmp_path / "a", "zip")
    with pytest.raises(KeyboardInterrupt):
        prepare_dataset("umafall", path, out, progress=interrupt)
    other = write(dict(list(members.items())[:-1]), tmp_path / "b", "zip")
    with pytest.raises(RunError, match="of other files"):
        prepare_dataset("umafall", other, out, resume=True)
    prepare_dataset("umafall", path, out, resume=True)
    wanted = cut(read("umafall", path).recordings, card("umafall").schema, card("umafall").windows)
    assert samples(open_windows(out)) == samples(wanted)
    assert not out.with_name("store.partial").exists()

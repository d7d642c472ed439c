from __future__ import annotations

import json
from pathlib import Path

import pytest
from store_cases import SCHEMA, contents, make_recordings

from maestro_ts.errors import DataError, FormatError
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.store import is_store, open_windows, prepare, verify

SIGNAL = Path("signals") / "bvp" / "00001.npy"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    prepare(make_recordings(1), SCHEMA, WindowSpec(1.0), tmp_path / "store", shard_bytes=3000)
    assert (tmp_path / "store" / SIGNAL).is_file()
    return tmp_path / "store"


def change_manifest(store: Path, **changes: object) -> None:
    content = json.loads((store / "manifest.json").read_text())
    (store / "manifest.json").write_text(json.dumps(content | changes))


@pytest.mark.parametrize(
    "name", [str(SIGNAL), "streams/00000.parquet", "times/steps/00000.npy", "windows"]
)
def test_a_missing_file_is_named(store, name):
    path = next(store.glob("windows-*")) if name == "windows" else store / name
    path.unlink()
    for use in (open_windows, verify):
        with pytest.raises(FormatError, match="the file is missing") as caught:
            use(store)
        assert caught.value.where == str(path)


def test_a_file_cut_short_is_named(store):
    data = (store / SIGNAL).read_bytes()
    (store / SIGNAL).write_bytes(data[:-10])
    with pytest.raises(
        FormatError, match=rf"{len(data) - 10} bytes, {len(data)} expected"
    ) as caught:
        open_windows(store)
    assert caught.value.where == str(store / SIGNAL)


def test_a_file_cut_short_or_gone_after_opening_is_named_when_it_is_read(store):
    for damage in (lambda p: p.write_bytes(p.read_bytes()[:-10]), Path.unlink):
        windows = open_windows(store)
        data = (store / SIGNAL).read_bytes()
        damage(store / SIGNAL)
        with pytest.raises(FormatError, match=r"missing|ends at byte") as caught:
            windows.samples["bvp"].read()
        assert caught.value.where == str(store / SIGNAL)
        (store / SIGNAL).write_bytes(data)


def test_changed_content_is_found_by_verifying(store):
    data = bytearray((store / SIGNAL).read_bytes())
    data[-1] ^= 1
    (store / SIGNAL).write_bytes(data)
    open_windows(store)
    with pytest.raises(FormatError, match="the content has changed") as caught:
        verify(store)
    assert caught.value.where == str(store / SIGNAL)


def test_a_file_of_the_right_size_that_is_no_array_is_named(store):
    (store / SIGNAL).write_bytes(b"x" * (store / SIGNAL).stat().st_size)
    with pytest.raises(FormatError, match=r"no \.npy file"):
        open_windows(store).samples["bvp"].read()


def test_a_table_that_is_no_parquet_is_named(store):
    path = store / "labels" / "00000.parquet"
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(FormatError, match="the table is damaged") as caught:
        open_windows(store)
    assert caught.value.where == str(path)


def test_a_newer_version_is_refused_by_name(store):
    change_manifest(store, format=2)
    with pytest.raises(FormatError, match=r"format 2, this version reads up to 1\. Update"):
        open_windows(store)


@pytest.mark.parametrize("damage", ["{", "[]", '{"format": 1}', '{"format": "one"}'])
def test_a_damaged_manifest_is_refused(store, damage):
    (store / "manifest.json").write_text(damage)
    with pytest.raises(FormatError, match="the manifest is damaged") as caught:
        open_windows(store)
    assert caught.value.where == str(store / "manifest.json")


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"not a window store\. Make one with: maestro-ts prepare"):
        open_windows(tmp_path)
    assert not is_store(tmp_path)
    assert not is_store(None)


def test_reading_changes_nothing(store):
    before = contents(store)
    windows = open_windows(store)
    windows.valid_counts()
    windows[::2].samples["acc"].flat()
    assert contents(store) == before

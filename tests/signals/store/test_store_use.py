"""What works on windows in memory works on windows in a store, and reads no more than it needs."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from store_cases import SCHEMA, assert_equal_windows, digest, make_recordings

from maestro_ts.estimator import MaestroClassifier
from maestro_ts.recipe import load_recipe
from maestro_ts.signals import windows as windows_module
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.masks import hide, mask_of, realised_rate
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.store import open_windows, prepare
from maestro_ts.signals.store.buffers import StoredTimes, StoredValues
from maestro_ts.signals.windows import Windows
from maestro_ts.symbols.symbolizer import Symbolizer

SPEC = WindowSpec(1.0, 0.5)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Windows, Windows]:
    """The same windows in a store of several shards and in memory."""
    recordings = make_recordings(1, n=5)
    out = tmp_path_factory.mktemp("use") / "store"
    prepare(recordings, SCHEMA, SPEC, out, shard_bytes=3000)
    return open_windows(out), cut(recordings, SCHEMA, SPEC)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows that were asked for from the disk."""
    asked: list[int] = []
    for kind in (StoredValues, StoredTimes):
        whole = kind.read

        def read(self, starts, lengths, whole=whole):
            asked.append(int(lengths.sum()))
            return whole(self, starts, lengths)

        monkeypatch.setattr(kind, "read", read)
    return asked


def test_opening_and_selecting_read_no_signal(pair, reads):
    stored, memory = pair
    chosen = stored[::3][[2, 0, 0]]
    both = Windows.concatenate([stored[:2], stored[4:5]])
    fewer = stored.select(["acc", "ecg"])
    wider = stored.with_schema(Schema([*SCHEMA, Modality("zz", 1, 2.0)]))
    named = stored.replace(labels=np.arange(len(stored)))
    off = hide(stored, mask_of("modality")(stored, 0.5, 0))
    assert reads == []
    assert_equal_windows(chosen, memory[::3][[2, 0, 0]])
    assert_equal_windows(both, Windows.concatenate([memory[:2], memory[4:5]]))
    assert_equal_windows(fewer, memory.select(["acc", "ecg"]))
    assert_equal_windows(wider, memory.with_schema(wider.schema))
    assert_equal_windows(named, memory.replace(labels=np.arange(len(memory))))
    assert_equal_windows(off, hide(memory, mask_of("modality")(memory, 0.5, 0)))


def test_a_window_reads_its_own_rows(pair, reads):
    stored, _ = pair
    piece = stored.samples["bvp"]
    row = int(np.argmax(piece.lengths))
    piece.window(row)
    assert max(reads) == piece.lengths[row]
    reads.clear()
    stored[[row]].samples["bvp"].flat()
    assert max(reads) == piece.lengths[row]


@pytest.mark.parametrize("mode", ["modality", "device", "segment", "points"])
def test_masks_hide_the_same(mode, pair):
    stored, memory = pair
    mask = mask_of(mode)(memory, 0.4, 3)
    a, b = hide(stored, mask), hide(memory, mask)
    assert_equal_windows(a, b)
    assert realised_rate(stored, a, mode) == realised_rate(memory, b, mode)


def test_parts_of_different_stores_can_be_joined(pair, tmp_path):
    stored, memory = pair
    other = make_recordings(9, n=3)
    prepare(other, SCHEMA, SPEC, tmp_path / "other")
    cases = (
        ([stored, open_windows(tmp_path / "other")], [memory, cut(other, SCHEMA, SPEC)]),
        ([memory[:3], stored, memory[1:2]], [memory[:3], memory, memory[1:2]]),
    )
    for parts, wanted in cases:
        found, same = Windows.concatenate(parts), Windows.concatenate(wanted)
        for name in SCHEMA.names:
            for a, b in zip(found.samples[name].flat(), same.samples[name].flat(), strict=True):
                # Where only one part has times, those of the others are computed from the rate.
                np.testing.assert_allclose(a, b, atol=1e-9)


def test_arrays_see_the_whole_buffer(pair):
    stored, memory = pair
    for name in SCHEMA.names:
        a, b = stored.samples[name].values, memory.samples[name].values
        assert a.shape == b.shape
        np.testing.assert_array_equal(np.asarray(a), b)
        np.testing.assert_array_equal(a[3:7], b[3:7])
        last = [len(b) - 1, 1]
        np.testing.assert_array_equal(a[last], b[last])
        np.testing.assert_array_equal(a[-1], b[-1])


def test_a_store_is_pickled_by_its_path_and_read_in_other_processes(pair):
    stored, memory = pair
    stored.samples["acc"].read()  # files are open
    data = pickle.dumps(stored)
    assert memory.samples["bvp"].values.tobytes() not in data
    assert_equal_windows(pickle.loads(data), memory)
    with get_context("spawn").Pool(2) as pool:
        for found in pool.map(digest, [stored, stored[:4], stored]):
            assert found in (digest(memory), digest(memory[:4]))


def test_threads_may_read_at_once(pair, monkeypatch):
    stored, memory = pair
    monkeypatch.setattr("maestro_ts.signals.store.buffers.MOST_OPEN", 1)  # files close all the time
    wanted = digest(memory)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(digest, [stored] * 24):
            assert found == wanted


def test_without_positional_reads_the_same_is_read(pair, monkeypatch):
    stored, memory = pair
    monkeypatch.delattr("os.pread")
    assert digest(stored) == digest(memory)


def test_symbols_are_the_same_however_many_windows_are_binned_at_a_time(pair, monkeypatch):
    stored, memory = pair
    settings = load_recipe("tiny").override({"symbols.dictionary": 1}).symbols
    wanted = Symbolizer(settings).fit(memory)
    monkeypatch.setattr(windows_module, "CHUNK_ROWS", 100)
    found = Symbolizer(settings).fit(stored)
    assert {k: v.tobytes() for k, v in found.state().items()} == {
        k: v.tobytes() for k, v in wanted.state().items()
    }
    a, b = found(stored), wanted(memory)
    for name in SCHEMA.names:
        assert a[name].tokens.tobytes() == b[name].tokens.tobytes()
        assert a[name].words.tobytes() == b[name].words.tobytes()
    assert any(s.words.any() for s in a.values())


def test_a_model_fitted_on_a_store_is_that_fitted_in_memory(pair):
    stored, memory = pair
    keep = np.flatnonzero(memory.labels != "")
    fitted = [
        MaestroClassifier(recipe="tiny", settings={"training.epochs": 1}, random_state=0).fit(w)
        for w in (stored[keep], memory[keep])
    ]
    np.testing.assert_array_equal(*(clf.predict_proba(memory) for clf in fitted))
    np.testing.assert_array_equal(fitted[0].predict_proba(stored), fitted[0].predict_proba(memory))


def test_the_file_is_plain_numpy(tmp_path: Path):
    """What the package's documentation promises: the signals without the package."""
    import pyarrow.parquet as pq

    recordings = make_recordings(1)
    out = tmp_path / "store"
    prepare(recordings, SCHEMA, SPEC, out)
    codes = np.load(out / "signals" / "bvp" / "00000.npy")
    row = next(
        r
        for r in pq.read_table(out / "streams" / "00000.parquet").to_pylist()
        if r["modality"] == "bvp"
    )
    part = codes[row["offset"] : row["offset"] + row["length"]]
    if row["quanta"]:
        found = ((part + np.array(row["zeros"])) * np.array(row["quanta"])).astype(np.float32)
        found[part == -32768] = np.nan
    else:
        found = part
    np.testing.assert_array_equal(found, recordings[row["recording"]].streams["bvp"].values)

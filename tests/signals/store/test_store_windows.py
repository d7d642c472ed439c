from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_archives import archive
from store_cases import SCHEMA, assert_equal_windows, contents, make_recordings

from maestro_ts.errors import DataError, RunError
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Refusal
from maestro_ts.signals.recording import Interval, Recording, Stream
from maestro_ts.signals.store import (
    Manifest,
    append,
    change_windows,
    open_windows,
    prepare,
    prepare_dataset,
    verify,
)

SPEC = WindowSpec(1.0, 0.5)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small stores of many files: forcing each to the disk would take most of the time."""
    monkeypatch.setattr(os, "fsync", lambda number: None)


@given(
    seed=st.integers(0, 2**32 - 1),
    duration_s=st.sampled_from([0.5, 1.0, 1.3]),
    overlap=st.sampled_from([0.25, 1.0, 1.7]),
    shard_bytes=st.sampled_from([300, 3000, 10**9]),
    labelled=st.booleans(),
)
def test_windows_are_those_of_the_recordings(seed, duration_s, overlap, shard_bytes, labelled):
    recordings = make_recordings(seed, labelled=labelled)
    spec = WindowSpec(duration_s, duration_s * overlap)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "store"
        prepare(recordings, SCHEMA, spec, out, shard_bytes=shard_bytes)
        verify(out)
        assert_equal_windows(open_windows(out), cut(recordings, SCHEMA, spec))


@given(seed=st.integers(0, 2**32 - 1), duration_s=st.sampled_from([None, 0.4, 1.1]))
def test_other_windows_come_from_the_tables_alone(seed, duration_s):
    recordings, other = make_recordings(seed), WindowSpec(duration_s)
    wanted = cut(recordings, SCHEMA, other)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "store"
        prepare(recordings, SCHEMA, SPEC, out)
        signals = contents(out / "signals")
        assert_equal_windows(open_windows(out, other), wanted)
        change_windows(out, other)
        assert_equal_windows(open_windows(out), wanted)
        assert contents(out / "signals") == signals
        assert len(list(out.glob("windows-*.parquet"))) == 1
        verify(out)


@given(seed=st.integers(0, 2**32 - 1), first=st.integers(1, 4))
def test_recordings_may_be_added(seed, first):
    recordings = make_recordings(seed, n=5)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "store"
        try:
            prepare(recordings[:first], SCHEMA, SPEC, out, shard_bytes=3000)
        except DataError:  # too short for a window
            return
        before = contents(out / "signals")
        append(recordings[first:], out, shard_bytes=3000)
        assert_equal_windows(open_windows(out), cut(recordings, SCHEMA, SPEC))
        assert before.items() <= contents(out / "signals").items()
        assert os.listdir(folder) == ["store"]
        verify(out)


@given(
    seed=st.integers(0, 2**32 - 1),
    rule=st.sampled_from(["inside", "majority", "start", "end"]),
    inside=st.sampled_from([0.3, 1.0]),
    coverage=st.sampled_from([0.0, 0.5, 1.0]),
    labelled=st.booleans(),
)
def test_every_rule_gives_the_windows_of_the_recordings(seed, rule, inside, coverage, labelled):
    recordings = make_recordings(seed, labelled=labelled)
    spec = WindowSpec(1.3, 0.4, rule, min_inside=inside, min_coverage=coverage)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "store"
        try:
            wanted = cut(recordings, SCHEMA, spec)
        except DataError as error:
            with pytest.raises(DataError, match=error.what[:20]):
                prepare(recordings, SCHEMA, spec, out)
            return
        prepare(recordings, SCHEMA, spec, out)
        assert_equal_windows(open_windows(out), wanted)
        assert_equal_windows(
            open_windows(out, WindowSpec(1.3)), cut(recordings, SCHEMA, WindowSpec(1.3))
        )
        assert Manifest.load(out).spec == spec


def test_a_window_open_before_recordings_are_added_stays_what_it_was(tmp_path):
    recordings = make_recordings(3)
    prepare(recordings[:3], SCHEMA, SPEC, tmp_path / "store")
    before = open_windows(tmp_path / "store")
    append(recordings[3:], tmp_path / "store")
    assert_equal_windows(before, cut(recordings[:3], SCHEMA, SPEC))


def test_a_source_that_is_there_already_is_refused(tmp_path):
    recordings = make_recordings(3)
    manifest = prepare([*recordings, recordings[1]], SCHEMA, SPEC, tmp_path / "store")
    assert manifest.refused == [("file 1.csv", "a second file of this name; the first is used.")]
    assert_equal_windows(open_windows(tmp_path / "store"), cut(recordings, SCHEMA, SPEC))
    longer = append([recordings[0], *make_recordings(4, n=6)[4:]], tmp_path / "store")
    assert len(longer.refused) == 2
    assert len(set(open_windows(tmp_path / "store").ids.tolist())) == len(
        open_windows(tmp_path / "store")
    )


def test_refusals_are_kept_and_most_refused_is_an_error(tmp_path):
    recordings = make_recordings(3)
    refusal = Refusal("b.csv:3", "no numbers.")
    manifest = prepare(
        [refusal, *recordings, refusal], SCHEMA, SPEC, tmp_path / "a", shard_bytes=2000
    )
    assert manifest.refused == [("b.csv:3", "no numbers.")] * 2
    with pytest.raises(DataError, match=r"2 of 3 files cannot be read.*no numbers"):
        prepare([recordings[1], refusal, refusal], SCHEMA, SPEC, tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_no_file_is_larger_than_asked_and_one_recording_may_need_several(tmp_path):
    recordings = make_recordings(5, seconds=60.0)
    manifest = prepare(recordings, SCHEMA, SPEC, tmp_path / "store", shard_bytes=1000)
    header = 128
    for shard in manifest.shards:
        for files in (*shard.signals.values(), *shard.times.values()):
            assert all(file.bytes <= 1000 + header for file in files)
    assert max(len(f) for s in manifest.shards for f in s.signals.values()) > 3
    assert_equal_windows(open_windows(tmp_path / "store"), cut(recordings, SCHEMA, SPEC))


def test_a_lattice_takes_16_bits(tmp_path):
    steps = np.arange(640)
    streams = {
        "bvp": Stream((steps % 100 / 64).astype(np.float32), 64.0),
        "ecg": Stream(np.random.default_rng(0).normal(size=(500, 2)), 50.0),
    }
    out = tmp_path / "store"
    prepare([Recording(streams, "s", "f")], SCHEMA, SPEC, out)
    assert np.load(out / "signals" / "bvp" / "00000.npy").dtype == np.int16
    plain = np.load(out / "signals" / "ecg" / "00000.npy")
    assert plain.tobytes() == streams["ecg"].values.tobytes()


def test_names_of_modalities_cannot_leave_the_store(tmp_path):
    prepare(make_recordings(0), SCHEMA, SPEC, tmp_path / "store")
    assert os.listdir(tmp_path) == ["store"]
    assert "%2E.%2Fodd name" in os.listdir(tmp_path / "store" / "signals")


def test_what_does_not_fit_the_schema_is_refused(tmp_path):
    wrong = Recording({"bvp": Stream(np.zeros(10), 32.0)}, "s", "f.csv")
    with pytest.raises(DataError, match=r"f\.csv, modality 'bvp': rate 32.0 Hz, 64.0 Hz"):
        prepare([wrong], SCHEMA, SPEC, tmp_path / "store")
    with pytest.raises(DataError, match="no recordings"):
        prepare([], SCHEMA, SPEC, tmp_path / "empty")


def test_no_window_is_an_error_and_leaves_what_was_read(tmp_path):
    recordings, out = make_recordings(0), tmp_path / "store"
    with pytest.raises(DataError, match="shorter duration_s"):
        prepare(recordings, SCHEMA, WindowSpec(100.0), out)
    assert not out.exists()
    prepare(recordings, SCHEMA, SPEC, out, resume=True)
    assert_equal_windows(open_windows(out), cut(recordings, SCHEMA, SPEC))


def test_nothing_is_replaced_unasked(tmp_path):
    recordings, out = make_recordings(0), tmp_path / "store"
    prepare(recordings, SCHEMA, SPEC, out)
    before = contents(out)
    with pytest.raises(RunError, match=r"store already\. .*--overwrite"):
        prepare(recordings[:2], SCHEMA, SPEC, out)
    assert contents(out) == before
    prepare(recordings[:2], SCHEMA, SPEC, out, overwrite=True)
    assert_equal_windows(open_windows(out), cut(recordings[:2], SCHEMA, SPEC))
    assert os.listdir(tmp_path) == ["store"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    with pytest.raises(RunError, match="something else"):
        prepare(recordings, SCHEMA, SPEC, tmp_path / "mine", overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "all of it"


def test_times_of_regular_streams_are_those_of_a_search(tmp_path):
    """Borders that are the times of samples up to rounding."""
    for rate in (32.0, 33.3, 700.0):
        schema = type(SCHEMA)([type(SCHEMA["acc"])("a", 1, rate)])
        for start_s in (0.0, 0.1, 1000.3, 86_400.7):
            n = round(rate * 9)
            stream = Stream(np.arange(n), rate, start_s=start_s)
            label = Interval(start_s, start_s + n / rate, "x")
            recordings = [Recording({"a": stream}, "s", "r", (label,))]
            spec = WindowSpec(30 / rate)
            out = tmp_path / f"{rate}-{start_s}"
            prepare(recordings, schema, spec, out)
            assert_equal_windows(open_windows(out), cut(recordings, schema, spec))


@pytest.mark.real
@pytest.mark.parametrize("name", ["umafall", "wesad-e4"])
def test_a_store_of_the_real_archive_holds_the_same_windows(name, tmp_path):
    path = archive(name)
    manifest = prepare_dataset(name, path, tmp_path / "store", shard_bytes=8_000_000)
    reading = read(name, path)
    assert len(manifest.shards) > 1
    assert len(manifest.refused) == len(reading.refused)
    assert_equal_windows(
        open_windows(tmp_path / "store"),
        cut(reading.recordings, card(name).schema, card(name).windows),
    )

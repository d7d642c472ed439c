from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_cases import SCHEMA, assert_equal_windows, contents, make_recordings

from maestro_ts.errors import DataError
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.recording import Recording, Stream
from maestro_ts.signals.store import append, change_windows, open_windows, prepare, verify

SPEC = WindowSpec(1.0, 0.5)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small stores of many files: forcing each to the disk would take most of the time."""
    monkeypatch.setattr(os, "fsync", lambda number: None)


def flawed(recordings: list[Recording]) -> list[Recording]:
    """With channels that are constant, or not there, at first."""
    found = []
    for number, whole in enumerate(recordings):
        streams: dict[str, Stream] = dict(whole.streams)
        for name in ("acc", "ecg", "steps"):
            if name in streams:
                values = streams[name].values.copy()
                values[: len(values) // 2, number % values.shape[1]] = (0.5, np.nan)[number % 2]
                streams[name] = replace(streams[name], values=values)
        found.append(replace(whole, streams=streams))
    return found


@given(
    seed=st.integers(0, 2**32 - 1),
    period=st.sampled_from([0.4, 1.0, "session"]),
    coverage=st.sampled_from([0.0, 0.5]),
    shard_bytes=st.sampled_from([300, 10**9]),
    labelled=st.booleans(),
)
def test_windows_are_those_of_the_recordings(seed, period, coverage, shard_bytes, labelled):
    recordings = flawed(make_recordings(seed, labelled=labelled))
    spec = replace(SPEC, baseline_s=period, min_coverage=coverage)
    try:
        wanted = cut(recordings, SCHEMA, spec)
    except DataError:  # none with this coverage
        return
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "store"
        prepare(recordings, SCHEMA, spec, out, shard_bytes=shard_bytes)
        verify(out)
        assert_equal_windows(open_windows(out), wanted)
        assert_equal_windows(open_windows(out, SPEC), cut(recordings, SCHEMA, SPEC))


def test_a_baseline_may_be_asked_for_later_and_recordings_added(tmp_path):
    recordings, out = flawed(make_recordings(3, n=5)), tmp_path / "store"
    prepare(recordings[:3], SCHEMA, SPEC, out)
    signals = contents(out / "signals")
    spec = replace(SPEC, baseline_s=1.0)
    assert_equal_windows(open_windows(out, spec), cut(recordings[:3], SCHEMA, spec))
    change_windows(out, spec)
    assert contents(out / "signals") == signals
    append(recordings[3:], out)
    assert_equal_windows(open_windows(out), cut(recordings, SCHEMA, spec))
    change_windows(out, SPEC)
    assert_equal_windows(open_windows(out), cut(recordings, SCHEMA, SPEC))


def test_a_prepared_store_is_opened_without_a_signal(tmp_path):
    """The baselines of a whole session are found once."""
    recordings, out = make_recordings(3), tmp_path / "store"
    spec = replace(SPEC, baseline_s="session")
    prepare(recordings, SCHEMA, spec, out)
    for path in (out / "signals").rglob("*.npy"):
        path.write_bytes(bytes(path.stat().st_size))
    assert len(open_windows(out)) == len(cut(recordings, SCHEMA, spec))

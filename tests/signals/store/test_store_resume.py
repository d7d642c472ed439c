from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from store_cases import SCHEMA, assert_equal_windows, contents, make_recordings

from maestro_ts.errors import FormatError, RunError
from maestro_ts.signals.cut import WindowSpec, cut
from maestro_ts.signals.store import append, open_windows, prepare, verify

SPEC = WindowSpec(1.0, 0.5)
KILLED = """
import os, signal, sys
sys.path.insert(0, {here!r})
from store_cases import SCHEMA, make_recordings
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.store import append, prepare

left = int(sys.argv[2])
whole = os.replace

def replace(*paths):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    whole(*paths)

os.replace, os.fsync = replace, lambda number: None
recordings = make_recordings(1, n=6)
if sys.argv[3] == "append":
    append(recordings[3:], sys.argv[1], shard_bytes=3000)
else:
    prepare(recordings, SCHEMA, WindowSpec(1.0, 0.5), sys.argv[1], shard_bytes=3000)
"""


def kill_after(renames: int, out: Path, what: str = "prepare") -> None:
    """Run in another process, which kills itself instead of renaming one file more."""
    script = KILLED.format(here=str(Path(__file__).parent))
    done = subprocess.run([sys.executable, "-c", script, str(out), str(renames), what], check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("renames", [0, 5, 20, 45, 60])
def test_a_killed_preparation_goes_on_to_the_same_store(renames, tmp_path):
    recordings = make_recordings(1, n=6)
    prepare(recordings, SCHEMA, SPEC, tmp_path / "whole", shard_bytes=3000)
    kill_after(renames, tmp_path / "store")
    assert not (tmp_path / "store").exists()
    assert (tmp_path / "store.partial").exists()
    if renames:
        with pytest.raises(RunError, match=r"interrupted preparation .* --resume"):
            prepare(recordings, SCHEMA, SPEC, tmp_path / "store")
    prepare(recordings, SCHEMA, SPEC, tmp_path / "store", resume=True, shard_bytes=3000)
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")
    assert sorted(os.listdir(tmp_path)) == ["store", "whole"]


def test_finished_shards_are_kept_and_damaged_ones_are_made_again(tmp_path):
    recordings = make_recordings(1, n=6)
    prepare(recordings, SCHEMA, SPEC, tmp_path / "whole", shard_bytes=3000)
    kill_after(60, tmp_path / "store")
    partial = tmp_path / "store.partial"
    finished = sorted(p.name for p in (partial / "streams").iterdir())
    assert len(finished) >= 3
    kept, damaged = (partial / "streams" / name for name in finished[:2])
    before = kept.stat().st_mtime_ns
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    prepare(recordings, SCHEMA, SPEC, tmp_path / "store", resume=True, shard_bytes=3000)
    assert (tmp_path / "store" / "streams" / finished[0]).stat().st_mtime_ns == before
    assert contents(tmp_path / "store") == contents(tmp_path / "whole")


def test_another_source_or_schema_is_not_mixed_in(tmp_path):
    kill_after(45, tmp_path / "store")
    for schema, source in ((SCHEMA, "other"), (type(SCHEMA)([*SCHEMA][1:]), "")):
        with pytest.raises(RunError, match="of other files or settings"):
            prepare([], schema, SPEC, tmp_path / "store", source=source, resume=True)


@pytest.mark.parametrize("renames", [10, 20, 25, 30, 35])
def test_a_killed_addition_leaves_the_store_as_it_was_or_whole(renames, tmp_path):
    recordings, out = make_recordings(1, n=6), tmp_path / "store"
    prepare(recordings[:3], SCHEMA, SPEC, out, shard_bytes=3000)
    kill_after(renames, out, "append")
    verify(out)
    assert_equal_windows(open_windows(out), cut(recordings[:3], SCHEMA, SPEC))
    append(recordings[3:], out, shard_bytes=3000)
    assert_equal_windows(open_windows(out), cut(recordings, SCHEMA, SPEC))


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("after", [0, 9, 30])
def test_a_full_disk_is_said_and_leaves_no_half_store(call, after, tmp_path, monkeypatch):
    recordings, out = make_recordings(1), tmp_path / "store"
    whole, left = getattr(os, call), after

    def full(*args: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(*args)

    monkeypatch.setattr(os, call, full)
    with pytest.raises(RunError, match="cannot write: No space left on device"):
        prepare(recordings, SCHEMA, SPEC, out, shard_bytes=3000)
    assert not out.exists()
    monkeypatch.undo()
    prepare(recordings, SCHEMA, SPEC, out, resume=True, shard_bytes=3000)
    assert_equal_windows(open_windows(out), cut(recordings, SCHEMA, SPEC))


def test_a_full_disk_leaves_the_old_store(tmp_path, monkeypatch):
    recordings, out = make_recordings(1), tmp_path / "store"
    prepare(recordings, SCHEMA, SPEC, out)
    before = contents(out)

    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(RunError, match="cannot write"):
        prepare(recordings[:2], SCHEMA, SPEC, out, overwrite=True)
    monkeypatch.undo()
    assert contents(out) == before


def test_a_piece_cut_short_is_read_again(tmp_path):
    recordings, out = make_recordings(1), tmp_path / "store"

    def interrupted():
        yield from recordings[:2]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(interrupted(), SCHEMA, SPEC, out)
    pieces = sorted((tmp_path / "store.partial" / "pieces").glob("*.bin"))
    assert len(pieces) == 2
    pieces[0].write_bytes(pieces[0].read_bytes()[:-9])
    prepare(recordings, SCHEMA, SPEC, out, resume=True)
    assert_equal_windows(open_windows(out), cut(recordings, SCHEMA, SPEC))


def test_an_unfinished_store_is_not_taken_for_one(tmp_path):
    kill_after(60, tmp_path / "store")
    with pytest.raises(FormatError, match="unfinished"):
        open_windows(tmp_path / "store.partial")

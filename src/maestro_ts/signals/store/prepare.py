"""Recordings → a store. Killed at any point, it goes on where it was, to the same store.

Everything is written in ``<store>.partial``: pieces as recordings are read, a shard when enough of
them are there, the manifest after each shard. A new store is that folder, renamed; an addition
moves its files into the store and swaps the manifest last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets.card import Refusal
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Recording
from maestro_ts.signals.store.feed import feed_recordings
from maestro_ts.signals.store.manifest import Manifest
from maestro_ts.signals.store.shard import SHARD_BYTES
from maestro_ts.signals.store.stage import add, make, silent, with_windows

__all__ = ["append", "change_windows", "prepare"]


def prepare(
    recordings: Iterable[Recording | Refusal],
    schema: Schema,
    spec: WindowSpec,
    out: Path | str,
    *,
    about: Mapping[str, Any] | None = None,
    source: str = "",
    resume: bool = False,
    overwrite: bool = False,
    shard_bytes: int = SHARD_BYTES,
) -> Manifest:
    """Write a store of recordings, of which one at a time is in memory.

    Parameters
    ----------
    recordings : iterable of Recording or Refusal
        In the order of the store's windows. A preparation that is resumed needs the same again.
    schema : Schema
    spec : WindowSpec
        How windows are cut; may be changed later without the recordings (`change_windows`).
    out : path
    about : mapping, optional
        ``name``, ``title``, ``task``, ``licence``, ``classes``.
    source : str
        Fingerprint of the files; a resumed preparation must have the same.
    resume : bool
        Go on with what an interrupted preparation left.
    overwrite : bool
        Replace a store, once the new one is whole.
    shard_bytes : int
        No file of signals is larger.

    Raises
    ------
    DataError
        No recording, no window, or a stream that does not fit the schema.
    FormatError
        More than half of the recordings were refused.
    RunError
        There is a store or an unfinished one already, or the disk is full.
    """
    return make(
        feed_recordings(recordings, schema),
        Manifest(schema, spec, dict(about or {}), source),
        Path(out),
        resume=resume,
        overwrite=overwrite,
        shard_bytes=shard_bytes,
        progress=silent,
    )


def append(
    recordings: Iterable[Recording | Refusal],
    out: Path | str,
    *,
    shard_bytes: int = SHARD_BYTES,
) -> Manifest:
    """Add recordings to a store, as new shards; its windows are found anew.

    A recording whose source the store has already is refused. Readers see the store as it was
    until its manifest is swapped.
    """
    out = Path(out)
    feed = feed_recordings(recordings, Manifest.load(out).schema)
    return add(out, feed, shard_bytes, silent)


def change_windows(out: Path | str, spec: WindowSpec) -> Manifest:
    """Cut a store's windows anew; its signals are not written, and read for a baseline alone."""
    out = Path(out)
    return with_windows(out, replace(Manifest.load(out), spec=spec, windows=None))

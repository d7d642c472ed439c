"""The window store: recordings on the disk, read by position, and where their windows lie in them.

A store is a folder that five lines of numpy can read::

    manifest.json                    schema, window settings, every file with its size and hash
    signals/<modality>/<shard>.npy   samples of recordings one after another, (S, C), float32 or
                                     int16 codes (`streams` has the quantum and what code 0 is)
    times/<modality>/<shard>.npy     seconds, (S,), of streams with times of their own
    recordings/<shard>.parquet       subject, source, duration, clock, notes
    labels/<shard>.parquet           intervals
    streams/<shard>.parquet          where each recording's samples lie
    gaps/<shard>.parquet             runs of samples without any value
    windows-<key>.parquet            where each window lies in the signals; from the other tables

A window is a slice, so windows that overlap cost nothing, and other windows need only another table
of windows.
"""

from __future__ import annotations

from maestro_ts.signals.store.manifest import Manifest, is_store
from maestro_ts.signals.store.prepare import append, change_windows, prepare
from maestro_ts.signals.store.prepare_source import (
    append_folder,
    prepare_dataset,
    prepare_folder,
    prepare_source,
)
from maestro_ts.signals.store.reader import open_windows, verify
from maestro_ts.signals.store.tables import read_recordings

__all__ = [
    "Manifest",
    "append",
    "append_folder",
    "change_windows",
    "is_store",
    "open_windows",
    "prepare",
    "prepare_dataset",
    "prepare_folder",
    "prepare_source",
    "read_recordings",
    "verify",
]

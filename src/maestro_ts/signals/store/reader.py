"""A store → `Windows` whose samples stay on the disk until they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from maestro_ts.errors import FormatError
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.places import Places
from maestro_ts.signals.recording import unlabelled
from maestro_ts.signals.store.baselines import with_baselines
from maestro_ts.signals.store.buffers import StoredTimes, StoredValues
from maestro_ts.signals.store.manifest import Manifest, check_file
from maestro_ts.signals.store.tables import StreamRow, read_recordings, read_streams
from maestro_ts.signals.store.windows_table import Spans, find_windows, read_windows_table
from maestro_ts.signals.window_spec import WindowSpec
from maestro_ts.signals.windows import Samples, Windows, absent

__all__ = ["open_windows", "place_windows", "verify"]


def open_windows(
    folder: Path | str, spec: WindowSpec | None = None, *, labelled: bool = True
) -> Windows:
    """The windows of a store; selecting some reads nothing, `Samples.window` its rows alone.

    Parameters
    ----------
    folder : path
    spec : WindowSpec, optional
        Other windows than those the store was prepared with, found from its tables.
    labelled : bool
        False: labels are left aside, and what has none is cut as well.

    Raises
    ------
    DataError
        No store there, or no window of these settings.
    FormatError
        The store is damaged, unfinished or of a newer version; names the file.
    """
    folder = Path(folder)
    manifest = Manifest.load(folder)
    if manifest.windows is None:
        raise FormatError(
            "the store is unfinished.",
            where=str(folder),
            fix="Go on with its preparation: maestro-ts prepare … --resume",
        )
    for file in manifest.files():
        check_file(folder, file)
    streams: Mapping[str, Sequence[StreamRow]] = read_streams(folder, manifest)
    recordings = read_recordings(folder, manifest)
    times = _times(folder, manifest, streams)
    if labelled and spec in (None, manifest.spec):
        places, spans, streams = read_windows_table(folder, manifest.windows, streams)
    else:
        other = manifest if spec is None else replace(manifest, spec=spec)
        places, spans, streams = place_windows(folder, other, labelled=labelled)
        recordings = recordings if labelled else unlabelled(recordings)
    samples = {}
    for m in manifest.schema:
        span = spans[m.name]
        if not streams[m.name]:
            samples[m.name] = absent(m, len(places.owner))
            continue
        samples[m.name] = Samples(
            values=_values(folder, manifest, m, streams[m.name]),
            starts=span.first,
            lengths=span.length,
            times=times[m.name],
            origins_s=span.origin_s,
            rate_hz=m.rate_hz,
        )
    return places.windows(
        manifest.schema,
        samples,
        subjects=[r.subject for r in recordings],
        sources=[r.source for r in recordings],
        present=np.stack([spans[name].valid > 0 for name in manifest.schema.names], axis=1),
    )


def place_windows(
    folder: Path, manifest: Manifest, *, labelled: bool = True
) -> tuple[Places, dict[str, Spans], Mapping[str, Sequence[StreamRow]]]:
    """Where the windows of a manifest's settings lie in its shards, and its streams."""
    recordings = read_recordings(folder, manifest)
    if not labelled:
        recordings = unlabelled(recordings)
    streams: Mapping[str, Sequence[StreamRow]] = read_streams(folder, manifest)
    times = _times(folder, manifest, streams)
    period = manifest.spec.baseline_s
    if period is not None:
        related = dict(streams)
        for m in manifest.schema:
            if streams[m.name] and not m.static:
                values = _values(folder, manifest, m, streams[m.name])
                related[m.name] = with_baselines(streams[m.name], values, times[m.name], period)
        streams = related
    found = {m: (streams[m.name], times[m.name]) for m in manifest.schema}
    return *find_windows(recordings, found, manifest.spec), streams


def verify(folder: Path | str) -> Manifest:
    """Read every byte of a store and compare it with the manifest's hashes.

    Raises
    ------
    FormatError
        Names the first file that is missing, cut short or changed.
    """
    manifest = Manifest.load(Path(folder))
    for file in manifest.files():
        check_file(Path(folder), file, content=True)
    return manifest


def _values(
    folder: Path, manifest: Manifest, modality: Modality, streams: Sequence[StreamRow]
) -> StoredValues:
    files = [f for shard in manifest.shards for f in shard.signals.get(modality.name, ())]
    return StoredValues(folder, files, streams, modality.channels)


def _times(
    folder: Path, manifest: Manifest, streams: Mapping[str, Sequence[StreamRow]]
) -> dict[str, StoredTimes | None]:
    """Times of the modalities of which some stream has its own; a static value has none."""
    found: dict[str, StoredTimes | None] = {}
    for name, rows in streams.items():
        files = [f for shard in manifest.shards for f in shard.times.get(name, ())]
        total = sum(row.length for row in rows)
        timed = any(row.times_first is not None for row in rows)
        timed = timed and not manifest.schema[name].static
        found[name] = StoredTimes(folder, files, rows, total) if timed else None
    return found

"""A published data set or a folder of one's own → a store, or more recordings in one.

The store does not depend on who reads the recordings, nor on how many at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from maestro_ts.errors import ConfigError, RunError
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets import card, part_reader, read
from maestro_ts.signals.datasets.card import Card
from maestro_ts.signals.distrust import distrust_scale
from maestro_ts.signals.folder.reader import folder_card
from maestro_ts.signals.source import is_own_folder
from maestro_ts.signals.store.engine import engine_of
from maestro_ts.signals.store.feed import feed_parts, feed_recordings
from maestro_ts.signals.store.manifest import Manifest, is_store
from maestro_ts.signals.store.origin import DatasetOrigin, FolderOrigin
from maestro_ts.signals.store.prepare import change_windows
from maestro_ts.signals.store.reader import verify
from maestro_ts.signals.store.shard import SHARD_BYTES
from maestro_ts.signals.store.stage import Told, add, make, silent
from maestro_ts.signals.store.tables import read_recordings
from maestro_ts.signals.window_spec import WindowChanges, resolve

__all__ = ["append_folder", "prepare_dataset", "prepare_folder", "prepare_source"]


def prepare_source(
    source: str,
    data: Path | None,
    out: Path | str,
    windows: WindowSpec | WindowChanges | None = None,
    *,
    append: bool = False,
    distrust: bool = False,
    jobs: int | None = 1,
    engine: str = "local",
    resume: bool = False,
    overwrite: bool = False,
    progress: Told = silent,
) -> Manifest:
    """Write a store of a data set by its name, or of a folder or zip by its path.

    See `prepare_dataset`, `prepare_folder` and, with `append`, `append_folder`.

    Raises
    ------
    ConfigError
        Neither a name nor a path, or what does not go together.
    """
    own = is_own_folder(source, data)
    if append:
        if not own:
            raise ConfigError("--append takes a folder of your own.")
        if resume or overwrite or windows not in (None, WindowChanges()):
            raise ConfigError("--append takes neither windows nor --resume nor --overwrite.")
        if distrust and not Manifest.load(Path(out)).distrust_scale:
            raise ConfigError("the store was prepared without --distrust-scale.", where=str(out))
        return append_folder(Path(source), out, jobs=jobs, engine=engine, progress=progress)
    write = partial(prepare_folder, Path(source)) if own else partial(prepare_dataset, source, data)
    return write(
        out,
        windows,
        distrust=distrust,
        jobs=jobs,
        engine=engine,
        resume=resume,
        overwrite=overwrite,
        progress=progress,
    )


def prepare_dataset(
    dataset: str,
    path: Path | None,
    out: Path | str,
    windows: WindowSpec | WindowChanges | None = None,
    *,
    distrust: bool = False,
    jobs: int | None = 1,
    engine: str = "local",
    resume: bool = False,
    overwrite: bool = False,
    shard_bytes: int = SHARD_BYTES,
    progress: Told = silent,
) -> Manifest:
    """Write a store of a published data set.

    Where the set can be read in parts, `jobs` recordings are read side by side (None: with the
    engine ``ray`` as many as its cluster has processors, else one). With `resume` a finished store
    is verified instead, and gets new windows if `windows` asks for others. With `distrust`
    stretches of another scale are taken as missing. For the rest and for errors see `prepare`.
    """
    out, known = Path(out), card(dataset)
    spec = resolve(windows, known.windows)
    if resume and is_store(out):
        return _recheck(out, spec, distrust)
    reader = part_reader(dataset)
    if path is None or reader is None:
        if engine != "local":
            raise ConfigError(f"{dataset} is read as a whole: there is no work for {engine}.")
        reading = read(dataset, path, progress, as_recorded=distrust)
        recordings = map(distrust_scale, reading.recordings) if distrust else reading.recordings
        schema, source = reading.schema or known.schema, ""
        feed = feed_recordings([*recordings, *reading.refused], schema)
        progress = silent
    else:
        origin = DatasetOrigin(dataset, Path(path).resolve(), distrust)
        with reader.open(Path(path)) as folder:
            parts, source, schema = reader.parts(folder), folder.fingerprint(), known.schema
        feed = feed_parts(origin, parts, schema, engine_of(engine, jobs))
        progress = _of(len(parts), progress)
    return make(
        feed,
        Manifest(schema, spec, _about(known), source, distrust_scale=distrust),
        out,
        resume=resume,
        overwrite=overwrite,
        shard_bytes=shard_bytes,
        progress=progress,
    )


def prepare_folder(
    path: Path,
    out: Path | str,
    windows: WindowSpec | WindowChanges | None = None,
    *,
    distrust: bool = False,
    jobs: int | None = 1,
    engine: str = "local",
    resume: bool = False,
    overwrite: bool = False,
    shard_bytes: int = SHARD_BYTES,
    progress: Told = silent,
) -> Manifest:
    """Write a store of a folder or zip with a ``schema.yaml``; see `prepare_dataset`.

    Raises
    ------
    ConfigError, DataError
        As `FolderReader`.
    """
    out = Path(out)
    origin = FolderOrigin(Path(path).resolve(), distrust)
    with origin.open() as reader:
        known = folder_card(path, reader.layout, classes=(), subjects=0)
        spec = resolve(windows, known.windows)
        if resume and is_store(out):
            return _recheck(out, spec, distrust)
        empty = Manifest(
            reader.layout.signals,
            spec,
            _about(known),
            reader.fingerprint(),
            layout=reader.layout.to_tree(),
            distrust_scale=distrust,
            unread=tuple((refusal.where, refusal.why) for refusal in reader.unread),
        )
    return make(
        feed_parts(origin, reader.parts, empty.schema, engine_of(engine, jobs)),
        empty,
        out,
        resume=resume,
        overwrite=overwrite,
        shard_bytes=shard_bytes,
        progress=_of(len(reader.parts), progress),
    )


def append_folder(
    path: Path,
    out: Path | str,
    *,
    jobs: int | None = 1,
    engine: str = "local",
    shard_bytes: int = SHARD_BYTES,
    progress: Told = silent,
) -> Manifest:
    """Add the recordings of a folder that a store of one's own does not have yet.

    They are read, cut and distrusted as the store's.

    Raises
    ------
    DataError
        There is nothing new.
    FormatError
        More than half of what is new cannot be read; the store stays as it is.
    RunError
        The store was made by another schema.
    """
    out = Path(out)
    old = Manifest.load(out)
    origin = FolderOrigin(Path(path).resolve(), old.distrust_scale)
    with origin.open() as reader:
        if old.layout is None or _reading(reader.layout.to_tree()) != _reading(old.layout):
            raise RunError(
                f"the store was not made by the schema of {path}.",
                where=str(out),
                fix="Prepare a store of its own.",
            )
        there = {recording.source for recording in read_recordings(out, old)}
        new = [part for part in reader.parts if part not in there]
        unread = [(refusal.where, refusal.why) for refusal in reader.unread]
    feed = feed_parts(origin, new, old.schema, engine_of(engine, jobs))
    told = _of(len(new), progress)
    return add(out, feed, shard_bytes, told, unread=unread, most_refused=False)


def _of(total: int, progress: Told) -> Told:
    return lambda done, _: progress(done, total)


def _recheck(out: Path, spec: WindowSpec, distrust: bool) -> Manifest:
    manifest = verify(out)
    if manifest.distrust_scale != distrust:
        raise RunError(
            f"the store was prepared {'with' if manifest.distrust_scale else 'without'} "
            "--distrust-scale.",
            where=str(out),
            fix="Prepare it again with --overwrite.",
        )
    return manifest if manifest.spec == spec else change_windows(out, spec)


def _reading(layout: Mapping[str, Any]) -> dict[str, Any]:
    """What of a layout decides how files are read."""
    others = ("name", "title", "licence", "windows")
    return {key: value for key, value in layout.items() if key not in others}


def _about(known: Card) -> dict[str, Any]:
    about = {key: getattr(known, key) for key in ("name", "title", "task", "licence", "classes")}
    return about if known.target is None else about | {"target": asdict(known.target)}

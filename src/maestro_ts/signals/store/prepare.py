"""Recordings → a store. Killed at any point, it goes on where it was, to the same store.

Everything is written in ``<store>.partial``: pieces as recordings are read, a shard when enough of
them are there, the manifest after each shard. A new store is that folder, renamed; an addition
moves its files into the store and swaps the manifest last.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maestro_ts.errors import DataError, FormatError, RunError
from maestro_ts.signals.cut import WindowSpec
from maestro_ts.signals.datasets import card, part_reader, read
from maestro_ts.signals.datasets.card import Card, Refusal
from maestro_ts.signals.datasets.parts import Sources
from maestro_ts.signals.formats.archive import check_refused
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Recording
from maestro_ts.signals.store.feed import Feed, feed_parts, feed_recordings
from maestro_ts.signals.store.manifest import Manifest, check_file, is_store
from maestro_ts.signals.store.piece import Piece
from maestro_ts.signals.store.reader import place_windows, verify
from maestro_ts.signals.store.shard import SHARD_BYTES, largest_bytes, write_shard
from maestro_ts.signals.store.tables import read_recordings
from maestro_ts.signals.store.windows_table import write_windows_table
from maestro_ts.signals.window_spec import WindowChanges, resolve

__all__ = ["append", "change_windows", "prepare", "prepare_dataset"]

Told = Callable[[int, int], None]


def _silent(done: int, total: int) -> None: ...


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
    out = Path(out)
    _check_place(out, overwrite)
    empty = Manifest(schema, spec, dict(about or {}), source)
    stage = _begin(out, empty, resume=resume, overwrite=overwrite)
    _read_all(stage, feed_recordings(recordings, schema), shard_bytes, Sources(), _silent)
    return _finish(stage, out)


def prepare_dataset(
    dataset: str,
    path: Path | None,
    out: Path | str,
    windows: WindowSpec | WindowChanges | None = None,
    *,
    jobs: int = 1,
    resume: bool = False,
    overwrite: bool = False,
    shard_bytes: int = SHARD_BYTES,
    progress: Told = _silent,
) -> Manifest:
    """Write a store of a data set, read by `jobs` processes where it can be read in parts.

    The store does not depend on `jobs`. With `resume` a finished store is verified instead, and
    gets new windows if `windows` asks for others. For parameters and errors see `prepare`.
    """
    out, known = Path(out), card(dataset)
    spec = resolve(windows, known.windows)
    reader = part_reader(dataset)
    if resume and is_store(out):
        return _recheck(out, spec)
    if path is None or reader is None:
        reading = read(dataset, path, progress)
        return prepare(
            [*reading.recordings, *reading.refused],
            reading.schema or known.schema,
            spec,
            out,
            about=_about(known),
            resume=resume,
            overwrite=overwrite,
            shard_bytes=shard_bytes,
        )
    _check_place(out, overwrite)
    with reader.open(Path(path)) as folder:
        parts, source = reader.parts(folder), folder.fingerprint()
    empty = Manifest(known.schema, spec, _about(known), source)
    stage = _begin(out, empty, resume=resume, overwrite=overwrite)
    feed = feed_parts(dataset, Path(path).resolve(), parts, known.schema, jobs)
    _read_all(stage, feed, shard_bytes, Sources(), lambda done, _: progress(done, len(parts)))
    return _finish(stage, out)


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
    old = Manifest.load(out)
    stage = _begin(out, replace(old, shards=()), resume=False, overwrite=True)
    sources = Sources()
    for known in read_recordings(out, old):
        sources.admit(known.source, "")
    feed = feed_recordings(recordings, old.schema)
    _read_all(stage, feed, shard_bytes, sources, _silent, base=old)
    added = stage.manifest
    if not added.shards:
        raise DataError("nothing new to add.", where=str(out))
    for file in added.files():
        (out / file.path).parent.mkdir(parents=True, exist_ok=True)
        os.replace(stage.folder / file.path, out / file.path)
    whole = _with_windows(out, replace(old, shards=(*old.shards, *added.shards), windows=None))
    shutil.rmtree(stage.folder)
    return whole


def change_windows(out: Path | str, spec: WindowSpec) -> Manifest:
    """Cut a store's windows anew; its signals are neither written nor read."""
    out = Path(out)
    return _with_windows(out, replace(Manifest.load(out), spec=spec, windows=None))


# --------------------------------------------------------------------- steps


@dataclass
class _Stage:
    """The folder in which a store is made, and what of it is whole."""

    folder: Path
    manifest: Manifest

    @property
    def pieces(self) -> Path:
        return self.folder / "pieces"


def _check_place(out: Path, overwrite: bool) -> None:
    """Nothing is replaced but a store that may be."""
    if not out.exists() or (overwrite and is_store(out)):
        return
    raise RunError(
        "there is a store already." if is_store(out) else "there is something else already.",
        where=str(out),
        fix="Choose another folder"
        + (", or replace the store with --overwrite." if is_store(out) else "."),
    )


def _begin(out: Path, empty: Manifest, *, resume: bool, overwrite: bool) -> _Stage:
    folder = out.with_name(out.name + ".partial")
    if resume and is_store(folder):
        stage = _Stage(folder, _still_good(folder, Manifest.load(folder), empty))
        # The windows' settings decide nothing yet.
        stage.manifest = replace(stage.manifest, spec=empty.spec)
        return stage
    if folder.exists() and not (resume or overwrite):
        raise RunError(
            "an interrupted preparation lies here.",
            where=str(folder),
            fix="Go on with it with --resume, or begin anew with --overwrite.",
        )
    shutil.rmtree(folder, ignore_errors=True)
    empty.save(folder)
    return _Stage(folder, empty)


def _still_good(folder: Path, found: Manifest, empty: Manifest) -> Manifest:
    """The shards of an interrupted preparation up to the first that is not whole."""
    if found.preparation() != empty.preparation():
        raise RunError(
            "the interrupted preparation was of other files or settings.",
            where=str(folder),
            fix="Begin anew with --overwrite.",
        )
    good = []
    for shard in found.shards:
        try:
            for file in shard.files():
                check_file(folder, file, content=True)
        except FormatError:
            break
        good.append(shard)
    return replace(found, shards=tuple(good), windows=None)


def _read_all(
    stage: _Stage,
    feed: Feed,
    shard_bytes: int,
    sources: Sources,
    progress: Told,
    base: Manifest | None = None,
) -> None:
    """Read what is not read yet and pack it into shards."""
    for known in read_recordings(stage.folder, stage.manifest):
        sources.admit(known.source, "")
    behind = stage.manifest.parts
    numbered = len(base.shards) if base else 0
    pending: list[Piece] = []
    refused: list[tuple[str, str]] = []

    def close(end: int) -> None:
        name = f"{numbered + len(stage.manifest.shards):05d}"
        parts = (stage.manifest.parts, end)
        shard = write_shard(
            stage.folder, name, pending, stage.manifest.schema, parts, refused, shard_bytes
        )
        stage.manifest = stage.manifest.with_shard(shard)
        stage.manifest.save(stage.folder)
        for piece in pending:
            piece.remove()
        pending.clear()
        refused.clear()

    done = behind
    for done, found in enumerate(feed(behind, stage.pieces), start=behind + 1):
        if isinstance(found, Piece):
            twice = sources.admit(found.source, found.source)
            if twice is not None:
                found.remove()
                found = twice
        if isinstance(found, Refusal):
            refused.append((found.where, found.why))
        else:
            if pending and largest_bytes([*pending, found]) > shard_bytes:
                close(done - 1)
            pending.append(found)
        progress(done, done)
    if pending or refused:
        close(done)
    shutil.rmtree(stage.pieces, ignore_errors=True)


def _finish(stage: _Stage, out: Path) -> Manifest:
    """Find the windows and put the store in its place, instead of an old one if there is one."""
    manifest = stage.manifest
    n_read = sum(shard.tables["recordings"].rows for shard in manifest.shards)
    if not n_read and not manifest.refused:
        raise DataError("no recordings to write.", where=str(out))
    check_refused(str(out), n_read, [f"{where}: {why}" for where, why in manifest.refused])
    manifest = _with_windows(stage.folder, manifest)
    old, replaces = out.with_name(out.name + ".old"), out.exists()
    try:
        if replaces:
            shutil.rmtree(old, ignore_errors=True)
            out.rename(old)
        stage.folder.rename(out)
    except OSError as error:
        if replaces and not out.exists():
            old.rename(out)
        raise RunError(f"cannot write: {error.strerror}.", where=str(out)) from error
    if replaces:
        shutil.rmtree(old, ignore_errors=True)
    return manifest


def _with_windows(folder: Path, manifest: Manifest) -> Manifest:
    """Find the windows of a manifest's settings, write them, then swap the manifest."""
    places, spans = place_windows(folder, manifest)
    table = write_windows_table(folder, manifest, places, spans)
    manifest = replace(manifest, windows=table)
    manifest.save(folder)
    for other in folder.glob("windows-*.parquet"):
        if other.name != table.path:
            other.unlink()
    return manifest


def _recheck(out: Path, spec: WindowSpec) -> Manifest:
    manifest = verify(out)
    return manifest if manifest.spec == spec else change_windows(out, spec)


def _about(known: Card) -> dict[str, Any]:
    return {key: getattr(known, key) for key in ("name", "title", "task", "licence", "classes")}

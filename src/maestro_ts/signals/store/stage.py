"""The steps by which a store is made in ``<store>.partial``, each of which may be the last one.

Pieces as recordings are read, a shard when enough of them are there, the manifest after each shard.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from maestro_ts.errors import DataError, FormatError, RunError
from maestro_ts.signals.datasets.card import Refusal
from maestro_ts.signals.datasets.parts import Sources
from maestro_ts.signals.formats.archive import check_refused
from maestro_ts.signals.store.feed import Feed
from maestro_ts.signals.store.manifest import Manifest, check_file, is_store
from maestro_ts.signals.store.piece import Piece
from maestro_ts.signals.store.reader import place_windows
from maestro_ts.signals.store.shard import largest_bytes, write_shard
from maestro_ts.signals.store.tables import read_recordings
from maestro_ts.signals.store.windows_table import write_windows_table

__all__ = ["Told", "add", "make", "silent", "with_windows"]

Told = Callable[[int, int], None]


def silent(done: int, total: int) -> None:
    """Tell nobody how far it is."""


def make(
    feed: Feed,
    empty: Manifest,
    out: Path,
    *,
    resume: bool,
    overwrite: bool,
    shard_bytes: int,
    progress: Told,
) -> Manifest:
    """Make a new store, or go on with what an interrupted preparation left."""
    _check_place(out, overwrite)
    stage = _begin(out, empty, resume=resume, overwrite=overwrite)
    _read_all(stage, feed, shard_bytes, Sources(), progress)
    return _finish(stage, out)


def add(
    out: Path,
    feed: Feed,
    shard_bytes: int,
    progress: Told,
    *,
    unread: Sequence[tuple[str, str]] = (),
    most_refused: bool = True,
) -> Manifest:
    """Add recordings to a store; readers see it as it was until its manifest is swapped.

    Without `most_refused` nothing is added when more than half of the recordings are refused.
    """
    old = Manifest.load(out)
    stage = _begin(out, replace(old, shards=()), resume=False, overwrite=True)
    sources = Sources()
    for known in read_recordings(out, old):
        sources.admit(known.source, "")
    _read_all(stage, feed, shard_bytes, sources, progress, base=old)
    added = stage.manifest
    try:
        if not added.shards:
            raise DataError("nothing new to add.", where=str(out))
        if not most_refused:
            _check_refused(out, added)
    except DataError:
        shutil.rmtree(stage.folder)
        raise
    for file in added.files():
        (out / file.path).parent.mkdir(parents=True, exist_ok=True)
        os.replace(stage.folder / file.path, out / file.path)
    whole = replace(
        old,
        shards=(*old.shards, *added.shards),
        unread=tuple(dict.fromkeys((*old.unread, *unread))),
        windows=None,
    )
    whole = with_windows(out, whole)
    shutil.rmtree(stage.folder)
    return whole


def with_windows(folder: Path, manifest: Manifest) -> Manifest:
    """Find the windows of a manifest's settings, write them, then swap the manifest."""
    places, spans, streams = place_windows(folder, manifest)
    table = write_windows_table(folder, manifest, places, spans, streams)
    manifest = replace(_with_classes(folder, manifest), windows=table)
    manifest.save(folder)
    for other in folder.glob("windows-*.parquet"):
        if other.name != table.path:
            other.unlink()
    return manifest


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
    if not n_read and not manifest.refused_parts:
        raise DataError("no recordings to write.", where=str(out))
    _check_refused(out, manifest)
    manifest = with_windows(stage.folder, manifest)
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


def _check_refused(where: Path, manifest: Manifest) -> None:
    n_read = sum(shard.tables["recordings"].rows for shard in manifest.shards)
    check_refused(str(where), n_read, [f"{at}: {why}" for at, why in manifest.refused_parts])


def _with_classes(folder: Path, manifest: Manifest) -> Manifest:
    """The labels that occur are the classes of a folder whose schema names none."""
    layout = manifest.layout
    if layout is None or (layout.get("labels") or {}).get("classes"):
        return manifest
    labels = {i.label for r in read_recordings(folder, manifest) for i in r.labels}
    task = f"{len(labels)} classes" if labels else "no labels"
    return replace(manifest, about=dict(manifest.about) | {"task": task, "classes": sorted(labels)})

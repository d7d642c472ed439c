"""Files that are there whole or not at all: written beside the target, then renamed over it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from maestro_ts.errors import RunError

__all__ = ["atomic_path", "replaced_folder", "write_bytes", "write_text"]


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, renamed over it when the block ends without an error.

    Raises
    ------
    RunError
        The disk is full or the folder cannot be written; the old file is untouched.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with open(partial, "rb") as written:
            os.fsync(written.fileno())
        os.replace(partial, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunError(
            f"cannot write: {reason}.",
            where=str(path),
            fix="Nothing was changed; free some space or choose another folder.",
        ) from error
    finally:
        with suppress(OSError):  # the folder itself may be what cannot be written
            partial.unlink(missing_ok=True)


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder`, put in its place when the block ends without an error.

    After an error the old folder is as it was.

    Raises
    ------
    RunError
        The new folder cannot be made.
    """
    partial, old = (folder.with_name(f"{folder.name}.{part}") for part in ("partial", "old"))
    for leftover in (partial, old):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        try:
            partial.mkdir(parents=True)
        except OSError as error:
            raise RunError(f"cannot be made: {error}.", where=str(folder)) from error
        yield partial
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(old, ignore_errors=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file, atomically."""
    with atomic_path(path) as partial:
        partial.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write a whole UTF-8 file, atomically."""
    write_bytes(path, text.encode())

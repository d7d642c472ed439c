"""What was downloaded → the one archive that a data set's reader takes."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from maestro_ts.atomic import atomic_path
from maestro_ts.errors import FormatError, RunError
from maestro_ts.signals.datasets.card import Download
from maestro_ts.signals.formats.archive import open_folder

__all__ = ["check_archive", "join"]

MAX_JOINED_BYTES = 4 * 2**30


def check_archive(path: Path, url: str) -> None:
    """Refuse what is called .zip and is none: a server's page of regrets, a file cut short.

    Raises
    ------
    FormatError
    """
    if path.suffix != ".zip" or zipfile.is_zipfile(path):
        return
    with path.open("rb") as file:
        start = file.read(40)
    raise FormatError(
        f"no zip archive came; it begins with {start!r}.",
        where=url,
        fix="See the owners' page with a browser.",
    )


def join(parts: Mapping[Download, Path], target: Path) -> None:
    """Make one archive of the downloads, there whole or not at all.

    A single archive is moved, an archive that wraps another gives the inner one, and the members
    of several archives, and single files, are put together under their own names.

    Parameters
    ----------
    parts : dict of Download to Path
    target : Path

    Raises
    ------
    FormatError
        A member is missing, damaged or there twice; together they exceed 4 GiB.
    RunError
        The disk is full.
    """
    (download, path), *others = parts.items()
    if others:
        with atomic_path(target) as partial:
            _pack(parts, partial)
    elif download.member:
        with atomic_path(target) as partial:
            _unwrap(path, download.member, partial)
    else:
        try:
            os.replace(path, target)
        except OSError as error:
            raise RunError(f"cannot write: {error.strerror}.", where=str(target)) from error


def _unwrap(archive: Path, member: str, target: Path) -> None:
    with open_folder(archive) as outer:
        found = [n for n in outer.names if n == member or n.endswith(f"/{member}")]
        if len(found) != 1:
            raise FormatError(f"holds no {member}, or several.", where=str(archive))
        with target.open("wb") as file:
            for piece in outer.chunks(found[0]):
                file.write(piece)


def _pack(parts: Mapping[Download, Path], target: Path) -> None:
    seen: set[str] = set()
    total = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as joined:
        for path in parts.values():
            for name, data in _members(path):
                total += len(data)
                if name in seen:
                    raise FormatError(f"two downloads hold {name!r}.", where=str(path))
                if total > MAX_JOINED_BYTES:
                    raise FormatError(
                        f"more than {MAX_JOINED_BYTES} bytes of members.", where=str(path)
                    )
                seen.add(name)
                joined.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.suffix != ".zip":
        yield path.name, path.read_bytes()
        return
    with open_folder(path) as folder:
        for name in folder.names:
            yield name, folder.read(name)

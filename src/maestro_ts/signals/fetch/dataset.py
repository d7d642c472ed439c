"""A published data set → ``NAME.zip`` in a folder, where every command finds it."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from maestro_ts.atomic import write_text
from maestro_ts.errors import DataError, DownloadError, FormatError, MissingExtraError, RunError
from maestro_ts.signals.datasets.card import Card, Download
from maestro_ts.signals.fetch.join import check_archive, join
from maestro_ts.signals.fetch.transfer import Patience, transfer

__all__ = ["Fetched", "check_installed", "fetch_dataset"]

LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")  # as sha256sum writes and checks them


@dataclass(frozen=True)
class Fetched:
    """What a data set's files are on this machine.

    Attributes
    ----------
    path : Path
        Archive (or folder that was there already), for ``--data``.
    new : bool
        Whether it was downloaded now.
    sha256 : dict of str to str
        Of every file that was downloaded, now or before; empty for one's own files.
    record : Path
        Where the checksums are kept, ``NAME.zip.sha256``.
    """

    path: Path
    new: bool
    sha256: Mapping[str, str]
    record: Path


def fetch_dataset(
    card: Card,
    folder: Path,
    progress: Callable[[str, int, int | None], None] = lambda file, done, total: None,
    patience: Patience | None = None,
) -> Fetched:
    """Download a data set's files from its owners, check them and keep them as ``NAME.zip``.

    Whoever calls this has shown the licence. Until all files are there and checked they lie in
    ``NAME-download``; an interrupted call goes on from there.

    Parameters
    ----------
    card : Card
    folder : Path
    progress : callable (file, done, total)
        Bytes of a file that are there, and in all (None: not known).
    patience : Patience, optional

    Raises
    ------
    DataError
        The set has no address to download from, or the archive that is there was changed.
    DownloadError
        A file cannot be had, or is not the published one or the one of the first fetch.
    RunError
        The disk is full or cannot be written.
    MissingExtraError
        pooch is not installed.
    """
    target = folder / f"{card.name}.zip"
    record = folder / f"{card.name}.zip.sha256"
    known = _read_record(record)
    there = _already(card, target, known)
    if there is not None:
        return Fetched(there, False, _downloaded(card, known), record)
    if not card.downloads:
        raise DataError(f"{card.name} cannot be downloaded by a program.", fix=card.how_to_get)
    check_installed()
    parts = folder / f"{card.name}-download"
    paths, sha256 = {}, {}
    try:
        for download in card.downloads:
            path, digest = _get(download, parts, known, record, progress, patience)
            paths[download], sha256[download.file] = path, digest
    finally:
        with suppress(OSError):  # only if nothing is in it
            parts.rmdir()
    join(paths, target)
    lines = sha256 | {target.name: _digest(target)}
    write_text(record, "".join(f"{digest}  {name}\n" for name, digest in lines.items()))
    shutil.rmtree(parts, ignore_errors=True)
    return Fetched(target, True, sha256, record)


def check_installed() -> None:
    """Raise MissingExtraError when pooch, which brings what downloads, is not installed."""
    if find_spec("pooch") is None:
        raise MissingExtraError.of("pooch", "download", "Downloading a data set")


def _already(card: Card, target: Path, known: Mapping[str, str]) -> Path | None:
    """What is here of the set; an archive that was fetched is compared with its checksum."""
    unpacked = target.with_name(card.name)
    if not target.exists():
        return unpacked if unpacked.exists() else None
    if target.name in known and _digest(target) != known[target.name]:
        raise DataError(
            "the archive is not what was fetched: its SHA-256 differs.",
            where=str(target),
            fix="Delete it and fetch again.",
        )
    return target


def _get(
    download: Download,
    folder: Path,
    known: Mapping[str, str],
    record: Path,
    progress: Callable[[str, int, int | None], None],
    patience: Patience | None,
) -> tuple[Path, str]:
    """Path and SHA-256 of one file, downloaded and checked."""
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    path = folder / download.file
    expected = download.sha256 or known.get(download.file)

    def fetch_part(url: str, output: str, _: object) -> None:
        def tell(done: int, total: int | None) -> None:
            progress(download.file, done, total)

        os.replace(transfer(download, path, tell, patience), output)

    try:
        pooch.retrieve(
            download.url,
            known_hash=f"sha256:{expected}" if expected else None,
            fname=download.file,
            path=folder,
            downloader=fetch_part,
        )
    except ValueError as error:  # another checksum; pooch has removed the file
        fix = "Fetch again; if that does not help, tell the owners."
        if not download.sha256:
            fix = f"If the owners have published a new version, delete {record} and fetch again."
        raise DownloadError(f"{error}", where=download.url, fix=fix) from error
    except OSError as error:
        if isinstance(error, (DownloadError, RunError)):
            raise
        raise RunError(
            f"cannot write: {error.strerror or error}.",
            where=str(folder),
            fix="Free some space or choose another folder.",
        ) from error
    try:
        check_archive(path, download.url)
    except FormatError:
        path.unlink()
        raise
    return path, _digest(path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_record(path: Path) -> dict[str, str]:
    """File name → SHA-256 of earlier fetches; nothing if there was none."""
    if not path.exists():
        return {}
    try:
        found = [LINE.fullmatch(line) for line in path.read_text().splitlines()]
    except (OSError, UnicodeDecodeError):
        found = [None]
    if not found or None in found:
        raise FormatError(
            "no list of SHA-256 checksums and file names.",
            where=str(path),
            fix="Delete it: the next fetch makes it anew.",
        )
    return {line[2]: line[1] for line in found if line is not None}


def _downloaded(card: Card, known: Mapping[str, str]) -> dict[str, str]:
    return {d.file: known[d.file] for d in card.downloads if d.file in known}

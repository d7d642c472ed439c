"""`Folder`: one interface over an unpacked folder and a zip archive; nothing is ever extracted."""

from __future__ import annotations

import hashlib
import io
import lzma
import re
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from maestro_ts.errors import DataError, FormatError

__all__ = ["MAX_MEMBER_BYTES", "Folder", "check_refused", "open_folder", "open_zip"]

MAX_MEMBER_BYTES = 512 * 2**20
CHUNK_BYTES = 2**20
# What a broken member makes zipfile raise: a ValueError is a name that cannot be decoded, an
# OverflowError a place beyond any file's end.
DAMAGE = (
    *(zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError),
    *(ValueError, OverflowError),
)
ZIP_START = (b"PK\x03\x04", b"PK\x05\x06")


class Folder(ABC):
    """Files under one place, read one at a time; a context manager.

    Attributes
    ----------
    where : str
        Path as the user gave it, for errors.
    names : tuple of str
        Relative paths with ``/``, sorted.
    """

    def __init__(self, where: str, names: Sequence[str], max_bytes: int) -> None:
        self.where, self.names, self._max_bytes = where, tuple(sorted(set(names))), max_bytes

    def matching(self, pattern: str) -> dict[str, re.Match[str]]:
        """Members whose path ends in `pattern`, a regular expression that begins at a path's part.

        A data set is found whether the user gave its own folder or the one above.
        """
        ending = re.compile(rf"(?:^|.*/)(?:{pattern})$")
        found = {name: ending.match(name) for name in self.names}
        return {name: match for name, match in found.items() if match}

    def read(self, name: str) -> bytes:
        """Content of one member.

        Raises
        ------
        FormatError
            The member is larger than the limit, or damaged.
        """
        if name not in self.names:
            raise DataError(f"there is no member {name!r}.", where=self.where)
        size = self._size(name)
        if size > self._max_bytes:
            raise FormatError(
                f"the member is {size} bytes large; at most {self._max_bytes} are read.",
                where=self.locate(name),
            )
        return b"".join(self.chunks(name))

    def locate(self, name: str) -> str:
        """Name a member in an error: the place the user gave, then the path inside."""
        return f"{self.where}: {name}"

    def fingerprint(self) -> str:
        """A number for the members' names, sizes and, in an archive, checksums; reads none."""
        known = [(name, self._size(name), self._checksum(name)) for name in self.names]
        return hashlib.blake2b(repr(known).encode(), digest_size=16).hexdigest()

    def _checksum(self, name: str) -> int:
        """What the archive says of a member's content, 0 for a plain file."""
        return 0

    def nothing_found(self, expected: str) -> FormatError:
        """Make the error for a place without a file of the data set."""
        zips = [n for n in self.names if n.lower().endswith(".zip")]
        fix = f"It holds {zips[0]}: give the path of that file." if zips else ""
        return FormatError(f"holds no {expected}.", where=self.where, fix=fix)

    @abstractmethod
    def _size(self, name: str) -> int: ...

    @abstractmethod
    def chunks(self, name: str) -> Iterator[bytes]:
        """Content of one member piece by piece, however large it is.

        Raises
        ------
        FormatError
            The member is damaged.
        """

    def close(self) -> None:  # noqa: B027 - an unpacked folder has nothing to close
        """Release the archive."""

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_folder(path: Path | str, max_member_bytes: int = MAX_MEMBER_BYTES) -> Folder:
    """Open an unpacked folder or a zip archive.

    Parameters
    ----------
    path : path
    max_member_bytes : int
        Larger members are refused when they are read.

    Raises
    ------
    DataError
        The path does not exist.
    FormatError
        The folder or archive is empty, cut short, no zip, or names members outside itself.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(
            "no such file or folder.",
            where=str(path),
            fix="Give the downloaded archive or the folder it was unpacked to.",
        )
    if path.is_dir():
        return _Unpacked(path, max_member_bytes)
    return open_zip(path, str(path), max_member_bytes)


def open_zip(source: Path | bytes, where: str, max_member_bytes: int = MAX_MEMBER_BYTES) -> Folder:
    """Open a zip archive by its path, or one that is itself a member, by its bytes."""
    try:
        file: BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    except OSError as error:
        raise DataError(f"the file cannot be opened: {error.strerror}.", where=where) from error
    try:
        return _Zipped(file, where, max_member_bytes)
    except BaseException:
        file.close()
        raise


def check_refused(where: str, n_read: int, reasons: Sequence[str]) -> None:
    """Raise when nothing was read, or most files were refused: that is no matter of a few files.

    Parameters
    ----------
    where : str
    n_read : int
        Files that were read.
    reasons : sequence of str
        One for each file that was refused.
    """
    total = n_read + len(reasons)
    if n_read and len(reasons) <= total / 2:
        return
    first = " ".join(f"({i}) {reason}" for i, reason in enumerate(reasons[:3], start=1))
    raise FormatError(
        f"{len(reasons)} of {total} files cannot be read. {first}",
        where=where,
        fix="Is the copy complete, and is it the data set as its owners published it?",
    )


class _Unpacked(Folder):
    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root = root
        names = [p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()]
        super().__init__(str(root), names, max_bytes)
        if not names:
            raise FormatError("the folder is empty.", where=self.where)

    def _size(self, name: str) -> int:
        return (self._root / name).stat().st_size

    def chunks(self, name: str) -> Iterator[bytes]:
        try:
            with (self._root / name).open("rb") as file:
                while piece := file.read(CHUNK_BYTES):
                    yield piece
        except OSError as error:
            raise FormatError(
                f"the file cannot be read: {error.strerror}.", where=self.locate(name)
            ) from error


class _Zipped(Folder):
    def __init__(self, file: BinaryIO, where: str, max_bytes: int) -> None:
        start = file.read(4)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
            raise _not_a_zip(start, where, error) from error
        self._file = file
        members = [m for m in self._zip.infolist() if not m.is_dir()]
        for member in members:
            if _is_outside(member.filename):
                raise FormatError(
                    f"the archive names a member outside itself: {member.filename!r}.", where=where
                )
        super().__init__(where, [m.filename for m in members], max_bytes)
        if not members:
            raise FormatError("the archive is empty.", where=where)

    def _size(self, name: str) -> int:
        return self._zip.getinfo(name).file_size

    def _checksum(self, name: str) -> int:
        return self._zip.getinfo(name).CRC

    def chunks(self, name: str) -> Iterator[bytes]:
        where = self.locate(name)
        try:
            with self._zip.open(name) as file:
                while piece := file.read(CHUNK_BYTES):
                    yield piece
        except DAMAGE as error:
            what = str(error).rstrip(".") or "it ends too early"
            raise FormatError(
                f"the member is damaged: {what}.", where=where, fix="Download the archive again."
            ) from error
        except (RuntimeError, NotImplementedError) as error:
            raise FormatError(f"the member cannot be unpacked: {error}.", where=where) from error

    def close(self) -> None:
        self._zip.close()
        self._file.close()


def _not_a_zip(start: bytes, where: str, error: Exception) -> FormatError:
    if start.startswith(ZIP_START):
        return FormatError(
            "the archive is cut short or damaged: the list of its members, at its end, "
            "cannot be read.",
            where=where,
            fix="Download the archive again.",
        )
    return FormatError(
        f"not a zip archive ({str(error).rstrip('.').lower()}).",
        where=where,
        fix="Give the zip archive or the folder it was unpacked to.",
    )


def _is_outside(name: str) -> bool:
    parts = re.split(r"[/\\]", name)
    return ".." in parts or parts[0] == "" or bool(re.match(r"[A-Za-z]:", name))

"""One file over HTTP into ``FILE.partial``, with which a later call goes on."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from maestro_ts._version import __version__
from maestro_ts.errors import DownloadError, RunError
from maestro_ts.signals.datasets.card import Download
from maestro_ts.signals.fetch.partial import Partial

__all__ = ["MAX_BYTES", "Patience", "asked_size", "transfer"]

MAX_BYTES = 16 * 2**30
CHUNK_BYTES = 2**16
SLOW_BYTES = 2**16
MAX_REDIRECTS = 5
BUSY = (408, 425, 429, 500, 502, 503, 504)  # states of a server that may pass


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for.

    Attributes
    ----------
    attempts : int
        Connections tried, each going on where the last one ended.
    pause_s : float
        Before the second attempt; doubled before each further one.
    connect_s, silent_s : float
        Longest wait for a connection, and for the next bytes.
    stall_s : float
        A connection that brings less than 64 KiB in this time is given up.
    """

    attempts: int = 5
    pause_s: float = 1.0
    connect_s: float = 10.0
    silent_s: float = 30.0
    stall_s: float = 60.0


BRIEF = Patience(connect_s=5.0, silent_s=5.0)  # only to tell a size


class _Again(Exception):
    """What may go better at the next attempt."""


def transfer(
    download: Download,
    path: Path,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
    patience: Patience | None = None,
) -> Path:
    """Get a file as ``PATH.partial``, going on with what is there of the same file.

    Parts of two versions are never joined: the server is asked for the rest only of the file
    with the same tag or date, or, where it names neither, of the same length.

    Parameters
    ----------
    download : Download
    path : Path
        Where the file will lie when it is checked; its folder exists.
    progress : callable (done, total)
        Bytes there, and in all; None: the server does not say.
    patience : Patience, optional

    Returns
    -------
    Path
        ``PATH.partial``, complete and on the disk.

    Raises
    ------
    DownloadError
        The server refuses, is silent, or redirects elsewhere. What came is kept.
    RunError
        The disk is full or cannot be written. What came is kept.
    """
    from requests import RequestException, Session
    from requests.exceptions import SSLError
    from urllib3.exceptions import HTTPError

    patience = patience or Patience()
    partial = Partial(path)
    reason = ""
    with Session() as session:
        for attempt in range(patience.attempts):
            if attempt:
                time.sleep(patience.pause_s * 2 ** (attempt - 1))
            try:
                _attempt(session, download, partial, progress, patience)
                return partial.finished()
            except SSLError as error:
                raise DownloadError(
                    "the server's certificate cannot be verified.",
                    where=download.url,
                    fix="Download it with a browser, which knows more certificates.",
                ) from error
            except (_Again, RequestException, HTTPError) as error:
                reason = _plainly(error)
            except OSError as error:
                if isinstance(error, (DownloadError, RunError)):
                    raise
                raise RunError(
                    f"cannot write: {error.strerror or error}.",
                    where=str(partial.path),
                    fix="What came is kept: free some space, then fetch again.",
                ) from error
    kept = f" {partial.size} bytes are kept: fetch again to go on." if partial.size else ""
    raise DownloadError(
        f"{reason} after {patience.attempts} attempts.",
        where=download.url,
        fix=f"Try later, or see whether the address is still right.{kept}",
    )


def asked_size(download: Download, patience: Patience | None = None) -> int | None:
    """Size in bytes that the server states; None if it states none or cannot be reached."""
    from requests import RequestException, Session

    try:
        with (
            Session() as session,
            _open(session, download, {}, patience or BRIEF, "HEAD") as r,
        ):
            return _length(r) if r.status_code == 200 else None
    except (RequestException, DownloadError):
        return None


def _attempt(
    session: Any,
    download: Download,
    partial: Partial,
    progress: Callable[[int, int | None], None],
    patience: Patience,
) -> None:
    if partial.complete:
        return
    with _open(session, download, partial.headers(), patience) as response:
        if response.status_code == 206:
            total = partial.accept(response.headers.get("Content-Range", ""))
            if total is None:
                partial.discard()
                raise _Again("the server sent another part than was asked for")
        elif response.status_code == 200:
            total = _length(response)
            partial.begin(total, response.headers)
        elif response.status_code == 416:
            partial.discard()
            raise _Again("the server has no more of this file")
        else:
            raise _refusal(response.status_code, download)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise DownloadError("the server sends the file only re-coded.", where=download.url)
        _check_room(download, partial, total)
        _receive(response, download, partial, total, progress, patience)
    if total is not None and partial.size != total:
        raise _Again(f"the connection ended after {partial.size} of {total} bytes")


def _receive(
    response: Any,
    download: Download,
    partial: Partial,
    total: int | None,
    progress: Callable[[int, int | None], None],
    patience: Patience,
) -> None:
    """Append what comes; a server that hardly sends is given up."""
    done = partial.size
    since, before = time.monotonic(), done
    progress(done, total)
    with partial.path.open("ab") as file:
        while chunk := response.raw.read1(CHUNK_BYTES):
            file.write(chunk)
            done += len(chunk)
            if done > (MAX_BYTES if total is None else total):
                raise DownloadError("the server sends more than it announced.", where=download.url)
            progress(done, total)
            now = time.monotonic()
            if now - since >= patience.stall_s:
                if done - before < SLOW_BYTES:
                    raise _Again(f"the server sent {done - before} bytes in {now - since:.0f} s")
                since, before = now, done
        file.flush()
        os.fsync(file.fileno())


def _open(
    session: Any,
    download: Download,
    headers: dict[str, str],
    patience: Patience,
    method: str = "GET",
) -> Any:
    """Answer of the server, after redirects that the rule of this package allows."""
    about = {"User-Agent": f"maestro-ts/{__version__}", "Accept-Encoding": "identity"}
    url = download.url
    for _ in range(MAX_REDIRECTS + 1):
        response = session.request(
            method,
            url,
            headers=about | headers,
            stream=True,
            allow_redirects=False,
            timeout=(patience.connect_s, patience.silent_s),
        )
        if not response.is_redirect:
            return response
        response.close()
        url = urljoin(url, response.headers["Location"])
        _check_redirect(url, download)
    raise DownloadError(f"more than {MAX_REDIRECTS} redirects.", where=download.url)


def _check_redirect(url: str, download: Download) -> None:
    asked, target = urlsplit(download.url), urlsplit(url)
    if target.scheme not in ("https", asked.scheme):
        raise DownloadError(
            f"the server redirects to {url}, which is not https.", where=download.url
        )
    if target.hostname not in (asked.hostname, *download.hosts):
        raise DownloadError(
            f"the server redirects to another host, {target.hostname}.",
            where=download.url,
            fix="If the owners have moved, download it from their page.",
        )


def _refusal(status: int, download: Download) -> Exception:
    if status in BUSY:
        return _Again(f"the server answers {status}")
    fix = {
        401: "The owners ask for a registration now: see their page.",
        403: "The owners do not give it to everyone, or not now: see their page.",
        404: "The owners have moved it: see their page.",
        410: "The owners have withdrawn it: see their page.",
    }.get(status, "See the owners' page.")
    return DownloadError(f"the server answers {status}.", where=download.url, fix=fix)


def _check_room(download: Download, partial: Partial, total: int | None) -> None:
    if total is None:
        return
    if total > MAX_BYTES:
        raise DownloadError(
            f"the file has {total} bytes; at most {MAX_BYTES} are fetched.", where=download.url
        )
    missing = total - partial.size
    free = shutil.disk_usage(partial.path.parent).free
    if missing > free:
        raise RunError(
            f"{missing} bytes are to come, {free} are free.",
            where=str(partial.path.parent),
            fix="Free some space or choose another folder.",
        )


def _length(response: Any) -> int | None:
    stated = response.headers.get("Content-Length", "")
    return int(stated) if stated.isdecimal() else None


def _plainly(error: Exception) -> str:
    from requests.exceptions import ConnectionError as NoConnection
    from requests.exceptions import Timeout
    from urllib3.exceptions import TimeoutError as Silent

    if isinstance(error, (Timeout, Silent)):
        return "the server is silent"
    if isinstance(error, _Again):
        return str(error)
    if isinstance(error, NoConnection):
        return "the server cannot be reached"
    return "the connection was cut"

"""WFDB records of one segment: a header ``.hea`` and the signal files it names, in its folder.

Every signal keeps its own rate (several samples in a frame are not averaged), and values that the
format marks as invalid are missing.
"""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError, MaestroError, MissingExtraError
from maestro_ts.signals.formats.signal_file import (
    Request,
    Series,
    SignalFile,
    check_size,
    damage_as_format_error,
    refuse_streams,
)
from maestro_ts.signals.formats.table import Clock, Column, Kind, Table, check_numbers, find_column

__all__ = ["describe", "read"]

# Bytes of a sample. Left out: 508, 516 and 524, which are FLAC.
FORMATS = {
    "8": 1.0, "16": 2.0, "24": 3.0, "32": 4.0, "61": 2.0, "80": 1.0, "160": 2.0, "212": 1.5,
    "310": 4 / 3, "311": 4 / 3,
}  # fmt: skip
RECORD = re.compile(
    r"(?P<name>[-\w]+)(?P<segments>/\d+)?\s+(?P<signals>\d{1,4})"
    r"(?:\s+(?P<rate>\d+(?:\.\d*)?(?:e[+-]?\d+)?)\S*(?:\s+(?P<samples>\d+))?)?(?:\s.*)?"
)
SIGNAL = re.compile(
    r"(?P<file>[-\w]+(?:\.\w+)?)\s+(?P<format>\d+)(?:x(?P<frame>\d+))?(?::(?P<skew>\d+))?"
    r"(?:\+(?P<offset>\d+))?(?:\s.*)?"
)
USUAL_RATE_HZ = 250.0  # what the format says of a header without one


@dataclass(frozen=True)
class _Signal:
    """One signal's line of the header."""

    file: str
    format: str
    per_frame: int
    skew: int
    offset: int


def describe(file: SignalFile) -> list[Series]:
    """Every signal; one whose name occurs again is called by its position.

    Raises
    ------
    FormatError
        No header, a signal file that is not there or too short.
    """
    record, signals, rate = _load(file)
    names = _names(record, len(signals))
    found = []
    for at, (name, signal) in enumerate(zip(names, signals, strict=True)):
        column: Column = name if names.count(name) == 1 else at + 1
        kinds: dict[Column, Kind] = {column: "number"}
        count = len(record.e_p_signal[at])
        unit = (record.units or [""] * len(signals))[at] or ""
        found.append(Series(kinds, "", count, rate * signal.per_frame, False, unit))
    return found


def read(file: SignalFile, requests: Sequence[Request]) -> list[Table]:
    """Signals by their names or positions; those of one request must have the same rate.

    Raises
    ------
    FormatError
        No header, a signal file that is not there or too short, a signal that is not there.
    """
    refuse_streams(requests, file.where)
    record, signals, rate = _load(file)
    names = _names(record, len(signals))
    begins_s = _begins(record)
    tables = []
    for request in requests:
        if "text" in request.columns.values() or "moment" in request.columns.values():
            raise FormatError("WFDB signals are numbers.", where=file.where)
        at = {c: find_column(c, names, file.where) for c in request.columns}
        frames = {c: signals[i].per_frame for c, i in at.items()}
        if len(set(frames.values())) > 1:
            told = ", ".join(f"{c!r} {rate * n:g} Hz" for c, n in frames.items())
            raise FormatError(
                f"signals of one modality have several rates: {told}.",
                where=file.where,
                fix="Make a modality of each rate in schema.yaml.",
            )
        columns: dict[Column, NDArray[np.float64]] = {
            c: np.asarray(record.e_p_signal[i], np.float64) for c, i in at.items()
        }
        own = rate * next(iter(frames.values()))
        rows = len(next(iter(columns.values())))
        clock = Clock(own, begins_s=begins_s)
        table = Table(file.where, rows, columns, "sample", 1, clock=clock)
        check_numbers(table)
        tables.append(table)
    return tables


def _load(file: SignalFile) -> tuple[Any, list[_Signal], float]:
    """The record, read from copies of its files: the library opens paths, an archive has none."""
    try:
        import wfdb
    except ImportError as error:
        raise MissingExtraError.of("wfdb", "wfdb", "Reading WFDB records") from error
    name, signals, rate, samples = _header(file)
    contents = {s.file: _beside(file, s.file) for s in signals}
    for stored in contents:
        together = [s for s in signals if s.file == stored]
        _check_length(together, samples, len(contents[stored]), f"{file.where}, {stored}")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"{name}.hea").write_bytes(file.data)
        for stored, content in contents.items():
            (Path(folder) / stored).write_bytes(content)
        with damage_as_format_error(file.where, "WFDB record"):
            record = wfdb.rdrecord(str(Path(folder) / name), smooth_frames=False, physical=True)
    return record, signals, rate


def _header(file: SignalFile) -> tuple[str, list[_Signal], float, int | None]:
    """Name, signals, frames a second and frames, as far as files and sizes depend on them."""
    try:
        lines = file.data.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise FormatError("no WFDB header: not a text.", where=file.where) from None
    told = [(i, t.strip()) for i, t in enumerate(lines, 1) if t.strip() and t.strip()[0] != "#"]
    if not told:
        raise FormatError("the file is empty.", where=f"{file.where}:1")
    line, text = told[0]
    head = RECORD.fullmatch(text)
    if head is None:
        raise FormatError("no WFDB header in this line.", where=f"{file.where}:{line}")
    if head["segments"]:
        raise FormatError(
            "the record has several segments.",
            where=f"{file.where}:{line}",
            fix="Name the headers of its segments instead.",
        )
    rate = float(head["rate"]) if head["rate"] else USUAL_RATE_HZ
    if not (math.isfinite(rate) and rate > 0):
        raise FormatError(f"a rate of {rate:g} Hz is impossible.", where=f"{file.where}:{line}")
    count = int(head["signals"])
    if len(told) - 1 != count or not count:
        raise FormatError(
            f"{count} signals are declared, {len(told) - 1} described.", where=file.where
        )
    signals = [_signal(text, f"{file.where}:{line}") for line, text in told[1:]]
    return head["name"], signals, rate, int(head["samples"] or 0) or None


def _signal(text: str, where: str) -> _Signal:
    found = SIGNAL.fullmatch(text)
    if found is None:
        raise FormatError("no description of a signal in this line.", where=where)
    if found["format"] not in FORMATS:
        raise FormatError(f"the signal format {found['format']} is not read.", where=where)
    frame, skew, offset = (found[k] for k in ("frame", "skew", "offset"))
    if any(len(text or "") > 12 for text in (frame, skew, offset)):
        raise FormatError("a number of more than 12 digits.", where=where)
    return _Signal(
        found["file"], found["format"], int(frame or 1) or 1, int(skew or 0), int(offset or 0)
    )


def _beside(file: SignalFile, name: str) -> bytes:
    try:
        return file.beside(name)
    except MaestroError as error:
        raise FormatError(
            f"its signal file {name!r} cannot be read: {error.what}", where=file.where
        ) from error


def _check_length(signals: Sequence[_Signal], samples: int | None, size: int, where: str) -> None:
    """Sizes that the header declares, against what is there."""
    frame = sum(s.per_frame for s in signals)
    per_sample, offset = FORMATS[signals[0].format], max(s.offset for s in signals)
    if samples is None:
        samples = int((size - offset) / (frame * per_sample))
    check_size(samples * frame, where)
    need = offset + math.floor(samples * frame * per_sample)
    if samples < 1 or size < need:
        raise FormatError(f"holds {size} bytes, {need} are declared: it is cut short.", where=where)
    if max(s.skew for s in signals) > samples:
        raise FormatError("signals are shifted by more than their length.", where=where)


def _names(record: Any, count: int) -> list[str]:
    return [name or str(i + 1) for i, name in enumerate(record.sig_name or [""] * count)]


def _begins(record: Any) -> float | None:
    """The header's date and time in seconds, where it has both."""
    begin = getattr(record, "base_datetime", None)
    return begin.replace(tzinfo=UTC).timestamp() if isinstance(begin, datetime) else None

"""Empatica E4 csv: the Unix time of the first sample, the rate, then one sample a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from maestro_ts.errors import FormatError
from maestro_ts.signals.formats.csv import as_number, read_numbers
from maestro_ts.signals.formats.signal_file import Request, Series, SignalFile, refuse_streams
from maestro_ts.signals.formats.table import Clock, Table, find_column
from maestro_ts.signals.recording import Stream

__all__ = ["E4_EVENTS", "E4_SIGNALS", "describe", "is_e4", "read", "read_e4_csv"]

# The files of a session: signals, and what lies beside them.
E4_SIGNALS = ("ACC.csv", "BVP.csv", "EDA.csv", "HR.csv", "TEMP.csv")
E4_EVENTS = ("IBI.csv", "tags.csv", "info.txt")

NAMES = {1: ["value"], 3: ["x", "y", "z"]}


def describe(file: SignalFile) -> list[Series]:
    """The one signal of the file; the accelerometer's channels are called x, y, z.

    Raises
    ------
    FormatError
        With file and line.
    """
    _, stream = read_e4_csv(file.data, file.where)
    names = _names(stream.values.shape[1])
    return [Series(dict.fromkeys(names, "number"), "", len(stream.values), stream.rate_hz)]


def read(file: SignalFile, requests: Sequence[Request]) -> list[Table]:
    """The channels that are asked for; times count from 1970.

    Raises
    ------
    FormatError
        With file and line; or a channel that is not there.
    """
    refuse_streams(requests, file.where)
    start_unix, stream = read_e4_csv(file.data, file.where)
    names = _names(stream.values.shape[1])
    clock = Clock(stream.rate_hz, start_s=start_unix, from_first=True)
    tables = []
    for request in requests:
        columns = {
            c: stream.values[:, find_column(c, names, file.where)].astype(np.float64)
            for c in request.columns
        }
        tables.append(Table(file.where, len(stream.values), columns, "line", 3, clock=clock))
    return tables


def is_e4(file: SignalFile) -> bool:
    """A file as an E4 names it, that begins with a time since 1970 and a rate."""
    if PurePosixPath(file.where).name not in E4_SIGNALS:
        return False
    fields = [line.split(b",")[0].strip() for line in file.data[:200].split(b"\n")[:2]]
    numbers = [float(f) for f in fields if re.fullmatch(rb"\d+(\.\d+)?", f)]
    return len(numbers) == 2 and numbers[0] > 1e9 and 0 < numbers[1] <= 64


def _names(width: int) -> list[str]:
    return NAMES.get(width, [str(i + 1) for i in range(width)])


def read_e4_csv(
    data: bytes, where: str, *, columns: int | None = None, rate_hz: float | None = None
) -> tuple[float, Stream]:
    """Read one signal file of an E4 wrist band (ACC, BVP, EDA, TEMP or HR).

    Parameters
    ----------
    data : bytes
        Content of the file.
    where : str
        Names the file in errors.
    columns : int, optional
        Values a line must have; by default as many as its first line.
    rate_hz : float, optional
        Rate that the file must state.

    Returns
    -------
    start_unix : float
        Unix time of the first sample, in seconds.
    stream : Stream
        Values as they stand in the file, at the stated rate, from 0 s.

    Raises
    ------
    FormatError
        With file and line.
    """
    lines = data.split(b"\n", 2)
    if len(lines) < 3:
        raise FormatError(
            "the file is cut short: the start time, the rate and samples are expected.",
            where=f"{where}:{len(lines)}",
        )
    start_unix = _one(lines[0], columns, f"{where}:1", "start time")
    width = len(lines[0].split(b","))
    rate = _one(lines[1], width, f"{where}:2", "rate")
    if rate <= 0:
        raise FormatError(f"a rate of {rate:g} Hz is impossible.", where=f"{where}:2")
    if rate_hz is not None and rate != rate_hz:
        raise FormatError(f"the rate is {rate:g} Hz, {rate_hz:g} expected.", where=f"{where}:2")
    values = read_numbers(lines[2], where, columns=width, first_line=3)
    return start_unix, Stream(values.astype(np.float32), rate_hz=rate)


def _one(line: bytes, columns: int | None, where: str, what: str) -> float:
    """Read the one value of a header line, which repeats it for every column."""
    fields = line.decode("latin1").strip().split(",")
    if columns is not None and len(fields) != columns:
        raise FormatError(f"{len(fields)} columns, {columns} expected.", where=where)
    values = {as_number(field.strip(), where) for field in fields}
    if len(values) > 1:
        raise FormatError(f"the columns differ in their {what}: {sorted(values)}.", where=where)
    return values.pop()

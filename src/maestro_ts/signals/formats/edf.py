"""EDF, EDF+ and BDF: every signal at its own rate, in physical units.

Gaps of a discontinuous recording (EDF+D) become jumps in the time stamps. The recording starts at
0 s; the header's date only places several files of one recording against each other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError, MissingExtraError
from maestro_ts.signals.formats.signal_file import (
    Request,
    Series,
    SignalFile,
    check_size,
    damage_as_format_error,
    refuse_streams,
)
from maestro_ts.signals.formats.table import Clock, Column, Kind, Table, check_numbers, find_column

__all__ = ["describe", "lasting_annotations", "read"]

HEAD = 256
BDF_START = b"\xffBIOSEMI"
EDF_START = b"0       "
WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)  # of a signal's header fields
LABEL, SAMPLES = 0, 8  # which of them
ONSET = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15[\d.]*)?\x14")


@dataclass(frozen=True)
class _Frame:
    """How the file is divided, checked against its length before any of it is read.

    Attributes
    ----------
    bytes_per_sample : int
    record_s : float
    samples : list of int
        Samples of each signal in a data record.
    annotated : list of int
        Which signals are annotations.
    records : ndarray, shape (records, bytes), uint8
    gaps : bool
        The header calls the recording discontinuous.
    """

    bytes_per_sample: int
    record_s: float
    samples: list[int]
    annotated: list[int]
    records: NDArray[np.uint8]
    gaps: bool


def describe(file: SignalFile) -> list[Series]:
    """Every signal but the annotations; one whose label occurs again is called by its position.

    Raises
    ------
    FormatError
        No EDF or BDF file, or one that is cut short.
    """
    frame, content = _open(file)
    timed = _onsets(frame, file.where) is not None
    with damage_as_format_error(file.where, "EDF or BDF file"):
        labels = [signal.label for signal in content.signals]
        found = []
        for at, signal in enumerate(content.signals):
            name: Column = signal.label if labels.count(signal.label) == 1 else at + 1
            kinds: dict[Column, Kind] = {name: "number"}
            count = signal.samples_per_data_record
            total, rate = count * len(frame.records), count / frame.record_s
            found.append(Series(kinds, "", total, rate, timed, signal.physical_dimension))
    return found


def read(file: SignalFile, requests: Sequence[Request]) -> list[Table]:
    """Signals by their labels or positions; those of one request must have the same rate.

    Raises
    ------
    FormatError
        No EDF or BDF file, one that is cut short, a signal that is not there or has no scale.
    """
    refuse_streams(requests, file.where)
    frame, content = _open(file)
    onsets = _onsets(frame, file.where)
    begins_s = _begins(content)
    with damage_as_format_error(file.where, "EDF or BDF file"):
        return [_table(file.where, frame, content, r, onsets, begins_s) for r in requests]


def lasting_annotations(file: SignalFile) -> list[tuple[float, float, str]]:
    """Start, end in seconds and text of every annotation that lasts.

    Raises
    ------
    FormatError
        No EDF+ file, or annotations that cannot be read.
    """
    _, content = _open(file)
    with damage_as_format_error(file.where, "EDF+ file"):
        found = [(a.onset, a.duration, a.text.strip()) for a in content.annotations if a.duration]
    return [(start, start + duration, text) for start, duration, text in found]


def _open(file: SignalFile) -> tuple[_Frame, Any]:
    try:
        import edfio
    except ImportError as error:
        raise MissingExtraError.of("edfio", "readers", "Reading EDF and BDF files") from error
    frame = _frame(file)
    with damage_as_format_error(file.where, "EDF or BDF file"):
        # Headers in the wild hold µ and ° in Latin-1, although ASCII is prescribed.
        if frame.bytes_per_sample == 3:
            return frame, edfio.read_bdf(file.data, header_encoding="latin-1")
        return frame, edfio.read_edf(file.data, header_encoding="latin-1")


def _frame(file: SignalFile) -> _Frame:
    data, where = file.data, file.where
    if len(data) < HEAD:
        raise FormatError(
            f"{len(data)} bytes, the header of an EDF file alone has {HEAD}.", where=where
        )
    if data[:8] not in (EDF_START, BDF_START):
        raise FormatError("no EDF or BDF file: it begins otherwise.", where=where)
    size = 3 if data[:8] == BDF_START else 2
    signals = _whole(data[252:256], "number of signals", where)
    count = _whole(data[236:244], "number of data records", where)
    if count < 0:
        raise FormatError(
            "the number of data records is unknown: the recording was not finished.", where=where
        )
    if _whole(data[184:192], "header length", where) != HEAD * (signals + 1) or signals < 1:
        raise FormatError(f"a header of another length than {signals} signals need.", where=where)
    if len(data) < HEAD * (signals + 1):
        raise FormatError("the file is cut short within its header.", where=where)
    fields = [_fields(data, signals, which) for which in (LABEL, SAMPLES)]
    samples = [_whole(text, "number of samples", where) for text in fields[1]]
    annotated = [i for i, text in enumerate(fields[0]) if text.rstrip().endswith(b" Annotations")]
    record = size * sum(samples)
    there = len(data) - HEAD * (signals + 1)
    if min(samples) < 1 or count < 1 or there != count * record:
        raise FormatError(
            f"declares {count} data records of {record} bytes and holds {there} bytes: the file is "
            "cut short or damaged.",
            where=where,
        )
    check_size(count * sum(samples), where)
    record_s = _number(data[244:252], where)
    if not record_s > 0 and len(annotated) < signals:
        raise FormatError(f"a data record of {record_s:g} s is impossible.", where=where)
    records = np.frombuffer(data, np.uint8, offset=HEAD * (signals + 1)).reshape(count, record)
    return _Frame(size, record_s, samples, annotated, records, data[192:197].endswith(b"+D"))


def _fields(data: bytes, signals: int, which: int) -> list[bytes]:
    """One field of every signal's header."""
    begin, width = HEAD + signals * sum(WIDTHS[:which]), WIDTHS[which]
    return [data[begin + i * width : begin + (i + 1) * width] for i in range(signals)]


def _whole(text: bytes, what: str, where: str) -> int:
    if not re.fullmatch(rb" *-?\d+ *", text):
        raise FormatError(f"the {what} in the header is {text.decode('latin-1')!r}.", where=where)
    return int(text)


def _number(text: bytes, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FormatError(
            f"{text.decode('latin-1')!r} in the header is no number.", where=where
        ) from None
    return value


def _onsets(frame: _Frame, where: str) -> NDArray[np.float64] | None:
    """Start of every data record from the first one's, or None when they follow each other."""
    if not frame.gaps:
        return None
    if not frame.annotated:
        raise FormatError("a discontinuous recording without the times of its parts.", where=where)
    first = frame.annotated[0]
    begin = frame.bytes_per_sample * sum(frame.samples[:first])
    end = begin + frame.bytes_per_sample * frame.samples[first]
    onsets = np.empty(len(frame.records))
    for i, record in enumerate(frame.records):
        found = ONSET.match(record[begin:end].tobytes())
        if found is None:
            raise FormatError("a data record without its time.", where=f"{where}, record {i + 1}")
        onsets[i] = float(found[1])
    onsets -= onsets[0]
    # A millionth of a record is rounding of the decimal numbers, not a gap.
    early = np.flatnonzero(np.diff(onsets) < frame.record_s * (1 - 1e-6))
    if len(early):
        raise FormatError(
            "the data record begins before the one before it ends.",
            where=f"{where}, record {early[0] + 2}",
        )
    regular = np.allclose(np.diff(onsets), frame.record_s, rtol=1e-6, atol=0)
    return None if regular else onsets


def _begins(content: Any) -> float | None:
    """The header's date and time in seconds; None for one that was made unreadable."""
    try:
        return float(content.startdatetime.replace(tzinfo=UTC).timestamp())
    except Exception:  # edfio raises several kinds over dates that were blanked out
        return None


def _table(
    where: str,
    frame: _Frame,
    content: Any,
    request: Request,
    onsets: NDArray[np.float64] | None,
    begins_s: float | None,
) -> Table:
    labels = [signal.label for signal in content.signals]
    chosen = {c: content.signals[find_column(c, labels, where)] for c in request.columns}
    for column, kind in request.columns.items():
        if kind != "number":
            raise FormatError(f"column {column!r}: EDF signals are numbers.", where=where)
    counts = {c: signal.samples_per_data_record for c, signal in chosen.items()}
    if len(set(counts.values())) > 1:
        rates = ", ".join(f"{c!r} {n / frame.record_s:g} Hz" for c, n in counts.items())
        raise FormatError(
            f"signals of one modality have several rates: {rates}.",
            where=where,
            fix="Make a modality of each rate in schema.yaml.",
        )
    columns = {c: _physical(signal, where) for c, signal in chosen.items()}
    per_record = next(iter(counts.values()))
    rate = per_record / frame.record_s
    times = None
    if onsets is not None:
        times = (onsets[:, None] + np.arange(per_record) / rate).ravel()
    clock = Clock(rate, times, begins_s=begins_s)
    found = Table(where, per_record * len(frame.records), columns, "sample", 1, clock=clock)
    check_numbers(found)
    return found


def _physical(signal: Any, where: str) -> NDArray[np.float64]:
    """Physical values, shape (T,); a signal without a scale is refused, not left digital."""
    low, high = signal.physical_min, signal.physical_max
    scaled = math.isfinite(low) and math.isfinite(high) and low != high
    if not scaled or signal.digital_max <= signal.digital_min:
        raise FormatError(
            f"signal {signal.label!r} has no scale: {low:g} to {high:g} for the digital values "
            f"{signal.digital_min} to {signal.digital_max}.",
            where=where,
        )
    values: NDArray[np.float64] = signal.data
    return values

"""XDF, as LabRecorder writes it: every stream with the times it was recorded with.

Times are moved to the recorder's clock by the offsets that the file holds, so that streams of
several computers share one; they are not smoothed, and nothing is resampled.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence

import numpy as np

from maestro_ts.errors import FormatError, MissingExtraError
from maestro_ts.signals.formats.signal_file import (
    Request,
    Series,
    SignalFile,
    damage_as_format_error,
    find_series,
)
from maestro_ts.signals.formats.table import Clock, Column, Kind, Table, check_numbers, find_column
from maestro_ts.signals.formats.xdf_chunks import StreamHead, read_heads

__all__ = ["describe", "read"]


def describe(file: SignalFile) -> list[Series]:
    """Every stream of numbers; markers and other texts are left out.

    Raises
    ------
    FormatError
        No XDF file, or one that is cut short, with the byte.
    """
    return [series for _, series in _numeric(file)]


def read(file: SignalFile, requests: Sequence[Request]) -> list[Table]:
    """Channels of streams, each with its time stamps.

    Raises
    ------
    FormatError
        No XDF file, one that is cut short, a stream or channel that is not there.
    """
    try:
        import pyxdf
    except ImportError as error:
        raise MissingExtraError.of("pyxdf", "readers", "Reading XDF files") from error
    known = _numeric(file)
    series = [s for _, s in known]
    heads = [known[series.index(find_series(r.stream, series, file.where))][0] for r in requests]
    # pyxdf tells of each stream that it has no footer and the like; what matters was checked.
    logging.getLogger("pyxdf").setLevel(logging.CRITICAL)
    with damage_as_format_error(file.where, "XDF file"):
        content, _ = pyxdf.load_xdf(
            io.BytesIO(file.data),
            select_streams=sorted({head.number for head in heads}),
            synchronize_clocks=True,
            dejitter_timestamps=False,
        )
    loaded = {stream["info"]["stream_id"]: stream for stream in content}
    tables = []
    for request, head in zip(requests, heads, strict=True):
        stream = loaded[head.number]
        with np.errstate(invalid="ignore"):  # a NaN of another kind stays one
            values = np.asarray(stream["time_series"], np.float64).reshape(-1, head.channels)
        names = head.labels or [str(i + 1) for i in range(head.channels)]
        place = f"{file.where}, stream {head.name!r}"
        for column, kind in request.columns.items():
            if kind != "number":
                raise FormatError(f"column {column!r}: only numbers are read.", where=place)
        columns = {c: values[:, find_column(c, names, place)] for c in request.columns}
        times = np.asarray(stream["time_stamps"], np.float64)
        if len(times) != len(values):
            raise FormatError(f"{len(values)} samples, {len(times)} times.", where=place)
        clock = Clock(head.rate_hz, times, from_first=True)
        table = Table(place, len(values), columns, "sample", 1, clock=clock)
        check_numbers(table)
        tables.append(table)
    return tables


def _numeric(file: SignalFile) -> list[tuple[StreamHead, Series]]:
    heads = read_heads(file.data, file.where)
    names = [head.name for head in heads]
    found = []
    for head in heads:
        if head.kind == "string":
            continue
        columns: dict[Column, Kind] = dict.fromkeys(
            head.labels or range(1, head.channels + 1), "number"
        )
        # Two streams of one name are told apart by their numbers.
        name = head.name if names.count(head.name) == 1 else f"{head.name} #{head.number}"
        unit = head.units[0] if len(set(head.units)) == 1 else ""
        found.append((head, Series(columns, name, head.samples, head.rate_hz, True, unit)))
    return found

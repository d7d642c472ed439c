"""Checks of a reader of a file format: exact on sound files, one clear error on all others."""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import DataError, FormatError, MaestroError, MissingExtraError
from maestro_ts.signals.formats.registry import FORMATS, load_format
from maestro_ts.signals.formats.signal_file import Request, Series, SignalFile
from maestro_ts.signals.formats.table import Column, Table

__all__ = ["FormatCase", "Written"]

MUTANTS = 60
LIMIT_S = 20.0
LIMIT_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Written:
    """One signal as it was written.

    Attributes
    ----------
    columns : tuple of str or int
        As a schema names its channels.
    values : ndarray, shape (T, C)
    rate_hz : float or None
        None where the format does not tell it.
    stream : str
    times : ndarray, shape (T,), or None
        Seconds, where the format has a time for every sample.
    start_s : float
        Time of the first sample, where the format has none.
    unit : str
    quantum : float
        How far a value may be off: half a step of the file's converter.
    """

    columns: tuple[Column, ...]
    values: NDArray[np.floating]
    rate_hz: float | None = None
    stream: str = ""
    times: NDArray[np.floating] | None = None
    start_s: float = 0.0
    unit: str = ""
    quantum: float = 0.0

    @property
    def request(self) -> Request:
        """What reads it."""
        return Request(dict.fromkeys(self.columns, "number"), self.stream)


@dataclass(frozen=True)
class FormatCase:
    """A registered format, a small file of it, and what was written into that."""

    name: str
    path: Path
    written: tuple[Written, ...]
    absurd: dict[str, bytes]

    @property
    def file(self) -> SignalFile:
        """The small file."""
        return self.of(self.path.read_bytes())

    def of(self, data: bytes) -> SignalFile:
        """A file of this name with other content."""

        def beside(name: str) -> bytes:
            path = self.path.parent / name
            if not path.is_file():
                raise DataError(f"there is no file {name!r}.", where=str(path))
            return path.read_bytes()

        return SignalFile(self.path.name, data, beside)

    def describe(self, file: SignalFile) -> list[Series]:
        """What the format's reader says of a file."""
        return load_format(self.name).describe(file)

    def read(self, file: SignalFile, requests: Sequence[Request] | None = None) -> list[Table]:
        """Everything that was written, unless told otherwise."""
        asked = [w.request for w in self.written] if requests is None else requests
        return load_format(self.name).read(file, asked)


def check_described(case: FormatCase) -> None:
    """F1: what is in a file is said, with the columns, rate and unit of every signal."""
    known = case.describe(case.file)
    for w in case.written:
        fits = [s for s in known if s.stream == w.stream and set(w.columns) & set(s.columns)]
        assert fits, f"{w.stream} {w.columns} is not among what is described: {known}"
        for series in fits:
            assert series.rate_hz == w.rate_hz, f"{w.columns}: {series.rate_hz} Hz is described"
            assert series.unit in ("", w.unit), f"{w.columns}: the unit {series.unit!r}"
            assert series.samples in (None, len(w.values)), f"{w.columns}: {series.samples} samples"


def check_values(case: FormatCase) -> None:
    """F2: values are those that were written, in physical units."""
    for w, table in zip(case.written, case.read(case.file), strict=True):
        _check_table(w, table)


def _check_table(w: Written, table: Table) -> None:
    assert table.rows == len(w.values), f"{w.columns}: {table.rows} of {len(w.values)} samples"
    for i, column in enumerate(w.columns):
        found, wanted = table.columns[column], w.values[:, i]
        assert found.dtype == np.float64, f"{column!r} is {found.dtype}"
        same = np.allclose(found, wanted, rtol=0, atol=w.quantum, equal_nan=True)
        assert same, f"{column!r} is off by up to {np.nanmax(np.abs(found - wanted))}"


def check_times(case: FormatCase) -> None:
    """F3: every signal has its own rate or its own times; nothing is resampled."""
    for w, table in zip(case.written, case.read(case.file), strict=True):
        clock = table.clock
        if w.rate_hz is None and w.times is None:
            assert clock is None, f"{w.columns}: the file cannot tell {clock}"
            continue
        assert clock is not None, f"{w.columns}: no word of its rate"
        assert clock.rate_hz == w.rate_hz, f"{w.columns}: {clock.rate_hz} Hz, not {w.rate_hz}"
        if w.times is None:
            assert clock.times is None, f"{w.columns}: times were made up"
            assert clock.start_s == w.start_s, f"{w.columns} starts at {clock.start_s} s"
        else:
            assert clock.times is not None, f"{w.columns}: its times are not read"
            assert np.allclose(clock.times, w.times, rtol=0, atol=1e-6), f"{w.columns}: other times"


def check_together(case: FormatCase) -> None:
    """F4: a signal read alone, or again, is the same as read with all others."""
    whole = case.read(case.file)
    for w, table in zip(case.written, whole, strict=True):
        (alone,) = case.read(case.file, [w.request])
        assert alone.rows == table.rows, f"{w.columns}: {alone.rows} samples alone"
        for column in w.columns:
            same = np.array_equal(alone.columns[column], table.columns[column], equal_nan=True)
            assert same, f"{column!r} has other values alone"


def check_missing(case: FormatCase) -> None:
    """F5: a sample that was written as missing is NaN, and no other is."""
    for w, table in zip(case.written, case.read(case.file), strict=True):
        for i, column in enumerate(w.columns):
            lost = np.isnan(table.columns[column])
            assert np.array_equal(lost, np.isnan(w.values[:, i])), f"{column!r}: other samples"


def check_unknown(case: FormatCase) -> None:
    """F6: a column or stream that is not there is refused by the file's name."""
    w = case.written[0]
    for request in (
        Request({"no such column": "number"}, w.stream),
        Request({99: "number"}, w.stream),
        Request(w.request.columns, "no such stream"),
    ):
        _must_refuse(case, case.file, [request], f"{request} was read")


def check_empty(case: FormatCase) -> None:
    """F7: an empty file, and one of another format, are refused by name."""
    for data in (b"", b"\0", b"PK\x03\x04" + bytes(600), b"\xff" * 600, bytes(5000)):
        _must_refuse(case, case.of(data), None, f"{data[:4]!r}… was read")


def check_cut_short(case: FormatCase) -> None:
    """F8: a file cut short is refused by name, or gives the samples before, if nothing tells."""
    whole = case.file.data
    ends = sorted({int(len(whole) * share) for share in (0.05, 0.3, 0.5, 0.7, 0.9, 0.99)})
    for end in [*ends, len(whole) - 1]:
        file = case.of(whole[:end])
        if FORMATS[case.name].declares_length:
            # A header in text may lose what lies behind its last number.
            what = f"{end} of {len(whole)} bytes were read"
            if not _is_same(case, file):
                _must_refuse(case, file, None, what)
            continue
        if _error_of(case, file) is not None:
            _must_refuse(case, file, None, "")
            continue
        for w, table in zip(case.written, case.read(file), strict=True):
            rows = max(table.rows - 1, 0)  # the last number may be cut
            for i, column in enumerate(w.columns):
                same = np.allclose(table.columns[column][:rows], w.values[:rows, i], equal_nan=True)
                assert same, f"{column!r}: other values before the cut"


def check_garbage(case: FormatCase) -> None:
    """F9: bytes behind the end are refused, or change nothing."""
    rng = np.random.default_rng(0)
    for size in (1, 7, 100, 5000):
        for tail in (bytes(size), rng.bytes(size)):
            file = case.of(case.file.data + tail)
            if not _is_same(case, file):
                _must_refuse(case, file, None, f"{size} bytes at the end changed the values")


def check_absurd(case: FormatCase) -> None:
    """F10: a header that declares an absurd size is refused before memory is taken for it."""
    for what, data in case.absurd.items():
        tracemalloc.start()
        begin = time.monotonic()
        try:
            _must_refuse(case, case.of(data), None, f"{what} was read")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < LIMIT_BYTES, f"{what} took {peak / 2**20:.0f} MiB"
        assert time.monotonic() - begin < LIMIT_S, f"{what} took too long"


def check_mutated(case: FormatCase) -> None:
    """F11: bytes changed at random give an error of ours or other values, soon."""
    rng = np.random.default_rng(0)
    whole = case.file.data
    begin = time.monotonic()
    for number in range(MUTANTS):
        data = bytearray(whole)
        # The beginning, where headers are, as often as the rest.
        end = len(data) if number % 2 else min(len(data), 1024)
        for at in rng.integers(0, end, 1 + number % 8):
            data[at] = rng.integers(0, 256)
        for work in (case.describe, case.read):
            try:
                work(case.of(bytes(data)))
            except MaestroError:
                continue
            except Exception as error:
                raise AssertionError(f"mutant {number}: {type(error).__name__}: {error}") from error
    assert time.monotonic() - begin < LIMIT_S, "the mutants took too long"


def check_extra(case: FormatCase) -> None:
    """F12: without its package there is one error with the line that installs it."""
    form = FORMATS[case.name]
    if not form.package:
        return
    with patch.dict(sys.modules, {form.package: None}):
        error = _error_of(case, case.file)
    assert isinstance(error, MissingExtraError), f"{error!r} without {form.package}"
    line = f'pip install "maestro-ts[{form.extra}]"'
    assert line in str(error), f"the line {line} is missing: {error}"


def _error_of(
    case: FormatCase, file: SignalFile, requests: Sequence[Request] | None = None
) -> MaestroError | None:
    try:
        case.read(file, requests)
    except MaestroError as error:
        return error
    return None


def _is_same(case: FormatCase, file: SignalFile) -> bool:
    """Whether a file still gives what was written."""
    try:
        for w, table in zip(case.written, case.read(file), strict=True):
            _check_table(w, table)
    except (AssertionError, MaestroError):
        return False
    return True


def _must_refuse(
    case: FormatCase, file: SignalFile, requests: Sequence[Request] | None, what: str
) -> None:
    """Hold reading a file to one `FormatError` of one line that names it."""
    error = _error_of(case, file, requests)
    assert error is not None, what
    assert isinstance(error, FormatError), f"{type(error).__name__}: {error}"
    assert case.path.name in error.where, f"the error does not name the file: {error}"
    assert "\n" not in str(error), f"an error of several lines: {error}"

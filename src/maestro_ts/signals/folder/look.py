"""A look at one file of unknown make: how it is written, and what its columns seem to be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError
from maestro_ts.signals.folder.layout import TimeUnit
from maestro_ts.signals.formats.delimited import is_number, split_line, text_lines
from maestro_ts.signals.formats.empatica import is_e4
from maestro_ts.signals.formats.registry import FORMATS, format_of, reader_of
from maestro_ts.signals.formats.signal_file import (
    Dialect,
    FormatReader,
    Request,
    Series,
    SignalFile,
)
from maestro_ts.signals.formats.table import Column, Kind, Table

__all__ = ["Look", "TimeGuess", "look_at", "look_at_dialect"]

LINES = 200  # of a text that are looked at for its make
SAMPLES = 5000  # from which steps are found
TIME_NAMES = re.compile(
    r"(?i)^(t|time|times|timestamps?|ts|date|datetime|epoch|unix\w*|sec\w*|ms|us)$|time|stamp"
)
LABEL_NAMES = re.compile(r"(?i)^(label|labels|activity|class|target|condition|state|event)$")
UNIT_NAMES = re.compile(
    r"(?i)(?:^|[_\s(\[.])(ms|msec|us|usec|s|sec|seconds?|millis\w*|micros\w*)(?:$|[)\]])"
)
PLACES = ("recording", "subject")
# Largest step of a regular clock in usual steps that still is jitter, and what counts as regular.
REGULAR = 0.2


@dataclass(frozen=True)
class TimeGuess:
    """A column that looks like time.

    Attributes
    ----------
    column : str or int
    unit : str
    rate_hz : float or None
        As the steps tell it; None when they vary too much.
    absolute : bool
        Counts from 1970.
    sure : bool
        The unit stands in the column's name or type.
    """

    column: Column
    unit: TimeUnit
    rate_hz: float | None
    absolute: bool
    sure: bool


@dataclass
class Look:
    """What one file, or one signal of it, seems to be.

    Attributes
    ----------
    path : str
    numbers, texts : list of columns
        Numbers without the time.
    label : column or None
    time : TimeGuess or None
    duration_s : float or None
    form : str or None
        The format, where the ending does not tell it.
    series : Series or None
        What the file says of these columns, in a format that can.
    looks : list of Look
        One for each signal of a file of several; then it has no columns of its own.
    """

    path: str
    numbers: list[Column] = field(default_factory=list)
    texts: list[Column] = field(default_factory=list)
    label: Column | None = None
    time: TimeGuess | None = None
    duration_s: float | None = None
    form: str | None = None
    series: Series | None = None
    looks: list[Look] = field(default_factory=list)

    @property
    def columns(self) -> list[Column]:
        """All of them."""
        if self.looks:
            return [c for look in self.looks for c in look.columns]
        time = [self.time.column] if self.time else []
        return [*time, *self.numbers, *self.texts]


def look_at_dialect(data: bytes) -> Dialect:
    """How a text table is written, by its first lines."""
    lines = [line for line in text_lines(data[: 2**20])[:LINES] if line.strip()]
    skip = 0
    while skip < len(lines) - 1 and lines[skip].startswith(("#", "%")):
        skip += 1
    lines = lines[skip:]
    # The comma last: where another sign divides as well, it is a decimal one.
    best = max(";\t|,", key=lambda d: _steadiness(lines, d))
    if _steadiness(lines, best) <= 1:
        best = ","
    fields = [split_line(line, Dialect(delimiter=best)) for line in lines]
    comma = best != "," and any(re.fullmatch(r"-?\d+,\d+", f) for row in fields[1:] for f in row)
    decimal = "," if comma else "."
    # A number in the first line means that it names nothing.
    header = bool(fields) and not any(is_number(f, decimal) for f in fields[0])
    return Dialect(best, decimal, header, skip)


def look_at(file: SignalFile) -> Look:
    """What the columns of a file seem to be.

    Raises
    ------
    FormatError
        It cannot be read at all.
    """
    name = "e4" if is_e4(file) else format_of(file.where)
    reader = reader_of(file.where, name)
    series = reader.describe(file)
    found = Look(file.where, form=name if name == "e4" else None)
    if FORMATS[name or "csv"].tells_time:
        found.looks = [_look_at_series(file, reader, s) for s in series if s.samples != 0]
        if not found.looks:
            raise FormatError("holds no signals.", where=file.where)
        lengths = [look.duration_s for look in found.looks if look.duration_s]
        found.duration_s = max(lengths, default=None)
        return found
    kinds = series[0].columns
    _sort(found, kinds, reader.read(file, [Request(kinds)])[0], file.dialect.header)
    return found


def _look_at_series(file: SignalFile, reader: FormatReader, series: Series) -> Look:
    """One signal of a file of several; its values are read only to find a column of times."""
    found = Look(file.where, series=series)
    if series.rate_hz is None and not series.timed:
        table = reader.read(file, [Request(series.columns, series.stream)])[0]
        _sort(found, series.columns, table, header=True)
        return found
    found.numbers = list(series.columns)
    if series.rate_hz and series.samples:
        found.duration_s = series.samples / series.rate_hz
    return found


def _sort(found: Look, kinds: Mapping[Column, Kind], table: Table, header: bool) -> None:
    """Tell time, label, numbers and texts of a table apart."""
    for column, kind in kinds.items():
        if kind == "number":
            found.numbers.append(column)
        elif kind == "text":
            found.texts.append(column)
    found.time = _time(table, kinds, header)
    if found.time is not None:
        found.numbers = [c for c in found.numbers if c != found.time.column]
        stamps = table.columns[found.time.column]
        per_s = {"s": 1.0, "ms": 1e3, "us": 1e6, "datetime": 1.0}[found.time.unit]
        found.duration_s = float(stamps[-1] - stamps[0]) / per_s
    named = [c for c in [*found.texts, *found.numbers] if LABEL_NAMES.match(_own(c))]
    if named:
        found.label = named[0]
        found.numbers = [c for c in found.numbers if c != found.label]


def _own(column: Column) -> str:
    """A column's name without the groups that it lies in."""
    return str(column).rpartition("/")[2]


def _steadiness(lines: Sequence[str], delimiter: str) -> float:
    """Fields a line, if most lines agree."""
    counts = [len(split_line(line, Dialect(delimiter=delimiter))) for line in lines]
    if not counts:
        return 0.0
    usual = max(set(counts), key=counts.count)
    return usual * counts.count(usual) / len(counts)


def _time(table: Table, kinds: Mapping[Column, Kind], header: bool) -> TimeGuess | None:
    """A moment, a column called so, or else a first column that rises like a clock."""
    moments = [c for c, kind in kinds.items() if kind == "moment"]
    numbers = [c for c, kind in kinds.items() if kind == "number"]
    named = [c for c in numbers if isinstance(c, str) and TIME_NAMES.search(_own(c))]
    candidates = [*moments, *named] if header else [*moments, *numbers[:1]]
    for column in candidates:
        stamps = table.columns[column][:SAMPLES]
        stamps = stamps[~np.isnan(stamps)]
        if len(stamps) >= 3 and (np.diff(stamps) >= 0).all() and stamps[-1] > stamps[0]:
            called = header and column in named
            if column in moments or called or _is_clock(stamps):
                return _guess(column, stamps, column in moments)
    return None


def _is_clock(stamps: NDArray[np.float64]) -> bool:
    steps = np.diff(stamps)
    return bool(np.median(np.abs(steps - np.median(steps))) <= REGULAR * np.median(steps))


def _guess(column: Column, stamps: NDArray[np.float64], moment: bool) -> TimeGuess:
    steps = np.diff(stamps)
    steps = steps[steps > 0]
    step = float(np.median(steps))
    unit, sure = ("datetime", True) if moment else _unit(str(column), stamps, step)
    per_s = {"s": 1.0, "ms": 1e3, "us": 1e6, "datetime": 1.0}[unit]
    absolute = moment or bool(stamps[0] / per_s > 1e8)
    low, high = np.quantile(steps, [0.25, 0.75])
    rate = _round_rate(per_s / step) if high - low <= REGULAR * step else None
    return TimeGuess(column, unit, rate, absolute, sure)  # type: ignore[arg-type]


def _unit(name: str, stamps: NDArray[np.float64], step: float) -> tuple[str, bool]:
    """Unit by the column's name, by a count from 1970, or else by the size of a step."""
    said = re.search(
        r"(?i)(?:^|[_\s(\[.])(ms|msec|us|usec|s|sec|seconds?|millis\w*|micros\w*)(?:$|[)\]])", name
    )
    if said:
        word = said[1].lower()
        if word.startswith(("us", "micro")):
            return "us", True
        return ("ms", True) if word.startswith(("ms", "milli")) else ("s", True)
    for unit, least in (("us", 1e14), ("ms", 1e11), ("s", 1e8)):
        if stamps[0] > least:
            return unit, False
    if step < 2:
        return "s", False
    return ("ms", False) if step < 5000 else ("us", False)


def _round_rate(rate: float) -> float:
    """The whole number nearby, or four digits."""
    whole = round(rate)
    return float(whole) if whole and abs(rate / whole - 1) < 0.02 else float(f"{rate:.4g}")

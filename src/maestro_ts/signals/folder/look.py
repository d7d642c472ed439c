"""A look at one table of unknown make: how it is written, and what its columns seem to be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError
from maestro_ts.signals.folder.files import PARQUET
from maestro_ts.signals.folder.layout import TimeUnit
from maestro_ts.signals.formats.delimited import (
    MISSING,
    Dialect,
    read_delimited,
    split_line,
    text_lines,
)
from maestro_ts.signals.formats.parquet import parquet_types, read_parquet
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
    """What one table seems to be.

    Attributes
    ----------
    path : str
    numbers, texts : list of columns
        Numbers without the time.
    label : column or None
    time : TimeGuess or None
    duration_s : float or None
    """

    path: str
    numbers: list[Column] = field(default_factory=list)
    texts: list[Column] = field(default_factory=list)
    label: Column | None = None
    time: TimeGuess | None = None
    duration_s: float | None = None

    @property
    def columns(self) -> list[Column]:
        """All of them."""
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
    header = bool(fields) and not any(_number(f, decimal) for f in fields[0])
    return Dialect(best, decimal, header, skip)


def look_at(path: str, data: bytes, dialect: Dialect) -> Look:
    """What the columns of a table seem to be.

    Raises
    ------
    FormatError
        It cannot be read at all.
    """
    found = Look(path)
    kinds = _kinds(path, data, dialect)
    table = _table(path, data, kinds, dialect)
    for column, kind in kinds.items():
        if kind == "number":
            found.numbers.append(column)
        elif kind == "text":
            found.texts.append(column)
    found.time = _time(table, kinds, dialect.header)
    if found.time is not None:
        found.numbers = [c for c in found.numbers if c != found.time.column]
        stamps = table.columns[found.time.column]
        per_s = {"s": 1.0, "ms": 1e3, "us": 1e6, "datetime": 1.0}[found.time.unit]
        found.duration_s = float(stamps[-1] - stamps[0]) / per_s
    named = [c for c in [*found.texts, *found.numbers] if LABEL_NAMES.match(str(c))]
    if named:
        found.label = named[0]
        found.numbers = [c for c in found.numbers if c != found.label]
    return found


def _steadiness(lines: Sequence[str], delimiter: str) -> float:
    """Fields a line, if most lines agree."""
    counts = [len(split_line(line, Dialect(delimiter=delimiter))) for line in lines]
    if not counts:
        return 0.0
    usual = max(set(counts), key=counts.count)
    return usual * counts.count(usual) / len(counts)


def _kinds(path: str, data: bytes, dialect: Dialect) -> dict[Column, Kind]:
    if PurePosixPath(path).suffix.lower() in PARQUET:
        return parquet_types(data, path)
    lines = [line for line in text_lines(data)[dialect.skip_lines :] if line.strip()]
    if not lines:
        raise FormatError("the file is empty.", where=f"{path}:1")
    head = split_line(lines[0], dialect)
    rows = [split_line(line, dialect) for line in lines[dialect.header : LINES]]
    kinds: dict[Column, Kind] = {}
    for i, name in enumerate(head):
        cells = [row[i] for row in rows if i < len(row) and row[i] not in MISSING]
        column: Column = name if dialect.header else i + 1
        if name or not dialect.header:
            kinds[column] = _kind(cells, dialect.decimal)
    return kinds


def _kind(cells: Sequence[str], decimal: str) -> Kind:
    if all(_number(c, decimal) for c in cells):
        return "number"
    if all(re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", c) for c in cells):
        return "moment"
    return "text"


def _number(text: str, decimal: str) -> bool:
    try:
        float(text.replace(decimal, "."))
    except ValueError:
        return False
    return text not in MISSING


def _table(path: str, data: bytes, kinds: dict[Column, Kind], dialect: Dialect) -> Table:
    if PurePosixPath(path).suffix.lower() in PARQUET:
        return read_parquet(data, path, kinds)
    return read_delimited(data, path, kinds, dialect)


def _time(table: Table, kinds: dict[Column, Kind], header: bool) -> TimeGuess | None:
    """A moment, a column called so, or else a first column that rises like a clock."""
    moments = [c for c, kind in kinds.items() if kind == "moment"]
    numbers = [c for c, kind in kinds.items() if kind == "number"]
    named = [c for c in numbers if isinstance(c, str) and TIME_NAMES.search(c)]
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

"""Tables of numbers without a header: fast as long as they are sound, exact about what is not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from maestro_ts.errors import FormatError, shown

__all__ = ["as_number", "read_numbers"]

LARGEST = float(np.finfo(np.float32).max)  # what a stream can hold


def read_numbers(
    data: bytes, where: str, *, columns: int, delimiter: str = ",", first_line: int = 1
) -> NDArray[np.float64]:
    """Parse lines of numbers.

    Parameters
    ----------
    data : bytes
        Complete lines, the last one included.
    where : str
        Names the file in errors.
    columns : int
        Values in every line.
    delimiter : str
    first_line : int
        Number, in the file, of the first line of `data`.

    Returns
    -------
    ndarray, shape (n, columns), float64

    Raises
    ------
    FormatError
        With file and line: a line that is cut short, has another number of values, or holds
        something that is not a finite number.
    """
    if not data:
        raise FormatError("no values.", where=f"{where}:{first_line}")
    if not data.endswith(b"\n"):
        last = first_line + data.count(b"\n")
        raise FormatError("the file is cut short in this line.", where=f"{where}:{last}")
    try:
        numbers = _parse(data, columns, delimiter)
    except pa.ArrowInvalid as error:
        _raise_offence(data, where, columns, delimiter, first_line)
        raise FormatError(f"no table of numbers: {error}.", where=where) from error
    if not (np.abs(numbers) <= LARGEST).all():
        _raise_offence(data, where, columns, delimiter, first_line)
    return numbers


def as_number(text: str, where: str) -> float:
    """Parse one number that is finite as float32."""
    try:
        value = float(text)
    except ValueError:
        raise FormatError(f"{shown(text)} is not a number.", where=where) from None
    if not abs(value) <= LARGEST:
        raise FormatError(f"{shown(text)} is not a finite number of 32 bits.", where=where)
    return value


def _parse(data: bytes, columns: int, delimiter: str) -> NDArray[np.float64]:
    names = [str(c) for c in range(columns)]
    table = pyarrow.csv.read_csv(
        pa.BufferReader(data),
        # One block: a number of columns that changes must not pass at a border between blocks.
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False, column_names=names, block_size=max(len(data), 1) + 1
        ),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=delimiter, quote_char=False, ignore_empty_lines=False
        ),
        # No word stands for a missing value: an empty field is an error, not a NaN.
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.float64()), null_values=[]
        ),
    )
    numbers: NDArray[np.float64] = np.stack([c.to_numpy() for c in table.columns], axis=1)
    return numbers


def _raise_offence(data: bytes, where: str, columns: int, delimiter: str, first_line: int) -> None:
    """Look for the line that the fast parser stumbled over, and name it."""
    lines = data.decode("latin1").split("\n")[:-1]
    for number, line in enumerate(lines, start=first_line):
        fields = line.rstrip("\r").split(delimiter)
        at = f"{where}:{number}"
        if len(fields) != columns:
            raise FormatError(
                f"{len(fields)} columns, {columns} expected: {shown(line)}.", where=at
            )
        for field in fields:
            as_number(field, at)

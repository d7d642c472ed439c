from __future__ import annotations

import numpy as np
import pytest

from maestro_ts.errors import FormatError
from maestro_ts.signals.formats.csv import read_numbers
from maestro_ts.signals.formats.empatica import read_e4_csv

ACC = (
    b"1495437325.000000, 1495437325.000000, 1495437325.000000\n"
    b"32.000000, 32.000000, 32.000000\n29,-6,55\n28,-6,56\n28,-7,56\n"
)
EDA = b"1495437325.500000\n4.000000\n0.000000\n0.328021\n"


def test_three_columns() -> None:
    start, stream = read_e4_csv(ACC, "ACC.csv", columns=3, rate_hz=32)
    assert start == 1495437325.0
    assert stream.rate_hz == 32
    assert stream.values.tolist() == [[29, -6, 55], [28, -6, 56], [28, -7, 56]]
    assert stream.times is None


def test_one_column_and_windows_line_ends() -> None:
    for data in (EDA, EDA.replace(b"\n", b"\r\n")):
        start, stream = read_e4_csv(data, "EDA.csv")
        assert start == 1495437325.5
        assert stream.values.shape == (2, 1)
        assert stream.values[1, 0] == np.float32(0.328021)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", r"x\.csv:1: the file is cut short"),
        (b"1495437325.0\n4.0", r"x\.csv:2: the file is cut short"),
        (b"1495437325.0\n4.0\n", r"x\.csv:3: no values"),
        (EDA[:-4], r"x\.csv:4: the file is cut short"),
        (EDA + b"abc\n", r"x\.csv:5: 'abc' is not a number"),
        (EDA + b"0.1,0.2\n", r"x\.csv:5: 2 columns, 1 expected: '0.1,0.2'"),
        (EDA + b"\n0.3\n", r"x\.csv:5: '' is not a number"),
        (EDA + b"nan\n", r"x\.csv:5: 'nan' is not a finite"),
        (EDA + b"1e300\n", r"x\.csv:5: '1e300' is not a finite"),
        (EDA + b"\xff\x00\n", r"x\.csv:5: .*is not a number"),
        (b"start\n4.0\n1.0\n", r"x\.csv:1: 'start' is not a number"),
        (b"1495437325.0\nfast\n1.0\n", r"x\.csv:2: 'fast' is not a number"),
        (b"1495437325.0\n0.0\n1.0\n", r"x\.csv:2: a rate of 0 Hz"),
        (b"1495437325.0\n4.0,4.0\n1.0\n", r"x\.csv:2: 2 columns, 1 expected"),
        (ACC.replace(b"32.0", b"64.0", 1), r"x\.csv:2: the columns differ in their rate"),
        (ACC.replace(b"28,-6,56", b"28,-6"), r"x\.csv:4: 2 columns, 3 expected: '28,-6'"),
        (ACC.replace(b"28,-6,56", b"28,,56"), r"x\.csv:4: '' is not a number"),
    ],
)
def test_bad_files_are_refused_with_file_and_line(data: bytes, expected: str) -> None:
    with pytest.raises(FormatError, match="^" + expected):
        read_e4_csv(data, "x.csv")


def test_what_the_caller_expects() -> None:
    with pytest.raises(FormatError, match=r"x\.csv:2: the rate is 4 Hz, 64 expected"):
        read_e4_csv(EDA, "x.csv", rate_hz=64)
    with pytest.raises(FormatError, match=r"x\.csv:1: 1 columns, 3 expected"):
        read_e4_csv(EDA, "x.csv", columns=3)


@pytest.mark.parametrize("line", [1, 2, 777, 40_000])
def test_the_line_is_exact_in_a_long_table(line: int) -> None:
    lines = [b"%d;1.5" % i for i in range(40_000)]
    lines[line - 1] = b"7;1.5;2"
    with pytest.raises(FormatError, match=f"^x:{line + 9}: 3 columns, 2 expected"):
        read_numbers(b"\n".join(lines) + b"\n", "x", columns=2, delimiter=";", first_line=10)


def test_numbers_are_exact() -> None:
    text = ["-0.1387496441602707", "8.868721723556519E-4", "16384", "-5.616666793823242"]
    numbers = read_numbers("\n".join(text).encode() + b"\n", "x", columns=1)
    assert numbers[:, 0].tolist() == [float(t) for t in text]

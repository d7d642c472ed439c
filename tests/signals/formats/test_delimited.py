"""Text tables: values, what is missing, and the slow parser that must agree with the fast one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.errors import FormatError
from maestro_ts.signals.formats.delimited import MISSING, Dialect, read_delimited


def numbers(data: bytes, *columns: str | int, **dialect: object) -> np.ndarray:
    table = read_delimited(data, "f.csv", dict.fromkeys(columns, "number"), Dialect(**dialect))  # type: ignore[arg-type]
    return np.stack([table.columns[c] for c in columns], axis=1)


def test_columns_by_name_in_the_order_asked_for() -> None:
    assert numbers(b'a,b,"c d"\n1,2,3\n4,5,6\n', "c d", "a").tolist() == [[3, 1], [6, 4]]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending(ending: str) -> None:
    data = ending.join(["a,b", "1,2", "3,4", ""]).encode()
    assert numbers(data, "a", "b").tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("word", MISSING)
@pytest.mark.parametrize("blank", ["", " "])
def test_missing_words(word: str, blank: str) -> None:
    values = numbers(f"a,b\n1,{blank}{word}{blank}\n".encode(), "a", "b")
    np.testing.assert_array_equal(values, [[1, np.nan]])


@given(st.lists(st.floats(width=32, allow_infinity=False), min_size=1, max_size=9))
def test_blanks_around_fields_change_nothing(values: list[float]) -> None:
    """A blank field sends the table through the slow parser."""
    tight = "a,b\n" + "".join(f"{v!r},1\n" for v in values)
    loose = "a,b\n" + "".join(f"  {v!r} , 1\n" for v in values) + " , 1\n"
    np.testing.assert_array_equal(numbers(tight.encode(), "a"), numbers(loose.encode(), "a")[:-1])


def test_the_place_of_a_row_counts_all_lines() -> None:
    table = read_delimited(b"#\n#\na\n1\n2\n", "f.csv", {"a": "number"}, Dialect(skip_lines=2))
    assert [table.at(i) for i in range(table.rows)] == ["f.csv:4", "f.csv:5"]


def test_a_header_alone_is_a_table_without_rows() -> None:
    table = read_delimited(b"a,b\n", "f.csv", {"a": "number", "b": "text"})
    assert table.rows == 0
    assert all(len(c) == 0 for c in table.columns.values())


def test_texts_keep_their_letters_and_lose_their_blanks() -> None:
    table = read_delimited("l\nä b \n\nNA\n".encode(), "f.csv", {"l": "text"})
    assert table.columns["l"].tolist() == ["ä b", "", "NA"]


@pytest.mark.parametrize(
    ("texts", "where", "what"),
    [
        (["2024-01-01T00:00:00", "soon"], "f.csv:3", "'soon' in column 't' is no date and time"),
        (
            ["2024-01-01T00:00:00", "2024-01-01T00:00:00Z"],
            "f.csv:3",
            "with and without a time zone",
        ),
    ],
)
def test_moments_that_are_none(texts: list[str], where: str, what: str) -> None:
    data = "".join(f"{t}\n" for t in ["t", *texts]).encode()
    with pytest.raises(FormatError) as caught:
        read_delimited(data, "f.csv", {"t": "moment"})
    assert caught.value.where == where
    assert what in caught.value.what


def test_moments_of_several_zones_are_one_time() -> None:
    data = b"t\n2024-01-01T02:00:00.5+02:00\n\n1970-01-01T00:00:01Z\n"
    table = read_delimited(data, "f.csv", {"t": "moment"})
    np.testing.assert_array_equal(table.columns["t"], [1704067200.5, np.nan, 1])

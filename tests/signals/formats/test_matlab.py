from __future__ import annotations

import contextlib
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import scipy.io

from maestro_ts.errors import FormatError
from maestro_ts.signals.formats.matlab import read_mat_array

ARRAY = np.arange(24.0).reshape(2, 3, 4) / 7


def saved(do_compression: bool = True, **content: Any) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, content, do_compression=do_compression)
    return file.getvalue()


def plain(at: int, value: int, array: Any = ARRAY) -> bytes:
    """A file that is not compressed, with the number at one byte replaced."""
    data = bytearray(saved(False, d=array))
    struct.pack_into("<I", data, at, value)
    return bytes(data)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("kind", ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
@pytest.mark.parametrize("shape", [(2, 3, 4), (24, 1), (1, 24), (4, 6)])
def test_it_agrees_with_scipy(packed: bool, kind: str, shape: tuple[int, ...]) -> None:
    data = saved(packed, other=np.ones((1, 1)), d=np.arange(24).astype(kind).reshape(shape))
    expected = scipy.io.loadmat(io.BytesIO(data))["d"]
    found = read_mat_array(data, "x.mat", "d")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, expected)


def test_one_byte_and_nothing_fit_too() -> None:
    data = saved(True, a=np.array([[7]], dtype="u1"), b=np.zeros((0, 3)))
    assert read_mat_array(data, "x.mat", "a").tolist() == [[7.0]]
    assert read_mat_array(data, "x.mat", "b").shape == (0, 3)


def test_big_endian_files_are_read() -> None:
    body = struct.pack(">IIII", 6, 8, 6, 0) + struct.pack(">IIii", 5, 8, 1, 2)
    body += struct.pack(">I4s", 1 << 16 | 1, b"d") + struct.pack(">IIdd", 9, 16, 1.5, -2.0)
    data = b" " * 124 + b"\x01\x00MI" + struct.pack(">II", 14, len(body)) + body
    assert scipy.io.loadmat(io.BytesIO(data))["d"].tolist() == [[1.5, -2.0]]
    assert read_mat_array(data, "x.mat", "d").tolist() == [[1.5, -2.0]]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"s": {"a": 1}}, "a struct"),
        ({"c": np.array([[1], "a"], dtype=object)}, "a cell array"),
        ({"t": "text"}, "text"),
        ({"z": np.array([[1 + 2j]])}, "complex numbers"),
        ({"b": np.array([[True]])}, "truth values"),
        ({"p": scipy.sparse.csc_matrix(np.eye(3))}, "a sparse matrix"),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_anything_but_numbers_is_refused_even_beside_numbers(
    content: dict[str, Any], what: str, packed: bool
) -> None:
    with pytest.raises(FormatError, match=rf"x\.mat, variable at byte \d+: holds {what}"):
        read_mat_array(saved(packed, d=ARRAY, **content), "x.mat", "d")


@pytest.mark.parametrize(
    ("kind", "what"),
    [(3, "an object"), (16, "a function"), (17, "an object"), (99, "an array of class 99")],
)
def test_objects_and_functions_are_refused_unread(kind: int, what: str) -> None:
    with pytest.raises(FormatError, match=f"holds {what}"):
        read_mat_array(plain(128 + 16, kind), "x.mat", "d")


def test_a_variable_that_is_not_there() -> None:
    with pytest.raises(FormatError, match=r"x\.mat: there is no variable 'e'; it holds 'd', 'f'"):
        read_mat_array(saved(d=ARRAY, f=ARRAY), "x.mat", "e")


def test_the_size_is_limited_before_anything_is_unpacked_or_made() -> None:
    bomb = saved(d=np.zeros((1000, 1000)))
    assert len(bomb) < 20_000
    with pytest.raises(FormatError, match="more than 1000000 bytes"):
        read_mat_array(bomb, "x.mat", "d", max_bytes=1_000_000)
    with pytest.raises(FormatError, match="more than 1000 bytes"):
        read_mat_array(saved(False, d=np.zeros(1000)), "x.mat", "d", max_bytes=1000)
    two = saved(a=np.zeros(1000), d=np.zeros(1000))
    assert read_mat_array(two, "x.mat", "d", max_bytes=16_200).shape == (1, 1000)
    with pytest.raises(FormatError, match="more than"):
        read_mat_array(two, "x.mat", "d", max_bytes=16_000)


@pytest.mark.parametrize("packed", [True, False])
def test_a_file_cut_anywhere_is_refused(packed: bool) -> None:
    data = saved(packed, d=ARRAY)
    for end in range(len(data)):
        with pytest.raises(FormatError):
            read_mat_array(data[:end], "x.mat", "d")


# The tag of the values of a variable named by one letter, with three dimensions.
VALUES = 128 + 8 + 16 + 24 + 8


@pytest.mark.parametrize("kind", [0, 8, 10, 11, 14, 19, 20, 21, 100, 5000])
def test_type_codes_that_crash_other_readers(kind: int) -> None:
    assert struct.unpack_from("<II", saved(False, d=ARRAY), VALUES) == (9, 192)
    with pytest.raises(FormatError, match=f"values of type {kind}"):
        read_mat_array(plain(VALUES, kind), "x.mat", "d")


@pytest.mark.parametrize("at", [132, 156, 160, 164, 168, VALUES + 4])
@pytest.mark.parametrize("value", [2**31 - 1, 2**32 - 1, 3])
def test_sizes_that_the_bytes_do_not_bear_out(at: int, value: int) -> None:
    with pytest.raises(FormatError):
        read_mat_array(plain(at, value, np.arange(24.0).reshape(2, 2, 6)), "x.mat", "d")


def test_noise_never_raises_anything_else() -> None:
    rng = np.random.default_rng(0)
    for packed in (True, False):
        sound = saved(packed, d=ARRAY)
        for _ in range(400):
            data = bytearray(sound)
            for at in rng.integers(124, len(data), 3):
                data[at] = rng.integers(256)
            with contextlib.suppress(FormatError):
                read_mat_array(bytes(data), "x.mat", "d")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a MATLAB 5 file"),
        (b"subject,acc\n" * 40, "not a MATLAB 5 file"),
        (b" " * 124 + b"\x00\x02IM" + b"\x00" * 40, r"7\.3"),
        (b" " * 124 + b"\x00\x01IM", "holds nothing"),
        (b" " * 124 + b"\x00\x01IM" + struct.pack("<II", 9, 8) + b"\0" * 8, "of type 9"),
    ],
)
def test_other_files(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_mat_array(data, "x.mat", "d")


def test_a_packed_variable_that_is_damaged() -> None:
    data = saved(d=ARRAY)
    with pytest.raises(FormatError, match="variable at byte 128: the variable is damaged"):
        read_mat_array(data[:140] + b"\xff" * 8 + data[148:], "x.mat", "d")
    inner = zlib.compress(struct.pack("<II", 14, 1000) + b"\0" * 16)
    short = data[:128] + struct.pack("<II", 15, len(inner)) + inner
    with pytest.raises(FormatError, match="cut short"):
        read_mat_array(short, "x.mat", "d")

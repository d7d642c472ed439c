from __future__ import annotations

import contextlib
import io
import os
import pickle
import pickletools
import struct
from pathlib import Path

import numpy as np
import pytest

from maestro_ts.errors import DataError, FormatError
from maestro_ts.signals.formats.safe_pickle import (
    check_opcodes,
    load_npy_pickle,
    load_pickle,
)

PLAIN = {
    "X": [np.arange(6.0).reshape(3, 2), np.arange(4, dtype=">i2"), np.array([True, False])],
    "names": np.array(["ab", "c"]),
    "ragged": np.array([np.zeros(2), [1, "x"], None], dtype=object),
    "one": np.float32(2.5),
    "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "text": "café",
    "raw": b"\x00\xff",
}


class Calls:
    """Pickles to a call of `function`."""

    def __init__(self, function: object, *args: object) -> None:
        self.call = (function, args)

    def __reduce__(self) -> object:
        return self.call


def same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray) and a.dtype != object:
        return type(b) is np.ndarray and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(v, b[k]) for k, v in a.items())
    if isinstance(a, (list, np.ndarray)):
        return type(a) is type(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("protocol", [0, 2, 3, 4])
def test_arrays_and_plain_values_come_back(protocol: int) -> None:
    data = pickle.dumps(PLAIN, protocol)
    assert same(pickle.loads(data), load_pickle(data, "x.pkl"))


@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_both_names_of_numpys_module_are_read(module: bytes) -> None:
    data = pickle.dumps(np.arange(3), 2)
    data = data.replace(b"numpy._core.multiarray", module).replace(b"numpy.core.multiarray", module)
    assert load_pickle(data, "x.pkl").tolist() == [0, 1, 2]


def test_a_python_2_pickle_is_read() -> None:
    # Python 2 wrote the bytes of an array as text (opcode U).
    raw = np.array([1.5, 200.25]).tobytes()
    data = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02\x85cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tb\x89U\x10" + raw + b"tb."
    )
    assert load_pickle(data, "x.pkl").tolist() == [1.5, 200.25]


# What cPickle of Python 2.7.18 wrote of this, with numpy 1.16.6, in protocol 0 (its default).
PYTHON_2 = {
    "signal": {"chest": {"ACC": np.array([[1.5, -2.25], [3e5, 1e-3]])}},
    "subject": "S2",
    "label": np.array([0, 1, 200], dtype=np.int32),
}
PYTHON_2_PROTOCOL_0 = (
    b"(dp1\nS'signal'\np2\n(dp3\nS'chest'\np4\n(dp5\nS'ACC'\np6\ncnumpy.core.multiarray\n"
    b"_reconstruct\np7\n(cnumpy\nndarray\np8\n(I0\ntS'b'\ntRp9\n(I1\n(I2\nI2\ntcnumpy\ndtype\n"
    b"p10\n(S'f8'\nI0\nI1\ntRp11\n(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x00\\x00\\x00\\x00"
    rb"\x00\x00\xf8?\x00\x00\x00\x00\x00\x00\x02\xc0\x00\x00\x00\x00\x80O\x12A\xfc\xa9\xf1\xd2MbP?"
    b"'\ntbsssS'subject'\np12\nS'S2'\np13\nsS'label'\np14\ng7\n(g8\n(I0\ntS'b'\ntRp15\n(I1\n(I3\n"
    b"tg10\n(S'i4'\nI0\nI1\ntRp16\n(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x00\\x00\\x00\\x00"
    rb"\x01\x00\x00\x00\xc8\x00\x00\x00"
    b"'\ntbs."
)


def test_a_python_2_pickle_of_protocol_0_is_read() -> None:
    assert same(PYTHON_2, load_pickle(PYTHON_2_PROTOCOL_0, "x.pkl"))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_python_2_pickle_that_is_cut_short_is_refused(share: float) -> None:
    data = PYTHON_2_PROTOCOL_0
    with pytest.raises(FormatError, match=r"x\.pkl: the pickle is cut short in byte \d+"):
        load_pickle(data[: int(share * len(data))], "x.pkl")


@pytest.mark.parametrize("number", [b"999999999", b"-1", b"1e9", b"99999\x00", b"9" * 5000])
def test_a_memo_number_in_text_is_refused_too(number: bytes) -> None:
    with pytest.raises(FormatError, match="memo number"):
        load_pickle(b"Np" + number + b"\n.", "x.pkl")


def test_a_length_beyond_the_end_is_refused_before_anything_is_made() -> None:
    for code in (b"B\xff\xff\xff\x7f", b"\x8e" + b"\xff" * 7 + b"\x0f", b"T\xff\xff\xff\xff"):
        with pytest.raises(FormatError, match="cut short in byte 2"):
            load_pickle(b"\x80\x04" + code + b"ab.", "x.pkl")


def test_the_walk_over_a_pickle_agrees_with_pickletools() -> None:
    for protocol in range(6):
        data = pickle.dumps(
            [PLAIN, 2**200, -1.5, "x" * 300, b"y" * 300, {1, 2}, (1, 2, 3)], protocol
        )
        last = max(at for _, _, at in pickletools.genops(data))
        check_opcodes(data, "x.pkl")
        check_opcodes(data + b"rubbish", "x.pkl")
        with pytest.raises(FormatError, match=f"cut short in byte {last}"):
            check_opcodes(data[:last], "x.pkl")


def test_hostile_pickle_is_refused_by_the_name_it_asks_for(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    data = pickle.dumps({"X": [Calls(os.system, f"touch {proof}")]})
    with pytest.raises(FormatError, match=r"evil\.pkl: .*asks to load '(posix|nt)\.system'"):
        load_pickle(data, "evil.pkl")
    assert not proof.exists()


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (eval, r"builtins\.eval"),
        (getattr, r"builtins\.getattr"),
        (io.open, r"(_io|io)\.open"),
        (np.load, r"numpy\.load"),
        (np.frombuffer, r"numpy\S*frombuffer"),
    ],
)
def test_other_names_are_refused(function: object, name: str) -> None:
    with pytest.raises(FormatError, match=f"asks to load '{name}'"):
        load_pickle(pickle.dumps(Calls(function, "1")), "x.pkl")


def test_a_dotted_name_does_not_reach_through_an_admitted_module() -> None:
    data = b"\x80\x04\x8c\x05numpy\x8c\x0bndarray.sum\x93."
    with pytest.raises(FormatError, match=r"numpy\.ndarray\.sum"):
        load_pickle(data, "x.pkl")


def test_forged_object_pointers_are_refused() -> None:
    # numpy's own dtype would take the flags of the file and make pointers of the bytes 'AAAAAAAA':
    # the first access to such an array kills the interpreter.
    data = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x01\x85cnumpy\ndtype\nU\x02O8\x89\x88\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tb\x89U\x08AAAAAAAAtb."
    )
    with pytest.raises(FormatError, match="does not fit its shape"):
        load_pickle(data, "x.pkl")


@pytest.mark.parametrize("shape", [(10**9,), (-1,), (2, 3)])
def test_a_shape_that_does_not_fit_is_refused(shape: tuple[int, ...]) -> None:
    reconstruct, arguments, state = np.arange(2.0).__reduce__()
    forged = Calls(reconstruct, *arguments)
    forged.call = (reconstruct, arguments, (state[0], shape, *state[2:]))
    with pytest.raises(FormatError, match="does not fit its shape"):
        load_pickle(pickle.dumps(forged, 2), "x.pkl")


def test_a_huge_memo_is_refused_before_it_is_made() -> None:
    with pytest.raises(FormatError, match="memo number 268435455"):
        load_pickle(b"\x80\x02Nr\xff\xff\xff\x0f.", "x.pkl")


def test_shared_parts_stay_shared() -> None:
    value: list[object] = [np.arange(2)]
    for _ in range(60):  # 2**60 leaves if every reference were copied
        value = [value, value]
    loaded = load_pickle(pickle.dumps(value, 2), "x.pkl")
    assert loaded[0] is loaded[1]


def test_other_codecs_are_refused() -> None:
    import _codecs

    with pytest.raises(FormatError, match="codec 'zlib_codec'"):
        load_pickle(pickle.dumps(Calls(_codecs.encode, "x", "zlib_codec"), 2), "x.pkl")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_pickle_that_is_cut_short_is_refused(share: float) -> None:
    data = pickle.dumps(PLAIN, 2)
    with pytest.raises(FormatError, match=r"x\.pkl: .*cut short"):
        load_pickle(data[: int(share * len(data))], "x.pkl")


def test_every_flipped_byte_gives_a_value_or_a_format_error() -> None:
    data = pickle.dumps({"a": np.arange(3.0), "b": [np.int64(3)]}, 2)
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 0x15
        with contextlib.suppress(FormatError):
            load_pickle(bytes(broken), "x.pkl")


def test_size_is_capped_before_reading() -> None:
    data = pickle.dumps(np.zeros(1000))
    with pytest.raises(FormatError, match="larger than 100 bytes"):
        load_pickle(data, "x.pkl", max_bytes=100)
    with pytest.raises(FormatError, match="larger than 100 bytes"):
        load_pickle(io.BytesIO(data), "x.pkl", max_bytes=100)
    assert load_pickle(io.BytesIO(data), "x.pkl", max_bytes=len(data)).shape == (1000,)


def test_npy_with_one_pickled_object(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array({"x": np.arange(3)}, dtype=object))
    assert load_npy_pickle(tmp_path / "a.npy")["x"].tolist() == [0, 1, 2]


def test_npy_that_is_something_else(tmp_path: Path) -> None:
    np.save(tmp_path / "plain.npy", np.arange(3.0))
    with pytest.raises(FormatError, match=r"plain\.npy: holds plain float64 values"):
        load_npy_pickle(tmp_path / "plain.npy")
    (tmp_path / "text.npy").write_text("hello, this is no array")
    with pytest.raises(FormatError, match=r"text\.npy: not a \.npy file"):
        load_npy_pickle(tmp_path / "text.npy")
    (tmp_path / "new.npy").write_bytes(b"\x93NUMPY\x03\x00" + struct.pack("<I", 2) + b"{}")
    with pytest.raises(FormatError, match="version"):
        load_npy_pickle(tmp_path / "new.npy")
    with pytest.raises(DataError, match="no such file"):
        load_npy_pickle(tmp_path / "none.npy")


def test_npy_that_is_cut_short(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array({"x": np.arange(3)}, dtype=object))
    data = (tmp_path / "a.npy").read_bytes()
    for n in (5, 60, len(data) - 5):
        (tmp_path / "cut.npy").write_bytes(data[:n])
        with pytest.raises(FormatError, match=r"cut\.npy"):
            load_npy_pickle(tmp_path / "cut.npy")

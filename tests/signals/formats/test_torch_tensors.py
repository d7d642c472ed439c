from __future__ import annotations

import contextlib
import io
import os
import pickle
import subprocess
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from maestro_ts.errors import FormatError
from maestro_ts.signals.formats.torch_tensors import load_tensors


def saved(content: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def rewritten(data: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """The archive with members changed, or left out where `change` gives None."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return buffer.getvalue()


def with_pickle(program: bytes, data: bytes | None = None) -> bytes:
    """A file whose pickle is another; its one storage holds three float32."""
    return rewritten(
        data or saved(torch.zeros(3)),
        lambda name, content: program if name.endswith("data.pkl") else content,
    )


def edited(old: bytes, new: bytes, content: object = None) -> bytes:
    """A saved file in whose pickle `old` is replaced."""
    data = saved(torch.zeros(3) if content is None else content)
    program = zipfile.ZipFile(io.BytesIO(data)).read("archive/data.pkl")
    assert old in program
    return with_pickle(program.replace(old, new), data)


@pytest.mark.parametrize(
    "dtype",
    ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"],
)
def test_every_plain_type_comes_back(dtype: str) -> None:
    tensor = torch.tensor([[0, 1, 2], [3, 100, 5]]).to(getattr(torch, dtype))
    found = load_tensors(saved(tensor), "x.pt")
    assert type(found) is np.ndarray
    assert found.dtype == dtype
    assert found.dtype.isnative
    assert np.array_equal(found, tensor.numpy())


def test_bfloat16_becomes_float32_exactly() -> None:
    tensor = torch.tensor([1.5, -3.140625, 1e30, float("nan"), float("inf"), 0.0]).bfloat16()
    found = load_tensors(saved(tensor), "x.pt")
    assert found.dtype == np.float32
    assert np.array_equal(found, tensor.float().numpy(), equal_nan=True)


def test_views_strides_offsets_and_shared_storages() -> None:
    base = torch.arange(24.0).reshape(4, 6)
    content = {
        "all": base,
        "transposed": base.T,
        "part": base[1:3, 2:5],
        "steps": base[::2, ::3],
        "repeated": torch.tensor([1.0, 2.0]).expand(3, 2),
        "scalar": torch.tensor(7),
        "empty": torch.zeros(0, 3),
    }
    found = load_tensors(saved(content), "x.pt")
    for name, tensor in content.items():
        assert found[name].shape == tuple(tensor.shape), name
        assert np.array_equal(found[name], tensor.numpy()), name
    found["all"][:] = -1  # each is a copy of its own
    assert found["part"].tolist() == [[8, 9, 10], [14, 15, 16]]


def test_plain_values_around_tensors() -> None:
    content = OrderedDict(
        label=3,
        name="S2",
        pair=(torch.ones(1), [None, True, 0.5]),
        grad=torch.ones(2).requires_grad_(),
    )
    found = load_tensors(saved(content), "x.pt")
    assert list(found) == ["label", "name", "pair", "grad"]
    assert found["pair"][0].tolist() == [1.0]
    assert found["pair"][1] == [None, True, 0.5]
    assert found["grad"].tolist() == [1.0, 1.0]


def test_a_file_of_a_machine_with_the_other_byte_order() -> None:
    def swap(name: str, content: bytes) -> bytes:
        if name.endswith("byteorder"):
            return b"big"
        if "/data/" in name:
            return np.frombuffer(content, "<f4").astype(">f4").tobytes()
        return content

    found = load_tensors(rewritten(saved(torch.tensor([1.5, 2.5])), swap), "x.pt")
    assert found.tolist() == [1.5, 2.5]
    assert found.dtype.isnative
    odd = rewritten(saved(torch.ones(1)), lambda n, c: b"pdp" if n.endswith("byteorder") else c)
    with pytest.raises(FormatError, match=r"x\.pt: unknown byte order b'pdp'"):
        load_tensors(odd, "x.pt")


def test_torch_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(saved({"x": torch.arange(3)}))
    code = (
        "import sys; from pathlib import Path; "
        "from maestro_ts.signals.formats.torch_tensors import load_tensors; "
        "found = load_tensors(Path(sys.argv[1]).read_bytes(), 'x'); "
        "assert found['x'].tolist() == [0, 1, 2]; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "x.pt")], check=True)


# --- what is refused -----------------------------------------------------------------------------


class Calls:
    """Pickles to a call of `function`."""

    def __init__(self, function: object, *args: object) -> None:
        self.call = (function, args)

    def __reduce__(self) -> object:
        return self.call


def test_hostile_pickles_are_refused_by_the_name_they_ask_for(tmp_path: Path) -> None:
    proof = tmp_path / "proof"
    data = saved({"x": torch.ones(1), "y": Calls(os.system, f"touch {proof}")})
    with pytest.raises(FormatError, match=r"evil\.pt: .*asks to load '(posix|nt)\.system'"):
        load_tensors(data, "evil.pt")
    assert not proof.exists()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (Calls(eval, "1"), r"__builtin__\.eval"),
        (Calls(getattr, "a", "b"), r"__builtin__\.getattr"),
        (Calls(torch.load, "x"), r"torch\.serialization\.load"),
        (torch.nn.Linear(2, 2), r"torch\.nn\.modules\.linear\.Linear"),
        (torch.nn.Parameter(torch.ones(2)), r"torch\._utils\._rebuild_parameter"),
        (np.arange(3), r"numpy\.\S+"),
        (torch.zeros(2, dtype=torch.complex64), r"torch\.ComplexFloatStorage"),
        (torch.zeros(2, dtype=torch.uint16), r"torch\._utils\._rebuild_tensor_v3"),
        (torch.eye(2).to_sparse(), r"torch\._utils\._rebuild_sparse_tensor"),
    ],
)
def test_other_content_is_refused_by_name(content: object, name: str) -> None:
    with pytest.raises(FormatError, match=f"asks to load '{name}'; only plain tensors are read"):
        load_tensors(saved({"x": content}), "x.pt")


def test_a_dotted_name_does_not_reach_through_an_admitted_module() -> None:
    program = b"\x80\x04\x8c\x0bcollections\x8c\x14OrderedDict.__init__\x93."
    with pytest.raises(FormatError, match=r"collections\.OrderedDict\.__init__"):
        load_tensors(with_pickle(program), "x.pt")


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [
        (0, (4,), (1,)),
        (1, (3,), (1,)),
        (0, (2, 2), (2, 1)),
        (0, (2,), (10**15,)),
        (-1, (1,), (1,)),
        (2, (2,), (-1,)),
        (0, (-1,), (1,)),
        (0, (2,), ()),
        (0, (1.0,), (1,)),
    ],
)
def test_a_tensor_stays_within_its_storage(offset: object, shape: object, strides: object) -> None:
    class Storage:
        pass

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: object) -> object:
            kind = torch.FloatStorage
            return ("storage", kind, "0", "cpu", 3) if isinstance(obj, Storage) else None

    buffer = io.BytesIO()
    rebuild = torch._utils._rebuild_tensor_v2
    Pickler(buffer, 2).dump(Calls(rebuild, Storage(), offset, shape, strides, False, OrderedDict()))
    with pytest.raises(FormatError, match="does not fit its storage of 3 values"):
        load_tensors(with_pickle(buffer.getvalue()), "x.pt")


STORAGE = (
    b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x03tQ"
)


@pytest.mark.parametrize("what", [STORAGE, b"ctorch\nFloatStorage\n"])
def test_a_file_cannot_change_what_a_storage_holds(what: bytes) -> None:
    # Python's pickle sets attributes from the second dict of such a state.
    for field in (b"values", b"name"):
        state = b"(N}X" + len(field).to_bytes(4, "little") + field + b"K\x00st"
        with pytest.raises(FormatError, match="corrupt pickle"):
            load_tensors(with_pickle(b"\x80\x02" + what + state + b"b."), "x.pt")


def test_repeated_values_cannot_fill_the_memory() -> None:
    data = saved(torch.zeros(1).expand(10**12))
    with pytest.raises(FormatError, match="larger than the file may be"):
        load_tensors(data, "x.pt")
    many = [torch.zeros(1000).expand(10, 1000) for _ in range(10)]
    with pytest.raises(FormatError, match="larger than the file may be"):
        load_tensors(saved(many), "x.pt", max_bytes=200_000)


def test_size_is_capped() -> None:
    with pytest.raises(FormatError, match="larger than 100 bytes"):
        load_tensors(saved(torch.zeros(100)), "x.pt", max_bytes=100)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(10**6))
    with pytest.raises(FormatError, match="1000000 bytes large; at most 50000 are read"):
        load_tensors(buffer.getvalue(), "x.pt", max_bytes=50_000)


def test_a_huge_memo_is_refused_before_it_is_made() -> None:
    with pytest.raises(FormatError, match="memo number 268435455"):
        load_tensors(with_pickle(b"\x80\x02Nr\xff\xff\xff\x0f."), "x.pt")


def test_a_storage_that_is_missing_short_or_of_another_kind() -> None:
    data = saved(torch.zeros(3))
    lacking = rewritten(data, lambda n, c: None if n.endswith("/data/0") else c)
    with pytest.raises(FormatError, match=r"x\.pt: the member 'archive/data/0' is missing"):
        load_tensors(lacking, "x.pt")
    short = rewritten(data, lambda n, c: c[:-1] if n.endswith("/data/0") else c)
    with pytest.raises(FormatError, match=r"archive/data/0: 11 bytes, 3 values of 4 bytes"):
        load_tensors(short, "x.pt")
    with pytest.raises(FormatError, match="refers to 'stOrage' outside the file"):
        load_tensors(edited(b"storage", b"stOrage"), "x.pt")


def test_a_negated_view_is_refused() -> None:
    view = torch.tensor([1 + 2j, 3 - 1j]).conj().imag
    assert view.is_neg()
    with pytest.raises(FormatError, match=r"x\.pt: .*asks to load|stored negated"):
        load_tensors(saved(view), "x.pt")
    plain = torch._neg_view(torch.ones(2))
    with pytest.raises(FormatError, match="stored negated"):
        load_tensors(saved(plain), "x.pt")


def test_other_files() -> None:
    buffer = io.BytesIO()
    torch.save(torch.ones(2), buffer, _use_new_zipfile_serialization=False)
    for data in (b"", b"hello", buffer.getvalue()):
        with pytest.raises(FormatError, match=r"x\.pt: not a file of torch\.save, which is a zip"):
            load_tensors(data, "x.pt")
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", b"x")
    with pytest.raises(FormatError, match=r"0 data\.pkl in it"):
        load_tensors(other.getvalue(), "x.pt")


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.99])
def test_a_file_that_is_cut_short(share: float) -> None:
    data = saved({"x": torch.arange(300.0), "label": torch.tensor(1)})
    with pytest.raises(FormatError, match=r"x\.pt: the archive is cut short"):
        load_tensors(data[: int(share * len(data))], "x.pt")


def test_every_flipped_byte_of_the_pickle_gives_a_value_or_a_format_error() -> None:
    data = saved({"x": torch.arange(3.0), "label": torch.tensor(1)})
    program = zipfile.ZipFile(io.BytesIO(data)).read("archive/data.pkl")
    for at in range(len(program)):
        broken = bytearray(program)
        broken[at] ^= 0x15
        with contextlib.suppress(FormatError):
            load_tensors(with_pickle(bytes(broken), data), "x.pt")


def test_every_flipped_byte_of_the_file_gives_a_value_or_a_format_error() -> None:
    data = saved(torch.arange(3.0))
    for at in range(0, len(data), 3):
        broken = bytearray(data)
        broken[at] ^= 0x15
        with contextlib.suppress(FormatError):
            load_tensors(bytes(broken), "x.pt")

"""Every registered file format passes every check on a small file that others wrote."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from format_files import (
    START_UNIX,
    avro_bytes,
    avro_number,
    chunk,
    edf_bytes,
    embrace_bytes,
    embrace_schema,
    hdf5_bytes,
    wfdb_files,
    xdf_bytes,
    xdf_header,
    xdf_samples,
)

from maestro_ts.errors import ConfigError, FormatError
from maestro_ts.signals.formats import edf
from maestro_ts.signals.formats.registry import FORMATS
from maestro_ts.signals.formats.signal_file import Request
from maestro_ts.testing import FORMAT_CHECKS, Written, check_format

RNG = np.random.default_rng(0)
FAST = RNG.uniform(-90, 90, (300, 2)).round(3)
SLOW = RNG.uniform(-90, 90, (12, 1)).round(3)
GAPPY = FAST.copy()
GAPPY[5:9] = np.nan
FAST_S = 10 + np.arange(300) / 100
SLOW_S = np.array([10.0, 10.1, 10.4, 11, 11.5, 12, 12.1, 12.2, 12.3, 12.4, 12.9, 13])


@dataclass
class Case:
    path: Path
    written: list[Written]
    absurd: dict[str, bytes] = field(default_factory=dict)


def _csv(root: Path) -> Case:
    rows = [",".join("" if np.isnan(v) else repr(float(v)) for v in row) for row in GAPPY]
    (root / "a.csv").write_text("\n".join(["x,y", *rows, ""]))
    return Case(root / "a.csv", [Written(("x", "y"), GAPPY)])


def _parquet(root: Path) -> Case:
    table = pa.table({"x": pa.array(GAPPY[:, 0]), "y": pa.array(GAPPY[:, 1])})
    pq.write_table(table, root / "a.parquet")
    return Case(root / "a.parquet", [Written(("x", "y"), GAPPY)])


def _edf(root: Path) -> Case:
    signals = {"EEG 1": (FAST[:, 0], 100), "EEG 2": (FAST[:, 1], 100), "Temp": (SLOW[:, 0], 4)}
    data = edf_bytes(signals, annotations=[(0.5, 1.0, "rest")])
    (root / "a.edf").write_bytes(data)
    step = 200 / 2**16
    return Case(
        root / "a.edf",
        [
            Written(("EEG 1", "EEG 2"), FAST, 100.0, unit="uV", quantum=step),
            Written(("Temp",), SLOW, 4.0, unit="uV", quantum=step),
        ],
        {
            "a number of records": data[:236] + b"99999999" + data[244:],
            "a number of signals": data[:252] + b"9999" + data[256:],
            "samples in a record": data.replace(
                b"100     100     4       ", b"99999999100     4       "
            ),
        },
    )


def _xdf(root: Path) -> Case:
    gappy = GAPPY.astype(np.float32)
    slow = SLOW.astype(np.float64)
    head = xdf_header(1, "EEG", 2, 100, labels=["a", "b"])
    data = xdf_bytes(
        head,
        xdf_header(7, "gsr", 1, 0, "double64"),
        xdf_samples(1, gappy[:100], FAST_S[:100].tolist()),
        xdf_samples(7, slow, SLOW_S.tolist()),
        xdf_samples(1, gappy[100:], [FAST_S[100], *[None] * 199]),
    )
    (root / "a.xdf").write_bytes(data)
    many = struct.pack("<I", 1) + b"\x08" + struct.pack("<Q", 2**60)
    return Case(
        root / "a.xdf",
        [
            Written(("a", "b"), gappy, 100.0, "EEG", FAST_S, unit="uV"),
            Written((1,), slow, None, "gsr", SLOW_S),
        ],
        {
            "a number of samples": xdf_bytes(head, chunk(3, many)),
            "a number of channels": xdf_bytes(xdf_header(1, "EEG", 10**9, 100)),
            "a length of a chunk": xdf_bytes(b"\x08" + struct.pack("<QH", 2**50, 3)),
            "an entity": xdf_bytes(chunk(2, struct.pack("<I", 1) + b"<!DOCTYPE a []><info/>")),
        },
    )


def _hdf5(root: Path) -> Case:
    import h5py

    arrays = {"/wrist/acc": GAPPY, "/wrist/eda": SLOW[:, 0]}
    attributes = {"/wrist/acc": {"fs": 100, "unit": "g"}, "/wrist/eda": {"sampling_rate": 4.0}}
    (root / "a.h5").write_bytes(hdf5_bytes(arrays, attributes))
    absurd = {}
    for what, count in (("more values than fit", 2**45), ("values that are not there", 2**27)):
        with h5py.File(root / "absurd.h5", "w") as file:
            file.create_dataset("/wrist/acc", shape=(count, 2), chunks=(1024, 2), dtype="f4")
            file.create_dataset("/wrist/eda", data=SLOW[:, 0])
        absurd[what] = (root / "absurd.h5").read_bytes()
    return Case(
        root / "a.h5",
        [
            Written((1, 2), GAPPY, 100.0, "/wrist/acc", unit="g"),
            Written(("/wrist/eda",), SLOW, 4.0),
        ],
        absurd,
    )


def _embrace(root: Path) -> Case:
    steps = RNG.integers(-30000, 30000, (300, 3))
    eda = SLOW[:, 0].astype(np.float32)
    (root / "a.avro").write_bytes(embrace_bytes(steps, eda))
    nothing = {"type": "array", "items": "null"}
    empty = {"type": "record", "name": "a", "fields": [{"name": "rawData", "type": nothing}]}
    itself = {"type": "record", "name": "a", "fields": [{"name": "rawData", "type": "a"}]}
    import zlib

    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = pack.compress(bytes(200 * 2**20)) + pack.flush()
    return Case(
        root / "a.avro",
        [
            Written(
                ("x", "y", "z"), steps / 2048, 64.0, "rawData.accelerometer", None, START_UNIX, "g"
            ),
            Written(("values",), eda[:, None], 4.0, "rawData.eda", None, START_UNIX + 0.5, "uS"),
        ],
        {
            "an array of nothing": avro_bytes(empty, avro_number(2**60) + b"\0"),
            "a type within itself": avro_bytes(itself, b"\0" * 100),
            "a length of a block": avro_bytes(embrace_schema(), b"")[:-17] + avro_number(2**50),
            "what inflates": avro_bytes(embrace_schema(), bomb, codec=b"deflate"),
        },
    )


def _wfdb(root: Path) -> Case:
    ecg, resp = GAPPY[:, :1], SLOW[:12]
    ecg = np.vstack([ecg, ecg])[:480]
    path = wfdb_files(root, "r1", {"ecg": (ecg[:, 0], 40), "resp": (resp[:, 0], 1)})
    head = path.read_text()
    return Case(
        path,
        [
            Written(("ecg",), ecg, 400.0, unit="mV", quantum=0.0026),
            Written(("resp",), resp, 10.0, unit="mV", quantum=0.0026),
        ],
        {
            "a number of samples": head.replace("r1 2 10 12", "r1 2 10 99999999999").encode(),
            "samples in a frame": head.replace("16x40", "16x99999999").encode(),
            "a shift": head.replace("16x40", "16x40:99999999").encode(),
            "an offset": head.replace("16x40", "16x40+99999999999").encode(),
            "another folder": head.replace("r1.dat", "../r1.dat").encode(),
            "an address": head.replace("r1.dat", "s3://r1/r1.dat").encode(),
        },
    )


def _e4(root: Path) -> Case:
    rows = "".join(f"{a},{b},{c}\n" for a, b, c in RNG.integers(-64, 64, (60, 3)))
    path = root / "ACC.csv"
    path.write_text(f"{START_UNIX:.6f},{START_UNIX:.6f},{START_UNIX:.6f}\n32.0,32.0,32.0\n{rows}")
    values = np.array([[float(t) for t in row.split(",")] for row in rows.split()])
    return Case(path, [Written(("x", "y", "z"), values, 32.0, start_s=START_UNIX)])


SUITE: dict[str, Callable[[Path], Case]] = {
    "csv": _csv,
    "parquet": _parquet,
    "edf": _edf,
    "xdf": _xdf,
    "hdf5": _hdf5,
    "embrace": _embrace,
    "wfdb": _wfdb,
    "e4": _e4,
}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Case]:
    made: dict[str, Case] = {}

    def get(name: str) -> Case:
        form = FORMATS[name]
        if form.package:
            pytest.importorskip(form.package, reason=f"the extra {form.extra} is not installed")
        if name not in made:
            made[name] = SUITE[name](tmp_path_factory.mktemp("format"))
        return made[name]

    return get


@pytest.mark.parametrize("check", FORMAT_CHECKS)
@pytest.mark.parametrize("name", SUITE)
def test_format(name: str, check: str, case: Callable[[str], Case]) -> None:
    made = case(name)
    check_format(name, made.path, made.written, made.absurd, checks=[check])


def test_every_registered_format_is_tested() -> None:
    assert set(SUITE) == set(FORMATS)


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="parquet"):
        check_format("parket", tmp_path, [])
    with pytest.raises(ConfigError, match="values"):
        check_format("csv", tmp_path, [], checks=["value"])


# ------------------------------------------------------------- broken readers


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("values", lambda t: {c: v + 1 for c, v in t.items()}),
        ("values", lambda t: {c: v[:-1] for c, v in t.items()}),
        ("missing", lambda t: {c: np.where(v > 50, np.nan, v) for c, v in t.items()}),
    ],
)
def test_a_broken_reader_is_found(
    monkeypatch: pytest.MonkeyPatch, case: Callable[[str], Case], check: str, change: Callable
) -> None:
    made, right = case("edf"), edf.read

    def read(file: object, requests: list[Request]) -> list:
        from dataclasses import replace

        tables = right(file, requests)  # type: ignore[arg-type]
        columns = [change(t.columns) for t in tables]
        rows = [len(next(iter(c.values()))) for c in columns]
        return [
            replace(t, columns=c, rows=n) for t, c, n in zip(tables, columns, rows, strict=True)
        ]

    monkeypatch.setattr(edf, "read", read)
    with pytest.raises(AssertionError, match=check):
        check_format("edf", made.path, made.written, checks=[check])


@pytest.mark.parametrize("check", ["empty", "cut-short", "mutated"])
def test_a_reader_that_lets_other_errors_through_is_found(
    monkeypatch: pytest.MonkeyPatch, case: Callable[[str], Case], check: str
) -> None:
    made, right = case("edf"), edf.read

    def read(file: object, requests: list[Request]) -> list:
        try:
            return right(file, requests)  # type: ignore[arg-type]
        except FormatError as error:
            raise AssertionError("struct.error") from error

    monkeypatch.setattr(edf, "read", read)
    with pytest.raises(AssertionError, match=check):
        check_format("edf", made.path, made.written, checks=[check])

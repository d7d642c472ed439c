"""Small files of every format, written by other people's writers or byte by byte."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

START_UNIX = 1_700_000_000.0


def bounded(values: NDArray, low: float, high: float, steps: int) -> NDArray:
    """The same on a grid of `steps`, as a converter gives them."""
    return np.round((values - low) / (high - low) * steps) / steps * (high - low) + low


# ------------------------------------------------------------------- EDF and BDF


def edf_bytes(
    signals: Mapping[str, tuple[NDArray, float]],
    *,
    bdf: bool = False,
    annotations: Sequence[tuple[float, float, str]] = (),
    unit: str = "uV",
) -> bytes:
    """Signals by label: values [T] within ±100, and their rate; data records of 1 s."""
    import edfio

    kind = edfio.BdfSignal if bdf else edfio.EdfSignal
    made = [
        kind(v, sampling_frequency=rate, label=label, physical_dimension=unit,
             physical_range=(-100, 100))
        for label, (v, rate) in signals.items()
    ]  # fmt: skip
    noted = [edfio.EdfAnnotation(*a) for a in annotations]
    whole = (edfio.Bdf if bdf else edfio.Edf)(
        made, annotations=noted or None, data_record_duration=1.0
    )
    return bytes(whole.to_bytes())


def with_gap(data: bytes, first: int, gap_s: int) -> bytes:
    """The same EDF+ file, whose data records from number `first` on begin `gap_s` later."""
    signals = int(data[252:256])
    head = 256 * (signals + 1)
    data = data[:192] + b"EDF+D" + data[197:]
    labels = [data[256 + 16 * i : 272 + 16 * i].strip() for i in range(signals)]
    begin = 256 + signals * 216
    counts = [int(data[begin + 8 * i : begin + 8 * i + 8]) for i in range(signals)]
    at = 2 * sum(counts[: labels.index(b"EDF Annotations")])
    width, whole = 2 * counts[labels.index(b"EDF Annotations")], 2 * sum(counts)
    out = bytearray(data)
    for record in range((len(data) - head) // whole):
        if record >= first:
            place = head + record * whole + at
            out[place : place + width] = f"+{record + gap_s}\x14\x14".encode().ljust(width, b"\0")
    return bytes(out)


# --------------------------------------------------------------------------- XDF


def chunk(tag: int, content: bytes) -> bytes:
    length = len(content) + 2
    return b"\x04" + struct.pack("<IH", length, tag) + content


def xdf_header(
    number: int, name: str, channels: int, rate: float, kind: str = "float32",
    labels: Sequence[str] = (),
) -> bytes:  # fmt: skip
    said = "".join(f"<channel><label>{text}</label><unit>uV</unit></channel>" for text in labels)
    xml = (
        f'<?xml version="1.0"?><info><name>{name}</name><type>x</type>'
        f"<channel_count>{channels}</channel_count><nominal_srate>{rate}</nominal_srate>"
        f"<channel_format>{kind}</channel_format>"
        f"<desc><channels>{said}</channels></desc></info>"
    )
    return chunk(2, struct.pack("<I", number) + xml.encode())


def xdf_samples(number: int, values: NDArray, times: Sequence[float | None]) -> bytes:
    """A chunk of samples; None is a sample without a time of its own."""
    body = b"".join(
        (b"\0" if t is None else b"\x08" + struct.pack("<d", t)) + row.tobytes()
        for row, t in zip(values, times, strict=True)
    )
    return chunk(3, struct.pack("<I", number) + b"\x04" + struct.pack("<I", len(values)) + body)


def xdf_offset(number: int, at_s: float, offset_s: float) -> bytes:
    return chunk(4, struct.pack("<Idd", number, at_s, offset_s))


def xdf_bytes(*chunks: bytes) -> bytes:
    head = chunk(1, b'<?xml version="1.0"?><info><version>1.0</version></info>')
    return b"XDF:" + head + b"".join(chunks)


# -------------------------------------------------------------------------- HDF5


def hdf5_bytes(arrays: Mapping[str, NDArray], attributes: Mapping[str, Mapping] = {}) -> bytes:
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        for path, values in arrays.items():
            file.create_dataset(path, data=values)
        for path, told in attributes.items():
            file[path].attrs.update(told)
    return stream.getvalue()


# ------------------------------------------------------------------- EmbracePlus


def embrace_schema() -> dict:
    """The part of the manufacturer's schema that holds signals."""
    scale = {
        "type": "record",
        "name": "imuParams",
        "fields": [
            {"name": k, "type": "int"}
            for k in ("physicalMin", "physicalMax", "digitalMin", "digitalMax")
        ],
    }
    timed = [
        {"name": "timestampStart", "type": "long"},
        {"name": "samplingFrequency", "type": "float"},
    ]

    def record(name: str, fields: list) -> dict:
        return {"name": name, "type": {"type": "record", "name": name, "fields": fields}}

    def series(*names: str, kind: str) -> list:
        return [{"name": n, "type": {"type": "array", "items": kind}} for n in names]

    axes = series("x", "y", "z", kind="int")
    raw = [
        record("accelerometer", [*timed, {"name": "imuParams", "type": scale}, *axes]),
        record("gyroscope", [*timed, {"name": "imuParams", "type": "imuParams"}, *axes]),
        record("eda", [*timed, *series("values", kind="float")]),
        record("temperature", [*timed, *series("values", kind="float")]),
        record("tags", series("tagsTimeMicros", kind="long")),
    ]
    version = {"name": "schemaVersion", "type": "string"}
    return {
        "type": "record",
        "name": "avroData",
        "namespace": "empatica",
        "fields": [version, record("rawData", raw)],
    }


def embrace_bytes(
    acc: NDArray, eda: NDArray, *, codec: str = "deflate", acc_rate: float = 64.0
) -> bytes:
    """Digital accelerations [T, 3] of 2048 to 1 g, and skin conductance [T] 0.5 s later."""
    import fastavro

    start = int(START_UNIX * 1e6)
    scale = {"physicalMin": -16, "physicalMax": 16, "digitalMin": -32768, "digitalMax": 32768}
    axes = {axis: acc[:, i].tolist() for i, axis in enumerate("xyz")}
    none: dict = {axis: [] for axis in "xyz"}
    timed = {"timestampStart": start, "samplingFrequency": acc_rate}
    record = {
        "schemaVersion": "6.5",
        "rawData": {
            "accelerometer": timed | {"imuParams": scale} | axes,
            "gyroscope": {"timestampStart": 0, "samplingFrequency": 0.0, "imuParams": scale} | none,
            "eda": {
                "timestampStart": start + 500_000,
                "samplingFrequency": 4.0,
                "values": eda.tolist(),
            },
            "temperature": {"timestampStart": 0, "samplingFrequency": 0.0, "values": []},
            "tags": {"tagsTimeMicros": [start]},
        },
    }
    stream = io.BytesIO()
    fastavro.writer(stream, fastavro.parse_schema(embrace_schema()), [record], codec=codec)
    return stream.getvalue()


def avro_number(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def avro_bytes(schema: object, block: bytes, *, records: int = 1, codec: bytes = b"null") -> bytes:
    """A container with one block of any content."""
    about = {b"avro.schema": json.dumps(schema).encode(), b"avro.codec": codec}
    mark = bytes(range(16))
    head = avro_number(len(about))
    for key, value in about.items():
        head += avro_number(len(key)) + key + avro_number(len(value)) + value
    body = avro_number(records) + avro_number(len(block)) + block
    return b"Obj\x01" + head + avro_number(0) + mark + body + mark


# -------------------------------------------------------------------------- WFDB


def wfdb_files(folder: Path, name: str, signals: Mapping[str, tuple[NDArray, int]]) -> Path:
    """Signals by name: values [T] and samples in a frame, at 10 frames a second; gain 200."""
    import wfdb

    wfdb.wrsamp(
        name,
        fs=10,
        units=["mV"] * len(signals),
        sig_name=list(signals),
        e_p_signal=[np.asarray(v, float) for v, _ in signals.values()],
        samps_per_frame=[n for _, n in signals.values()],
        fmt=["16"] * len(signals),
        adc_gain=[200.0] * len(signals),
        baseline=[0] * len(signals),
        write_dir=str(folder),
    )
    return folder / f"{name}.hea"

"""Real files, damaged at random: one clear error with its place, or what the file now says."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from real_archives import archive

from maestro_ts.errors import MaestroError
from maestro_ts.signals.datasets import read
from maestro_ts.signals.datasets.card import Reading

pytestmark = pytest.mark.real

LONGEST_S = 20.0  # far above what one file takes; a hang is far above that

Mutation = Callable[[bytes, np.random.Generator], bytes]


@dataclass(frozen=True)
class Sample:
    """Some real members of a data set, unpacked; those in `victims` are damaged."""

    name: str
    members: tuple[str, ...]
    victims: str  # a regular expression


SAMPLES = {
    "umafall": Sample(
        "umafall",
        (
            "UMAFall_Dataset/UMAFall_Subject_01_ADL_Aplausing_1_2017-04-14_23-38-23.csv",
            "UMAFall_Dataset/UMAFall_Subject_19_Fall_lateralFall_6_2016-06-07_21-37-14.csv",
        ),
        r"Subject_01",
    ),
    "utd-mhad": Sample(
        "utd-mhad",
        tuple(
            f"{kind}/a{action}_s1_t1_{kind.lower()}.mat"
            for kind in ("Inertial", "Skeleton")
            for action in (3, 10)
        ),
        r"a10",
    ),
    "wesad-e4": Sample(
        "wesad-e4",
        (
            *(f"WESAD/S10/S10_E4_Data/{kind}.csv" for kind in ("ACC", "BVP", "EDA", "TEMP")),
            "WESAD/S10/S10_quest.csv",
            "offsets.csv",
        ),
        r"EDA|TEMP|quest|offsets",
    ),
    "physionet2012": Sample(
        "physionet2012",
        ("set-a/132539.txt", "set-a/132540.txt", "Outcomes-a.txt"),
        r"132539|Outcomes",
    ),
}


def cut_short(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: rng.integers(0, len(data))]


def flip_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    out = bytearray(data)
    for at in rng.integers(0, len(data), rng.integers(1, 9)):
        out[at] = rng.integers(0, 256)
    return bytes(out)


def insert_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    at = rng.integers(0, len(data) + 1)
    return data[:at] + rng.bytes(int(rng.integers(1, 40))) + data[at:]


def blank_block(data: bytes, rng: np.random.Generator) -> bytes:
    begin = int(rng.integers(0, len(data)))
    end = min(len(data), begin + int(rng.integers(1, 5000)))
    return data[:begin] + bytes(end - begin) + data[end:]


def drop_line(data: bytes, rng: np.random.Generator) -> bytes:
    lines = data.split(b"\n")
    del lines[rng.integers(0, len(lines))]
    return b"\n".join(lines)


def repeat_line(data: bytes, rng: np.random.Generator) -> bytes:
    lines = data.split(b"\n")
    at = rng.integers(0, len(lines))
    return b"\n".join([*lines[:at], lines[at], *lines[at:]])


def swap_lines(data: bytes, rng: np.random.Generator) -> bytes:
    lines = data.split(b"\n")
    one, other = rng.integers(0, len(lines), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def odd_number(data: bytes, rng: np.random.Generator) -> bytes:
    odd = (b"nan", b"inf", b"1e999", b"", b"-", b"1.2.3", b"0x10", b"9" * 5000, b"1,5", b"\xff")
    found = list(re.finditer(rb"-?\d+\.?\d*", data))
    if not found:
        return data + odd[0]
    hit = found[rng.integers(0, len(found))]
    return data[: hit.start()] + odd[rng.integers(0, len(odd))] + data[hit.end() :]


def other_encoding(data: bytes, rng: np.random.Generator) -> bytes:
    text = data.decode("latin1")
    return text.encode(("utf-16", "utf-8-sig", "utf-32")[rng.integers(0, 3)])


def double(data: bytes, rng: np.random.Generator) -> bytes:
    return data + data


MUTATIONS: tuple[Mutation, ...] = (
    *(cut_short, flip_bytes, insert_bytes, blank_block, drop_line, repeat_line, swap_lines),
    *(odd_number, other_encoding, double),
)


def unpack(sample: Sample, folder: Path) -> dict[str, bytes]:
    """Write the members; return those to damage."""
    victims = {}
    with zipfile.ZipFile(archive(sample.name)) as opened:
        for member in sample.members:
            data = opened.read(member)
            (folder / member).parent.mkdir(parents=True, exist_ok=True)
            (folder / member).write_bytes(data)
            if re.search(sample.victims, member):
                victims[member] = data
    return victims


def outcome(name: str, folder: Path) -> Reading | MaestroError:
    """What reading comes to; anything but a Reading or a MaestroError escapes."""
    began = time.process_time()
    try:
        return read(name, folder)
    except MaestroError as error:
        return error
    finally:
        assert time.process_time() - began < LONGEST_S


def numbers(reading: Reading) -> int:
    """How many numbers were understood; every stream is finite or NaN."""
    total = 0
    for recording in reading.recordings:
        for stream in recording.streams.values():
            assert not np.isinf(stream.values).any()
            if stream.times is not None:
                assert (np.diff(stream.times) >= 0).all()
            total += stream.values.size
    return total


@pytest.mark.parametrize("cases", [12, pytest.param(600, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_files(name: str, cases: int, tmp_path: Path) -> None:
    sample = SAMPLES[name]
    victims = unpack(sample, tmp_path)
    sound = outcome(name, tmp_path)
    assert isinstance(sound, Reading)
    assert not sound.refused
    rng = np.random.default_rng([7, cases, len(name)])
    refused = 0
    for case in range(cases):
        member = list(victims)[case % len(victims)]
        mutation = MUTATIONS[(case // len(victims)) % len(MUTATIONS)]
        (tmp_path / member).write_bytes(mutation(victims[member], rng))
        found = outcome(name, tmp_path)
        if isinstance(found, Reading):
            numbers(found)
            # Whatever else was read is untouched by a neighbour's damage.
            places = [(r.where, r.why) for r in found.refused]
        else:
            places = [(found.where, found.what)]
        for where, why in places:
            assert where, f"{mutation.__name__} of {member}: no place in {why!r}"
            assert why, f"{mutation.__name__} of {member}: no reason"
            assert len(why) < 1500
        refused += bool(places)
        (tmp_path / member).write_bytes(victims[member])
    assert refused > cases / 4, "the damage is not noticed"


# What a text file's line becomes, and where in it the numbers are that are read.
LINES = {
    "umafall": (r"Subject_01", 41, b";"),
    "wesad-e4": (r"EDA|TEMP", 3, b","),
    "physionet2012": (r"132539", 8, b","),
}


@pytest.mark.parametrize("cases", [6, pytest.param(120, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", LINES)
def test_a_broken_number_is_refused_with_file_and_line(
    name: str, cases: int, tmp_path: Path
) -> None:
    """Never repaired, skipped or taken for a gap."""
    sample = SAMPLES[name]
    pattern, first, delimiter = LINES[name]
    victims = {m: d for m, d in unpack(sample, tmp_path).items() if re.search(pattern, m)}
    rng = np.random.default_rng([8, cases, len(name)])
    for case in range(cases):
        member = list(victims)[case % len(victims)]
        lines = victims[member].split(b"\n")
        at = int(rng.integers(first, len(lines) - 1))  # the last is empty
        fields = lines[at - 1].rstrip(b"\r").split(delimiter)
        place = len(fields) - 1 if name == "physionet2012" else int(rng.integers(0, len(fields)))
        broken = (b"x", b"", b"1.2.3", b"inf", b"NaN", b"1e999")[rng.integers(0, 6)]
        fields[place] = broken
        lines[at - 1] = delimiter.join(fields)
        (tmp_path / member).write_bytes(b"\n".join(lines))
        found = outcome(name, tmp_path)
        if isinstance(found, Reading):
            assert len(found.refused) == 1, f"{broken!r} in {member}:{at} was accepted"
            where = found.refused[0].where
        else:
            where = f"{found.where} {found.what}"
        assert f"{Path(member).name}:{at}" in where, f"{broken!r} in {member}:{at}: {where}"
        (tmp_path / member).write_bytes(victims[member])

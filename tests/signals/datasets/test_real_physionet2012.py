"""PhysioNet 2012 as its owners published it; skipped without the archive."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter

import numpy as np
import pytest
from real_archives import archive
from test_real_data import windows_of

from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Reading
from maestro_ts.signals.windows import Windows

pytestmark = pytest.mark.real

STATICS = {m.name for m in card("physionet2012").schema if m.static}


@pytest.fixture(scope="module")
def physionet() -> Reading:
    return read("physionet2012", archive("physionet2012"))


@pytest.fixture(scope="module")
def windows(physionet: Reading) -> Windows:
    return windows_of("physionet2012", physionet)


def test_physionet_counts(physionet: Reading) -> None:
    assert not physionet.refused
    assert len(physionet.recordings) == len({r.subject for r in physionet.recordings}) == 8000
    assert Counter((r.source[:6], r.labels[0].label) for r in physionet.recordings) == {
        **{("set-a/", "died"): 554, ("set-a/", "survived"): 3446},
        **{("set-b/", "died"): 568, ("set-b/", "survived"): 3432},
    }
    rows = Counter()
    for recording in physionet.recordings:
        rows[recording.source[:6]] += sum(len(s.values) for s in recording.streams.values())
    # RecordID is a row of every stay and no stream; neither is a descriptor of -1.
    assert rows["set-a/"] + rows["set-b/"] == 1757980 + 1762535 - 8000 - 3824 - 673 - 8


def test_physionet_stays_without_series_are_kept(physionet: Reading) -> None:
    bare = [r.subject for r in physionet.recordings if not set(r.streams) - STATICS]
    assert bare == [
        *("140501", "140936", "141264", "142731", "142998"),
        *("143656", "145611", "147514", "150309", "150649"),
    ]


def test_physionet_presence(windows: Windows) -> None:
    assert len(windows) == 8000
    there = dict(zip(windows.schema.names, windows.present.sum(axis=0).tolist(), strict=True))
    assert len(set(there) - STATICS - {"Weight"}) == 36
    assert {name: 8000 - there[name] for name in STATICS} == {
        **{"Age": 0, "Gender": 8, "Height": 3824, "ICUType": 0, "AdmissionWeight": 673},
    }
    assert min(there, key=there.__getitem__) == "TroponinI"


def test_physionet_values_at_the_end_lie_outside_the_window(
    physionet: Reading, windows: Windows
) -> None:
    late = Counter(
        r.source
        for r in physionet.recordings
        for s in r.streams.values()
        for t in s.sample_times()[-2:]
        if t == 172_800
    )
    assert sum(late.values()) == 928
    assert len(late) == 154
    total = sum(len(s.values) for s in windows.samples.values())
    assert total - sum(int(s.lengths.sum()) for s in windows.samples.values()) == 928


def test_physionet_values_are_kept_as_they_are(physionet: Reading) -> None:
    streams = [r.streams for r in physionet.recordings]

    def joined(name: str) -> np.ndarray:
        return np.concatenate([s[name].values[:, 0] for s in streams if name in s])

    assert len(joined("HR")) == 457_144
    assert len(joined("Cholesterol")) == 671
    assert Counter(joined("Temp")[joined("Temp") < 0].tolist()) == {
        **{float(np.float32(-17.8)): 39, -12.5: 1, float(np.float32(-12.8)): 1},
    }
    assert joined("pH").max() == 735
    assert joined("Height").max() == pytest.approx(462, abs=1)
    assert joined("WBC").max() == 12_500
    assert set(joined("MechVent").tolist()) == {1.0}
    assert max(joined("Weight").max(), joined("AdmissionWeight").max()) == 472
    equal = sum(int((np.diff(s.sample_times()) == 0).sum()) for r in streams for s in r.values())
    assert equal == 7705 - 1  # one of them is the two weights at 00:00 of 149509


@pytest.mark.parametrize("member", ["set-a/132539.txt", "set-b/149509.txt", "set-b/152864.txt"])
def test_physionet_stays_are_those_that_csv_reads(member: str, physionet: Reading) -> None:
    (recording,) = [r for r in physionet.recordings if r.source == member]
    with zipfile.ZipFile(archive("physionet2012")) as file:
        rows = list(csv.DictReader(io.StringIO(file.read(member).decode())))
        part = file.read(f"Outcomes-{member[4]}.txt").decode()
    expected: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        hours, minutes = row["Time"].split(":")
        name, value = row["Parameter"], float(row["Value"])
        if name == "Weight" and row["Time"] == "00:00" and "AdmissionWeight" not in expected:
            name = "AdmissionWeight"
        time = 60.0 * (60 * int(hours) + int(minutes))
        expected.setdefault(name, []).append((time, float(np.float32(value))))
    assert expected.pop("RecordID")[0][1] == float(recording.subject)
    expected = {n: v for n, v in expected.items() if n not in STATICS or v[0][1] != -1}
    found = {
        name: list(zip(s.sample_times().tolist(), s.values[:, 0].tolist(), strict=True))
        for name, s in recording.streams.items()
    }
    assert found == expected
    (outcome,) = [
        r for r in csv.DictReader(io.StringIO(part)) if r["RecordID"] == recording.subject
    ]
    died = outcome["In-hospital_death"] == "1"
    assert recording.labels[0].label == ("died" if died else "survived")

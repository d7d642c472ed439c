from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from layout_physionet2012 import OUTCOME_HEADER, outcomes, physionet_set, stay
from layouts import write

from maestro_ts.errors import DataError, FormatError
from maestro_ts.recipe import SymbolSettings
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Reading
from maestro_ts.signals.recording import Interval, Recording
from maestro_ts.symbols.symbolizer import Symbolizer

CARD = card("physionet2012")
STATICS = {"Age", "Gender", "Height", "ICUType", "AdmissionWeight"}


def read_members(members: dict[str, bytes], root: Path, kind: str = "folder") -> Reading:
    return read("physionet2012", write(members, root, kind))


def plain(recording: Recording) -> dict[str, list[tuple[float, float]]]:
    """Times and values of every stream."""
    return {
        name: list(zip(s.sample_times().tolist(), s.values[:, 0].tolist(), strict=True))
        for name, s in recording.streams.items()
    }


def test_the_card_has_36_series_the_weight_and_five_descriptors() -> None:
    statics = {m.name for m in CARD.schema if m.static}
    series = {m.name for m in CARD.schema if not m.static}
    assert statics == STATICS
    assert len(series - {"Weight"}) == 36
    assert "Weight" in series
    assert all(m.rate_hz is None and m.channels == 1 for m in CARD.schema)


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_stays_are_read(tmp_path: Path, kind: str) -> None:
    told: list[tuple[int, int]] = []
    path = write(physionet_set(), tmp_path, kind)
    reading = read("physionet2012", path, lambda done, total: told.append((done, total)))
    assert told == [(i, 5) for i in range(1, 6)]
    assert not reading.refused
    assert [r.source for r in reading.recordings] == [
        *("set-a/132539.txt", "set-a/132540.txt", "set-a/140501.txt"),
        *("set-b/142675.txt", "set-b/142676.txt"),
    ]
    assert [r.subject for r in reading.recordings] == [
        *("132539", "132540", "140501", "142675", "142676"),
    ]
    assert [r.labels for r in reading.recordings] == [
        (Interval(0, 172_800, label),)
        for label in ("survived", "died", "survived", "died", "survived")
    ]
    assert all(r.duration_s == 172_800 for r in reading.recordings)


def test_descriptors_are_static_and_series_keep_every_value(tmp_path: Path) -> None:
    first = read_members(physionet_set(), tmp_path).recordings[0]
    assert plain(first) == {
        "Age": [(0, 54)],
        "Gender": [(0, 0)],
        "Height": [(0, pytest.approx(175.3))],
        "ICUType": [(0, 4)],
        # Two values at one time, and one at the end of the stay; a lost decimal point.
        "HR": [(420, 73), (2220, 77), (2220, 79), (172_800, 80)],
        "pH": [(420, 735)],
    }


def test_the_weight_at_admission_and_the_weight_over_the_stay(tmp_path: Path) -> None:
    _, second, _, fourth, fifth = map(plain, read_members(physionet_set(), tmp_path).recordings)
    assert second["AdmissionWeight"] == [(0, pytest.approx(80.6))]
    assert second["Weight"] == [(300, pytest.approx(81.2))]
    assert fourth["AdmissionWeight"] == [(0, pytest.approx(70.8))]
    assert fourth["Weight"] == [(0, pytest.approx(70.4))]
    assert not {"AdmissionWeight", "Weight"} & set(fifth)


def test_minus_one_is_a_missing_descriptor_and_other_negatives_are_kept(tmp_path: Path) -> None:
    reading = read_members(physionet_set(), tmp_path)
    assert "Gender" not in reading.recordings[2].streams
    assert plain(reading.recordings[1])["Temp"] == [(3900, pytest.approx(-17.8))]


def test_a_stay_without_series_is_a_window_of_descriptors(tmp_path: Path) -> None:
    reading = read_members(physionet_set(), tmp_path)
    windows = cut(reading.recordings, CARD.schema, CARD.windows)
    assert len(windows) == 5
    there = dict(zip(windows.schema.names, windows.present[2].tolist(), strict=True))
    assert {name for name, is_there in there.items() if is_there} == {"Age", "ICUType"}
    assert windows.duration_s.tolist() == [172_800] * 5
    # The value stamped 48:00 stands on the window's end.
    assert windows.samples["HR"].lengths.tolist() == [3, 0, 0, 0, 0]


def test_statics_and_series_become_symbols(tmp_path: Path) -> None:
    reading = read_members(physionet_set(), tmp_path)
    windows = cut(reading.recordings, CARD.schema, CARD.windows)
    symbolizer = Symbolizer(SymbolSettings(tokens=8)).fit(windows)
    symbols = symbolizer(windows)
    assert symbols["Age"].tokens.shape == (5, 1, 1, 1)
    assert symbols["Age"].valid.all()
    assert symbols["Age"].tokens[2] > symbols["Age"].tokens[0]
    assert symbols["AdmissionWeight"].valid[:, 0].tolist() == [False, True, False, True, False]
    assert not symbols["AdmissionWeight"].tokens[0].any()


def test_windows_line_ends_and_a_folder_above(tmp_path: Path) -> None:
    members = {f"challenge/{n}": d.replace(b"\n", b"\r\n") for n, d in physionet_set().items()}
    reading = read_members(members, tmp_path)
    assert reading.recordings[0].source == "set-a/132539.txt"
    expected = read_members(physionet_set(), tmp_path / "other").recordings
    assert [plain(r) for r in reading.recordings] == [plain(r) for r in expected]


def test_set_c_is_read_where_it_is_there(tmp_path: Path) -> None:
    more = {"Outcomes-c.txt": outcomes({152871: 1}), "set-c/152871.txt": stay(152871)}
    last = read_members(physionet_set() | more, tmp_path).recordings[-1]
    assert (last.source, last.labels[0].label) == ("set-c/152871.txt", "died")


GOOD = stay(132540, "00:05,HR,80", "00:10,HR,81")


@pytest.mark.parametrize(
    ("data", "line", "why"),
    [
        (b"", 1, "the header is not"),
        (GOOD.replace(b"Parameter", b"Name"), 1, "the header is not"),
        (GOOD[:-3], 9, "cut short"),
        (GOOD.replace(b"00:05,HR,80", b"00:05,HR"), 8, "2 columns, 3 expected"),
        (GOOD.replace(b"00:05,HR,80", b""), 8, "1 columns, 3 expected"),
        (GOOD.replace(b"HR,80", b"HR,8O"), 8, "'8O' is not a number"),
        (GOOD.replace(b"HR,80", b"HR,nan"), 8, "not a finite number"),
        (GOOD.replace(b"HR,81", b"Hr,81"), 9, "unknown parameter 'Hr'"),
        (GOOD.replace(b"00:10", b"48:01"), 9, "'48:01' is not a time from 00:00 to 48:00"),
        (GOOD.replace(b"00:10", b"0:10"), 9, "'0:10' is not a time"),
        (GOOD.replace(b"00:10", b"00:04"), 9, "the time goes back to 00:04"),
        (GOOD.replace(b"00:05,HR", b"00:05,Age"), 8, "a second Age"),
        (GOOD.replace(b"00:00,Age,54", b"00:00,ICUType,4"), 6, "a second ICUType"),
        (GOOD.replace(b"00:00,Age,54\n", b""), None, "no Age at 00:00"),
        (GOOD.replace(b"132540", b"132541"), None, "the file is about 132541"),
    ],
)
def test_a_damaged_stay_is_refused_with_its_line(
    data: bytes, line: int | None, why: str, tmp_path: Path
) -> None:
    member = "set-a/132540.txt"
    reading = read_members(physionet_set() | {member: data}, tmp_path)
    (refused,) = reading.refused
    assert refused.where == (member if line is None else f"{member}:{line}")
    assert why in refused.why
    assert [r.subject for r in reading.recordings] == ["132539", "140501", "142675", "142676"]


@pytest.mark.parametrize(
    ("lines", "where", "why"),
    [
        ((), "Outcomes-a.txt", "no outcome of 132540"),
        (("132540,6,1,5,-1",), "Outcomes-a.txt:4", "5 columns, 6 expected"),
        (("132540,6,1,5,-1,-1",), "Outcomes-a.txt:4", "In-hospital_death is '-1'"),
        (("132540,6,1,5,-1,1",) * 2, "Outcomes-a.txt:5", "2 outcomes of 132540"),
    ],
)
def test_a_damaged_outcome_costs_its_own_stay_alone(
    lines: tuple[str, ...], where: str, why: str, tmp_path: Path
) -> None:
    head = [OUTCOME_HEADER, "132539,6,1,5,-1,0", "140501,6,1,5,-1,0", *lines]
    change = {"Outcomes-a.txt": ("\n".join(head) + "\n").encode()}
    reading = read_members(physionet_set() | change, tmp_path)
    (refused,) = reading.refused
    assert refused.where == where
    assert why in refused.why
    assert [r.subject for r in reading.recordings] == ["132539", "140501", "142675", "142676"]


def test_without_outcomes_nothing_is_read(tmp_path: Path) -> None:
    members = physionet_set()
    del members["Outcomes-b.txt"]
    with pytest.raises(FormatError, match=r"Outcomes-b\.txt is missing: set-b has no labels"):
        read_members(members, tmp_path)
    members["Outcomes-b.txt"] = b"RecordID,SAPS-I\n142675,1\n"
    with pytest.raises(FormatError, match=r"Outcomes-b\.txt:1: the column 'In-hospital_death'"):
        read_members(members, tmp_path / "other")


def test_a_second_copy_of_a_stay(tmp_path: Path) -> None:
    reading = read_members(physionet_set() | {"zz/set-a/132539.txt": stay(132539)}, tmp_path)
    assert [r.where for r in reading.refused] == ["zz/set-a/132539.txt"]
    assert "HR" in reading.recordings[0].streams
    assert len(reading.recordings) == 5


def test_mostly_damaged_is_an_error(tmp_path: Path) -> None:
    members = {n: b"x" if n.startswith("set-a") else d for n, d in physionet_set().items()}
    with pytest.raises(FormatError, match="3 of 5 files cannot be read"):
        read_members(members, tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"holds no set-a/ID\.txt"):
        read_members({"readme.txt": b"x"}, tmp_path)
    with pytest.raises(DataError, match="needs the path"):
        read("physionet2012", None)


def test_values_are_those_of_float32(tmp_path: Path) -> None:
    members = physionet_set() | {"set-a/132540.txt": stay(132540, "00:05,NIMAP,92.33")}
    stream = read_members(members, tmp_path).recordings[1].streams["NIMAP"]
    assert stream.values.dtype == np.float32
    assert stream.values[0, 0] == np.float32(92.33)

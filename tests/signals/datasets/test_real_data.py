"""UMAFall and the wrist band of WESAD as their owners published them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from real_archives import archive

from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Reading
from maestro_ts.signals.windows import Windows

pytestmark = pytest.mark.real


def windows_of(name: str, reading: Reading) -> Windows:
    return cut(reading.recordings, card(name).schema, card(name).windows)


@pytest.fixture(scope="module")
def umafall() -> Reading:
    return read("umafall", archive("umafall"))


@pytest.fixture(scope="module")
def wesad() -> Reading:
    return read("wesad-e4", archive("wesad-e4"))


def test_umafall_counts(umafall: Reading) -> None:
    assert len(umafall.recordings) == 726
    assert len({r.source for r in umafall.recordings}) == 726
    assert len({r.subject for r in umafall.recordings}) == 18
    assert Counter(r.labels[0].label for r in umafall.recordings) == {
        **{"Aplausing": 42, "Bending": 55, "GoDownstairs": 18, "GoUpstairs": 18, "HandsUp": 43},
        **{"Hopping": 50, "Jogging": 28, "LyingDown_OnABed": 54, "MakingACall": 46},
        **{"OpeningDoor": 43, "Sitting_GettingUpOnAChair": 61, "Walking": 60},
        **{"backwardFall": 73, "forwardFall": 71, "lateralFall": 64},
    }


def test_umafall_refuses_subject_13_by_name(umafall: Reading) -> None:
    assert len(umafall.refused) == 20
    for refusal in umafall.refused:
        assert "Subject_13" in refusal.where
        assert "thousands separators" in refusal.why
        assert refusal.where.rsplit(":", 1)[1].isdigit()


def test_umafall_missing_sensors(umafall: Reading) -> None:
    # Of the 129 trials without waist 20 are those of Subject_13.
    windows = windows_of("umafall", umafall)
    absent = dict(zip(windows.schema.names, (~windows.present).sum(axis=0).tolist(), strict=True))
    assert {n.split("_")[0]: c for n, c in absent.items() if n.endswith("acc")} == {
        **{"rightpocket": 0, "chest": 1, "waist": 109, "wrist": 0, "ankle": 103},
    }
    silent = sum(c for n, c in absent.items() if n.endswith("mag")) - 109 - 103 - 1
    assert silent == 6


def test_umafall_units(umafall: Reading) -> None:
    notes = [note for r in umafall.recordings for note in r.notes if "multiplied by 4" in note]
    assert Counter(note.split(":")[0] for note in notes) == {
        **{"chest_acc": 135, "ankle_acc": 76, "wrist_acc": 2},
    }
    for recording in umafall.recordings:
        for name, stream in recording.streams.items():
            assert stream.times is not None
            assert stream.times[-1] < 15.1
            if name.endswith("acc") and name != "rightpocket_acc":
                # In the first second nobody jumps or falls yet; a wrong unit gives 0.25 or 4.
                first_g = np.median(np.linalg.norm(stream.values[:20], axis=1))
                assert 0.7 < first_g < 2.5, (recording.source, name)
            if name.endswith("mag"):
                assert not (stream.values == 0).all(axis=1).any(), (recording.source, name)


def test_wesad_labels(wesad: Reading) -> None:
    assert [r.subject for r in wesad.recordings] == [
        f"S{n}" for n in (*range(2, 12), *range(13, 18))
    ]
    assert not wesad.refused
    for recording in wesad.recordings:
        assert 1.6 * 3600 < recording.duration_s < 2.4 * 3600
        seconds = {i.label: i.end_s - i.start_s for i in recording.labels}
        assert 17 * 60 < seconds["baseline"] < 21 * 60
        assert 9 * 60 < seconds["stress"] < 14 * 60
        assert 5.5 * 60 < seconds["amusement"] < 7.5 * 60
        assert len(recording.labels) == 3
        ends = [stream.end_s for stream in recording.streams.values()]
        assert max(ends) - min(ends) < 2


def test_wesad_windows(wesad: Reading) -> None:
    windows = windows_of("wesad-e4", wesad)
    for subject in np.unique(windows.subjects):
        counts = Counter(windows.labels[windows.subjects == subject].tolist())
        assert set(counts) == {"baseline", "stress", "amusement"}
    assert windows.present.all()


def test_wesad_clocks(wesad: Reading) -> None:
    # With a wrong offset this would not hold: the owners' skin conductance rises under stress.
    higher = 0
    for recording in wesad.recordings:
        stream = recording.streams["wrist_eda"]
        times, values = stream.sample_times(), stream.values[:, 0]
        mean = {
            i.label: np.nanmean(values[(times >= i.start_s) & (times < i.end_s)])
            for i in recording.labels
        }
        higher += bool(mean["stress"] > mean["baseline"])
    assert higher == 14


def test_wesad_values(wesad: Reading) -> None:
    for recording in wesad.recordings:
        values = {name: stream.values for name, stream in recording.streams.items()}
        assert int(np.isnan(values["wrist_temp"]).sum()) == 4
        assert int(np.isnan(values["wrist_eda"]).sum()) == 1
        assert np.nanmax(values["wrist_temp"]) < 45
        assert np.abs(values["wrist_acc"]).max() <= 2
        assert 0.9 < np.median(np.linalg.norm(values["wrist_acc"], axis=1)) < 1.1

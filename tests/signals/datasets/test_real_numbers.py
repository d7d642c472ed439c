"""The sets of numbers as their owners published them; skipped without the archives."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter

import numpy as np
import pytest
from real_archives import archive

from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read

pytestmark = pytest.mark.real


def test_lengths_of_stay_are_those_of_the_outcomes() -> None:
    reading = read("physionet2012-los", archive("physionet2012"))
    assert len(reading.recordings) == card("physionet2012-los").subjects == 7886
    assert Counter(r.where[:10] for r in reading.refused) == {"Outcomes-a": 60, "Outcomes-b": 54}
    expected = {}
    with zipfile.ZipFile(archive("physionet2012")) as file:
        for part in "ab":
            for row in csv.DictReader(io.StringIO(file.read(f"Outcomes-{part}.txt").decode())):
                expected[row["RecordID"]] = float(row["Length_of_stay"])
    days = {r.subject: float(r.labels[0].label) for r in reading.recordings}
    assert days == {record: value for record, value in expected.items() if value > 0}
    assert Counter(days.values())[1.0] == 3
    assert Counter(days.values())[2.0] == 104
    assert (np.median(list(days.values())), max(days.values())) == (10.0, 171.0)


def test_heart_rates_of_all_sessions() -> None:
    known = card("wesad-e4-hr")
    reading = read("wesad-e4-hr", archive("wesad-e4"))
    assert not reading.refused
    assert len(reading.recordings) == known.subjects == 15
    windows = cut(reading.recordings, known.schema, known.windows)
    assert windows.labels is not None
    seconds = [r.duration_s for r in reading.recordings]
    # One window every 15 s from 10 s on; the last ends with the session.
    assert len(windows) == sum(int((s - 10 - 30) // 15) + 1 for s in seconds)
    rates = windows.labels.astype(float)
    assert 49.8 <= rates.min() < rates.max() <= 148.6
    assert windows.present.all()

"""What inspect finds in the real archives."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from real_archives import archive

from maestro_ts.signals.datasets import card, read, umafall
from maestro_ts.signals.distrust import distrusted
from maestro_ts.signals.inspect import Inspection, inspect
from maestro_ts.signals.inspect.units import scale_change
from maestro_ts.signals.source import Source, read_source

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def seen() -> Inspection:
    return inspect(card("umafall"), read("umafall", archive("umafall")))


@pytest.fixture(scope="module")
def recorded() -> Source:
    return read_source("umafall", archive("umafall"), raw=True)


def test_absence_tells_the_class_in_umafall(seen: Inspection) -> None:
    tested = {d.modality: d for d in seen.dependences}
    # The phone and the wrist are there in every trial: nothing to test.
    assert "rightpocket_acc" not in tested
    assert "wrist_acc" not in tested
    for name in ("waist_acc", "ankle_acc"):
        assert tested[name].p < 1e-6
        assert tested[name].cramers_v > 0.2
    assert sum(tested["waist_acc"].absent.values()) == 109
    assert sum(tested["ankle_acc"].absent.values()) == 103
    told = {f.modality for f in seen.findings if f.kind == "absence-tells"}
    assert {"waist_acc", "waist_gyro", "ankle_acc"} <= told
    assert seen.guess is not None
    blind, by_pattern = seen.guess
    assert by_pattern > blind


def test_changes_of_unit_are_shown_as_recorded(recorded: Source) -> None:
    """The reader multiplies most of these streams by four, unless what is recorded is asked for."""
    found = inspect(recorded.card, recorded.reading).findings
    assert sum(f.kind == "unit-change" for f in found) == 211


def test_what_the_reader_leaves_is_shown_too(seen: Inspection) -> None:
    assert sum(f.kind == "unit-change" for f in seen.findings) == 16


def test_what_is_distrusted_is_missing_and_not_repaired() -> None:
    recordings = read_source("umafall", archive("umafall"), distrust=True).reading.recordings
    assert not any("multiplied by 4" in note for r in recordings for note in r.notes)
    told = distrusted(recordings)
    assert told.startswith("scale distrusted: 211 streams, 495.3 of their 3140 s (15.8%)")
    factors = Counter(
        note.split("(")[1].split(" times")[0]
        for recording in recordings
        for note in recording.notes
        if "on another scale" in note
    )
    assert factors["4"] == 208


def test_the_units_that_the_reader_repairs_are_found_in_the_raw_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began: list[tuple[np.ndarray, int]] = []
    repair = umafall._repair_unit

    def keep(acc: np.ndarray) -> tuple[np.ndarray, int]:
        repaired, n_small = repair(acc)
        began.append((acc, n_small))
        return repaired, n_small

    monkeypatch.setattr(umafall, "_repair_unit", keep)
    read("umafall", archive("umafall"))
    changing = [(acc, n) for acc, n in began if 0 < n < len(acc)]
    assert len(changing) == 206
    found = [(scale_change(acc.astype(np.float32)), n) for acc, n in changing]
    right = [f for f, n in found if f is not None and abs(f[0] - n) <= 2]
    assert len(right) >= 195
    assert Counter(round(f[1], 3) for f in right).most_common(1)[0][0] == 4
    # A single sample convicts nobody.
    missed = sorted(n for f, n in found if f is None)
    assert missed[:8] == [1] * 8
    repaired = [np.concatenate([4 * acc[:n], acc[n:]]).astype(np.float32) for acc, n in changing]
    assert sum(scale_change(acc) is not None for acc in repaired) == 0

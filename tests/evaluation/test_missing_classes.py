from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from maestro_ts.evaluation.missing_classes import (
    ENOUGH,
    EVERYTHING,
    assign,
    choose,
    lost_share,
)
from maestro_ts.signals.masks import hide, modality_mask, segment_mask
from maestro_ts.signals.windows import Windows

NAMES = ("a", "b", "c")


def rows(*blocks: tuple[int, list[int], float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Presence, lost share and subjects (ten, in turn) of so many windows each."""
    present = np.concatenate([np.tile(np.array(p, bool), (n, 1)) for n, p, _ in blocks])
    lost = np.concatenate([np.full(n, share) for n, _, share in blocks])
    return present, lost, (np.arange(len(lost)) % 10).astype(str)


def test_what_is_missing_is_told_by_name_where_there_are_enough_else_by_number() -> None:
    present, lost, subjects = rows(
        (ENOUGH, [1, 1, 1], 0.0),
        (ENOUGH, [0, 1, 1], 0.05),
        (60, [1, 0, 1], 0.0),
        (60, [1, 1, 0], 0.0),
        (30, [0, 0, 1], 0.0),
        (ENOUGH, [1, 1, 1], 0.3),
    )
    found = choose(present, lost, subjects, NAMES)
    assert {name: len(mine) for name, mine in found.items()} == {
        "nothing absent": 100,
        "nothing absent; up to half lost": 100,
        "without a": 100,
        "1 absent": 120,
        EVERYTHING: 450,
    }
    apart = np.concatenate([mine for name, mine in found.items() if name != EVERYTHING])
    assert len(np.unique(apart)) == len(apart)
    given = assign(present, lost, NAMES, found)
    for name, mine in found.items():
        if name != EVERYTHING:
            assert (given[mine] == name).all()
    assert (given[320:350] == EVERYTHING).all()


def test_a_window_of_a_pattern_never_calibrated_on_has_the_thresholds_of_all() -> None:
    known = ["nothing absent", "1 absent", EVERYTHING]
    present = np.array([[1, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0], [1, 1, 1]], dtype=bool)
    given = assign(present, np.array([0, 0, 0, 0, 0.9]), NAMES, known)
    assert given.tolist() == ["nothing absent", "1 absent", *[EVERYTHING] * 3]


def test_a_class_of_few_subjects_is_pooled() -> None:
    present, lost, subjects = rows((ENOUGH, [1, 1, 1], 0.0), (ENOUGH, [0, 1, 1], 0.0))
    subjects[ENOUGH:] = (np.arange(ENOUGH) % 8).astype(str)  # eight of ten
    assert set(choose(present, lost, subjects, NAMES)) == {"nothing absent", EVERYTHING}


def test_windows_without_subjects_need_no_nine_in_ten() -> None:
    present, lost, _ = rows((1000, [1, 1, 1], 0.0), (ENOUGH, [0, 1, 1], 0.0))
    alone = np.arange(1100).astype(str)
    assert set(choose(present, lost, alone, NAMES)) == {"nothing absent", "without a", EVERYTHING}


def test_no_window_is_no_class() -> None:
    assert assign(np.ones((0, 3), bool), np.zeros(0), NAMES, [EVERYTHING]).tolist() == []


def test_the_share_lost_is_that_of_the_segment_and_not_of_absent_sensors(
    mixed_windows: Callable[..., Windows],
) -> None:
    windows = mixed_windows(12, losses=False).select(["acc", "ecg", "age"])
    assert (lost_share(windows) == 0).all()
    for rate in (0.25, 0.6):
        lost = lost_share(hide(windows, segment_mask(windows, rate)))
        assert lost == pytest.approx(rate, abs=0.01)
    absent = hide(windows, modality_mask(windows, 0.7))
    assert not absent.present.all()
    assert (lost_share(absent) == 0).all()

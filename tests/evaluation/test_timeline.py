from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from timeline_cases import CLASSES, predictions, window

from maestro_ts.errors import DataError
from maestro_ts.evaluation import timeline as module
from maestro_ts.evaluation.timeline import Timeline, WindowPredictions, merge_windows
from reference.slow_events import slow_probability

WINDOWS = st.lists(window(), min_size=1, max_size=12)


def columns(t: Timeline) -> list[np.ndarray]:
    return [t.sources, t.subjects, t.start_s, t.end_s, t.probabilities, t.windows]


def one(start: float, end: float, p: list[float], known: bool = True) -> dict[str, Any]:
    return {"source": "a", "start": start, "end": end, "p": p, "known": known}


def test_where_windows_overlap_they_are_averaged() -> None:
    t = merge_windows(predictions([one(0, 4, [1, 0, 0]), one(2, 6, [0, 1, 0])]))
    assert t.start_s.tolist() == [0, 2, 4]
    assert t.end_s.tolist() == [2, 4, 6]
    assert t.probabilities.tolist() == [[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0]]
    assert t.windows.tolist() == [1, 2, 1]
    assert set(t.subjects) == {"of a"}


def test_a_window_without_sensor_tells_nothing() -> None:
    t = merge_windows(
        predictions([one(0, 2, [1, 0, 0]), one(1, 5, [0, 0, 1], False), one(7, 8, [0, 1, 0])])
    )
    assert t.start_s.tolist() == [0, 2, 7]
    assert t.end_s.tolist() == [2, 7, 8]
    assert t.windows.tolist() == [1, 0, 1]
    assert np.isnan(t.probabilities[1]).all()
    assert t.known.tolist() == [True, False, True]
    assert t.hours(known=True) == pytest.approx(3 / 3600)
    assert t.hours(known=False) == pytest.approx(5 / 3600)


def test_a_recording_of_which_nothing_is_known_is_one_cell() -> None:
    t = merge_windows(predictions([one(0, 4, [1, 0, 0], False), one(2, 6, [1, 0, 0], False)]))
    assert (t.start_s.tolist(), t.end_s.tolist(), t.windows.tolist()) == ([0], [6], [0])


def test_no_windows_make_no_timeline() -> None:
    t = merge_windows(predictions([]))
    assert len(t) == 0
    assert t.probabilities.shape == (0, 3)
    assert list(t.recordings()) == []
    assert t.hours(known=True) == 0


@given(WINDOWS)
def test_every_moment_is_the_mean_of_the_windows_over_it(windows: list[dict[str, Any]]) -> None:
    t = merge_windows(predictions(windows))
    for i in range(len(t)):
        expected = slow_probability(windows, t.sources[i], (t.start_s[i] + t.end_s[i]) / 2)
        if expected is None:
            assert t.windows[i] == 0
            assert np.isnan(t.probabilities[i]).all()
        else:
            assert t.probabilities.dtype == np.float64
            np.testing.assert_allclose(t.probabilities[i], expected, rtol=1e-12)
            assert t.probabilities[i].sum() == pytest.approx(1)


@given(WINDOWS)
def test_cells_fill_each_recording_from_its_first_window_to_its_last(
    windows: list[dict[str, Any]],
) -> None:
    t = merge_windows(predictions(windows))
    assert sorted({w["source"] for w in windows}) == list(dict.fromkeys(t.sources.tolist()))
    for cells in t.recordings():
        own = [w for w in windows if w["source"] == t.sources[cells.start]]
        assert t.start_s[cells][0] == min(w["start"] for w in own)
        assert t.end_s[cells][-1] == max(w["end"] for w in own)
        assert (t.end_s[cells][:-1] == t.start_s[cells][1:]).all()
        assert (t.end_s[cells] > t.start_s[cells]).all()


@given(WINDOWS, st.randoms(use_true_random=False))
def test_the_order_of_windows_does_not_matter(windows: list[dict[str, Any]], rng: Any) -> None:
    shuffled = list(windows)
    rng.shuffle(shuffled)
    pairs = zip(
        columns(merge_windows(predictions(windows))),
        columns(merge_windows(predictions(shuffled))),
        strict=True,
    )
    for a, b in pairs:
        np.testing.assert_array_equal(a, b)  # to the last bit


@given(WINDOWS)
def test_windows_apart_come_back_as_they_are(windows: list[dict[str, Any]]) -> None:
    for i, w in enumerate(windows):
        w["start"], w["end"], w["known"] = 6.0 * i, 6.0 * i + (w["end"] - w["start"]), True
    windows.sort(key=lambda w: (w["source"], w["start"]))
    t = merge_windows(predictions(windows))
    known = t.known
    assert t.start_s[known].tolist() == [w["start"] for w in windows]
    np.testing.assert_array_equal(t.end_s[known], [w["end"] for w in windows])
    np.testing.assert_array_equal(t.probabilities[known], [w["p"] for w in windows])


@given(WINDOWS)
def test_chunks_change_nothing(windows: list[dict[str, Any]]) -> None:
    whole = columns(merge_windows(predictions(windows)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "CHUNK_CELLS", 3)
        parts = columns(merge_windows(predictions(windows)))
    for a, b in zip(whole[:4] + whole[5:], parts[:4] + parts[5:], strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(whole[4], parts[4], rtol=1e-12)


def test_borders_that_differ_by_rounding_are_one() -> None:
    step = 0.1
    windows = [one(i * step, i * step + 3 * step, [1, 0, 0]) for i in range(50)]
    t = merge_windows(predictions(windows))
    assert len(t) == 52
    assert (t.end_s - t.start_s).min() > 0.09
    assert t.windows.tolist() == [1, 2, *[3] * 48, 2, 1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"source": ""}, "no recording"),
        ({"start": float("nan")}, "no begin"),
        ({"end": 0.0}, "no length"),
        ({"end": float("inf")}, "no length"),
        ({"p": [float("nan"), 0, 0]}, "not within 0 and 1"),
        ({"p": [1.5, 0, 0]}, "not within 0 and 1"),
    ],
)
def test_windows_that_cannot_be_merged_are_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=says):
        predictions([one(0, 1, [1, 0, 0]) | change])


def test_what_an_unknown_window_says_is_not_looked_at() -> None:
    t = merge_windows(predictions([one(0, 1, [float("nan")] * 3, False)]))
    assert not t.known.any()


def test_columns_of_another_shape_are_refused() -> None:
    good = predictions([one(0, 1, [1, 0, 0])])
    with pytest.raises(DataError, match=r"start_s has shape \(2,\)"):
        WindowPredictions(**(vars(good) | {"start_s": np.zeros(2)}))
    with pytest.raises(DataError, match="probabilities have shape"):
        WindowPredictions(**(vars(good) | {"classes": CLASSES[:2]}))


def test_a_recording_of_two_subjects_is_refused() -> None:
    good = predictions([one(0, 1, [1, 0, 0]), one(1, 2, [1, 0, 0])])
    with pytest.raises(DataError, match="several subjects"):
        merge_windows(WindowPredictions(**(vars(good) | {"subjects": np.array(["x", "y"])})))

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from maestro_ts.errors import DataError
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Windows

ACC = Modality("acc", 3, 32.0)
EDA = Modality("eda", 1, 4.0)
STEPS = Modality("steps")
AGE = Modality("age", static=True)


def acc(n: int = 2, t: int = 256) -> np.ndarray:
    return np.arange(n * t * 3, dtype=float).reshape(n, t, 3)


# --- what is accepted ----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 8), (3, 8, 1), (3, 8, 2)])
def test_one_array_is_one_modality_at_one_hertz(shape):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    windows = Windows.from_arrays(x)
    assert windows.schema.names == ("x",)
    assert windows.duration_s.tolist() == [8, 8, 8]
    values, times = windows.samples["x"].window(1)
    np.testing.assert_array_equal(values, x.reshape(3, 8, -1)[1])
    assert times.tolist() == list(range(8))


def test_one_array_may_have_a_modality_of_its_own():
    windows = Windows.from_arrays(np.zeros((2, 8)), [EDA])
    assert windows.schema.names == ("eda",)
    assert windows.duration_s.tolist() == [2, 2]


def test_the_order_of_keys_and_modalities_does_not_matter():
    a, e = acc(), np.ones((2, 32))
    one = Windows.from_arrays({"acc": a, "eda": e}, [ACC, EDA])
    other = Windows.from_arrays({"eda": e, "acc": a}, Schema([EDA, ACC]))
    assert one.schema == other.schema
    assert one.schema.names == ("acc", "eda")
    assert one.present.tolist() == other.present.tolist()
    np.testing.assert_array_equal(one.samples["acc"].values, other.samples["acc"].values)


def test_an_absent_key_none_and_nan_are_absent():
    windows = Windows.from_arrays(
        {"acc": [acc()[0], None, acc()[0] * np.nan], "age": None}, [ACC, EDA, AGE]
    )
    assert windows.present.tolist() == [
        [True, False, False],
        [False, False, False],
        [False, False, False],
    ]


def test_windows_may_differ_in_length():
    windows = Windows.from_arrays({"eda": [np.zeros(8), np.zeros((20, 1))]}, [EDA])
    assert windows.duration_s.tolist() == [2, 5]
    assert windows.samples["eda"].lengths.tolist() == [8, 20]


def test_the_length_is_that_of_the_longest_regular_modality():
    windows = Windows.from_arrays(
        {"acc": acc(2, 256), "eda": [np.zeros(40), None], "age": np.ones((2, 1))}, [ACC, EDA, AGE]
    )
    assert windows.duration_s.tolist() == [10, 8]


def test_irregular_samples_come_with_their_times():
    windows = Windows.from_arrays(
        {"steps": [[1.0, 2.0, 3.0], [4.0]]},
        [STEPS],
        times={"steps": [[0, 2.5, 2.5], [1]]},
        duration_s=[4, 8],
    )
    assert windows.samples["steps"].window(0)[1].tolist() == [0, 2.5, 2.5]
    assert windows.duration_s.tolist() == [4, 8]


@pytest.mark.parametrize("dtype", [bool, np.int16, np.float16, np.float64, object])
def test_any_numbers_become_float32(dtype):
    values = Windows.from_arrays(np.array([[0, 1], [1, 1]], dtype=dtype)).samples["x"].values
    assert values.dtype == np.float32
    assert values[:, 0].tolist() == [0, 1, 1, 1]


def test_the_input_is_neither_changed_nor_kept():
    x = np.arange(8.0).reshape(2, 4)
    windows = Windows.from_arrays(x)
    x[:] = -1
    assert windows.samples["x"].values[:, 0].tolist() == list(range(8))


def test_labels_and_subjects_are_kept():
    windows = Windows.from_arrays(np.zeros((3, 4)), labels=["u", "v", "u"], subjects=[7, 7, 9])
    assert windows.labels.tolist() == ["u", "v", "u"]
    assert windows.subjects.tolist() == ["7", "7", "9"]
    assert len(set(windows.ids.tolist())) == 3


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_infinities_are_refused_with_their_position(bad):
    x = acc()
    x[1, 5, 2] = bad
    with pytest.raises(DataError, match=r"'acc'.*infinity.*\(1, 5, 2\)"):
        Windows.from_arrays({"acc": x}, [ACC])


def test_values_that_only_float64_holds_are_refused_with_their_position():
    x = np.zeros((2, 4))
    x[1, 3] = 1e300
    with pytest.raises(DataError, match=r"1e\+300 at index \(1, 3\) is too large"):
        Windows.from_arrays(x)


@pytest.mark.parametrize(
    "x",
    [
        np.array([["a", "b"]]),
        np.array([["1", "2"]]),
        np.array([[b"1", b"2"]]),
        np.array([["2026-01-01"]], dtype="datetime64[D]"),
        np.array([[1, "b"]], dtype=object),
        [["1", "2"]],
    ],
)
def test_text_and_dates_are_refused(x):
    with pytest.raises(DataError, match="not numbers"):
        Windows.from_arrays(x)


def test_texts_of_unequal_length_are_refused():
    with pytest.raises(DataError, match=r"'eda'.*not numbers"):
        Windows.from_arrays({"eda": [["1", "2"], ["3"]]}, [EDA])


def test_objects_are_refused():
    with pytest.raises(TypeError, match=r"x: .*dict"):
        Windows.from_arrays(np.array([[{"a": 1}, 2]], dtype=object))


def test_complex_numbers_are_refused():
    with pytest.raises(DataError, match="Complex data not supported"):
        Windows.from_arrays(np.zeros((2, 4), dtype=complex))


def test_sparse_arrays_are_refused():
    with pytest.raises(TypeError, match=r"sparse.*toarray"):
        Windows.from_arrays(csr_array(np.eye(3)))


@pytest.mark.parametrize("shape", [(4,), (2, 2, 2, 2), ()])
def test_arrays_of_other_dimensions_are_refused(shape):
    with pytest.raises(DataError, match="expected \\(n, T\\)"):
        Windows.from_arrays(np.zeros(shape))


@pytest.mark.parametrize(
    "x", [np.zeros((2, 256, 2)), np.zeros((2, 256)), [np.zeros((256, 3)), np.zeros((256, 4))]]
)
def test_wrong_channel_counts_are_refused(x):
    with pytest.raises(DataError, match=r"'acc'.*3 channels are declared.*\(256, [214]\)"):
        Windows.from_arrays({"acc": x}, [ACC])


def test_an_unknown_modality_proposes_its_neighbours():
    with pytest.raises(DataError, match=r"'ac' in X.*Did you mean 'acc'\?"):
        Windows.from_arrays({"ac": acc()}, [ACC, EDA])
    with pytest.raises(DataError, match=r"'edaa' in times.*Did you mean 'eda'\?"):
        Windows.from_arrays({"acc": acc()}, [ACC, EDA], times={"edaa": [[0], [0]]})


def test_modalities_must_have_the_same_number_of_windows():
    with pytest.raises(DataError, match=r"disagree.*'acc': 2.*'eda': 3"):
        Windows.from_arrays({"acc": acc(2), "eda": np.zeros((3, 32))}, [ACC, EDA])


@pytest.mark.parametrize("argument", ["labels", "subjects", "duration_s"])
def test_one_label_subject_and_length_per_window(argument):
    with pytest.raises(DataError, match=f"3 windows but {argument} of shape"):
        Windows.from_arrays(np.zeros((3, 4)), **{argument: [4, 4]})


def test_a_dict_needs_modalities_and_something_in_it():
    with pytest.raises(DataError, match="needs modalities"):
        Windows.from_arrays({"acc": acc()})
    for empty in ({}, {"acc": None}):
        with pytest.raises(DataError, match=r"no modality.*Known: acc, eda"):
            Windows.from_arrays(empty, [ACC, EDA])


def test_one_array_is_not_two_modalities():
    with pytest.raises(DataError, match="one array but 2"):
        Windows.from_arrays(acc(), [ACC, EDA])


def test_a_static_modality_has_one_value():
    with pytest.raises(DataError, match=r"'age'.*one value, got 2"):
        Windows.from_arrays({"age": np.ones((3, 2))}, [AGE], duration_s=8)


def test_irregular_samples_without_times_are_refused():
    with pytest.raises(DataError, match=r"'steps'.*needs times"):
        Windows.from_arrays({"steps": np.ones((2, 3))}, [STEPS], duration_s=8)


def test_irregular_samples_alone_do_not_say_how_long_a_window_is():
    with pytest.raises(DataError, match="give duration_s"):
        Windows.from_arrays({"steps": [[1.0]]}, [STEPS], times={"steps": [[0.0]]})


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([[0, 2, 1], [0, 1, 2]], "window 0: times decrease at sample 2: 2 s, then 1 s"),
        ([[0, 1, 2], [0, np.nan, 2]], "window 1: time nan at sample 1 is not finite"),
        ([[0, 1, 2], [0, 1]], r"window 1: 3 samples but times of shape \(2,\)"),
        ([[0, 1, 2]], "2 windows but 1 arrays of times"),
        ([[0, 1, 2], [0, 1, 9]], "window 1: a sample at 9 s lies outside its window of 8 s"),
        ([[-1, 1, 2], [0, 1, 2]], "window 0: a sample at -1 s lies outside"),
    ],
)
def test_times_that_do_not_fit_are_refused_with_their_position(times, message):
    with pytest.raises(DataError, match=f"'steps'.*{message}"):
        Windows.from_arrays(
            {"steps": np.ones((2, 3))}, [STEPS], times={"steps": times}, duration_s=8
        )


def test_a_rate_that_does_not_fit_the_length_is_refused():
    wrong = Modality("eda", 1, 2.0)
    with pytest.raises(DataError, match=r"'eda', window 0.*rate and duration do not fit"):
        Windows.from_arrays({"eda": np.zeros((2, 32))}, [wrong], duration_s=8)


def test_samples_may_reach_one_step_beyond_the_window():
    def windows(t: int) -> Windows:
        return Windows.from_arrays({"eda": np.zeros((2, t))}, [EDA], duration_s=8)

    assert windows(34).samples["eda"].window(0)[1][-1] == 8.25
    with pytest.raises(DataError, match="lies outside"):
        windows(35)


@pytest.mark.parametrize("duration", [0, -1, np.nan, np.inf, [8, 0]])
def test_lengths_are_positive_and_finite(duration):
    with pytest.raises(DataError, match="duration_s must be positive and finite"):
        Windows.from_arrays(np.zeros((2, 8)), duration_s=duration)

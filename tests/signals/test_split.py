from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_ts.errors import DataError
from maestro_ts.signals.split import split_by_source, subject_folds, subject_holdout

many_subjects = st.lists(st.integers(0, 9).map(lambda k: f"s{k}"), min_size=2, max_size=60).filter(
    lambda s: len(set(s)) > 1
)


@given(many_subjects, st.integers(0, 5), st.data())
def test_folds_keep_subjects_on_one_side_and_test_every_window_once(subjects, seed, data):
    n_folds = data.draw(st.integers(2, min(5, len(set(subjects)))))
    names = np.array(subjects)
    tested = []
    for train, test in subject_folds(subjects, n_folds, seed):
        assert not set(names[train]) & set(names[test])
        assert sorted([*train, *test]) == list(range(len(names)))
        tested += test.tolist()
    assert sorted(tested) == list(range(len(names)))


def test_folds_depend_on_the_seed_and_on_nothing_else():
    subjects = np.repeat([f"s{i}" for i in range(12)], 3)
    tests = [[t.tolist() for _, t in subject_folds(subjects, 4, seed)] for seed in (0, 0, 1)]
    assert tests[0] == tests[1]
    assert tests[0] != tests[2]


def test_more_folds_than_subjects_are_refused():
    with pytest.raises(DataError, match=r"need 3 subjects, there are 2.*\n?.*fewer folds"):
        subject_folds(["a", "b", "a", "b"], 3)


@given(many_subjects, st.floats(0.01, 0.99), st.integers(0, 5))
def test_a_holdout_keeps_subjects_on_one_side_and_loses_no_window(subjects, share, seed):
    names = np.array(subjects)
    labels = np.arange(len(names)) % 3
    kept, held = subject_holdout(names, share, np.random.default_rng(seed), labels, attempts=20)
    assert not set(names[kept]) & set(names[held])
    assert sorted([*kept, *held]) == list(range(len(names)))
    assert len(kept)
    assert len(held)


def test_a_holdout_has_about_the_share_asked_for():
    subjects = np.repeat([f"s{i:02}" for i in range(20)], 10)
    for share in (0.05, 0.15, 0.5):
        _, held = subject_holdout(subjects, share, np.random.default_rng(0))
        assert len(held) == share * 200


def test_of_several_draws_the_one_nearest_to_the_share_is_kept():
    subjects = np.repeat([f"s{i}" for i in range(10)], np.arange(1, 11))
    for seed in range(5):
        _, held = subject_holdout(subjects, 0.2, np.random.default_rng(seed))
        assert len(held) == 11


def test_a_holdout_leaves_every_class_in_training():
    subjects = np.repeat([f"s{i}" for i in range(10)], 4)
    labels = np.where(subjects == "s3", "rare", "common")  # one subject alone has it
    for seed in range(10):
        kept, _ = subject_holdout(subjects, 0.3, np.random.default_rng(seed), labels)
        assert "rare" in labels[kept]


def test_a_holdout_reads_nothing_but_labels_and_subjects():
    """It is not given any signal, and the order of the windows does not matter."""
    assert list(inspect.signature(subject_holdout).parameters) == [
        "subjects",
        "share",
        "rng",
        "labels",
        "attempts",
    ]
    subjects = np.repeat([f"s{i}" for i in range(10)], np.arange(1, 11))
    labels = np.arange(55) % 4
    order = np.random.default_rng(1).permutation(55)
    found = []
    for rows in (np.arange(55), order):
        _, held = subject_holdout(subjects[rows], 0.3, np.random.default_rng(0), labels[rows])
        found.append(set(subjects[rows][held].tolist()))
    assert found[0] == found[1]


def test_a_holdout_depends_on_its_generator():
    subjects = np.repeat([f"s{i}" for i in range(20)], 3)
    runs = [subject_holdout(subjects, 0.2, np.random.default_rng(s))[1].tolist() for s in (0, 0, 1)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_one_subject_cannot_be_held_out():
    with pytest.raises(DataError, match=r"two subjects, there is 1\..*validation_share"):
        subject_holdout(np.array(["a", "a"]), 0.5, np.random.default_rng(0))


def test_the_owners_split_is_by_how_a_source_begins():
    sources = ["set-a/1", "set-b/2", "set-a/3", "set-c/4"]
    train, test = split_by_source(sources, ["1", "2", "3", "4"], ("set-a/", "set-b/"))
    assert (train.tolist(), test.tolist()) == ([0, 2], [1])


def test_an_owners_split_that_cannot_be_is_refused():
    with pytest.raises(DataError, match="'set-b/'"):
        split_by_source(["set-a/1"], ["1"], ("set-a/", "set-b/"))
    with pytest.raises(DataError, match="one is in both parts"):
        split_by_source(["set-a/1", "set-b/1"], ["one", "one"], ("set-a/", "set-b/"))

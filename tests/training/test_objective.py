"""What is learned: losses against their formulas, written out in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score, log_loss

from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.training.objective import (
    ClassObjective,
    LabelObjective,
    NumberObjective,
    label_f1,
    objective_from,
)

RNG = np.random.default_rng(0)
NUMBERS = arrays(
    np.float64,
    st.integers(2, 12),
    elements=st.floats(-1e6, 1e6, allow_nan=False, width=32),
)


def slow_number_loss(output: float, number: float, center: float, scale: float) -> float:
    away = abs(output - (number - center) / scale)
    bend = NumberObjective.BEND
    return away**2 / (2 * bend) if away < bend else away - bend / 2


def slow_label_loss(logit: float, there: float, smoothing: float) -> float:
    p = 1 / (1 + np.exp(-logit))
    soft = there * (1 - smoothing) + smoothing / 2
    return float(-(soft * np.log(p) + (1 - soft) * np.log(1 - p)))


@given(NUMBERS)
def test_the_loss_of_numbers_is_hubers(numbers: np.ndarray) -> None:
    objective = NumberObjective.of(numbers)
    outputs = np.random.default_rng(len(numbers)).normal(0, 2, (len(numbers), 1))
    found = objective.loss(torch.from_numpy(outputs), torch.from_numpy(numbers), 0.3)
    expected = [
        slow_number_loss(float(o), float(y), objective.center, objective.scale)
        for o, y in zip(outputs[:, 0], numbers, strict=True)
    ]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9, atol=1e-12)


@given(NUMBERS)
def test_the_median_costs_about_one_whatever_the_unit(numbers: np.ndarray) -> None:
    objective = NumberObjective.of(numbers)
    median = torch.zeros(len(numbers), 1, dtype=torch.float64)
    cost = float(objective.loss(median, torch.from_numpy(numbers), 0.0).mean())
    if np.ptp(numbers) == 0:
        assert (objective.scale, cost) == (1.0, 0.0)
    else:
        assert 1 - objective.BEND / 2 - 1e-6 <= cost <= 1 + 1e-6


@given(NUMBERS)
def test_outputs_are_told_in_the_numbers_unit(numbers: np.ndarray) -> None:
    objective = NumberObjective.of(numbers)
    right = Prediction(logits=((numbers - objective.center) / objective.scale)[:, None])
    told = objective.meant(right).numbers
    size = max(np.abs(numbers).max(), 1.0)
    np.testing.assert_allclose(told, numbers, atol=1e-9 * size)
    error, loss = objective.validated(right, numbers)
    assert error <= 1e-9 * size
    assert loss <= 1e-9


def test_numbers_far_from_zero_keep_their_differences() -> None:
    numbers = 1.5e9 + np.arange(10.0)
    objective = NumberObjective.of(numbers)
    outputs = torch.zeros(10, 1)
    assert len(np.unique(objective.loss(outputs, torch.from_numpy(numbers), 0.0))) == 5


def test_one_window_far_off_moves_the_loss_by_its_distance_and_not_its_square() -> None:
    objective = NumberObjective(0.0, 1.0)
    outputs = torch.zeros(1, 1, dtype=torch.float64, requires_grad=True)
    objective.loss(outputs, torch.tensor([1e4], dtype=torch.float64), 0.0).sum().backward()
    assert outputs.grad is not None
    assert outputs.grad.item() == -1.0


def test_validation_of_numbers_is_in_their_unit() -> None:
    objective = NumberObjective(center=70.0, scale=8.0)
    error, _ = objective.validated(Prediction(np.array([[0.0], [1.0]])), np.array([74.0, 78.0]))
    assert error == 2.0
    assert not objective.larger_is_better


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_of_labels_is_the_mean_of_their_cross_entropies(smoothing: float) -> None:
    logits, there = RNG.normal(0, 2, (6, 4)), (RNG.random((6, 4)) < 0.4).astype(np.float64)
    found = LabelObjective().loss(torch.from_numpy(logits), torch.from_numpy(there), smoothing)
    expected = [
        np.mean([slow_label_loss(a, b, smoothing) for a, b in zip(*row, strict=True)])
        for row in zip(logits, there, strict=True)
    ]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_weights_of_labels_multiply_their_own_value() -> None:
    logits, there = RNG.normal(size=(5, 2)), np.array([[0, 1], [1, 1], [0, 0], [0, 1], [0, 0.0]])
    weights = np.array([[0.5, 2.0], [3.0, 0.25]], np.float32)
    found = LabelObjective(weights).loss(torch.from_numpy(logits), torch.from_numpy(there), 0.0)
    expected = [
        np.mean(
            [
                float(weights[int(y), k]) * slow_label_loss(z, y, 0.0)
                for k, (z, y) in enumerate(pair)
            ]
        )
        for pair in (list(zip(*row, strict=True)) for row in zip(logits, there, strict=True))
    ]
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_validation_of_labels_is_their_mean_f1_and_log_loss() -> None:
    logits, there = RNG.normal(0, 2, (30, 3)), (RNG.random((30, 3)) < 0.4).astype(np.float32)
    f1, loss = LabelObjective().validated(Prediction(logits), there)
    assert f1 == pytest.approx(f1_score(there, logits > 0, average="macro"))
    p = LabelObjective().meant(Prediction(logits)).probabilities
    each = [log_loss(there[:, k], p[:, k], labels=[0, 1]) for k in range(3)]
    assert loss == pytest.approx(np.mean(each))


def test_a_label_that_is_nowhere_has_no_f1() -> None:
    truth = np.array([[True, False], [False, False]])
    assert label_f1(truth, truth) == 0.5


def test_classes_are_scored_as_before() -> None:
    logits, targets = RNG.normal(size=(20, 3)), RNG.integers(0, 3, 20)
    f1, loss = ClassObjective().validated(Prediction(logits), targets)
    assert f1 == pytest.approx(f1_score(targets, logits.argmax(axis=1), average="macro"))
    p = Prediction(logits).probabilities
    assert loss == pytest.approx(log_loss(targets, p, labels=[0, 1, 2]))


def test_objectives_are_written_and_read() -> None:
    number = NumberObjective(71.25, 3.5)
    assert objective_from(number.to_dict()) == number
    assert isinstance(
        objective_from(LabelObjective(np.ones((2, 3), np.float32)).to_dict()), (LabelObjective)
    )
    assert isinstance(objective_from(None), ClassObjective)
    assert ClassObjective().to_dict() == {}
    with pytest.raises(ValueError, match="'ranks'"):
        objective_from({"kind": "ranks"})

"""Checks of a model on unusual windows: rates, lengths, absence, constants, order of keys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.windows import Windows
from maestro_ts.testing.model_case import (
    CLASSES,
    ModelCase,
    assert_same,
    evaluate,
    finite,
    gradients,
    logits_of,
    train_batch,
)
from maestro_ts.testing.windows_generator import (
    DURATION_S,
    FOUR_RATES,
    constant_windows,
    keep,
    many_rates,
    mixed_patterns,
    poisoned,
    random_windows,
)

__all__ = [
    "check_all_missing",
    "check_batch_of_one",
    "check_constant_windows",
    "check_key_order",
    "check_unequal_rates",
    "check_unseen_patterns",
]


def check_unequal_rates(case: ModelCase) -> None:
    """C7: 4, 32, 64 and 700 Hz together; a window one sample short; longer shared buffers."""
    windows = random_windows(FOUR_RATES, 6)
    front_end, network = case.build(windows)
    whole = logits_of(front_end, network, windows)
    finite(whole, "logits")
    assert_same(logits_of(front_end, network, poisoned(windows, 3.0)), whole, "longer buffers")
    short = _shortened(windows, 1)
    finite(logits_of(front_end, network, short), "logits with a window one sample short")
    labels = np.arange(6) % CLASSES
    train_batch(network, front_end(short), labels)
    _gradients_are_finite(network)


def _shortened(windows: Windows, row: int) -> Windows:
    """The same windows; one of them lacks its last sample in every modality."""
    arrays = {
        name: [piece.window(i)[0][: -1 if i == row else None] for i in range(len(windows))]
        for name, piece in windows.samples.items()
    }
    return Windows.from_arrays(arrays, windows.schema, duration_s=DURATION_S)


def _gradients_are_finite(network: Network) -> None:
    for name, gradient in gradients(network).items():
        finite(gradient, f"gradient of {name}")


def check_all_missing(case: ModelCase) -> None:
    """C8: a modality that no window of the batch has; windows without any are all alike."""
    windows = random_windows(FOUR_RATES, 8)
    front_end, network = case.build(windows)
    for m in range(len(FOUR_RATES)):
        pattern = np.ones((8, len(FOUR_RATES)), dtype=bool)
        pattern[:, m] = False
        finite(logits_of(front_end, network, keep(windows, pattern)), f"logits without {m}")
    empty = logits_of(front_end, network, keep(windows, np.zeros((8, len(FOUR_RATES)), bool)))
    finite(empty, "logits of windows with nothing")
    assert_same(empty, empty[:1].expand_as(empty), "windows with nothing")


def check_constant_windows(case: ModelCase) -> None:
    """C9: zeros, 7.3 and 1e4 throughout, seen in training or not: finite logits, gradients."""
    constant = constant_windows(FOUR_RATES, (0.0, 7.3, 1e4, 0.0))
    for windows in (random_windows(FOUR_RATES, 6), constant, constant[[1]]):
        front_end, network = case.build(windows)
        finite(logits_of(front_end, network, constant), "logits of constant windows")
        train_batch(network, front_end(constant), np.arange(4) % CLASSES)
        _gradients_are_finite(network)


def check_batch_of_one(case: ModelCase) -> None:
    """C10: one window, in training and evaluation, with all modalities and with one."""
    windows = random_windows(FOUR_RATES, 6)
    front_end, network = case.build(windows)
    one = np.arange(len(FOUR_RATES)) == 1
    for window in (windows[[2]], keep(windows[[2]], one)):
        finite(train_batch(network, front_end(window), np.array([1])), "the loss")
        _gradients_are_finite(network)
        finite(logits_of(front_end, network, window), "logits")


def check_unseen_patterns(case: ModelCase) -> None:
    """C11: fitted on two patterns of absence, evaluated on all of 4 and 64 random of 17."""
    codes = np.arange(1, 16)
    every = (codes[:, None] >> np.arange(4) & 1).astype(bool)
    _evaluate_patterns(case, dict(FOUR_RATES), every)
    _evaluate_patterns(case, many_rates(17), np.random.default_rng(0).random((64, 17)) < 0.5)


def _evaluate_patterns(
    case: ModelCase, rates_hz: dict[str, float], patterns: NDArray[np.bool_]
) -> None:
    count = len(rates_hz)
    # Some modality is in neither pattern: nothing is known of it.
    seen = np.zeros((2, count), dtype=bool)
    seen[0, :2] = seen[1, 1:3] = True
    train = keep(random_windows(rates_hz, 8), seen[np.arange(8) % 2])
    front_end, network = case.build(train)
    optimizer = None if case.at_once else torch.optim.Adam(network.parameters(), lr=1e-3)
    for step in range(2):
        if optimizer is None:
            break
        optimizer.zero_grad()
        train_batch(network, front_end(train), np.arange(8) % CLASSES, seed=step)
        optimizer.step()
        network.after_step()
    fresh = keep(random_windows(rates_hz, len(patterns), seed=1), patterns)
    finite(logits_of(front_end, network, fresh), f"logits under {len(patterns)} patterns")


def check_key_order(case: ModelCase) -> None:
    """C16: the order of modalities, mapping keys and samples changes nothing."""
    windows = keep(random_windows(FOUR_RATES, 8), mixed_patterns(len(FOUR_RATES), 8))
    backwards = Windows(
        Schema(reversed(windows.schema.modalities)),
        dict(reversed(windows.samples.items())),
        start_s=windows.start_s,
        duration_s=windows.duration_s,
        subjects=windows.subjects,
        sources=windows.sources,
        ids=windows.ids,
        labels=windows.labels,
    )
    straight, reverse = case.build(windows), case.build(backwards)
    wanted = logits_of(*straight, windows)
    assert_same(logits_of(*reverse, backwards), wanted, "fitted on the reversed mapping")
    assert_same(logits_of(*straight, backwards), wanted, "given the reversed mapping")
    assert_same(_reordered(*straight, windows), wanted, "batch with reversed inputs")


def _reordered(front_end: FrontEnd, network: Network, windows: Windows) -> Tensor:
    batch = front_end(windows)
    turned = replace(
        batch,
        inputs=dict(reversed(list(batch.inputs.items()))),
        valid=dict(reversed(list(batch.valid.items()))),
        extras=dict(reversed(list(batch.extras.items()))),
    )
    return evaluate(network, turned).logits

"""Checks of a model on one set of windows: shapes, gradients, determinism, neighbours, masks."""

from __future__ import annotations

import copy
import pickle
import random
from collections.abc import Mapping
from fnmatch import fnmatch

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.network import Network
from maestro_ts.signals.masks import Mask
from maestro_ts.signals.windows import Windows
from maestro_ts.testing.model_case import (
    CLASSES,
    ModelCase,
    assert_close,
    assert_same,
    evaluate,
    finite,
    gradients,
    logits_of,
    train_batch,
)
from maestro_ts.testing.windows_generator import (
    FOUR_RATES,
    keep,
    many_rates,
    mixed_patterns,
    poisoned,
    random_windows,
)

__all__ = [
    "check_deterministic",
    "check_gradients",
    "check_masked_values",
    "check_modality_counts",
    "check_neighbours",
    "check_shapes",
]

JUNK = (float("nan"), float("inf"), -float("inf"), 1e30, 5.0)


def mixed(rates_hz: Mapping[str, float], n: int, seed: int = 0) -> Windows:
    """Random windows of which every pattern of absence comes in turn."""
    windows = random_windows(rates_hz, n, seed=seed)
    return keep(windows, mixed_patterns(len(rates_hz), n))


def check_shapes(case: ModelCase, rates_hz: Mapping[str, float] = FOUR_RATES) -> None:
    """C1: logits [B, K], floating and finite; the auxiliary loss is a scalar ≥ 0 or absent."""
    windows = mixed(rates_hz, 8)
    front_end, network = case.build(windows)
    batch = front_end(windows)
    assert len(batch) == len(windows), f"a batch of {len(batch)} from {len(windows)} windows"
    assert batch.present.shape == (8, len(rates_hz)), f"present is {tuple(batch.present.shape)}"
    network.train()
    for out in (network(batch), evaluate(network, batch)):
        shape = tuple(out.logits.shape)
        assert shape == (8, CLASSES), f"logits are {shape}, not {(8, CLASSES)}"
        assert out.logits.is_floating_point(), f"logits are {out.logits.dtype}"
        finite(out.logits, "logits")
        if out.aux_loss is not None:
            assert out.aux_loss.ndim == 0, "aux_loss is no scalar"
            assert float(out.aux_loss.detach()) >= 0.0, "aux_loss is negative"


def check_gradients(case: ModelCase, rates_hz: Mapping[str, float] = FOUR_RATES) -> None:
    """C2: every parameter has a finite gradient that is not zero everywhere.

    Over four batches with mixed patterns. What never has one must be named by the case, and
    every name the case gives must be needed. An expert that no token is routed to has none:
    run this check with every expert chosen.
    """
    windows = random_windows(rates_hz, 96)
    front_end, network = case.build(windows)
    prepared = front_end.prepare(windows)
    patterns = mixed_patterns(len(rates_hz), 96)
    for k in range(4):
        rows = np.arange(k, 96, 4)
        mask = Mask(patterns[rows], np.zeros((len(rows), len(rates_hz), 2)))
        train_batch(network, front_end.collate(prepared, rows, mask), rows % CLASSES, seed=k)
    _check_each(network, case.without_gradient)


def _check_each(network: Network, exempt: tuple[str, ...]) -> None:
    silent = []
    for name, gradient in gradients(network).items():
        finite(gradient, f"gradient of {name}")
        if not bool(gradient.any()):
            silent.append(name)
    unknown = [n for n in silent if not any(fnmatch(n, pattern) for pattern in exempt)]
    assert not unknown, f"no gradient reaches {', '.join(unknown)}"
    needless = [p for p in exempt if not any(fnmatch(n, p) for n in silent)]
    assert not needless, f"exempt, yet a gradient reaches {', '.join(needless)}"


def check_deterministic(case: ModelCase, rates_hz: Mapping[str, float] = FOUR_RATES) -> None:
    """C3: two evaluations are bit-equal, whatever the random state, and leave it alone."""
    windows = mixed(rates_hz, 8)
    front_end, network = case.build(windows)
    first = logits_of(front_end, network, windows)
    before = random_states()
    second = logits_of(front_end, network, windows)
    assert random_states() == before, "evaluation moved the global random state"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(999)
        third = logits_of(front_end, network, windows)
    assert_same(first, second, "two evaluations")
    assert_same(first, third, "evaluations before and after reseeding")


def random_states() -> tuple[bytes, bytes, object]:
    """Global states of torch, numpy and Python."""
    numpy_state = pickle.dumps(np.random.get_state())  # noqa: NPY002 (what must not move)
    return torch.get_rng_state().numpy().tobytes(), numpy_state, random.getstate()


def check_neighbours(case: ModelCase, rates_hz: Mapping[str, float] = FOUR_RATES) -> None:
    """C4: a window's logits depend on no other window of its batch, nor on its place."""
    windows, others = mixed(rates_hz, 8), mixed(rates_hz, 8, seed=1)
    front_end, network = case.build(windows)
    for net in (network, copy.deepcopy(network).double()):
        together = logits_of(front_end, net, windows)
        for i in range(len(windows)):
            alone = logits_of(front_end, net, windows[[i]])
            assert_close(alone[0], together[i], f"window {i} alone and in a batch")
        half = Windows.concatenate([windows[:4], others[4:]])
        assert_close(logits_of(front_end, net, half)[:4], together[:4], "others replaced")
        order = np.random.default_rng(0).permutation(len(windows))
        shuffled = logits_of(front_end, net, windows[order])
        assert_close(shuffled, together[torch.from_numpy(order)], "windows permuted")


def check_masked_values(case: ModelCase, rates_hz: Mapping[str, float] = FOUR_RATES) -> None:
    """C5: what lies outside a window or below a mask changes no logit and no gradient, bit by bit.

    The junk lies in the buffers around the windows and where hidden modalities point, and in
    the samples that a training mask hides.
    """
    n, count = 8, len(rates_hz)
    windows, pattern = random_windows(rates_hz, n), mixed_patterns(count, n)
    front_end, network = case.build(windows)
    hidden = keep(windows, pattern)
    clean = _pass(network, front_end(hidden), n)
    mask = Mask(pattern, np.zeros((n, count, 2)))
    rows = np.arange(n)
    masked = _pass(network, front_end.collate(front_end.prepare(windows), rows, mask), n)
    for junk in JUNK:
        _compare(_pass(network, front_end(poisoned(hidden, junk)), n), clean, f"{junk} around")
        dirty = _filled(windows, pattern, junk)
        with np.errstate(all="ignore"):
            batch = front_end.collate(front_end.prepare(dirty), rows, mask)
        _compare(_pass(network, batch, n), masked, f"{junk} below the mask")


def _pass(network: Network, batch: Batch, n: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Evaluation logits, and the gradients of a training step that starts at none.

    What a network keeps of a training step, as a batch norm does, is taken back.
    """
    logits = evaluate(network, batch).logits
    network.zero_grad(set_to_none=True)
    before = [buffer.clone() for buffer in network.buffers()]
    train_batch(network, batch, np.arange(n) % CLASSES)
    for buffer, value in zip(network.buffers(), before, strict=True):
        buffer.copy_(value)
    return logits, gradients(network)


def _compare(
    found: tuple[Tensor, dict[str, Tensor]], wanted: tuple[Tensor, dict[str, Tensor]], what: str
) -> None:
    assert_same(found[0], wanted[0], f"logits with {what}")
    for name, gradient in found[1].items():
        assert_same(gradient, wanted[1][name], f"gradients of {name} with {what}")


def _filled(windows: Windows, pattern: NDArray[np.bool_], junk: float) -> Windows:
    """Windows that hold junk in every sample of the modalities that `pattern` hides."""
    dirty = poisoned(windows, junk)
    for m, name in enumerate(windows.schema.names):
        piece = dirty.samples[name]
        values = np.asarray(piece.values)  # the buffer itself: these windows are in memory
        for i in np.flatnonzero(~pattern[:, m]):
            values[piece.starts[i] : piece.starts[i] + piece.lengths[i]] = junk
    return dirty


def check_modality_counts(case: ModelCase) -> None:
    """C6: C1 to C5 hold for 1, 2 and 17 modalities (C2 where gradients train)."""
    for count in (1, 2, 17):
        rates = many_rates(count)
        try:
            for check in (
                check_shapes,
                check_gradients,
                check_deterministic,
                check_neighbours,
                check_masked_values,
            ):
                if check is not check_gradients or not case.at_once:
                    check(case, rates)
        except AssertionError as error:
            raise AssertionError(f"{count} modalities: {error}") from error

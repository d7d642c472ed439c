"""Kernels compete at every position of a signal; what each wins and loses, bin by bin.

After Hydra (Dempster, Schmidt, Webb, Data Mining and Knowledge Discovery 2023), which counts over
whole series.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from maestro_ts.symbols.held import POSITIONS, Held

__all__ = [
    "BLOCK",
    "CENTRE",
    "DILATIONS",
    "KERNELS",
    "LENGTH",
    "REPRESENTATIONS",
    "Competition",
    "features",
    "reads_beyond",
    "tap_weights",
]

LENGTH = 9
KERNELS = 8  # that compete in a group
DILATIONS = (1, 2)  # in units of samples
REPRESENTATIONS = 2  # the signal, its first difference
KINDS = 2  # won (soft), lost (hard)
CENTRE = LENGTH // 2
# Bins at a time: what is computed stays in a core's cache. All blocks are of this size, a multiple
# of what a matrix product takes at once: a bin's result does not depend on its neighbours.
BLOCK = 128


def features(groups: int) -> int:
    """Numbers F of a bin."""
    return len(DILATIONS) * REPRESENTATIONS * KINDS * groups * KERNELS


def reads_beyond(unit: int) -> int:
    """Samples that a kernel reads before its position; after it, one more for the difference."""
    return CENTRE * unit * max(DILATIONS)


class Competition:
    """Groups of kernels for one modality.

    Parameters
    ----------
    kernels : ndarray, shape (dilations, representations, G, 8, k, 9)
        Each sums to 0 in every channel.
    channels : ndarray, shape (dilations, representations, G, k), int
        What a group reads.
    scale : ndarray, shape (C,)
        By which the values of a channel are divided.
    unit : int
        Samples between the taps at dilation 1.
    """

    def __init__(
        self,
        kernels: NDArray[np.float64],
        channels: NDArray[np.int64],
        scale: NDArray[np.float64],
        unit: int,
    ) -> None:
        self.unit, self.groups = unit, kernels.shape[2]
        self.features = features(self.groups)
        self._parts = [
            [tap_weights(*both, scale) for both in zip(*of_one, strict=True)]
            for of_one in zip(kernels, channels, strict=True)
        ]

    def blocks(self, signal: Held) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        """Square roots of the means per position, of the bins that have positions.

        `won` is the largest response of a group, for the kernel that it is of; `lost` is 1 for that
        of the smallest. Ties count for all.

        Yields
        ------
        bins : shape (N,), numbers among n · L
        values : shape (F, N), float32, to be overwritten by the next
            F runs over dilations, representations, won and lost, groups, kernels.
        """
        signals = signal.values, np.diff(signal.values, axis=1)
        room = _Room(max(len(used) for parts in self._parts for used, _ in parts), self.groups)
        values = np.empty((self.features, BLOCK), dtype=np.float32)
        kinds = (len(DILATIONS), REPRESENTATIONS, KINDS, self.groups, KERNELS, BLOCK)
        table = values.reshape(kinds)
        used = np.flatnonzero(signal.positions)
        for i in range(0, len(used), BLOCK):
            bins = used[i : i + BLOCK]
            # A block that is not full repeats its first bin.
            full = np.concatenate([bins, np.full(BLOCK - len(bins), bins[0])])
            count = signal.positions[full]
            slot = np.arange(count.max())[:, None]
            at = signal.first[full] + slot * signal.stride[full]
            at = np.where(slot < count, at, signal.nothing)
            self._count(signals, at, table, room)
            # Where there is no position all responses are 0, and all kernels lost.
            table[:, :, 1] -= (len(slot) - count).astype(np.float32)
            values /= count.astype(np.float32)
            np.maximum(values, 0.0, out=values)
            yield bins, np.sqrt(values, out=values)[:, : len(bins)]

    def _count(
        self,
        signals: tuple[NDArray[np.float32], NDArray[np.float32]],
        at: NDArray[np.int64],
        table: NDArray[np.float32],
        room: _Room,
    ) -> None:
        """Sums over positions `at` (K, N), into (dilations, representations, 2, G, 8, N)."""
        taps = np.delete(np.arange(LENGTH) - CENTRE, CENTRE) * self.unit
        for d, dilation in enumerate(DILATIONS):
            index = at + (taps * dilation)[:, None, None]
            for r, source in enumerate(signals):
                channels, weights = self._parts[d][r]
                read = room.read[: len(channels) * index.size].reshape(-1, *index.shape)
                for channel, out in zip(channels, read, strict=True):
                    np.take(source[channel], index, out=out, mode="clip")
                    out -= source[channel].take(at)
                _compete(read, weights, room, *table[d, r])


class _Room:
    """Arrays that one block after another overwrites: U channels' taps, responses, who won."""

    def __init__(self, channels: int, groups: int) -> None:
        size = POSITIONS * BLOCK
        self.read = np.empty(channels * (LENGTH - 1) * size, dtype=np.float32)
        self.response = np.empty(groups * KERNELS * size, dtype=np.float32)
        self.soft = np.empty_like(self.response)
        self.equal = np.empty(self.response.shape, dtype=np.bool_)


def tap_weights(
    kernels: NDArray[np.float64], channels: NDArray[np.int64], scale: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Channels U that groups read, and weights (G · 8, U · 8) of all taps but the centre's.

    The centre is subtracted from the others instead: a kernel sums to 0, and the response to a
    signal that stands still is then 0 and no rounding.
    """
    used = np.unique(channels)
    groups = len(kernels)
    weights = np.zeros((groups, KERNELS, len(used), LENGTH))
    for g in range(groups):
        own = channels[g]
        weights[g][:, np.searchsorted(used, own)] = kernels[g] / scale[own][:, None]
    outer = np.delete(weights, CENTRE, axis=3)
    return used, outer.reshape(groups * KERNELS, -1).astype(np.float32)


def _compete(
    read: NDArray[np.float32],
    weights: NDArray[np.float32],
    room: _Room,
    won: NDArray[np.float32],
    lost: NDArray[np.float32],
) -> None:
    """Fill in the sums over positions, `won` and `lost` (G, 8, N).

    Parameters
    ----------
    read : [U, 8, K, N]
        Channels and taps of K positions in each of N bins.
    weights : [G · 8, U · 8]
    """
    shape = (*won.shape[:2], *read.shape[2:])
    size = len(weights) * read[0, 0].size
    product = room.response[:size].reshape(len(weights), -1)
    np.matmul(weights, read.reshape(weights.shape[1], -1), out=product)
    response = product.reshape(shape)
    soft, equal = room.soft[:size].reshape(shape), room.equal[:size].reshape(shape)
    np.equal(response, response.max(axis=1, keepdims=True), out=equal)
    np.multiply(response, equal, out=soft)
    np.add.reduce(soft, axis=2, out=won)
    np.equal(response, response.min(axis=1, keepdims=True), out=equal)
    # A bin has few positions: bytes hold their number.
    lost[:] = equal.view(np.uint8).sum(axis=2, dtype=np.uint8)

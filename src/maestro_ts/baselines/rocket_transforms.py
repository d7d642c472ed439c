"""aeon's MultiRocket and Hydra as functions of arrays, which can be stored without a pickle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maestro_ts.errors import MissingExtraError

__all__ = ["ARRAYS", "LEAST_STEPS", "Transforms", "fit_transforms"]

# Of a kernel's nine taps, once more for the differences of neighbouring steps.
LEAST_STEPS = 10
KERNELS_PER_GROUP = 8
# Rows that Hydra convolves at once; it holds all kernels' answers to them.
CHUNK = 64

_ROCKET = ("channel_counts", "channels", "dilations", "features", "biases")
ARRAYS = (
    *("hydra_weights", "hydra_channels"),
    *(f"rocket_{series}_{name}" for series in ("values", "steps") for name in _ROCKET),
)

Array = NDArray[np.float32]


class Transforms:
    """Series [n, C, T] → features of Hydra and of MultiRocket.

    Parameters
    ----------
    arrays : dict of str to Tensor
        All of `ARRAYS`.
    shape : tuple of int
        C and T, at least `LEAST_STEPS` steps.
    groups : int
        Of Hydra.
    """

    def __init__(self, arrays: Mapping[str, Tensor], shape: tuple[int, int], groups: int) -> None:
        blank = np.zeros((2, *shape), dtype=np.float32)
        with _globals_kept():
            self.hydra = _hydra(groups, 0).fit(blank)
        self.hydra._hydra.W = arrays["hydra_weights"].cpu().float()
        self.hydra._hydra.idx = list(arrays["hydra_channels"].cpu())
        self.rocket = _aeon().MultiRocket(n_jobs=1, random_state=0)
        self.rocket._n_jobs, self.rocket.random_state_ = 1, 0
        own = {
            series: [_plain(arrays[f"rocket_{series}_{name}"]) for name in _ROCKET]
            for series in ("values", "steps")
        }
        # With one channel none are chosen.
        self.rocket.parameter = tuple(a for a in own["values"] if len(a))
        self.rocket.parameter1 = tuple(a for a in own["steps"] if len(a))

    def __call__(self, series: Array) -> tuple[Array, Array]:
        """Features of Hydra [n, H] and of MultiRocket [n, R]; a row depends on no other."""
        with torch.no_grad(), torch.autocast("cpu", enabled=False):
            parts = [
                self.hydra._transform(x) for x in np.split(series, range(CHUNK, len(series), CHUNK))
            ]
        return torch.cat(parts).numpy(), np.asarray(self.rocket._transform(series))


def fit_transforms(
    series: Array, kernels: int, groups: int, rng: np.random.Generator
) -> dict[str, Tensor]:
    """Kernels drawn, and their biases from training series: `ARRAYS`.

    Parameters
    ----------
    series : ndarray, shape (n, C, T), float32
    kernels : int
        Of MultiRocket, for the series and for its differences each.
    groups : int
        Of Hydra.
    rng : Generator
        aeon seeds the global generators of numpy and torch; they are put back.
    """
    seeds = rng.integers(2**31, size=2)
    with _globals_kept():
        hydra = _hydra(groups, int(seeds[0])).fit(series)._hydra
        rocket = _aeon().MultiRocket(n_kernels=kernels, n_jobs=1, random_state=int(seeds[1]))
        rocket.fit(series)
    arrays = {"hydra_weights": hydra.W, "hydra_channels": torch.stack(hydra.idx)}
    for name, given in (("values", rocket.parameter), ("steps", rocket.parameter1)):
        found = [np.zeros(0, dtype=np.int32)] * (len(_ROCKET) - len(given)) + list(given)
        for part, array in zip(_ROCKET, found, strict=True):
            arrays[f"rocket_{name}_{part}"] = torch.from_numpy(np.array(array))
    return arrays


def _hydra(groups: int, seed: int) -> Any:
    return _aeon().HydraTransformer(KERNELS_PER_GROUP, groups, n_jobs=1, random_state=seed)


def _plain(tensor: Tensor) -> NDArray[Any]:
    """As an array; aeon's code is compiled for float32 alone."""
    single = tensor.float() if tensor.is_floating_point() else tensor
    return np.asarray(single.cpu().numpy())


@contextmanager
def _globals_kept() -> Iterator[None]:
    """What aeon changes for everybody: both random states, and PyTorch's threads."""
    state, threads = np.random.get_state(), torch.get_num_threads()  # noqa: NPY002
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
        torch.set_num_threads(threads)


def _aeon() -> Any:
    try:
        from aeon.transformations.collection import convolution_based
    except ImportError as error:
        raise MissingExtraError.of("aeon", "rivals", "The model 'multirocket-hydra'") from error
    return convolution_based

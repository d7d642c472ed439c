"""A fitted front end and network as a function of windows. Draws nothing, changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.signals.masks import Mask
from maestro_ts.signals.windows import Windows
from maestro_ts.training.memory import memory_kept
from maestro_ts.training.precision import in_precision

__all__ = ["predict", "predict_kept", "predict_prepared"]


def predict(
    front_end: FrontEnd,
    network: Network,
    windows: Windows,
    *,
    batch_size: int = 64,
    device: torch.device | None = None,
    precision: str = "float32",
) -> Prediction:
    """Logits and explanations of all windows, in their order."""
    prepared = front_end.prepare(windows)
    return predict_prepared(
        front_end, network, prepared, len(windows), batch_size, device, precision
    )


def predict_prepared(
    front_end: FrontEnd,
    network: Network,
    prepared: Any,
    n: int,
    batch_size: int = 64,
    device: torch.device | None = None,
    precision: str = "float32",
) -> Prediction:
    """The same for windows that the front end has prepared."""
    rows = np.arange(n)
    return _predict(front_end, network, prepared, rows, None, batch_size, device, precision)


def predict_kept(
    front_end: FrontEnd,
    network: Network,
    windows: Windows,
    *,
    batch_size: int = 64,
    precision: str = "float32",
) -> Callable[[NDArray[np.bool_]], NDArray[np.float64]]:
    """Modalities kept [s, M] → probabilities [s, n, K] of all windows with the others absent.

    The windows are prepared once, and the windows of several rows share batches.
    """
    prepared, n = front_end.prepare(windows), len(windows)

    def ask(keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        rows = np.tile(np.arange(n), len(keep))
        kept = np.repeat(keep, n, axis=0)
        mask = Mask(kept, np.zeros((*kept.shape, 2)))
        found = _predict(front_end, network, prepared, rows, mask, batch_size, None, precision)
        return found.probabilities.reshape(len(keep), n, -1)

    return ask


def _predict(
    front_end: FrontEnd,
    network: Network,
    prepared: Any,
    rows: NDArray[np.intp],
    mask: Mask | None,
    batch_size: int,
    device: torch.device | None,
    precision: str,
) -> Prediction:
    """Rows of prepared windows, in this order; `mask` has one row for each."""
    n = len(rows)
    device = device or next(chain(network.parameters(), network.buffers())).device
    was_training = network.training
    network.eval()
    parts: list[_Part] = []
    try:
        with torch.no_grad(), memory_kept() if n > batch_size else nullcontext():
            run = in_precision(network, precision)
            for first in range(0, n, batch_size):
                some = np.arange(first, min(first + batch_size, n))
                hidden = None if mask is None else mask[some]
                out = run(front_end.collate(prepared, rows[some], hidden).to(device))
                parts.append(_Part(out.logits, out.budgets, out.expert_share, out.tokens))
    finally:
        network.train(was_training)
    logits = _join([p.logits for p in parts])
    return Prediction(
        logits=np.zeros((0, 1)) if logits is None else logits,
        budgets=_join([p.budgets for p in parts]),
        expert_share=_join([p.expert_share for p in parts]),
        tokens=_join([p.tokens for p in parts]),
    )


@dataclass(frozen=True)
class _Part:
    logits: Tensor
    budgets: Tensor | None
    expert_share: Tensor | None
    tokens: Tensor | None


def _join(parts: list[Tensor | None]) -> NDArray[Any] | None:
    there = [p for p in parts if p is not None]
    if not there or len(there) < len(parts):
        return None
    joined: NDArray[Any] = torch.cat(there).cpu().double().numpy()
    return joined

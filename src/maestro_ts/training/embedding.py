"""`EmbeddingMixin`: a fitted estimator's vectors of windows, for other tools."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.signals.windows import Windows
from maestro_ts.training.device import threads
from maestro_ts.training.memory import memory_kept

__all__ = ["EmbeddingMixin", "embed"]


class EmbeddingMixin(ClassNamePrefixFeaturesOutMixin, TransformerMixin):  # type: ignore[misc]
    """``transform``; scikit-learn adds ``fit_transform``, pandas output and the columns' names."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # float32, whatever comes in
        return tags

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Embeddings of windows, shape (n, D): what the head is given.

        Computed in float32, whatever `model.precision` is.

        Parameters
        ----------
        X : as in `fit`
        """
        check_is_fitted(self, "network_")
        windows = self._windows(X, reset=False)
        with threads(self.n_threads):
            return embed(self.front_end_, self.network_, windows)

    @property
    def _n_features_out(self) -> int:
        model = self.recipe_.model
        return int(model.width * model.members)


def embed(
    front_end: FrontEnd, network: Network, windows: Windows, *, batch_size: int = 64
) -> NDArray[np.float32]:
    """What the head would be given of each window, [n, D], in their order."""
    prepared, n = front_end.prepare(windows), len(windows)
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    parts = []
    try:
        with torch.no_grad(), memory_kept() if n > batch_size else nullcontext():
            for first in range(0, n, batch_size):
                rows = np.arange(first, min(first + batch_size, n))
                parts.append(network.pooled(front_end.collate(prepared, rows).to(device)))
    finally:
        network.train(was_training)
    joined: NDArray[np.float32] = torch.cat(parts).cpu().numpy()
    return joined

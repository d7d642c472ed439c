"""Ridge regression on ±1 per class: strength and temperature chosen by leaving out windows.

A window is left out together with its copies: left out alone, it would be predicted by them.
Everything is found from the products of rows, which are fewer than the features (the dual form).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

__all__ = ["ALPHAS", "fit_ridge"]

Floats = NDArray[np.float64]

# As published: scikit-learn's RidgeClassifierCV with these.
ALPHAS = np.logspace(-3, 3, 10)
BLOCK = 2048


def fit_ridge(
    features: NDArray[np.float32],
    targets: NDArray[np.int64],
    weights: Floats,
    n_outputs: int,
    windows: int,
) -> Floats:
    """Coefficients [F, K] whose products with the features are logits.

    Parameters
    ----------
    features : ndarray, shape (copies · windows, F), float32
        All windows in order, then all of the first copy, and so on; the intercept is a column.
    targets : ndarray, shape (copies · windows,)
    weights : ndarray, shape (copies · windows,)
        The squared error of each row counts so often; a row of weight 0 has no say.
    n_outputs : int
    windows : int

    Notes
    -----
    The strength has the least squared error of what was left out, as in generalised
    cross-validation by leave-one-out; then one temperature, the same for all classes, the least
    log loss of softmax of the same values. Least squares alone gives no probabilities.
    """
    root = np.sqrt(weights)[:, None]
    signs = np.where(targets[:, None] == np.arange(n_outputs), 1.0, -1.0)
    gram = np.zeros((len(features), len(features)))
    for first in range(0, features.shape[1], BLOCK):
        part = features[:, first : first + BLOCK] * root
        gram += part @ part.T
    values, vectors = np.linalg.eigh(gram)
    values = np.maximum(values, 0.0)
    turned = vectors.T @ (signs * root)
    # [windows, rows of one, …]: the rows of a window are left out together.
    rows = vectors.reshape(-1, windows, len(vectors)).swapaxes(0, 1)
    best: tuple[float, Floats, Floats] | None = None
    for alpha in ALPHAS:
        inverse = 1.0 / (values + alpha)
        dual = vectors @ (inverse[:, None] * turned)
        blocks = (rows * inverse) @ rows.swapaxes(1, 2)
        own = dual.reshape(-1, windows, n_outputs).swapaxes(0, 1)
        missed = np.linalg.solve(blocks, own).swapaxes(0, 1).reshape(dual.shape)
        error = float((missed**2).sum())
        if best is None or error < best[0]:
            best = (error, dual, missed)
    assert best is not None
    _, dual, missed = best
    counted = weights > 0
    left_out = signs[counted] - missed[counted] / root[counted]
    temperature = _temperature(left_out, targets[counted], weights[counted])
    coefficients = np.zeros((features.shape[1], n_outputs))
    for first in range(0, features.shape[1], BLOCK):
        coefficients[first : first + BLOCK] = features[:, first : first + BLOCK].T @ (root * dual)
    return coefficients / temperature


def _temperature(decisions: Floats, targets: NDArray[np.int64], weights: Floats) -> float:
    """By which decisions are divided so that their softmax has the least log loss."""

    def loss(log_temperature: float) -> float:
        logs = log_softmax(decisions / np.exp(log_temperature), axis=1)
        return float(-(weights * logs[np.arange(len(targets)), targets]).sum())

    found = minimize_scalar(loss, bounds=(-5.0, 5.0), method="bounded")
    return float(np.exp(found.x))

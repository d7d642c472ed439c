"""Calibration by its definitions, window by window."""

from __future__ import annotations

from math import erf, exp, inf, log, pi, sqrt

import numpy as np


def slow_temperature(
    whole: float, absent: float, lost: float, present: np.ndarray, share_lost: np.ndarray
) -> np.ndarray:
    """whole / (share of modalities)^absent / (share of samples)^lost."""
    found = []
    for there, gone in zip(present, share_lost, strict=True):
        share = sum(bool(p) for p in there) / len(there)
        found.append(whole / share**absent / (1 - gone) ** lost)
    return np.array(found)


def slow_log_loss(logits: np.ndarray, truth: np.ndarray, temperature: np.ndarray) -> float:
    total = 0.0
    for z, y, t in zip(logits, truth, temperature, strict=True):
        odds = [exp((value - max(z)) / t) for value in z]
        total -= log(odds[y] / sum(odds))
    return total / len(truth)


def slow_error(confidence: list[float], accuracy: list[float], size: list[int]) -> float:
    """Σ share of the bin · (|d| − (E|X| − |d|)), X normal about d."""
    total = 0.0
    for c, a, n in zip(confidence, accuracy, size, strict=True):
        d, s = a - c, sqrt(a * (1 - a) / n)
        folded = abs(d)
        if s > 0:
            folded = s * sqrt(2 / pi) * exp(-d * d / (2 * s * s)) + d * erf(d / (s * sqrt(2)))
        total += n / sum(size) * (abs(d) - (folded - abs(d)))
    return max(total, 0.0)


def slow_threshold(scores: np.ndarray, subjects: np.ndarray, coverage: float) -> float:
    """The smallest score at which the mean over subjects, the next one at infinity, is enough."""
    names = set(subjects.tolist())
    for candidate in sorted(scores):
        shares = [(scores[subjects == name] <= candidate).mean() for name in names]
        if sum(shares) / (len(names) + 1) >= coverage - 1e-9:
            return float(candidate)
    return inf

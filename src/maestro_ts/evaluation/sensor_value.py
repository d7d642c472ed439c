"""`SensorValue`: what each modality or device is worth to a model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["KeptSet", "SensorValue"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class KeptSet:
    """A set of players that one might keep.

    Attributes
    ----------
    players : tuple of str
    cost : float
    score : float
    interval : (low, high) or None
    share : float or None
        Of what all players add to nothing; None where they add nothing.
    """

    players: tuple[str, ...]
    cost: float
    score: float
    interval: tuple[float, float] | None
    share: float | None


@dataclass(frozen=True)
class SensorValue:
    """Values of P players to a model of K classes; intervals are 95 % by subject.

    All intervals are None where there is one subject or none is known.

    Attributes
    ----------
    by : {"device", "modality"}
    players : tuple of str, P
    there : (P,)
        Share of the windows that have it.
    metric : {"macro_f1", "auroc"}
    nothing, everything : float
        Score without any player and with all.
    nothing_interval, everything_interval : (2,) or None
    loss, loss_interval : (P,); (2, P) or None
        What the score loses if this player alone fails.
    shapley, shapley_interval : (P,); (2, P) or None
        They add up to ``everything - nothing``.
    shapley_error : (P,) or None
        Standard error from sampling orders; None where all sets were tested.
    pairs, pairs_interval : (P, P); (2, P, P); or None
        Shapley interaction index: above 0 they need, below 0 they replace each other. None where
        orders were sampled.
    classes : tuple of str, K
    class_windows : (K,)
    class_f1 : (K,)
        With everything.
    class_loss, class_loss_interval : (P, K); (2, P, K) or None
        What the F1 of a class loses if this player alone fails.
    class_shapley : (P, K)
        Of the F1 of a class.
    costs : (P,)
        1 each unless they were given.
    unit : str
        Of the costs; empty if none were given.
    front : tuple of KeptSet
        The best set under every budget, cheapest first: of all sets where all were tested, else of
        those tested.
    smallest : KeptSet
        The fewest players that keep 95 %.
    sets, windows, subjects, draws : int
        How many were tested, on how many windows of how many subjects, drawn how often.
    """

    by: str
    players: tuple[str, ...]
    there: Floats
    metric: str
    nothing: float
    nothing_interval: Floats | None
    everything: float
    everything_interval: Floats | None
    loss: Floats
    loss_interval: Floats | None
    shapley: Floats
    shapley_interval: Floats | None
    shapley_error: Floats | None
    pairs: Floats | None
    pairs_interval: Floats | None
    classes: tuple[str, ...]
    class_windows: NDArray[np.int64]
    class_f1: Floats
    class_loss: Floats
    class_loss_interval: Floats | None
    class_shapley: Floats
    costs: Floats
    unit: str
    front: tuple[KeptSet, ...]
    smallest: KeptSet
    sets: int
    windows: int
    subjects: int
    draws: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON gives them back."""
        return {key: _plain(value) for key, value in asdict(self).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value

"""Arithmetic on what sets of players are worth: who earns it, who goes with whom, what to keep.

A *player* is a modality or a device, a *coalition* a set of them, its worth a score reached with
them alone. Nothing here knows of signals or networks. Shapley (1953), "A value for n-person games";
pairs: Grabisch and Roubens (1999), "An axiomatic approach to the concept of interaction among
players in cooperative games"; antithetic orders: Mitchell, Cooper, Frank and Holmes (2022), JMLR
23(43).
"""

from __future__ import annotations

from math import factorial

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "EXACT_UP_TO",
    "along_orders",
    "antithetic_orders",
    "every_coalition",
    "interactions",
    "order_shapley",
    "pareto_front",
    "shapley",
    "smallest_keeping",
]

EXACT_UP_TO = 12  # players: 4,096 coalitions

Floats = NDArray[np.float64]


def every_coalition(n: int) -> NDArray[np.bool_]:
    """All coalitions of n players, [2^n, n]: bit i of a row's number says whether i is in."""
    return np.asarray((np.arange(2**n)[:, None] >> np.arange(n)) % 2 == 1)


def shapley(worth: Floats) -> Floats:
    """Shapley values, exactly: what a player adds, averaged over all orders of arrival.

    Parameters
    ----------
    worth : (..., 2^n)
        Of every coalition, in the order of `every_coalition`.

    Returns
    -------
    (..., n)
        They add up to the worth of all less that of nobody.
    """
    n = _players(worth)
    size = every_coalition(n).sum(axis=1)
    share = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)])
    values = np.empty((*worth.shape[:-1], n))
    for i in range(n):
        without = _lacking(n, 1 << i)
        values[..., i] = (worth[..., without | 1 << i] - worth[..., without]) @ share[size[without]]
    return values


def interactions(worth: Floats) -> Floats:
    """Shapley interaction index of every pair: above 0 they need, below 0 they replace each other.

    Parameters
    ----------
    worth : (..., 2^n)
        Of every coalition, in the order of `every_coalition`.

    Returns
    -------
    (..., n, n)
        Symmetric; 0 on the diagonal.
    """
    n = _players(worth)
    size = every_coalition(n).sum(axis=1)
    share = np.array(
        [factorial(s) * factorial(n - s - 2) / factorial(n - 1) for s in range(max(n - 1, 0))]
    )
    index = np.zeros((*worth.shape[:-1], n, n))
    for i in range(n):
        for j in range(i):
            a, b = 1 << i, 1 << j
            rest = _lacking(n, a | b)
            together = worth[..., rest | a | b] - worth[..., rest | a]
            found = (together - worth[..., rest | b] + worth[..., rest]) @ share[size[rest]]
            index[..., i, j] = index[..., j, i] = found
    return index


def antithetic_orders(n: int, pairs: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Random orders of n players, [pairs, 2, n]: the second of a pair is the first backwards.

    Who comes early in one comes late in the other, so the errors of a pair partly cancel.
    """
    orders = np.stack([rng.permutation(n) for _ in range(pairs)])
    return np.stack([orders, orders[:, ::-1]], axis=1)


def along_orders(orders: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Coalitions that form on the way from nobody to all: [..., n] → [..., n + 1, n]."""
    arrival = np.argsort(orders, axis=-1)
    return np.asarray(arrival[..., None, :] < np.arange(orders.shape[-1] + 1)[:, None])


def order_shapley(worth: Floats, orders: NDArray[np.intp]) -> Floats:
    """Estimates of the Shapley values, one of each pair of orders; their mean is unbiased.

    Parameters
    ----------
    worth : (..., pairs, 2, n + 1)
        Of the coalitions `along_orders`.
    orders : (pairs, 2, n)

    Returns
    -------
    (..., pairs, n)
    """
    gains = np.diff(worth, axis=-1)
    arrival = np.broadcast_to(np.argsort(orders, axis=-1), gains.shape)
    return np.asarray(np.take_along_axis(gains, arrival, axis=-1).mean(axis=-2))


def pareto_front(costs: Floats, worth: Floats) -> list[int]:
    """Coalitions that no other beats at the same cost or less, the cheapest first.

    Parameters
    ----------
    costs, worth : (coalitions,)
    """
    front: list[int] = []
    for i in np.lexsort((-worth, costs)):
        if not front or worth[i] > worth[front[-1]]:
            front.append(int(i))
    return front


def smallest_keeping(
    coalitions: NDArray[np.bool_], worth: Floats, nobody: float, everybody: float, share: float
) -> int:
    """The coalition of the fewest players that keeps a share of what all add to nobody.

    Parameters
    ----------
    coalitions : (coalitions, n)
        All of the players among them.
    worth : (coalitions,)
    nobody, everybody : float
        Worth of no player and of all.
    share : float
        In [0, 1].

    Returns
    -------
    int
        Its row; of several of one size the worthiest.
    """
    asked = nobody + share * (everybody - nobody)
    # A hair of tolerance: a share of 1 must find the whole set whatever its rounding.
    enough = np.flatnonzero((worth >= asked - 1e-12) | coalitions.all(axis=1))
    size = coalitions[enough].sum(axis=1)
    return int(enough[np.lexsort((-worth[enough], size))[0]])


def _players(worth: Floats) -> int:
    n = int(worth.shape[-1]).bit_length() - 1
    if worth.shape[-1] != 2**n:
        raise ValueError(f"a worth for each of 2^n coalitions is needed, got {worth.shape[-1]}.")
    return n


def _lacking(n: int, bits: int) -> NDArray[np.intp]:
    """Numbers of the coalitions that have none of these players."""
    numbers = np.arange(2**n)
    return np.flatnonzero(numbers & bits == 0)

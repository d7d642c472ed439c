from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from maestro_ts.evaluation.coalitions import (
    along_orders,
    antithetic_orders,
    every_coalition,
    interactions,
    order_shapley,
    pareto_front,
    shapley,
    smallest_keeping,
)
from reference.slow_coalitions import (
    slow_front,
    slow_interaction,
    slow_shapley,
    slow_smallest,
)

FINITE = st.floats(-10, 10, allow_subnormal=False)


def games(n: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float64, 2**n, elements=FINITE)


def code(coalition: np.ndarray) -> np.ndarray:
    return coalition @ (1 << np.arange(coalition.shape[-1]))


def of(worth: np.ndarray):
    return lambda s: float(worth[sum(1 << i for i in s)])


@st.composite
def any_game(draw: st.DrawFn) -> tuple[int, np.ndarray]:
    n = draw(st.integers(1, 5))
    return n, draw(games(n))


def test_every_coalition_is_there_once() -> None:
    found = every_coalition(4)
    assert (code(found) == np.arange(16)).all()
    assert every_coalition(0).shape == (1, 0)


# -------------------------------------------------------------- the four axioms


@given(any_game())
def test_efficiency(game: tuple[int, np.ndarray]) -> None:
    _, worth = game
    assert shapley(worth).sum() == pytest.approx(worth[-1] - worth[0], abs=1e-9)


@given(any_game(), st.data())
def test_who_can_change_places_has_the_same_value(
    game: tuple[int, np.ndarray], data: st.DataObject
) -> None:
    n, worth = game
    i, j = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, n - 1))
    swapped = every_coalition(n)
    swapped[:, [i, j]] = swapped[:, [j, i]]
    symmetric = worth + worth[code(swapped)]
    values = shapley(symmetric)
    assert values[i] == pytest.approx(values[j], abs=1e-9)


@given(any_game(), st.data())
def test_who_adds_nothing_gets_nothing(game: tuple[int, np.ndarray], data: st.DataObject) -> None:
    n, worth = game
    i = data.draw(st.integers(0, n - 1))
    ignoring = worth[np.arange(2**n) & ~(1 << i)]
    assert shapley(ignoring)[i] == pytest.approx(0.0, abs=1e-9)
    assert interactions(ignoring)[i] == pytest.approx(np.zeros(n), abs=1e-9)


@given(st.integers(1, 5).flatmap(lambda n: st.tuples(games(n), games(n))), FINITE)
def test_values_of_a_sum_are_the_sum_of_values(
    two: tuple[np.ndarray, np.ndarray], factor: float
) -> None:
    one, other = two
    expected = shapley(one) + factor * shapley(other)
    assert shapley(one + factor * other) == pytest.approx(expected, abs=1e-7)


# ------------------------------------------------------------- the slow twins


@given(any_game())
def test_values_and_interactions_are_those_of_the_definitions(
    game: tuple[int, np.ndarray],
) -> None:
    n, worth = game
    assert shapley(worth) == pytest.approx(slow_shapley(of(worth), n), abs=1e-9)
    found = interactions(worth)
    for i in range(n):
        for j in range(n):
            expected = slow_interaction(of(worth), n, i, j) if i != j else 0.0
            assert found[i, j] == pytest.approx(expected, abs=1e-9)


def test_many_games_at_once_are_each_game() -> None:
    worth = np.random.default_rng(0).normal(size=(3, 2, 16))
    for a in range(3):
        for b in range(2):
            assert np.allclose(shapley(worth)[a, b], shapley(worth[a, b]))
            assert np.allclose(interactions(worth)[a, b], interactions(worth[a, b]))


def test_pairs_that_replace_or_need_each_other() -> None:
    """Player 2 is worth 1 by itself; 0 and 1: either is enough, or only both count."""
    there = every_coalition(3)
    either = (there[:, 0] | there[:, 1]) + there[:, 2].astype(float)
    both = (there[:, 0] & there[:, 1]) + there[:, 2].astype(float)
    assert np.allclose(shapley(either), [0.5, 0.5, 1.0])
    assert np.allclose(shapley(both), [0.5, 0.5, 1.0])
    for worth, sign in ((either, -1.0), (both, 1.0)):
        expected = np.zeros((3, 3))
        expected[0, 1] = expected[1, 0] = sign
        assert np.allclose(interactions(worth), expected)


def test_a_table_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2\\^n coalitions"):
        shapley(np.zeros(6))


# ---------------------------------------------------------------------- orders


def estimates(worth: np.ndarray, pairs: int, seed: int = 0) -> np.ndarray:
    n = len(worth).bit_length() - 1
    orders = antithetic_orders(n, pairs, np.random.default_rng(seed))
    return order_shapley(worth[code(along_orders(orders))], orders)


def test_an_order_and_the_coalitions_on_its_way() -> None:
    orders = antithetic_orders(4, 3, np.random.default_rng(0))
    assert (np.sort(orders, axis=-1) == np.arange(4)).all()
    assert (orders[:, 0] == orders[:, 1, ::-1]).all()
    for order, way in zip(
        orders.reshape(-1, 4), along_orders(orders).reshape(-1, 5, 4), strict=True
    ):
        for k in range(5):
            assert set(np.flatnonzero(way[k])) == set(order[:k])


def test_all_orders_together_are_exact() -> None:
    worth = np.random.default_rng(1).normal(size=16)
    orders = np.array([[p, p[::-1]] for p in permutations(range(4))])
    assert len(orders) == factorial(4)
    found = order_shapley(worth[code(along_orders(orders))], orders)
    assert np.allclose(found.mean(axis=0), shapley(worth))


@given(any_game())
def test_every_estimate_shares_out_everything(game: tuple[int, np.ndarray]) -> None:
    _, worth = game
    assert estimates(worth, 3).sum(axis=1) == pytest.approx(worth[-1] - worth[0], abs=1e-9)


def test_estimates_lie_around_the_value_as_their_error_says() -> None:
    worth = np.random.default_rng(2).normal(size=64)
    found = estimates(worth, 400)
    error = found.std(axis=0, ddof=1) / np.sqrt(400)
    away = (found.mean(axis=0) - shapley(worth)) / error
    assert (np.abs(away) < 4).all()
    assert (error < 0.1).all()


def test_a_pair_of_additive_and_pairwise_games_has_no_error() -> None:
    """What depends on single players and pairs alone is exact in every antithetic pair."""
    there = every_coalition(5).astype(float)
    rng = np.random.default_rng(3)
    worth = there @ rng.normal(size=5) + np.einsum(
        "si,ij,sj->s", there, rng.normal(size=(5, 5)), there
    )
    assert np.allclose(estimates(worth, 4), shapley(worth))


# --------------------------------------------------------------- what to keep


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(-5, 5)), min_size=1, max_size=20),
)
def test_the_front_is_what_nothing_beats(points: list[tuple[int, int]]) -> None:
    costs, worths = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    front = pareto_front(costs, worths)
    found = [(costs[i], worths[i]) for i in front]
    assert set(found) == slow_front(list(costs), list(worths))
    assert len(set(found)) == len(found)
    assert found == sorted(found)


@given(any_game(), st.floats(0, 1))
def test_the_smallest_set_that_keeps_a_share(game: tuple[int, np.ndarray], share: float) -> None:
    n, worth = game
    sets = every_coalition(n)
    row = smallest_keeping(sets, worth, worth[0], worth[-1], share)
    assert (int(sets[row].sum()), worth[row]) == slow_smallest(of(worth), n, share)

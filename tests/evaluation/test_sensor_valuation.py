"""Values of sensors to models whose worth is known: they read labels off what is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from maestro_ts.errors import ConfigError, DataError
from maestro_ts.evaluation.metrics import macro_f1, roc_auc
from maestro_ts.evaluation.sensor_valuation import value_sensors
from maestro_ts.evaluation.sensor_value import SensorValue
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Windows

N, K = 60, 3
SUBJECTS = np.array([f"s{i % 6}" for i in range(N)])
TRUTH = np.arange(N) // 2 % K
CLASSES = ["rest", "walk", "fall"]


def windows_of(*devices: str) -> Windows:
    """A modality for each entry, on the device it names."""
    sensors = [Modality(f"m{i:02d}", rate_hz=2.0, device=d) for i, d in enumerate(devices)]
    X = {m.name: np.zeros((N, 4, 1)) for m in sensors}
    return Windows.from_arrays(X, Schema(sensors), duration_s=2.0, subjects=SUBJECTS)


class Votes:
    """Each kept modality votes for the truth in windows of its own; who is asked is counted."""

    def __init__(self, votes: np.ndarray) -> None:
        self.votes = votes  # [M, n]
        self.asked: list[bytes] = []

    def __call__(self, keep: np.ndarray) -> np.ndarray:
        self.asked += [row.tobytes() for row in keep]
        strength = keep.astype(float) @ self.votes  # [s, n]
        probabilities = np.full((len(keep), N, K), 0.1)
        probabilities[:, :, 0] += 0.5  # the prior
        probabilities[:, np.arange(N), TRUTH] += strength
        return probabilities / probabilities.sum(axis=2, keepdims=True)


def value(ask: Any, windows: Windows, **options: Any) -> SensorValue:
    options = {"subjects": SUBJECTS, "rng": np.random.default_rng(0)} | options
    return value_sensors(ask, windows, TRUTH, CLASSES, **options)


def votes(m: int, seed: int = 0) -> Votes:
    return Votes((np.random.default_rng(seed).random((m, N)) < 0.4).astype(float))


def score(ask: Votes, keep: list[bool]) -> float:
    return macro_f1(TRUTH, ask(np.array([keep]))[0].argmax(axis=1))


def test_losses_shapley_and_sets_of_three_modalities() -> None:
    ask, windows = votes(3), windows_of("a", "b", "c")
    found = value(ask, windows, by="modality")
    assert len(ask.asked) == len(set(ask.asked)) == found.sets == 8
    assert found.everything == pytest.approx(score(ask, [True] * 3))
    assert found.nothing == pytest.approx(score(ask, [False] * 3))
    for i in range(3):
        keep = [j != i for j in range(3)]
        assert found.loss[i] == pytest.approx(found.everything - score(ask, keep))
    assert found.shapley.sum() == pytest.approx(found.everything - found.nothing)
    assert found.shapley_error is None
    # By hand for the first: alone, after one, after the other, last.
    v = {code: score(ask, [bool(code >> i & 1) for i in range(3)]) for code in range(8)}
    by_hand = (v[1] - v[0]) / 3 + (v[3] - v[2] + v[5] - v[4]) / 6 + (v[7] - v[6]) / 3
    assert found.shapley[0] == pytest.approx(by_hand)
    for one in found.front:
        keep = [name in one.players for name in windows.schema.names]
        assert one.score == pytest.approx(score(ask, keep))
        assert one.cost == sum(keep)
    assert found.front[0].players == ()
    assert found.front[-1].score == max(v.values())


def test_what_fails_together_is_one_player() -> None:
    ask, windows = votes(4), windows_of("wrist", "ankle", "wrist", "ankle")
    found = value(ask, windows)
    assert found.players == ("ankle", "wrist")
    assert found.sets == 4
    without_ankle = score(ask, [True, False, True, False])
    assert found.loss[0] == pytest.approx(found.everything - without_ankle)


def test_a_device_of_no_use_and_two_alike() -> None:
    one = (np.random.default_rng(0).random(N) < 0.5).astype(float)
    found = value(Votes(np.stack([one, one, 0 * one])), windows_of("a", "b", "idle"))
    assert found.loss == pytest.approx([0, 0, 0])
    assert found.shapley[2] == 0.0
    assert found.shapley[0] == pytest.approx(found.shapley[1])
    assert found.shapley[0] > 0.1
    assert found.pairs is not None
    assert found.pairs[0, 1] == pytest.approx(-2 * found.shapley[0])  # either replaces the other
    assert found.smallest.players in (("a",), ("b",))
    assert found.smallest.share == pytest.approx(1.0)


def test_two_that_need_each_other() -> None:
    half = np.full(N, 0.3)  # alone too weak against the prior
    found = value(Votes(np.stack([half, half])), windows_of("a", "b"))
    assert found.pairs is not None
    assert found.pairs[0, 1] == pytest.approx(found.everything - found.nothing)
    assert found.smallest.players == ("a", "b")


def test_without_the_ankle_falls_are_lost() -> None:
    fall = (TRUTH == 2).astype(float)
    found = value(Votes(np.stack([fall, 1 - fall])), windows_of("ankle", "wrist"))
    assert found.class_f1 == pytest.approx([1, 1, 1])
    # Falls are taken for rest then.
    assert found.class_loss[0] == pytest.approx([1 / 3, 0, 1])
    assert found.class_loss[1] == pytest.approx([1 / 3, 1, 0])
    assert found.class_shapley[:, 2] == pytest.approx([1, 0])
    assert found.class_windows.tolist() == [20, 20, 20]


def test_intervals_hold_the_values_and_repeat_with_the_seed() -> None:
    windows = windows_of("a", "b", "c")
    found, again, other = (
        value(votes(3), windows, rng=np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    for name in ("loss", "shapley", "pairs", "class_loss", "everything"):
        at, (low, high) = getattr(found, name), getattr(found, f"{name}_interval")
        assert (low <= np.asarray(at) + 1e-9).all(), name
        assert (np.asarray(at) <= high + 1e-9).all(), name
    assert (found.shapley_interval[1] - found.shapley_interval[0] > 0.01).all()
    assert json.dumps(found.to_dict()) == json.dumps(again.to_dict())
    assert found.to_dict()["shapley_interval"] != other.to_dict()["shapley_interval"]
    assert (found.subjects, found.draws) == (6, 1000)


@pytest.mark.parametrize("subjects", [None, np.full(N, "s")])
def test_no_interval_without_several_subjects(subjects: np.ndarray | None) -> None:
    found = value(votes(2), windows_of("a", "b"), subjects=subjects)
    assert found.loss_interval is None
    assert found.shapley_interval is None
    assert found.pairs_interval is None
    assert found.smallest.interval is None
    assert found.draws == 0


def test_costs_decide_what_is_kept() -> None:
    one = (np.random.default_rng(0).random(N) < 0.5).astype(float)
    costs = {"a": 12.0, "b": 3.0, "idle": 1.0}
    found = value(
        Votes(np.stack([one, one, 0 * one])),
        windows_of("a", "b", "idle"),
        costs=costs,
        unit="mW",
    )
    assert [(f.players, f.cost) for f in found.front] == [((), 0.0), (("b",), 3.0)]
    assert (found.unit, found.costs.tolist()) == ("mW", [12.0, 3.0, 1.0])


# ---------------------------------------------------------- more than twelve


def test_more_than_twelve_are_sampled() -> None:
    ask, windows = votes(13), windows_of(*(f"d{i:02d}" for i in range(13)))
    seen = []
    found = value(ask, windows, permutations=20, progress=lambda *done: seen.append(done))
    assert len(ask.asked) == len(set(ask.asked)) == found.sets < 20 * 13 + 13 * 14 // 2
    assert found.shapley.sum() == pytest.approx(found.everything - found.nothing)
    assert found.pairs is None
    assert found.shapley_error is not None
    assert found.shapley_interval is not None
    width = found.shapley_interval[1] - found.shapley_interval[0]
    assert (width > 2 * found.shapley_error).all()  # it holds the sampling as well
    for i in range(13):
        keep = [j != i for j in range(13)]
        assert found.loss[i] == pytest.approx(found.everything - score(ask, keep))
    assert found.smallest.share >= 0.95
    assert len(found.smallest.players) < 13
    assert all(done <= total for done, total in seen)
    assert seen[-1][0] == found.sets


def test_sampled_values_are_near_the_exact_ones() -> None:
    """A thirteenth of no use changes no value of the others."""
    ask = votes(12)
    exact = value(ask, windows_of(*(f"d{i:02d}" for i in range(12))), subjects=None)
    padded = Votes(np.concatenate([ask.votes, np.zeros((1, N))]))
    windows = windows_of(*(f"d{i:02d}" for i in range(13)))
    found = value(padded, windows, subjects=None, permutations=60)
    assert found.shapley_error is not None
    assert found.shapley[12] == found.shapley_error[12] == 0.0
    away = (found.shapley[:12] - exact.shapley) / found.shapley_error[:12]
    assert (np.abs(away) < 4).all()


# ----------------------------------------------------------------------- AUROC


def binary(keep: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(3)
    told = keep.astype(float) @ rng.random((2, N)) * (2 * (TRUTH == 1) - 1)
    p = 1 / (1 + np.exp(-told + rng.normal(size=N)))
    return np.stack([1 - p, p], axis=2)


def ranked(**options: Any) -> SensorValue:
    return value_sensors(
        binary,
        windows_of("a", "b"),
        (TRUTH == 1).astype(np.int64),
        ["alive", "dead"],
        metric="auroc",
        rng=np.random.default_rng(0),
        **({"subjects": SUBJECTS} | options),
    )


def test_values_of_a_ranking() -> None:
    found = ranked()
    p = binary(np.array([[True, True], [False, True]]))[:, :, 1]
    assert found.everything == pytest.approx(roc_auc(TRUTH == 1, p[0]))
    assert found.loss[0] == pytest.approx(found.everything - roc_auc(TRUTH == 1, p[1]))
    assert found.shapley.sum() == pytest.approx(found.everything - found.nothing)
    flipped = ranked(positive="alive")
    assert flipped.everything == pytest.approx(found.everything)  # of two classes


def test_draws_of_one_class_are_left_out() -> None:
    """One subject has all positives: a draw without it has nothing to rank."""
    owners = np.where(TRUTH == 1, "ill", np.array([f"s{i % 4}" for i in range(N)]))
    found = ranked(subjects=owners)
    assert 100 < found.draws < 200
    assert found.loss_interval is not None
    assert np.isfinite(found.loss_interval).all()


# --------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "sensor"}, "valued by 'sensor'"),
        ({"metric": "macrof1"}, "Did you mean 'macro_f1'"),
        ({"permutations": 5}, "even and 4 or more, got 5"),
        ({"metric": "auroc"}, "AUROC needs the class"),
        ({"metric": "auroc", "positive": "dead"}, "'dead' among 3 classes"),
        ({"costs": {"a": 1.0, "bb": 2.0}}, "unknown device 'bb'. Did you mean 'b'"),
        ({"costs": {"a": 1.0}}, "every device: b not"),
        ({"costs": {"a": 1.0, "b": -1.0}}, "the cost of 'b' must be a number of at least 0"),
        ({"costs": {"a": 1.0, "b": float("nan")}}, "got nan"),
    ],
)
def test_what_cannot_be_valued_is_refused_before_anything_is_asked(
    options: dict[str, Any], message: str
) -> None:
    ask: Callable[..., Any] = Votes(np.zeros((2, N)))
    with pytest.raises(ConfigError, match=message.replace("?", "\\?")):
        value(ask, windows_of("a", "b"), **options)
    assert ask.asked == []  # type: ignore[attr-defined]


def test_a_ranking_of_one_class_is_refused() -> None:
    with pytest.raises(DataError, match="one class"):
        value_sensors(
            binary,
            windows_of("a", "b"),
            np.zeros(N, dtype=np.int64),
            ["alive", "dead"],
            subjects=None,
            metric="auroc",
            rng=np.random.default_rng(0),
        )

from __future__ import annotations

import numpy as np
import pytest

from maestro_ts.errors import ConfigError
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.protocol import NOISE, Condition, conditions, evaluate, pool
from maestro_ts.signals.levels import Levels
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.windows import Windows

RATES = (0.0, 0.2, 0.5, 0.8)


def schema_of(m: int) -> Schema:
    return Schema([Modality(f"m{i}", rate_hz=2.0 + i, device=f"d{i // 2}") for i in range(m)])


def windows_of(m: int, n: int = 30, *, gaps: bool = False) -> Windows:
    rng = np.random.default_rng(0)
    X = {}
    for i, modality in enumerate(schema_of(m)):
        values = rng.normal(size=(n, 2 * (2 + i), 1))
        if gaps:
            values[rng.random(n) < 0.3] = np.nan
        X[modality.name] = values
    subjects = [f"s{i % 5}" for i in range(n)]
    return Windows.from_arrays(X, schema_of(m), duration_s=2.0, subjects=subjects)


def count_present(windows: Windows) -> Prediction:
    """A model whose logits say what it saw."""
    return Prediction(
        logits=np.stack([windows.present.sum(axis=1), np.full(len(windows), 0.5)], axis=1),
        tokens=windows.present.sum(axis=1),
    )


def truth_of(windows: Windows) -> np.ndarray:
    return np.arange(len(windows)) % 2


# ------------------------------------------------------------------ conditions


@pytest.mark.parametrize("m", [1, 2, 5])
def test_up_to_five_modalities_are_tested_in_every_pattern(m: int) -> None:
    plan = conditions(schema_of(m), RATES, ["modality"])
    assert len(plan) == 2**m - 1
    assert len({c.pattern for c in plan}) == 2**m - 1
    assert {c.mode for c in plan} == {"pattern"}
    assert plan[0].pattern == schema_of(m).names


def test_more_than_five_modalities_are_drawn_at_every_rate() -> None:
    plan = conditions(schema_of(6), RATES, ["modality"], seed=7)
    assert [(c.mode, c.rate, c.pattern, c.seed) for c in plan] == [
        ("modality", rate, (), 7) for rate in RATES
    ]


def test_other_modes_are_drawn_at_every_rate_beside_the_patterns() -> None:
    plan = conditions(schema_of(2), RATES, ["modality", "segment", "points"])
    assert [c.mode for c in plan] == ["pattern"] * 3 + ["segment"] * 4 + ["points"] * 4
    assert [c.rate for c in plan[3:]] == [*RATES, *RATES]


@pytest.mark.parametrize("m", [2, 6])
@pytest.mark.parametrize("mode", ["modality", "device", "segment", "points"])
def test_the_first_condition_is_complete_input_whatever_the_rates(m: int, mode: str) -> None:
    windows = windows_of(m)
    plan = conditions(windows.schema, (0.8, 0.4), [mode])
    first = evaluate(count_present, windows, truth_of(windows), plan[:1])[0]
    assert first.realised == 0.0
    assert (first.present == windows.present).all()
    for name in windows.schema.names:
        assert not np.isnan(hidden(windows, plan[0]).samples[name].values).any()


def test_no_rate_is_tested_twice() -> None:
    plan = conditions(schema_of(6), (0.5, 0, 0.5), ["modality"])
    assert [c.rate for c in plan] == [0.0, 0.5]


def test_an_unknown_mode_is_refused_by_name() -> None:
    windows = windows_of(2)
    plan = conditions(windows.schema, RATES, ["sensor"])
    with pytest.raises(ConfigError, match=r"unknown mode 'sensor'; known: modality"):
        evaluate(count_present, windows, truth_of(windows), plan)


# ----------------------------------------------------------------------- masks


def hidden(windows: Windows, condition: Condition) -> Windows:
    seen: list[Windows] = []

    def model(shown: Windows) -> Prediction:
        seen.append(shown)
        return count_present(shown)

    evaluate(model, windows, truth_of(windows), [condition])
    return seen[0]


@pytest.mark.parametrize("mode", ["modality", "device", "segment", "points"])
def test_every_model_sees_the_same_absences(mode: str) -> None:
    windows = windows_of(6)
    one, two = (hidden(windows, Condition(mode, 0.5, seed=3)) for _ in range(2))
    other = hidden(windows, Condition(mode, 0.5, seed=4))
    differs = False
    for name in windows.schema.names:
        for i in range(len(windows)):
            a, b, c = (w.samples[name].window(i)[0] for w in (one, two, other))
            assert np.array_equal(a, b, equal_nan=True)
            differs |= not np.array_equal(a, c, equal_nan=True)
    assert differs


@pytest.mark.parametrize("mode", ["modality", "device", "segment", "points"])
def test_a_windows_absences_do_not_depend_on_order_or_company(mode: str) -> None:
    windows = windows_of(6)
    condition = Condition(mode, 0.5, seed=3)
    whole = hidden(windows, condition)
    rows = np.random.default_rng(1).permutation(len(windows))[:11]
    part = hidden(windows[rows], condition)
    for name in windows.schema.names:
        for k, i in enumerate(rows):
            a, b = part.samples[name].window(k)[0], whole.samples[name].window(int(i))[0]
            assert np.array_equal(a, b, equal_nan=True)


def test_a_pattern_keeps_exactly_its_modalities() -> None:
    windows = windows_of(3)
    seen = hidden(windows, Condition("pattern", pattern=("m0", "m2")))
    assert (seen.present == [True, False, True]).all()


def test_testing_changes_neither_the_windows_nor_their_order() -> None:
    windows = windows_of(3)
    before = {name: s.values.copy() for name, s in windows.samples.items()}
    plan = conditions(windows.schema, RATES, ["modality", "segment", "points"])
    outcomes = evaluate(count_present, windows, truth_of(windows), plan)
    assert [o.condition for o in outcomes] == plan
    for name, values in before.items():
        assert np.array_equal(windows.samples[name].values, values)
    for outcome in outcomes:
        assert np.array_equal(outcome.ids, windows.ids)
        assert np.array_equal(outcome.truth, truth_of(windows))
        assert np.array_equal(outcome.subjects, windows.subjects)


# --------------------------------------------------------------------- outcome


def test_the_realised_rate_is_of_what_was_naturally_present() -> None:
    windows = windows_of(4, gaps=True)
    outcome = evaluate(
        count_present, windows, truth_of(windows), [Condition("pattern", pattern=("m1", "m3"))]
    )[0]
    natural = windows.present
    assert outcome.realised == pytest.approx(natural[:, [0, 2]].sum() / natural.sum())
    assert np.array_equal(outcome.complete, natural.all(axis=1))
    assert 0 < outcome.complete.sum() < len(windows)


def test_the_realised_rate_follows_the_nominal_one() -> None:
    windows = windows_of(6, n=200)
    for rate in RATES:
        outcome = evaluate(
            count_present, windows, truth_of(windows), [Condition("modality", rate)]
        )[0]
        assert outcome.realised == pytest.approx(rate, abs=0.03)
        assert outcome.present.any(axis=1).all()


def test_the_prediction_is_of_what_was_left() -> None:
    windows = windows_of(3)
    outcome = evaluate(
        count_present, windows, truth_of(windows), [Condition("pattern", pattern=("m1",))]
    )[0]
    assert (outcome.prediction.logits[:, 0] == 1).all()
    assert (outcome.predicted == 0).all()


def test_progress_is_told_after_each_condition() -> None:
    windows = windows_of(2)
    told: list[tuple[int, int]] = []
    plan = conditions(windows.schema, RATES, ["modality"])
    evaluate(count_present, windows, truth_of(windows), plan, lambda d, t: told.append((d, t)))
    assert told == [(1, 3), (2, 3), (3, 3)]


# --------------------------------------------------------------------- pooling


def test_pooling_joins_the_folds_condition_by_condition() -> None:
    windows = windows_of(3, gaps=True)
    truth = truth_of(windows)
    plan = conditions(windows.schema, RATES, ["modality", "segment"])
    whole = evaluate(count_present, windows, truth, plan)
    parts = [
        evaluate(count_present, windows[rows], truth[rows], plan)
        for rows in (np.arange(7), np.arange(7, 30))
    ]
    pooled = pool(parts)
    assert [o.condition for o in pooled] == plan
    for one, other in zip(pooled, whole, strict=True):
        for field in ("truth", "subjects", "ids", "complete", "present", "predicted"):
            assert np.array_equal(getattr(one, field), getattr(other, field))
        assert np.array_equal(one.prediction.logits, other.prediction.logits)
        assert np.array_equal(one.prediction.tokens, other.prediction.tokens)
        assert one.prediction.budgets is None


def test_the_pooled_realised_rate_weighs_folds_by_their_windows() -> None:
    windows = windows_of(4)
    plan = [Condition("pattern", pattern=("m0",))]
    small, large = windows[np.arange(5)], windows[np.arange(5, 30)]
    halved = hidden(small, Condition("pattern", pattern=("m0", "m1")))
    folds = [evaluate(count_present, part, truth_of(part), plan) for part in (halved, large)]
    assert [f[0].realised for f in folds] == [0.5, 0.75]
    assert pool(folds)[0].realised == pytest.approx((5 * 0.5 + 25 * 0.75) / 30)


def test_an_explanation_that_one_fold_lacks_is_left_out() -> None:
    windows = windows_of(2)
    plan = conditions(windows.schema, RATES, ["modality"])
    mute = evaluate(
        lambda w: Prediction(logits=np.zeros((len(w), 2))), windows, truth_of(windows), plan
    )
    telling = evaluate(count_present, windows, truth_of(windows), plan)
    assert pool([mute, telling])[0].prediction.tokens is None


def test_folds_of_different_plans_cannot_be_pooled() -> None:
    windows = windows_of(2)
    plan = conditions(windows.schema, RATES, ["modality"])
    folds = [evaluate(count_present, windows, truth_of(windows), p) for p in (plan, plan[:2])]
    with pytest.raises(ValueError, match="zip"):
        pool(folds)


def test_probabilities_are_a_stable_softmax() -> None:
    p = Prediction(logits=np.array([[1000.0, 1000.0], [-1000.0, 1000.0]])).probabilities
    assert np.allclose(p, [[0.5, 0.5], [0.0, 1.0]])


# ---------------------------------------------------------------------- faults


@pytest.mark.parametrize(
    ("condition", "realised"),
    [
        (Condition("absent", sensors=("m1",)), 1 / 3),
        (Condition("first", 0.5, sensors=("m1",)), 1 / 6),
        (Condition("last", 0.5, sensors=("m1",)), 1 / 6),
        (Condition("slower", amount=0.5), 0.5),
        (Condition("jitter", amount=0.0), 0.0),
        (Condition("skew", amount=0.0), 0.0),
        (Condition("noise", sensors=("m0", "m1"), amount=1.0), 0.0),
        (Condition("spikes", sensors=("m2",), amount=0.1), 0.0),
        (Condition("replaced", sensors=("m2",)), 0.0),
    ],
)
def test_a_model_sees_the_fault_of_the_condition(condition: Condition, realised: float) -> None:
    windows = windows_of(3)
    seen: list[Windows] = []

    def predict(given: Windows) -> Prediction:
        seen.append(given)
        return count_present(given)

    levels = Levels.of(windows)
    plan = [Condition("modality", 0.0), condition]
    whole, faulty = evaluate(predict, windows, truth_of(windows), plan, levels=levels)
    assert whole.realised == 0.0
    assert faulty.realised == pytest.approx(realised, abs=0.1)
    changed = [
        not np.array_equal(seen[0].samples[n].flat()[0], seen[1].samples[n].flat()[0])
        for n in windows.schema.names
    ]
    if condition.mode in NOISE or condition.mode in ("absent", "first", "last"):
        assert changed == [n in condition.sensors for n in windows.schema.names]
    else:
        assert all(changed) == (condition.amount > 0)


def test_noise_without_training_windows_is_refused() -> None:
    windows = windows_of(2)
    with pytest.raises(ConfigError, match="training windows"):
        evaluate(count_present, windows, truth_of(windows), [Condition("noise", sensors=("m0",))])

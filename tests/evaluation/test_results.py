from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maestro_ts.errors import RunError
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.protocol import Condition, Outcome, conditions
from maestro_ts.evaluation.results import FORMAT, Results, rate_curve, score, summarise
from maestro_ts.signals.modality import Modality, Schema

SCHEMA = Schema([Modality("a", rate_hz=4), Modality("b", rate_hz=2), Modality("c", rate_hz=1)])
NAMES = SCHEMA.names


def pattern(names: str, accuracy: float, macro_f1: float) -> dict[str, Any]:
    """A score whose two folds lie 0.1 above and below it."""
    folds = [{"accuracy": accuracy + d, "macro_f1": macro_f1 + d} for d in (0.1, -0.1)]
    own = {"accuracy": accuracy, "macro_f1": macro_f1}
    return {"mode": "pattern", "pattern": list(names), "folds": folds} | own


# All patterns of three modalities: 0.9 with all, 0.8 on average with two, 0.5 with one.
PATTERNS = [
    pattern("abc", 0.9, 0.88),
    pattern("ab", 0.85, 0.80),
    pattern("ac", 0.75, 0.70),
    pattern("bc", 0.80, 0.60),
    pattern("a", 0.6, 0.50),
    pattern("b", 0.4, 0.30),
    pattern("c", 0.5, 0.10),
]


def curve(*rates: float) -> dict[float, dict[str, Any]]:
    return {row["rate"]: row for row in rate_curve(PATTERNS, 3, rates)}


def test_the_curve_at_whole_numbers_of_missing_modalities_is_their_mean() -> None:
    rows = curve(0.0, 1 / 3, 2 / 3)
    assert [r["accuracy"] for r in rows.values()] == pytest.approx([0.9, 0.8, 0.5])
    assert [r["macro_f1"] for r in rows.values()] == pytest.approx([0.88, 0.7, 0.3])
    assert [r["realised"] for r in rows.values()] == pytest.approx([0, 1 / 3, 2 / 3])


def test_the_curve_between_them_is_exactly_linear() -> None:
    rows = curve(0.1, 0.4, 0.5)
    # 0.3 modalities missing: none with 0.7, one with 0.3; 1.2: one with 0.8, two with 0.2.
    assert rows[0.1]["accuracy"] == pytest.approx(0.7 * 0.9 + 0.3 * 0.8)
    assert rows[0.4]["accuracy"] == pytest.approx(0.8 * 0.8 + 0.2 * 0.5)
    assert rows[0.5]["macro_f1"] == pytest.approx(0.5 * 0.7 + 0.5 * 0.3)
    assert [r["realised"] for r in rows.values()] == pytest.approx([0.1, 0.4, 0.5])


def test_every_fold_has_a_curve_of_its_own() -> None:
    row = curve(0.4)[0.4]
    assert [f["accuracy"] for f in row["folds"]] == pytest.approx([0.84, 0.64])
    assert [f["macro_f1"] for f in row["folds"]] == pytest.approx([0.72, 0.52])


@pytest.mark.parametrize("rate", [0.8, 0.9, 1.0])
def test_one_modality_is_always_left(rate: float) -> None:
    row = curve(rate)[rate]
    assert row["accuracy"] == pytest.approx(0.5)
    assert row["realised"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("m", [1, 2, 3, 4, 5])
def test_the_curve_is_the_average_over_the_masks_that_are_drawn(m: int) -> None:
    """Against the drawn masks themselves, with a score that depends on the pattern."""
    from maestro_ts.signals.masks import all_patterns, modality_mask
    from maestro_ts.signals.windows import Windows

    schema = Schema([Modality(f"m{i}", rate_hz=2) for i in range(m)])
    value = {
        p: np.random.default_rng(len(p) + i).random() for i, p in enumerate(all_patterns(schema))
    }
    scores = [
        {"mode": "pattern", "pattern": list(p), "folds": [], "accuracy": v, "macro_f1": v}
        for p, v in value.items()
    ]
    n = 1500
    windows = Windows.from_arrays({k: np.zeros((n, 2, 1)) for k in schema.names}, schema)
    for rate in (0.0, 0.3, 0.7):
        keep = modality_mask(windows, rate).keep
        drawn = [
            value[tuple(k for k, on in zip(schema.names, row, strict=True) if on)] for row in keep
        ]
        row = rate_curve(scores, m, [rate])[0]
        assert row["accuracy"] == pytest.approx(np.mean(drawn), abs=0.03)
        assert row["realised"] == pytest.approx(1 - keep.mean(), abs=0.02)


def test_a_drawn_curve_is_taken_as_it_is() -> None:
    drawn = [
        {
            "mode": "modality",
            "rate": rate,
            "realised": rate,
            "accuracy": 1 - rate,
            "macro_f1": 0.9 - rate,
            "accuracy_interval": [0, 1],
            "macro_f1_interval": [0, 1],
            "folds": [],
        }
        for rate in (0.0, 0.4)
    ]
    rows = rate_curve([*drawn, pattern("abc", 0.0, 0.0)], 3, [0.1])
    assert [(r["rate"], r["accuracy"]) for r in rows] == [(0.0, 1.0), (0.4, 0.6)]


def test_there_is_no_curve_without_missing_modalities() -> None:
    assert rate_curve([{"mode": "segment", "rate": 0.4}], 3, [0.4]) == []


# ------------------------------------------------------------------- outcomes


def outcome(
    condition: Condition,
    truth: list[int],
    predicted: list[int],
    complete: list[bool] | None = None,
    present: np.ndarray | None = None,
) -> Outcome:
    n = len(truth)
    kept = [not condition.pattern or name in condition.pattern for name in NAMES]
    here = np.tile(kept, (n, 1)) if present is None else present
    return Outcome(
        condition=condition,
        realised=float(1 - here.mean()),
        truth=np.array(truth),
        subjects=np.array([f"s{i % 2}" for i in range(n)]),
        ids=np.arange(n, dtype=np.uint64),
        complete=np.ones(n, bool) if complete is None else np.array(complete),
        present=here,
        lost=np.zeros(n),
        prediction=Prediction(
            logits=np.eye(3)[predicted],
            budgets=here * np.array([1.0, 2.0, 3.0]),
            expert_share=np.tile([[0.25, 0.75]], (n, 1, 1)),
            tokens=10 * here.sum(axis=1),
        ),
    )


ALL = Condition("pattern", pattern=NAMES)
TRUTH = [0, 1, 2, 0, 1, 2, 0, 1]
GUESS = [0, 1, 2, 0, 1, 0, 1, 1]  # two of eight wrong


def test_a_score_holds_what_it_says() -> None:
    row = score(outcome(ALL, TRUTH, GUESS), 3, repeats=50)
    assert row["mode"] == "pattern"
    assert row["pattern"] == ["a", "b", "c"]
    assert row["n"] == 8
    assert row["accuracy"] == pytest.approx(6 / 8)
    # class 0: 2 hits of 3 true, 3 said; class 1: 3 of 3, 4 said; class 2: 1 of 2, 1 said
    assert row["macro_f1"] == pytest.approx(np.mean([4 / 6, 6 / 7, 2 / 3]))
    for metric in ("accuracy", "macro_f1"):
        low, high = row[f"{metric}_interval"]
        assert low <= row[metric] <= high
    assert row["folds"] == []


def test_a_positive_class_adds_its_ranking() -> None:
    plain, row = (score(outcome(ALL, TRUTH, GUESS), 3, positive=p) for p in (None, 2))
    added = {"auroc", "auprc", "auroc_interval", "auprc_interval"}
    assert set(row) - set(plain) == added
    assert {k: row[k] for k in plain} == plain
    # One-hot guesses: an ROC of one point.
    hits = [t == 2 for t in TRUTH]
    said = [g == 2 for g in GUESS]
    found = sum(h and s for h, s in zip(hits, said, strict=True)) / sum(hits)
    false = sum(s and not h for h, s in zip(hits, said, strict=True)) / (len(hits) - sum(hits))
    assert row["auroc"] == pytest.approx(0.5 + (found - false) / 2)
    low, high = row["auroc_interval"]
    assert low <= row["auroc"] <= high


def test_an_interval_repeats_with_its_score() -> None:
    one, two = (score(outcome(ALL, TRUTH, GUESS), 3) for _ in range(2))
    assert one["accuracy_interval"] == two["accuracy_interval"]


def test_the_score_on_complete_windows_only() -> None:
    complete = [True, True, True, True, True, False, True, False]
    row = score(outcome(ALL, TRUTH, GUESS, complete), 3, repeats=10)
    assert row["complete"]["n"] == 6
    assert row["complete"]["accuracy"] == pytest.approx(5 / 6)
    assert row["complete"]["macro_f1"] == pytest.approx(np.mean([4 / 5, 4 / 5, 1]))


def test_without_complete_windows_their_score_is_none() -> None:
    row = score(outcome(ALL, TRUTH, GUESS, [False] * 8), 3, repeats=10)
    assert row["complete"] == {"n": 0, "accuracy": None, "macro_f1": None}


def test_a_score_lists_the_folds_it_was_pooled_from() -> None:
    folds = [outcome(ALL, TRUTH[:4], GUESS[:4]), outcome(ALL, TRUTH[4:], GUESS[4:])]
    row = score(outcome(ALL, TRUTH, GUESS), 3, folds, repeats=10)
    assert [f["accuracy"] for f in row["folds"]] == [1.0, 0.5]


# -------------------------------------------------------------------- results


def results(**about: Any) -> Results:
    plan = [*conditions(SCHEMA, (0.0, 0.4), ["modality", "segment"])]
    outcomes = [outcome(c, TRUTH, GUESS if i % 2 else TRUTH) for i, c in enumerate(plan)]
    return summarise(
        outcomes,
        [outcomes],
        about={"dataset": "watch"} | about,
        classes=["x", "y", "z"],
        schema=SCHEMA,
        rates=(0.0, 0.4),
    )


def test_a_summary_has_a_row_per_condition_and_per_subject() -> None:
    found = results()
    assert len(found.scores) == 7 + 2
    assert [row["rate"] for row in found.curve] == [0.0, 0.4]
    assert [(row["subject"], row["n"], row["accuracy"]) for row in found.subjects] == [
        *(("s0", 4, 1.0), ("s1", 4, 1.0)),
    ]
    assert [m["name"] for m in found.modalities] == ["a", "b", "c"]
    table = np.array(found.confusions[0]["table"])
    assert table.tolist() == [[3, 0, 0], [0, 3, 0], [0, 0, 2]]


def test_confusions_are_of_complete_input_of_single_sensors_and_of_the_middle_rate() -> None:
    told = [(c["mode"], c["rate"], len(c["pattern"])) for c in results().confusions]
    single = [("pattern", 0.0, 1)] * 3
    assert told == [("pattern", 0.0, 3), *single, ("segment", 0.4, 0)]


def test_budgets_are_means_over_the_windows_where_the_modality_is() -> None:
    rows = {row["label"]: row for row in results().explain}
    assert rows["everything present"]["budgets"] == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert rows["only a + c"]["budgets"] == {"a": 1.0, "b": None, "c": 3.0}
    assert rows["only a + c"]["tokens"] == 20.0
    assert rows["only b"]["experts"] == [[0.25, 0.75]]
    assert rows["only b"]["n"] == 8


def test_json_brings_back_the_same_results(tmp_path: Path) -> None:
    found = results(created="now", settings={"a": 1})
    found.cost, found.example = {"parameters": 3}, {"values": [None, 1.0]}
    found.training = [{"fold": 0, "log": [{"epoch": 1, "validation_f1": None}]}]
    found.save(tmp_path / "results.json")
    assert Results.load(tmp_path / "results.json") == found


def test_the_json_is_strict(tmp_path: Path) -> None:
    found = results()
    found.cost = {"parameters": float("nan")}
    with pytest.raises(ValueError, match="JSON"):
        found.save(tmp_path / "results.json")
    assert list(tmp_path.iterdir()) == []


def test_results_of_a_newer_format_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results().save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": FORMAT + 1, "new": 1}))
    with pytest.raises(RunError, match=f"results format {FORMAT + 1}") as caught:
        Results.load(path)
    assert "Upgrade" in caught.value.fix
    assert str(path) in str(caught.value)


def test_no_results_say_to_evaluate_first(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no results here") as caught:
        Results.load(tmp_path / "results.json")
    assert "evaluate" in caught.value.fix


@pytest.mark.parametrize("text", ["", '{"about": ', "[]", "{}", '{"colour": 1}', "\x00"])
def test_a_damaged_file_is_a_run_error_that_names_it(text: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(RunError, match=r"results\.json"):
        Results.load(tmp_path / "results.json")

"""Made-up results: few modalities with all patterns, many with drawn rates, and the least."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from maestro_ts.evaluation.results import Results, rate_curve

RATES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)


def _folds(rng: np.random.Generator, value: float, n: int) -> list[dict[str, float]]:
    drawn = np.clip(value + rng.normal(0, 0.02, (n, 2)), 0, 1)
    return [{"accuracy": float(a), "macro_f1": float(f)} for a, f in drawn]


def score_row(
    rng: np.random.Generator,
    mode: str,
    value: float,
    rate: float = 0.0,
    pattern: tuple[str, ...] = (),
    folds: int = 1,
) -> dict[str, Any]:
    accuracy = min(value + 0.03, 1.0)
    return {
        "mode": mode,
        "rate": rate,
        "pattern": list(pattern),
        "seed": 0,
        "realised": rate * 0.97,
        "n": 1234,
        "accuracy": accuracy,
        "macro_f1": value,
        "accuracy_interval": [accuracy - 0.05, accuracy + 0.04],
        "macro_f1_interval": [value - 0.06, value + 0.05],
        "folds": _folds(rng, value, folds) if folds > 1 else [],
        "complete": {"n": 1234, "accuracy": accuracy, "macro_f1": value},
    }


def _log(rng: np.random.Generator, epochs: int) -> list[dict[str, Any]]:
    rows, best = [], 0.0
    for epoch in range(1, epochs + 1):
        f1 = float(0.8 - 0.5 * np.exp(-epoch / 5) + rng.normal(0, 0.02))
        rows.append(
            {
                "epoch": epoch,
                "epochs": epochs,
                "step": epoch * 10,
                "steps": epochs * 10,
                "loss": float(1.6 * np.exp(-epoch / 6) + 0.2),
                "validation_loss": None if epoch % 2 else float(1.4 * np.exp(-epoch / 5) + 0.45),
                "validation_f1": None if epoch % 2 else f1,
                "learning_rate": 1e-3,
                "mean_budget": 2.5,
                "seconds": epoch * 1.5,
                "best": epoch % 2 == 0 and f1 > best,
            }
        )
        best = max(best, f1) if epoch % 2 == 0 else best
    return rows


def _confusion(rng: np.random.Generator, mode: str, rate: float, k: int) -> dict[str, Any]:
    table = rng.integers(0, 12, (k, k)) + np.diag(rng.integers(40, 90, k))
    return {"mode": mode, "rate": rate, "pattern": [], "table": table.tolist()}


def _subjects(rng: np.random.Generator, n: int) -> list[dict[str, Any]]:
    values = np.clip(rng.normal(0.78, 0.1, n), 0, 1)
    return [
        {
            "subject": f"S{i + 1}",
            "n": int(rng.integers(80, 200)),
            "accuracy": float(min(v + 0.02, 1)),
            "macro_f1": float(v),
        }
        for i, v in enumerate(values)
    ]


def _example(bins: int = 32) -> dict[str, Any]:
    times = np.linspace(0, 6, 300, endpoint=False)
    values = np.sin(2 * np.pi * times / 1.5) + 0.2 * np.sin(2 * np.pi * times * 4)
    cells = np.array_split(values, bins)
    symbols = [1 + int((c.mean() + 1.2) / 2.4 * 19) for c in cells]
    lost = range(bins // 2, bins * 3 // 4)
    hidden = (times >= 3) & (times < 4.5)
    return {
        "modality": "accelerometer",
        "channel": 0,
        "unit": "m/s²",
        "label": "brushing teeth",
        "times_s": times.tolist(),
        "values": [None if h else float(v) for v, h in zip(values, hidden, strict=True)],
        "edges_s": np.linspace(0, 6, bins + 1).tolist(),
        "alphabet": 20,
        "views": {
            name: [0 if i in lost else (s + shift - 1) % 20 + 1 for i, s in enumerate(symbols)]
            for shift, name in enumerate(("shape", "level", "spread"))
        },
    }


def _about(**more: Any) -> dict[str, Any]:
    return {
        "dataset": "made-up",
        "title": "Made-up movements",
        "recipe": "default",
        "settings": {"symbols": {"tokens": 32, "alphabet": 20}, "training": {"epochs": 30}},
        "n_train": 8231,
        "n_validation": 1020,
        "n_test": 1234,
        "subjects_test": ["S1", "S2", "S3"],
        "folds": [0],
        "seed": 20240101,
        "parameters": 123456,
        "versions": {"maestro-ts": "0.1.0", "torch": "2.9.0"},
        "created": "2025-01-02T03:04:05+00:00",
        "notes": ["not read: S9/acc.csv: the file is empty"],
    } | more


def few(modalities: tuple[str, ...] = ("accelerometer", "gyroscope")) -> Results:
    """Every pattern tested; one fold; everything there."""
    rng = np.random.default_rng(1)
    kept = [c for k in range(len(modalities), 0, -1) for c in combinations(modalities, k)]
    scores = [
        score_row(rng, "pattern", 0.9 - 0.08 * (len(modalities) - len(c)) - 0.01 * i, pattern=c)
        for i, c in enumerate(kept)
    ]
    scores += [score_row(rng, "segment", 0.9 - 0.3 * r, rate=r) for r in RATES]
    classes = ["sitting", "walking fast", "brushing teeth", "climbing stairs"]
    labels = ["everything present", *("only " + " + ".join(c) for c in kept[1:])]
    groups = [modalities, *kept[1:]]
    return Results(
        about=_about(
            rivals={
                "LightGBM": [
                    {"rate": r, "mode": mode, "macro_f1": 0.88 - s * r, "accuracy": 0.9 - s * r}
                    for mode, s in (("modality", 0.7), ("segment", 0.5))
                    for r in RATES
                ]
            }
        ),
        classes=classes,
        modalities=[{"name": m, "channels": 3, "rate_hz": 50.0} for m in modalities],
        scores=scores,
        curve=rate_curve(scores, len(modalities), RATES),
        confusions=[
            _confusion(rng, "pattern", 0.0, 4) | {"pattern": list(modalities)},
            _confusion(rng, "segment", 0.4, 4),
        ],
        subjects=_subjects(rng, 3),
        explain=[
            {
                "label": label,
                "n": 1234,
                "budgets": {m: float(rng.uniform(1, 5)) if m in g else None for m in modalities},
                "experts": rng.dirichlet(np.ones(4), 2).tolist(),
                "tokens": 40.0,
            }
            for label, g in zip(labels, groups, strict=True)
        ],
        cost={
            "parameters": 123456,
            "macs_full": 12.3e6,
            "macs_by_missing": [
                {
                    "missing": k,
                    "patterns": 1 + k,
                    "macs": 12.3e6 * (1 - k / len(modalities)),
                    "lowest": 12.3e6 * (1 - k / len(modalities)) - 1e6 * k,
                    "highest": 12.3e6 * (1 - k / len(modalities)) + 2e6 * k,
                }
                for k in range(len(modalities))
            ],
            "tokens": {m: 32 - 3 * i for i, m in enumerate(modalities)},
        },
        example=_example(),
        training=[{"fold": 0, "log": _log(rng, 30)}],
    )


def many(modalities: int = 13, folds: int = 5) -> Results:
    """Drawn rates, several folds, more classes and subjects."""
    rng = np.random.default_rng(2)
    names = [f"sensor {chr(97 + i)} on the wrist" for i in range(modalities)]
    scores = [
        score_row(rng, mode, 0.85 - slope * r, rate=r, folds=folds)
        for mode, slope in (("modality", 0.2), ("device", 0.45), ("segment", 0.3))
        for r in RATES
    ]
    classes = [f"activity number {i}" for i in range(11)]
    return Results(
        about=_about(
            folds=list(range(folds)), notes=[], subjects_test=[f"S{i}" for i in range(17)]
        ),
        classes=classes,
        modalities=[{"name": m, "channels": 1, "rate_hz": None} for m in names],
        scores=scores,
        curve=rate_curve(scores, modalities, RATES),
        confusions=[
            _confusion(rng, mode, rate, 11)
            for mode, rate in (("modality", 0.0), ("modality", 0.4), ("device", 0.4))
        ],
        subjects=_subjects(rng, 17),
        explain=[
            {
                "label": label,
                "n": 900 - 10 * i,
                "budgets": {
                    m: None if label == f"without {m}" else float(rng.uniform(0.5, 5))
                    for m in names
                },
                "experts": rng.dirichlet(np.ones(8), 2).tolist(),
                "tokens": 120.0,
            }
            for i, label in enumerate(["everything present", *(f"without {m}" for m in names)])
        ],
        cost={
            "parameters": 2_345_678,
            "macs_full": 3.21e9,
            "macs_by_missing": [
                {"missing": k, "macs": 3.21e9 * (1 - k / 13)} for k in range(modalities)
            ],
            "tokens": dict.fromkeys(names, 32),
        },
        example=_example(16),
        training=[{"fold": k, "log": _log(rng, 24)} for k in range(folds)],
    )


def least() -> Results:
    """One score and nothing else."""
    rng = np.random.default_rng(3)
    return Results(
        about={"dataset": "tiny"},
        classes=["a", "b"],
        modalities=[{"name": "x"}],
        scores=[score_row(rng, "pattern", 0.5, pattern=("x",))],
    )


HOSTILE = "</script><script>document.title='owned'</script>"


def hostile() -> Results:
    """Text of the data set's own that looks like HTML, JSON ends and plotly templates."""
    results = few((HOSTILE, "<b>bold & bad</b>", "%{x} ${y} {{ z }}"))
    results.classes = [HOSTILE, "a class with  spaces", "<!-- comment", "$\\alpha$ & co"]
    results.about |= {
        "title": HOSTILE,
        "notes": [f"{HOSTILE} & <img src='http://elsewhere.example/x.png'>"],
        HOSTILE: {HOSTILE: HOSTILE},
    }
    results.subjects[0]["subject"] = HOSTILE
    results.example["label"] = results.example["modality"] = HOSTILE
    return results


@pytest.fixture(name="few")
def _few() -> Results:
    return few()


@pytest.fixture(name="many")
def _many() -> Results:
    return many()


@pytest.fixture(name="least")
def _least() -> Results:
    return least()


@pytest.fixture(name="hostile")
def _hostile() -> Results:
    return hostile()

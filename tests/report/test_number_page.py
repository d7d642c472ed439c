"""The page of a model that estimates a number."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import numpy as np
import pytest

from maestro_ts.evaluation.results import Results, rate_curve
from maestro_ts.experiments.model_card import model_card
from maestro_ts.report.estimates import estimates_alt, estimates_figure
from maestro_ts.report.header import headlines
from maestro_ts.report.learning import learning_figure
from maestro_ts.report.missing_rate import missing_rate_figure
from maestro_ts.report.page import render
from maestro_ts.report.patterns import pattern_rows, patterns_table
from maestro_ts.report.subjects import subject_rows, subjects_facts, subjects_table

METRICS = ("mae", "rmse", "r2")
LABELS = ["Mean absolute error (1/min)", "Root mean squared error (1/min)", "R²"]


def row(mode: str, mae: float, rate: float = 0.0, pattern: tuple[str, ...] = ()) -> dict[str, Any]:
    values = {"mae": mae, "rmse": 1.5 * mae, "r2": 1 - mae / 5}
    return {
        "mode": mode,
        "rate": rate,
        "pattern": list(pattern),
        "seed": 0,
        "realised": rate,
        "n": 200,
        **values,
        **{f"{name}_interval": [v - 0.2, v + 0.3] for name, v in values.items()},
        "folds": [],
        "complete": {"n": 150, **values},
    }


@pytest.fixture
def results() -> Results:
    scores = [
        row("pattern", 2.5, pattern=("a", "b")),
        row("pattern", 6.0, pattern=("a",)),  # worse than its own mean: R² below 0
        row("pattern", 3.5, pattern=("b",)),
        row("segment", 2.5),
        row("segment", 3.25, 0.4),
    ]
    truth = np.linspace(55.0, 120.0, 50)
    log = {"epochs": 2, "steps": 20, "validation_loss": None, "validation_f1": None}
    return Results(
        about={
            **{"title": "Made-up hearts", "dataset": "hearts", "n_train": 800, "n_validation": 0},
            **{"n_test": 200, "subjects_test": ["s1", "s2", "s3"], "recipe": "tiny", "seed": 0},
            "parameters": 1234,
        },
        classes=[],
        modalities=[{"name": "a"}, {"name": "b"}],
        scores=scores,
        curve=rate_curve(scores, 2, (0.0, 0.5), METRICS),
        subjects=[
            {"subject": "s1", "n": 60, "mae": 2.0, "rmse": 3.0, "r2": 0.5},
            {"subject": "s2", "n": 60, "mae": 4.0, "rmse": 5.0, "r2": None},
            {"subject": "<s3>", "n": 80, "mae": 1.0, "rmse": 2.0, "r2": -0.5},
        ],
        training=[
            {
                "fold": 0,
                "log": [
                    log | {"epoch": e, "loss": 1.0 / e, "validation_mae": 5.0 / e, "best": True}
                    for e in (1, 2)
                ],
            }
        ],
        numbers={
            **{"name": "heart rate", "unit": "1/min", "median_mae": 9.5},
            **{"truth": truth.tolist(), "estimates": (truth + 2).tolist()},
            "subjects": ["s1"] * 25 + ["<s3>"] * 25,
        },
    )


def test_the_page_has_errors_and_dots_and_no_classes(results: Results) -> None:
    page = render(results)
    assert re.findall(r'<h2 id="(\w+)"', page)[:4] == [
        *("missing", "patterns", "estimates", "subjects"),
    ]
    text = unescape(page.split('id="results"')[0])
    assert "2 modalities, heart rate." in text
    assert "Macro-F1" not in text
    assert "macro-F1" not in text
    assert "<s3>" not in page.split('id="results"')[0]
    tree = json.loads(page.split('id="results">')[1].split("</script>")[0])
    assert tree["numbers"]["median_mae"] == 9.5


def test_the_headlines_tell_what_looking_at_nothing_reaches(results: Results) -> None:
    told = {h.label: h for h in headlines(results)}
    assert list(told)[:4] == [*LABELS, f"{LABELS[0]}, training median"]
    assert told[LABELS[0]].value == "2.500"
    assert told[LABELS[0]].note == "95 % interval by subject: 2.300–2.800"
    assert told[f"{LABELS[0]}, training median"].value == "9.500"
    assert told[f"{LABELS[0]}, complete windows"].value == "2.500"


def test_the_smallest_error_is_the_best(results: Results) -> None:
    assert [r["pattern"] for r in pattern_rows(results)] == [["a", "b"], ["b"], ["a"]]
    assert [r["subject"] for r in subject_rows(results)] == ["<s3>", "s1", "s2"]
    assert subjects_facts(results) == [
        ("Lowest mean absolute error (1/min)", "1.000 (<s3>)"),
        ("Median", "2.000"),
        ("Highest", "4.000 (s2)"),
    ]
    (table,) = subjects_table(results)
    assert list(table.head) == ["Subject", "Windows", *LABELS[:2]]  # one subject has no R²
    (table,) = patterns_table(results)
    assert [r[3] for r in table.rows] == ["2.500", "3.500", "6.000"]


def test_curves_begin_at_an_error_of_zero_and_have_a_choice_of_scores(results: Results) -> None:
    figure = missing_rate_figure(results)
    assert figure is not None
    choices = dict.fromkeys(t.meta["choice"] for t in figure.data)
    assert list(choices) == LABELS
    assert {t.meta["choice"] for t in figure.data if t.visible} == {LABELS[0]}
    assert figure.layout.yaxis.rangemode == "tozero"
    assert figure.layout.yaxis.range is None


def test_the_dots_are_true_against_estimated(results: Results) -> None:
    figure = estimates_figure(results)
    assert figure is not None
    line, dots = figure.data
    assert list(line.x) == list(line.y) == [55.0, 120.0]
    assert list(dots.x) == results.numbers["truth"]
    assert list(dots.y) == results.numbers["estimates"]
    assert dots.customdata[-1] == "&lt;s3&gt;"
    assert figure.layout.xaxis.title.text == "True heart rate (1/min)"
    assert "true from 55 to 120, estimated from 57 to 122" in estimates_alt(results)
    results.numbers = {}
    assert estimates_figure(results) is None


def test_the_validation_error_has_a_curve(results: Results) -> None:
    figure = learning_figure(results)
    assert figure is not None
    (curve,) = (t for t in figure.data if (t.meta or {}).get("series") == "validation_mae")
    assert list(curve.y) == [5.0, 2.5]
    assert figure.layout.yaxis2.title.text == "Mean absolute error"


def test_the_model_card_has_errors(results: Results) -> None:
    text = model_card(results)
    assert "| missing | realised | mean absolute error | root mean squared error | R² |" in text
    assert "| 40%, segment | 0.40 | 3.250 | 4.875 | 0.350 |" in text
    assert "heart rate in 1/min; the median of the training numbers has a mean absolute" in text
    assert "Classes" not in text

"""Tables and page of a made-up experiment of two entrants, with everything a summary can have."""

from __future__ import annotations

import re
from typing import Any

import pytest

from maestro_ts.report.blocks import Table
from maestro_ts.report.experiment_figures import curve_figure, differences_figure, subjects_figure
from maestro_ts.report.experiment_page import render_experiment
from maestro_ts.report.experiment_tables import experiment_tables
from maestro_ts.report.experiment_wording import gap, number
from maestro_ts.report.table_text import latex, markdown


def row(mode: str, rate: float, f1: float, pattern: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "mode": mode,
        "rate": rate,
        "pattern": list(pattern),
        "realised": rate,
        "accuracy": f1 + 0.01,
        "log_loss": 1 - f1,
        "macro_f1": f1,
        "macro_f1_interval": [f1 - 0.05, f1 + 0.05],
        "macro_f1_mean": f1,
        "macro_f1_deviation": 0.02,
        "complete": {"accuracy": f1, "macro_f1": f1 + 0.02},
    }


def entrant(name: str, title: str, best: float) -> dict[str, Any]:
    rows = [row("modality", r, best - r / 2) for r in (0.0, 0.4, 0.8)]
    rows += [row("segment", 0.4, best - 0.3), row("pattern", 0.0, best - 0.2, ("a_<b>",))]
    area = {"from": 0.0, "to": 0.8, "macro_f1": best - 0.2, "macro_f1_interval": [0.4, 0.7]}
    return {
        "name": name,
        "title": title,
        "conditions": rows,
        "areas": {"modality": area},
        "worst": {"pattern": ["a_<b>"], "macro_f1": 0.3},
        "subjects": [
            {"subject": f"s{i}", "n": 9, "macro_f1": best - i / 20, "accuracy": best}
            for i in range(5)
        ],
        "recipe": {"name": "tiny", "curriculum": {"modality_max": 0.6}},
        "parameters": 1234,
        "fit_seconds": 1.0,
        "test_seconds": 2.0,
        "cells": [{"fold": f, "seed": 0, "hash": "abcd1234", "n_train": 9} for f in (0, 1)],
    }


@pytest.fixture
def summary() -> dict[str, Any]:
    gaps = [0.1, 0.02, 0.18]
    both = [entrant("ours", "Ours & <co>", 0.9), entrant("rival", "A rival", 0.8)]
    conditions = [
        {k: r[k] for k in ("mode", "rate", "pattern")} | {"macro_f1": gaps}
        for r in both[0]["conditions"]
    ]
    ranks = {
        "blocks": "subjects",
        "n": 5,
        "mean": {"ours": 1.0, "rival": 2.0},
        "critical_difference": 0.88,
    }
    test = {"a": "ours", "b": "rival", "n": 5, "p": 0.0625, "p_holm": 0.0625}
    return {
        "experiment": "missingness",
        "title": "Missing sensors",
        "question": "How much is left?",
        "dataset": {
            "name": "made_up",
            "title": "Made up",
            "n_windows": 50,
            "n_subjects": 5,
            "modalities": [{"name": "a_<b>"}, {"name": "c"}],
        },
        "split": "five folds",
        "folds": [0, 1],
        "folds_of": 5,
        "seeds": [0],
        "versions": {"maestro-ts": "0"},
        "classes": ["x", "y"],
        "n": 45,
        "n_complete": 30,
        "entrants": both,
        "differences": [
            {
                "a": "ours",
                "b": "rival",
                "conditions": conditions,
                "areas": {"modality": {"macro_f1": gaps}},
            }
        ],
        "tests": [test],
        "ranks": ranks,
        "across": None,
        "published": {"dataset": None, "full": [], "missing": []},
        "notes": ["A note."],
    }


def titled(tables: list[Table], text: str) -> Table:
    (found,) = [t for t in tables if text in t.title]
    return found


def test_tables_hold_the_numbers(summary) -> None:
    tables = experiment_tables(summary)
    assert titled(tables, "Macro-F1, whole sensors").rows[1] == ["A rival", ".800", ".600", ".400"]
    assert titled(tables, "Macro-F1, one stretch").head == ["", "0", "40 %"]
    assert titled(tables, "30 complete of 45 windows, whole").rows[0][1] == ".920"
    assert titled(tables, "Worst").rows[0] == ["Ours & <co>", "a_<b>", ".300"]
    assert titled(tables, "minus the other").rows[0][1] == "+.100 [+.020, +.180]"
    assert titled(tables, "Mean rank").rows[1] == ["A rival", "2.00", ".062", ".062"]
    assert all(len(r) == len(t.head) for t in tables for r in t.rows)


def test_calibration_errors_stand_beside_their_bands(summary) -> None:
    assert not [t for t in experiment_tables(summary) if t.title.startswith("Calibration")]
    errors = {"as_trained": 0.2, "one_temperature": 0.03, "by_what_is_there": 0.02}
    for e in summary["entrants"]:
        for r in e["conditions"]:
            r["calibration"] = {
                way: {"error": error, "band": 0.025, "log_loss": 0.5}
                for way, error in errors.items()
            }
    table = titled(experiment_tables(summary), "stay below), whole sensors")
    assert table.rows[0] == ["Ours & <co>, as trained", *[".200 (.025) *"] * 3]
    assert table.rows[2] == [
        "Ours & <co>, by what is there",
        *[".020 (.025)"] * 3,
    ]


def test_the_papers_values_stand_beside_ours(summary) -> None:
    summary["published"] = {
        "dataset": "WESAD",
        "full": [],
        "missing": [
            {"model": "MAESTRO", "rate": r, "accuracy": 0.7, "macro_f1": f1}
            for r, f1 in ((0.0, 0.66), (0.1, 0.68), (0.4, 0.61))
        ],
    }
    table = titled(experiment_tables(summary), "Macro-F1 beside the paper's on WESAD")
    assert table.rows[0] == ["MAESTRO (paper)", ".66", ".68", ".61"]
    assert table.rows[1] == ["Ours & <co>", ".900", "–", ".700"]


def test_text_is_escaped_for_its_format(summary) -> None:
    tables = experiment_tables(summary)
    printed = latex(summary, tables)
    assert r"Ours \& <co>" in printed
    assert r"40 \%" in printed
    assert r"made\_up" in printed
    assert printed.count(r"\begin{tabular}") == printed.count(r"\end{tabular}") == len(tables)
    text = markdown(summary, tables)
    assert "| Ours & <co> | .900 | .700 | .500 |" in text
    assert "another data set" in text
    assert "- A note." in text


def test_the_page_has_its_figures_and_asks_for_nothing(summary) -> None:
    page = render_experiment(summary)
    for key in ("modality-curve", "segment-curve", "gaps", "subject", "ranks-by"):
        assert f'data-figure="{key}"' in page
    assert "Ours &amp; &lt;co&gt;" in page
    assert "<co>" not in re.sub(r"<script.*?</script>", "", page, flags=re.S)
    bare = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    assert not re.search(r'(src|href)="https?:', bare)


def test_figures_show_what_the_tables_say(summary) -> None:
    figure = curve_figure(summary, "modality")
    lines = [t for t in figure.data if t.mode == "lines+markers" and t.visible]
    assert [list(t.y) for t in lines] == [[0.9, 0.7, 0.5], pytest.approx([0.8, 0.6, 0.4])]
    assert any(s.x0 == 0.6 for s in figure.layout.shapes)  # the largest rate in training
    gaps = differences_figure(summary).data[0]
    assert gaps.error_x.array[0] == pytest.approx(0.08)
    assert gaps.error_x.arrayminus[0] == pytest.approx(0.08)
    assert subjects_figure(summary).data[0].x[0] == 0.9


@pytest.mark.parametrize(
    ("value", "said"), [(0.9254, ".925"), (-0.05, "-.050"), (1.0, "1.000"), (None, "–")]
)
def test_numbers_are_short(value, said) -> None:
    assert number(value) == said


def test_differences_have_signs_but_not_nothing() -> None:
    assert gap([-0.05, -0.1, 0.0]) == "−.050 [−.100, .000]"
    assert gap([0.2, None, None]) == "+.200"

"""Figures hold the numbers that went in, and are absent where the numbers are."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest

from maestro_ts.evaluation.results import Results
from maestro_ts.report.blocks import block
from maestro_ts.report.budgets import budgets_figure
from maestro_ts.report.confusions import confusions_figure, row_shares
from maestro_ts.report.cost import cost_alt, cost_facts, cost_figure, counted
from maestro_ts.report.experts import experts_figure
from maestro_ts.report.learning import learning_caption, learning_figure
from maestro_ts.report.missing_rate import (
    band,
    missing_rate_caption,
    missing_rate_figure,
)
from maestro_ts.report.patterns import pattern_rows, patterns_figure, patterns_table
from maestro_ts.report.signal import missing_runs, signal_alt, signal_caption, signal_figure
from maestro_ts.report.subjects import spread, subjects_facts, subjects_figure, subjects_table
from maestro_ts.report.tokens import tokens_figure

FIGURES = [
    learning_figure,
    missing_rate_figure,
    patterns_figure,
    confusions_figure,
    budgets_figure,
    experts_figure,
    signal_figure,
    tokens_figure,
    cost_figure,
    subjects_figure,
]


def traces(figure: go.Figure, **meta: Any) -> list[Any]:
    return [t for t in figure.data if all((t.meta or {}).get(k) == v for k, v in meta.items())]


@pytest.mark.parametrize("figure", FIGURES)
def test_no_data_no_figure(figure: Callable[[Results], go.Figure | None], least: Results) -> None:
    assert figure(Results(about={}, classes=[], modalities=[])) is None
    assert figure(least) is None
    assert block("key", figure(least), "caption", "alt") == []


def test_learning_curves_of_every_fold(many: Results) -> None:
    figure = learning_figure(many)
    assert figure is not None
    for run in many.training:
        (loss,) = traces(figure, fold=str(run["fold"]), series="loss")
        assert list(loss.y) == [row["loss"] for row in run["log"]]
        (f1,) = traces(figure, fold=str(run["fold"]), series="validation_f1")
        scored = [row for row in run["log"] if row["validation_f1"] is not None]
        assert list(zip(f1.x, f1.y, strict=True)) == [
            (row["epoch"], row["validation_f1"]) for row in scored
        ]
        (best,) = traces(figure, fold=str(run["fold"]), series="best")
        last = [row for row in run["log"] if row["best"]][-1]
        assert (best.x[0], best.y[0]) == (last["epoch"], last["validation_f1"])
    assert "per fold" in learning_caption(many)


def test_learning_curves_without_validation(few: Results) -> None:
    log = [row | {"validation_loss": None, "validation_f1": None} for row in few.training[0]["log"]]
    figure = learning_figure(replace(few, training=[{"fold": 0, "log": log}]))
    assert figure is not None
    assert {t.meta["series"] for t in figure.data} == {"loss", "best"}
    assert learning_figure(replace(few, training=[{"fold": 0, "log": []}])) is None


def lines(figure: go.Figure, metric: str, mode: str) -> tuple[Any, list[Any], list[Any]]:
    """The model's line, its band's edges, and rivals."""
    found = traces(figure, choice=metric, mode=mode)
    drawn = [t for t in found if t.mode == "lines+markers"]
    edges = [t for t in found if t.mode == "lines"]
    return drawn[0], edges, drawn[1:]


@pytest.mark.parametrize("metric", ["macro_f1", "accuracy"])
def test_rates_with_bands_over_folds(many: Results, metric: str) -> None:
    figure = missing_rate_figure(many)
    assert figure is not None
    word = {"macro_f1": "Macro-F1", "accuracy": "Accuracy"}[metric]
    for mode in ("modality", "device", "segment"):
        rows = many.curve if mode == "modality" else [s for s in many.scores if s["mode"] == mode]
        line, (low, high), rivals = lines(figure, word, mode)
        assert list(line.x) == [row["rate"] for row in rows]
        assert list(line.y) == [row[metric] for row in rows]
        assert list(line.customdata) == [row["realised"] for row in rows]
        assert list(low.y) == [min(f[metric] for f in row["folds"]) for row in rows]
        assert list(high.y) == [max(f[metric] for f in row["folds"]) for row in rows]
        assert rivals == []
        assert line.visible == (metric == "macro_f1")
    assert "lowest to the highest fold" in missing_rate_caption(many)


def test_rates_with_bands_by_subject_and_rivals(few: Results) -> None:
    figure = missing_rate_figure(few)
    assert figure is not None
    rows = [s for s in few.scores if s["mode"] == "segment"]
    line, (low, high), (rival,) = lines(figure, "Macro-F1", "segment")
    assert list(low.y) == [row["macro_f1_interval"][0] for row in rows]
    assert list(high.y) == [row["macro_f1_interval"][1] for row in rows]
    same = [r for r in few.about["rivals"]["LightGBM"] if r["mode"] == "segment"]
    assert list(rival.y) == [r["macro_f1"] for r in same]
    assert rival.line.dash == "dash"
    assert rival.line.color == line.line.color
    average, edges, _ = lines(figure, "Macro-F1", "modality")
    assert list(average.y) == [row["macro_f1"] for row in few.curve]
    assert edges == []
    assert "interval by subject" in missing_rate_caption(few)


def test_a_band_needs_all_its_rows() -> None:
    folds = [{"macro_f1": 0.4}, {"macro_f1": 0.6}]
    assert band([{"folds": folds}], "macro_f1") == ("folds", [0.4], [0.6])
    one = {"folds": folds[:1], "macro_f1_interval": [0.1, 0.9]}
    assert band([one], "macro_f1") == ("subjects", [0.1], [0.9])
    assert band([one, {"folds": []}], "macro_f1") is None


def test_patterns_are_sorted_and_whole(few: Results) -> None:
    figure = patterns_figure(few)
    assert figure is not None
    rows = pattern_rows(few)
    (bars,) = traces(figure, choice="Macro-F1")
    assert list(bars.x) == sorted((r["macro_f1"] for r in rows), reverse=True)
    low = [x - e for x, e in zip(bars.x, bars.error_x.arrayminus, strict=True)]
    assert low == pytest.approx([r["macro_f1_interval"][0] for r in rows])
    there, gone = (t for t in figure.data if t.name in ("there", "missing"))
    assert len(there.x) == sum(len(r["pattern"]) for r in rows)
    assert len(there.x) + len(gone.x) == len(rows) * len(few.modalities)
    (table,) = patterns_table(few)
    assert [r[0] for r in table.rows] == [
        "everything present",
        "only accelerometer",
        "only gyroscope",
    ]


def test_confusions_are_shares_of_rows(few: Results) -> None:
    figure = confusions_figure(few)
    assert figure is not None
    for trace, entry in zip(figure.data, few.confusions, strict=True):
        assert [list(row) for row in trace.z] == row_shares(entry["table"])
        counts = [[cell[0] for cell in row] for row in trace.customdata]
        assert counts == entry["table"]
    assert [t.meta["choice"] for t in figure.data] == [
        "Everything present",
        "40 %: a stretch of time missing",
    ]
    assert [t.visible for t in figure.data] == [True, False]
    assert row_shares([[1, 3], [0, 0]]) == [[0.25, 0.75], [None, None]]


def test_confusions_of_one_name_stay_apart(few: Results) -> None:
    figure = confusions_figure(replace(few, confusions=[few.confusions[0]] * 3))
    assert figure is not None
    assert len({t.meta["choice"] for t in figure.data}) == 3


@pytest.mark.parametrize("name", ["few", "many"])
def test_budgets_and_experts(name: str, request: pytest.FixtureRequest) -> None:
    results: Results = request.getfixturevalue(name)
    names = [m["name"] for m in results.modalities]
    budgets, experts = budgets_figure(results), experts_figure(results)
    assert budgets is not None
    assert experts is not None
    assert [list(row) for row in budgets.data[0].z] == [
        [row["budgets"][n] for n in names] for row in results.explain
    ]
    for layer in range(2):
        for expert in range(len(results.explain[0]["experts"][layer])):
            (bars,) = traces(experts, layer=layer, expert=expert)
            assert list(bars.x) == [row["experts"][layer][expert] for row in results.explain]
    dots = [t for t in experts.data if t.name == "there"]
    assert len(dots) == (name == "few")  # drawn conditions are no patterns


def test_a_model_without_budgets_or_experts(few: Results) -> None:
    bare = [row | {"budgets": None, "experts": None} for row in few.explain]
    assert budgets_figure(replace(few, explain=bare)) is None
    assert experts_figure(replace(few, explain=bare)) is None


def test_signal_with_missing_symbols(few: Results) -> None:
    figure = signal_figure(few)
    assert figure is not None
    example = few.example
    signal = figure.data[0]
    assert list(signal.y) == example["values"]
    assert signal.connectgaps is False
    cells = next(t for t in figure.data if t.type == "heatmap")
    views = list(example["views"].values())
    assert [[z or 0 for z in row] for row in cells.z] == views
    hatched = [t for t in figure.data if t.name == "missing"]
    assert [list(t.customdata) for t in hatched] == [
        [i for i, s in enumerate(symbols) if s == 0] for symbols in views
    ]
    assert sum(t.name == "s₀" for t in figure.data) == len(views)
    assert "brushing teeth" in signal_caption(few)
    assert "shape: 8 of 32 symbols missing" in signal_alt(few)


def test_missing_runs() -> None:
    assert missing_runs([0, 0, 3, 0, 1]) == [(0, 2), (3, 4)]
    assert missing_runs([1, 2]) == []


def test_cost_and_tokens(few: Results, many: Results) -> None:
    macs, tokens = cost_figure(few), tokens_figure(few)
    assert macs is not None
    assert tokens is not None
    rows = few.cost["macs_by_missing"]
    band, mean = macs.data
    assert list(mean.y) == [row["macs"] for row in rows]
    corners = list(zip(band.x, band.y, strict=True))
    assert corners[: len(rows)] == [(row["missing"], row["highest"]) for row in rows]
    assert corners[len(rows) :] == [(row["missing"], row["lowest"]) for row in rows[::-1]]
    assert mean.text[:2] == ("12.3 M", "6.15 M (5.15 M to 8.15 M)")
    assert "6.15 M (5.15 M to 8.15 M) with 1 missing" in cost_alt(few)
    earlier = cost_figure(many)  # results without a range
    assert earlier is not None
    assert [trace.mode for trace in earlier.data] == ["lines+markers"]
    assert list(tokens.data[0].x) == [32, 29]
    assert cost_facts(few) == [
        ("Parameters", "123,456"),
        ("Multiply-accumulates per window", "12.3 M"),
    ]
    assert [counted(v) for v in (7, 1234, 3.21e9)] == ["7", "1.23 k", "3.21 G"]


def test_subjects_with_their_spread(many: Results) -> None:
    figure = subjects_figure(many)
    assert figure is not None
    values = sorted((r["macro_f1"] for r in many.subjects), reverse=True)
    shown = traces(figure, choice="Macro-F1")
    assert list(shown[-1].x) == values
    middle = {"lowest": values[-1], "median": values[8], "highest": values[0]}
    assert spread(many, "macro_f1") == middle
    assert [t.x[0] for t in shown[:-1]] == list(middle.values())
    worst = min(many.subjects, key=lambda r: r["macro_f1"])
    assert worst["subject"] in subjects_facts(many)[0][1]
    (table,) = subjects_table(many)
    assert len(table.rows) == 17
    assert table.folded

"""The model card of a run, written from its results alone."""

from __future__ import annotations

from typing import Any

from maestro_ts.evaluation.results import Results
from maestro_ts.signals.window_spec import WindowSpec

__all__ = ["model_card"]

CLASS_COLUMNS = {"accuracy": "accuracy", "macro_f1": "macro-F1"}
NUMBER_COLUMNS = {"mae": "mean absolute error", "rmse": "root mean squared error", "r2": "R²"}


def model_card(results: Results) -> str:
    """Markdown: data, split, scores under missing sensors, limits."""
    about = results.about
    relative = WindowSpec(**(about.get("windows") or {})).baseline_text()
    columns = NUMBER_COLUMNS if results.numbers else CLASS_COLUMNS
    kind = about.get("settings", {}).get("model_kind", "maestro")
    lines = [
        f"# {'MAESTRO' if kind == 'maestro' else kind} on {about['title']}",
        "",
        f"- Recipe: {about['recipe']}, seed {about['seed']}, {about['parameters']:,} parameters",
        *([f"- Started from: {about['started_from']}"] if "started_from" in about else []),
        f"- Modalities: {', '.join(m['name'] for m in results.modalities)}",
        _learned(results),
        f"- Windows: {about['n_train']} for training, {about['n_validation']} for the choice of "
        f"weights, {about['n_test']} for the test; no subject in two of them",
        f"- Test subjects: {', '.join(about['subjects_test'])}",
        *([f"- {relative}"] if relative else []),
        "",
        f"| missing | realised | {' | '.join(columns.values())} |",
        "|---|---" + "|---" * len(columns) + "|",
    ]
    lines += [_row(row, f"{row['rate']:.0%} of the modalities", columns) for row in results.curve]
    for row in results.scores:
        if row["mode"] == "pattern":
            lines.append(_row(row, "only " + ", ".join(row["pattern"]), columns))
        elif row["mode"] != "modality" and row["rate"] > 0:
            lines.append(_row(row, f"{row['rate']:.0%}, {row['mode']}", columns))
    lines += ["", "## Limits", ""]
    lines += [f"- {note}" for note in about.get("notes", [])]
    lines += [
        "- Scores hold for people like the test subjects and for the absences tested.",
        f"- Data: {about.get('licence', 'see the owner')}",
        "",
    ]
    return "\n".join(lines)


def _learned(results: Results) -> str:
    numbers = results.numbers
    if not numbers:
        return f"- Classes: {', '.join(map(str, results.classes))}"
    return (
        f"- Estimates: {numbers['name']} in {numbers['unit']}; the median of the training numbers "
        f"has a mean absolute error of {numbers['median_mae']:.3f}"
    )


def _row(row: dict[str, Any], label: str, columns: dict[str, str]) -> str:
    scores = ["–" if row[key] is None else f"{row[key]:.3f}" for key in columns]
    return f"| {label} | {row.get('realised', 0.0):.2f} | {' | '.join(scores)} |"

"""The model card of a run, written from its results alone."""

from __future__ import annotations

from typing import Any

from maestro_ts.evaluation.results import Results

__all__ = ["model_card"]


def model_card(results: Results) -> str:
    """Markdown: data, split, scores under missing sensors, limits."""
    about = results.about
    kind = about.get("settings", {}).get("model_kind", "maestro")
    lines = [
        f"# {'MAESTRO' if kind == 'maestro' else kind} on {about['title']}",
        "",
        f"- Recipe: {about['recipe']}, seed {about['seed']}, {about['parameters']:,} parameters",
        f"- Modalities: {', '.join(m['name'] for m in results.modalities)}",
        f"- Classes: {', '.join(map(str, results.classes))}",
        f"- Windows: {about['n_train']} for training, {about['n_validation']} for the choice of "
        f"weights, {about['n_test']} for the test; no subject in two of them",
        f"- Test subjects: {', '.join(about['subjects_test'])}",
        "",
        "| missing | realised | accuracy | macro-F1 |",
        "|---|---|---|---|",
    ]
    lines += [_row(row, f"{row['rate']:.0%} of the modalities") for row in results.curve]
    for row in results.scores:
        if row["mode"] == "pattern":
            lines.append(_row(row, "only " + ", ".join(row["pattern"])))
        elif row["mode"] != "modality" and row["rate"] > 0:
            lines.append(_row(row, f"{row['rate']:.0%}, {row['mode']}"))
    lines += ["", "## Limits", ""]
    lines += [f"- {note}" for note in about.get("notes", [])]
    lines += [
        "- Scores hold for people like the test subjects and for the absences tested.",
        f"- Data: {about.get('licence', 'see the owner')}",
        "",
    ]
    return "\n".join(lines)


def _row(row: dict[str, Any], label: str) -> str:
    realised = row.get("realised", 0.0)
    return f"| {label} | {realised:.2f} | {row['accuracy']:.3f} | {row['macro_f1']:.3f} |"

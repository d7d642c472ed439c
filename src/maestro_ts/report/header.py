"""Words and numbers of the page's head: what was trained on what, and how well it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maestro_ts.evaluation.results import Results
from maestro_ts.report.wording import METRICS, everything_present, interval, scored

__all__ = [
    "Detail",
    "Headline",
    "details",
    "details_of",
    "headlines",
    "notes",
    "page_title",
    "summary",
]

ELSEWHERE = ("title", "notes", "rivals")  # shown in places of their own
WORDS = {
    "dataset": "Data set",
    "licence": "Licence of the data",
    "n_train": "Training windows",
    "n_validation": "Validation windows",
    "n_test": "Test windows",
    "subjects_validation": "Validation subjects",
    "subjects_test": "Test subjects",
}
INLINE_UP_TO = 8  # entries; a longer mapping is folded


@dataclass(frozen=True)
class Headline:
    """One large number."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Detail:
    """One row of the table of details; `folded` is a long list of entries."""

    label: str
    text: str
    folded: tuple[tuple[str, str], ...] = ()


def page_title(results: Results) -> str:
    """Title of the data set, or its name."""
    return str(results.about.get("title") or results.about.get("dataset") or "Evaluation")


def summary(results: Results) -> str:
    """One or two sentences: what was trained on what."""
    about = results.about
    parts = []
    if about.get("recipe"):
        parts.append(f"Recipe {about['recipe']}")
    if _whole(about.get("n_train")):
        checked = about.get("n_validation")
        more = f" and {checked:,} for validation" if _whole(checked) else ""
        parts.append(f"trained on {about['n_train']:,} windows{more}")
    if _whole(about.get("n_test")):
        who = about.get("subjects_test")
        people = (
            f" of {_counted(len(who), 'subject', 'subjects')}"
            if isinstance(who, list | tuple)
            else ""
        )
        parts.append(f"tested on {about['n_test']:,} windows{people}")
    sentence = ", ".join(parts)
    sensors = _counted(len(results.modalities), "modality", "modalities")
    scope = f"{sensors}, {_counted(len(results.classes), 'class', 'classes')}."
    return f"{sentence[0].upper()}{sentence[1:]}. {scope}" if sentence else scope


def headlines(results: Results) -> list[Headline]:
    """Accuracy, macro-F1 and, with a positive class, its ranking, with everything present."""
    row = everything_present(results)
    if row is None:
        return []
    # The interval is a bootstrap over subjects: one subject says nothing about the next.
    lone = len(results.subjects) == 1
    found = []
    for metric in ("accuracy", "macro_f1"):
        bounds = row.get(f"{metric}_interval")
        note = f"95 % interval by subject: {interval(bounds)}" if bounds and not lone else ""
        if lone:
            note = "one test subject: no interval"
        found.append(Headline(METRICS[metric], scored(row[metric]), note))
    for metric, name in (("auroc", "AUROC"), ("auprc", "AUPRC")):
        if row.get(metric) is not None:
            note = (
                "" if lone else f"95 % interval by subject: {interval(row[f'{metric}_interval'])}"
            )
            found.append(Headline(name, scored(row[metric]), note))
    complete = row.get("complete") or {}
    if complete.get("n") and complete["n"] != row["n"]:
        found.append(
            Headline(
                "Macro-F1, complete windows",
                scored(complete["macro_f1"]),
                f"{complete['n']:,} of {row['n']:,} windows had all sensors to begin with",
            )
        )
    return found


def notes(results: Results) -> list[str]:
    """What a reader should know before believing the numbers."""
    return [str(note) for note in results.about.get("notes") or []]


def details(results: Results) -> list[Detail]:
    """Everything else that is known of the run, whatever its keys are."""
    return details_of(results.about)


def details_of(about: Mapping[str, Any]) -> list[Detail]:
    """Plain values as rows, whatever their keys are."""
    rows = []
    for key, value in about.items():
        if key in ELSEWHERE or value is None or value == []:
            continue
        label = WORDS.get(key, str(key).replace("_", " ").capitalize())
        rows.append(_detail(label, key, value))
    return rows


def _detail(label: str, key: str, value: Any) -> Detail:
    if isinstance(value, Mapping):
        leaves = _leaves(value)
        if len(leaves) > INLINE_UP_TO:
            return Detail(label, f"{len(leaves)} entries", tuple(leaves))
        return Detail(label, ", ".join(f"{k} {v}" for k, v in leaves))
    if _whole(value) and (key.startswith("n_") or key == "parameters"):
        return Detail(label, f"{value:,}")
    return Detail(label, _text(value))


def _leaves(tree: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Nested keys joined by dots, with their values."""
    found: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found += _leaves(value, f"{before}{key}.")
        else:
            found.append((f"{before}{key}", _text(value)))
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_text(v) for v in value)
    return "–" if value is None else str(value)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _counted(n: int, one: str, several: str) -> str:
    return f"{n} {one if n == 1 else several}"

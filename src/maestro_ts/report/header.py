"""Words and numbers of the page's head: what was trained on what, and how well it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maestro_ts.evaluation.results import Results
from maestro_ts.report.wording import everything_present, interval, metrics_of, scored
from maestro_ts.signals.window_spec import WindowSpec

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
    """A few sentences: what was trained on what, and what the values are relative to."""
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
    learned = str(results.numbers.get("name", "")) or _counted(
        len(results.classes), "class", "classes"
    )
    scope = f"{sensors}, {learned}."
    relative = WindowSpec(**(about.get("windows") or {})).baseline_text()
    scope = f"{scope} {relative}" if relative else scope
    return f"{sentence[0].upper()}{sentence[1:]}. {scope}" if sentence else scope


def headlines(results: Results) -> list[Headline]:
    """The scores and, with a positive class, its ranking, with everything present."""
    row = everything_present(results)
    if row is None:
        return []
    # The interval is a bootstrap over subjects: one subject says nothing about the next.
    lone = len(results.subjects) == 1
    found = []
    known = metrics_of(results)
    # Of classes the accuracy first, which everybody knows.
    for metric in known if results.numbers else known[::-1]:
        bounds = row.get(f"{metric.key}_interval")
        note = f"95 % interval by subject: {interval(bounds)}" if bounds and not lone else ""
        if lone:
            note = "one test subject: no interval"
        found.append(Headline(metric.label, scored(row[metric.key]), note))
    if results.numbers:
        blind = f"{known[0].label}, training median"
        value = scored(results.numbers["median_mae"])
        found.append(Headline(blind, value, "what is reached without looking at any signal"))
    for ranking, name in (("auroc", "AUROC"), ("auprc", "AUPRC")):
        if row.get(ranking) is not None:
            note = (
                "" if lone else f"95 % interval by subject: {interval(row[f'{ranking}_interval'])}"
            )
            found.append(Headline(name, scored(row[ranking]), note))
    complete = row.get("complete") or {}
    if complete.get("n") and complete["n"] != row["n"]:
        found.append(
            Headline(
                f"{known[0].label}, complete windows",
                scored(complete[known[0].key]),
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

"""The page and the text of an experiment that looks inside fitted models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maestro_ts.report.blocks import Section
from maestro_ts.report.header import details_of
from maestro_ts.report.page import render_page
from maestro_ts.report.table_text import markdown_table

__all__ = ["look_markdown", "render_look"]

Tree = Mapping[str, Any]


def render_look(summary: Tree, sections: Sequence[Section]) -> str:
    """The page as text."""
    return render_page(
        title=f"{summary['title']}: {summary['dataset']['title']}",
        summary=summary["question"],
        headlines=[],
        notes=summary["notes"],
        sections=sections,
        details=details_of(_lines(summary) | {"settings": summary["entrant"]["recipe"]}),
        tree=summary,
    )


def look_markdown(summary: Tree, sections: Sequence[Section]) -> str:
    """Facts and tables as Markdown."""
    parts = [f"# {summary['title']}: {summary['dataset']['name']}", summary["question"]]
    told = [f"{label.capitalize()}: {line}" for label, line in _lines(summary).items()]
    told += summary["notes"]
    parts.append("\n".join(f"- {line}" for line in told))
    for section in sections:
        if section.facts:
            parts.append("\n".join(f"- {label}: {value}" for label, value in section.facts))
        for table in section.tables:
            parts += [f"## {table.title}", markdown_table(table)]
    return "\n\n".join(parts) + "\n"


def _lines(summary: Tree) -> dict[str, str]:
    """Data set, model, division and versions, one line each."""
    data, folds = summary["dataset"], ", ".join(map(str, summary["folds"]))
    count, fitted = len(summary["runs"]), "run" in summary["runs"][0]
    return {
        "data": f"{data['title']}: {data['n_windows']:,} windows of {data['n_subjects']:,} "
        f"subjects, {len(data['modalities'])} modalities.",
        "model": f"{summary['entrant']['title']}, recipe {summary['entrant']['recipe']['name']}; "
        + (f"{count} fitted {'model' if count == 1 else 'models'}, each" if fitted else "")
        + ("" if fitted else "no network is trained, the front end is")
        + " seen on its test subjects.",
        "split": f"{summary['split']}; fold {folds} of {summary['folds_of']}; "
        f"seed {', '.join(map(str, summary['seeds']))}.",
        "versions": ", ".join(f"{k} {v}" for k, v in summary["versions"].items()),
    }

"""Tables as text: Markdown for a page of documentation, LaTeX (booktabs) for a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maestro_ts.report.blocks import Table

__all__ = ["about_lines", "latex", "markdown", "markdown_table"]

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "−": "$-$",
    "–": "--",
    "×": r"$\times$",
}


def about_lines(summary: Mapping[str, Any]) -> list[str]:
    """Data set, division, seeds and versions, one line each."""
    data = summary["dataset"]
    folds = ", ".join(map(str, summary["folds"]))
    return [
        f"{data['title']}: {summary['n']:,} tested of {data['n_windows']:,} windows of "
        f"{data['n_subjects']:,} subjects, {len(summary['classes'])} classes.",
        f"Split: {summary['split']}; fold {folds} of {summary['folds_of']}; "
        f"seed {', '.join(map(str, summary['seeds']))}.",
        "Scores are pooled over the folds and averaged over the seeds; intervals are 95 %, from "
        "draws of subjects, the same for everyone. Natural absence is kept.",
        _paper(summary),
        "Versions: " + ", ".join(f"{k} {v}" for k, v in summary["versions"].items()) + ".",
    ]


def _paper(summary: Mapping[str, Any]) -> str:
    name = summary["published"]["dataset"]
    if name is None:
        return "The paper has no figures for it: another data set."
    return f"The paper has it as {name}; its splits are not published in full."


def markdown(summary: Mapping[str, Any], tables: Sequence[Table]) -> str:
    """The whole page."""
    parts = [f"# {summary['title']}: {summary['dataset']['name']}", summary["question"]]
    parts.append("\n".join(f"- {line}" for line in (*about_lines(summary), *summary["notes"])))
    for table in tables:
        parts += [f"## {table.title}", markdown_table(table)]
    return "\n\n".join(parts) + "\n"


def markdown_table(table: Table) -> str:
    """One table."""
    rule = ["---" if i < table.numeric else "---:" for i in range(len(table.head))]
    rows = [list(table.head), rule, *table.rows]
    return "\n".join("| " + " | ".join(c.replace("|", r"\|") for c in row) + " |" for row in rows)


def latex(summary: Mapping[str, Any], tables: Sequence[Table]) -> str:
    """Tables to be put into a document that loads ``booktabs``."""
    name = summary["dataset"]["name"]
    parts = [f"% {line}" for line in (summary["question"], *about_lines(summary))]
    for table in tables:
        columns = "".join("l" if i < table.numeric else "r" for i in range(len(table.head)))
        parts += [
            r"\begin{table}",
            rf"\caption{{{_escaped(f'{table.title} ({name})')}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            _latex_row(table.head),
            r"\midrule",
            *(_latex_row(row) for row in table.rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
        ]
    return "\n".join(parts) + "\n"


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(_escaped(c) for c in cells) + r" \\"


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(c, c) for c in text)

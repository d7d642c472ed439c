"""The page of an experiment: its curves, differences, subjects and ranks, and all of its tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maestro_ts.atomic import write_text
from maestro_ts.report.blocks import Section, block, section
from maestro_ts.report.experiment_figures import (
    curve_figure,
    differences_figure,
    ranks_figure,
    subjects_figure,
)
from maestro_ts.report.experiment_tables import experiment_tables
from maestro_ts.report.experiment_wording import by_mode, number
from maestro_ts.report.header import Detail, Headline, details_of
from maestro_ts.report.label_efficiency import label_section
from maestro_ts.report.page import render_page
from maestro_ts.report.table_text import about_lines

__all__ = ["render_experiment", "write_experiment"]

CURVE = (
    "The flatter a line, the less what is missing costs. Bands, of the first two, are 95 % "
    "intervals by subject. Beyond the largest rate in training nobody was taught what is asked."
)
DIFFERENCES = (
    "Right of 0 the first entrant is better. Lines are 95 % intervals from draws of subjects, the "
    "same draws for both; one that crosses 0 decides nothing."
)
SUBJECTS = "Each row is a subject with everything present, the best of the first entrant on top."
RANKS = (
    "Every {blocks} ranks all entrants by {score}. Bars are as long as the critical difference "
    "(Nemenyi, 95 %): entrants whose bars overlap do not differ."
)


def write_experiment(summary: dict[str, Any], path: Path) -> None:
    """Write the page; the file is there whole or not at all."""
    write_text(path, render_experiment(summary))


def render_experiment(summary: dict[str, Any]) -> str:
    """The page as text."""
    return render_page(
        title=f"{summary['title']}: {summary['dataset']['title']}",
        summary=summary["question"],
        headlines=_headlines(summary),
        notes=summary["notes"],
        sections=[
            *(label_section(summary) or _compared(summary)),
            *section("tables", "Tables", [], tables=experiment_tables(summary)),
        ],
        details=_details(summary),
        tree=summary,
    )


def _headlines(summary: Mapping[str, Any]) -> list[Headline]:
    """The first entrants with everything present and over the whole curve."""
    found = []
    for entrant in summary["entrants"][:3]:
        row = entrant["conditions"][0]
        area = entrant["areas"].get("modality")
        note = "macro-F1, everything present"
        if area is not None:
            note += f"; {number(area['macro_f1'])} over 0 to {area['to']:.0%} missing"
        found.append(Headline(entrant["title"], number(row["macro_f1"]), note))
    return found


def _compared(summary: Mapping[str, Any]) -> list[Section]:
    """Figures of entrants that are few and beside each other."""
    return [*_curves(summary), *_differences(summary), *_subjects(summary), *_ranks(summary)]


def _curves(summary: Mapping[str, Any]) -> list[Section]:
    first = by_mode(summary["entrants"][0])
    titles = {"modality": "Whole sensors missing", "segment": "A stretch of time missing"}
    parts = []
    for mode, rows in first.items():
        ends = ", ".join(
            f"{e['title']} {number(by_mode(e)[mode][0]['macro_f1'])} to "
            f"{number(by_mode(e)[mode][-1]['macro_f1'])}"
            for e in summary["entrants"]
        )
        alt = f"Line chart of macro-F1 up to {rows[-1]['rate']:.0%} missing: {ends}."
        figure = block(f"{mode}-curve", curve_figure(summary, mode), CURVE, alt)
        parts += section(mode, titles[mode], figure)
    return parts


def _differences(summary: Mapping[str, Any]) -> list[Section]:
    alt = "Differences in macro-F1 with intervals; the same numbers are in the tables."
    figure = differences_figure(summary)
    return section(
        "differences", "Against the others", block("gaps", figure, DIFFERENCES, alt, 420)
    )


def _subjects(summary: Mapping[str, Any]) -> list[Section]:
    alt = "Dot chart of macro-F1 of every subject; the same numbers are in the tables."
    figure = subjects_figure(summary)
    return section("subjects", "Subject by subject", block("subject", figure, SUBJECTS, alt))


def _ranks(summary: Mapping[str, Any]) -> list[Section]:
    titles = {e["name"]: e["title"] for e in summary["entrants"]}
    blocks = []
    for key, score in (("ranks", "accuracy"), ("across", "macro-F1")):
        ranks = summary[key]
        if ranks is None:
            continue
        caption = RANKS.format(blocks=ranks["blocks"].removesuffix("s"), score=score)
        said = ", ".join(f"{titles[n]} {rank:.2f}" for n, rank in ranks["mean"].items())
        alt = f"Mean ranks over {ranks['n']} {ranks['blocks']}: {said}."
        blocks += block(f"{key}-by", ranks_figure(ranks, titles), caption, alt)
    return section("ranks", "Ranks", blocks)


def _details(summary: Mapping[str, Any]) -> list[Detail]:
    lines = dict(
        zip(("data", "split", "scores", "paper", "versions"), about_lines(summary), strict=True)
    )
    return details_of(
        lines | {f"settings of {e['name']}": e["recipe"] for e in summary["entrants"]}
    )

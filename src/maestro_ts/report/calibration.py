"""The section on what the model claims of itself: honest probabilities, sets, answers withheld."""

from __future__ import annotations

from maestro_ts.evaluation.results import Results
from maestro_ts.report.blocks import Section, Table, block, section
from maestro_ts.report.calibration_tables import (
    calibration_facts,
    class_rows,
    coverage_rows,
    error_rows,
)
from maestro_ts.report.coverage import coverage_alt, coverage_caption, coverage_figure
from maestro_ts.report.reliability import RELIABILITY_CAPTION, reliability_alt, reliability_figure

__all__ = ["calibration_section"]


ERRORS = "Calibration error, and the band that 95 % of calibrated models stay in"
SETS = "Sets of classes: their mean size, how many answer with one, how many of those are right"
CLASSES = "Coverage by what is missing: each has a threshold of its own, anything else that of all"


def calibration_section(results: Results) -> list[Section]:
    """Nothing where the model is not calibrated."""
    found = results.calibration
    if not found:
        return []
    tables = [
        Table(title, head, rows, folded=True)
        for title, (head, rows) in {
            ERRORS: error_rows(found),
            SETS: coverage_rows(found),
            CLASSES: class_rows(found),
        }.items()
        if rows
    ]
    return section(
        "calibration",
        "How sure it may be",
        [
            *block(
                "reliability",
                reliability_figure(found),
                RELIABILITY_CAPTION,
                reliability_alt(found),
            ),
            *block(
                "coverage", coverage_figure(found), coverage_caption(found), coverage_alt(found)
            ),
        ],
        calibration_facts(found),
        tables,
    )

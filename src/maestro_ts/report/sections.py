"""The sections of the page in their order; what has no data has no section."""

from __future__ import annotations

from maestro_ts.evaluation.results import Results
from maestro_ts.evaluation.sensor_file import SensorFile
from maestro_ts.report.blocks import Section, block, section
from maestro_ts.report.budgets import BUDGETS_CAPTION, budgets_alt, budgets_figure, budgets_width
from maestro_ts.report.calibration import calibration_section
from maestro_ts.report.confusions import CONFUSIONS_CAPTION, confusions_alt, confusions_figure
from maestro_ts.report.cost import COST_CAPTION, cost_alt, cost_facts, cost_figure
from maestro_ts.report.estimates import ESTIMATES_CAPTION, estimates_alt, estimates_figure
from maestro_ts.report.experts import EXPERTS_CAPTION, experts_alt, experts_figure, experts_width
from maestro_ts.report.learning import learning_alt, learning_caption, learning_figure
from maestro_ts.report.missing_rate import (
    missing_rate_alt,
    missing_rate_caption,
    missing_rate_figure,
)
from maestro_ts.report.patterns import (
    PATTERNS_CAPTION,
    patterns_alt,
    patterns_figure,
    patterns_table,
)
from maestro_ts.report.sensors import sensor_sections
from maestro_ts.report.signal import signal_alt, signal_caption, signal_figure
from maestro_ts.report.subjects import (
    SUBJECTS_CAPTION,
    subjects_alt,
    subjects_facts,
    subjects_figure,
    subjects_table,
)
from maestro_ts.report.tokens import TOKENS_CAPTION, tokens_alt, tokens_figure

__all__ = ["sections"]


def sections(results: Results, sensors: SensorFile | None = None) -> list[Section]:
    """Results first, then what the model does, then how it was trained and what it costs."""
    return [
        *_missing(results),
        *_patterns(results),
        *sensor_sections(sensors),
        *calibration_section(results),
        *_confusions(results),
        *_estimates(results),
        *_subjects(results),
        *_inside(results),
        *_signal(results),
        *_learning(results),
        *_cost(results),
    ]


def _missing(results: Results) -> list[Section]:
    words = missing_rate_caption(results), missing_rate_alt(results)
    return section(
        "missing", "When sensors are missing", block("rate", missing_rate_figure(results), *words)
    )


def _patterns(results: Results) -> list[Section]:
    figure = patterns_figure(results)
    return section(
        "patterns",
        "Every combination of sensors",
        block("pattern", figure, PATTERNS_CAPTION, patterns_alt(results)),
        tables=patterns_table(results),
    )


def _confusions(results: Results) -> list[Section]:
    figure = confusions_figure(results)
    width = 130 + 34 * len(results.classes)
    return section(
        "confusions",
        "Which class is taken for which",
        block("confusion", figure, CONFUSIONS_CAPTION, confusions_alt(results), width),
    )


def _estimates(results: Results) -> list[Section]:
    words = ESTIMATES_CAPTION, estimates_alt(results)
    return section(
        "estimates",
        "Estimated against true",
        block("estimate", estimates_figure(results), *words),
    )


def _subjects(results: Results) -> list[Section]:
    return section(
        "subjects",
        "Subject by subject",
        block("subject", subjects_figure(results), SUBJECTS_CAPTION, subjects_alt(results)),
        subjects_facts(results),
        subjects_table(results),
    )


def _inside(results: Results) -> list[Section]:
    budgets, experts = budgets_figure(results), experts_figure(results)
    return section(
        "inside",
        "What the model does about it",
        [
            *block(
                "budget", budgets, BUDGETS_CAPTION, budgets_alt(results), budgets_width(results)
            ),
            *block(
                "expert", experts, EXPERTS_CAPTION, experts_alt(results), experts_width(results)
            ),
        ],
    )


def _signal(results: Results) -> list[Section]:
    words = signal_caption(results), signal_alt(results)
    return section(
        "signal", "A signal and its symbols", block("symbols", signal_figure(results), *words)
    )


def _learning(results: Results) -> list[Section]:
    words = learning_caption(results), learning_alt(results)
    return section("learning", "Training", block("curves", learning_figure(results), *words))


def _cost(results: Results) -> list[Section]:
    return section(
        "cost",
        "What a window costs",
        [
            *block("macs", cost_figure(results), COST_CAPTION, cost_alt(results)),
            *block("token", tokens_figure(results), TOKENS_CAPTION, tokens_alt(results)),
        ],
        cost_facts(results),
    )

"""PhysioNet 2012, length of stay: a number to be estimated from the first 48 hours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from maestro_ts.errors import FormatError, shown
from maestro_ts.signals.datasets import physionet2012
from maestro_ts.signals.datasets.card import Reading, Target
from maestro_ts.signals.datasets.physionet2012 import Outcome, read_stays
from maestro_ts.signals.formats.csv import as_number

__all__ = ["CARD", "read"]

LENGTH = "Length_of_stay"
UNKNOWN = -1.0

CARD = replace(
    physionet2012.CARD,
    name="physionet2012-los",
    title="PhysioNet/CinC Challenge 2012: length of stay from 48 hours of intensive care",
    task="regression: days in hospital (no classes)",
    classes=(),
    positive="",
    label_rule=(
        "A stay's first 48 hours are one window; its label is Length_of_stay in Outcomes-a.txt or "
        "Outcomes-b.txt, in whole days from admission to intensive care to discharge or death."
    ),
    subjects=7886,
    target=Target("length of stay", "days"),
    quirks=(
        "Length_of_stay is unknown (-1) in 60 stays of set-a and 54 of set-b: they are refused by "
        "name, and counted. 3 stays have 1 day and 104 have 2, though every file spans 48 hours: "
        "they are kept.",
        "The longest stays (154 and 171 days) are many times the median of 10. The days are "
        "learned as they are, without a logarithm: the absolute error that is trained for "
        "seeks their median, which a logarithm leaves where it is.",
        "A stay that ends by death is as long as until then: 14 % of the stays. In-hospital_death "
        "and Survival are not read.",
        *(text for text in physionet2012.CARD.quirks if not text.startswith("SAPS-I")),
        "SAPS-I, SOFA, Survival and In-hospital_death are not read: they are the owners' scores "
        "and what became of the patient.",
    ),
)


def read(
    path: Path | None, progress: Callable[[int, int], None] = lambda done, total: None
) -> Reading:
    """Read every stay whose length is known; see `physionet2012.read`."""
    return read_stays(CARD, path, progress, LENGTH, _days)


def _days(length: Outcome) -> str:
    days = as_number(length.text, length.where)
    if days == UNKNOWN:
        raise FormatError(f"{LENGTH} is unknown (-1): no label.", where=length.where)
    if days <= 0:
        raise FormatError(
            f"{LENGTH} is {shown(length.text)}, days above 0 expected.", where=length.where
        )
    return repr(days)

"""Plain values, ready for JSON, of a data set's card and of what reading it gave."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from maestro_ts.signals.datasets.card import Card, Reading

__all__ = ["card_values", "reading_values"]


def card_values(card: Card) -> dict[str, Any]:
    """Every field of a card."""
    values = {field.name: getattr(card, field.name) for field in fields(card)}
    return values | {
        "schema": card.schema.to_list(),
        "windows": card.windows.values(),
        "classes": list(card.classes),
        "quirks": list(card.quirks),
        "downloads": [asdict(download) for download in card.downloads],
        "target": None if card.target is None else asdict(card.target),
    }


def reading_values(card: Card, reading: Reading) -> dict[str, Any]:
    """Count what was read.

    Returns
    -------
    dict
        ``recordings`` and ``subjects`` are numbers; ``modalities`` and ``labels`` give, for every
        name on the card, the number of recordings that have it; ``refused`` is a list of
        ``{"where", "why"}``. Where a number is to be estimated, ``numbers`` tells how many labels
        there are, the least, the median and the largest.
    """
    have = Counter(name for r in reading.recordings for name in r.streams)
    say = Counter(label for r in reading.recordings for label in {i.label for i in r.labels})
    return {
        "recordings": len(reading.recordings),
        "refused": [{"where": r.where, "why": r.why} for r in reading.refused],
        "subjects": len({r.subject for r in reading.recordings}),
        "modalities": {name: have[name] for name in card.schema.names},
        "labels": {label: say[label] for label in card.classes},
        **({} if card.target is None else {"numbers": _spread(reading)}),
    }


def _spread(reading: Reading) -> dict[str, float]:
    numbers = [float(i.label) for r in reading.recordings for i in r.labels]
    low, middle, high = np.quantile(numbers, [0.0, 0.5, 1.0])
    return {"labels": len(numbers), "min": float(low), "median": float(middle), "max": float(high)}

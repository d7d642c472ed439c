"""Whether a data set's files are on this machine."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from maestro_ts.signals.datasets.card import Card

__all__ = ["find_data"]


def find_data(card: Card, folder: Path | None) -> str:
    """Name what holds the data: ``NAME.zip`` or ``NAME`` in the folder, or an installed package.

    Returns
    -------
    str
        Empty if there is nothing. Nothing is opened: whether it can be read is not known yet.
    """
    if folder is not None:
        for name in (f"{card.name}.zip", card.name):
            if (folder / name).exists():
                return name
    if card.package and find_spec(card.package) is not None:
        return f"package {card.package}"
    return ""

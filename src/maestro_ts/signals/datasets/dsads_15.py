"""DSADS with fifteen modalities: acc, gyro and mag of each of the five units by themselves."""

from __future__ import annotations

from dataclasses import replace

from maestro_ts.signals.datasets import dsads
from maestro_ts.signals.datasets.dsads import KINDS, QUIRKS, RATE_HZ, UNITS, part_reader
from maestro_ts.signals.modality import Modality, Schema

__all__ = ["CARD", "READER"]

PARTS = [(unit, kind, physical) for unit in UNITS for kind, physical in KINDS]
COLUMNS = {f"{unit}_{kind}": slice(3 * i, 3 * i + 3) for i, (unit, kind, _) in enumerate(PARTS)}
CARD = replace(
    dsads.CARD,
    name="dsads-15",
    title=f"{dsads.CARD.title}, acc, gyro and mag apart",
    schema=Schema(
        Modality(f"{unit}_{kind}", 3, RATE_HZ, physical, device=unit)
        for unit, kind, physical in PARTS
    ),
    quirks=(
        *QUIRKS,
        "15 modalities on 5 devices: acc, gyro and mag of a unit fail together when the unit "
        "does. 'dsads' reads the same files with one modality of 9 channels per unit.",
    ),
)

READER = part_reader(COLUMNS)

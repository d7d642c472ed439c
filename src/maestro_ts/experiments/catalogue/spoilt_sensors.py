"""Which sensors are spoilt: the paper's combinations where there are such, else a device."""

from __future__ import annotations

from maestro_ts.signals.modality import Schema

__all__ = ["CHEST", "WRIST", "spoilt_sensors"]

CHEST = ("chest_acc",)
WRIST = ("wrist_bvp", "wrist_eda", "wrist_temp")


def spoilt_sensors(schema: Schema) -> list[tuple[str, ...]]:
    """Modalities that are spoilt together, with others left: one or two sets.

    The paper's two on WESAD, or the one of them that there is; else the first device of several
    that has a signal; else the first modality of several; of one modality it is that one.
    """
    named: list[tuple[str, ...]] = [
        names
        for names in (CHEST, WRIST)
        if len(schema) > len(names) and all(n in schema for n in names)
    ]
    if named:
        return named
    signals = [m for m in schema if not m.static] or list(schema)
    first = min(m.device for m in signals)
    of_first = tuple(m.name for m in signals if m.device == first)
    return [of_first if len(of_first) < len(schema) else of_first[:1]]

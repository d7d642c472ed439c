"""What sensors do that are there and not as they were in training, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["FAULTS", "fault_label"]

Row = Mapping[str, Any]


def _sensors(row: Row) -> str:
    return " + ".join(row["sensors"])


def _share(value: float) -> str:
    return f"{100 * value:g} %"


FAULTS: Mapping[str, Callable[[Row], str]] = {
    "absent": lambda row: f"{_sensors(row)} missing",
    "first": lambda row: f"{_sensors(row)}: first {_share(row['rate'])} of the window missing",
    "last": lambda row: f"{_sensors(row)}: last {_share(row['rate'])} of the window missing",
    "replaced": lambda row: f"{_sensors(row)} replaced by noise",
    "noise": lambda row: f"{_sensors(row)}: noise of {row['amount']:g} deviations",
    "spikes": lambda row: f"{_sensors(row)}: noise of {row['amount']:g} deviations and spikes",
    "jitter": lambda row: f"times off by {_share(row['amount'])} of the window (deviation)",
    "skew": lambda row: f"clocks off by up to {_share(row['amount'])} of the window",
    "slower": lambda row: f"{_share(row['amount'])} of the samples, evenly",
}


def fault_label(row: Row) -> str:
    """The fault of a condition whose mode is one of `FAULTS`."""
    return FAULTS[row["mode"]](row)

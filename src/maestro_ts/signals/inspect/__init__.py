"""What is suspicious about recordings, before anything is trained on them."""

from maestro_ts.signals.inspect.finding import Finding, Inspection
from maestro_ts.signals.inspect.inspection import KINDS, inspect

__all__ = ["KINDS", "Finding", "Inspection", "inspect"]

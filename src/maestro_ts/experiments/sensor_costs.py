"""What sensors cost, from a YAML file: ``unit: mW`` and ``costs: {ankle: 12, wrist: 8}``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from maestro_ts.errors import ConfigError

__all__ = ["read_costs"]

KEYS = ("unit", "costs")


def read_costs(path: Path) -> tuple[dict[str, float], str]:
    """Costs by name and their unit.

    Raises
    ------
    ConfigError
        No such file, not YAML, or not of this form.
    """
    try:
        tree = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot be read: {error}.", where=str(path)) from error
    form = "Write `unit: mW` and `costs:` with one `name: number` a line."
    if not isinstance(tree, dict) or not isinstance(tree.get("costs"), dict):
        raise ConfigError("no costs.", where=str(path), fix=form)
    other = [str(key) for key in tree if key not in KEYS]
    if other:
        raise ConfigError(f"unknown key {other[0]!r}.", where=str(path), fix=form)
    for name, cost in tree["costs"].items():
        if not _number(cost):
            raise ConfigError(f"{name}: {cost!r} is no number.", where=str(path), fix=form)
    costs = {str(name): float(cost) for name, cost in tree["costs"].items()}
    return costs, str(tree.get("unit") or "")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

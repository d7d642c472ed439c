"""Which settings a search tries, and how a trial draws them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from maestro_ts.errors import ConfigError, nearest
from maestro_ts.recipe import known_keys

__all__ = ["Range", "drawn", "load_space"]


class Range(BaseModel):
    """Where a setting may lie: between two ends, whole numbers between whole ends, or a choice."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: int | float | None = Field(None, alias="from")
    high: int | float | None = Field(None, alias="to")
    log: Literal[True, False] = False
    choose: tuple[int | float | str | bool, ...] = ()

    @model_validator(mode="after")
    def _one_of_two(self) -> Range:
        if self.choose and self.low is None and self.high is None:
            return self
        if self.choose or self.low is None or self.high is None or self.low >= self.high:
            raise ValueError("needs either 'from' below 'to', or 'choose'")
        if self.log and self.low <= 0:
            raise ValueError("'log' needs ends above 0")
        return self


def load_space(path: Path | None) -> dict[str, Range]:
    """Dotted setting → its range, of a YAML file; the package's own without one.

    Raises
    ------
    ConfigError
        No such file, an unknown setting, or a range that is none.
    """
    source = files(__package__) / "search_space.yaml" if path is None else path
    where = "search_space.yaml" if path is None else str(path)
    try:
        tree = yaml.safe_load(source.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}.", where=where) from error
    if not isinstance(tree, Mapping) or not tree:
        raise ConfigError("has no settings.", where=where, fix="One a line: model.dropout: {…}")
    space = {}
    for key, value in tree.items():
        if key not in known_keys() and not str(key).startswith("rival."):
            raise ConfigError(
                f"unknown setting {key!r}.", where=where, fix=nearest(str(key), known_keys())
            )
        try:
            space[key] = Range.model_validate(value)
        except ValidationError as error:
            raise ConfigError(f"{key}: {error.errors()[0]['msg']}.", where=where) from error
    return space


def drawn(space: Mapping[str, Range], trial: Any) -> dict[str, Any]:
    """The settings that optuna's trial proposes."""
    return {key: _drawn(key, found, trial) for key, found in space.items()}


def _drawn(key: str, found: Range, trial: Any) -> Any:
    if found.choose:
        return trial.suggest_categorical(key, list(found.choose))
    whole = isinstance(found.low, int) and isinstance(found.high, int)
    suggest = trial.suggest_int if whole else trial.suggest_float
    return suggest(key, found.low, found.high, log=found.log)

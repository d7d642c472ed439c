"""The table of models: name → module, tags, paper. Nothing registers itself on import.

A module named here has ``front_end(recipe) -> FrontEnd`` and
``network(front_end, n_outputs, recipe) -> Network``. Third parties add theirs through the
entry-point group ``maestro_ts.models`` (the value is the module).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from maestro_ts.errors import ConfigError, nearest

if TYPE_CHECKING:
    from maestro_ts.contract.front_end import FrontEnd
    from maestro_ts.contract.network import Network
    from maestro_ts.recipe import Recipe

__all__ = ["MODELS", "ModelEntry", "build_front_end", "build_network", "models"]


@dataclass(frozen=True)
class ModelEntry:
    """One row of the table."""

    module: str
    summary: str
    paper: str
    tags: tuple[str, ...]


MODELS = {
    "maestro": ModelEntry(
        module="maestro_ts.model.maestro",
        summary="Symbolic tokens, learned attention budget, sparse fusion, sparse experts",
        paper="Mohapatra et al., NeurIPS 2025, arXiv 2509.25278",
        tags=("any-subset", "native-rates", "irregular-times", "static", "gradient"),
    ),
}


def models() -> dict[str, ModelEntry]:
    """The table with the installed third-party models."""
    found = {
        point.name: ModelEntry(point.value, "third-party model", "", ())
        for point in entry_points(group="maestro_ts.models")
    }
    return found | MODELS


def _module(name: str) -> Any:
    table = models()
    if name not in table:
        raise ConfigError(f"Unknown model {name!r}.", fix=nearest(name, table))
    return import_module(table[name].module)


def build_front_end(recipe: Recipe) -> FrontEnd:
    """The unfitted front end of the recipe's model."""
    built: FrontEnd = _module(recipe.model_kind).front_end(recipe)
    return built


def build_network(front_end: FrontEnd, n_outputs: int, recipe: Recipe) -> Network:
    """The network for a fitted front end; weights from torch's current random state."""
    built: Network = _module(recipe.model_kind).network(front_end, n_outputs, recipe)
    return built

"""Who takes part in an experiment: a name → the whole recipe it is trained with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maestro_ts.contract.registry import models
from maestro_ts.errors import ConfigError, nearest
from maestro_ts.experiments.network_entrants import (
    HELD_OUT,
    NETWORK_TRAINING,
    NETWORKS,
    NOTHING_HIDDEN,
)
from maestro_ts.recipe import Recipe, load_recipe
from maestro_ts.signals.modality import Schema

__all__ = ["ENTRANTS", "Entrant", "entrant_of", "installed", "quick_of", "recipe_of"]

Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Entrant:
    """One that is trained and tested.

    Attributes
    ----------
    title : str
        As tables name it.
    settings : dict
        What it changes of its recipe, with dotted keys.
    recipe : str
        Name of its own recipe; "": the one that the experiment is run with.
    labelled : int or None
        So many training subjects, drawn for each seed, have labels; None: all.
    pretrained : bool
        It starts from a network that was pre-trained without labels on all training subjects.
    groups : callable (schema) -> tuple of tuples of str, or None
        Modalities of which each group has a model of its own, see `Separate`; None: one model.
    """

    title: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    recipe: str = ""
    labelled: int | None = None
    pretrained: bool = False
    groups: Callable[[Schema], Groups] | None = None


NOT_HIDDEN = ", nothing hidden in training"

ENTRANTS = {
    "maestro": Entrant("MAESTRO"),
    "maestro-paper": Entrant("MAESTRO, published hyper-parameters", recipe="paper"),
    "maestro-plain": Entrant("MAESTRO" + NOT_HIDDEN, NOTHING_HIDDEN),
    "maestro-zero": Entrant(
        "MAESTRO, 0 for what is missing, as if measured", {"symbols.missing": "zero"}
    ),
    "lightgbm": Entrant("LightGBM, nine statistics", {"model_kind": "lightgbm"}),
    "lightgbm-31": Entrant(
        "LightGBM, 31 statistics",
        {
            "model_kind": "lightgbm",
            "curriculum.modality_max": 0.5,
            "rival.statistics": "31",
            "rival.trees": 2000,
            "rival.leaves": 31,
            "rival.learning_rate": 0.05,
            "rival.copies": 3,
            "rival.least_rate": 0.1,
            "rival.patience": 100,
        },
    ),
    "lightgbm-12": Entrant(
        "LightGBM, twelve statistics of sparse records",
        {
            "model_kind": "lightgbm",
            "rival.statistics": "twelve",
            "rival.trees": 600,
            "rival.leaves": 8,
            "rival.learning_rate": 0.02,
            "rival.rows_in_leaf": 40,
            "rival.copies": 3,
        },
    ),
    "multirocket-hydra": Entrant("MultiRocket-Hydra", {"model_kind": "multirocket-hydra"}),
    "logistic": Entrant("Logistic regression, 31 statistics", {"model_kind": "logistic"}),
    "majority": Entrant("Majority class", {"model_kind": "majority"}),
} | {
    name + suffix: Entrant(
        title + told,
        {"model_kind": name.removesuffix("-paper"), **NETWORK_TRAINING, **own, **changes},
    )
    for name, (title, own) in NETWORKS.items()
    for suffix, told, changes in (
        ("", "", {}),
        ("-held", ", best weights on held-out people", HELD_OUT),
        ("-plain", NOT_HIDDEN, NOTHING_HIDDEN),
    )
}

# A first look: whether everything runs and where it leads, not how well anything does.
QUICK: Mapping[str, Any] = {"training.min_steps": 0, "training.max_steps": 150}
# What takes its time in models that are fitted at once.
QUICK_FITS: Mapping[str, Mapping[str, Any]] = {
    "lightgbm": {"rival.trees": 20},
    "multirocket-hydra": {"rival.kernels": 300},
}


def entrant_of(name: str, own: Mapping[str, Entrant]) -> Entrant:
    """The entrant of a name: the experiment's own, a known one, or a registered model.

    Raises
    ------
    ConfigError
        Nobody has this name.
    """
    known = models()
    table = {**{kind: Entrant(kind, {"model_kind": kind}) for kind in known}, **ENTRANTS, **own}
    if name not in table:
        raise ConfigError(
            f"there is no model {name!r} for this experiment.", fix=nearest(name, table)
        )
    kind = table[name].settings.get("model_kind", "maestro")
    if kind not in known:
        raise ConfigError(f"{name} needs the model {kind!r}, which is not installed.")
    return table[name]


def quick_of(entrant: Entrant) -> dict[str, Any]:
    """What a first look changes of an entrant's recipe."""
    return {**QUICK, **QUICK_FITS.get(entrant.settings.get("model_kind", "maestro"), {})}


def recipe_of(
    name: str, own: Mapping[str, Entrant], base: str, changes: Mapping[str, Any]
) -> tuple[str, Recipe]:
    """Title and whole recipe of an entrant.

    Parameters
    ----------
    name : str
    own : mapping of name to Entrant
        Those that only this experiment has.
    base : str
        Recipe of the entrants that have none of their own: a name or a YAML file.
    changes : mapping
        For all entrants alike; they have the last word.
    """
    entrant = entrant_of(name, own)
    recipe = load_recipe(entrant.recipe or base)
    return entrant.title, recipe.override({**entrant.settings, **changes})


def installed(names: Sequence[str], own: Mapping[str, Entrant]) -> tuple[str, ...]:
    """Those of the names whose model is in the table of models."""
    kinds = {
        name: entrant.settings.get("model_kind", "maestro")
        for name, entrant in {**ENTRANTS, **own}.items()
    }
    return tuple(name for name in names if kinds.get(name, name) in models())

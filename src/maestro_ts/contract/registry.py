"""The table of models: name → module, tags, paper. Nothing registers itself on import.

A module named here has ``front_end(recipe) -> FrontEnd`` and
``network(front_end, n_outputs, recipe) -> Network``. A model that no gradient trains has
``fit(front_end, windows, targets, weights, n_outputs, recipe, seed) -> Network`` besides, and its
``network`` is one with nothing in it, for weights that are read back. A class ``Settings`` checks
the recipe's group `rival`. Third parties add theirs through the entry-point group
``maestro_ts.models`` (the value is the module).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from maestro_ts.errors import ConfigError, nearest
from maestro_ts.recipe import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from maestro_ts.contract.front_end import FrontEnd
    from maestro_ts.contract.network import Network
    from maestro_ts.recipe import Recipe
    from maestro_ts.signals.windows import Windows

__all__ = [
    "MODELS",
    "ModelEntry",
    "build_front_end",
    "build_network",
    "entry_of",
    "fit_network",
    "fits_at_once",
    "models",
]


@dataclass(frozen=True)
class ModelEntry:
    """One row of the table.

    Attributes
    ----------
    exempt : dict of check to reasons
        Contract checks that the model cannot pass by design; see `testing.check_model`.
    """

    module: str
    summary: str
    paper: str
    tags: tuple[str, ...]
    exempt: Mapping[str, Sequence[str]] = field(default_factory=dict)


# What asks for training steps does not concern a model with a `fit` of its own.
AT_ONCE = {
    "gradients": ("no gradient trains it",),
    "size": ("it has no parameters, and what is stored depends on the windows",),
    "dropped_sensors": ("no training step: its copies are tested on their own",),
}

AT_NATIVE_RATES = ("any-subset", "native-rates", "irregular-times", "static", "gradient")
ON_ONE_GRID = ("any-subset", "irregular-times", "static", "gradient")

MODELS = {
    "maestro": ModelEntry(
        module="maestro_ts.model.maestro",
        summary="Symbolic tokens, learned attention budget, sparse fusion, sparse experts",
        paper="Mohapatra et al., NeurIPS 2025, arXiv 2509.25278",
        tags=("any-subset", "native-rates", "irregular-times", "static", "gradient"),
    ),
    "lightgbm": ModelEntry(
        module="maestro_ts.baselines.lightgbm",
        summary="Boosted trees on statistics of every channel",
        paper="Ke et al., NeurIPS 2017",
        tags=("any-subset", "native-rates", "irregular-times", "static"),
        exempt=AT_ONCE | {"precision": ("trees compare, and have no precision of their own",)},
    ),
    "logistic": ModelEntry(
        module="maestro_ts.baselines.logistic",
        summary="Logistic regression on statistics of every channel",
        paper="",
        tags=("any-subset", "native-rates", "irregular-times", "static"),
        exempt=AT_ONCE,
    ),
    "multirocket-hydra": ModelEntry(
        module="maestro_ts.baselines.multirocket_hydra",
        summary="Random convolutions on one grid, ridge regression",
        paper="Tan et al., DMKD 2022; Dempster et al., DMKD 2023",
        tags=("any-subset", "irregular-times", "static"),
        exempt=AT_ONCE,
    ),
    "transformer": ModelEntry(
        module="maestro_ts.baselines.transformer",
        summary="Transformer over the steps of one grid",
        paper="Vaswani et al., NeurIPS 2017",
        tags=ON_ONE_GRID,
    ),
    "resnet1d": ModelEntry(
        module="maestro_ts.baselines.resnet1d",
        summary="Convolutions with shortcuts over the steps of one grid",
        paper="Wang, Yan, Oates, IJCNN 2017",
        tags=ON_ONE_GRID,
    ),
    "inceptiontime": ModelEntry(
        module="maestro_ts.baselines.inceptiontime",
        summary="Parallel convolutions of unlike lengths over the steps of one grid",
        paper="Ismail Fawaz et al., DMKD 2020",
        tags=ON_ONE_GRID,
    ),
    "late-fusion": ModelEntry(
        module="maestro_ts.baselines.late_fusion",
        summary="A convolutional classifier per modality, their mean probability",
        paper="",
        tags=AT_NATIVE_RATES,
    ),
    "itransformer": ModelEntry(
        module="maestro_ts.baselines.itransformer",
        summary="Transformer over channels, each a token",
        paper="Liu et al., ICLR 2024",
        tags=ON_ONE_GRID,
    ),
    "lrtf": ModelEntry(
        module="maestro_ts.baselines.lrtf",
        summary="Low-rank tensor fusion of a convolutional encoder per modality",
        paper="Liu et al., ACL 2018",
        tags=AT_NATIVE_RATES,
    ),
    "masked-token-transformer": ModelEntry(
        module="maestro_ts.baselines.masked_token_transformer",
        summary="Transformer over patches of all modalities, of which the missing leave",
        paper="after Xu et al., arXiv 2506.05321",
        tags=AT_NATIVE_RATES,
    ),
    "shaspec": ModelEntry(
        module="maestro_ts.baselines.shaspec",
        summary="Shared and specific features; the shared ones stand for the absent",
        paper="Wang et al., CVPR 2023, arXiv 2307.14126",
        tags=ON_ONE_GRID,
    ),
    "fusemoe": ModelEntry(
        module="maestro_ts.baselines.fusemoe",
        summary="Streams of modalities that meet in sparse experts",
        paper="Han et al., NeurIPS 2024, arXiv 2402.03226",
        tags=ON_ONE_GRID,
    ),
    "mult": ModelEntry(
        module="maestro_ts.baselines.mult",
        summary="Cross-attention of every pair of modalities",
        paper="Tsai et al., ACL 2019",
        tags=ON_ONE_GRID,
    ),
    "flexmoe": ModelEntry(
        module="maestro_ts.baselines.flexmoe",
        summary="Learned tokens for what is missing, experts for combinations",
        paper="Yun et al., NeurIPS 2024",
        tags=AT_NATIVE_RATES,
    ),
    "gru-d": ModelEntry(
        module="maestro_ts.baselines.grud",
        summary="Recurrent network that decays with the time since a measurement",
        paper="Che et al., Scientific Reports 2018",
        tags=ON_ONE_GRID,
    ),
    "pypots": ModelEntry(
        module="maestro_ts.baselines.pypots",
        summary="BRITS or SAITS of PyPOTS, in its own environment",
        paper="Cao et al., NeurIPS 2018; Du et al., ESWA 2023",
        tags=("any-subset", "irregular-times", "static"),
        exempt=AT_ONCE | {"precision": ("PyPOTS computes in float32",)},
    ),
    "majority": ModelEntry(
        module="maestro_ts.baselines.majority",
        summary="The classes' shares in training, whatever is measured",
        paper="",
        tags=("any-subset", "native-rates", "irregular-times", "static"),
        exempt=AT_ONCE | {"learns": ("it looks at no window",)},
    ),
}


def models() -> dict[str, ModelEntry]:
    """The table with the installed third-party models."""
    found = {
        point.name: ModelEntry(point.value, "third-party model", "", ())
        for point in entry_points(group="maestro_ts.models")
    }
    return found | MODELS


def entry_of(name: str) -> ModelEntry:
    """The row of a model; installed packages are only asked for names that are not in the table.

    Raises
    ------
    ConfigError
        No such model.
    """
    table = MODELS if name in MODELS else models()
    if name not in table:
        raise ConfigError(f"Unknown model {name!r}.", fix=nearest(name, table))
    return table[name]


def _module(name: str) -> Any:
    return import_module(entry_of(name).module)


def _module_of(recipe: Recipe) -> Any:
    """The recipe's module, once it is clear that its own settings fit."""
    module = _module(recipe.model_kind)
    recipe.own(getattr(module, "Settings", Settings))
    return module


def build_front_end(recipe: Recipe) -> FrontEnd:
    """The unfitted front end of the recipe's model."""
    built: FrontEnd = _module_of(recipe).front_end(recipe)
    return built


def build_network(front_end: FrontEnd, n_outputs: int, recipe: Recipe) -> Network:
    """The network for a fitted front end; weights from torch's current random state."""
    built: Network = _module_of(recipe).network(front_end, n_outputs, recipe)
    return built


def fits_at_once(recipe: Recipe) -> bool:
    """Whether the recipe's model has a `fit` of its own, instead of training by gradients."""
    return hasattr(_module(recipe.model_kind), "fit")


def fit_network(
    front_end: FrontEnd,
    windows: Windows,
    targets: NDArray[np.int64],
    weights: NDArray[np.float32],
    n_outputs: int,
    recipe: Recipe,
    seed: int,
) -> Network:
    """The fitted network of a model that `fits_at_once`; all of its draws come from `seed`."""
    fitted: Network = _module_of(recipe).fit(
        front_end, windows, targets, weights, n_outputs, recipe, seed
    )
    return fitted

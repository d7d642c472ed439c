"""One file per experiment; this table is the registry (a new one is one file and one line)."""

from __future__ import annotations

from maestro_ts.errors import ConfigError, nearest
from maestro_ts.experiments.catalogue.ablation import ABLATION
from maestro_ts.experiments.catalogue.attention_map import ATTENTION_MAP
from maestro_ts.experiments.catalogue.cost import COST
from maestro_ts.experiments.catalogue.density import DENSITY
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.catalogue.experts import EXPERTS
from maestro_ts.experiments.catalogue.full_modality import FULL_MODALITY
from maestro_ts.experiments.catalogue.headline import HEADLINE
from maestro_ts.experiments.catalogue.irregularity import IRREGULARITY
from maestro_ts.experiments.catalogue.label_efficiency import LABEL_EFFICIENCY
from maestro_ts.experiments.catalogue.latents import LATENTS
from maestro_ts.experiments.catalogue.missingness import MISSINGNESS
from maestro_ts.experiments.catalogue.noise import NOISE
from maestro_ts.experiments.catalogue.partial import PARTIAL
from maestro_ts.experiments.catalogue.prior_mask import PRIOR_MASK
from maestro_ts.experiments.catalogue.routing import ROUTING
from maestro_ts.experiments.catalogue.subsets import SUBSETS
from maestro_ts.experiments.catalogue.symbols import SYMBOLS
from maestro_ts.experiments.catalogue.unimodal import UNIMODAL
from maestro_ts.experiments.catalogue.word_length import WORD_LENGTH

__all__ = ["EXPERIMENTS", "Experiment", "experiment"]

EXPERIMENTS = {
    e.name: e
    for e in (
        *(FULL_MODALITY, MISSINGNESS, SUBSETS, ABLATION, HEADLINE, LABEL_EFFICIENCY),
        *(NOISE, IRREGULARITY, PARTIAL, UNIMODAL, PRIOR_MASK),
        *(EXPERTS, WORD_LENGTH, DENSITY, COST),
        *(ROUTING, ATTENTION_MAP, SYMBOLS, LATENTS),
    )
}


def experiment(name: str) -> Experiment:
    """The experiment of a name.

    Raises
    ------
    ConfigError
        There is none.
    """
    if name not in EXPERIMENTS:
        raise ConfigError(f"there is no experiment {name!r}.", fix=nearest(name, EXPERIMENTS))
    return EXPERIMENTS[name]

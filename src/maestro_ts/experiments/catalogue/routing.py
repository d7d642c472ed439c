"""Which expert serves which pattern of missing sensors, and which modality (figure 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError
from maestro_ts.evaluation.mutual_information import (
    of_kinds,
    of_patterns,
    of_patterns_within_kinds,
)
from maestro_ts.evaluation.statistics import mean_and_deviation
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.catalogue.look import Look, Opened, Tree, nothing_hidden
from maestro_ts.experiments.catalogue.subsets import subsets
from maestro_ts.experiments.entrants import Entrant
from maestro_ts.experiments.traced import batches_without
from maestro_ts.model.trace import LayerTrace, trace
from maestro_ts.recipe import Recipe
from maestro_ts.report.routing import routing_sections
from maestro_ts.signals.modality import Schema

__all__ = ["ROUTING"]

SEEN = 10_000  # windows times patterns
PAIRS = ("pattern", "pattern within a modality", "modality")
MISSING, DURATION = "missing tokens", "duration"

Floats = NDArray[np.float64]


def _check(recipe: Recipe) -> None:
    if recipe.experts.placement != "fusion" or not recipe.model.fusion_layers:
        raise ConfigError(
            "this model has no experts in its fusion.", fix="Use --set experts.placement=fusion."
        )


def _at(seen: Opened) -> Tree:
    """Shares and information of every fusion layer of one model."""
    layers = _counts(seen)
    schema = seen.front_end.schema
    rng = np.random.default_rng(0)  # the same shuffles for every model
    return {
        "n": layers[0].shape[1],
        "layers": [
            {
                "by_pattern": _shares(counts.sum(axis=(1, 2))),
                "by_kind": _shares(counts.sum(axis=(0, 1))),
                "information": {
                    "pattern": of_patterns(counts, rng).to_dict(),
                    # What stands for a missing sensor differs between patterns by itself.
                    "pattern within a modality": of_patterns_within_kinds(
                        counts[:, :, : len(schema)], rng
                    ).to_dict(),
                    "modality": of_kinds(counts, rng).to_dict(),
                },
            }
            for counts in layers
        ],
    }


def _counts(seen: Opened) -> list[Floats]:
    """Tokens that each expert served, [P, n, M + 2, E] of each layer.

    The last two kinds are tokens that stand for a missing modality, and the duration's.
    """
    network, schema = seen.maestro, seen.front_end.schema
    names, patterns = schema.names, subsets(schema)
    windows = seen.some(max(1, SEEN // len(patterns)))
    prepared, n = seen.front_end.prepare(windows), len(windows)
    shape = (len(patterns), n, len(names) + 2, network.recipe.experts.count)
    found = [np.zeros(shape) for _ in network.fusion]
    for p, kept in enumerate(patterns):
        keep = np.isin(names, kept)
        for rows, batch in batches_without(seen.front_end, prepared, n, keep):
            present = batch.host_present.numpy()
            for counts, layer in zip(found, trace(network, batch), strict=True):
                _add(counts[p, rows[0] : rows[-1] + 1], layer, present)
    return found


def _add(counts: Floats, layer: LayerTrace, present: NDArray[np.bool_]) -> None:
    """Count the choices of one layer into [b, M + 2, E]."""
    assert layer.chosen is not None
    windows, sources = layer.chosen_windows.numpy(), layer.chosen_sources.numpy()
    modalities = present.shape[1]
    is_modality = sources < modalities
    there = present[windows, np.minimum(sources, modalities - 1)]
    kinds = np.where(is_modality, np.where(there, sources, modalities), modalities + 1)
    for chosen in layer.chosen.numpy().T:
        np.add.at(counts, (windows, kinds, chosen), 1.0)


def _shares(counts: Floats) -> list[list[float] | None]:
    """Each row as shares; None for a row without tokens."""
    return [(row / row.sum()).round(6).tolist() if row.sum() else None for row in counts]


def _joined(each: Sequence[Tree], schema: Schema) -> Tree:
    """Experts of two models are not the same: shares stay apart, information is averaged."""
    information = []
    for layer in range(len(each[0]["layers"])):
        for pair in PAIRS:
            rows = [one["layers"][layer]["information"][pair] for one in each]
            mean, deviation = mean_and_deviation([row["value"] for row in rows])
            information.append(
                {
                    "layer": layer,
                    "pair": pair,
                    "value": mean,
                    "deviation": deviation,
                    "shuffled_mean": float(np.mean([row["shuffled_mean"] for row in rows])),
                    "shuffled_upper": float(np.mean([row["shuffled_upper"] for row in rows])),
                    "above": sum(row["value"] > row["shuffled_upper"] for row in rows),
                }
            )
    return {
        "patterns": [list(p) for p in subsets(schema)],
        "kinds": [*schema.names, MISSING, DURATION],
        "information": information,
        "models": list(each),
    }


EXPERTS: dict[str, Any] = {"experts.placement": "fusion", "experts.count": 8, "experts.top_k": 1}

ROUTING = Experiment(
    name="routing",
    title="Who is served by which expert",
    question="Do experts specialise in patterns of missing sensors, or in modalities?",
    plan=nothing_hidden,
    entrants=("maestro-8-experts",),
    own={"maestro-8-experts": Entrant("MAESTRO with eight experts, one a token", EXPERTS)},
    cells_of="inside",
    look=Look(_at, _joined, routing_sections, check=_check),
)

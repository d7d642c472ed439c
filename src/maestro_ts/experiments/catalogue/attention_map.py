"""Which modality attends to which in the fusion, with everything and without the best sensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from maestro_ts.contract.batch import Batch
from maestro_ts.errors import ConfigError
from maestro_ts.experiments.catalogue.experiment import Experiment
from maestro_ts.experiments.catalogue.look import Look, Opened, Tree, nothing_hidden
from maestro_ts.experiments.traced import batches_without
from maestro_ts.model.maestro import Maestro
from maestro_ts.model.trace import trace
from maestro_ts.recipe import Recipe
from maestro_ts.report.attention_map import attention_sections
from maestro_ts.signals.modality import Schema

__all__ = ["ATTENTION_MAP", "attention_between"]

WINDOWS = 500
DURATION = "duration"

Floats = NDArray[np.float64]


def _check(recipe: Recipe) -> None:
    if not recipe.model.fusion_layers:
        raise ConfigError("this model has no fusion.", fix="Use --set model.fusion_layers=2.")


def attention_between(network: Maestro, batch: Batch) -> tuple[Floats, Floats]:
    """Attention of the fusion from kind to kind, added up over the tokens of a batch.

    Kinds are the M modalities, each with what stands for it when it is missing, and the duration.

    Returns
    -------
    mass : (layers, M + 1, M + 1)
        From the queries of the first kind to the keys of the second, mean over the heads.
    tokens : (layers, M + 1)
        Queries of each kind: divided by them a row of `mass` adds up to 1.
    """
    kinds = batch.present.shape[1] + 1
    masses, tokens = [], []
    for layer in trace(network, batch):
        marks = torch.nn.functional.one_hot(layer.sources, kinds).to(layer.tokens.dtype)
        with torch.no_grad():
            mass = layer.attention.mass(layer.tokens, layer.spans, marks).mean(dim=1)
        masses.append((marks.double().T @ mass.double()).numpy())
        tokens.append(marks.double().sum(dim=0).numpy())
    return np.stack(masses), np.stack(tokens)


def _at(seen: Opened) -> Tree:
    """Maps with everything present and without each sensor, and the accuracy of each."""
    windows, schema = seen.some(WINDOWS), seen.front_end.schema
    prepared, n = seen.front_end.prepare(windows), len(windows)
    truth = np.asarray(windows.labels).astype(str)
    found = []
    for absent in (None, *schema.names):
        keep = np.array([name != absent for name in schema.names])
        mass: Any = 0.0
        tokens: Any = 0.0
        right = 0
        for rows, batch in batches_without(seen.front_end, prepared, n, keep):
            more, of = attention_between(seen.maestro, batch)
            mass, tokens = mass + more, tokens + of
            with torch.no_grad():
                best = seen.trained(batch).logits.argmax(dim=1).numpy()
            right += int((np.array(seen.classes)[best] == truth[rows]).sum())
        found.append(
            {
                "absent": absent,
                "accuracy": right / n,
                "layers": mass / np.maximum(tokens, 1.0)[..., None],
                "tokens": tokens / n,
            }
        )
    return {"n": n, "maps": found}


def _joined(each: Sequence[Tree], schema: Schema) -> Tree:
    """Means over the models; the strongest sensor is the one whose absence costs most accuracy."""
    names: list[str | None] = [None, *schema.names]
    accuracy = {
        name: float(np.mean([one["maps"][i]["accuracy"] for one in each]))
        for i, name in enumerate(names)
    }
    strongest = min(schema.names, key=lambda name: accuracy[name])
    told = each[0]["maps"][0]["tokens"][0, -1] > 0
    kinds = [*schema.names, *([DURATION] if told else [])]
    maps = []
    for absent in (None, strongest):
        i = names.index(absent)
        layers = np.mean([one["maps"][i]["layers"] for one in each], axis=0)
        tokens = np.mean([one["maps"][i]["tokens"] for one in each], axis=0)[0, : len(kinds)]
        maps.append(
            {
                "absent": absent,
                "layers": [_rows(layer[: len(kinds), : len(kinds)], tokens) for layer in layers],
                "even": (tokens / tokens.sum()).round(6).tolist(),
            }
        )
    return {
        "kinds": kinds,
        "strongest": strongest,
        "accuracy": {"everything": accuracy[None]}
        | {f"without {name}": accuracy[name] for name in schema.names},
        "maps": maps,
        "models": [{key: one[key] for key in ("fold", "seed", "n")} for one in each],
    }


def _rows(mass: Floats, tokens: Floats) -> list[list[float] | None]:
    """A row per kind; None for one without tokens."""
    return [row.round(6).tolist() if t > 0 else None for row, t in zip(mass, tokens, strict=True)]


ATTENTION_MAP = Experiment(
    name="attention-map",
    title="Which sensor attends to which",
    question="Where does each modality look in the fusion, and where when the best one is away?",
    plan=nothing_hidden,
    entrants=("maestro",),
    cells_of="inside",
    look=Look(_at, _joined, attention_sections, check=_check),
)

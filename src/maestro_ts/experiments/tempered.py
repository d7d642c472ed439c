"""How honest an entrant's probabilities are, with a temperature from people of the other folds.

The networks of the other folds judged people whom they were not trained on; they are taken for what
this fold's network, which has the same recipe, would say of such people. Nobody it is scored on has
a part in its temperature but by having trained those networks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.evaluation.calibration_error import reliability
from maestro_ts.evaluation.missing_classes import lost_share
from maestro_ts.evaluation.prediction import Prediction
from maestro_ts.evaluation.protocol import Condition
from maestro_ts.evaluation.temperature import fit_single, fit_temperature, log_loss
from maestro_ts.experiments.pooled import SMALLEST, Pooled
from maestro_ts.signals.windows import Windows

__all__ = ["Lack", "lacks_of", "tempered"]

WAYS = ("as_trained", "one_temperature", "by_what_is_there")
TOLD = ("error", "band", "log_loss")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lack:
    """What the windows of all folds lack under a condition: present (n, M), share lost (n,)."""

    present: NDArray[np.bool_]
    lost: Floats


def lacks_of(tests: Sequence[Windows], conditions: Sequence[Condition]) -> dict[int, Lack]:
    """What is missing under every condition with a rate, and with nothing taken away.

    Parameters
    ----------
    tests : list of Windows
        Test windows of every fold. With one fold there are no other people: empty.
    conditions : list of Condition
        The first is complete input.
    """
    if len(tests) < 2:
        return {}
    found = {}
    for i, condition in enumerate(conditions):
        if i and (condition.mode not in ("modality", "segment") or not condition.rate):
            continue
        seen = [condition.seen(windows) for windows in tests]
        found[i] = Lack(
            np.concatenate([w.present for w in seen]), np.concatenate([lost_share(w) for w in seen])
        )
    return found if len(found) > 1 else {}


def tempered(pooled: Pooled, lacks: Mapping[int, Lack]) -> dict[int, dict[str, Any]]:
    """Calibration error and the band of a calibrated model, by condition; means over the seeds.

    Returns
    -------
    dict of condition to dict
        ``as_trained``, ``one_temperature`` and ``by_what_is_there`` (`Temperature`),
        each with ``error``, ``band`` and ``log_loss``.
    """
    if not lacks:
        return {}
    if not lacks:
        return {}
    seeds = list(dict.fromkeys(seed for _, seed, _ in pooled.folds))
    found = [
        _of_seed(pooled, lacks, i, [rows for _, s, rows in pooled.folds if s == seed])
        for i, seed in enumerate(seeds)
    ]
    return {
        i: {
            way: {key: float(np.mean([of[i][way][key] for of in found])) for key in TOLD}
            for way in WAYS
        }
        for i in lacks
    }


def _of_seed(
    pooled: Pooled, lacks: Mapping[int, Lack], seed: int, folds: Sequence[slice]
) -> dict[int, dict[str, dict[str, float]]]:
    logits = {i: np.log(np.maximum(pooled.probabilities[i][seed], SMALLEST)) for i in lacks}
    heat = {i: {way: np.ones(len(pooled.truth)) for way in WAYS} for i in lacks}
    for rows in folds:
        others = np.ones(len(pooled.truth), dtype=bool)
        others[rows] = False
        said = np.concatenate([logits[i][others] for i in lacks])
        truth = np.tile(pooled.truth[others], len(lacks))
        present = np.concatenate([lack.present[others] for lack in lacks.values()])
        lost = np.concatenate([lack.lost[others] for lack in lacks.values()])
        one, several = fit_single(said, truth), fit_temperature(said, truth, present, lost)
        for i, lack in lacks.items():
            heat[i]["one_temperature"][rows] = one
            heat[i]["by_what_is_there"][rows] = several.of(lack.present[rows], lack.lost[rows])
    return {i: {way: _scored(logits[i], pooled.truth, heat[i][way]) for way in WAYS} for i in lacks}


def _scored(logits: Floats, truth: NDArray[np.int64], temperature: Floats) -> dict[str, float]:
    p = Prediction(logits, temperature=temperature).probabilities
    # A fixed generator: the band is part of the result and repeats with it.
    found = reliability(p.max(axis=1), p.argmax(axis=1) == truth, np.random.default_rng(0))
    loss = log_loss(logits, truth, temperature)
    return {"error": found.error, "band": found.band, "log_loss": loss}

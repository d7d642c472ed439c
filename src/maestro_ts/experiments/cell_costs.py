"""What a cell's model costs under each condition: products, time and memory of a pass."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from maestro_ts.estimator_base import MaestroEstimator
from maestro_ts.evaluation.cost import count_macs, count_parameters
from maestro_ts.evaluation.protocol import Condition
from maestro_ts.experiments.cost_job import timed
from maestro_ts.experiments.pass_memory import pass_memory
from maestro_ts.signals.windows import Windows
from maestro_ts.training.precision import in_precision

__all__ = ["cell_costs", "mean_costs"]

WINDOWS = 64  # of a batch; fewer where fewer are tested
ROUNDS = 3  # of each timing
MEASURED = ("macs", "front_end_s", "network_s", "added_bytes")


def cell_costs(
    model: MaestroEstimator, windows: Windows, conditions: Sequence[Condition]
) -> dict[str, Any]:
    """Measure one batch of test windows under each condition, on one thread.

    A condition must hide whole modalities alone. The memory is that of drawn windows of the same
    length in a process of its own, since in this one what is free again is not seen.

    Returns
    -------
    dict
        ``windows`` of the batch and ``conditions``: for each ``macs`` and ``front_end_s`` and
        ``network_s`` of one window, ``added_bytes`` of the batch; None where it cannot be told.
        A model without parameters does not compute by matrix products: nothing is counted of it.
    """
    n = min(WINDOWS, len(windows))
    # Evenly from all of them: neighbours are of one person and alike.
    some = windows[np.linspace(0, len(windows) - 1, n).round().astype(np.intp)]
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "run")
        # The first pass also loads what all later ones share: it is there to be left out.
        rates = [0.0, *(c.rate for c in conditions)]
        memory = pass_memory(Path(folder) / "run", [n] * len(rates), 1, rates)
    counted = count_parameters(model.network_) > 0
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rows = []
        for condition, added in zip(conditions, memory.added_bytes[1:], strict=True):
            seen = condition.seen(some)
            batch = model.front_end_(seen)
            with torch.no_grad():
                symbols = timed(partial(model.front_end_, seen), ROUNDS)
                run = in_precision(model.network_, model.recipe_.model.precision)
                logits = timed(partial(run, batch), ROUNDS)
            rows.append(
                {
                    "macs": count_macs(model.network_, batch) / n if counted else None,
                    "front_end_s": symbols.median_s / n,
                    "network_s": logits.median_s / n,
                    "added_bytes": added,
                }
            )
    finally:
        torch.set_num_threads(threads)
    return {"windows": n, "conditions": rows}


def mean_costs(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Means over the cells of an entrant; None where a cell could not tell."""
    rows = []
    for same in zip(*(c["conditions"] for c in cells), strict=True):
        values = {key: [row[key] for row in same] for key in MEASURED}
        rows.append({k: None if None in v else float(np.mean(v)) for k, v in values.items()})
    return {"windows": cells[0]["windows"], "conditions": rows}

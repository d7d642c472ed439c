"""The graph as a program of ``torch.export``: any PyTorch runs it, without this package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from maestro_ts.deploy.feed import Exported
from maestro_ts.deploy.quiet import quiet
from maestro_ts.deploy.runner import Runner

__all__ = ["torch_runner", "write_torch"]


def write_torch(graph: Exported, example: Sequence[Tensor], path: Path) -> None:
    """Write the graph for batches of any size.

    Parameters
    ----------
    graph : Exported
    example : sequence of Tensor
        Inputs of two windows or more.
    path : Path
    """
    batch = torch.export.Dim("batch")
    with torch.no_grad(), quiet():
        program = torch.export.export(
            graph,
            tuple(example),
            dynamic_shapes={"given": tuple({0: batch} for _ in example)},
        )
        torch.export.save(program, path)


def torch_runner(path: Path) -> Runner:
    """PyTorch, as it stands."""
    with quiet():
        module = torch.export.load(path).module()

    def run(given: Sequence[Tensor]) -> Tensor:
        with torch.no_grad():
            logits: Tensor = module(*given)
        return logits

    return run

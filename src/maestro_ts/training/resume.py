"""The state of an unfinished training in one file: no pickle, swapped atomically."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from maestro_ts.atomic import write_bytes
from maestro_ts.errors import RunError

__all__ = ["TrainingState", "load_state", "save_state"]


@dataclass
class TrainingState:
    """Everything an interrupted training needs to end with the same weights.

    Attributes
    ----------
    tensors : flat dict of Tensor
        ``network/…``, ``best/…``, ``average/…``, ``optimizer/…``, ``generator``.
    plain : dict
        Epoch, step, score, numpy generator states, log.
    """

    tensors: dict[str, Tensor]
    plain: dict[str, Any]

    def group(self, name: str) -> dict[str, Tensor]:
        """Tensors below ``name/``."""
        return {
            key.removeprefix(f"{name}/"): value
            for key, value in self.tensors.items()
            if key.startswith(f"{name}/")
        }


def flatten(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name tensors below ``name/``, as contiguous copies."""
    return {f"{name}/{k}": v.detach().cpu().clone().contiguous() for k, v in tensors.items()}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """State tensors of an optimiser, by parameter number and key."""
    state = optimizer.state_dict()["state"]
    return {f"{i}/{key}": value for i, entry in state.items() for key, value in entry.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Inverse of `optimizer_tensors`."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition("/")
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})


def save_state(path: Path, state: TrainingState) -> None:
    """Write the state as one safetensors file with its plain part in the header."""
    from safetensors.torch import save

    write_bytes(path, save(state.tensors, metadata={"plain": json.dumps(state.plain)}))


def load_state(path: Path) -> TrainingState:
    """Read a state; a damaged file is a RunError."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as opened:
            # Clones: the tensors lie in the mapped file, which the next save replaces.
            tensors = {key: opened.get_tensor(key).clone() for key in opened.keys()}  # noqa: SIM118
            plain = json.loads((opened.metadata() or {})["plain"])
    except (SafetensorError, KeyError, json.JSONDecodeError, OSError) as error:
        raise RunError(
            f"cannot resume: {error}.", where=str(path), fix="Start anew with --overwrite."
        ) from error
    return TrainingState(tensors, plain)

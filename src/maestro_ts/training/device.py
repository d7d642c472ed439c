"""Where a network computes, and with how many threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from maestro_ts.errors import ConfigError

__all__ = ["describe_device", "device_of", "threads"]


def device_of(name: str) -> torch.device:
    """The device of a name: ``cpu``, ``cuda`` or ``auto``."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"unknown device {name!r}.", fix="Use cpu, cuda or auto.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError("device 'cuda' is asked for and not available.", fix="Use device='cpu'.")
    return device


@contextmanager
def threads(n: int | None) -> Iterator[None]:
    """Set PyTorch's threads for a block and put them back."""
    before = torch.get_num_threads()
    if n is not None:
        torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def describe_device() -> str:
    """What ``device="auto"`` would use here."""
    if torch.cuda.is_available():
        return f"cuda ({torch.cuda.get_device_name()})"
    return f"cpu ({torch.get_num_threads()} threads)"

"""What a process knows of the torchrun that started it, without importing torch."""

from __future__ import annotations

import os

from maestro_ts.errors import ConfigError

__all__ = ["check_command", "first", "program"]


def check_command(words: list[str]) -> None:
    """Only ``fit`` trains in several processes; others would write over one another.

    Raises
    ------
    ConfigError
        Another command, started by torchrun in several processes.
    """
    if _processes() > 1 and words[:1] != ["fit"]:
        raise ConfigError(
            "torchrun started several processes, and only fit shares its work among them.",
            fix="Start it once: maestro-ts …",
        )


def first() -> bool:
    """It speaks for all processes."""
    return not _processes() or os.environ["RANK"] == "0"


def program() -> list[str]:
    """The words that start the program as it was started."""
    if not _processes():
        return ["maestro-ts"]
    return ["torchrun", "--nproc-per-node", os.environ["LOCAL_WORLD_SIZE"], "-m", "maestro_ts"]


def _processes() -> int:
    """How many there are; 0: torchrun started none."""
    return int(os.environ["WORLD_SIZE"]) if "TORCHELASTIC_RUN_ID" in os.environ else 0

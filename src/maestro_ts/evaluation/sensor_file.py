"""`SensorFile`: what ``sensors.json`` in a run folder holds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maestro_ts.atomic import write_text
from maestro_ts.errors import RunError

__all__ = ["FORMAT", "SensorFile"]

FORMAT = 1


@dataclass(frozen=True)
class SensorFile:
    """Values of a run's sensors as plain JSON.

    Attributes
    ----------
    about : dict
        Data set, split, test subjects, seed, version.
    values : list of dict
        `SensorValue.to_dict` by device, by modality or both.
    """

    about: dict[str, Any]
    values: list[dict[str, Any]]
    format: int = FORMAT

    def text(self) -> str:
        """The file's content."""
        return json.dumps(asdict(self), indent=1, allow_nan=False) + "\n"

    def save(self, path: Path) -> None:
        """Write JSON, atomically."""
        write_text(path, self.text())

    @classmethod
    def load(cls, path: Path) -> SensorFile | None:
        """Read JSON, None where there is no file; a newer format is refused by name."""
        try:
            tree = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise RunError(f"not JSON: {error}.", where=str(path)) from error
        again = "Make it anew: maestro-ts sensors."
        if not isinstance(tree, dict) or set(tree) != {"about", "values", "format"}:
            raise RunError("not values of sensors.", where=str(path), fix=again)
        if tree["format"] > FORMAT:
            raise RunError(
                f"format {tree['format']}, this version reads up to {FORMAT}.",
                where=str(path),
                fix="Upgrade maestro-ts.",
            )
        return cls(**tree)

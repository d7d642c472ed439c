"""What must be the same when a run is gone on with."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from maestro_ts.errors import ConfigError, RunError
from maestro_ts.recipe import Recipe, load_recipe
from maestro_ts.signals.windows import Windows
from maestro_ts.training.run import Run

__all__ = ["check_origin", "check_settings", "fingerprint"]


def check_settings(recipe: Recipe, top: Run, *, resume: bool, overwrite: bool) -> None:
    """A resumed run must have been started with the same recipe."""
    if resume and overwrite:
        raise ConfigError("--resume and --overwrite exclude each other.", fix="Give one of them.")
    if resume and top.settings.exists() and load_recipe(top.settings) != recipe:
        raise RunError(
            "the run was started with other settings.",
            where=str(top.settings),
            fix="Resume with the same recipe and --set, or start anew with --overwrite.",
        )


def check_origin(run: Run, origin: dict[str, Any]) -> None:
    """A finished fold is taken only if it came from the same seed, split and windows."""
    stored = json.loads(run.schema.read_text())
    decisive = {"distrust_scale": False, "baseline_s": False, "init": False} | origin
    other = [k for k, value in decisive.items() if stored.get(k, False) != value]
    if other:
        raise RunError(
            f"this finished run differs in {', '.join(other)}.",
            where=str(run.folder),
            fix="Resume with the same data, windows, folds and seed, or use --overwrite.",
        )


def fingerprint(windows: Windows) -> str:
    """Which windows these are: their identities and lengths, in order."""
    digest = hashlib.blake2b(windows.ids.tobytes(), digest_size=8)
    digest.update(windows.duration_s.tobytes())
    return digest.hexdigest()

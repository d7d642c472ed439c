"""Where and with what something was computed: versions, machine, state of the code."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import maestro_ts
from maestro_ts._version import __version__

__all__ = ["code_digest", "machine", "versions"]

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "lightgbm", "aeon")
# What a fitted model's predictions depend on. Reports, commands and documents are not among it.
DECISIVE = ("signals", "symbols", "contract", "model", "baselines", "training")
DECISIVE_FILES = (
    "recipe.py",
    "estimator.py",
    "estimator_base.py",
    "regressor.py",
    "evaluation/protocol.py",
    "evaluation/prediction.py",
)


def versions() -> dict[str, str]:
    """Of this package, Python and what it computes with, as far as it is installed."""
    found = {"maestro-ts": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """System, processor and number of cores; no name that tells whose it is."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
    }


@cache
def code_digest() -> str:
    """The state of the code that predictions depend on, as 16 hexadecimal digits."""
    root = Path(maestro_ts.__file__).parent
    files = [root / name for name in DECISIVE_FILES]
    for room in DECISIVE:
        files += (root / room).rglob("*.py")
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(files):
        digest.update(f"{file.relative_to(root).as_posix()}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()

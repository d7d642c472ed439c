"""Classify and regress from sensor data in which some sensor is always missing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from maestro_ts._version import __version__

if TYPE_CHECKING:
    from maestro_ts.deploy.stream_classifier import StreamClassifier
    from maestro_ts.errors import MaestroError
    from maestro_ts.estimator import MaestroClassifier, load
    from maestro_ts.regressor import MaestroRegressor
    from maestro_ts.signals.modality import Modality
    from maestro_ts.signals.recording import Recording
    from maestro_ts.signals.windows import Windows

_PUBLIC = {
    "MaestroClassifier": "maestro_ts.estimator",
    "MaestroError": "maestro_ts.errors",
    "MaestroRegressor": "maestro_ts.regressor",
    "Modality": "maestro_ts.signals.modality",
    "Recording": "maestro_ts.signals.recording",
    "StreamClassifier": "maestro_ts.deploy.stream_classifier",
    "Windows": "maestro_ts.signals.windows",
    "load": "maestro_ts.estimator",
}

__all__ = [
    "MaestroClassifier",
    "MaestroError",
    "MaestroRegressor",
    "Modality",
    "Recording",
    "StreamClassifier",
    "Windows",
    "__version__",
    "load",
]


def __getattr__(name: str) -> Any:
    # PEP 562: importing the package costs nothing until a name is used.
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'maestro_ts' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

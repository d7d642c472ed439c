"""``maestro-ts doctor``: what is installed here, and what is missing for what."""

from __future__ import annotations

__all__ = ["doctor"]

CORE = (
    "torch", "numpy", "scipy", "scikit-learn", "pyarrow", "pydantic", "typer", "rich",
    "safetensors", "plotly",
)  # fmt: skip
EXTRAS = {
    "seglearn": "demo", "edfio": "readers", "pyxdf": "readers", "h5py": "readers",
    "fastavro": "readers", "wfdb": "wfdb", "pooch": "download",
    "lightgbm": "rivals", "aeon": "rivals",
    "onnxscript": "export", "onnxruntime": "export",
    "pylsl": "stream", "paho-mqtt": "stream",
    "fastapi": "serve", "uvicorn": "serve", "prometheus-client": "serve",
}  # fmt: skip


def doctor() -> None:
    """Print versions, threads, devices and extras; exit code 1 when something needed is missing."""
    import os
    import platform
    from importlib.metadata import PackageNotFoundError, version

    import typer

    from maestro_ts._version import __version__

    print(f"maestro-ts {__version__}, Python {platform.python_version()}, {platform.platform()}")
    missing = []
    for name in CORE:
        try:
            print(f"  {name:<14} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
            print(f"  {name:<14} MISSING: pip install maestro-ts")
    for name, extra in EXTRAS.items():
        try:
            print(f"  {name:<14} {version(name)} (extra {extra})")
        except PackageNotFoundError:
            print(f'  {name:<14} not installed: pip install "maestro-ts[{extra}]"')
    if "torch" not in missing:
        from maestro_ts.training.device import describe_device

        print(f"  device         {describe_device()}, {os.cpu_count()} cores")
    if missing:
        raise typer.Exit(1)

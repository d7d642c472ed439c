"""One file per published data set; this table is the registry (a new set is one file and one line).

Each module has ``CARD : Card``, and ``READER : PartReader`` (`parts.py`) where one recording can be
read without the others, or else ``read(path: Path | None, progress) -> Reading``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from maestro_ts.errors import ConfigError, nearest
from maestro_ts.signals.datasets.card import Card, Reading
from maestro_ts.signals.datasets.parts import PartReader, read_by_parts

__all__ = ["DATASETS", "card", "part_reader", "read"]

DATASETS = {
    "dalia-har": "maestro_ts.signals.datasets.dalia_har",
    "dalia-hr": "maestro_ts.signals.datasets.dalia_hr",
    "dsads": "maestro_ts.signals.datasets.dsads",
    "dsads-15": "maestro_ts.signals.datasets.dsads_15",
    "maestro-zenodo": "maestro_ts.signals.datasets.maestro_zenodo",
    "maestro-zenodo-daliahar": "maestro_ts.signals.datasets.maestro_zenodo_daliahar",
    "mimic3-multibench": "maestro_ts.signals.datasets.mimic3_multibench",
    "physionet2012": "maestro_ts.signals.datasets.physionet2012",
    "physionet2012-los": "maestro_ts.signals.datasets.physionet2012_los",
    "simulated": "maestro_ts.signals.datasets.simulated",
    "umafall": "maestro_ts.signals.datasets.umafall",
    "utd-mhad": "maestro_ts.signals.datasets.utd_mhad",
    "watch": "maestro_ts.signals.datasets.watch",
    "wesad": "maestro_ts.signals.datasets.wesad",
    "wesad-e4": "maestro_ts.signals.datasets.wesad_e4",
    "wesad-e4-hr": "maestro_ts.signals.datasets.wesad_e4_hr",
}


def _module(name: str) -> object:
    if name not in DATASETS:
        raise ConfigError(f"Unknown data set {name!r}.", fix=nearest(name, DATASETS))
    return import_module(DATASETS[name])


def card(name: str) -> Card:
    """The card of a data set."""
    found: Card = _module(name).CARD  # type: ignore[attr-defined]
    return found


def read(
    name: str,
    path: Path | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    as_recorded: bool = False,
) -> Reading:
    """Read a data set from its archive as downloaded or from the unpacked folder.

    Parameters
    ----------
    name : str
    path : Path or None
        Archive or folder; None for a set that comes with a package.
    progress : callable (done, total)
        Told after each file.
    as_recorded : bool
        The repairs that the set's card tells of are left out.
    """
    reader = part_reader(name)
    if reader is not None:
        return read_by_parts(
            card(name), path, reader.as_recorded() if as_recorded else reader, progress
        )
    reading: Reading = _module(name).read(path, progress)  # type: ignore[attr-defined]
    return reading


def part_reader(name: str) -> PartReader | None:
    """How a data set is read one recording at a time; None where it is read as a whole."""
    found: PartReader | None = getattr(_module(name), "READER", None)
    return found

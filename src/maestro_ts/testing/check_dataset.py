"""`check_dataset`: what every registered data set's reader must do, runnable by third parties.

With pytest, one test per check::

    @pytest.mark.parametrize("check", DATASET_CHECKS)
    def test_my_set(check):
        check_dataset("my-set", "a/small/copy.zip", checks=[check])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from maestro_ts.errors import ConfigError, nearest
from maestro_ts.signals.datasets import DATASETS
from maestro_ts.testing import dataset_checks
from maestro_ts.testing.dataset_checks import DatasetCase
from maestro_ts.testing.run_checks import run_checks

__all__ = ["DATASET_CHECKS", "check_dataset"]

DATASET_CHECKS: dict[str, Callable[[DatasetCase], None]] = {
    "card": dataset_checks.check_card,
    "recordings": dataset_checks.check_recordings,
    "streams": dataset_checks.check_streams,
    "labels": dataset_checks.check_labels,
    "windows": dataset_checks.check_windows,
    "repeatable": dataset_checks.check_repeatable,
    "refusals": dataset_checks.check_refusals,
    "damage": dataset_checks.check_damage,
}


def check_dataset(name: str, path: str | Path | None, checks: Iterable[str] | None = None) -> None:
    """Run the checks on a registered data set.

    Parameters
    ----------
    name : str
        In the table `signals.datasets.DATASETS`.
    path : str or Path or None
        A small copy of its files in the owners' layout; an archive is also tried cut short. None
        for a set that needs no files.
    checks : iterable of str, optional
        Only these of `DATASET_CHECKS`.

    Raises
    ------
    AssertionError
        With every check that failed and what it found.
    ConfigError
        No such data set or check.
    """
    if name not in DATASETS:
        raise ConfigError(f"Unknown data set {name!r}.", fix=nearest(name, DATASETS))
    case = DatasetCase(name, None if path is None else Path(path))
    run_checks(name, DATASET_CHECKS, case, checks)

"""`check_format`: what every registered file format's reader must do, runnable by third parties.

With pytest, one test per check::

    @pytest.mark.parametrize("check", FORMAT_CHECKS)
    def test_my_format(check):
        check_format("my-format", "a/small/file.xyz", written, checks=[check])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from maestro_ts.errors import ConfigError, nearest
from maestro_ts.signals.formats.registry import FORMATS
from maestro_ts.testing import format_checks
from maestro_ts.testing.format_checks import FormatCase, Written
from maestro_ts.testing.run_checks import run_checks

__all__ = ["FORMAT_CHECKS", "Written", "check_format"]

FORMAT_CHECKS: dict[str, Callable[[FormatCase], None]] = {
    "described": format_checks.check_described,
    "values": format_checks.check_values,
    "times": format_checks.check_times,
    "together": format_checks.check_together,
    "missing": format_checks.check_missing,
    "unknown": format_checks.check_unknown,
    "empty": format_checks.check_empty,
    "cut-short": format_checks.check_cut_short,
    "garbage": format_checks.check_garbage,
    "absurd": format_checks.check_absurd,
    "mutated": format_checks.check_mutated,
    "extra": format_checks.check_extra,
}


def check_format(
    name: str,
    path: str | Path,
    written: Sequence[Written],
    absurd: Mapping[str, bytes] | None = None,
    checks: Iterable[str] | None = None,
) -> None:
    """Run the checks on a registered format.

    Parameters
    ----------
    name : str
        In the table `signals.formats.registry.FORMATS`.
    path : str or Path
        A small file; others that belong to it lie in its folder.
    written : sequence of Written
        What was written into it: at least two signals of unequal rates, if the format allows that.
    absurd : dict of str to bytes, optional
        Files whose headers declare sizes that they do not have, by what is wrong with them.
    checks : iterable of str, optional
        Only these of `FORMAT_CHECKS`.

    Raises
    ------
    AssertionError
        With every check that failed and what it found.
    ConfigError
        No such format or check.
    """
    if name not in FORMATS:
        raise ConfigError(f"Unknown file format {name!r}.", fix=nearest(name, FORMATS))
    case = FormatCase(name, Path(path), tuple(written), dict(absurd or {}))
    run_checks(name, FORMAT_CHECKS, case, checks)

"""The loop that every contract suite shares: run the checks asked for, tell all that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from maestro_ts.errors import ConfigError, nearest

__all__ = ["run_checks"]

Case = TypeVar("Case")


def run_checks(
    name: str,
    known: Mapping[str, Callable[[Case], None]],
    case: Case,
    checks: Iterable[str] | None,
) -> None:
    """Run checks of a case.

    Parameters
    ----------
    name : str
        What is checked.
    known : dict of str to callable
    case : object
    checks : iterable of str or None
        Only these.

    Raises
    ------
    AssertionError
        With every check that failed and what it found.
    ConfigError
        No such check.
    """
    wanted = list(known if checks is None else checks)
    for check in wanted:
        if check not in known:
            raise ConfigError(f"Unknown check {check!r}.", fix=nearest(check, known))
    failed: dict[str, AssertionError] = {}
    for check in wanted:
        try:
            known[check](case)
        except AssertionError as error:
            failed[check] = error
    if failed:
        listed = "".join(f"\n  {check}: {error}" for check, error in failed.items())
        text = f"{name} fails {len(failed)} of {len(wanted)} checks:{listed}"
        raise AssertionError(text) from next(iter(failed.values()))

"""The exception tree: every error a user can cause says what, where and what to do.

::

    MaestroError
    ├── DataError            a recording, window or array that cannot be used   (ValueError)
    │   └── FormatError      a file that is not what its format promises        (ValueError)
    ├── ConfigError          a setting that does not exist or does not fit      (ValueError)
    ├── RunError             a run or store that cannot be written or resumed   (OSError)
    ├── DownloadError        a file that its owner's server does not give       (OSError)
    └── MissingExtraError    an optional package that is not installed          (ImportError)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ConfigError",
    "DataError",
    "DownloadError",
    "FormatError",
    "MaestroError",
    "MissingExtraError",
    "RunError",
    "nearest",
    "shown",
]

SHOWN = 40


class MaestroError(Exception):
    """Root of all errors raised on purpose.

    Parameters
    ----------
    what : str
        What is wrong, with the value seen.
    where : str, optional
        File and line, recording, window or modality.
    fix : str, optional
        What the user can do about it.
    """

    def __init__(self, what: str, *, where: str = "", fix: str = "") -> None:
        self.what, self.where, self.fix = what, where, fix
        text = f"{where}: {what}" if where else what
        super().__init__(f"{text} {fix}" if fix else text)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.where, self.fix))


def _rebuild(kind: type[MaestroError], what: str, where: str, fix: str) -> MaestroError:
    return kind(what, where=where, fix=fix)


class DataError(MaestroError, ValueError):
    """A recording, window or array that cannot be used as it is."""


class FormatError(DataError):
    """A file that is not what its format promises."""


class ConfigError(MaestroError, ValueError):
    """A setting that does not exist, or whose value does not fit."""


class RunError(MaestroError, OSError):
    """A run folder that cannot be read, or a run or store that cannot be written or resumed."""


class DownloadError(MaestroError, OSError):
    """A file of a data set that its owner's server does not give, or gives changed."""


class MissingExtraError(MaestroError, ImportError):
    """An optional package is needed and not installed."""

    @classmethod
    def of(cls, package: str, extra: str, purpose: str) -> MissingExtraError:
        """Name the package, its purpose and the line that installs it."""
        return cls(
            f"{purpose} needs the package '{package}', which is not installed.",
            fix=f'Install it with: pip install "maestro-ts[{extra}]"',
        )


def nearest(word: str, known: Iterable[str], n: int = 3) -> str:
    """Return ``Did you mean …?`` with the nearest known words, or all of them if none is near."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, n=n, cutoff=0.5)
    if near:
        return "Did you mean " + " or ".join(repr(w) for w in near) + "?"
    return "Known: " + ", ".join(words) + "."


def shown(text: str) -> str:
    """What was found, quoted for a message; the end of a long text is left out."""
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")

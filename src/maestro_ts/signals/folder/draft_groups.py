"""What the columns and signals of a file could be as modalities."""

from __future__ import annotations

import re
from dataclasses import dataclass

from maestro_ts.errors import FormatError
from maestro_ts.signals.folder.look import Look
from maestro_ts.signals.formats.table import Column

__all__ = ["Group", "groups_of"]

AXES = re.compile(r"^(?P<name>.*?)[_. ]?(?P<axis>[xyzXYZ])$")
SHORT = {"a": "acc", "g": "gyro", "w": "gyro", "m": "mag"}


@dataclass
class Group:
    """A modality to be: columns of the files of one pattern.

    Attributes
    ----------
    name : str
    file : str
        The pattern.
    columns : list of columns
    look : Look
        Of the file, or of the signal in it.
    form : str or None
        The format, where the ending does not tell it.
    """

    name: str
    file: str
    columns: list[Column]
    look: Look
    form: str | None = None


def groups_of(kind: str, file: str, look: Look, guessed: list[str]) -> list[Group]:
    """Modalities of one kind of file.

    Parameters
    ----------
    kind : str
        What the file's name says it is; empty when files hold all of a recording.
    file : str
        Pattern of such files.
    look : Look
    guessed : list of str
        Is told what was guessed.

    Raises
    ------
    FormatError
        The file has no column of numbers besides the time.
    """
    if look.looks:
        groups = _signals(kind, file, look)
    elif kind and look.numbers:
        return [Group(_plain(kind), file, list(look.numbers), look)]
    else:
        groups = [Group(n, file, c, look) for n, c in _by_names(look.numbers).items()]
    if not groups:
        raise FormatError("no column of numbers besides the time.", where=look.path)
    if len(groups) > 1 or groups[0].name in ("xyz", "signal"):
        names = ", ".join(f"{g.name} ({len(g.columns)})" for g in groups)
        guessed.append(f"columns grouped to modalities by their names: {names}")
    return groups


def _signals(kind: str, file: str, look: Look) -> list[Group]:
    """Streams, and signals of one name's beginning at one rate."""
    groups: list[Group] = []
    for one in look.looks:
        series = one.series
        assert series is not None
        told = kind if len(look.looks) == 1 else series.stream.removeprefix("rawData.")
        named = {_plain(told): one.numbers} if told else _by_first_words(one.numbers)
        for name, columns in named.items():
            like = [g for g in groups if g.name == name and _alike(g.look, one)]
            if like:
                like[0].columns += columns
                continue
            taken = sum(
                re.fullmatch(rf"{re.escape(name)}(_\d+)?", g.name) is not None for g in groups
            )
            unique = f"{name}_{taken + 1}" if taken else name
            groups.append(Group(unique, file, list(columns), one, look.form))
    return groups


def _alike(a: Look, b: Look) -> bool:
    """Whether the signals of two looks could be channels of one modality."""
    if a.series is None or b.series is None or a.series.stream or b.series.stream:
        return False
    same = ("rate_hz", "unit", "samples", "timed")
    return all(getattr(a.series, k) == getattr(b.series, k) for k in same)


def _by_first_words(columns: list[Column]) -> dict[str, list[Column]]:
    """Signals by what they are, where labels say that first: ``EEG Fpz-Cz``."""
    found: dict[str, list[Column]] = {}
    for column in columns:
        word, space, _ = str(column).partition(" ")
        ((name, _),) = _by_names([column]).items()
        found.setdefault(_plain(word) if space else name, []).append(column)
    return found


def _by_names(columns: list[Column]) -> dict[str, list[Column]]:
    """Columns by what is left of their names without the axis."""
    found: dict[str, list[Column]] = {}
    for column in columns:
        if not isinstance(column, str):
            found.setdefault("signal", []).append(column)
            continue
        axis = AXES.match(column)
        name = _plain(axis["name"]) if axis else ""
        if axis and name:
            found.setdefault(SHORT.get(name.lower(), name), []).append(column)
        elif axis:
            found.setdefault("xyz", []).append(column)
        else:
            found.setdefault(_plain(column) or f"column{len(found)}", []).append(column)
    return found


def _plain(text: str) -> str:
    return re.sub(r"[^\w-]+", "_", text).strip("_").lower()

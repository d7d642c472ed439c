"""Tables about whole recordings: whose they are, what they show, what never changes in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maestro_ts.errors import FormatError, nearest
from maestro_ts.signals.datasets.card import Refusal
from maestro_ts.signals.folder.files import Files, Place
from maestro_ts.signals.folder.layout import ModalityLayout
from maestro_ts.signals.formats.table import Column, Table
from maestro_ts.signals.recording import Stream

__all__ = ["Names", "read_register", "read_static", "table_at"]


class Names:
    """How tables may call the recordings: by the whole name, or by ``{recording}`` if that is one.

    Parameters
    ----------
    places : sequence of Place
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self._whole = {place.name for place in places}
        self._short: dict[str, list[str]] = {}
        for place in places:
            short = place.tells.get("recording")
            if short is not None:
                self._short.setdefault(short, []).append(place.name)

    def find(self, text: str, where: str) -> str | None:
        """Whole name of the recording a table means; None when it has no file.

        Raises
        ------
        FormatError
            Several recordings are called so.
        """
        if text in self._whole:
            return text
        found = self._short.get(text, [])
        if len(found) > 1:
            raise FormatError(
                f"{len(found)} recordings are called {text!r}.",
                where=where,
                fix=f"Write the whole name: {found[0]!r}.",
            )
        return found[0] if found else None

    def nearest(self, text: str) -> str:
        """Propose names like an unknown one."""
        return nearest(text, self._whole | set(self._short))


def table_at(files: Files, path: str, asks: str) -> str:
    """The path itself, if there is such a file.

    Raises
    ------
    FormatError
        There is none; `asks` is the key of the schema that wants it.
    """
    if path not in files.paths:
        raise FormatError(
            f"no such file, which {asks} in schema.yaml names.",
            where=path,
            fix=nearest(path, files.paths),
        )
    return path


def read_register(
    files: Files, path: str, column: Column, names: Names, asks: str
) -> tuple[dict[str, str], list[Refusal]]:
    """One text for every recording from a table with the column ``recording``.

    Returns
    -------
    values : dict of recording to text
        Empty fields are left out.
    refused : list of Refusal
        Rows about recordings without a file.
    """
    table = files.table(table_at(files, path, asks), {"recording": "text", column: "text"})
    values: dict[str, str] = {}
    refused: list[Refusal] = []
    for row in range(table.rows):
        called, text = table.columns["recording"][row], table.columns[column][row]
        name = names.find(called, table.at(row))
        if name is None:
            refused.append(
                Refusal(table.at(row), f"recording {called!r} has no file. {names.nearest(called)}")
            )
            continue
        if values.get(name, text) != text:
            raise FormatError(
                f"recording {called!r} has two entries: {values[name]!r} and {text!r}.",
                where=table.at(row),
            )
        if text:
            values[name] = text
    return values, refused


def read_static(
    files: Files, modality: ModalityLayout, place: Place, subject: str, names: Names
) -> Stream | None:
    """The one value of a static modality; None where it is not known.

    Its file is found by a pattern with the recording's placeholders and has one row, or it is one
    table with the column ``recording`` or ``subject``.
    """
    pattern = modality.pattern
    tells = place.tells | {"subject": subject}
    if pattern.names:
        paths = [p for p in files.paths if (t := pattern.match(p)) and _agree(t, tells)]
        if not paths:
            return None
        table = files.table(paths[0], dict.fromkeys(modality.columns, "number"))
        if table.rows != 1:
            raise FormatError(f"{table.rows} rows, a static modality has one.", where=paths[0])
        return _value(table, modality, 0)
    path = table_at(files, modality.file, "a static modality")
    try:
        owner = "recording"
        table = files.table(path, {owner: "text"} | dict.fromkeys(modality.columns, "number"))
    except FormatError as error:
        if "'recording'" not in error.what:
            raise
        owner = "subject"
        table = files.table(path, {owner: "text"} | dict.fromkeys(modality.columns, "number"))
    wanted = place.name if owner == "recording" else subject
    called = table.columns[owner]
    if owner == "recording":
        called = [names.find(text, table.at(row)) for row, text in enumerate(called)]
    mine = [row for row, text in enumerate(called) if text == wanted]
    if len(mine) > 1:
        raise FormatError(f"a second row for this {owner}.", where=table.at(mine[1]))
    return _value(table, modality, mine[0]) if mine else None


def _value(table: Table, modality: ModalityLayout, row: int) -> Stream:
    values = np.array([[table.columns[c][row] for c in modality.columns]], dtype=np.float32)
    return Stream(values, times=np.zeros(1))


def _agree(a: dict[str, str], b: dict[str, str]) -> bool:
    return all(b.get(key, value) == value for key, value in a.items())

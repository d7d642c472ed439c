"""Tables about whole recordings: whose they are, and what they show."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_ts.errors import FormatError, nearest
from maestro_ts.signals.datasets.card import Refusal
from maestro_ts.signals.folder.files import Files, Place
from maestro_ts.signals.formats.table import Column

__all__ = ["Names", "read_register", "table_at"]


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

"""Static modalities: one value per recording or subject, from a table or a file of one row."""

from __future__ import annotations

import numpy as np

from maestro_ts.errors import FormatError
from maestro_ts.signals.folder.files import Files, Place
from maestro_ts.signals.folder.layout import Layout, ModalityLayout
from maestro_ts.signals.folder.registers import Names, table_at
from maestro_ts.signals.formats.table import Column, Kind, Table
from maestro_ts.signals.recording import Stream

__all__ = ["Statics"]


class Statics:
    """All static modalities of a folder; tables common to all recordings are read once.

    Parameters
    ----------
    files : Files
    layout : Layout
    names : Names

    Raises
    ------
    FormatError
        With file and line: a table that cannot be read, or a second row for one owner.
    """

    def __init__(self, files: Files, layout: Layout, names: Names) -> None:
        self._files = files
        self._modalities = {n: m for n, m in layout.modalities.items() if m.static}
        self._tables = {
            name: _read_table(files, modality, names)
            for name, modality in self._modalities.items()
            if not modality.pattern.names
        }

    def of(self, place: Place, subject: str) -> dict[str, Stream]:
        """The values of one recording; what is not known is left out.

        Raises
        ------
        FormatError
            A file of its own that has not one row.
        """
        found: dict[str, Stream] = {}
        for name, modality in self._modalities.items():
            if name in self._tables:
                owner, values = self._tables[name]
                stream = values.get(place.name if owner == "recording" else subject)
            else:
                stream = self._own(modality, place.tells | {"subject": subject})
            if stream is not None:
                found[name] = stream
        return found

    def _own(self, modality: ModalityLayout, tells: dict[str, str]) -> Stream | None:
        path = self._files.find(modality.pattern, tells)
        if path is None:
            return None
        table = self._files.table(path, _columns(modality))
        if table.rows != 1:
            raise FormatError(f"{table.rows} rows, a static modality has one.", where=path)
        return _value(table, modality, 0)


def _read_table(
    files: Files, modality: ModalityLayout, names: Names
) -> tuple[str, dict[str, Stream]]:
    """Whose values a table tells, ``recording`` or ``subject``, and the values by owner."""
    path = table_at(files, modality.file, "a static modality")
    owner: Column = "recording" if "recording" in files.columns(path) else "subject"
    wanted: dict[Column, Kind] = {owner: "text"}
    table = files.table(path, wanted | _columns(modality))
    found: dict[str, Stream] = {}
    for row, text in enumerate(table.columns[owner]):
        name = names.find(text, table.at(row)) if owner == "recording" else text
        if name is None:
            continue
        if name in found:
            raise FormatError(f"a second row for {owner} {text!r}.", where=table.at(row))
        found[name] = _value(table, modality, row)
    return str(owner), found


def _columns(modality: ModalityLayout) -> dict[Column, Kind]:
    return dict.fromkeys(modality.columns, "number")


def _value(table: Table, modality: ModalityLayout, row: int) -> Stream:
    values = np.array([[table.columns[c][row] for c in modality.columns]], dtype=np.float32)
    return Stream(values, times=np.zeros(1))

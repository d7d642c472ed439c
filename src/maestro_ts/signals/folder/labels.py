"""Labels of recordings: from tables, a column, annotations or the path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import FormatError, nearest
from maestro_ts.signals.datasets.card import Refusal
from maestro_ts.signals.folder.files import Files, Place
from maestro_ts.signals.folder.layout import LabelLayout, Layout
from maestro_ts.signals.folder.pattern import PathPattern
from maestro_ts.signals.folder.registers import Names, read_register, table_at
from maestro_ts.signals.folder.streams import Raw, Signals, since, to_seconds
from maestro_ts.signals.formats.edf import lasting_annotations
from maestro_ts.signals.formats.registry import format_of
from maestro_ts.signals.formats.table import Column, Kind, Table
from maestro_ts.signals.recording import Interval

__all__ = ["LabelTable", "label_column", "labels_of", "read_label_table"]


@dataclass
class LabelTable:
    """What the tables common to all recordings say.

    Attributes
    ----------
    whole : dict of recording to label
    intervals : dict of recording to intervals in the file's time, with their places
    refused : list of Refusal
    """

    whole: dict[str, str] = field(default_factory=dict)
    intervals: dict[str, list[tuple[Interval, str]]] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)


def label_column(layout: Layout) -> tuple[str, Column] | None:
    """Modality and column when labels stand beside the samples."""
    labels = layout.labels
    if labels is None or labels.from_ != "column":
        return None
    name = labels.modality or next(n for n, m in layout.modalities.items() if not m.static)
    return name, labels.column


def read_label_table(files: Files, layout: Layout, names: Names) -> LabelTable:
    """Read the table common to all recordings, if the layout has one.

    Raises
    ------
    FormatError
        With file and line.
    """
    labels, found = layout.labels, LabelTable()
    if labels is None:
        return found
    if labels.from_ == "recordings":
        found.whole, found.refused = read_register(
            files, labels.path, labels.column, names, "labels"
        )
    elif labels.from_ == "intervals" and "{" not in labels.path:
        path = table_at(files, labels.path, "labels")
        wanted: dict[Column, Kind] = {"recording": "text"}
        table = files.table(path, wanted | _columns(labels))
        for row in range(table.rows):
            called = table.columns["recording"][row]
            name = names.find(called, table.at(row))
            if name is None:
                why = f"recording {called!r} has no file. {names.nearest(called)}"
                found.refused.append(Refusal(table.at(row), why))
            else:
                found.intervals.setdefault(name, []).append(_interval(table, row, labels))
    return found


def labels_of(
    files: Files,
    layout: Layout,
    place: Place,
    table: LabelTable,
    raw: Raw,
    signals: Signals,
    duration_s: float,
) -> tuple[Interval, ...]:
    """Labels of one recording in seconds on its clock, in the order of time.

    Raises
    ------
    FormatError
        With file and line: a label that is no class, an interval that ends before it starts or
        overlaps another of a different label.
    """
    labels = layout.labels
    if labels is None:
        return ()
    if labels.from_ == "path":
        return _whole(place.tells["label"], duration_s, labels, next(iter(place.files.values())))
    if labels.from_ == "recordings":
        text = table.whole.get(place.name, "")
        return _whole(text, duration_s, labels, f"{labels.path}, recording {place.name!r}")
    if labels.from_ == "column":
        return _from_column(layout, raw, signals, labels)
    if labels.from_ == "annotations":
        return _on_clock(_annotated(files, place, labels), labels, signals)
    found = table.intervals.get(place.name, [])
    if "{" in labels.path:
        found = _own_intervals(files, place, labels)
    return _on_clock(found, labels, signals)


def _columns(labels: LabelLayout) -> dict[Column, Kind]:
    kind: Kind = "moment" if labels.unit == "datetime" else "number"
    return {"start": kind, "end": kind, labels.column: "text"}


def _whole(text: str, duration_s: float, labels: LabelLayout, where: str) -> tuple[Interval, ...]:
    if not text:
        return ()
    _check_class(text, labels, where)
    return (Interval(0.0, duration_s, text),)


def _check_class(text: str, labels: LabelLayout, where: str) -> None:
    if labels.classes and text not in labels.classes:
        raise FormatError(
            f"label {text!r} is none of labels.classes.",
            where=where,
            fix=nearest(text, labels.classes),
        )


def _interval(table: Table, row: int, labels: LabelLayout) -> tuple[Interval, str]:
    """One row, in seconds on the file's own clock."""
    start, end = (float(to_seconds(table.columns[c], labels.unit)[row]) for c in ("start", "end"))
    text = table.columns[labels.column][row]
    where = table.at(row)
    if np.isnan(start) or np.isnan(end):
        raise FormatError("an interval without start or end.", where=where)
    if not start < end:
        raise FormatError(f"the interval ends at {end:g} s and starts at {start:g} s.", where=where)
    if not text:
        raise FormatError("an interval without label.", where=where)
    _check_class(text, labels, where)
    return Interval(start, end, text), where


def _own_intervals(files: Files, place: Place, labels: LabelLayout) -> list[tuple[Interval, str]]:
    """Intervals from the recording's own file of labels."""
    path = files.find(PathPattern(labels.path), place.tells)
    if path is None:
        return []
    table = files.table(path, _columns(labels))
    return [_interval(table, row, labels) for row in range(table.rows)]


def _annotated(files: Files, place: Place, labels: LabelLayout) -> list[tuple[Interval, str]]:
    """Annotations with a duration; with `classes` only those, as a file notes other things too."""
    if labels.file is not None:
        path = files.find(PathPattern(labels.file), place.tells)
    else:
        path = place.files.get(labels.modality or next(iter(place.files)))
    if path is None:
        return []
    if format_of(path) != "edf":
        raise FormatError("labels from: annotations needs EDF+ or BDF+ files.", where=path)
    return [
        (Interval(start, end, text), path)
        for start, end, text in lasting_annotations(files.open(path))
        if text and (not labels.classes or text in labels.classes)
    ]


def _on_clock(
    found: list[tuple[Interval, str]], labels: LabelLayout, signals: Signals
) -> tuple[Interval, ...]:
    zero = labels.zero or ("first-sample" if signals.from_first else "as-is")
    shift = signals.zero_s if zero == "first-sample" else 0.0
    ordered = sorted(found, key=lambda item: (item[0].start_s, item[0].end_s))
    intervals: list[Interval] = []
    for interval, where in ordered:
        start, end = (float(t) for t in since(np.array([interval.start_s, interval.end_s]), shift))
        last = intervals[-1] if intervals else None
        if last is not None and start < last.end_s - 1e-9 and interval.label != last.label:
            raise FormatError(
                f"{interval.label!r} from {interval.start_s:.12g} s overlaps {last.label!r}.",
                where=where,
            )
        intervals.append(Interval(start, end, interval.label))
    return tuple(intervals)


def _from_column(
    layout: Layout, raw: Raw, signals: Signals, labels: LabelLayout
) -> tuple[Interval, ...]:
    """Runs of equal labels; each ends where the next sample lies."""
    chosen = label_column(layout)
    assert chosen is not None
    name, column = chosen
    stream = signals.streams.get(name)
    if stream is None:
        return ()
    table = raw.tables[name]
    texts: NDArray[Any] = table.columns[column]
    edges = np.append(stream.sample_times(), stream.end_s)
    starts = np.flatnonzero(np.concatenate([[True], texts[1:] != texts[:-1]]))
    ends = np.append(starts[1:], len(texts))
    found = []
    for a, b in zip(starts, ends, strict=True):
        if texts[a]:
            _check_class(texts[a], labels, table.at(int(a)))
            found.append(Interval(float(edges[a]), float(edges[b]), str(texts[a])))
    return tuple(found)

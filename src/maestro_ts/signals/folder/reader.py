"""A folder or zip with a ``schema.yaml`` → a card and recordings, as of a published data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from maestro_ts.errors import FormatError, MaestroError, MissingExtraError
from maestro_ts.signals.datasets.card import Card, Reading, Refusal
from maestro_ts.signals.folder.files import (
    Files,
    Place,
    beside_archive,
    data_files,
    find_layout,
    find_places,
    no_layout,
    top,
)
from maestro_ts.signals.folder.labels import LabelTable, label_column, labels_of, read_label_table
from maestro_ts.signals.folder.layout import Layout
from maestro_ts.signals.folder.pattern import PathPattern
from maestro_ts.signals.folder.rates import settle_rates
from maestro_ts.signals.folder.registers import Names, read_register
from maestro_ts.signals.folder.statics import Statics
from maestro_ts.signals.folder.streams import read_raw, to_signals
from maestro_ts.signals.formats.archive import check_refused, open_folder
from maestro_ts.signals.recording import Recording

__all__ = ["FolderReading", "is_folder", "read_folder"]

RULES = {
    "intervals": "A window has the label of the interval that covers it; others are left out.",
    "recordings": "All windows of a recording have its label in the table.",
    "column": "A window has a label when all its samples have it; others are left out.",
    "annotations": "A window has the label of the annotation that covers it; others are left out.",
    "path": "All windows of a recording have the label in its path.",
}


@dataclass(frozen=True)
class FolderReading:
    """What a folder held.

    Attributes
    ----------
    card : Card
    reading : Reading
    layout : Layout
    unused : tuple of str
        Tables that no key of the schema names.
    """

    card: Card
    reading: Reading
    layout: Layout
    unused: tuple[str, ...]


def is_folder(path: Path) -> bool:
    """Whether a place has a ``schema.yaml``, inside or beside it."""
    if not path.exists():
        return False
    if path.is_file():
        if beside_archive(path).is_file():
            return True
        if path.suffix.lower() != ".zip":
            return False
    try:
        with open_folder(path) as folder:
            return any(name.split("/")[-1] == "schema.yaml" for name in folder.names)
    except FormatError:
        return False


def read_folder(
    path: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    layout: Layout | None = None,
    labelled: bool = True,
) -> FolderReading:
    """Read all recordings of a folder or zip.

    Parameters
    ----------
    path : Path
    progress : callable (done, total)
        Told after each recording.
    layout : Layout, optional
        Used where the place has no ``schema.yaml`` of its own.
    labelled : bool
        False: labels are not looked for.

    Raises
    ------
    DataError
        No such place, or no schema.
    ConfigError
        A schema that does not fit.
    FormatError
        No recording, a table of labels or subjects that cannot be read, or more than half of the
        recordings cannot be read.
    """
    with open_folder(path) as folder:
        found = find_layout(folder, path)
        if found is None and layout is None:
            raise no_layout(path)
        used, root = found or (layout, top(folder) if path.is_file() else "")
        assert used is not None
        if not labelled:
            used = used.model_copy(update={"labels": None})
        files = Files(folder, root, used.dialect)
        places = find_places(files, used)
        names = Names(places)
        subjects, refused = _subjects(files, used, places, names)
        table = read_label_table(files, used, names)
        statics = Statics(files, used, names)
        refused += table.refused
        recordings: list[Recording] = []
        reasons: list[str] = []
        for done, place in enumerate(places, start=1):
            try:
                recordings.append(_read(files, used, place, subjects, table, statics))
            except MissingExtraError:
                raise  # no recording is to blame
            except MaestroError as error:
                refused.append(Refusal(error.where or place.name, error.what))
                reasons.append(f"{refused[-1].where}: {refused[-1].why}")
            progress(done, len(places))
        unused = _unused(files, used)
    used, recordings, others = settle_rates(used, recordings)
    refused += others
    reasons += [f"{r.where}: {r.why}" for r in others]
    check_refused(str(path), len(recordings), reasons)
    return FolderReading(
        _card(path, used, recordings), Reading(recordings, refused), used, tuple(unused)
    )


def _subjects(
    files: Files, layout: Layout, places: Sequence[Place], names: Names
) -> tuple[dict[str, str], list[Refusal]]:
    """Subject of every recording that has one."""
    source = layout.subject
    if source.from_ == "path":
        return {place.name: place.tells["subject"] for place in places}, []
    if source.from_ == "recording":
        return {place.name: place.name for place in places}, []
    return read_register(files, source.file, source.column, names, "subject")


def _read(
    files: Files,
    layout: Layout,
    place: Place,
    subjects: dict[str, str],
    table: LabelTable,
    statics: Statics,
) -> Recording:
    if place.clashes:
        raise place.clashes[0]
    subject = subjects.get(place.name)
    if subject is None:
        raise FormatError(f"recording {place.name!r} has no subject.", where=layout.subject.file)
    raw = read_raw(files, layout, place, label_column(layout))
    signals = to_signals(raw, layout)
    streams = dict(signals.streams)
    duration_s = max((s.end_s for s in streams.values()), default=0.0)
    labels = labels_of(files, layout, place, table, raw, signals, duration_s)
    if layout.windows.duration_s is None and len({i.label for i in labels}) > 1:
        said = ", ".join(sorted({i.label for i in labels}))
        raise FormatError(
            f"recording {place.name!r} is one window and has several labels: {said}.",
            where=next(iter(place.files.values())),
            fix="Say windows: {duration_s: …} in schema.yaml.",
        )
    streams |= statics.of(place, subject)
    return Recording(
        streams,
        subject=subject,
        source=place.name,
        labels=labels,
        duration_s=duration_s,
        clock=layout.clock,
        notes=tuple(signals.notes),
    )


def _unused(files: Files, layout: Layout) -> list[str]:
    named = {*layout.tables, *(m.file for m in layout.modalities.values())}
    patterns = [PathPattern(text) for text in sorted(named)]
    return [p for p in data_files(files) if not any(q.match(p) is not None for q in patterns)]


def _card(path: Path, layout: Layout, recordings: Sequence[Recording]) -> Card:
    name = layout.name or path.resolve().stem
    labels = layout.labels
    found = sorted({i.label for r in recordings for i in r.labels})
    classes = labels.classes if labels is not None and labels.classes else tuple(found)
    return Card(
        name=name,
        title=layout.title or name,
        task=f"{len(classes)} classes" if classes else "no labels",
        schema=layout.signals,
        classes=classes,
        windows=layout.window_spec,
        label_rule=RULES[labels.from_] if labels is not None else "No labels.",
        licence=layout.licence or "not stated",
        citation="not stated",
        how_to_get="your own files",
        subjects=len({r.subject for r in recordings}),
        clock=layout.clock,
    )

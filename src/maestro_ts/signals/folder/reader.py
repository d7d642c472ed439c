"""A folder or zip with a ``schema.yaml`` → a card and recordings, as of a published data set."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from maestro_ts.errors import FormatError, MaestroError, MissingExtraError
from maestro_ts.signals.datasets.card import Card, Reading, Refusal
from maestro_ts.signals.distrust import distrust_scale
from maestro_ts.signals.folder.agreement import conditioned_as, unconditioned
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
from maestro_ts.signals.folder.labels import label_column, labels_of, read_label_table
from maestro_ts.signals.folder.layout import Layout
from maestro_ts.signals.folder.pattern import PathPattern
from maestro_ts.signals.folder.rates import at_rates, find_rates
from maestro_ts.signals.folder.registers import Names, read_register
from maestro_ts.signals.folder.statics import Statics
from maestro_ts.signals.folder.streams import read_raw, to_signals
from maestro_ts.signals.formats.archive import Folder, check_refused, open_folder
from maestro_ts.signals.recording import Recording

__all__ = ["FolderReader", "FolderReading", "folder_card", "is_folder", "read_folder"]

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


class FolderReader:
    """An open folder or zip with its schema, of which recordings are read one at a time.

    Parameters
    ----------
    folder : Folder
    path : Path
        Where it is.
    layout : Layout, optional
        Used where the place has no ``schema.yaml`` of its own; where it has, modalities are
        filtered and downsampled as in this one.
    names : dict of str to str, optional
        The place's names of modalities and those of `layout`.
    labelled : bool
        False: labels are not looked for.
    raw : bool
        True: nothing is filtered or downsampled.
    distrust : bool
        Stretches of another scale are taken as missing (`distrust_scale`).

    Attributes
    ----------
    layout : Layout
    parts : tuple of str
        Names of the recordings, in order.
    unread : list of Refusal
        Rows of tables about recordings that could not be used.

    Raises
    ------
    DataError
        No schema.
    ConfigError
        A schema that does not fit.
    FormatError
        No recording, or a table of labels or subjects that cannot be read.
    """

    def __init__(
        self,
        folder: Folder,
        path: Path,
        *,
        layout: Layout | None = None,
        names: Mapping[str, str] | None = None,
        labelled: bool = True,
        raw: bool = False,
        distrust: bool = False,
    ) -> None:
        found = find_layout(folder, path)
        if found is None and layout is None:
            raise no_layout(path)
        used, root = found or (layout, top(folder) if path.is_file() else "")
        assert used is not None
        if found is not None and layout is not None:
            used = conditioned_as(used, layout, names or {}, str(path))
        if not labelled:
            used = used.model_copy(update={"labels": None})
        if raw:
            used = unconditioned(used)
        self._distrust = distrust
        self._files = Files(folder, root, used.dialect)
        places = find_places(self._files, used)
        self._places = {place.name: place for place in places}
        self._stated = used  # rates by the schema alone: others are compared after reading
        self._rates = find_rates(self._files, used, self._places)
        self.layout = used = used.with_rates(self._rates)
        self.parts = tuple(self._places)
        register = Names(places)
        self._subjects, self.unread = _subjects(self._files, used, places, register)
        self._table = read_label_table(self._files, used, register)
        self._statics = Statics(self._files, used, register)
        self.unread += self._table.refused

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.folder.close()

    def read(self, part: str) -> Recording | Refusal:
        """One recording, or why it cannot be read."""
        place = self._places[part]
        try:
            return self._read(place)
        except MissingExtraError:
            raise  # no recording is to blame
        except MaestroError as error:
            return Refusal(error.where or place.name, error.what)

    def _read(self, place: Place) -> Recording:
        layout, files = self.layout, self._files
        if place.clashes:
            raise place.clashes[0]
        subject = self._subjects.get(place.name)
        if subject is None:
            raise FormatError(
                f"recording {place.name!r} has no subject.", where=layout.subject.file
            )
        raw = read_raw(files, layout, place, label_column(layout))
        signals = to_signals(raw, self._stated)
        duration_s = max((s.end_s for s in signals.streams.values()), default=0.0)
        labels = labels_of(files, layout, place, self._table, raw, signals, duration_s)
        whole = layout.windows.duration_s is None and layout.windows.label_rule == "inside"
        if whole and len({i.label for i in labels}) > 1:
            said = ", ".join(sorted({i.label for i in labels}))
            raise FormatError(
                f"recording {place.name!r} is one window and has several labels: {said}.",
                where=next(iter(place.files.values())),
                fix="Say windows: {duration_s: …}, or {label_rule: majority}, in schema.yaml.",
            )
        recording = Recording(
            signals.streams | self._statics.of(place, subject),
            subject=subject,
            source=place.name,
            labels=labels,
            duration_s=duration_s,
            clock=layout.clock,
            notes=tuple(signals.notes),
        )
        recording = at_rates(recording, self._rates, place.name)
        if self._distrust:  # before a filter has smeared the border of the scales
            recording = distrust_scale(recording)
        return self._conditioned(recording, place)

    def _conditioned(self, recording: Recording, place: Place) -> Recording:
        streams, notes = dict(recording.streams), list(recording.notes)
        for name, path in place.files.items():
            work = self.layout.modalities[name].conditioning
            if not work or name not in streams:
                continue
            try:
                streams[name], lost = work(streams[name])
            except MaestroError as error:
                raise FormatError(
                    f"modality {name!r}: {error.what}", where=path, fix=error.fix
                ) from None
            if lost:
                notes.append(f"{name}: {lost} values in runs too short to be filtered are missing.")
        return replace(recording, streams=streams, notes=tuple(notes))

    def unused(self) -> tuple[str, ...]:
        """Tables that no key of the schema names."""
        layout = self.layout
        named = {*layout.tables, *(m.file for m in layout.modalities.values())}
        patterns = [PathPattern(text) for text in sorted(named)]
        known = data_files(self._files)
        return tuple(p for p in known if not any(q.match(p) is not None for q in patterns))

    def fingerprint(self) -> str:
        """A number for the files' names and sizes, and for what the tables say."""
        folder, root = self._files.folder, self._files.root
        digest = hashlib.blake2b(folder.fingerprint().encode(), digest_size=16)
        patterns = [PathPattern(text) for text in sorted(set(self.layout.tables))]
        for path in self._files.paths:
            if any(p.match(path) is not None for p in patterns):
                digest.update(folder.read(root + path))
        return digest.hexdigest()


def read_folder(
    path: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    layout: Layout | None = None,
    names: Mapping[str, str] | None = None,
    labelled: bool = True,
    raw: bool = False,
    distrust: bool = False,
) -> FolderReading:
    """Read all recordings of a folder or zip; for parameters see `FolderReader`.

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
        reader = FolderReader(
            folder, path, layout=layout, names=names, labelled=labelled, raw=raw, distrust=distrust
        )
        recordings: list[Recording] = []
        refused: list[Refusal] = []
        for done, part in enumerate(reader.parts, start=1):
            found = reader.read(part)
            if isinstance(found, Recording):
                recordings.append(found)
            else:
                refused.append(found)
            progress(done, len(reader.parts))
        unused = reader.unused()
    check_refused(str(path), len(recordings), [f"{r.where}: {r.why}" for r in refused])
    card = folder_card(
        path,
        reader.layout,
        classes=sorted({i.label for r in recordings for i in r.labels}),
        subjects=len({r.subject for r in recordings}),
    )
    return FolderReading(
        card, Reading(recordings, [*reader.unread, *refused]), reader.layout, unused
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


def folder_card(path: Path, layout: Layout, *, classes: Sequence[str], subjects: int) -> Card:
    """What a folder is; `classes` are the labels that occur, used where its schema names none."""
    name = layout.name or path.resolve().stem
    labels = layout.labels
    known = labels.classes if labels is not None and labels.classes else tuple(classes)
    rule = RULES[labels.from_] if labels is not None else "No labels."
    if labels is not None and layout.windows.label_rule != "inside":
        rule = layout.window_spec.label_text()
    return Card(
        name=name,
        title=layout.title or name,
        task=f"{len(known)} classes" if known else "no labels",
        schema=layout.signals,
        classes=known,
        windows=layout.window_spec,
        label_rule=rule,
        licence=layout.licence or "not stated",
        citation="not stated",
        how_to_get="your own files",
        subjects=subjects,
        clock=layout.clock,
    )

"""A draft of a ``schema.yaml`` from what a folder or zip seems to hold; guesses are marked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from maestro_ts.atomic import write_text
from maestro_ts.errors import ConfigError, FormatError
from maestro_ts.signals.folder.draft_groups import Group, groups_of
from maestro_ts.signals.folder.files import SCHEMA, Files, beside_archive, data_files, top
from maestro_ts.signals.folder.look import PLACES, Look, look_at, look_at_dialect
from maestro_ts.signals.folder.paths import PathGuess, guess_paths
from maestro_ts.signals.formats.archive import open_folder
from maestro_ts.signals.formats.empatica import E4_EVENTS, E4_SIGNALS, is_e4
from maestro_ts.signals.formats.registry import SUFFIXES, format_of
from maestro_ts.signals.formats.signal_file import Dialect, Series
from maestro_ts.signals.formats.table import Column

__all__ = ["Draft", "draft_schema", "write_draft"]

LOOKED_AT = 60  # files whose columns are compared
SHORT_TRIAL_S = 20.0
NEARLY = 1e-3  # a measured rate this near to a whole number is written as that


@dataclass
class Draft:
    """The text of a schema, and how it came about.

    Attributes
    ----------
    text : str
    understood, guessed, open : list of str
        What is plain, what should be looked at, what only the owner of the files knows.
    """

    text: str = ""
    understood: list[str] = field(default_factory=list)
    guessed: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)


def write_draft(path: Path, *, overwrite: bool = False) -> tuple[Path, Draft]:
    """Write the draft into a folder, or beside a zip; an existing schema stays unless told.

    Raises
    ------
    ConfigError
        There is a schema already.
    FormatError
        No table of samples there, or a file that cannot be read.
    """
    target = path / SCHEMA if path.is_dir() else beside_archive(path)
    if target.exists() and not overwrite:
        raise ConfigError(
            "there is a schema already.", where=str(target), fix="Replace it with --overwrite."
        )
    draft = draft_schema(path)
    write_text(target, draft.text)
    return target, draft


def draft_schema(path: Path) -> Draft:
    """Look at the files and write down what they seem to be."""
    with open_folder(path) as folder:
        root = top(folder) if path.is_file() else ""
        files = Files(folder, root, Dialect())
        found = _without_events(files, data_files(files))
        if not found:
            raise FormatError(f"holds no file of signals ({', '.join(SUFFIXES)}).", where=str(path))
        dialect = _dialect(files, found)
        files = Files(folder, root, dialect)
        looks = {p: look_at(files.open(p)) for p in found[:LOOKED_AT]}
    tables = {p: look for p, look in looks.items() if _is_register(look)}
    samples = [p for p in found if p not in tables and PurePosixPath(p).name not in _names(tables)]
    if not samples:
        raise FormatError("holds tables of labels only, no samples.", where=str(path))
    makes = {p: tuple(look.columns) for p, look in looks.items()}
    paths = _one_session(samples, looks) or guess_paths(samples, makes)
    draft = Draft()
    groups: list[Group] = []
    for kind, example in paths.examples.items():
        look = looks[example] if example in looks else _late(path, example, dialect)
        groups += groups_of(kind, paths.patterns[kind], look, draft.guessed)
    _write(draft, path, dialect, paths, groups, tables)
    return draft


def _without_events(files: Files, found: list[str]) -> list[str]:
    """All but what an E4 writes beside its signals: heart beats and pressed buttons."""
    owners = {str(PurePosixPath(p).parent) for p in found if _called(p, E4_SIGNALS)}
    e4 = {o for o in owners if any(is_e4(files.open(p)) for p in found if _in(p, o, E4_SIGNALS))}
    return [p for p in found if not any(_in(p, o, E4_EVENTS) for o in e4)]


def _one_session(samples: Sequence[str], looks: dict[str, Look]) -> PathGuess | None:
    """One recording whose files are called by their sensors only: a session of an E4."""
    if any("/" in p or p not in looks or looks[p].form != "e4" for p in samples):
        return None
    kinds = {PurePosixPath(p).stem: p for p in samples}
    return PathGuess(dict(kinds), dict(kinds), recordings=1)


def _in(path: str, folder: str, names: Sequence[str]) -> bool:
    return str(PurePosixPath(path).parent) == folder and _called(path, names)


def _called(path: str, names: Sequence[str]) -> bool:
    return PurePosixPath(path).name in names


def _late(path: Path, name: str, dialect: Dialect) -> Look:
    """Look at one more file: the first ones did not include it."""
    with open_folder(path) as folder:
        root = top(folder) if path.is_file() else ""
        return look_at(Files(folder, root, dialect).open(name))


def _names(tables: dict[str, Look]) -> set[str]:
    return {PurePosixPath(p).name for p in tables}


def _dialect(files: Files, found: Sequence[str]) -> Dialect:
    """Of the first text; all texts of a folder are taken to be written alike."""
    for path in found:
        if format_of(path) == "csv" and not is_e4(file := files.open(path)):
            return look_at_dialect(file.data)
    return Dialect()


def _is_register(look: Look) -> bool:
    """A table about recordings or subjects, not of samples."""
    if look.looks:
        return False
    named = {str(c) for c in look.columns}
    return bool(named & set(PLACES)) or {"start", "end", "label"} <= named


def _write(
    draft: Draft,
    path: Path,
    dialect: Dialect,
    paths: PathGuess,
    groups: Sequence[Group],
    tables: dict[str, Look],
) -> None:
    """Fill in the text and the three lists."""
    files = ", ".join(sorted(set(paths.patterns.values())))
    draft.understood.append(f"{paths.recordings} recordings in files like {files}")
    lines = [
        "# A draft by maestro-ts init: look at every line marked 'guess'.",
        "format: 1",
        f"name: {_quoted(path.resolve().name.removesuffix('.zip'))}",
    ]
    if dialect != Dialect():
        lines.append(
            f"csv: {{delimiter: {_quoted(dialect.delimiter)}, decimal: {_quoted(dialect.decimal)}, "
            f"header: {str(dialect.header).lower()}, skip_lines: {dialect.skip_lines}}}"
        )
    if any(group.look.series is None for group in groups):
        head = "with a header" if dialect.header else "without header: columns are counted from 1"
        draft.understood.append(f"text tables: delimiter {dialect.delimiter!r}, {head}")
    lines.append("modalities:")
    for group in groups:
        lines += _modality(group, draft)
    lines += _subject(paths, tables, draft)
    lines += _labels(paths, groups, tables, draft)
    lines += _windows(groups, tables, draft)
    draft.text = "\n".join(lines) + "\n"


def _modality(group: Group, draft: Draft) -> list[str]:
    columns = ", ".join(_quoted(c) for c in group.columns)
    lines = [f"  {group.name}:", f"    file: {_quoted(group.file)}"]
    if group.form is not None:
        lines.append(f"    format: {group.form}")
    series = group.look.series
    if series is not None and series.stream:
        lines.append(f"    stream: {_quoted(series.stream)}")
    lines.append(f"    columns: [{columns}]")
    if series is not None and (series.timed or series.rate_hz is not None):
        lines += _stated(group, series, draft)
    else:
        lines += _guessed(group, draft)
    unit = series.unit if series is not None else ""
    lines.append(
        f"    unit: {_quoted(unit)}"
        if unit
        else '    unit: ""  # to fill in: g, m/s^2, degC, uS, …'
    )
    lines.append('    device: ""  # to fill in: what fails together')
    return lines


def _stated(group: Group, series: Series, draft: Draft) -> list[str]:
    """The rate, as the file states it."""
    if series.rate_hz is None:
        draft.understood.append(f"{group.name}: irregular, the file has a time for every sample")
        return ["    # no rate_hz: irregular, the file has a time for every sample"]
    whole = round(series.rate_hz)
    near = whole > 0 and abs(series.rate_hz / whole - 1) < NEARLY
    rate = f"{whole}" if near else repr(series.rate_hz)
    draft.understood.append(f"{group.name}: {rate} Hz, as {group.look.path} states it")
    return [f"    rate_hz: {rate}"]


def _guessed(group: Group, draft: Draft) -> list[str]:
    """Time and rate, as a column of times suggests them."""
    time = group.look.time
    if time is None:
        draft.open.append(f"rate_hz of {group.name}: its file has no column that looks like time")
        return ["    rate_hz: null  # TO FILL IN: no column looks like time"]
    zero = ", zero: first-sample" if time.absolute else ""
    mark = "" if time.sure else "  # guess: the unit"
    lines = [f"    time: {{column: {_quoted(time.column)}, unit: {time.unit}{zero}}}{mark}"]
    told = draft.understood if time.sure else draft.guessed
    told.append(f"{group.name}: time in column {time.column!r}, unit {time.unit}")
    if time.rate_hz is not None:
        lines.append(f"    rate_hz: {time.rate_hz:g}  # guess: from the steps of {group.look.path}")
        draft.guessed.append(f"{group.name}: {time.rate_hz:g} Hz, from the steps of one file")
    else:
        lines.append("    # no rate_hz: the steps vary, samples are taken as irregular")
        draft.guessed.append(f"{group.name}: irregular, its steps vary")
    return lines


def _subject(paths: PathGuess, tables: dict[str, Look], draft: Draft) -> list[str]:
    if paths.subject:
        draft.guessed.append("the subject stands in the path, as {subject}")
        return ["subject: {from: path}  # guess"]
    for path, look in tables.items():
        if {"recording", "subject"} <= set(map(str, look.columns)):
            draft.understood.append(f"the subjects stand in {path}")
            return [f"subject: {{from: recordings, file: {_quoted(path)}}}"]
    draft.open.append("subjects: every recording is taken for a subject of its own")
    return ["subject: {from: recording}  # TO CHECK: is every recording another person?"]


def _labels(
    paths: PathGuess, groups: Sequence[Group], tables: dict[str, Look], draft: Draft
) -> list[str]:
    for path, look in tables.items():
        named = set(map(str, look.columns))
        if {"start", "end", "label"} <= named:
            pattern = path if "recording" in named else _own_labels(path, paths)
            draft.guessed.append(f"labels are intervals in {pattern}, in seconds")
            return [
                f"labels: {{from: intervals, file: {_quoted(pattern)}, unit: s}}  # guess: the unit"
            ]
    for path, look in tables.items():
        if "recording" in map(str, look.columns) and look.label is not None:
            draft.understood.append(f"labels of whole recordings in {path}")
            column = "" if look.label == "label" else f", column: {_quoted(look.label)}"
            return [f"labels: {{from: recordings, file: {_quoted(path)}{column}}}"]
    for group in groups:
        if group.look.label is not None:
            draft.guessed.append(f"labels beside the samples, in column {group.look.label!r}")
            return [
                f"labels: {{from: column, column: {_quoted(group.look.label)}, "
                f"modality: {group.name}}}  # guess"
            ]
    if paths.label:
        draft.guessed.append(f"the label stands in the path: {', '.join(paths.labels)}")
        return ["labels: {from: path}  # guess"]
    draft.open.append("labels: none found; without them the data can be predicted, not trained on")
    return ["# labels: {from: recordings, file: recordings.csv}  # TO FILL IN for training"]


def _own_labels(path: str, paths: PathGuess) -> str:
    """A file of intervals beside each recording's samples: the same placeholders."""
    sample = next(iter(paths.patterns.values()))
    folder = str(PurePosixPath(sample).parent)
    name = PurePosixPath(path).name
    return name if folder == "." else f"{folder}/{name}"


def _windows(groups: Sequence[Group], tables: dict[str, Look], draft: Draft) -> list[str]:
    length = max((g.look.duration_s or 0.0 for g in groups), default=0.0)
    timed = any({"start", "end"} <= set(map(str, look.columns)) for look in tables.values())
    by_sample = any(g.look.label is not None for g in groups)
    if 0 < length < SHORT_TRIAL_S and not timed and not by_sample:
        draft.guessed.append(f"a recording ({length:.3g} s) is one window")
        return ["windows: {duration_s: null, step_s: null}  # guess: a recording is one window"]
    draft.guessed.append("windows of 4 s every 2 s")
    return ["windows: {duration_s: 4, step_s: 2}  # guess"]


def _quoted(value: Column) -> str:
    """A YAML scalar that is read as it is."""
    return str(value) if isinstance(value, int) else json.dumps(value, ensure_ascii=False)

"""A table of predicted windows → timeline and events, as Parquet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maestro_ts.atomic import atomic_path
from maestro_ts.errors import ConfigError, DataError, FormatError
from maestro_ts.evaluation.events import Event, EventRule, find_events
from maestro_ts.evaluation.timeline import Timeline, WindowPredictions, merge_windows
from maestro_ts.training.run import Run

__all__ = [
    "Merged",
    "check_merging",
    "merge_table",
    "read_predictions",
    "write_events",
    "write_timeline",
]


@dataclass(frozen=True)
class Merged:
    """What was written of a table: time about which something is known or not, and events."""

    known_h: float
    unknown_h: float
    events: int


def check_merging(run: Path, source: Path, rule: EventRule) -> None:
    """Refuse before anything is predicted what could not be merged after it.

    Raises
    ------
    DataError
        Windows of an ``.npz`` lie in no recording.
    ConfigError
        The model has no such class.
    """
    if source.suffix == ".npz":
        raise DataError(
            "windows of an .npz lie in no recording: there is no timeline.",
            where=str(source),
            fix="Give the recordings themselves, as a folder with a schema.yaml.",
        )
    try:
        stored = json.loads(Run(run).schema.read_text())
        classes = stored["classes"]["values"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # loading the model says what is wrong with it
    if stored.get("objective"):
        raise ConfigError("this run has no classes, of which timelines and events tell.")
    rule.chosen([str(c) for c in classes])


def merge_table(
    table: Path,
    timeline: Path | None = None,
    events: Path | None = None,
    rule: EventRule | None = None,
) -> Merged:
    """Merge the windows of a table that `predict` wrote, and write what is asked for.

    Parameters
    ----------
    table : Path
    timeline, events : Path, optional
        Parquet files to write.
    rule : EventRule, optional
    """
    merged = merge_windows(read_predictions(table))
    found = find_events(merged, rule)
    if timeline is not None:
        write_timeline(timeline, merged)
    if events is not None:
        write_events(events, found)
    return Merged(merged.hours(known=True), merged.hours(known=False), len(found))


def read_predictions(path: Path) -> WindowPredictions:
    """Read a table that `predict` wrote.

    Raises
    ------
    FormatError
        No Parquet, or a table without places or probabilities of classes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise FormatError(f"no Parquet table: {error}.", where=str(path)) from error
    names = table.column_names
    probabilities = [name for name in names if name.startswith("p_")]
    lacking = {"source", "subject", "start_s", "duration_s", "prior"} - set(names)
    if lacking or not probabilities:
        what = ", ".join(sorted(lacking)) or "p_<class>"
        raise FormatError(
            f"no table of predicted windows: no column {what}.",
            where=str(path),
            fix="Give what `maestro-ts predict` wrote.",
        )
    try:
        return WindowPredictions(
            sources=np.array(table["source"].to_pylist(), dtype=np.str_),
            subjects=np.array(table["subject"].to_pylist(), dtype=np.str_),
            start_s=table["start_s"].to_numpy().astype(np.float64),
            duration_s=table["duration_s"].to_numpy().astype(np.float64),
            probabilities=np.stack([table[p].to_numpy() for p in probabilities], axis=1).astype(
                np.float64
            ),
            known=~table["prior"].to_numpy().astype(bool),
            classes=tuple(p.removeprefix("p_") for p in probabilities),
        )
    except DataError as error:
        raise DataError(error.what, where=f"{path}: {error.where}".rstrip(": ")) from error
    except (TypeError, ValueError) as error:
        raise FormatError(f"a column is of another type: {error}.", where=str(path)) from error


def write_timeline(path: Path, timeline: Timeline) -> None:
    """One row per cell: ``source, subject, start_s, duration_s, predicted, p_<class>…, windows``.

    `predicted` and the probabilities are null where nothing is known (``windows`` is 0).
    """
    import pyarrow as pa

    known = timeline.known
    best = np.where(known, np.nan_to_num(timeline.probabilities).argmax(axis=1), 0)
    _write(
        path,
        {
            "source": timeline.sources,
            "subject": timeline.subjects,
            "start_s": timeline.start_s,
            "duration_s": timeline.end_s - timeline.start_s,
            "predicted": pa.array(
                [
                    timeline.classes[k] if there else None
                    for k, there in zip(best, known, strict=True)
                ],
                type=pa.string(),
            ),
            **{
                f"p_{c}": pa.array(timeline.probabilities[:, k].astype(np.float32), mask=~known)
                for k, c in enumerate(timeline.classes)
            },
            "windows": timeline.windows,
        },
    )


def write_events(path: Path, events: Sequence[Event]) -> None:
    """One row per event: ``source, subject, class, onset_s, offset_s, probability``."""
    import pyarrow as pa

    text, number = pa.string(), pa.float64()
    _write(
        path,
        {
            "source": pa.array([e.source for e in events], text),
            "subject": pa.array([e.subject for e in events], text),
            "class": pa.array([e.label for e in events], text),
            "onset_s": pa.array([e.onset_s for e in events], number),
            "offset_s": pa.array([e.offset_s for e in events], number),
            "probability": pa.array([e.probability for e in events], number),
        },
    )


def _write(path: Path, columns: dict[str, object]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with atomic_path(path) as partial:
        pq.write_table(pa.table(columns), partial, compression="zstd")

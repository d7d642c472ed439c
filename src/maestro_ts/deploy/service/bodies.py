"""The body of a request → recordings, by its media type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from maestro_ts.deploy.service.messages import PredictBody, RecordingBody, StreamBody
from maestro_ts.deploy.service.problem import Problem
from maestro_ts.deploy.service.streams import known, stream_of
from maestro_ts.deploy.service.tables import from_arrow, from_csv, from_parquet
from maestro_ts.errors import DataError
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Recording

__all__ = ["ARROW", "JSON", "MEDIA_TYPES", "Asked", "read_body"]

JSON, ARROW = "application/json", "application/vnd.apache.arrow.stream"
TABLES: dict[str, Callable[[bytes, Schema], list[Recording]]] = {
    ARROW: from_arrow,
    "application/vnd.apache.arrow.file": from_arrow,
    "application/vnd.apache.parquet": from_parquet,
    "text/csv": from_csv,
}
MEDIA_TYPES = (JSON, *TABLES)


@dataclass(frozen=True)
class Asked:
    """What a body holds.

    Attributes
    ----------
    recordings : list of Recording
        Every `source` is unique.
    names : list of str
        What the client calls them.
    off : tuple of str
        Modalities to take as missing.
    """

    recordings: list[Recording]
    names: list[str]
    off: tuple[str, ...] = ()


def read_body(body: bytes, media_type: str, schema: Schema) -> Asked:
    """Read a body.

    Raises
    ------
    Problem
        Another media type, no JSON, or JSON of another form.
    DataError
        Content that does not fit the run's modalities.
    """
    kind = media_type.split(";")[0].strip().lower()
    if kind not in MEDIA_TYPES:
        raise Problem(
            415,
            f"media type {kind!r} is not read." if kind else "the body has no media type.",
            "header Content-Type",
            f"Known: {', '.join(MEDIA_TYPES)}.",
        )
    if not body:
        raise Problem(400, "the body is empty.", "body")
    off: tuple[str, ...] = ()
    if kind == JSON:
        try:
            asked = PredictBody.model_validate_json(body)
        except ValidationError as error:
            raise Problem.invalid(error) from None
        off = tuple(asked.off)
        found = [_recording(r, i, schema) for i, r in enumerate(asked.recordings)]
    else:
        found = TABLES[kind](body, schema)
    unique = [replace(r, source=_place(i, r.source)) for i, r in enumerate(found)]
    return Asked(unique, [r.source for r in found], off)


def _place(number: int, name: str) -> str:
    """Two recordings may have one name, or none."""
    return f"recordings.{number}" + (f" ({name})" if name else "")


def _recording(body: RecordingBody, number: int, schema: Schema) -> Recording:
    streams = {}
    for name, stream in body.streams.items():
        where = f"body.recordings.{number}.streams.{name}"
        modality = known(schema, name, where)
        streams[name] = stream_of(
            modality,
            _values(stream, where),
            where,
            rate_hz=stream.rate_hz,
            start_s=stream.start_s,
            times=None if stream.times is None else np.array(stream.times, np.float64),
        )
    return Recording(streams, subject=body.subject, source=body.name)


def _values(stream: StreamBody, where: str) -> NDArray[np.float64]:
    """Rows as an array (T, C); null is NaN."""
    rows = stream.values
    widths = {len(row) if isinstance(row, list) else 1 for row in rows}
    if not rows or widths == {0}:
        raise DataError("no values.", where=where, fix="Leave a sensor out that was not there.")
    if len(widths) > 1:
        raise DataError(
            f"rows of {min(widths)} and of {max(widths)} channels.",
            where=where,
            fix="Use null for a channel that is missing.",
        )
    values = np.array(rows, dtype=np.float64)
    return values[:, None] if values.ndim == 1 else values

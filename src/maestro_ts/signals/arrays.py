"""Arrays in memory → `Windows`, refusing what does not fit with all problems named at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maestro_ts.errors import DataError, nearest
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.recording import check_times, check_values
from maestro_ts.signals.windows import Samples, Windows, absent, window_ids

__all__ = ["windows_from_arrays"]

SINGLE = "x"


def windows_from_arrays(
    X: Mapping[str, ArrayLike | Sequence[ArrayLike | None]] | ArrayLike,
    modalities: Sequence[Modality] | Schema | None = None,
    *,
    times: Mapping[str, Sequence[ArrayLike]] | None = None,
    duration_s: float | ArrayLike | None = None,
    labels: ArrayLike | None = None,
    subjects: ArrayLike | None = None,
) -> Windows:
    """See `Windows.from_arrays`."""
    if isinstance(X, Mapping):
        if modalities is None:
            raise DataError(
                "A dict of arrays needs modalities=[Modality(name, channels, rate_hz), ...]."
            )
        schema = modalities if isinstance(modalities, Schema) else Schema(modalities)
        arrays: Mapping[str, Any] = X
    else:
        array = as_float(X, SINGLE)
        if array.ndim not in (2, 3):
            raise DataError(
                f"X has shape {array.shape}; expected (n, T) or (n, T, C). "
                "Reshape your data either using array.reshape(-1, 1) if it has one sample per "
                "window or array.reshape(1, -1) if it is one window."
            )
        schema, arrays = _single_schema(array, modalities)
    for argument, given in (("X", arrays), ("times", times or {})):
        for name in given:
            if name not in schema:
                raise DataError(
                    f"unknown modality {name!r} in {argument}.", fix=nearest(name, schema.names)
                )
    n = _count(arrays, schema)
    for argument, column in (("labels", labels), ("subjects", subjects)):
        if column is not None and np.shape(column)[:1] != (n,):
            raise DataError(f"{n} windows but {argument} of shape {np.shape(column)}.")
    pieces = {m.name: _samples(arrays.get(m.name), m, n, (times or {}).get(m.name)) for m in schema}
    durations = _durations(duration_s, pieces, n)
    _check_times_inside(pieces, durations)
    return Windows(
        schema,
        pieces,
        start_s=np.zeros(n),
        duration_s=durations,
        subjects=np.array([""] * n if subjects is None else [str(s) for s in np.asarray(subjects)]),
        sources=np.array([""] * n),
        ids=window_ids(f"array/{i}" for i in range(n)),
        labels=None if labels is None else np.asarray(labels),
    )


def as_float(array: ArrayLike, name: str) -> NDArray[np.float32]:
    """An array of float32, refusing sparse, complex and text by name."""
    if hasattr(array, "toarray"):
        raise TypeError(f"{name}: sparse input is not supported; pass a dense array (X.toarray()).")
    raw = np.asarray(array)
    if np.iscomplexobj(raw):
        raise DataError(f"Complex data not supported: {name} has dtype {raw.dtype}.")
    if raw.dtype.kind in "USMm":
        raise DataError(f"not numbers: dtype {raw.dtype}.", where=f"modality {name!r}")
    try:
        with np.errstate(over="ignore"):
            values = raw.astype(np.float64)
    except (TypeError, ValueError) as error:
        if isinstance(error, TypeError):
            raise TypeError(f"{name}: {error}") from error
        raise DataError(f"not numbers: {error}.", where=f"modality {name!r}") from error
    check_values(values, f"modality {name!r} (Input X contains infinity)")
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    if np.isinf(single).any():
        at = tuple(int(i) for i in np.argwhere(np.isinf(single))[0])
        raise DataError(
            f"value {values[at]:g} at index {at} is too large for float32.",
            where=f"modality {name!r}",
        )
    return single


def _single_schema(
    array: NDArray[np.float32], modalities: Sequence[Modality] | Schema | None
) -> tuple[Schema, Mapping[str, Any]]:
    if modalities is None:
        channels = array.shape[2] if array.ndim == 3 else 1
        return Schema([Modality(SINGLE, channels=channels, rate_hz=1.0)]), {SINGLE: array}
    schema = modalities if isinstance(modalities, Schema) else Schema(modalities)
    if len(schema) != 1:
        raise DataError(f"X is one array but {len(schema)} modalities are declared.")
    return schema, {schema.names[0]: array}


def _count(arrays: Mapping[str, Any], schema: Schema) -> int:
    sizes = {name: len(a) for name, a in arrays.items() if a is not None}
    if not sizes:
        raise DataError("X holds no modality.", fix=f"Known: {', '.join(schema.names)}.")
    if len(set(sizes.values())) > 1:
        raise DataError(f"Modalities disagree in the number of windows: {sizes}.")
    return next(iter(sizes.values()))


def _samples(data: Any, m: Modality, n: int, times: Sequence[ArrayLike] | None) -> Samples:
    where = f"modality {m.name!r}"
    if data is None:
        return absent(m, n)
    if (isinstance(data, np.ndarray) and data.dtype != object) or not _is_ragged(data):
        block = as_float(data, m.name)
        rows = [block[i] for i in range(n)]
    else:
        rows = [
            np.zeros((0, m.channels), np.float32) if r is None else as_float(r, m.name)
            for r in data
        ]
    rows = [r[:, None] if r.ndim == 1 else r for r in rows]
    wrong = [r.shape for r in rows if r.ndim != 2 or r.shape[1] != m.channels]
    if wrong:
        raise DataError(
            f"{m.channels} channels are declared, an array of a window has shape {wrong[0]}.",
            where=where,
            fix="Expected (T, C) per window.",
        )
    lengths = np.array([len(r) for r in rows], dtype=np.int64)
    stamps = None
    if times is not None:
        stamps = _stamps(times, lengths, where)
    elif m.rate_hz is None and not m.static:
        raise DataError("an irregular modality (rate_hz=None) needs times.", where=where)
    if m.static and lengths.max(initial=0) > 1:
        raise DataError(f"a static modality has one value, got {lengths.max()}.", where=where)
    return Samples(
        values=np.concatenate([*rows, np.zeros((0, m.channels), np.float32)]),
        starts=np.cumsum(lengths) - lengths,
        lengths=lengths,
        times=stamps,
        origins_s=np.zeros(n),
        rate_hz=m.rate_hz,
    )


def _is_ragged(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(r is None for r in data) or len({np.shape(r) for r in data}) > 1
    return isinstance(data, np.ndarray) and data.dtype == object


def _stamps(
    times: Sequence[ArrayLike], lengths: NDArray[np.int64], where: str
) -> NDArray[np.float64]:
    if len(times) != len(lengths):
        raise DataError(f"{len(lengths)} windows but {len(times)} arrays of times.", where=where)
    rows = [np.asarray([] if t is None else t, dtype=np.float64) for t in times]
    for i, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        if row.shape != (length,):
            raise DataError(
                f"{length} samples but times of shape {row.shape}.", where=f"{where}, window {i}"
            )
        check_times(row, f"{where}, window {i}")
    return np.concatenate([*rows, np.zeros(0)])


def _durations(
    duration_s: float | ArrayLike | None, pieces: Mapping[str, Samples], n: int
) -> NDArray[np.float64]:
    if duration_s is not None:
        given = np.asarray(duration_s, dtype=np.float64)
        if given.shape not in ((), (n,)):
            raise DataError(f"{n} windows but duration_s of shape {given.shape}.")
        given = np.broadcast_to(given, (n,)).copy()
        if not (np.isfinite(given) & (given > 0)).all():
            raise DataError(f"duration_s must be positive and finite, got {duration_s!r}.")
        return given
    regular = [s.lengths / s.rate_hz for s in pieces.values() if s.rate_hz and s.times is None]
    if not regular:
        raise DataError("Irregular sensors only: give duration_s (the window's length).")
    longest = np.max(regular, axis=0)
    fallback = longest.max(initial=0.0) or 1.0
    return np.where(longest > 0, longest, fallback)


def _check_times_inside(pieces: Mapping[str, Samples], durations: NDArray[np.float64]) -> None:
    """Samples that lie outside their window mean that rates, times or durations do not fit."""
    for name, samples in pieces.items():
        if samples.rate_hz is None and samples.times is None:
            continue
        _, times, owner = samples.flat()
        slack = 1.0 / samples.rate_hz if samples.rate_hz else 0.0
        outside = (times < 0) | (times > durations[owner] + slack + 1e-9)
        if outside.any():
            at = int(np.flatnonzero(outside)[0])
            raise DataError(
                f"a sample at {times[at]:g} s lies outside its window of "
                f"{durations[owner[at]]:g} s: rate and duration do not fit.",
                where=f"modality {name!r}, window {int(owner[at])}",
                fix="Check rate_hz, times and duration_s.",
            )

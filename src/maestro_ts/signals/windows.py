"""`Windows`: n pieces of time with every modality at its own rate; nothing is resampled.

A window is a slice: per modality a start and a length into shared buffers, so selecting and
overlapping windows copy no samples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maestro_ts.errors import DataError, nearest
from maestro_ts.signals.modality import Modality, Schema
from maestro_ts.signals.rows import Rows, read_rows

__all__ = ["Samples", "Windows", "absent", "window_ids"]

CHUNK_ROWS = 2**20  # samples that are looked at together where all at once need not fit in memory


@dataclass(frozen=True)
class Samples:
    """The samples of one modality for n windows.

    Attributes
    ----------
    values : ndarray or Rows, shape (S, C), float32
        Shared buffer, in memory or in a store; NaN is missing. `flat`, `window` and `read` give
        the samples of windows wherever they lie.
    starts, lengths : ndarray, shape (n,), int64
        Window i owns rows ``starts[i] : starts[i] + lengths[i]``; length 0 is an absent modality.
    times : ndarray or Rows, shape (S,), float64, or None
        Seconds on the buffer's clock; None for a regular modality.
    origins_s : ndarray, shape (n,), float64
        Irregular: the buffer time at which window i begins. Regular: the time of its first
        sample after the window's begin.
    """

    values: NDArray[np.float32] | Rows
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    times: NDArray[np.float64] | Rows | None
    origins_s: NDArray[np.float64]
    rate_hz: float | None

    def take(self, rows: NDArray[np.intp]) -> Samples:
        """Select windows; no sample is copied."""
        return replace(
            self,
            starts=self.starts[rows],
            lengths=self.lengths[rows],
            origins_s=self.origins_s[rows],
        )

    def timed(self) -> Samples:
        """The same samples, every one with its time."""
        if self.times is not None:
            return self
        rate = self.rate_hz or 1.0
        times = np.arange(len(self.values)) / rate
        return replace(self, times=times, origins_s=self.starts / rate - self.origins_s)

    def flat(self) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int64]]:
        """Samples of all windows one after another.

        Returns
        -------
        values : shape (N, C); times_s : shape (N,), from each window's begin; window : shape (N,)
        """
        owner = np.repeat(np.arange(len(self.starts)), self.lengths)
        if self.times is not None:
            times = read_rows(self.times, self.starts, self.lengths) - self.origins_s[owner]
        else:
            before = np.cumsum(self.lengths) - self.lengths
            within = np.arange(len(owner)) - before[owner]
            times = self.origins_s[owner] + within / (self.rate_hz or 1.0)
        return self.read(), times, owner

    def read(self) -> NDArray[np.float32]:
        """Values of all windows one after another, shape (N, C); a copy."""
        return read_rows(self.values, self.starts, self.lengths)

    def window(self, i: int) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Values (T, C) and times (T,) in seconds from the begin of window i."""
        start, length = self.starts[i : i + 1], self.lengths[i : i + 1]
        values = read_rows(self.values, start, length)
        if self.times is not None:
            return values, read_rows(self.times, start, length) - self.origins_s[i]
        return values, self.origins_s[i] + np.arange(len(values)) / (self.rate_hz or 1.0)

    def chunks(self) -> Iterator[slice]:
        """Windows in order, as many at a time as have about a million samples."""
        end = np.cumsum(self.lengths)
        first = 0
        while first < len(end):
            most = (end[first - 1] if first else 0) + CHUNK_ROWS
            last = max(int(np.searchsorted(end, most, side="right")), first + 1)
            yield slice(first, last)
            first = last

    def valid_counts(self) -> NDArray[np.int64]:
        """Samples per window that are valid in at least one channel, (n,)."""
        if isinstance(self.values, np.ndarray):
            valid = ~np.isnan(self.values).all(axis=1)
            count = np.concatenate([[0], np.cumsum(valid)])
            return np.asarray(count[self.starts + self.lengths] - count[self.starts])
        counts = np.zeros(len(self.starts), dtype=np.int64)
        for part in self.chunks():
            loaded = self.take(np.arange(part.start, part.stop)).loaded()
            counts[part] = loaded.valid_counts()
        return counts

    def loaded(self) -> Samples:
        """The same windows in memory, with a buffer of their own that holds no other rows."""
        return replace(
            self,
            values=self.read(),
            starts=np.cumsum(self.lengths) - self.lengths,
            times=None if self.times is None else read_rows(self.times, self.starts, self.lengths),
        )


def window_ids(keys: Iterable[str]) -> NDArray[np.uint64]:
    """A window's identity as a number that depends on its key alone (for masks and splits)."""
    return np.array(
        [int.from_bytes(hashlib.blake2b(k.encode(), digest_size=8).digest(), "big") for k in keys],
        dtype=np.uint64,
    )


class Windows:
    """n windows that scikit-learn can slice: ``len``, integer arrays, slices, boolean arrays.

    Attributes
    ----------
    schema : Schema
    samples : dict of modality name to Samples
    start_s, duration_s : ndarray, shape (n,)
        Where the window lies in its recording, and how long it is.
    present : ndarray, shape (n, M), bool
        True where the modality has at least one valid sample. A window without any is legal.
    subjects : ndarray, shape (n,), str
    labels : ndarray, shape (n,), object, or None
    ids : ndarray, shape (n,), uint64
        Identity of each window; seeds its masks, whatever the order or subset.
    sources : ndarray, shape (n,), str
    """

    def __init__(
        self,
        schema: Schema,
        samples: Mapping[str, Samples],
        *,
        start_s: NDArray[np.float64],
        duration_s: NDArray[np.float64],
        subjects: NDArray[np.str_],
        sources: NDArray[np.str_],
        ids: NDArray[np.uint64],
        labels: NDArray[Any] | None = None,
        present: NDArray[np.bool_] | None = None,
    ) -> None:
        self.schema = schema
        self.samples = dict(samples)
        self.start_s, self.duration_s = start_s, duration_s
        self.subjects, self.sources, self.ids, self.labels = subjects, sources, ids, labels
        self.present = self.valid_counts() > 0 if present is None else present

    def valid_counts(self) -> NDArray[np.int64]:
        """Samples that are valid in at least one channel, (n, M)."""
        counts = np.zeros((len(self), len(self.schema)), dtype=np.int64)
        for m, name in enumerate(self.schema.names):
            counts[:, m] = self.samples[name].valid_counts()
        return counts

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def shape(self) -> tuple[int]:
        """``(n,)``: what scikit-learn's length checks look at."""
        return (len(self),)

    def __getitem__(self, rows: Any) -> Windows:
        if isinstance(rows, tuple):  # scikit-learn asks for windows[rows, ...]
            rows = rows[0]
        index = np.atleast_1d(np.arange(len(self))[rows])
        return Windows(
            self.schema,
            {name: s.take(index) for name, s in self.samples.items()},
            start_s=self.start_s[index],
            duration_s=self.duration_s[index],
            subjects=self.subjects[index],
            sources=self.sources[index],
            ids=self.ids[index],
            labels=None if self.labels is None else self.labels[index],
            present=self.present[index],
        )

    def __iter__(self) -> Iterator[Windows]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Windows(n={len(self)}, modalities={', '.join(self.schema.names)})"

    def replace(self, **changes: Any) -> Windows:
        """A copy with some fields changed; with other samples presence is found anew or given."""
        fields: dict[str, Any] = {
            "start_s": self.start_s,
            "duration_s": self.duration_s,
            "subjects": self.subjects,
            "sources": self.sources,
            "ids": self.ids,
            "labels": self.labels,
        }
        if "samples" not in changes and "schema" not in changes:
            fields["present"] = self.present
        samples = changes.pop("samples", self.samples)
        return Windows(changes.pop("schema", self.schema), samples, **(fields | changes))

    def describe(self, i: int) -> str:
        """Name window i for an error message."""
        return f"window {i} ({self.sources[i] or 'array'}, {self.start_s[i]:g} s)"

    @classmethod
    def from_arrays(
        cls,
        X: Mapping[str, ArrayLike | Sequence[ArrayLike | None]] | ArrayLike,
        modalities: Sequence[Modality] | Schema | None = None,
        *,
        times: Mapping[str, Sequence[ArrayLike]] | None = None,
        duration_s: float | ArrayLike | None = None,
        labels: ArrayLike | None = None,
        subjects: ArrayLike | None = None,
    ) -> Windows:
        """Windows from arrays in memory.

        Parameters
        ----------
        X : dict of name to array (n, T, C) or (n, T), or to a list of n arrays (T_i, C) or None;
            or one array (n, T, C) or (n, T), which is one modality named ``"x"``
            NaN or an absent key is missing; infinities are refused with their position.
        modalities : sequence of Modality, optional
            Needed for a dict; sorted by name.
        times : dict of name to list of n arrays (T_i,), optional
            Seconds from the window's begin, for irregular sensors; never decreasing.
        duration_s : float or (n,), optional
            Window length; by default samples / rate of the longest regular modality.
        labels, subjects : array-like (n,), optional
        """
        from maestro_ts.signals.arrays import windows_from_arrays

        return windows_from_arrays(
            X, modalities, times=times, duration_s=duration_s, labels=labels, subjects=subjects
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Windows]) -> Windows:
        """Windows of several parts with the same schema, in order."""
        if not parts:
            raise DataError("No windows to concatenate.")
        schema = parts[0].schema
        if any(p.schema != schema for p in parts):
            raise DataError("Windows of different schemas cannot be joined.")
        samples = {}
        for name in schema.names:
            samples[name] = _joined([p.samples[name] for p in parts])
        labelled = [p.labels for p in parts if p.labels is not None]
        return cls(
            schema,
            samples,
            start_s=np.concatenate([p.start_s for p in parts]),
            duration_s=np.concatenate([p.duration_s for p in parts]),
            subjects=np.concatenate([p.subjects for p in parts]),
            sources=np.concatenate([p.sources for p in parts]),
            ids=np.concatenate([p.ids for p in parts]),
            labels=np.concatenate(labelled) if len(labelled) == len(parts) else None,
            present=np.concatenate([p.present for p in parts]),
        )

    def select(self, names: Sequence[str]) -> Windows:
        """Only these modalities (another schema)."""
        for name in names:
            self.schema.index(name)
        keep = Schema(m for m in self.schema if m.name in set(names))
        return self.replace(
            schema=keep,
            samples={n: self.samples[n] for n in keep.names},
            present=self.present[:, [self.schema.index(n) for n in keep.names]],
        )

    def with_schema(self, schema: Schema) -> Windows:
        """The same windows in the order of a model's schema; modalities it lacks are absent.

        Raises
        ------
        DataError
            When a modality is unknown to the schema or disagrees in channels or rate.
        """
        if self.schema == schema:
            return self
        samples = {}
        for m in self.schema:
            if m.name not in schema:
                raise DataError(f"unknown modality {m.name!r}.", fix=nearest(m.name, schema.names))
            known = schema[m.name]
            if m.channels != known.channels:
                raise DataError(
                    f"{m.channels} channels, the model was fitted on {known.channels}.",
                    where=f"modality {m.name!r}",
                )
            if m.rate_hz != known.rate_hz:
                raise DataError(
                    f"rate {m.rate_hz} Hz, the model was fitted on {known.rate_hz} Hz.",
                    where=f"modality {m.name!r}",
                )
        present = np.zeros((len(self), len(schema)), dtype=bool)
        for column, known in enumerate(schema):
            samples[known.name] = self.samples.get(known.name) or absent(known, len(self))
            if known.name in self.schema:
                present[:, column] = self.present[:, self.schema.index(known.name)]
        return self.replace(schema=schema, samples=samples, present=present)


def _joined(pieces: Sequence[Samples]) -> Samples:
    """One modality's samples of several parts; those of one store stay in it."""
    one = all(p.values is pieces[0].values and p.times is pieces[0].times for p in pieces)
    shift = np.zeros(len(pieces), dtype=np.int64)
    values, times = pieces[0].values, pieces[0].times
    if not one:
        pieces = [p if isinstance(p.values, np.ndarray) else p.loaded() for p in pieces]
        if any(p.times is not None for p in pieces):
            pieces = [p.timed() for p in pieces]
        shift = np.cumsum([0] + [len(p.values) for p in pieces[:-1]])
        values = np.concatenate([p.values for p in pieces])
        stamps = [p.times for p in pieces if p.times is not None]
        times = np.concatenate(stamps) if stamps else None
    return Samples(
        values=values,
        starts=np.concatenate([p.starts + s for p, s in zip(pieces, shift, strict=True)]),
        lengths=np.concatenate([p.lengths for p in pieces]),
        times=times,
        origins_s=np.concatenate([p.origins_s for p in pieces]),
        rate_hz=pieces[0].rate_hz,
    )


def absent(modality: Modality, n: int) -> Samples:
    """A modality that no window has."""
    zero = np.zeros(n, dtype=np.int64)
    return Samples(
        values=np.zeros((0, modality.channels), dtype=np.float32),
        starts=zero,
        lengths=zero,
        times=None if modality.rate_hz is not None or modality.static else np.zeros(0),
        origins_s=np.zeros(n),
        rate_hz=modality.rate_hz,
    )

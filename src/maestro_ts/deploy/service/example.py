"""A recording to try a run with, if its data set comes with a package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maestro_ts.errors import MaestroError
from maestro_ts.signals.datasets import DATASETS, card, read
from maestro_ts.signals.modality import Schema
from maestro_ts.signals.recording import Interval, Recording
from maestro_ts.training.run import Run

__all__ = ["Example", "example_of"]

PIECE_S = 16.0  # of each recording: enough to see a class, few enough to draw
MOST = 8  # recordings


@dataclass(frozen=True)
class Example:
    """Pieces of recordings of one test subject, one class after the other.

    Attributes
    ----------
    title : str
    body : dict
        As of `messages.PredictBody`.
    labels : tuple of Interval
        What is true of it.
    """

    title: str
    body: dict[str, Any]
    labels: tuple[Interval, ...]


def example_of(folder: Path, inputs: Schema) -> Example | None:
    """Of the first test subject of the run; None where its data is not at hand."""
    stored: dict[str, Any] = json.loads(Run(folder).schema.read_text())
    name, subjects = stored.get("dataset"), stored.get("subjects_test")
    if name not in DATASETS or not card(name).package or not subjects:
        return None
    try:
        recordings = read(name, None).recordings
    except MaestroError:  # the package is not installed
        return None
    pieces: dict[str, Recording] = {}
    for recording in recordings:
        if recording.subject == subjects[0] and recording.labels:
            pieces.setdefault(recording.labels[0].label, recording)
    chosen = list(pieces.values())[:MOST]
    if not chosen or any(
        m.rate_hz is None or m.name not in r.streams or r.streams[m.name].times is not None
        for m in inputs
        for r in chosen
    ):
        return None
    return _joined(chosen, inputs, f"{card(name).title}: {subjects[0]}")


def _joined(recordings: list[Recording], inputs: Schema, title: str) -> Example:
    """One piece of each recording, in one recording."""
    lengths_s = [min(r.duration_s, PIECE_S) for r in recordings]
    ends_s = np.cumsum(lengths_s)
    streams = {}
    for modality in inputs:
        assert modality.rate_hz is not None
        parts = [
            r.streams[modality.name].values[: round(s * modality.rate_hz)]
            for r, s in zip(recordings, lengths_s, strict=True)
        ]
        streams[modality.name] = {
            "rate_hz": modality.rate_hz,
            "values": _plain(np.concatenate(parts)),
        }
    labels = tuple(
        Interval(float(end - length), float(end), r.labels[0].label)
        for r, length, end in zip(recordings, lengths_s, ends_s, strict=True)
    )
    subject = recordings[0].subject
    body = {"recordings": [{"name": title, "subject": subject, "streams": streams}]}
    return Example(title, body, labels)


def _plain(values: NDArray[np.float32]) -> list[list[float | None]]:
    return [[None if v != v else float(f"{v:.7g}") for v in row] for row in values.tolist()]

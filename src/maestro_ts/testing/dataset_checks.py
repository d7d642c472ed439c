"""Checks of a reader of a data set: its card, what it returns, and what it refuses."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np

from maestro_ts.errors import MaestroError
from maestro_ts.signals.cut import cut
from maestro_ts.signals.datasets import card, read
from maestro_ts.signals.datasets.card import Card, Reading
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.recording import Recording, Stream

__all__ = ["DatasetCase"]

HAIR_S = 1e-6


@dataclass
class DatasetCase:
    """A registered data set and a small copy of its files; None for one that needs no files."""

    name: str
    path: Path | None

    @property
    def card(self) -> Card:
        """Its card."""
        return card(self.name)

    @cached_property
    def reading(self) -> Reading:
        """What reading the files gave, once."""
        return read(self.name, self.path)


def check_card(case: DatasetCase) -> None:
    """D1: the card says everything, under the name that commands use."""
    about = case.card
    assert about.name == case.name, f"the card's name is {about.name!r}"
    silent = [
        field.name
        for field in fields(about)
        if field.type == "str" and field.name not in ("positive", "package", "page")
        if not str(getattr(about, field.name)).strip()
    ]
    assert not silent, f"the card says nothing of {', '.join(silent)}"
    assert len(set(about.classes)) == len(about.classes), "a class is named twice"
    assert not about.positive or about.positive in about.classes, "the positive class is no class"
    assert about.subjects > 0, "no subjects"
    for download in about.downloads:
        assert download.url.startswith("https://"), f"{download.url} is not https"
        assert Path(download.file).name == download.file, f"{download.file!r} is no file name"
    files = [download.file for download in about.downloads]
    assert len(set(files)) == len(files), "two downloads have one name"
    assert len(files) != 1 or files[0].endswith(".zip"), "a single download is no zip archive"
    assert not files or about.page, "downloads without the owners' page"


def check_recordings(case: DatasetCase) -> None:
    """D2: every recording has a subject, a source of its own and the card's clock."""
    recordings = case.reading.recordings
    assert recordings, "nothing was read"
    sources = [r.source for r in recordings]
    twice = sorted({s for s in sources if sources.count(s) > 1})
    assert not twice, f"several recordings come from {twice[0]}"
    for r in recordings:
        assert r.subject, f"{r.source} has no subject"
        assert r.clock == case.card.clock, f"{r.source} has the clock {r.clock}"


def check_streams(case: DatasetCase) -> None:
    """D3: streams are as the schema says, and lie within their recording."""
    schema = case.reading.schema or case.card.schema
    for r in case.reading.recordings:
        for name, stream in r.streams.items():
            assert name in schema, f"{r.source} has {name!r}, which the schema lacks"
            _check_stream(stream, schema[name], r)


def _check_stream(stream: Stream, modality: Modality, recording: Recording) -> None:
    where = f"{modality.name} of {recording.source}"
    assert stream.values.dtype == np.float32, f"{where} is {stream.values.dtype}"
    assert stream.values.shape[1] == modality.channels, f"{where} has other channels"
    assert len(stream.values), f"{where} is empty: a sensor that is not there is left out"
    if modality.static:
        assert len(stream.values) == 1, f"{where} is static and has {len(stream.values)} samples"
        return
    if modality.rate_hz is None:
        assert stream.times is not None, f"{where} is irregular and has no times"
    elif stream.times is None:
        assert stream.rate_hz == modality.rate_hz, f"{where} has {stream.rate_hz} Hz"
    times = stream.sample_times()
    assert times[0] >= -HAIR_S or (times < recording.duration_s).any(), f"{where} lies outside"
    assert times[0] <= recording.duration_s + HAIR_S, f"{where} begins after the end"


def check_labels(case: DatasetCase) -> None:
    """D4: labels are the card's classes and lie within their recording."""
    for r in case.reading.recordings:
        assert r.labels, f"{r.source} has no label"
        for label in r.labels:
            known = not case.card.classes or label.label in case.card.classes
            assert known, f"{r.source}: the card has no class {label.label!r}"
            inside = -HAIR_S <= label.start_s < label.end_s <= r.duration_s + HAIR_S
            assert inside, f"{r.source}: a label from {label.start_s} to {label.end_s} s"


def check_windows(case: DatasetCase) -> None:
    """D5: the card's windows can be cut, all labelled, each with an identity of its own."""
    schema = case.reading.schema or case.card.schema
    windows = cut(case.reading.recordings, schema, case.card.windows)
    assert windows.labels is not None, "windows without labels"
    assert len(set(windows.ids.tolist())) == len(windows), "two windows have one identity"
    assert windows.present.any(axis=1).all(), "a window without any sensor"


def check_repeatable(case: DatasetCase) -> None:
    """D6: reading twice gives the same, in the same order, and reports its progress."""
    calls: list[tuple[int, int]] = []
    again = read(case.name, case.path, lambda done, total: calls.append((done, total)))
    assert calls, "no progress was reported"
    assert calls[-1][0] == calls[-1][1], f"the progress ends at {calls[-1]}"
    assert len(again.recordings) == len(case.reading.recordings), "another number of recordings"
    for old, new in zip(case.reading.recordings, again.recordings, strict=True):
        assert (old.source, old.subject, old.labels) == (new.source, new.subject, new.labels)
        assert list(old.streams) == list(new.streams), f"{old.source} has other streams"
        for name, stream in old.streams.items():
            same = np.array_equal(stream.values, new.streams[name].values, equal_nan=True)
            assert same, f"{name} of {old.source} has other values"


def check_refusals(case: DatasetCase) -> None:
    """D7: a path that leads nowhere, and an empty folder, are one clear error each."""
    if case.path is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        for path in (Path(folder) / "nowhere", Path(folder)):
            _must_refuse(case.name, path)


def check_damage(case: DatasetCase) -> None:
    """D8: an archive cut short anywhere is an error or a refusal by name, never a traceback."""
    if case.path is None or not case.path.is_file():
        return
    whole = case.path.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        for share in (0.0, 0.3, 0.7, 0.99):
            path = Path(folder) / case.path.name
            path.write_bytes(whole[: int(share * len(whole))])
            _must_refuse(case.name, path)


def _must_refuse(name: str, path: Path) -> None:
    try:
        reading = read(name, path)
    except MaestroError:
        return
    assert reading.refused, f"{path.name} was read without a word"

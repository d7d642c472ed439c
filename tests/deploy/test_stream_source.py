"""From a source to answers: time while nothing comes, notes, the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from live_streams import SPEC, recording

from maestro_ts.deploy.replay import Replay
from maestro_ts.deploy.stream_classifier import StreamClassifier
from maestro_ts.deploy.stream_source import Chunk, run_stream


class Script:
    """Chunks and moments without any; the clock shows what each step says."""

    def __init__(self, *steps: tuple[float, Chunk | None, bool]) -> None:
        self.steps, self.now_s, self.connected, self.closed = steps, 0.0, True, False

    def __iter__(self) -> Iterator[Chunk | None]:
        for now_s, chunk, connected in self.steps:
            self.now_s, self.connected = now_s, connected
            yield chunk

    def clock(self) -> float:
        return self.now_s

    def metrics(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        self.closed = True


def ecg(begin_s: float, end_s: float) -> Chunk:
    times = np.arange(round(begin_s * 50), round(end_s * 50)) / 50
    return Chunk("ecg", times, np.ones((len(times), 2), np.float32))


def answers(model: Any, source: Script, notes: list[str] | None = None) -> list[float]:
    stream = StreamClassifier(model, windows=SPEC, start_s=0.0, timeout_s=2.0)
    told = [] if notes is None else notes
    given = run_stream(stream, source, note=told.append, clock=source.clock)
    return [r.start_s for r in given]


def test_time_passes_while_nothing_comes(live_model):
    source = Script((0, ecg(0, 6), True), (1, None, True), (2.2, None, True), (10, None, True))
    notes: list[str] = []
    # 5.98 s and 10 s more; the end is that of the samples.
    assert answers(live_model, source, notes) == [0.0, 2.0, 4.0, 6.0]
    assert source.closed
    assert "ecg: silent; it is missing until samples come." in notes


def test_time_stands_still_while_the_source_is_away(live_model):
    away = [(float(s), None, False) for s in range(1, 60)]
    source = Script((0, ecg(0, 6), True), *away, (60, None, True), (60.1, ecg(6, 9), True))
    assert answers(live_model, source) == [0.0]


def test_refused_samples_do_not_end_the_stream_and_are_told_once(live_model):
    wrong = Chunk("ecg", np.zeros(1), np.zeros((1, 5), np.float32))
    notes: list[str] = []
    source = Script((0, wrong, True), (0, wrong, True), (0, ecg(0, 9), True))
    assert answers(live_model, source, notes) == [0.0]
    assert len([n for n in notes if n.startswith("refused: modality 'ecg'")]) == 1


def test_sensors_that_come_again_are_told_of(live_model):
    acc = Chunk("acc", np.arange(32 * 9) / 32, np.ones((288, 3), np.float32))
    notes: list[str] = []
    answers(live_model, Script((0, ecg(0, 9), True), (0, acc, True)), notes)
    assert "acc: silent; it is missing until samples come." in notes
    assert "acc: samples come again." in notes


def test_a_stream_can_be_stopped_before_its_source_ends(live_model):
    stream = StreamClassifier(live_model, windows=SPEC, start_s=0.0)
    given = run_stream(
        stream, Replay(recording(7)), end_s=40.0, stop=lambda: (stream.now_s or 0) > 11
    )
    assert [r.start_s for r in given] == [0.0, 2.0]


def test_a_replay_gives_every_sample_once_and_in_order():
    taken = recording(7)
    chunks: dict[str, list[Chunk]] = {}
    for chunk in Replay(taken, chunk_s=0.3):
        assert isinstance(chunk, Chunk)
        chunks.setdefault(chunk.modality, []).append(chunk)
    assert chunks.keys() == taken.streams.keys()
    for name, stream in taken.streams.items():
        times = np.concatenate([c.times for c in chunks[name]])
        assert np.array_equal(times, stream.sample_times())
        values = np.concatenate([c.values for c in chunks[name]])
        assert np.array_equal(values, stream.values, equal_nan=True)

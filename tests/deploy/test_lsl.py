"""Samples through real outlets of Lab Streaming Layer, of which one dies in the middle."""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from live_streams import SENSORS, SPEC

from maestro_ts.deploy.lsl import Lsl
from maestro_ts.deploy.stream_classifier import StreamClassifier
from maestro_ts.deploy.stream_source import run_stream
from maestro_ts.errors import MissingExtraError

NEEDS_LSL = pytest.mark.skipif(
    find_spec("pylsl") is None, reason="not run: the extra 'stream' (pylsl) is not installed"
)
LONG_S = 120.0


def outlet(name: str, channels: int, rate_hz: float, source_id: str = "") -> Any:
    import pylsl

    info = pylsl.StreamInfo(name, "test", channels, rate_hz, "float32", source_id)
    return pylsl.StreamOutlet(info)


@NEEDS_LSL
def test_streams_that_stop_and_come_again(live_model):
    """Time is that of the samples' stamps, so two seconds of it take no two seconds."""
    import pylsl

    begun = pylsl.local_clock()
    ecg = outlet("ecg", 2, 50.0, "chest-1")
    eda = outlet("eda", 1, 4.0)
    odd = outlet("acc", 4, 32.0)
    source = Lsl(SENSORS)
    stream = StreamClassifier(
        live_model, windows=SPEC, start_s=begun, tolerance_s=0.0, timeout_s=600.0
    )
    at_s, stage, end = 0.0, 0, time.monotonic() + LONG_S

    def send(seconds: int) -> None:
        nonlocal at_s
        for _ in range(seconds):
            at_s += 1.0
            if ecg is not None:
                ecg.push_chunk(np.full((50, 2), at_s, np.float32).tolist(), begun + at_s)
            if eda is not None:
                eda.push_chunk(np.full((4, 1), at_s, np.float32).tolist(), begun + at_s)

    def play() -> bool:
        nonlocal ecg, eda, stage
        assert time.monotonic() < end
        counts = stream.metrics().sensors
        open_ = source.metrics()["open"]
        there = [o is not None and o.have_consumers() for o in (ecg, eda)]
        if stage == 0 and open_ == ["ecg", "eda"] and all(there):
            send(10)
            stage = 1
        elif stage == 1 and (counts["ecg"].accepted, counts["eda"].accepted) == (500, 40):
            ecg = eda = None
            stage = 2
        elif stage == 2 and "eda" not in open_:
            ecg, eda = outlet("ecg", 2, 50.0, "chest-1"), outlet("eda", 1, 4.0)
            stage = 3
        elif stage == 3 and all(there):
            send(10)
            stage = 4
        return stage == 4 and (counts["ecg"].accepted, counts["eda"].accepted) == (1000, 80)

    found = list(run_stream(stream, source, stop=play))
    assert [r.start_s - begun for r in found] == pytest.approx([0, 2, 4, 6, 8, 10, 12], abs=1e-6)
    assert all(r.present["ecg"] and r.present["eda"] and not r.present["acc"] for r in found)
    told = source.metrics()
    assert told["reconnects"]["eda"] == 1
    assert told["reconnects"]["ecg"] <= 1  # known by its source: LSL may have found it again itself
    assert "4 channels, the model has 3" in told["refused"]["acc"]
    del odd


@NEEDS_LSL
def test_what_is_not_the_modality_is_not_opened():
    import pylsl

    source = Lsl(SENSORS)

    def why(*given: Any) -> str:
        return source._unlike(SENSORS["ecg"], pylsl.StreamInfo("ecg", "test", *given))

    assert why(2, 50.0, "float32", "") == ""
    assert why(2, 50.2, "double64", "") == ""
    assert why(2, 0.0, "float32", "") == ""  # of no rate, its times tell
    assert "250 Hz" in why(2, 250.0, "float32", "")
    assert "text" in why(2, 50.0, "string", "")
    assert "3 channels" in why(3, 50.0, "float32", "")


def test_the_extra_is_named_where_it_lacks(monkeypatch):
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(MissingExtraError, match=r"maestro-ts\[stream\]"):
        Lsl(SENSORS)

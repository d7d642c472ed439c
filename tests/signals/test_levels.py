"""Level and spread of channels."""

from __future__ import annotations

import numpy as np
import pytest
from faulty_windows import faulty_windows

from maestro_ts.signals import windows as windows_module
from maestro_ts.signals.levels import Levels
from maestro_ts.signals.windows import Windows


@pytest.mark.parametrize("chunk_rows", [2**20, 100])
def test_they_are_those_of_all_valid_samples(chunk_rows, monkeypatch) -> None:
    monkeypatch.setattr(windows_module, "CHUNK_ROWS", chunk_rows)
    windows = faulty_windows()
    found = Levels.of(windows)
    for name in windows.schema.names:
        values = windows.samples[name].read().astype(np.float64)
        assert found.mean[name] == pytest.approx(np.nanmean(values, axis=0), abs=1e-12)
        assert found.deviation[name] == pytest.approx(np.nanstd(values, axis=0), rel=1e-9)


def test_a_channel_without_any_sample_has_none() -> None:
    found = Levels.of(Windows.from_arrays(np.full((3, 4, 1), np.nan)))
    assert found.mean["x"].tolist() == found.deviation["x"].tolist() == [0.0]

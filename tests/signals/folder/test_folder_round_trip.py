"""Whatever is written comes back: random streams in both formats."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn
from own_data import write_csv, write_parquet, write_schema

from maestro_ts.signals.folder import read_folder

VALUES = st.floats(width=32, allow_infinity=False, allow_nan=True)
STEPS = st.integers(0, 10_000)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@given(data=st.data())
def test_random_streams_come_back(ending: str, data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 30), st.integers(1, 3)))
    values = data.draw(hn.arrays(np.float32, shape, elements=VALUES))
    ticks = np.cumsum(data.draw(st.lists(STEPS, min_size=shape[0], max_size=shape[0])))
    labels = data.draw(
        st.lists(st.sampled_from(["", "walk", "a b", "ü"]), min_size=shape[0], max_size=shape[0])
    )
    names = [f"c{i}" for i in range(shape[1])]
    columns = {n: values[:, i].astype(np.float64).tolist() for i, n in enumerate(names)}
    columns |= {"t": ticks.tolist(), "label": labels}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write = write_csv if ending == "csv" else write_parquet
        write(folder / f"S1.{ending}", columns)
        acc = {
            "file": f"{{subject}}.{ending}",
            "columns": names,
            "time": {"column": "t", "unit": "ms"},
        }
        tree = {"format": 1, "modalities": {"acc": acc}, "labels": {"from": "column"}}
        write_schema(folder, tree | {"windows": {"duration_s": 1}})
        (recording,) = read_folder(folder).reading.recordings
    stream = recording.streams["acc"]
    np.testing.assert_array_equal(stream.values, values)
    np.testing.assert_array_equal(stream.times, ticks / 1000)
    said = np.full(shape[0], "", dtype=object)
    edges = np.append(ticks / 1000, stream.end_s)
    starts, ends = edges[:-1], edges[1:]
    for interval in recording.labels:
        # Samples at one time with several labels: the interval of each but the last is empty.
        inside = (starts >= interval.start_s) & (ends <= interval.end_s)
        said[inside & (np.array(labels, dtype=object) == interval.label)] = interval.label
    assert said.tolist() == labels

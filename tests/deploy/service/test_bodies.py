"""Every form of one recording is the same recording; everything else is refused by name."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestro_ts.deploy.service.bodies import ARROW, JSON, MEDIA_TYPES, read_body
from maestro_ts.deploy.service.served import ServedRun

ARROW_FILE, PARQUET, CSV = (
    "application/vnd.apache.arrow.file",
    "application/vnd.apache.parquet",
    "text/csv",
)
Body = Callable[..., dict[str, Any]]


def long_table(body: dict[str, Any]) -> pa.Table:
    """The first recording as a long table, rows of its modalities mixed."""
    rows: list[dict[str, Any]] = []
    for name, stream in body["recordings"][0]["streams"].items():
        for i, row in enumerate(stream["values"]):
            values = row if isinstance(row, list) else [row]
            times = stream.get("times")
            at = times[i] if times else i / stream.get("rate_hz", 1.0)
            found = {"modality": name, "time_s": at, "subject": "S1"}
            found |= {f"c{c + 1}": v for c, v in enumerate(values)}
            rows.append({"c1": None, "c2": None, "c3": None} | found)
    return pa.Table.from_pylist(sorted(rows, key=lambda r: r["time_s"]))


def packed(table: pa.Table, kind: str, **options: Any) -> bytes:
    sink = io.BytesIO()
    if kind == PARQUET:
        pq.write_table(table, sink)
    elif kind == CSV:
        pyarrow.csv.write_csv(table, sink)
    else:
        new = pa.ipc.new_file if kind == ARROW_FILE else pa.ipc.new_stream
        with new(sink, table.schema, **options) as writer:
            writer.write_table(table, max_chunksize=50)
    return sink.getvalue()


def post(client: TestClient, content: bytes, kind: str, **query: Any) -> Any:
    return client.post("/v1/predict", content=content, headers={"Content-Type": kind}, params=query)


@pytest.mark.parametrize("kind", [ARROW, ARROW_FILE, PARQUET, CSV])
def test_a_table_is_the_recording_of_the_json(run: ServedRun, body: Body, kind: str) -> None:
    plain = read_body(json.dumps(body()).encode(), JSON, run.inputs).recordings[0]
    found = read_body(packed(long_table(body()), kind), kind, run.inputs).recordings[0]
    assert found.streams.keys() == plain.streams.keys()
    for name, stream in plain.streams.items():
        np.testing.assert_array_equal(found.streams[name].values, stream.values)
        assert found.streams[name].rate_hz == stream.rate_hz
        assert (found.streams[name].times is None) == (stream.times is None)
        np.testing.assert_allclose(
            found.streams[name].sample_times(), stream.sample_times(), atol=1e-9
        )
    assert found.subject == "S1"


def test_a_table_of_several_recordings(run: ServedRun, body: Body) -> None:
    table = long_table(body())
    n = table.num_rows
    both = pa.concat_tables(
        [
            table.append_column("recording", pa.array([name] * n).dictionary_encode())
            for name in ("b", "a")
        ],
        promote_options="permissive",
    )
    asked = read_body(packed(both, PARQUET), PARQUET, run.inputs)
    assert asked.names == ["b", "a"]
    one, other = asked.recordings
    assert one.source != other.source
    np.testing.assert_array_equal(one.streams["acc"].values, other.streams["acc"].values)


def test_half_precision_is_read(run: ServedRun) -> None:
    values = np.linspace(0, 1, 20).astype(np.float16)
    table = pa.table({"modality": ["eda"] * 20, "time_s": np.arange(20) / 4, "c1": values})
    for kind in (ARROW, PARQUET):
        (found,) = read_body(packed(table, kind), kind, run.inputs).recordings
        np.testing.assert_array_equal(found.streams["eda"].values[:, 0], values.astype(np.float32))


def test_too_many_recordings_in_a_table_are_refused(client: TestClient) -> None:
    names = [str(i) for i in range(1001)]
    table = pa.table(
        {"recording": names, "modality": ["eda"] * 1001, "time_s": [0.0] * 1001, "c1": [1.0] * 1001}
    )
    answer = post(client, packed(table, PARQUET), PARQUET)
    assert (answer.status_code, "1001 recordings" in answer.text) == (422, True)


def test_a_stream_with_a_gap_keeps_its_times(run: ServedRun) -> None:
    times = np.delete(np.arange(160) / 16, 20)
    table = pa.table(
        {"modality": ["acc"] * 159, "time_s": times} | {f"c{c}": np.zeros(159) for c in (1, 2, 3)}
    )
    stream = read_body(packed(table, CSV), CSV, run.inputs).recordings[0].streams["acc"]
    assert stream.times is not None
    np.testing.assert_allclose(stream.times, times)


STREAM = {"rate_hz": 16.0, "values": [[0.0, 0.0, 0.0]] * 80}


def streams(**given: Any) -> bytes:
    return json.dumps({"recordings": [{"streams": given}]}).encode()


COLUMNS = "modality,time_s,c1,c2,c3\n"
BAD = {
    "no media type": (b"{}", "", 415, "no media type"),
    "another media type": (b"<a/>", "application/xml", 415, "'application/xml'"),
    "empty": (b"", JSON, 400, "empty"),
    "no JSON": (b"{", JSON, 400, "no JSON"),
    "no UTF-8": (b'{"recordings": "\xff"}', JSON, 400, "no JSON"),
    "a list": (b"[]", JSON, 422, "body"),
    "no recordings": (b'{"recordings": []}', JSON, 422, "body.recordings"),
    "unknown key": (b'{"recordings": [], "of": []}', JSON, 422, "of"),
    "no streams": (streams(), JSON, 422, "streams"),
    "unknown modality": (streams(ac=STREAM), JSON, 422, "Did you mean 'acc'"),
    "text": (streams(acc=STREAM | {"values": [["1", 2, 3]]}), JSON, 422, "acc.values.0.0"),
    "true": (streams(acc=STREAM | {"values": [[True, 2, 3]]}), JSON, 422, "streams.acc"),
    "ragged": (streams(acc=STREAM | {"values": [[1, 2], [1, 2, 3]]}), JSON, 422, "2 and of 3"),
    "no values": (streams(acc=STREAM | {"values": []}), JSON, 422, "no values"),
    "no channels": (streams(acc=STREAM | {"values": [[], []]}), JSON, 422, "no values"),
    "channels": (streams(acc=STREAM | {"values": [[1, 2]] * 80}), JSON, 422, "3 expected"),
    "rate": (streams(acc=STREAM | {"rate_hz": 20}), JSON, 422, "16.0 Hz expected"),
    "rate 0": (streams(acc=STREAM | {"rate_hz": 0}), JSON, 422, "rate_hz"),
    "no time": (streams(acc={"values": STREAM["values"]}), JSON, 422, "rate_hz or times"),
    "both times": (streams(acc=STREAM | {"times": [0.0] * 80}), JSON, 422, "only one"),
    "times back": (streams(steps={"times": [1, 0], "values": [1, 2]}), JSON, 422, "decrease"),
    "times short": (streams(steps={"times": [1], "values": [1, 2]}), JSON, 422, "1"),
    "infinity": (b'{"recordings":[{"streams":{"eda":{"rate_hz":4,"values":[1e999]}}}]}',
                 JSON, 422, "infinite"),
    "too large": (streams(eda={"rate_hz": 4, "values": [1e39]}), JSON, 422, "infinite"),
    "too short": (streams(eda={"rate_hz": 4, "values": [1]}), JSON, 422, "No window"),
    "far": (streams(eda={"rate_hz": 4, "start_s": 1e12, "values": [1]}), JSON, 422, "at once"),
    "static series": (streams(age={"values": [[1], [2]]}), JSON, 422, "one row"),
    "static alone": (streams(age={"values": [41]}), JSON, 422, "covers no time"),
    "before 0 s": (streams(eda=STREAM | {"rate_hz": 4, "start_s": -99, "values": [1, 2]}),
                   JSON, 422, "covers no time"),
    "a million texts": (streams(eda={"rate_hz": 4, "values": ["a"] * 10**6}), JSON, 422,
                        "valid number"),
    "many keys": (streams(eda={f"k{i}": i for i in range(2000)}), JSON, 422, "things do not fit"),
    "digits": (b'{"recordings":[{"streams":{"eda":{"rate_hz":4,"values":[' + b"9" * 5000
               + b"]}}}]}", JSON, 400, "no JSON"),
    "off": (json.dumps({"recordings": [{"streams": {"acc": STREAM}}], "off": ["eta"]}).encode(),
            JSON, 422, "Did you mean 'eda'"),
    "no Arrow": (b"ARROW1", ARROW, 400, "no Arrow table"),
    "no Parquet": (b"PAR1PAR1", PARQUET, 400, "no Parquet table"),
    "CSV without a column": (b"modality,time_s\nacc,0\n", CSV, 422, "no column 'c1'"),
    "CSV with another": (b"modality,time_s,c1,z\nacc,0,1,2\n", CSV, 422, "unknown column 'z'"),
    "CSV of texts": (b"modality,time_s,c1\nacc,0,high\n", CSV, 400, "no CSV table"),
    "CSV of a header": (COLUMNS.encode(), CSV, 422, "no rows"),
    "CSV modality": (f"{COLUMNS}acc2,0,1,2,3\n".encode(), CSV, 422, "unknown modality"),
    "CSV channels": (f"{COLUMNS}eda,0,1,2,3\n".encode(), CSV, 422, "has values in 'c"),
    "CSV few channels": (b"modality,time_s,c1\nacc,0,1\n", CSV, 422, "no column 'c2'"),
    "CSV no time": (f"{COLUMNS}acc,,1,2,3\n".encode(), CSV, 422, "not finite"),
    "CSV subjects": (b"modality,time_s,c1,subject\neda,0,1,a\neda,1,1,b\n", CSV, 422,
                     "2 subjects"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_body_is_one_clear_refusal(client: TestClient, name: str) -> None:
    content, kind, status, said = BAD[name]
    answer = post(client, content, kind)
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert problem.keys() == {"what", "where", "fix"}
    assert said in " ".join(problem.values())
    assert client.get("/metrics").text.count("maestro_ts_accepted_total 0.0") == 1


def test_tables_that_unpack_to_more_than_they_are_are_refused(client: TestClient) -> None:
    n = 4_000_001
    zeros = pa.array(np.zeros(n, np.int8))
    names = pa.DictionaryArray.from_arrays(zeros, ["eda"])
    table = pa.table({"modality": names, "time_s": zeros, "c1": zeros})
    small = packed(table, PARQUET)
    assert len(small) < 100_000
    answer = post(client, small, PARQUET)
    assert (answer.status_code, "4,000,000 rows" in answer.text) == (422, True)
    squeezed = packed(table[:100], ARROW, options=pa.ipc.IpcWriteOptions(compression="zstd"))
    answer = post(client, squeezed, ARROW)
    assert (answer.status_code, "compressed" in answer.text) == (400, True)


def test_an_arrow_body_with_wrong_offsets_is_refused(client: TestClient) -> None:
    """Arrow itself would read whatever lies there in memory."""
    table = pa.table({"modality": ["eda", "eda"], "time_s": [0.0, 1.0], "c1": [1.0, 2.0]})
    whole = packed(table, ARROW)
    right, wrong = (np.array([0, 3, end], np.int32).tobytes() for end in (6, 2**30))
    assert whole.count(right) == 1
    assert post(client, whole, ARROW).status_code == 422  # too short for a window
    answer = post(client, whole.replace(right, wrong), ARROW)
    assert (answer.status_code, "no Arrow table" in answer.text) == (400, True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(width=32) | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["recordings", "streams", "acc", "eda", "values", "rate_hz", "off"]
                ),
                inner,
                max_size=3,
            )
        ),
        max_leaves=8,
    ),
    st.sampled_from(["values", "times", "rate_hz", "start_s", "eda", "streams", "recordings"]),
)
def test_whatever_stands_in_a_body_it_is_answered_or_refused(
    client: TestClient, body: Body, tree: Any, where: str
) -> None:
    """A good body with something else in one place."""
    asked = body(6.0)
    stream = asked["recordings"][0]["streams"]["eda"]
    if where == "recordings":
        asked["recordings"] = tree
    elif where == "streams":
        asked["recordings"][0]["streams"] = tree
    elif where == "eda":
        asked["recordings"][0]["streams"]["eda"] = tree
    else:
        stream[where] = tree
    answer = post(client, json.dumps(asked).encode(), JSON)
    assert answer.status_code in (200, 400, 422), answer.text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.sampled_from(MEDIA_TYPES[1:]), st.integers(0, 10**6), st.binary(min_size=1, max_size=8))
def test_a_damaged_table_is_answered_or_refused(
    client: TestClient, body: Body, kind: str, at: int, damage: bytes
) -> None:
    whole = packed(long_table(body(5.0)), kind)
    at %= len(whole)
    answer = post(client, whole[:at] + damage + whole[at + len(damage) :], kind)
    assert answer.status_code in (200, 400, 422), answer.text
    assert post(client, whole[:at], kind).status_code in (200, 400, 422)

"""Samples through a real broker, which dies in the middle; and what is no samples."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_streams import SENSORS
from mosquitto import LONG_S, NEEDS_BROKER, Broker, until

from maestro_ts.deploy.mqtt import Mqtt, parse_payload
from maestro_ts.deploy.stream_source import Chunk, run_stream
from maestro_ts.errors import DataError, FormatError, MissingExtraError
from maestro_ts.experiments.stream_job import Timing, mqtt_stream


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    found = Broker(tmp_path)
    yield found
    found.kill()


@pytest.fixture
def sender(broker: Broker) -> Iterator[Any]:
    import paho.mqtt.client as mqtt

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "sensors", clean_session=False)
    client.reconnect_delay_set(1, 1)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def message(name: str, second: int) -> str:
    m = SENSORS[name]
    times = second + np.arange(int(m.rate_hz or 1)) / (m.rate_hz or 1)
    values = np.sin(times[:, None] * np.arange(1, m.channels + 1))
    return json.dumps({"times": times.tolist(), "values": values.tolist()})


@NEEDS_BROKER
def test_nothing_is_lost_when_the_broker_is_killed_in_the_middle(
    broker, sender, live_model, tmp_path
):
    live_model.save(tmp_path / "run")
    live = mqtt_stream(
        tmp_path / "run",
        Timing(stride_s=2.0, timeout_s=LONG_S),
        host="127.0.0.1",
        port=broker.port,
        prefix="maestro",
        client_id="test",
    )
    stream, source = live.classifier, live.source
    until(lambda: source.connected)
    sent, end = 0, time.monotonic() + LONG_S

    def send(until_s: int) -> None:
        nonlocal sent
        for second in range(sent, until_s):
            for name in ("acc", "ecg", "eda"):
                sender.publish(f"maestro/{name}", message(name, second), qos=1)
        sent = until_s

    def play() -> bool:
        """Asked after every chunk and moment: what happens next, and whether it is over."""
        assert time.monotonic() < end
        counts = stream.metrics().sensors
        taken = counts["acc"].accepted // 32, counts["ecg"].accepted // 50
        taken += (counts["eda"].accepted // 4,)
        if sent == 0:
            send(10)
        elif sent == 10 and taken == (10, 10, 10) and source.connected:
            broker.kill()
            send(15)
        elif sent == 15 and not source.connected:
            broker.start()
            send(20)
        return taken == (20, 20, 20)

    found = list(run_stream(stream, source, stop=play))
    assert [r.start_s for r in found] == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0]
    assert all(r.present["acc"] and r.present["ecg"] and r.present["eda"] for r in found)
    counts = stream.metrics().sensors
    assert [counts[n].accepted for n in ("acc", "ecg", "eda")] == [640, 1000, 80]
    assert all(c.late == c.dropped == c.rejected == 0 for c in counts.values())
    told = live.metrics()["source"]
    assert (told["reconnects"], told["broken"]) == (1, 0)


@NEEDS_BROKER
def test_what_was_not_taken_comes_again_after_the_program_was_killed(broker, sender):
    first = Mqtt(SENSORS, "127.0.0.1", broker.port)
    until(lambda: first.connected)
    sender.publish("maestro/acc", message("acc", 0), qos=1)
    sender.publish("maestro/acc", message("acc", 1), qos=1)
    chunks = (c for c in first if c is not None)
    assert next(chunks).times[0] == 0
    assert next(chunks).times[0] == 1  # which says that the first one was taken
    time.sleep(0.2)
    first._client.socket().close()  # as if the program were no more
    first._client.loop_stop()
    second = Mqtt(SENSORS, "127.0.0.1", broker.port)
    again = next(c for c in second if c is not None)
    assert again.times[0] == 1
    second.close()


@NEEDS_BROKER
def test_broken_and_repeated_messages_are_counted_and_skipped(broker, sender):
    source = Mqtt(SENSORS, "127.0.0.1", broker.port)
    until(lambda: source.connected)
    for topic, payload in [
        ("acc", "{"),
        ("acc", '{"times": [0], "values": [[1, 2]]}'),
        ("heart", message("ecg", 0)),
        ("ecg", message("ecg", 0)),
        ("ecg", message("ecg", 0)),
        ("eda", message("eda", 3)),
    ]:
        sender.publish(f"maestro/{topic}", payload, qos=1)
    chunks = []
    for chunk in source:
        chunks += [] if chunk is None else [chunk]
        if len(chunks) == 2:
            break
    source.close()
    assert [c.modality for c in chunks] == ["ecg", "eda"]
    told = source.metrics()
    assert (told["messages"], told["broken"], told["repeated"]) == (6, 3, 1)
    assert set(told["why_broken"]) == {"maestro/acc", "maestro/heart"}
    assert "3 channels" in told["why_broken"]["maestro/acc"]


@NEEDS_BROKER
def test_a_refused_subscription_is_told_and_is_no_connection(broker):
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.reasoncodes import ReasonCode

    source = Mqtt(SENSORS, "127.0.0.1", broker.port)
    until(lambda: source.connected)
    refused = ReasonCode(PacketTypes.SUBACK, "Not authorized")
    source._client.on_subscribe(source._client, None, 1, [refused], None)
    told = source.metrics()
    source.close()
    assert not told["connected"]
    assert told["why_broken"] == {"subscription": "Not authorized"}


@NEEDS_BROKER
def test_no_broker_is_one_clear_error():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DataError, match=f"127.0.0.1:{port}: no MQTT broker answers"):
        Mqtt(SENSORS, "127.0.0.1", port)


def test_a_payload_is_times_and_values():
    chunk = parse_payload("acc", 3, b'{"times": [0.5, 1], "values": [[1, 2, 3], [4, null, 6]]}')
    assert isinstance(chunk, Chunk)
    assert chunk.times.tolist() == [0.5, 1.0]
    assert np.array_equal(chunk.values, [[1, 2, 3], [4, np.nan, 6]], equal_nan=True)
    assert parse_payload("eda", 1, b'{"times": [1], "values": [2]}').values.shape == (1, 1)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"3",
        b'{"times": [0]}',
        b'{"times": [0], "values": [["a", 1, 2]]}',
        b'{"times": [0], "values": [[1, 2, 3], [4]]}',
        b'{"times": [0, 1], "values": [[1, 2, 3]]}',
        b'{"times": 0, "values": [[1, 2, 3]]}',
        b'{"times": {}, "values": {}}',
        b"[" * 100_000,
    ],
)
def test_a_payload_that_is_none_is_refused(payload):
    with pytest.raises(FormatError, match="acc: "):
        parse_payload("acc", 3, payload)


def test_the_extra_is_named_where_it_lacks(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "paho.mqtt.client", None)
    with pytest.raises(MissingExtraError, match=r"maestro-ts\[stream\]"):
        Mqtt(SENSORS)

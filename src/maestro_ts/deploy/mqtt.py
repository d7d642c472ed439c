"""An MQTT broker as a `StreamSource`: messages on ``PREFIX/MODALITY`` give samples.

A message is JSON, ``{"times": [t, …], "values": [[v, …], …]}``: seconds on the device's clock, one
row of values for each; null is a missing value.
"""

from __future__ import annotations

import hashlib
import json
import queue
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from maestro_ts.deploy.broker_access import Login, Tls
from maestro_ts.deploy.stream_source import Chunk
from maestro_ts.errors import DataError, FormatError, MissingExtraError, shown
from maestro_ts.signals.modality import Schema

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

__all__ = ["Mqtt", "parse_payload"]

WAIT_S = 0.1
QOS = 1  # at least once: what the broker took is delivered, if need be again
REMEMBERED = 4096  # messages that are known when they come again
LONGEST_WAIT_S = 15  # between attempts to reconnect
ANSWER_S = 15.0  # what takes a connection and says nothing for so long is no MQTT broker


class Mqtt:
    """Samples from a broker, which keeps them while this program or the connection is away.

    A message is acknowledged after its samples were taken, the session is kept by the broker
    (clean_session False, quality of service 1), and a message that comes twice is taken once.

    Parameters
    ----------
    schema : Schema
    host : str
    port : int
    prefix : str
        Topics are ``PREFIX/MODALITY``.
    client_id : str
        Names the session; each program that runs at the same time needs its own.
    login : Login, optional
        For a broker that asks who is there.
    tls : Tls, optional
        For a broker that listens with TLS.

    Raises
    ------
    ConfigError
        A certificate that cannot be read.
    DataError
        No broker answers there, it refuses the login, or its certificate is not trusted.
    MissingExtraError
        The extra ``stream`` is not installed.
    """

    def __init__(
        self,
        schema: Schema,
        host: str = "127.0.0.1",
        port: int = 1883,
        *,
        prefix: str = "maestro",
        client_id: str = "maestro-ts",
        login: Login | None = None,
        tls: Tls | None = None,
    ) -> None:
        self.schema, self.prefix = schema, prefix
        self.connected = False
        self._came: queue.SimpleQueue[tuple[int, MQTTMessage]] = queue.SimpleQueue()
        self._connections = 0
        self._known: deque[bytes] = deque(maxlen=REMEMBERED)
        self._known_set: set[bytes] = set()
        self._counts = {"messages": 0, "repeated": 0, "broken": 0}
        self._broken: dict[str, str] = {}
        self._refusal = ""  # why the first attempt failed; later ones are tried again
        self._answered = threading.Event()
        self._client = self._connect(host, port, client_id, login, tls)

    def __iter__(self) -> Iterator[Chunk | None]:
        while True:
            try:
                connection, message = self._came.get(timeout=WAIT_S)
            except queue.Empty:
                yield None
                continue
            chunk = self._chunk(message)
            if chunk is not None:
                yield chunk
            # After a reconnect the number may be another message's, and this one comes again.
            if connection == self._connections:
                self._client.ack(message.mid, message.qos)

    def close(self) -> None:
        """Leave the broker, which keeps the session."""
        self._client.disconnect()
        self._client.loop_stop()

    def metrics(self) -> dict[str, Any]:
        """Messages, how many came again or were broken, why by topic, and reconnects."""
        return {
            "connected": self.connected,
            "reconnects": max(0, self._connections - 1),
            **self._counts,
            "why_broken": dict(self._broken),
        }

    def _chunk(self, message: MQTTMessage) -> Chunk | None:
        """The samples of a message; None if it was taken before or holds none."""
        self._counts["messages"] += 1
        modality = message.topic.removeprefix(f"{self.prefix}/")
        digest = hashlib.blake2b(message.topic.encode() + b"\0" + message.payload).digest()
        if digest in self._known_set:
            self._counts["repeated"] += 1
            return None
        if len(self._known) == REMEMBERED:
            self._known_set.discard(self._known[0])
        self._known.append(digest)
        self._known_set.add(digest)
        try:
            if modality not in self.schema:
                raise FormatError("the model has no such modality.")
            return parse_payload(modality, self.schema[modality].channels, bytes(message.payload))
        except DataError as error:
            self._counts["broken"] += 1
            self._broken[message.topic] = error.what
            return None

    def _connect(
        self, host: str, port: int, client_id: str, login: Login | None, tls: Tls | None
    ) -> Client:
        mqtt = _require()
        client: Client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id, clean_session=False, manual_ack=True
        )
        client.reconnect_delay_set(1, LONGEST_WAIT_S)
        if login is not None:
            client.username_pw_set(login.user, login.password)
        if tls is not None:
            client.tls_set_context(tls.context())

        def on_connect(client: Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
            if reason.is_failure:
                self._broken["connection"] = str(reason)
                self._answer(f"the MQTT broker refuses the connection: {reason}.")
                return
            self._connections += 1
            self._answer("")
            client.subscribe(f"{self.prefix}/+", QOS)

        def on_subscribe(client: Client, data: Any, mid: int, reasons: Any, more: Any) -> None:
            # Only now: what is sent to a new session before the broker's answer reaches nobody.
            refused = [str(reason) for reason in reasons if reason.is_failure]
            if refused:
                self._broken["subscription"] = ", ".join(refused)
            self.connected = not refused

        def on_disconnect(*given: Any) -> None:
            self.connected = False
            self._answer("the connection was closed before an MQTT broker answered.")

        def on_message(client: Client, data: Any, message: MQTTMessage) -> None:
            self._came.put((self._connections, message))

        client.on_connect, client.on_disconnect = on_connect, on_disconnect
        client.on_subscribe, client.on_message = on_subscribe, on_message
        place = f"{host}:{port}"
        try:
            client.connect(host, port)
        except ssl.SSLError as error:
            raise DataError(
                f"no trusted connection: {error}.",
                where=place,
                fix="Give the certificate of the authority that signed the broker's, and the host "
                "by the name that it is made out to: --ca FILE --broker HOST:PORT",
            ) from error
        except OSError as error:
            raise DataError(
                f"no MQTT broker answers: {error}.",
                where=place,
                fix="Start it, or give its place: --broker HOST:PORT",
            ) from error
        client.loop_start()
        if not self._answered.wait(ANSWER_S):
            self._answer(f"nothing answers as an MQTT broker within {ANSWER_S:g} s.")
        if self._refusal:
            client.disconnect()
            client.loop_stop()
            raise DataError(
                self._refusal,
                where=place,
                fix="Is it the broker's port, does it ask for a user and password (--user), for "
                "TLS (--tls) or for a certificate of yours (--certificate)?",
            )
        return client

    def _answer(self, refusal: str) -> None:
        """What came of the first attempt to connect; of later ones nothing is kept."""
        if not self._answered.is_set():
            self._refusal = refusal
            self._answered.set()


def parse_payload(modality: str, channels: int, payload: bytes) -> Chunk:
    """The samples of one message.

    Raises
    ------
    FormatError
        It is none of the form above.
    """
    try:
        tree = json.loads(payload)
        times = np.asarray(tree["times"], dtype=np.float64)
        # null becomes NaN; what is beyond float32 becomes infinite, which the stream refuses.
        with np.errstate(over="ignore"):
            values = np.asarray(tree["values"], dtype=np.float64).astype(np.float32)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        start = shown(payload[:80].decode(errors="replace"))
        raise FormatError(
            f"no samples ({type(error).__name__}): {start}.",
            where=modality,
            fix='Send {"times": [t, …], "values": [[v, …], …]}.',
        ) from error
    if values.ndim == 1 and channels == 1:
        values = values[:, None]
    if times.ndim != 1 or values.shape != (len(times), channels):
        raise FormatError(
            f"values {values.shape} at times {times.shape}, the model has {channels} channels.",
            where=modality,
        )
    return Chunk(modality, times, values)


def _require() -> Any:
    try:
        import paho.mqtt.client as mqtt
    except ImportError as error:
        raise MissingExtraError.of("paho-mqtt", "stream", "MQTT") from error
    return mqtt

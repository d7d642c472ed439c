"""Lab Streaming Layer as a `StreamSource`: a stream named like a modality gives its samples."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from maestro_ts.deploy.stream_source import Chunk
from maestro_ts.errors import MissingExtraError
from maestro_ts.signals.modality import Modality, Schema

if TYPE_CHECKING:
    import pylsl

__all__ = ["Lsl"]

LOOK_EVERY_S = 0.5
FORGET_S = 2.0  # a stream that does not answer for so long is gone
WAIT_S = 0.02
HELD_S = 360  # of samples that wait in an inlet
RATE_SHARE = 0.01  # by which a stream's rate may differ from the modality's


class Lsl:
    """Streams of the network, found by name whenever they appear.

    Times are on this machine's LSL clock: LSL measures each stream's clock offset all along. A
    stream with a source id is recovered by LSL when its program starts again, one without is
    opened anew.

    Parameters
    ----------
    schema : Schema

    Raises
    ------
    MissingExtraError
        The extra ``stream`` is not installed.
    """

    def __init__(self, schema: Schema) -> None:
        self._lsl = _require()
        self.schema = schema
        self.connected = True
        self._resolver = self._lsl.ContinuousResolver(forget_after=FORGET_S)
        self._inlets: dict[str, pylsl.StreamInlet] = {}
        self._uids: dict[str, str] = {}
        self._lost_s: dict[str, float] = {}  # by identity
        self._reconnects = dict.fromkeys(schema.names, 0)
        self._refused: dict[str, str] = {}

    def __iter__(self) -> Iterator[Chunk | None]:
        looked_s = -np.inf
        while True:
            if time.monotonic() - looked_s > LOOK_EVERY_S:
                self._look()
                looked_s = time.monotonic()
                yield None
            came = False
            for name in list(self._inlets):
                chunk = self._pull(name)
                if chunk is not None:
                    came = True
                    yield chunk
            if not came:
                time.sleep(WAIT_S)
                yield None

    def close(self) -> None:
        """Close all streams."""
        for inlet in self._inlets.values():
            inlet.close_stream()
        self._inlets.clear()

    def metrics(self) -> dict[str, Any]:
        """Streams that are open, how often each came back, and what was not opened and why."""
        return {
            "open": sorted(self._inlets),
            "reconnects": dict(self._reconnects),
            "refused": dict(self._refused),
        }

    def _look(self) -> None:
        """Open streams that have appeared; count those whose program has started again."""
        for info in self._resolver.results():
            name, uid = info.name(), info.uid()
            if name not in self.schema:
                continue
            # It is open, or a second one beside that, or open until it is found lost.
            if name in self._inlets and (self._still_there(name) or not info.source_id()):
                continue
            if time.monotonic() - self._lost_s.get(uid, -np.inf) < 2 * FORGET_S:
                continue  # still listed, and gone
            why = self._unlike(self.schema[name], info)
            if why:
                self._refused[name] = why
                continue
            self._refused.pop(name, None)
            self._reconnects[name] += name in self._uids
            self._uids[name] = uid
            if name not in self._inlets:
                flags = self._lsl.proc_clocksync
                self._inlets[name] = self._lsl.StreamInlet(
                    info, max_buflen=HELD_S, recover=True, processing_flags=flags
                )

    def _still_there(self, name: str) -> bool:
        return any(info.uid() == self._uids[name] for info in self._resolver.results())

    def _pull(self, name: str) -> Chunk | None:
        """What has come of one stream; None for nothing."""
        try:
            rows, stamps = self._inlets[name].pull_chunk(timeout=0.0, max_samples=4096)
        except RuntimeError:
            # LSL's LostError: a stream without a source id is gone, another may come.
            self._lost_s[self._uids[name]] = time.monotonic()
            del self._inlets[name]
            return None
        if not stamps:
            return None
        return Chunk(name, np.asarray(stamps, np.float64), np.asarray(rows, np.float32))

    def _unlike(self, m: Modality, info: pylsl.StreamInfo) -> str:
        """Why a stream of this name is not the modality; "" if it is."""
        if info.channel_count() != m.channels:
            return f"{info.channel_count()} channels, the model has {m.channels}."
        if info.channel_format() == self._lsl.cf_string:
            return "samples are text."
        rate = info.nominal_srate()
        if m.rate_hz and rate and abs(rate - m.rate_hz) > RATE_SHARE * m.rate_hz:
            return f"{rate:g} Hz, the model was fitted on {m.rate_hz:g} Hz."
        return ""


def _require() -> Any:
    try:
        import pylsl
    except ImportError as error:
        raise MissingExtraError.of("pylsl", "stream", "Lab Streaming Layer") from error
    except RuntimeError as error:  # the package without the library that it calls
        raise MissingExtraError.of("pylsl", "stream", f"Lab Streaming Layer ({error})") from error
    return pylsl

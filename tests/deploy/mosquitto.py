"""A real broker for tests: `Broker`."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

__all__ = ["LONG_S", "NEEDS_BROKER", "Broker", "until"]

PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
NEEDS_BROKER = pytest.mark.skipif(
    PROGRAM is None or find_spec("paho") is None,
    reason="not run: mosquitto or the extra 'stream' (paho-mqtt) is not installed",
)
LONG_S = 120.0


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG_S
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


class Broker:
    """Mosquitto on a free port, which keeps sessions on the disk."""

    def __init__(self, folder: Path, settings: str = "allow_anonymous true\n") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.settings = folder / "mosquitto.conf"
        self.settings.write_text(
            f"listener {self.port} 127.0.0.1\n{settings}"
            f"persistence true\npersistence_location {folder}/\nmax_queued_messages 0\n"
            "autosave_interval 1\nautosave_on_changes true\n"
            "user root\n"  # started by root it would become another user, who cannot write here
        )
        self.start()

    def start(self) -> None:
        assert PROGRAM is not None
        self.process = subprocess.Popen(
            [PROGRAM, "-c", str(self.settings)], stderr=subprocess.DEVNULL
        )
        until(self._answers)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

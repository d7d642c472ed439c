"""The server process: listens, and ends by finishing what it has begun."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

from maestro_ts.deploy.service.app import create_app
from maestro_ts.deploy.service.example import example_of
from maestro_ts.deploy.service.limits import Limits
from maestro_ts.deploy.service.predicting import Predicting
from maestro_ts.deploy.service.served import ServedRun
from maestro_ts.errors import ConfigError, RunError

__all__ = ["Server", "listen", "read_token", "serve"]


class Server(uvicorn.Server):
    """On SIGTERM or Ctrl-C goes on until the last prediction is answered; a second ends it at once.

    New predictions get 503 meanwhile, and `/healthz` and `/metrics` still answer.
    """

    def __init__(self, config: uvicorn.Config, predicting: Predicting) -> None:
        super().__init__(config)
        self._predicting = predicting

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by the signal."""
        if self._predicting.gate.draining:
            self.should_exit = self.force_exit = True
        self._predicting.gate.drain()

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        gate = self._predicting.gate
        if gate.draining and gate.inside == 0:
            self.should_exit = True
        return await super().on_tick(counter)


def serve(
    folder: Path,
    host: str,
    port: int,
    limits: Limits,
    *,
    token: str | None = None,
    threads: int | None = None,
    ready: Callable[[str], None] = lambda url: None,
) -> str:
    """Serve a run until a signal; returns what was done, in one line.

    Parameters
    ----------
    ready : callable (url)
        Called when requests are taken.

    Raises
    ------
    RunError
        No run, or the address cannot be listened on.
    """
    run = ServedRun.load(folder, threads)
    example = example_of(folder, run.inputs)
    predicting = Predicting(run, limits)
    app = create_app(predicting, token=token, example=example)
    with listen(host, port) as own:
        config = uvicorn.Config(
            app,
            log_level=logging.WARNING,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(limits.timeout_s) + 1,
        )
        at, name = own.getsockname()[1], f"[{host}]" if ":" in host else host
        ready(f"http://{name}:{at}/")
        Server(config, predicting).run(sockets=[own])
    return predicting.metrics.summary()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises
    ------
    RunError
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        raise RunError(
            f"cannot listen there: {error}.", where=f"{host}:{port}", fix="Choose another --port."
        ) from error


def read_token(path: Path | None) -> str | None:
    """The first line of a file.

    Raises
    ------
    ConfigError
        It cannot be read, or is empty.
    """
    if path is None:
        return None
    try:
        token = (path.read_text().splitlines() or [""])[0].strip()
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read: {error}.", where=str(path)) from error
    if not token or not token.isascii():
        raise ConfigError("holds no token of ASCII letters in its first line.", where=str(path))
    return token

"""``maestro-ts stream RUN --from replay FILE | lsl | mqtt``."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from maestro_ts.cli.stream_view import JsonLines, TerminalView
    from maestro_ts.deploy.broker_access import Login, Tls
    from maestro_ts.experiments.stream_job import LiveStream

__all__ = ["stream"]


class From(StrEnum):
    """Where samples come from."""

    replay = "replay"
    lsl = "lsl"
    mqtt = "mqtt"


def stream(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    file: Annotated[
        Path | None, typer.Argument(help="Recordings to replay, as for predict.")
    ] = None,
    from_: Annotated[
        From, typer.Option("--from", help="replay FILE, lsl or mqtt (extra stream).")
    ] = From.replay,
    stride_s: Annotated[
        float | None, typer.Option(help="From one window to the next; as the run's unless given.")
    ] = None,
    tolerance_s: Annotated[
        float, typer.Option(help="A window is answered this long after its end.")
    ] = 0.25,
    timeout_s: Annotated[
        float, typer.Option(help="A sensor that is silent for longer is missing.")
    ] = 5.0,
    offset: Annotated[
        list[str] | None,
        typer.Option(help="Seconds to add to a device's times: wrist=0.12. Repeatable."),
    ] = None,
    broker: Annotated[str, typer.Option(help="Of mqtt, HOST:PORT.")] = "127.0.0.1:1883",
    prefix: Annotated[str, typer.Option(help="Of mqtt: topics are PREFIX/MODALITY.")] = "maestro",
    client_id: Annotated[
        str, typer.Option(help="Of mqtt: names the session that the broker keeps.")
    ] = "maestro-ts",
    user: Annotated[
        str | None,
        typer.Option(
            help="Of mqtt: log in; the password is in the variable MAESTRO_TS_MQTT_PASSWORD."
        ),
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="Of mqtt: or it is the first line of this file.")
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Of mqtt: an encrypted connection.")] = False,
    ca: Annotated[
        Path | None, typer.Option(help="Of TLS: PEM file of who vouches for the broker.")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Of TLS: this program's own, PEM, where one is asked for.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="Of TLS: its key, unless the certificate's file has it.")
    ] = None,
    stop_after_s: Annotated[
        float | None, typer.Option(help="End by itself; otherwise Ctrl-C ends a live stream.")
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="JSON lines in a terminal, too; elsewhere always.")
    ] = False,
) -> None:
    """Answer every window of live sensors, or of recordings as if they were live."""
    from maestro_ts.cli.stream_view import JsonLines, TerminalView, counts_table
    from maestro_ts.errors import ConfigError
    from maestro_ts.experiments.stream_job import (
        Timing,
        lsl_stream,
        mqtt_stream,
        replayed_streams,
    )

    if (from_ is From.replay) != (file is not None):
        raise ConfigError(
            "--from replay takes a FILE, lsl and mqtt take none.",
            fix="Example: maestro-ts stream runs/a --from replay data/",
        )
    timing = Timing(stride_s, tolerance_s, timeout_s, _offsets(offset or []))
    host, port = _place(broker)
    login, over = _access(user, password_file, tls, ca, certificate, key)
    view = JsonLines() if json_ or not sys.stdout.isatty() else TerminalView()
    with view:
        live: Iterator[LiveStream]
        if file is not None:
            live = replayed_streams(run, file, timing, view.note)
        elif from_ is From.lsl:
            live = iter([lsl_stream(run, timing, view.note)])
        else:
            live = iter(
                [
                    mqtt_stream(
                        run,
                        timing,
                        host=host,
                        port=port,
                        prefix=prefix,
                        client_id=client_id,
                        login=login,
                        tls=over,
                        note=view.note,
                    )
                ]
            )
        end_s = math.inf if stop_after_s is None else time.monotonic() + stop_after_s
        for one in live:
            ended = _show(one, view, end_s)
            view.note(counts_table(one))
            if ended:
                break


def _show(live: LiveStream, view: JsonLines | TerminalView, end_s: float) -> bool:
    """Show every answer; True when it was ended before its source did."""
    from maestro_ts.deploy.stream_source import run_stream

    def over() -> bool:
        return time.monotonic() >= end_s

    try:
        for result in run_stream(
            live.classifier, live.source, end_s=live.end_s, note=view.note, stop=over
        ):
            view.show(live, result)
    except KeyboardInterrupt:
        return True
    return over()


def _offsets(pairs: list[str]) -> dict[str, float]:
    from maestro_ts.errors import ConfigError

    found = {}
    for pair in pairs:
        device, _, text = pair.partition("=")
        try:
            found[device.strip()] = float(text)
        except ValueError as error:
            raise ConfigError(
                f"--offset takes DEVICE=SECONDS, got {pair!r}.", fix="Example: wrist=0.12"
            ) from error
    return found


def _access(
    user: str | None,
    password_file: Path | None,
    tls: bool,
    ca: Path | None,
    certificate: Path | None,
    key: Path | None,
) -> tuple[Login | None, Tls | None]:
    from maestro_ts.deploy.broker_access import Login, Tls
    from maestro_ts.errors import ConfigError

    if user is None and password_file is not None:
        raise ConfigError("--password-file is of a user.", fix="Give --user NAME.")
    if not tls and (ca or certificate or key):
        raise ConfigError("--ca, --certificate and --key are of TLS.", fix="Give --tls as well.")
    login = None if user is None else Login.find(user, password_file)
    return login, Tls(ca, certificate, key) if tls else None


def _place(broker: str) -> tuple[str, int]:
    from maestro_ts.errors import ConfigError

    host, _, port = broker.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigError(
            f"--broker takes HOST:PORT, got {broker!r}.", fix="Example: 127.0.0.1:1883"
        )
    return host, int(port)

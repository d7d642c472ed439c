"""``maestro-ts serve RUN``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["serve"]

LOCAL = ("127.0.0.1", "::1", "localhost")


def serve(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0: any that is free.", min=0, max=65535)] = 8000,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the bearer token that requests need.")
    ] = None,
    max_body_mb: Annotated[float, typer.Option(help="Largest body.", min=0.001)] = 16.0,
    timeout_s: Annotated[float, typer.Option(help="Longest request.", min=0.1)] = 30.0,
    max_concurrent: Annotated[int, typer.Option(help="Predictions at once.", min=1)] = 32,
    threads: Annotated[int, typer.Option(help="CPU threads of PyTorch.", min=1)] = 1,
) -> None:
    """Answer predictions over HTTP, with a live page and metrics."""
    from maestro_ts.errors import MissingExtraError

    for package in ("fastapi", "uvicorn", "prometheus_client"):
        try:
            __import__(package)
        except ImportError as error:
            raise MissingExtraError.of(package, "serve", "The service") from error
    from maestro_ts.deploy.service.limits import Limits
    from maestro_ts.deploy.service.server import read_token
    from maestro_ts.deploy.service.server import serve as run_server

    token = read_token(token_file)
    if host not in LOCAL and token is None:
        print("Others can reach this service, and it asks for no token.", file=sys.stderr)
    done = run_server(
        run,
        host,
        port,
        Limits(max_body_mb, timeout_s, max_concurrent),
        token=token,
        threads=threads,
        ready=lambda url: print(f"{run} is served at {url}", flush=True),
    )
    print(done)

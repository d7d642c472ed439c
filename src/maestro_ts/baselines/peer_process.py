"""A process of another Python environment that answers requests about arrays.

Packages whose requirements do not fit beside ours run there. The environment is ``.venv-peers``
(``make peers``), or the one whose Python `MAESTRO_TS_PEERS` names.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from maestro_ts.errors import ConfigError, MissingExtraError

__all__ = ["PEERS", "ask", "peers_python"]

PEERS = "MAESTRO_TS_PEERS"


def peers_python() -> Path:
    """The Python of the other environment, whether it is there or not."""
    return Path(os.environ.get(PEERS, ".venv-peers/bin/python")).absolute()


def ask(
    worker: Path,
    do: str,
    settings: Mapping[str, Any],
    given: Mapping[str, NDArray[Any]],
    weights: bytes | None = None,
) -> bytes:
    """The file that a worker leaves: ``weights.npz`` of a fit, ``found.npz`` of a prediction.

    Parameters
    ----------
    worker : Path
        A script; one process of it serves all requests of this process.
    do : str
        "fit" or "predict".
    settings : dict
        Plain values.
    given : dict of str to ndarray
    weights : bytes, optional
        What a fit left.
    """
    with tempfile.TemporaryDirectory(prefix="maestro-ts-") as name:
        folder = Path(name)
        np.savez(folder / "given.npz", **given)  # type: ignore[arg-type]
        if weights is not None:
            (folder / "weights.npz").write_bytes(weights)
        request = {
            "do": do,
            "folder": name,
            "settings": dict(settings),
            "threads": torch.get_num_threads(),
        }
        process = _process(worker, peers_python(), os.getpid())
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        error = json.loads(answer)["error"] if answer else "it ended without an answer"
        if error:
            _process.cache_clear()
            raise ConfigError(
                f"{worker.stem} could not {do}: {error}.",
                where=str(peers_python()),
                fix="Look whether this Python imports pypots, and at the settings in `rival`.",
            )
        return (folder / ("weights.npz" if do == "fit" else "found.npz")).read_bytes()


@cache
def _process(worker: Path, python: Path, owner: int) -> subprocess.Popen[str]:
    # `owner` is part of the key: a forked child must not read its parent's replies.
    if not python.exists():
        raise MissingExtraError(
            f"PyPOTS runs in an environment of its own, and there is no {python}.",
            fix=f"Make it with `make peers`, or name its Python in the variable {PEERS}.",
        )
    started = subprocess.Popen(
        # -P: a file beside the worker must not stand for a package of the same name.
        [str(python), "-P", str(worker)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    atexit.register(_end, started, owner)
    return started


def _end(started: subprocess.Popen[str], owner: int) -> None:
    """Closing its input ends a worker, once it has answered."""
    if os.getpid() == owner and started.stdin is not None:
        started.stdin.close()

"""Commands run in the process of the test."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest

from maestro_ts.cli.main import main


class Done(NamedTuple):
    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The program in this process: exit code, standard output, standard error."""

    def run(*words: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["maestro-ts", *map(str, words)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
        return Done(code, *capsys.readouterr())

    return run


def refused(done: Done, *parts: str) -> None:
    """One clear message on standard error, exit code 2, nothing on standard output."""
    assert done.code == 2
    assert done.out == ""
    assert "Traceback" not in done.err
    message = done.err.splitlines()[-1]
    assert message.startswith("Error: ")
    for part in parts:
        assert part in message

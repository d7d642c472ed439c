"""Processes that take turns: one works, the others are stopped and cost nothing."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from sides import Side

__all__ = ["Turns", "ratio"]


class Turns:
    """Sides in processes of their own; stopped unless asked.

    Parameters
    ----------
    sides : mapping of name to Side
    """

    def __init__(self, sides: Mapping[str, Side]) -> None:
        self.processes: dict[str, subprocess.Popen[str]] = {}
        for name, side in sides.items():
            environment = os.environ | {"OMP_NUM_THREADS": str(side.threads)}
            self.processes[name] = subprocess.Popen(
                side.command(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            self._answer(name)
            self._stop(name)

    def __enter__(self) -> Turns:
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()

    def _answer(self, name: str) -> str:
        stream = self.processes[name].stdout
        assert stream is not None
        line = stream.readline()
        if not line:
            raise SystemExit(f"{name}: its process ended without an answer")
        return line.strip()

    def ask(self, name: str, question: str) -> float:
        """One answer of one side."""
        process = self.processes[name]
        process.send_signal(signal.SIGCONT)
        assert process.stdin is not None
        process.stdin.write(question + "\n")
        process.stdin.flush()
        answer = float(self._answer(name))
        self._stop(name)
        return answer

    def _stop(self, name: str) -> None:
        """Stop a side and wait until it stands."""
        process = self.processes[name]
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)

    def rounds(self, question: str, count: int, warm: int = 3) -> dict[str, NDArray[np.float64]]:
        """Answers of all sides in turn, `count` times after `warm` rounds that do not count."""
        found: dict[str, list[float]] = {name: [] for name in self.processes}
        for number in range(warm + count):
            for name in found:
                answer = self.ask(name, question)
                if number >= warm:
                    found[name].append(answer)
        return {name: np.array(values) for name, values in found.items()}


def ratio(
    mine: NDArray[np.float64], reference: NDArray[np.float64]
) -> tuple[float, tuple[float, float]]:
    """How many times less the first takes: of the medians, and quartiles of the rounds' own."""
    low, high = np.quantile(reference / mine, (0.25, 0.75))
    return float(np.median(reference) / np.median(mine)), (float(low), float(high))
